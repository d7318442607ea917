-- Amazon Pay whole: charge permissions, checkout sessions, and notifications through SNS, with a log of deliveries.

-- The account with Amazon Pay: its name, where it is (`na`, `eu`, `jp`), and where SNS posts to.
ALTER TABLE merchant ADD COLUMN seller_id TEXT NOT NULL DEFAULT '';
ALTER TABLE merchant ADD COLUMN region TEXT NOT NULL DEFAULT 'na';
ALTER TABLE merchant ADD COLUMN sns_url TEXT;
UPDATE merchant SET seller_id = 'A' || printf('%013d', id);

-- A buyer's leave to be charged.
CREATE TABLE charge_permission (
    id                 TEXT PRIMARY KEY,
    merchant           INTEGER NOT NULL REFERENCES merchant (id),
    type               TEXT NOT NULL CHECK (type IN ('OneTime', 'Recurring', 'PaymentMethodOnFile')),
    state              TEXT NOT NULL CHECK (state IN ('Chargeable', 'NonChargeable', 'Closed')),
    reason             TEXT,
    reason_description TEXT,
    currency           TEXT NOT NULL,
    -- All charges together, or those of one period of a recurring one; no limit without.
    amount_limit       INTEGER CHECK (amount_limit > 0),
    -- What else the messages say of it, as JSON.
    details            TEXT NOT NULL DEFAULT '{}',
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    -- When it is closed by itself.
    due_at             INTEGER
) STRICT;
CREATE INDEX charge_permission_due ON charge_permission (due_at) WHERE due_at IS NOT NULL;
-- Charges had permissions by name only.
INSERT INTO charge_permission (id, merchant, type, state, currency, amount_limit, created_at, updated_at, due_at)
    SELECT substr(id, 1, 19), min(merchant), 'OneTime', 'Chargeable', min(currency), sum(amount), min(created_at),
        min(created_at), min(created_at) + 15552000000
    FROM payment WHERE operation = 'charge' GROUP BY 1;
UPDATE payment SET parent = substr(id, 1, 19) WHERE operation = 'charge' AND parent IS NULL;

-- A buyer's visit to the checkout.
CREATE TABLE checkout_session (
    id                TEXT PRIMARY KEY,
    merchant          INTEGER NOT NULL REFERENCES merchant (id),
    state             TEXT NOT NULL CHECK (state IN ('Open', 'Completed', 'Canceled')),
    reason            TEXT,
    -- Whether the buyer has signed in and agreed.
    approved          INTEGER NOT NULL DEFAULT 0 CHECK (approved IN (0, 1)),
    details           TEXT NOT NULL,
    charge_permission TEXT REFERENCES charge_permission (id),
    charge            TEXT REFERENCES payment (id),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    -- When it expires.
    due_at            INTEGER
) STRICT;
CREATE INDEX checkout_session_due ON checkout_session (due_at) WHERE due_at IS NOT NULL;

-- What a notification is about; of one through SNS also its topic and the name that it keeps.
ALTER TABLE notification ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE notification ADD COLUMN topic TEXT;
ALTER TABLE notification ADD COLUMN message_id TEXT;

-- Every try to deliver one, and what became of it: a status, or why there was none.
CREATE TABLE delivery (
    notification INTEGER NOT NULL REFERENCES notification (id),
    attempt      INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    status       INTEGER,
    error        TEXT,
    PRIMARY KEY (notification, attempt)
) STRICT, WITHOUT ROWID;

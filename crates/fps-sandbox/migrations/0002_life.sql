-- One life for the payments of both services, instruments for credit, and books that prove themselves.
-- Foreign keys are off while this runs; they are checked afterwards.

-- What the sandbox itself must remember, such as how far its clock is ahead.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- `active`, or why the account can take no part: `suspended`, `closed`.
ALTER TABLE merchant ADD COLUMN status TEXT NOT NULL DEFAULT 'active';

-- A token is somebody's leave: of a sender to be charged, of a recipient to be paid through a marketplace, or of a
-- caller. `terms` holds its limits as JSON.
ALTER TABLE token ADD COLUMN role TEXT NOT NULL DEFAULT 'sender';
ALTER TABLE token ADD COLUMN type TEXT NOT NULL DEFAULT 'Unrestricted';
ALTER TABLE token ADD COLUMN caller_reference TEXT;
ALTER TABLE token ADD COLUMN friendly_name TEXT;
ALTER TABLE token ADD COLUMN payment_reason TEXT;
ALTER TABLE token ADD COLUMN instruction TEXT;
ALTER TABLE token ADD COLUMN installed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN expires_at INTEGER;
ALTER TABLE token ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
-- Whose account it is: the merchant that a recipient token pays; nothing for a buyer's.
ALTER TABLE token ADD COLUMN owner INTEGER REFERENCES merchant (id);
ALTER TABLE token ADD COLUMN instrument TEXT REFERENCES instrument (id);
CREATE INDEX token_by_reference ON token (merchant, caller_reference) WHERE caller_reference IS NOT NULL;

-- Prepaid and postpaid credit; the balance is in the books.
CREATE TABLE instrument (
    id           TEXT PRIMARY KEY,
    merchant     INTEGER NOT NULL REFERENCES merchant (id),
    kind         TEXT NOT NULL CHECK (kind IN ('prepaid', 'postpaid')),
    state        TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'cancelled')),
    credit_limit INTEGER CHECK (credit_limit > 0),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER
) STRICT;
CREATE INDEX instrument_by_merchant ON instrument (merchant);

CREATE TABLE new_payment (
    id                 TEXT PRIMARY KEY,
    -- Who executed it, and whose money it is: the same but for a marketplace.
    merchant           INTEGER NOT NULL REFERENCES merchant (id),
    recipient          INTEGER NOT NULL REFERENCES merchant (id),
    service            TEXT NOT NULL CHECK (service IN ('amazon-pay', 'flexible-payments')),
    operation          TEXT NOT NULL CHECK (
        operation IN ('charge', 'pay', 'reserve', 'fund-prepaid', 'settle-debt', 'write-off-debt')),
    state              TEXT NOT NULL CHECK (
        state IN ('pending', 'reserved', 'capturing', 'completed', 'failed', 'cancelled')),
    -- Why it failed or was cancelled, in the words of its service.
    reason             TEXT,
    method             TEXT NOT NULL,
    currency           TEXT NOT NULL,
    -- What was asked for, and what was charged: nothing before that is under way.
    amount             INTEGER NOT NULL CHECK (amount > 0),
    captured           INTEGER NOT NULL CHECK (captured >= 0),
    fee                INTEGER NOT NULL CHECK (fee >= 0),
    fee_payer          TEXT NOT NULL CHECK (fee_payer IN ('caller', 'recipient')),
    marketplace_fee    INTEGER CHECK (marketplace_fee >= 0),
    reference          TEXT,
    description        TEXT,
    sender_description TEXT,
    soft_descriptor    TEXT,
    token              TEXT REFERENCES token (id),
    recipient_token    TEXT REFERENCES token (id),
    instrument         TEXT REFERENCES instrument (id),
    -- The charge permission or subscription that it belongs to.
    parent             TEXT,
    -- Where its notifications go, if not where the merchant's do.
    notify_url         TEXT,
    -- What else its service's messages say of it, as JSON.
    details            TEXT NOT NULL DEFAULT '{}',
    -- Why refunds of it will be declined, if somebody arranged for that.
    decline            TEXT,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    completed_at       INTEGER,
    -- What becomes of it by itself, and when.
    due_at             INTEGER,
    outcome            TEXT CHECK (outcome IN ('completed', 'reserved', 'failed', 'cancelled')),
    outcome_reason     TEXT,
    CHECK ((due_at IS NULL) = (outcome IS NULL))
) STRICT;
INSERT INTO new_payment (id, merchant, recipient, service, operation, state, method, currency, amount, captured, fee,
        fee_payer, reference, description, token, decline, created_at, updated_at, completed_at, due_at, outcome)
    SELECT id, merchant, merchant, service, iif(service = 'amazon-pay', 'charge', 'pay'), state, method, currency,
        captured, iif(state = 'completed', captured, 0), fee, 'recipient', reference, description, token, decline,
        created_at, coalesce(completed_at, created_at), completed_at, due_at, iif(due_at IS NULL, NULL, 'completed')
    FROM payment;
DROP TABLE payment;
ALTER TABLE new_payment RENAME TO payment;
CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payment_by_merchant ON payment (merchant, created_at);
CREATE INDEX payment_by_parent ON payment (parent) WHERE parent IS NOT NULL;

-- Which part of a marketplace payment goes back, and what the marketplace gives of its own fee.
ALTER TABLE refund ADD COLUMN scope TEXT NOT NULL DEFAULT 'payment';
ALTER TABLE refund ADD COLUMN marketplace_returned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE refund ADD COLUMN notify_url TEXT;
-- Why it will be declined, if somebody arranged for that.
ALTER TABLE refund ADD COLUMN decline TEXT;

-- Answers are found by their key and kept in the order of time, so that a new one costs the same after a million.
CREATE TABLE new_answer (
    id         INTEGER PRIMARY KEY,
    merchant   INTEGER NOT NULL REFERENCES merchant (id),
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    body       BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (merchant, scope, key)
) STRICT;
INSERT INTO new_answer (merchant, scope, key, request, status, body, created_at)
    SELECT merchant, scope, key, request, status, body, created_at FROM answer ORDER BY created_at;
DROP TABLE answer;
ALTER TABLE new_answer RENAME TO answer;

-- Every movement seals the ones before it; the seals of an older file are made when it is opened.
ALTER TABLE movement ADD COLUMN seal BLOB NOT NULL DEFAULT x'';

CREATE TABLE new_entry (
    movement   INTEGER NOT NULL REFERENCES movement (id),
    merchant   INTEGER NOT NULL REFERENCES merchant (id),
    account    TEXT NOT NULL,
    -- Which instrument of the account; nothing where it has none.
    instrument TEXT NOT NULL DEFAULT '',
    currency   TEXT NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (movement, merchant, account, instrument, currency)
) STRICT, WITHOUT ROWID;
INSERT INTO new_entry (movement, merchant, account, currency, amount)
    SELECT movement, merchant, account, currency, amount FROM entry JOIN movement ON movement.id = movement;
DROP TABLE entry;
ALTER TABLE new_entry RENAME TO entry;

-- What all entries of an account sum to.
CREATE TABLE balance (
    merchant   INTEGER NOT NULL REFERENCES merchant (id),
    service    TEXT NOT NULL,
    account    TEXT NOT NULL,
    instrument TEXT NOT NULL,
    currency   TEXT NOT NULL,
    amount     INTEGER NOT NULL,
    PRIMARY KEY (merchant, service, account, instrument, currency)
) STRICT, WITHOUT ROWID;
INSERT INTO balance
    SELECT entry.merchant, service, account, instrument, currency, sum(amount)
    FROM entry JOIN movement ON movement.id = movement GROUP BY 1, 2, 3, 4, 5;

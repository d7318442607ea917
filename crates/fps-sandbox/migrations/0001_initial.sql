-- Money is a count of minor units; times are milliseconds since 1970.

CREATE TABLE merchant (
    id               INTEGER PRIMARY KEY,
    name             TEXT NOT NULL,
    email            TEXT NOT NULL,
    access_key_id    TEXT NOT NULL UNIQUE,
    secret_key       TEXT NOT NULL,
    public_key_id    TEXT NOT NULL UNIQUE,
    public_key_pem   TEXT NOT NULL,
    notification_url TEXT
) STRICT;

-- A sender's permission to be charged.
CREATE TABLE token (
    id        TEXT PRIMARY KEY,
    merchant  INTEGER NOT NULL REFERENCES merchant (id),
    method    TEXT NOT NULL,
    active    INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE payment (
    id           TEXT PRIMARY KEY,
    merchant     INTEGER NOT NULL REFERENCES merchant (id),
    service      TEXT NOT NULL CHECK (service IN ('amazon-pay', 'flexible-payments')),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'completed')),
    method       TEXT NOT NULL,
    currency     TEXT NOT NULL,
    captured     INTEGER NOT NULL CHECK (captured > 0),
    fee          INTEGER NOT NULL CHECK (fee >= 0),
    reference    TEXT,
    description  TEXT,
    token        TEXT REFERENCES token (id),
    -- Why refunds of it will be declined, if somebody arranged for that.
    decline      TEXT,
    created_at   INTEGER NOT NULL,
    completed_at INTEGER,
    due_at       INTEGER
) STRICT;

CREATE TABLE refund (
    id              TEXT PRIMARY KEY,
    payment         TEXT NOT NULL REFERENCES payment (id),
    state           TEXT NOT NULL CHECK (state IN ('pending', 'refunded', 'declined')),
    amount          INTEGER NOT NULL CHECK (amount > 0),
    fee_returned    INTEGER NOT NULL CHECK (fee_returned >= 0),
    reason          TEXT,
    reference       TEXT,
    description     TEXT,
    soft_descriptor TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    due_at          INTEGER
) STRICT;

CREATE INDEX refund_by_payment ON refund (payment);
CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX refund_due ON refund (due_at) WHERE due_at IS NOT NULL;

-- What was answered to a key, so that it can be answered again.
CREATE TABLE answer (
    merchant   INTEGER NOT NULL REFERENCES merchant (id),
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    status     INTEGER NOT NULL,
    body       BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (merchant, scope, key)
) STRICT, WITHOUT ROWID;

-- Double entry: the entries of a movement sum to zero in each currency.
CREATE TABLE movement (
    id       INTEGER PRIMARY KEY,
    merchant INTEGER NOT NULL REFERENCES merchant (id),
    service  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE TABLE entry (
    movement INTEGER NOT NULL REFERENCES movement (id),
    account  TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (movement, account, currency)
) STRICT, WITHOUT ROWID;

-- Notifications, waiting or delivered; each is signed when it is sent.
CREATE TABLE notification (
    id           INTEGER PRIMARY KEY,
    merchant     INTEGER NOT NULL REFERENCES merchant (id),
    url          TEXT NOT NULL,
    body         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER,
    delivered_at INTEGER
) STRICT;

CREATE INDEX notification_due ON notification (due_at) WHERE due_at IS NOT NULL;

-- The key and certificate that notifications are signed with.
CREATE TABLE signing_key (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    private_key_pem TEXT NOT NULL,
    certificate_pem TEXT NOT NULL
) STRICT;

-- The head of the chain that the payments' chains hang on.
CREATE TABLE chain (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    payments INTEGER NOT NULL,
    seal BLOB NOT NULL
) STRICT;
INSERT INTO chain VALUES (1, 0, zeroblob(32));

-- `id` counts the imports, without a gap.
CREATE TABLE payment (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    caller_reference TEXT,
    currency TEXT NOT NULL,
    captured INTEGER NOT NULL CHECK (captured > 0),
    cap INTEGER NOT NULL,
    refunds_max INTEGER,
    completed_at INTEGER,
    imported_at INTEGER NOT NULL,
    facts TEXT NOT NULL,
    refunded INTEGER NOT NULL CHECK (refunded >= 0),
    pending INTEGER NOT NULL CHECK (pending >= 0),
    unknown INTEGER NOT NULL CHECK (unknown >= 0),
    refunds INTEGER NOT NULL CHECK (refunds >= 0),
    fee_returned INTEGER NOT NULL CHECK (fee_returned >= 0),
    marketplace_held INTEGER NOT NULL CHECK (marketplace_held >= 0),
    intents INTEGER NOT NULL,
    events INTEGER NOT NULL,
    seal BLOB NOT NULL,
    UNIQUE (provider, name),
    CHECK (refunded + pending + unknown <= cap),
    CHECK (refunds_max IS NULL OR refunds <= refunds_max)
) STRICT;
CREATE INDEX payment_caller_reference ON payment (caller_reference) WHERE caller_reference IS NOT NULL;

-- `ordinal` counts the intents of a payment. `due_at`: when somebody must look at it next; a claim
-- moves it to the end of the lease.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    payment INTEGER NOT NULL REFERENCES payment (id),
    ordinal INTEGER NOT NULL,
    provider TEXT NOT NULL,
    key TEXT NOT NULL,
    key_until INTEGER,
    key_window INTEGER,
    amount INTEGER NOT NULL CHECK (amount > 0),
    is_rest INTEGER NOT NULL,
    scope TEXT NOT NULL,
    fee INTEGER NOT NULL,
    marketplace_fee INTEGER NOT NULL,
    batch TEXT,
    line INTEGER,
    content TEXT,
    reference TEXT,
    details TEXT,
    prepared_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    sent_at INTEGER,
    key_expires_at INTEGER,
    changed_at INTEGER NOT NULL,
    refund TEXT,
    reason TEXT,
    request TEXT,
    parked TEXT,
    alarm TEXT,
    worker TEXT,
    fence INTEGER NOT NULL,
    due_at INTEGER,
    UNIQUE (provider, key)
) STRICT;
CREATE UNIQUE INDEX intent_of_payment ON intent (payment, ordinal);
CREATE UNIQUE INDEX intent_row ON intent (batch, line) WHERE batch IS NOT NULL;
CREATE INDEX intent_due_new ON intent (batch, due_at) WHERE due_at IS NOT NULL AND attempts = 0;
CREATE INDEX intent_due_sent ON intent (batch, due_at) WHERE due_at IS NOT NULL AND attempts > 0;
CREATE INDEX intent_reference ON intent (reference) WHERE reference IS NOT NULL;
CREATE INDEX intent_refund ON intent (refund) WHERE refund IS NOT NULL;
CREATE INDEX intent_prepared ON intent (prepared_at);

-- Append-only. `seal` is a hash of the one before and of the rest of the row.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    payment INTEGER NOT NULL REFERENCES payment (id),
    seq INTEGER NOT NULL,
    intent INTEGER,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    seal BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_of_payment ON event (payment, seq);
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_remains BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- A batch takes rows until it is sealed, and can be run from then on. `source` tells what it was read from.
CREATE TABLE batch (
    name TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    target TEXT NOT NULL,
    source TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    sealed_at INTEGER,
    row_count INTEGER,
    skipped INTEGER,
    seal BLOB
) STRICT;

-- How far ahead of now the turns of a limit are given away, in microseconds since 1970.
CREATE TABLE pace (
    name TEXT PRIMARY KEY,
    free_at INTEGER NOT NULL
) STRICT;

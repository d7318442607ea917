-- What tokens have been used for, found without reading every payment; the activity of an account; subscriptions.

CREATE INDEX payment_by_token ON payment (token, created_at) WHERE token IS NOT NULL;
CREATE INDEX payment_by_instrument ON payment (instrument) WHERE instrument IS NOT NULL;
-- Whose account it is, where somebody else executed it.
CREATE INDEX payment_by_recipient ON payment (recipient, created_at) WHERE recipient <> merchant;
CREATE INDEX refund_by_time ON refund (created_at);
CREATE INDEX token_by_merchant ON token (merchant);
CREATE INDEX token_by_owner ON token (owner) WHERE owner IS NOT NULL;

-- A buyer who pays again and again. Its payments name it as their parent; the account is that of its merchant.
CREATE TABLE subscription (
    id                 TEXT PRIMARY KEY,
    merchant           INTEGER NOT NULL REFERENCES merchant (id),
    state              TEXT NOT NULL CHECK (state IN ('active', 'cancelled', 'completed')),
    method             TEXT NOT NULL,
    currency           TEXT NOT NULL,
    amount             INTEGER NOT NULL CHECK (amount > 0),
    description        TEXT,
    -- The first payments cost this instead.
    promotional_amount INTEGER CHECK (promotional_amount > 0),
    promotional_count  INTEGER NOT NULL DEFAULT 0 CHECK (promotional_count >= 0),
    -- `1 month`: how often it is paid, and for how long if not for ever.
    frequency          TEXT NOT NULL,
    period             TEXT,
    started_at         INTEGER NOT NULL,
    ends_at            INTEGER,
    payments           INTEGER NOT NULL DEFAULT 0,
    -- When it is paid next.
    due_at             INTEGER
) STRICT;
CREATE INDEX subscription_due ON subscription (due_at) WHERE due_at IS NOT NULL;

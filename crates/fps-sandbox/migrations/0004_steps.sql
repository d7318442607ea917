-- The steps of a payment after it began: what it became, when, and of how much.
CREATE TABLE step (
    id      INTEGER PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payment (id),
    state   TEXT NOT NULL,
    amount  INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX step_by_payment ON step (payment);
-- Of older payments only the last is known.
INSERT INTO step (payment, state, amount, at)
    SELECT id, state, iif(captured > 0, captured, amount), coalesce(completed_at, updated_at)
    FROM payment WHERE state <> 'pending';

-- What else its service's messages say of a refund, as JSON.
ALTER TABLE refund ADD COLUMN details TEXT NOT NULL DEFAULT '{}';

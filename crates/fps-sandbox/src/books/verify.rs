//! Proof of the books: against themselves, against what they are about, and by their seals.

use rusqlite::Connection;

use super::chain;
use crate::error::{Error, ErrorKind};

/// What must be nothing: a name for it, and how many there are.
const CHECKS: [(&str, &str); 6] = [
    (
        "movements",
        "SELECT count(*) FROM (
             SELECT 1 FROM entry GROUP BY movement, currency HAVING sum(amount) <> 0)",
    ),
    (
        "payments",
        "WITH moved AS (
             SELECT subject,
                    sum(amount) FILTER (WHERE account = 'buyers') AS buyers,
                    sum(amount) FILTER (WHERE account = 'fees') AS fees,
                    sum(amount) FILTER (WHERE account = 'prepaid') AS prepaid,
                    sum(amount) FILTER (WHERE account = 'debt') AS debt
             FROM movement JOIN entry ON movement = movement.id WHERE kind = 'payment' GROUP BY subject),
         said AS (
             SELECT id, iif(state = 'completed', captured, 0) AS captured,
                    iif(state = 'completed', fee, 0) AS fee,
                    operation, method,
                    method IN ('card', 'bank', 'balance') AND operation <> 'write-off-debt' AS cash
             FROM payment)
         SELECT count(*) FROM said LEFT JOIN moved ON subject = said.id
         WHERE (iif(cash, -captured, 0), fee,
                captured * ((operation = 'fund-prepaid') - (method = 'prepaid')),
                captured * ((method = 'postpaid') - (operation IN ('settle-debt', 'write-off-debt'))))
            <> (coalesce(buyers, 0), coalesce(fees, 0), coalesce(prepaid, 0), coalesce(debt, 0))",
    ),
    (
        "refunds",
        "WITH moved AS (
             SELECT subject,
                    sum(amount) FILTER (WHERE account = 'buyers') AS buyers,
                    sum(amount) FILTER (WHERE account = 'refunding') AS refunding,
                    sum(amount) FILTER (WHERE account = 'fees') AS fees,
                    sum(amount) FILTER (WHERE account = 'prepaid') AS prepaid,
                    sum(amount) FILTER (WHERE account = 'debt') AS debt
             FROM movement JOIN entry ON movement = movement.id WHERE kind <> 'payment' GROUP BY subject),
         said AS (
             SELECT refund.id, refund.state, iif(scope = 'marketplace-fee', 0, refund.amount) AS amount,
                    fee_returned, method, method IN ('card', 'bank', 'balance') AS cash
             FROM refund JOIN payment ON payment.id = refund.payment)
         SELECT count(*) FROM said LEFT JOIN moved ON subject = said.id
         WHERE (iif(cash AND state = 'refunded', amount, 0), iif(cash AND state = 'pending', amount, 0),
                iif(state = 'declined', 0, -fee_returned),
                iif(method = 'prepaid' AND state <> 'declined', amount, 0),
                iif(method = 'postpaid' AND state <> 'declined', -amount, 0))
            <> (coalesce(buyers, 0), coalesce(refunding, 0), coalesce(fees, 0), coalesce(prepaid, 0),
                coalesce(debt, 0))",
    ),
    (
        "full refunds",
        "SELECT count(*) FROM (
             SELECT 1 FROM payment JOIN refund ON refund.payment = payment.id
             WHERE refund.state <> 'declined' AND scope <> 'marketplace-fee' GROUP BY payment.id
             HAVING sum(refund.amount) >= captured AND sum(fee_returned) <> fee)",
    ),
    (
        "owners",
        "SELECT count(*) FROM movement
         LEFT JOIN refund ON refund.id = subject
         LEFT JOIN payment ON payment.id = coalesce(refund.payment, subject)
         WHERE kind <> 'withdrawal' AND (payment.id IS NULL
            OR (movement.merchant, movement.service) <> (payment.merchant, payment.service)
            OR (kind = 'payment') <> (refund.id IS NULL)
            OR EXISTS (SELECT 1 FROM entry
                       WHERE movement = movement.id AND
                           (entry.currency <> payment.currency
                            OR entry.merchant NOT IN (payment.merchant, payment.recipient)
                            OR instrument NOT IN ('', coalesce(payment.instrument, '')))))",
    ),
    (
        "balances",
        "WITH summed AS (
             SELECT entry.merchant, service, account, instrument, currency, sum(amount) AS amount
             FROM entry JOIN movement ON movement.id = movement GROUP BY 1, 2, 3, 4, 5)
         SELECT (SELECT count(*) FROM (SELECT * FROM summed EXCEPT SELECT * FROM balance))
              + (SELECT count(*) FROM (SELECT * FROM balance EXCEPT SELECT * FROM summed))",
    ),
];

/// Checks that every movement balances; that every payment and refund has moved exactly what it says
/// of itself; that a payment that was refunded as a whole has got its whole fee back; that every
/// movement is of a payment or refund that exists, in its currency, between the same merchants and on
/// the same service; that the balances are the sums of their entries; that every seal is the one that
/// follows; and that SQLite finds its file in order.
pub(crate) fn verify(connection: &Connection) -> Result<(), Error> {
    for (what, query) in CHECKS {
        let wrong: i64 = connection.query_row(query, [], |row| row.get(0))?;
        if wrong != 0 {
            return Err(Error::with(ErrorKind::Unbalanced, format!("{wrong} {what} are wrong")));
        }
    }
    let broken = chain::broken_seals(connection)?;
    if broken != 0 {
        return Err(Error::with(ErrorKind::Unbalanced, format!("{broken} seals are wrong")));
    }
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::with(ErrorKind::Unbalanced, format!("the file is damaged: {found}")));
    }
    Ok(())
}

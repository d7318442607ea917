//! Double entry: every movement balances, and all totals come from the entries.

use refund_rules::{Currency, Money};
use rusqlite::{Connection, params};

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::payments::Owner;

/// One of the two services, as the books name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "there are two services")]
pub enum Service {
    /// Amazon Pay API v2.
    AmazonPay,
    /// Flexible Payments Service.
    FlexiblePayments,
}

impl Service {
    /// The name in the database and in machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmazonPay => "amazon-pay",
            Self::FlexiblePayments => "flexible-payments",
        }
    }

    /// The service by its name in the database.
    pub(crate) fn from_name(name: &str) -> Result<Self, Error> {
        let services = [Self::AmazonPay, Self::FlexiblePayments];
        let found = services.into_iter().find(|service| service.name() == name);
        found.ok_or_else(|| Error::with(ErrorKind::Database, "an unknown service"))
    }
}

/// Whose money it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The buyers' cards and balances, outside.
    Buyers,
    /// What the merchant may dispose of.
    Merchant,
    /// Refunds on their way to buyers.
    Refunding,
    /// The fees of the service.
    Fees,
}

impl Account {
    const fn name(self) -> &'static str {
        match self {
            Self::Buyers => "buyers",
            Self::Merchant => "merchant",
            Self::Refunding => "refunding",
            Self::Fees => "fees",
        }
    }
}

/// Why money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A buyer pays.
    Payment,
    /// A refund is taken: the merchant gives it, the service returns its fee.
    RefundBegun,
    /// The buyer has it.
    RefundDone,
    /// It was declined: all goes back.
    RefundDeclined,
    /// Another refund was declined, and those that stand are still the whole payment: the service
    /// returns the rest of its fee.
    FeeClosed,
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::RefundBegun => "refund-begun",
            Self::RefundDone => "refund-done",
            Self::RefundDeclined => "refund-declined",
            Self::FeeClosed => "fee-closed",
        }
    }
}

/// What a movement belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) merchant: i64,
    pub(crate) service: Service,
    pub(crate) id: &'a str,
}

/// Writes a movement: money leaves the first account of each leg and reaches the second. Legs of
/// nothing are left out; several legs on one account become one entry.
pub(crate) fn post(
    connection: &Connection,
    subject: Subject<'_>,
    reason: Reason,
    legs: &[(Account, Account, Money)],
    at: Millis,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO movement (merchant, service, kind, subject, at) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            subject.merchant,
            subject.service.name(),
            reason.name(),
            subject.id,
            at
        ])?;
    let movement = connection.last_insert_rowid();
    let mut sums: Vec<(Account, Money)> = Vec::new();
    for &(from, to, amount) in legs {
        let opposite = amount.checked_neg().map_err(overflow)?;
        for (account, change) in [(from, opposite), (to, amount)] {
            match sums.iter_mut().find(|(known, _)| *known == account) {
                Some((_, sum)) => *sum = sum.checked_add(change).map_err(overflow)?,
                None => sums.push((account, change)),
            }
        }
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO entry (movement, account, currency, amount) VALUES (?, ?, ?, ?)",
    )?;
    for (account, sum) in sums.iter().filter(|(_, sum)| !sum.is_zero()) {
        insert.execute(params![movement, account.name(), sum.currency().code(), sum.minor()])?;
    }
    Ok(())
}

fn overflow(error: refund_rules::MoneyError) -> Error {
    Error::with(ErrorKind::Invalid, error)
}

/// What one account of a merchant with a service holds in a currency.
pub(crate) fn balance(
    connection: &Connection,
    owner: Owner,
    account: Account,
    currency: Currency,
) -> Result<Money, Error> {
    let minor = connection
        .prepare_cached(
            "SELECT coalesce(sum(amount), 0) FROM entry JOIN movement ON movement.id = movement
             WHERE merchant = ? AND service = ? AND account = ? AND currency = ?",
        )?
        .query_row(
            params![owner.merchant, owner.service.name(), account.name(), currency.code()],
            |row| row.get(0),
        )?;
    Ok(Money::from_minor(minor, currency))
}

/// What the books say about one merchant, one service and one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// The service.
    pub service: Service,
    /// What buyers paid.
    pub captured: Money,
    /// What buyers have got back.
    pub refunded: Money,
    /// What is on its way back to them.
    pub refunding: Money,
    /// What the service took in fees.
    pub fees_taken: Money,
    /// What it gave back of them.
    pub fees_returned: Money,
}

/// Adds up a merchant's entries, by service and currency.
pub(crate) fn totals(connection: &Connection, merchant: i64) -> Result<Vec<Totals>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT service, currency,
                sum(CASE WHEN account = 'buyers' AND kind = 'payment' THEN -amount ELSE 0 END),
                sum(CASE WHEN account = 'buyers' AND kind <> 'payment' THEN amount ELSE 0 END),
                sum(CASE WHEN account = 'refunding' THEN amount ELSE 0 END),
                sum(CASE WHEN account = 'fees' AND kind = 'payment' THEN amount ELSE 0 END),
                sum(CASE WHEN account = 'fees' AND kind <> 'payment' THEN -amount ELSE 0 END)
         FROM entry JOIN movement ON movement.id = movement
         WHERE merchant = ? GROUP BY service, currency ORDER BY service, currency",
    )?;
    let mut rows = statement.query([merchant])?;
    let mut totals = Vec::new();
    while let Some(row) = rows.next()? {
        let service: String = row.get(0)?;
        let code: String = row.get(1)?;
        let currency =
            Currency::from_code(&code).map_err(|error| Error::with(ErrorKind::Database, error))?;
        let money = |index: usize| -> Result<Money, Error> {
            Ok(Money::from_minor(row.get(index)?, currency))
        };
        totals.push(Totals {
            service: Service::from_name(&service)?,
            captured: money(2)?,
            refunded: money(3)?,
            refunding: money(4)?,
            fees_taken: money(5)?,
            fees_returned: money(6)?,
        });
    }
    Ok(totals)
}

/// Checks the books against themselves and against what they are about: every movement balances, and
/// every payment and refund has moved exactly what it says of itself. A payment that was refunded as a
/// whole has got its whole fee back. Every movement is of a payment or refund that exists, in its
/// currency, and of the same merchant and service.
pub(crate) fn verify(connection: &Connection) -> Result<(), Error> {
    const CHECKS: [(&str, &str); 5] = [
        (
            "movements",
            "SELECT count(*) FROM (
                 SELECT 1 FROM entry GROUP BY movement, currency HAVING sum(amount) <> 0)",
        ),
        (
            "payments",
            "SELECT count(*) FROM payment
             WHERE (CASE state WHEN 'completed' THEN -captured ELSE 0 END,
                    CASE state WHEN 'completed' THEN fee ELSE 0 END) <> (
                 SELECT coalesce(sum(amount) FILTER (WHERE account = 'buyers'), 0),
                        coalesce(sum(amount) FILTER (WHERE account = 'fees'), 0)
                 FROM movement JOIN entry ON movement = movement.id WHERE subject = payment.id)",
        ),
        (
            "refunds",
            "SELECT count(*) FROM refund
             WHERE (CASE state WHEN 'refunded' THEN amount ELSE 0 END,
                    CASE state WHEN 'pending' THEN amount ELSE 0 END,
                    CASE state WHEN 'declined' THEN 0 ELSE -fee_returned END) <> (
                 SELECT coalesce(sum(amount) FILTER (WHERE account = 'buyers'), 0),
                        coalesce(sum(amount) FILTER (WHERE account = 'refunding'), 0),
                        coalesce(sum(amount) FILTER (WHERE account = 'fees'), 0)
                 FROM movement JOIN entry ON movement = movement.id WHERE subject = refund.id)",
        ),
        (
            "full refunds",
            "SELECT count(*) FROM (
                 SELECT 1 FROM payment JOIN refund ON refund.payment = payment.id
                 WHERE refund.state <> 'declined' GROUP BY payment.id
                 HAVING sum(amount) >= captured AND sum(fee_returned) <> fee)",
        ),
        (
            "owners",
            "SELECT count(*) FROM movement
             LEFT JOIN refund ON refund.id = subject
             LEFT JOIN payment ON payment.id = coalesce(refund.payment, subject)
             WHERE payment.id IS NULL
                OR (movement.merchant, movement.service) <> (payment.merchant, payment.service)
                OR (kind = 'payment') <> (refund.id IS NULL)
                OR EXISTS (SELECT 1 FROM entry
                           WHERE movement = movement.id AND entry.currency <> payment.currency)",
        ),
    ];
    for (what, query) in CHECKS {
        let wrong: i64 = connection.query_row(query, [], |row| row.get(0))?;
        if wrong != 0 {
            return Err(Error::with(ErrorKind::Unbalanced, format!("{wrong} {what} are wrong")));
        }
    }
    Ok(())
}

//! Double entry: every movement balances, and all totals come from the entries.

mod chain;
mod verify;

use refund_rules::{Currency, Money};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

pub(crate) use chain::seal_all;
pub(crate) use verify::verify;

/// One of the two services, as the books name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// What kind of money it is.
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
    /// What the merchant owes to the holders of prepaid instruments.
    Prepaid,
    /// The other side of that: paid for, and not yet delivered.
    Deferred,
    /// What the holders of postpaid instruments owe to the merchant.
    Debt,
    /// The other side of that: delivered, and not yet paid for.
    Credit,
    /// The merchant's own bank, outside.
    Bank,
}

impl Account {
    const fn name(self) -> &'static str {
        match self {
            Self::Buyers => "buyers",
            Self::Merchant => "merchant",
            Self::Refunding => "refunding",
            Self::Fees => "fees",
            Self::Prepaid => "prepaid",
            Self::Deferred => "deferred",
            Self::Debt => "debt",
            Self::Credit => "credit",
            Self::Bank => "bank",
        }
    }
}

/// An account of a merchant's, and which instrument of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) merchant: i64,
    pub(crate) account: Account,
    /// Nothing where the account has none.
    pub(crate) instrument: &'a str,
}

impl<'a> Place<'a> {
    pub(crate) const fn new(merchant: i64, account: Account) -> Self {
        Self { merchant, account, instrument: "" }
    }

    pub(crate) const fn of_instrument(
        merchant: i64,
        account: Account,
        instrument: &'a str,
    ) -> Self {
        Self { merchant, account, instrument }
    }
}

/// Money leaves one place and reaches another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer<'a> {
    pub(crate) from: Place<'a>,
    pub(crate) to: Place<'a>,
    pub(crate) amount: Money,
}

impl Transfer<'_> {
    /// What takes it back.
    pub(crate) const fn reversed(self) -> Self {
        Self { from: self.to, to: self.from, amount: self.amount }
    }
}

/// Why money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A buyer pays, or owes less or more.
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
    /// The merchant takes its money out.
    Withdrawal,
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::RefundBegun => "refund-begun",
            Self::RefundDone => "refund-done",
            Self::RefundDeclined => "refund-declined",
            Self::FeeClosed => "fee-closed",
            Self::Withdrawal => "withdrawal",
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

/// Writes a movement with its entries, the balances that follow from them, and the seal that binds it
/// to all before it. Transfers of nothing are left out; several on one place become one entry.
pub(crate) fn post(
    connection: &Connection,
    subject: Subject<'_>,
    reason: Reason,
    transfers: &[Transfer<'_>],
    at: Millis,
) -> Result<(), Error> {
    let sums = sums(transfers)?;
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
    let mut insert = connection.prepare_cached(
        "INSERT INTO entry (movement, merchant, account, instrument, currency, amount)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let mut add = connection.prepare_cached(
        "INSERT INTO balance (merchant, service, account, instrument, currency, amount)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
    )?;
    for (place, sum) in sums {
        let (merchant, account, instrument) =
            (place.merchant, place.account.name(), place.instrument);
        let currency = sum.currency();
        let currency = currency.code();
        insert.execute(params![movement, merchant, account, instrument, currency, sum.minor()])?;
        let service = subject.service.name();
        add.execute(params![merchant, service, account, instrument, currency, sum.minor()])?;
    }
    chain::seal(connection, movement)
}

/// The merchant takes money out, as far as there is some.
pub(crate) fn withdraw(
    connection: &Connection,
    service: Service,
    merchant: i64,
    amount: Money,
    at: Millis,
) -> Result<(), Error> {
    let from = Place::new(merchant, Account::Merchant);
    let left = balance(connection, service, from, amount.currency())?.checked_sub(amount);
    if left.map_err(overflow)?.is_negative() || amount.is_negative() {
        return Err(Error::with(
            ErrorKind::Invalid,
            "the balance of the merchant is less than that",
        ));
    }
    let subject = Subject { merchant, service, id: "" };
    let transfer = Transfer { from, to: Place::new(merchant, Account::Bank), amount };
    post(connection, subject, Reason::Withdrawal, &[transfer], at)
}

/// What each place gains or loses, where it is not nothing.
fn sums<'a>(transfers: &[Transfer<'a>]) -> Result<Vec<(Place<'a>, Money)>, Error> {
    let mut sums: Vec<(Place<'_>, Money)> = Vec::new();
    for transfer in transfers {
        let opposite = transfer.amount.checked_neg().map_err(overflow)?;
        for (place, change) in [(transfer.from, opposite), (transfer.to, transfer.amount)] {
            match sums.iter_mut().find(|(known, _)| *known == place) {
                Some((_, sum)) => *sum = sum.checked_add(change).map_err(overflow)?,
                None => sums.push((place, change)),
            }
        }
    }
    sums.retain(|(_, sum)| !sum.is_zero());
    Ok(sums)
}

fn overflow(error: refund_rules::MoneyError) -> Error {
    Error::with(ErrorKind::Invalid, error)
}

/// What a place holds with a service, in a currency.
pub(crate) fn balance(
    connection: &Connection,
    service: Service,
    place: Place<'_>,
    currency: Currency,
) -> Result<Money, Error> {
    let minor: Option<i64> = connection
        .prepare_cached(
            "SELECT amount FROM balance WHERE merchant = ? AND service = ? AND account = ?
             AND instrument = ? AND currency = ?",
        )?
        .query_row(
            params![
                place.merchant,
                service.name(),
                place.account.name(),
                place.instrument,
                currency.code()
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(Money::from_minor(minor.unwrap_or_default(), currency))
}

/// What an account of a merchant's holds over all its instruments.
pub(crate) fn balance_of_all(
    connection: &Connection,
    service: Service,
    place: Place<'_>,
    currency: Currency,
) -> Result<Money, Error> {
    let minor = connection
        .prepare_cached(
            "SELECT coalesce(sum(amount), 0) FROM balance
             WHERE merchant = ? AND service = ? AND account = ? AND currency = ?",
        )?
        .query_row(
            params![place.merchant, service.name(), place.account.name(), currency.code()],
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
         WHERE entry.merchant = ? GROUP BY service, currency ORDER BY service, currency",
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

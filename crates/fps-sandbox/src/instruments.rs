//! Prepaid and postpaid credit that a merchant gives its buyers: what there is of it, and what is on its
//! way. The balances are in the books.

use fps_model::flexible_payments::{CreditInstrumentId, PrepaidInstrumentId};
use refund_rules::{Currency, Money};
use rusqlite::{Connection, OptionalExtension, params};

use crate::app::App;
use crate::books::{self, Account, Place, Service};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::ids;
use crate::merchants::Merchant;

/// Which sort of credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Paid for first.
    Prepaid,
    /// Paid for later.
    Postpaid,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Prepaid => "prepaid",
            Self::Postpaid => "postpaid",
        }
    }

    /// Where its balance is kept.
    const fn account(self) -> Account {
        match self {
            Self::Prepaid => Account::Prepaid,
            Self::Postpaid => Account::Debt,
        }
    }

    /// The operation by which money reaches the merchant for it.
    const fn paid_in_by(self) -> &'static str {
        match self {
            Self::Prepaid => "fund-prepaid",
            Self::Postpaid => "settle-debt",
        }
    }
}

/// An instrument.
#[derive(Clone, Debug)]
pub(crate) struct StoredInstrument {
    pub(crate) id: String,
    /// Who gave it, and owes what is on it or is owed it.
    pub(crate) merchant: i64,
    pub(crate) kind: Kind,
    /// It was not cancelled.
    pub(crate) active: bool,
    /// The most that may be owed, or be paid in and not spent.
    pub(crate) limit: Option<Money>,
    pub(crate) expires_at: Option<Millis>,
}

/// An instrument to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewInstrument {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) kind: Kind,
    pub(crate) limit: Option<Money>,
    pub(crate) expires_at: Option<Millis>,
}

/// All of it is dollars. Source: the FPS API reference 2008-09-17, Amount.
const CURRENCY: Currency = Currency::USD;

/// Makes an instrument.
pub(crate) fn insert(
    connection: &Connection,
    new: &NewInstrument,
    now: Millis,
) -> Result<(), Error> {
    let limit = new.limit.map(Money::minor);
    connection
        .prepare_cached(
            "INSERT INTO instrument (id, merchant, kind, credit_limit, created_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![new.id, new.merchant, new.kind.name(), limit, now, new.expires_at])?;
    Ok(())
}

/// Finds an instrument.
pub(crate) fn load(connection: &Connection, id: &str) -> Result<Option<StoredInstrument>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, merchant, kind = 'prepaid', state = 'active', credit_limit, expires_at
         FROM instrument WHERE id = ?",
    )?;
    let found = statement.query_row([id], |row| {
        let limit: Option<i64> = row.get(4)?;
        Ok(StoredInstrument {
            id: row.get(0)?,
            merchant: row.get(1)?,
            kind: if row.get(2)? { Kind::Prepaid } else { Kind::Postpaid },
            active: row.get(3)?,
            limit: limit.map(|minor| Money::from_minor(minor, CURRENCY)),
            expires_at: row.get(5)?,
        })
    });
    Ok(found.optional()?)
}

/// The instruments of a merchant, oldest first; those that are active, those that are not, or all.
pub(crate) fn of_merchant(
    connection: &Connection,
    merchant: i64,
    kind: Kind,
    active: Option<bool>,
) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM instrument
         WHERE merchant = ? AND kind = ? AND (?3 IS NULL OR (state = 'active') = ?3)
         ORDER BY created_at, rowid",
    )?;
    let ids = statement.query_map(params![merchant, kind.name(), active], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Makes sure that an instrument cannot be used any more; what stands on it stays.
fn cancel(connection: &Connection, merchant: i64, id: &str) -> Result<(), Error> {
    let changed = connection
        .prepare_cached("UPDATE instrument SET state = 'cancelled' WHERE id = ? AND merchant = ?")?
        .execute(params![id, merchant])?;
    match changed {
        0 => Err(Error::with(ErrorKind::Invalid, "the merchant has no such instrument")),
        _ => Ok(()),
    }
}

/// What stands on an instrument: credit that is left, or debt.
pub(crate) fn balance(
    connection: &Connection,
    instrument: &StoredInstrument,
) -> Result<Money, Error> {
    let account = instrument.kind.account();
    let place = Place::of_instrument(instrument.merchant, account, &instrument.id);
    books::balance(connection, Service::FlexiblePayments, place, CURRENCY)
}

/// What is on its way to pay for an instrument, and has not come.
pub(crate) fn pending(
    connection: &Connection,
    instrument: &StoredInstrument,
) -> Result<Money, Error> {
    let minor = connection
        .prepare_cached(
            "SELECT coalesce(sum(amount), 0) FROM payment
             WHERE instrument = ? AND operation = ? AND state = 'pending'",
        )?
        .query_row(params![instrument.id, instrument.kind.paid_in_by()], |row| row.get(0))?;
    Ok(Money::from_minor(minor, CURRENCY))
}

/// The same over all instruments of a merchant: what stands on them, and what is on its way.
pub(crate) fn totals(
    connection: &Connection,
    merchant: i64,
    kind: Kind,
) -> Result<(Money, Money), Error> {
    let place = Place::new(merchant, kind.account());
    let balance = books::balance_of_all(connection, Service::FlexiblePayments, place, CURRENCY)?;
    let pending = connection
        .prepare_cached(
            "SELECT coalesce(sum(payment.amount), 0)
             FROM instrument JOIN payment ON instrument = instrument.id
             WHERE instrument.merchant = ? AND operation = ? AND payment.state = 'pending'",
        )?
        .query_row(params![merchant, kind.paid_in_by()], |row| row.get(0))?;
    Ok((balance, Money::from_minor(pending, CURRENCY)))
}

impl App {
    /// Gives a merchant a prepaid instrument, empty, with the most that it may hold if there is a limit.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_prepaid_instrument(
        &self,
        merchant: &Merchant,
        limit: Option<Money>,
    ) -> Result<PrepaidInstrumentId, Error> {
        let id = self.create_instrument(merchant, Kind::Prepaid, limit).await?;
        Ok(PrepaidInstrumentId::new(id))
    }

    /// Gives a merchant a postpaid instrument without debt, and the most that may be owed.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_credit_instrument(
        &self,
        merchant: &Merchant,
        limit: Money,
    ) -> Result<CreditInstrumentId, Error> {
        let id = self.create_instrument(merchant, Kind::Postpaid, Some(limit)).await?;
        Ok(CreditInstrumentId::new(id))
    }

    /// Cancels an instrument of a merchant's; what stands on it stays.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when the merchant has no such instrument.
    pub async fn cancel_instrument(&self, merchant: &Merchant, id: &str) -> Result<(), Error> {
        let (merchant, id) = (merchant.id, id.to_owned());
        self.shared.store.run(move |connection| cancel(connection, merchant, &id)).await
    }

    async fn create_instrument(
        &self,
        merchant: &Merchant,
        kind: Kind,
        limit: Option<Money>,
    ) -> Result<String, Error> {
        let (merchant, now) = (merchant.id, self.shared.clock.now());
        let work = move |connection: &Connection| {
            let id = ids::token_id()?;
            let new = NewInstrument { id, merchant, kind, limit, expires_at: None };
            insert(connection, &new, now)?;
            Ok(new.id)
        };
        self.shared.store.run(work).await
    }
}

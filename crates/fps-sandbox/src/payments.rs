//! Payments and refunds as they are stored, and as the rules see them; both services share them.

use refund_rules::{Currency, Method, Money, Payment, PaymentState, Plan, RefundState, Timing};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::books::{self, Account, Reason, Service, Subject};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

/// A payment and what was refunded of it.
#[derive(Clone, Debug)]
pub(crate) struct StoredPayment {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) service: Service,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) token: Option<String>,
    /// Why its refunds will be declined.
    pub(crate) decline: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) completed_at: Option<Millis>,
    /// As the rules see it.
    pub(crate) payment: Payment,
}

impl StoredPayment {
    pub(crate) fn subject<'a>(&'a self, id: &'a str) -> Subject<'a> {
        Subject { merchant: self.merchant, service: self.service, id }
    }
}

/// A payment to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewPayment {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) service: Service,
    pub(crate) method: Method,
    pub(crate) captured: Money,
    pub(crate) fee: Money,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) token: Option<String>,
    /// When the outcome is known; at once without.
    pub(crate) due_at: Option<Millis>,
}

/// Stores a payment; one whose outcome is known at once is completed.
pub(crate) fn insert(
    connection: &Connection,
    new: &NewPayment,
    now: Millis,
) -> Result<PaymentState, Error> {
    connection
        .prepare_cached(
            "INSERT INTO payment (id, merchant, service, state, method, currency, captured, fee,
                 reference, description, token, created_at, due_at)
             VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            new.id,
            new.merchant,
            new.service.name(),
            method_name(new.method),
            new.captured.currency().code(),
            new.captured.minor(),
            new.fee.minor(),
            new.reference,
            new.description,
            new.token,
            now,
            new.due_at,
        ])?;
    if new.due_at.is_some() {
        return Ok(PaymentState::Pending);
    }
    complete(connection, &new.id, now)?;
    Ok(PaymentState::Completed)
}

/// Charges the buyer.
pub(crate) fn complete(connection: &Connection, id: &str, now: Millis) -> Result<(), Error> {
    let stored = load(connection, id)?.ok_or(Error::new(ErrorKind::Invalid))?;
    connection
        .prepare_cached(
            "UPDATE payment SET state = 'completed', completed_at = ?, due_at = NULL WHERE id = ?",
        )?
        .execute(params![now, id])?;
    let legs = [
        (Account::Buyers, Account::Merchant, stored.payment.captured()),
        (Account::Merchant, Account::Fees, stored.payment.fee()),
    ];
    books::post(connection, stored.subject(id), Reason::Payment, &legs, now)
}

/// Whose payments and refunds may be seen: a merchant's own, on the service it asks through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) merchant: i64,
    pub(crate) service: Service,
}

impl Owner {
    fn owns(self, stored: &StoredPayment) -> bool {
        stored.merchant == self.merchant && stored.service == self.service
    }

    /// Finds a payment of the owner's.
    pub(crate) fn payment(
        self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<StoredPayment>, Error> {
        Ok(load(connection, id)?.filter(|stored| self.owns(stored)))
    }

    /// Finds a refund of the owner's, and its payment.
    pub(crate) fn refund(
        self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<(StoredRefund, StoredPayment)>, Error> {
        Ok(load_refund(connection, id)?.filter(|(_, stored)| self.owns(stored)))
    }
}

/// Finds a payment.
pub(crate) fn load(connection: &Connection, id: &str) -> Result<Option<StoredPayment>, Error> {
    let row = connection
        .prepare_cached(
            "SELECT id, merchant, service, reference, description, token, created_at, completed_at,
                    currency, captured, fee, method, state,
                    (SELECT coalesce(sum(amount), 0) FROM refund
                     WHERE payment = payment.id AND state = 'refunded'),
                    (SELECT coalesce(sum(amount), 0) FROM refund
                     WHERE payment = payment.id AND state = 'pending'),
                    (SELECT count(*) FROM refund
                     WHERE payment = payment.id AND state <> 'declined'),
                    decline,
                    (SELECT coalesce(sum(fee_returned), 0) FROM refund
                     WHERE payment = payment.id AND state <> 'declined')
             FROM payment WHERE id = ?",
        )?
        .query_row([id], |row| Ok(read(row)))
        .optional()?;
    row.transpose()
}

fn read(row: &Row<'_>) -> Result<StoredPayment, Error> {
    let service: String = row.get(2)?;
    let currency: String = row.get(8)?;
    let method: String = row.get(11)?;
    let state: String = row.get(12)?;
    let currency = Currency::from_code(&currency).map_err(bad_row)?;
    let money =
        |index: usize| -> Result<Money, Error> { Ok(Money::from_minor(row.get(index)?, currency)) };
    let state = match state.as_str() {
        "completed" => PaymentState::Completed,
        _ => PaymentState::Pending,
    };
    let method = method_of(&method).ok_or_else(|| bad_row("an unknown method"))?;
    let (captured, fee, refunded, pending) = (money(9)?, money(10)?, money(13)?, money(14)?);
    let fee_returned = money(17)?;
    let refunds = row.get(15)?;
    let payment = Payment::completed(captured, method)
        .and_then(|payment| payment.with_fee(fee))
        .and_then(|payment| payment.with_refunded(refunded))
        .and_then(|payment| payment.with_pending(pending))
        .and_then(|payment| payment.with_refunds(refunds))
        .and_then(|payment| payment.with_fee_returned(fee_returned))
        .map_err(bad_row)?
        .with_state(state);
    Ok(StoredPayment {
        id: row.get(0)?,
        merchant: row.get(1)?,
        service: Service::from_name(&service)?,
        reference: row.get(3)?,
        description: row.get(4)?,
        token: row.get(5)?,
        decline: row.get(16)?,
        created_at: row.get(6)?,
        completed_at: row.get(7)?,
        payment,
    })
}

fn bad_row(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::with(ErrorKind::Database, error)
}

const METHODS: [(Method, &str); 5] = [
    (Method::Card, "card"),
    (Method::Bank, "bank"),
    (Method::Balance, "balance"),
    (Method::Prepaid, "prepaid"),
    (Method::Postpaid, "postpaid"),
];

pub(crate) fn method_name(method: Method) -> &'static str {
    METHODS.into_iter().find(|(known, _)| *known == method).map_or("card", |(_, name)| name)
}

pub(crate) fn method_of(name: &str) -> Option<Method> {
    METHODS.into_iter().find(|(_, known)| *known == name).map(|(method, _)| method)
}

/// A refund.
#[derive(Clone, Debug)]
pub(crate) struct StoredRefund {
    pub(crate) id: String,
    pub(crate) payment: String,
    pub(crate) state: RefundState,
    pub(crate) amount: Money,
    pub(crate) fee_returned: Money,
    pub(crate) reason: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// What a client says about the refund it asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRefund {
    pub(crate) id: String,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
}

/// Takes a refund that the rules allow: the merchant gives the amount, less the fee that comes back.
pub(crate) fn begin_refund(
    connection: &Connection,
    stored: &StoredPayment,
    plan: &Plan,
    new: &NewRefund,
    now: Millis,
    processing: Millis,
) -> Result<RefundState, Error> {
    let due_at = match plan.timing() {
        Timing::Later => Some(now.saturating_add(processing)),
        Timing::AtOnce => None,
    };
    connection
        .prepare_cached(
            "INSERT INTO refund (id, payment, state, amount, fee_returned, reference, description,
                 soft_descriptor, created_at, updated_at, due_at)
             VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            new.id,
            stored.id,
            plan.amount().minor(),
            plan.fee_returned().minor(),
            new.reference,
            new.description,
            new.soft_descriptor,
            now,
            now,
            due_at,
        ])?;
    let legs = [
        (Account::Merchant, Account::Refunding, plan.amount()),
        (Account::Fees, Account::Merchant, plan.fee_returned()),
    ];
    books::post(connection, stored.subject(&new.id), Reason::RefundBegun, &legs, now)?;
    if due_at.is_some() {
        return Ok(RefundState::Pending);
    }
    let (refund, _) = finish_refund(connection, &new.id, now)?;
    Ok(refund.state)
}

/// Brings about the end of a pending refund: the buyer gets the money, or the merchant gets it back.
pub(crate) fn finish_refund(
    connection: &Connection,
    id: &str,
    now: Millis,
) -> Result<(StoredRefund, StoredPayment), Error> {
    let found = load_refund(connection, id)?.ok_or(Error::new(ErrorKind::Invalid))?;
    match found.1.decline.clone() {
        Some(reason) => decline_refund(connection, found, &reason, now),
        None => pay_refund(connection, id, now),
    }
}

fn pay_refund(
    connection: &Connection,
    id: &str,
    now: Millis,
) -> Result<(StoredRefund, StoredPayment), Error> {
    connection
        .prepare_cached(
            "UPDATE refund SET state = 'refunded', updated_at = ?, due_at = NULL
             WHERE id = ? AND state = 'pending'",
        )?
        .execute(params![now, id])?;
    let (refund, stored) = load_refund(connection, id)?.ok_or(Error::new(ErrorKind::Invalid))?;
    let legs = [(Account::Refunding, Account::Buyers, refund.amount)];
    books::post(connection, stored.subject(id), Reason::RefundDone, &legs, now)?;
    Ok((refund, stored))
}

/// Gives the merchant its money back, and the service its fee: all that the refund had moved.
fn decline_refund(
    connection: &Connection,
    (refund, stored): (StoredRefund, StoredPayment),
    reason: &str,
    now: Millis,
) -> Result<(StoredRefund, StoredPayment), Error> {
    connection
        .prepare_cached(
            "UPDATE refund SET state = 'declined', reason = ?, updated_at = ?, due_at = NULL
             WHERE id = ? AND state = 'pending'",
        )?
        .execute(params![reason, now, refund.id])?;
    let legs = [
        (Account::Refunding, Account::Merchant, refund.amount),
        (Account::Merchant, Account::Fees, refund.fee_returned),
    ];
    books::post(connection, stored.subject(&refund.id), Reason::RefundDeclined, &legs, now)?;
    close_fee(connection, &stored.id, now)?;
    load_refund(connection, &refund.id)?.ok_or(Error::new(ErrorKind::Invalid))
}

/// A refund beyond the captured amount returns less of the fee than its share, because there is no
/// more. If an earlier one is declined then, and the others are still the whole payment, the latest of
/// them returns what is missing: no later refund might come to do so.
fn close_fee(connection: &Connection, payment: &str, now: Millis) -> Result<(), Error> {
    let stored = load(connection, payment)?.ok_or(Error::new(ErrorKind::Invalid))?;
    let payment = &stored.payment;
    if payment.held().try_cmp(payment.captured()).map_err(bad_row)?.is_lt() {
        return Ok(());
    }
    let missing = payment.fee_due().map_err(bad_row)?;
    if missing.is_zero() {
        return Ok(());
    }
    let latest: String = connection
        .prepare_cached(
            "UPDATE refund SET fee_returned = fee_returned + ?2 WHERE id = (
                 SELECT id FROM refund WHERE payment = ?1 AND state <> 'declined'
                 ORDER BY created_at DESC, rowid DESC LIMIT 1)
             RETURNING id",
        )?
        .query_row(params![stored.id, missing.minor()], |row| row.get(0))?;
    let legs = [(Account::Fees, Account::Merchant, missing)];
    books::post(connection, stored.subject(&latest), Reason::FeeClosed, &legs, now)
}

/// Arranges for the refunds of a payment to be declined when their time has come, or not any more.
pub(crate) fn set_decline(
    connection: &Connection,
    payment: &str,
    reason: Option<&str>,
) -> Result<(), Error> {
    let changed = connection
        .execute("UPDATE payment SET decline = ? WHERE id = ?", params![reason, payment])?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::with(ErrorKind::Invalid, "there is no such payment"))
    }
}

/// Finds a refund and its payment.
pub(crate) fn load_refund(
    connection: &Connection,
    id: &str,
) -> Result<Option<(StoredRefund, StoredPayment)>, Error> {
    let payment: Option<String> = connection
        .prepare_cached("SELECT payment FROM refund WHERE id = ?")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(payment) = payment else { return Ok(None) };
    let stored = load(connection, &payment)?.ok_or_else(|| bad_row("a refund of nothing"))?;
    let currency = stored.payment.captured().currency();
    let refund = connection
        .prepare_cached(
            "SELECT id, payment, state, amount, fee_returned, reason, reference, description,
                    soft_descriptor, created_at, updated_at
             FROM refund WHERE id = ?",
        )?
        .query_row([id], |row| {
            let state: String = row.get(2)?;
            Ok(StoredRefund {
                id: row.get(0)?,
                payment: row.get(1)?,
                state: match state.as_str() {
                    "refunded" => RefundState::Refunded,
                    "declined" => RefundState::Declined,
                    _ => RefundState::Pending,
                },
                amount: Money::from_minor(row.get(3)?, currency),
                fee_returned: Money::from_minor(row.get(4)?, currency),
                reason: row.get(5)?,
                reference: row.get(6)?,
                description: row.get(7)?,
                soft_descriptor: row.get(8)?,
                created_at: row.get(9)?,
                updated_at: row.get(10)?,
            })
        })?;
    Ok(Some((refund, stored)))
}

/// The refunds of a payment, oldest first.
pub(crate) fn refund_ids(connection: &Connection, payment: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM refund WHERE payment = ? ORDER BY created_at, rowid")?;
    let ids = statement.query_map([payment], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

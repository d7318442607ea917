//! How a payment moves on: from the beginning to an end that stays, with its books and its
//! notifications. Whether it may is for its action to ask before.

use refund_rules::{Money, Role};
use rusqlite::{Connection, params};

use super::names::{State, method_name};
use super::{NewPayment, StoredPayment, load, transfers};
use crate::books::{self, Reason, Service};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::notifications;

/// What becomes of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The buyer is charged.
    Completed,
    /// The buyer's money is reserved, for as long as the service does.
    Reserved,
    /// It fails, for this reason.
    Failed(String),
    /// It is given up, for this reason.
    Cancelled(String),
}

impl End {
    const fn state(&self) -> State {
        match self {
            Self::Completed => State::Completed,
            Self::Reserved => State::Reserved,
            Self::Failed(_) => State::Failed,
            Self::Cancelled(_) => State::Cancelled,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Completed | Self::Reserved => None,
            Self::Failed(reason) | Self::Cancelled(reason) => Some(reason),
        }
    }

    /// By its name in the database.
    pub(crate) fn from_parts(name: &str, reason: Option<String>) -> Result<Self, Error> {
        let reason = reason.unwrap_or_default();
        Ok(match State::from_name(name)? {
            State::Completed => Self::Completed,
            State::Reserved => Self::Reserved,
            State::Failed => Self::Failed(reason),
            State::Cancelled => Self::Cancelled(reason),
            State::Pending | State::Capturing => {
                return Err(Error::with(ErrorKind::Database, "an outcome that is none"));
            }
        })
    }
}

/// How long money stays reserved, and what is said when that is over. Source: Reserve in the FPS
/// 2008-09-17 API reference; Charge in the Amazon Pay API v2 reference.
const fn reservation(service: Service) -> (Millis, &'static str) {
    const DAY: Millis = 24 * 60 * 60 * 1_000;
    match service {
        Service::FlexiblePayments => (7 * DAY, "Expired"),
        Service::AmazonPay => (30 * DAY, "ExpiredUnused"),
    }
}

/// Stores a payment and tells the merchant; one whose end is known at once is there already.
pub(crate) fn insert(
    connection: &Connection,
    new: &NewPayment,
    now: Millis,
) -> Result<StoredPayment, Error> {
    let fee_payer = if new.fee_payer == Role::Caller { "caller" } else { "recipient" };
    // What is not charged at once has still to say when it is what.
    let (due_at, outcome) = (new.due_at, new.due_at.map(|_| new.end.state().name()));
    let reason = new.due_at.and(new.end.reason());
    connection
        .prepare_cached(
            "INSERT INTO payment (id, merchant, recipient, service, operation, state, method,
                 currency, amount, captured, fee, fee_payer, marketplace_fee, reference, description,
                 sender_description, soft_descriptor, token, recipient_token, instrument, parent,
                 notify_url, details, created_at, updated_at, due_at, outcome, outcome_reason)
             VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                 ?, ?, ?)",
        )?
        .execute(params![
            new.id,
            new.merchant,
            new.recipient,
            new.service.name(),
            new.operation.name(),
            method_name(new.method),
            new.amount.currency().code(),
            new.amount.minor(),
            new.fee.minor(),
            fee_payer,
            new.marketplace_fee.map(Money::minor),
            new.reference,
            new.description,
            new.sender_description,
            new.soft_descriptor,
            new.token,
            new.recipient_token,
            new.instrument,
            new.parent,
            new.notify_url,
            new.details.as_deref().unwrap_or("{}"),
            now,
            now,
            due_at,
            outcome,
            reason,
        ])?;
    if new.due_at.is_none() {
        return reach(connection, &new.id, &new.end, now);
    }
    let stored = find(connection, &new.id)?;
    notifications::payment_changed(connection, &stored, now)?;
    Ok(stored)
}

/// Brings a payment to an end, or to be reserved: the books follow, and the merchant is told.
pub(crate) fn reach(
    connection: &Connection,
    id: &str,
    end: &End,
    now: Millis,
) -> Result<StoredPayment, Error> {
    let stored = find(connection, id)?;
    check(&stored, end.state())?;
    let (completed_at, captured) = match end {
        End::Completed if stored.captured.is_zero() => (Some(now), stored.amount),
        End::Completed => (Some(now), stored.captured),
        End::Reserved | End::Failed(_) | End::Cancelled(_) => (None, stored.captured),
    };
    let (due_at, outcome, outcome_reason) = match end {
        End::Reserved => {
            let (lifetime, reason) = reservation(stored.service);
            (Some(now.saturating_add(lifetime)), Some("cancelled"), Some(reason))
        }
        End::Completed | End::Failed(_) | End::Cancelled(_) => (None, None, None),
    };
    connection
        .prepare_cached(
            "UPDATE payment SET state = ?, reason = ?, captured = ?, completed_at = ?, updated_at = ?,
                 due_at = ?, outcome = ?, outcome_reason = ?
             WHERE id = ?",
        )?
        .execute(params![
            end.state().name(),
            end.reason(),
            captured.minor(),
            completed_at,
            now,
            due_at,
            outcome,
            outcome_reason,
            id
        ])?;
    let stored = find(connection, id)?;
    keep_step(connection, &stored, now)?;
    if *end == End::Completed {
        let transfers = transfers::of_payment(&stored);
        books::post(connection, stored.subject(id), Reason::Payment, &transfers, now)?;
    }
    notifications::payment_changed(connection, &stored, now)?;
    Ok(stored)
}

/// Charges what was reserved, or a part of it; later if a time is given.
pub(crate) fn settle(
    connection: &Connection,
    stored: &StoredPayment,
    capture: &Capture<'_>,
    now: Millis,
) -> Result<StoredPayment, Error> {
    check(stored, State::Capturing)?;
    let outcome = capture.due_at.map(|_| capture.end.state().name());
    connection
        .prepare_cached(
            "UPDATE payment SET state = 'capturing', captured = ?, fee = ?,
                 soft_descriptor = coalesce(?, soft_descriptor), notify_url = coalesce(?, notify_url),
                 updated_at = ?, due_at = ?, outcome = ?, outcome_reason = ?
             WHERE id = ?",
        )?
        .execute(params![
            capture.amount.minor(),
            capture.fee.minor(),
            capture.soft_descriptor,
            capture.notify_url,
            now,
            capture.due_at,
            outcome,
            capture.due_at.and(capture.end.reason()),
            stored.id
        ])?;
    if capture.due_at.is_none() {
        return reach(connection, &stored.id, &capture.end, now);
    }
    let stored = find(connection, &stored.id)?;
    keep_step(connection, &stored, now)?;
    notifications::payment_changed(connection, &stored, now)?;
    Ok(stored)
}

/// Keeps what a payment has become, for its history.
fn keep_step(connection: &Connection, stored: &StoredPayment, now: Millis) -> Result<(), Error> {
    let amount = if stored.captured.is_zero() { stored.amount } else { stored.captured };
    connection
        .prepare_cached("INSERT INTO step (payment, state, amount, at) VALUES (?, ?, ?, ?)")?
        .execute(params![stored.id, stored.state.name(), amount.minor(), now])?;
    Ok(())
}

/// A step of a payment after it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) state: State,
    pub(crate) amount: Money,
    pub(crate) at: Millis,
}

/// The steps of a payment, in their order.
pub(crate) fn steps(connection: &Connection, stored: &StoredPayment) -> Result<Vec<Step>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT state, amount, at FROM step WHERE payment = ? ORDER BY id")?;
    let mut rows = statement.query([&stored.id])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        let state = State::from_name(&row.get::<_, String>(0)?)?;
        let amount = Money::from_minor(row.get(1)?, stored.amount.currency());
        steps.push(Step { state, amount, at: row.get(2)? });
    }
    Ok(steps)
}

/// How a reservation is charged.
#[derive(Clone, Debug)]
pub(crate) struct Capture<'a> {
    pub(crate) amount: Money,
    pub(crate) fee: Money,
    pub(crate) soft_descriptor: Option<&'a str>,
    pub(crate) notify_url: Option<&'a str>,
    pub(crate) end: End,
    /// When; at once without.
    pub(crate) due_at: Option<Millis>,
}

/// Gives up a payment that was not charged.
pub(crate) fn cancel(
    connection: &Connection,
    stored: &StoredPayment,
    reason: &str,
    now: Millis,
) -> Result<StoredPayment, Error> {
    reach(connection, &stored.id, &End::Cancelled(reason.to_owned()), now)
}

/// A state that does not follow is an error of the action that did not ask.
fn check(stored: &StoredPayment, next: State) -> Result<(), Error> {
    if stored.state.may_become(next) {
        return Ok(());
    }
    let reason = format!("a payment that is {} cannot become {}", stored.state.name(), next.name());
    Err(Error::with(ErrorKind::Invalid, reason))
}

fn find(connection: &Connection, id: &str) -> Result<StoredPayment, Error> {
    load(connection, id)?.ok_or_else(|| Error::with(ErrorKind::Invalid, "there is no such payment"))
}

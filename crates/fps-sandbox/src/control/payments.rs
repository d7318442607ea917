//! Payments of both services, made in any state without a checkout or a buyer.

use axum::extract::{Path, State};
use fps_model::Timestamp;
use fps_model::amazon_pay::ChargePermissionId;
use refund_rules::{Currency, Money};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::http::{Answered, Body, made, told};
use super::json::{at, money, optional_money, optional_time, time};
use super::list::Asked;
use super::{Control, Filter, Page, duration, merchants, tokens};
use crate::amazon_pay::permission_for;
use crate::books::Service;
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::ids;
use crate::payments::{
    self, Capture, End, NewPayment, Operation, Owner, State as PaymentState, StoredPayment,
};

/// A payment to be made: an Amazon Pay charge or an FPS transaction.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct PaymentSpec {
    /// Its service.
    pub service: Service,
    /// What is asked for.
    #[serde(with = "money")]
    pub amount: Money,
    /// Its id; a new one in the shape of the service when nothing is said.
    pub id: Option<String>,
    /// Whose it is, by name or key id; the only one there is when nothing is said.
    pub merchant: Option<String>,
    /// `charge`, `pay`, `reserve`, `fund-prepaid`, `settle-debt` or `write-off-debt`; `charge` or `pay`
    /// when nothing is said.
    pub operation: Option<String>,
    /// `pending`, `reserved`, `capturing`, `completed`, `failed` or `cancelled`. Default: `completed`.
    pub state: Option<String>,
    /// Why it failed or was cancelled.
    pub reason: Option<String>,
    /// When what is pending or being captured is completed, from now: `90s`, `7d`. Default: as long as
    /// the service takes.
    pub due_in: Option<String>,
    /// How it is paid. Default: `card`.
    pub method: Option<String>,
    /// What was charged of it, if not all.
    #[serde(default, with = "optional_money")]
    pub captured: Option<Money>,
    /// What the service took. Default: nothing.
    #[serde(default, with = "optional_money")]
    pub fee: Option<Money>,
    /// The merchant's own name for it.
    pub reference: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The token that it was charged to.
    pub token: Option<String>,
    /// The credit that it is about.
    pub instrument: Option<String>,
    /// The charge permission or subscription that it belongs to.
    pub parent: Option<String>,
    /// Where its notifications go, if not where the merchant's do.
    pub notification_url: Option<String>,
    /// When it was made, if not now.
    #[serde(default, with = "optional_time")]
    pub created_at: Option<Timestamp>,
    /// Why its refunds will be declined, such as `AmazonRejected`.
    pub decline_refunds: Option<String>,
}

impl PaymentSpec {
    /// A completed payment by card.
    #[must_use]
    pub const fn new(service: Service, amount: Money) -> Self {
        Self {
            service,
            amount,
            id: None,
            merchant: None,
            operation: None,
            state: None,
            reason: None,
            due_in: None,
            method: None,
            captured: None,
            fee: None,
            reference: None,
            description: None,
            token: None,
            instrument: None,
            parent: None,
            notification_url: None,
            created_at: None,
            decline_refunds: None,
        }
    }
}

/// A payment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KnownPayment {
    /// Its id.
    pub id: String,
    /// The access key id of who executed it.
    pub merchant: String,
    /// Its service.
    pub service: Service,
    /// What sort of payment it is.
    pub operation: String,
    /// How far it has come.
    pub state: String,
    /// Why it failed or was cancelled.
    pub reason: Option<String>,
    /// How it is paid.
    pub method: String,
    /// What was asked for.
    #[serde(with = "money")]
    pub amount: Money,
    /// What was charged.
    #[serde(with = "money")]
    pub captured: Money,
    /// What the service took.
    #[serde(with = "money")]
    pub fee: Money,
    /// What has gone back to the buyer.
    #[serde(with = "money")]
    pub refunded: Money,
    /// What is on its way back.
    #[serde(with = "money")]
    pub refunding: Money,
    /// The merchant's own name for it.
    pub reference: Option<String>,
    /// The token that it was charged to.
    pub token: Option<String>,
    /// The credit that it is about.
    pub instrument: Option<String>,
    /// The charge permission or subscription that it belongs to.
    pub parent: Option<String>,
    /// Why its refunds will be declined.
    pub decline_refunds: Option<String>,
    /// When it was made.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// When it changed last.
    #[serde(with = "time")]
    pub updated_at: Timestamp,
    /// When it moves on by itself.
    #[serde(with = "optional_time")]
    pub due_at: Option<Timestamp>,
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::with(ErrorKind::Invalid, reason.into())
}

/// Stores a payment, brings it to its state, and tells its merchant as the service would.
pub(crate) fn insert(
    connection: &Connection,
    spec: &PaymentSpec,
    now: Millis,
    processing: Millis,
) -> Result<KnownPayment, Error> {
    let now = spec.created_at.map_or(now, |at| at.unix_millis().min(now));
    let merchant = merchants::find(connection, spec.merchant.as_deref())?;
    let name = spec.state.as_deref().unwrap_or("completed");
    let state = PaymentState::from_name(name)
        .map_err(|_| invalid(format!("`{name}` is no state of a payment")))?;
    let due_at = match spec.due_in.as_deref().map(duration::parse).transpose()? {
        Some(span) => now.saturating_add(span),
        None => now.saturating_add(processing),
    };
    let new = new_payment(connection, spec, merchant, now)?;
    let (captured, fee) = (spec.captured.unwrap_or(spec.amount), new.fee);
    check_amounts(spec, captured, state)?;
    let id = new.id.clone();
    // Money that is charged in part, or still being charged, was reserved before.
    let in_part = state == PaymentState::Completed && captured != spec.amount;
    if state == PaymentState::Capturing || in_part {
        let reserved = NewPayment { end: End::Reserved, ..new };
        let stored =
            payments::insert(connection, &reserved, now).map_err(tokens::unknown_reference)?;
        let capture = Capture {
            amount: captured,
            fee,
            soft_descriptor: None,
            notify_url: None,
            end: End::Completed,
            due_at: (!in_part).then_some(due_at),
        };
        payments::settle(connection, &stored, &capture, now)?;
    } else {
        let reason = || spec.reason.clone().unwrap_or_default();
        let (end, due_at) = match state {
            PaymentState::Reserved => (End::Reserved, None),
            PaymentState::Failed => (End::Failed(reason()), None),
            PaymentState::Cancelled => (End::Cancelled(reason()), None),
            PaymentState::Pending => (End::Completed, Some(due_at)),
            PaymentState::Completed | PaymentState::Capturing => (End::Completed, None),
        };
        let new = NewPayment { end, due_at, ..new };
        payments::insert(connection, &new, now).map_err(tokens::unknown_reference)?;
    }
    if spec.decline_refunds.is_some() {
        payments::set_decline(connection, &id, spec.decline_refunds.as_deref())?;
    }
    known(connection, &id)?.ok_or_else(|| Error::new(ErrorKind::NotFound))
}

fn new_payment(
    connection: &Connection,
    spec: &PaymentSpec,
    merchant: i64,
    now: Millis,
) -> Result<NewPayment, Error> {
    let usual = match spec.service {
        Service::AmazonPay => Operation::Charge,
        Service::FlexiblePayments => Operation::Pay,
    };
    let operation = match spec.operation.as_deref() {
        None => usual,
        Some(name) => Operation::from_name(name)
            .map_err(|_| invalid(format!("`{name}` is no operation of a payment")))?,
    };
    if (operation == Operation::Charge) != (spec.service == Service::AmazonPay) {
        return Err(invalid("charges are of Amazon Pay, and everything else is of FPS"));
    }
    let method = tokens::method(spec.method.as_deref())?;
    let owner = Owner { merchant, service: spec.service };
    let parent = match spec.service {
        Service::AmazonPay => {
            let given = spec.parent.as_deref().map(ChargePermissionId::new);
            Some(permission_for(connection, merchant, spec.amount, given.as_ref(), now)?)
        }
        Service::FlexiblePayments => spec.parent.clone(),
    };
    let make = || match &parent {
        Some(permission) if operation == Operation::Charge => ids::charge_id_of(permission),
        _ => ids::transaction_id(),
    };
    let id = tokens::free_id(connection, "payment", spec.id.as_deref(), make)?;
    Ok(NewPayment {
        fee: spec.fee.unwrap_or(Money::zero(spec.amount.currency())),
        reference: spec.reference.clone(),
        description: spec.description.clone(),
        token: spec.token.clone(),
        instrument: spec.instrument.clone(),
        parent,
        notify_url: spec.notification_url.clone(),
        ..NewPayment::new(id, owner, operation, method, spec.amount)
    })
}

/// As a payment must be for the rules to see it.
fn check_amounts(spec: &PaymentSpec, captured: Money, state: PaymentState) -> Result<(), Error> {
    if spec.service == Service::FlexiblePayments && spec.amount.currency() != Currency::USD {
        return Err(invalid("FPS pays in USD"));
    }
    let charged = matches!(state, PaymentState::Completed | PaymentState::Capturing);
    let fee = spec.fee.unwrap_or(Money::zero(spec.amount.currency()));
    let (false, true) = (spec.captured.is_some() && !charged, spec.amount.minor() > 0) else {
        return Err(invalid("an amount is above zero, and only what is charged was captured"));
    };
    let within = captured.try_cmp(spec.amount).is_ok_and(std::cmp::Ordering::is_le);
    if !within || captured.minor() <= 0 {
        return Err(invalid("no more is captured than was asked for, and not nothing"));
    }
    refund_rules::Payment::completed(captured, refund_rules::Method::Card)
        .and_then(|payment| payment.with_fee(fee))
        .map(|_| ())
        .map_err(|error| invalid(error.to_string()))
}

fn known(connection: &Connection, id: &str) -> Result<Option<KnownPayment>, Error> {
    let Some(stored) = payments::load(connection, id)? else { return Ok(None) };
    let StoredPayment { merchant, service, operation, state, payment, .. } = &stored;
    Ok(Some(KnownPayment {
        merchant: merchants::name_of(connection, *merchant)?,
        service: *service,
        operation: operation.name().to_owned(),
        state: state.name().to_owned(),
        method: payments::method_name(payment.method()).to_owned(),
        amount: stored.amount,
        captured: stored.captured,
        fee: payment.fee(),
        refunded: payment.refunded(),
        refunding: payment.pending(),
        created_at: clock::timestamp(stored.created_at),
        updated_at: clock::timestamp(stored.updated_at),
        due_at: at(stored.due_at),
        reason: stored.reason,
        reference: stored.reference,
        token: stored.token,
        instrument: stored.instrument,
        parent: stored.parent,
        decline_refunds: stored.decline,
        id: stored.id,
    }))
}

impl Control {
    /// Makes a payment in any state, and tells its merchant as the service would.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_payment(&self, spec: PaymentSpec) -> Result<KnownPayment, Error> {
        let (now, processing) = (self.shared.clock.now(), self.shared.processing);
        self.run(move |connection| insert(connection, &spec, now, processing)).await
    }

    /// Lists payments.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn payments(&self, filter: Filter) -> Result<Page<KnownPayment>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT rowid, id FROM payment WHERE";
            let subject = "iif(?4 = parent, parent, id)";
            let columns = ["merchant", "service", "state", subject, "rowid"];
            filter.page(connection, query, columns, |connection, id: String| known(connection, &id))
        };
        self.run(work).await
    }

    /// Finds a payment.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::NotFound`].
    pub async fn payment(&self, id: &str) -> Result<KnownPayment, Error> {
        let id = id.to_owned();
        let work = move |connection: &Connection| {
            let found = known(connection, &id)?;
            found.ok_or_else(|| Error::with(ErrorKind::NotFound, "there is no such payment"))
        };
        self.run(work).await
    }
}

pub(super) async fn create(
    State(control): State<Control>,
    Body(spec): Body<PaymentSpec>,
) -> Answered<KnownPayment> {
    Ok(made(control.create_payment(spec).await?))
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<KnownPayment>> {
    Ok(told(control.payments(filter).await?))
}

pub(super) async fn get(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Answered<KnownPayment> {
    Ok(told(control.payment(&id).await?))
}

//! Charges that a test is given, in any state, without a checkout.

use fps_model::amazon_pay::{ChargeId, ChargePermissionId};
use refund_rules::{Method, Money};
use rusqlite::Connection;

use crate::app::App;
use crate::books::Service;
use crate::charge_permissions::{self, ChargePermissionSpec};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::ids;
use crate::merchants::Merchant;
use crate::payments::{self, Capture, End, NewPayment, Operation, Owner};

impl App {
    /// Captures a charge on Amazon Pay, as a checkout would have: see [`CaptureCharge::create`].
    pub fn capture_charge(&self, merchant: &Merchant, captured: Money) -> CaptureCharge<'_> {
        CaptureCharge {
            app: self,
            merchant: merchant.id,
            amount: captured,
            fee: Money::zero(captured.currency()),
            state: Given::Captured,
            permission: None,
        }
    }
}

/// How far a charge that is given has come.
#[derive(Clone, Debug)]
enum Given {
    Captured,
    Authorized,
    Capturing,
    Pending,
    Declined(String),
    Canceled(String),
}

/// A charge to be made: captured, if nothing else is said.
#[derive(Debug)]
#[must_use = "a charge is made by `create`"]
pub struct CaptureCharge<'a> {
    app: &'a App,
    merchant: i64,
    amount: Money,
    fee: Money,
    state: Given,
    permission: Option<ChargePermissionId>,
}

impl CaptureCharge<'_> {
    /// With the fee that Amazon took for it.
    pub const fn fee(mut self, fee: Money) -> Self {
        self.fee = fee;
        self
    }

    /// Under this charge permission; one of its own without. Limits do not count here.
    pub fn permission(mut self, permission: &ChargePermissionId) -> Self {
        self.permission = Some(permission.clone());
        self
    }

    /// Authorized, and not captured.
    pub fn authorized(mut self) -> Self {
        self.state = Given::Authorized;
        self
    }

    /// Being captured: so it stays while things are under way, and is captured then.
    pub fn capturing(mut self) -> Self {
        self.state = Given::Capturing;
        self
    }

    /// About to be authorized.
    pub fn pending(mut self) -> Self {
        self.state = Given::Pending;
        self
    }

    /// Declined, for a reason such as `HardDeclined`.
    pub fn declined(mut self, reason: impl Into<String>) -> Self {
        self.state = Given::Declined(reason.into());
        self
    }

    /// Cancelled, for a reason such as `MerchantCanceled`.
    pub fn canceled(mut self, reason: impl Into<String>) -> Self {
        self.state = Given::Canceled(reason.into());
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for amounts that no charge can have, and for a
    /// permission that is not the merchant's.
    pub async fn create(self) -> Result<ChargeId, Error> {
        refund_rules::Payment::completed(self.amount, Method::Card)
            .and_then(|payment| payment.with_fee(self.fee))
            .map_err(Error::invalid)?;
        let Self { app, merchant, amount, fee, state, permission } = self;
        let shared = &app.shared;
        let (now, later) = (shared.clock.now(), shared.clock.now() + shared.processing);
        let work = move |connection: &Connection| {
            let permission =
                permission_for(connection, merchant, amount, permission.as_ref(), now)?;
            let new = NewPayment {
                fee,
                parent: Some(permission.clone()),
                ..new_charge(ids::charge_id_of(&permission)?, merchant, amount)
            };
            insert(connection, new, &state, now, later)
        };
        let id = shared.store.run(work).await?;
        shared.wake();
        Ok(ChargeId::new(id))
    }
}

fn new_charge(id: String, merchant: i64, amount: Money) -> NewPayment {
    let owner = Owner { merchant, service: Service::AmazonPay };
    NewPayment::new(id, owner, Operation::Charge, Method::Card, amount)
}

/// The permission of a charge that is given: this one, if it is the merchant's, or one of its own.
pub(crate) fn permission_for(
    connection: &Connection,
    merchant: i64,
    amount: Money,
    given: Option<&ChargePermissionId>,
    now: Millis,
) -> Result<String, Error> {
    let Some(given) = given else {
        let spec = ChargePermissionSpec::one_time(amount);
        return charge_permissions::insert(connection, merchant, &spec, now);
    };
    let stored = charge_permissions::load(connection, given.as_str())?;
    let fits = stored
        .is_some_and(|stored| stored.merchant == merchant && stored.currency == amount.currency());
    if fits {
        return Ok(given.as_str().to_owned());
    }
    let reason = "the merchant has no such charge permission in this currency";
    Err(Error::with(ErrorKind::Invalid, reason))
}

fn insert(
    connection: &Connection,
    mut new: NewPayment,
    state: &Given,
    now: Millis,
    later: Millis,
) -> Result<String, Error> {
    new.end = match state {
        Given::Captured => End::Completed,
        Given::Authorized | Given::Capturing | Given::Pending => End::Reserved,
        Given::Declined(reason) => End::Failed(reason.clone()),
        Given::Canceled(reason) => End::Cancelled(reason.clone()),
    };
    new.due_at = matches!(state, Given::Pending).then_some(later);
    let stored = payments::insert(connection, &new, now)?;
    if matches!(state, Given::Capturing) {
        let capture = Capture {
            amount: new.amount,
            fee: new.fee,
            soft_descriptor: None,
            notify_url: None,
            end: End::Completed,
            due_at: Some(later),
        };
        payments::settle(connection, &stored, &capture, now)?;
    }
    Ok(stored.id)
}

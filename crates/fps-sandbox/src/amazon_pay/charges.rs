//! Charges as they begin, for the operations that make them, and as the messages tell them.

use fps_model::amazon_pay::{
    Channel, Charge, ChargeInitiator, ChargePermissionType, ChargeState, ChargeStatusDetails,
    MerchantMetadata, PlatformId, ProviderMetadata, ReasonCode, ReleaseEnvironment,
    WebCheckoutDetails,
};
use refund_rules::{Method, Money};
use serde::{Deserialize, Serialize};

use super::refusals::stop;
use super::{Context, checks};
use crate::charge_permissions::{self, StoredPermission};
use crate::clock::{self, Millis};
use crate::error::Error;
use crate::idempotency::Stop;
use crate::ids;
use crate::payments::{self, Capture, End, NewPayment, Operation, State, StoredPayment};

/// How long an authorization lives.
const AUTHORIZATION: Millis = 30 * 24 * 60 * 60 * 1_000;
/// The most charges of a one-time permission. Source: Amazon Pay API v2, charge.
const CHARGES_MAX: i64 = 25;

/// What a merchant said about a charge, to be told again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ChargeDetails {
    pub(crate) merchant_metadata: Option<MerchantMetadata>,
    pub(crate) provider_metadata: Option<ProviderMetadata>,
    pub(crate) charge_initiator: Option<ChargeInitiator>,
    pub(crate) channel: Option<Channel>,
    pub(crate) platform_id: Option<PlatformId>,
    pub(crate) web_checkout_details: Option<WebCheckoutDetails>,
    pub(crate) cancellation_reason: Option<String>,
}

/// A charge that is asked for.
pub(super) struct Wanted<'a> {
    pub(super) amount: Money,
    pub(super) capture_now: bool,
    /// Whether the authorization may be decided later.
    pub(super) may_wait: bool,
    pub(super) soft_descriptor: Option<&'a str>,
    pub(super) details: ChargeDetails,
}

/// Makes a charge if its permission allows it.
pub(super) fn begin(
    context: &Context<'_>,
    permission: &StoredPermission,
    wanted: &Wanted<'_>,
) -> Result<StoredPayment, Stop> {
    admit(context, permission, wanted.amount)?;
    let plan = planned(context, wanted)?;
    let new = NewPayment {
        fee: context.fee(wanted.amount)?,
        soft_descriptor: wanted.soft_descriptor.map(str::to_owned),
        parent: Some(permission.id.clone()),
        details: Some(serde_json::to_string(&wanted.details).map_err(Error::invalid)?),
        end: plan.end,
        due_at: plan.later.then(|| context.later()),
        ..NewPayment::new(
            free_id(context, &permission.id)?,
            context.owner(),
            Operation::Charge,
            Method::Card,
            wanted.amount,
        )
    };
    let mut stored = payments::insert(context.connection, &new, context.now)?;
    if plan.capture_later {
        let capture = Capture {
            amount: stored.amount,
            fee: new.fee,
            soft_descriptor: None,
            notify_url: None,
            end: End::Completed,
            due_at: Some(context.later()),
        };
        stored = payments::settle(context.connection, &stored, &capture, context.now)?;
    }
    charge_permissions::used(context.connection, permission, context.now)?;
    Ok(stored)
}

/// What becomes of a charge.
struct Planned {
    end: End,
    later: bool,
    capture_later: bool,
}

/// What becomes of a charge, by itself and by what the request simulates. Where a decline may come later,
/// it does, and leaves a charge; otherwise it is the answer, and nothing has changed.
fn planned(context: &Context<'_>, wanted: &Wanted<'_>) -> Result<Planned, Stop> {
    let end = if wanted.capture_now { End::Completed } else { End::Reserved };
    let unfit = |message: &str| stop(ReasonCode::InvalidSandboxSimulationSpecified, message);
    match context.simulated {
        None => Ok(Planned { end, later: false, capture_later: false }),
        Some("CaptureInitiated") if wanted.capture_now => {
            Ok(Planned { end: End::Reserved, later: false, capture_later: true })
        }
        Some("CaptureInitiated") => Err(unfit("CaptureInitiated is for charges captured at once.")),
        Some("AuthorizationInitiated") if wanted.may_wait => {
            Ok(Planned { end, later: true, capture_later: false })
        }
        Some("AuthorizationInitiated") => {
            Err(unfit("AuthorizationInitiated needs canHandlePendingAuthorization."))
        }
        Some(reason) if wanted.may_wait && !context.at_once => {
            Ok(Planned { end: End::Failed(reason.to_owned()), later: true, capture_later: false })
        }
        Some(reason) => Err(stop(reason.into(), "Declined, as the request asked to simulate.")),
    }
}

/// May this amount be charged under the permission?
fn admit(context: &Context<'_>, permission: &StoredPermission, amount: Money) -> Result<(), Stop> {
    if !permission.is_chargeable() {
        let message = format!("The charge permission is {}.", permission.state);
        return Err(stop(ReasonCode::InvalidChargePermissionStatus, message));
    }
    if amount.currency() != permission.currency {
        let message = "The currency is not that of the charge permission.";
        return Err(stop(ReasonCode::CurrencyMismatch, message));
    }
    if let Some(left) = permission.balance(context.connection, context.now)? {
        let code = match permission.kind {
            ChargePermissionType::Recurring => ReasonCode::PeriodicAmountExceeded,
            _ => ReasonCode::TransactionAmountExceeded,
        };
        checks::within(amount, left, code)?;
    }
    let one_time = permission.kind == ChargePermissionType::OneTime;
    if one_time && permission.charges(context.connection)? >= CHARGES_MAX {
        let message = format!("A one-time charge permission has at most {CHARGES_MAX} charges.");
        return Err(stop(ReasonCode::TransactionCountExceeded, message));
    }
    Ok(())
}

/// The six digits of a charge's id leave room for chance to repeat itself.
fn free_id(context: &Context<'_>, permission: &str) -> Result<String, Error> {
    loop {
        let id = ids::charge_id_of(permission)?;
        if payments::load(context.connection, &id)?.is_none() {
            return Ok(id);
        }
    }
}

/// A charge of the merchant's own.
pub(super) fn find(context: &Context<'_>, id: &str) -> Result<StoredPayment, Stop> {
    let stored = context.owner().payment(context.connection, id)?;
    stored.ok_or_else(|| stop(ReasonCode::ResourceNotFound, "No charge has this id."))
}

/// A charge in the service's words.
pub(super) fn wire(stored: &StoredPayment) -> Result<Charge, Stop> {
    let said: ChargeDetails = serde_json::from_str(&stored.details).map_err(Error::invalid)?;
    let state = match stored.state {
        State::Pending => ChargeState::AuthorizationInitiated,
        State::Reserved => ChargeState::Authorized,
        State::Capturing => ChargeState::CaptureInitiated,
        State::Completed => ChargeState::Captured,
        State::Failed => ChargeState::Declined,
        State::Cancelled => ChargeState::Canceled,
    };
    let mut status =
        ChargeStatusDetails::new(state).last_updated_timestamp(clock::timestamp(stored.updated_at));
    status.reason_code = stored.reason.as_deref().map(Into::into);
    status.reason_description = said.cancellation_reason;
    let permission = stored.parent.as_deref();
    let permission = permission.unwrap_or_else(|| ids::charge_permission_of(&stored.id));
    let mut charge = Charge::new(stored.id.as_str(), stored.amount, status)
        .charge_permission_id(permission)
        .creation_timestamp(clock::timestamp(stored.created_at))
        .expiration_timestamp(clock::timestamp(stored.created_at.saturating_add(AUTHORIZATION)))
        .release_environment(ReleaseEnvironment::Sandbox);
    charge.soft_descriptor = stored.soft_descriptor.as_deref().map(told_descriptor);
    charge.merchant_metadata = Some(said.merchant_metadata.unwrap_or_default());
    charge.provider_metadata = Some(said.provider_metadata.unwrap_or_default());
    charge.charge_initiator = said.charge_initiator;
    charge.channel = said.channel;
    charge.platform_id = said.platform_id;
    charge.web_checkout_details = said.web_checkout_details;
    if stored.state == State::Completed {
        charge.capture_amount = Some(stored.captured);
        // What is on its way counts as refunded.
        charge.refunded_amount = Some(stored.payment.held());
    }
    Ok(charge)
}

/// What the buyer reads, as charges tell it: bytes beyond ASCII in hexadecimal. Source: a sandbox answer
/// of 2023.
fn told_descriptor(descriptor: &str) -> String {
    let mut told = String::with_capacity(descriptor.len());
    for byte in descriptor.bytes() {
        if byte.is_ascii() {
            told.push(char::from(byte));
        } else {
            told.push_str(&format!("[0x{byte:02x}]"));
        }
    }
    told
}

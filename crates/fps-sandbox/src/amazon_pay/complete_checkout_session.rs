//! CompleteCheckoutSession: makes the charge permission and the charge that a checkout leads to.

use fps_model::amazon_pay::{
    ChargePermissionType, CompleteCheckoutSession, PaymentDetails, PaymentIntent, ReasonCode,
};

use super::charges::{self, ChargeDetails, Wanted};
use super::refusals::{refuse, stop};
use super::sessions::{find, missing, still_open, wire};
use super::{Context, Perform, permissions};
use crate::charge_permissions::{self, ChargePermissionSpec, PermissionDetails};
use crate::checkout_sessions::{self, StoredSession};
use crate::idempotency::{Reply, Stop};
use crate::payments::{State, StoredPayment};

/// While the authorization is not decided.
const ACCEPTED: u16 = 202;

impl Perform for CompleteCheckoutSession {
    /// Source: Amazon Pay, sandbox simulations.
    const SIMULATES: &'static [&'static str] =
        &["BuyerCanceled", "AmazonCanceled", "Declined", "AuthorizationInitiated"];

    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let stored = find(context, self.checkout_session_id.as_str())?;
        still_open(&stored)?;
        if let Some(lack) = missing(&stored).first() {
            let message = format!("The checkout session cannot be completed: {lack}.");
            return Err(stop(ReasonCode::InvalidCheckoutSessionStatus, message));
        }
        let payment = stored.details.payment_details.clone().unwrap_or_default();
        if payment.charge_amount != Some(self.charge_amount) {
            let message = "The amount is not that of the checkout session.";
            return Err(stop(ReasonCode::AmountMismatch, message));
        }
        if let Some(reason) = context.simulated.filter(|code| *code != "AuthorizationInitiated") {
            // The refusal changes something: the session has ended.
            checkout_sessions::cancel(context.connection, &stored.id, reason, context.now)?;
            let message = "Cancelled, as the request asked to simulate.";
            return Ok(refuse(ReasonCode::CheckoutSessionCanceled, message));
        }
        let charge = conclude(context, &stored, &payment, self)?;
        let decided = charge.is_none_or(|charge| charge.state != State::Pending);
        let session = wire(context, find(context, &stored.id)?);
        let status =
            if decided { <Self as fps_model::amazon_pay::Route>::SUCCESS } else { ACCEPTED };
        Ok(Self::reply_as(status, session))
    }
}

/// Makes what was agreed: the permission, and the charge if one was wanted.
fn conclude(
    context: &Context<'_>,
    session: &StoredSession,
    payment: &PaymentDetails,
    request: &CompleteCheckoutSession,
) -> Result<Option<StoredPayment>, Stop> {
    let said = &session.details;
    let amount = request.charge_amount;
    let kind = said.charge_permission_type.clone().unwrap_or(ChargePermissionType::OneTime);
    let details = PermissionDetails {
        merchant_metadata: said.merchant_metadata.clone(),
        recurring_metadata: said.recurring_metadata.clone(),
        payment_method_on_file_metadata: said.payment_method_on_file_metadata.clone(),
        platform_id: said.platform_id.clone(),
    };
    // The limits of permissions of other types are null in recorded answers.
    let spec = match kind {
        ChargePermissionType::OneTime => {
            ChargePermissionSpec::one_time(payment.total_order_amount.unwrap_or(amount))
        }
        kind => ChargePermissionSpec::without_limit(kind, amount.currency()),
    };
    let spec = spec.extended(payment.extend_expiration.unwrap_or(false)).details(details);
    let (connection, now) = (context.connection, context.now);
    let id = charge_permissions::insert(connection, context.merchant, &spec, now)?;
    let charge = match payment.payment_intent {
        Some(PaymentIntent::Confirm) | None => None,
        Some(_) => {
            let permission = permissions::find(context, &id)?;
            Some(charges::begin(context, &permission, &wanted(session, payment, request))?)
        }
    };
    let charge_id = charge.as_ref().map(|charge| charge.id.as_str());
    checkout_sessions::complete(connection, &session.id, &id, charge_id, now)?;
    Ok(charge)
}

fn wanted<'a>(
    session: &StoredSession,
    payment: &'a PaymentDetails,
    request: &CompleteCheckoutSession,
) -> Wanted<'a> {
    Wanted {
        amount: request.charge_amount,
        capture_now: payment.payment_intent == Some(PaymentIntent::AuthorizeWithCapture),
        may_wait: payment.can_handle_pending_authorization.unwrap_or(false),
        soft_descriptor: payment.soft_descriptor.as_deref(),
        details: ChargeDetails {
            merchant_metadata: session.details.merchant_metadata.clone(),
            provider_metadata: session.details.provider_metadata.clone(),
            platform_id: session.details.platform_id.clone(),
            ..ChargeDetails::default()
        },
    }
}

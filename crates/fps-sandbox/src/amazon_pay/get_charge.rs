//! GetCharge: how far a charge has come, and how much of it was refunded.

use fps_model::amazon_pay::{
    Charge, ChargeState, ChargeStatusDetails, GetCharge, ReasonCode, ReleaseEnvironment,
};
use refund_rules::PaymentState;

use super::{Context, stop};
use crate::idempotency::Stop;
use crate::{clock, ids};

/// How long an authorization lives.
const AUTHORIZATION: clock::Millis = 30 * 24 * 60 * 60 * 1_000;

pub(super) fn perform(context: &Context<'_>, request: &GetCharge) -> Result<Charge, Stop> {
    let stored = context.owner().payment(context.connection, request.charge_id.as_str())?;
    let Some(stored) = stored else {
        return Err(stop(ReasonCode::ResourceNotFound, "No charge has this id."));
    };
    let (state, at) = match stored.payment.state() {
        PaymentState::Completed => (ChargeState::Captured, stored.completed_at),
        _ => (ChargeState::CaptureInitiated, None),
    };
    let at = clock::timestamp(at.unwrap_or(stored.created_at));
    let details = ChargeStatusDetails::new(state).last_updated_timestamp(at);
    let captured = stored.payment.captured();
    let charge = Charge::new(stored.id.as_str(), captured, details)
        .charge_permission_id(ids::charge_permission_of(&stored.id))
        .capture_amount(captured)
        // What is on its way counts as refunded.
        .refunded_amount(stored.payment.held())
        .creation_timestamp(clock::timestamp(stored.created_at))
        .expiration_timestamp(clock::timestamp(stored.created_at.saturating_add(AUTHORIZATION)))
        .release_environment(ReleaseEnvironment::Sandbox);
    Ok(charge)
}

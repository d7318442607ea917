//! GetCharge: how far a charge has come, and how much of it was refunded.

use super::{Context, stop};
use crate::idempotency::Stop;
use crate::payments::State;
use crate::{clock, ids};
use fps_model::amazon_pay::{
    Charge, ChargeState, ChargeStatusDetails, GetCharge, ReasonCode, ReleaseEnvironment,
};

/// How long an authorization lives.
const AUTHORIZATION: clock::Millis = 30 * 24 * 60 * 60 * 1_000;

pub(super) fn perform(context: &Context<'_>, request: &GetCharge) -> Result<Charge, Stop> {
    let stored = context.owner().payment(context.connection, request.charge_id.as_str())?;
    let Some(stored) = stored else {
        return Err(stop(ReasonCode::ResourceNotFound, "No charge has this id."));
    };
    let state = match stored.state {
        State::Pending => ChargeState::AuthorizationInitiated,
        State::Reserved => ChargeState::Authorized,
        State::Capturing => ChargeState::CaptureInitiated,
        State::Completed => ChargeState::Captured,
        State::Failed => ChargeState::Declined,
        State::Cancelled => ChargeState::Canceled,
    };
    let mut details =
        ChargeStatusDetails::new(state).last_updated_timestamp(clock::timestamp(stored.updated_at));
    details.reason_code = stored.reason.as_deref().map(Into::into);
    let mut charge = Charge::new(stored.id.as_str(), stored.amount, details)
        .charge_permission_id(ids::charge_permission_of(&stored.id))
        .creation_timestamp(clock::timestamp(stored.created_at))
        .expiration_timestamp(clock::timestamp(stored.created_at.saturating_add(AUTHORIZATION)))
        .release_environment(ReleaseEnvironment::Sandbox);
    if stored.state == State::Completed {
        charge.capture_amount = Some(stored.captured);
        // What is on its way counts as refunded.
        charge.refunded_amount = Some(stored.payment.held());
    }
    Ok(charge)
}

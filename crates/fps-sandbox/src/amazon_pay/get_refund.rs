//! GetRefund: how far a refund has come.

use fps_model::amazon_pay::{
    GetRefund, ReasonCode, Refund, RefundState as WireState, RefundStatusDetails,
    ReleaseEnvironment,
};
use refund_rules::RefundState;

use super::refusals::stop;
use super::{Context, Perform};
use crate::clock;
use crate::idempotency::{Reply, Stop};

impl Perform for GetRefund {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        Ok(Self::reply(find(context, self.refund_id.as_str())?))
    }
}

/// A refund of the merchant's own, in the service's words.
pub(super) fn find(context: &Context<'_>, id: &str) -> Result<Refund, Stop> {
    let Some((refund, _)) = context.owner().refund(context.connection, id)? else {
        return Err(stop(ReasonCode::ResourceNotFound, "No refund has this id."));
    };
    let state = match refund.state {
        RefundState::Refunded => WireState::Refunded,
        RefundState::Declined => WireState::Declined,
        _ => WireState::RefundInitiated,
    };
    let mut details =
        RefundStatusDetails::new(state).last_updated_timestamp(clock::timestamp(refund.updated_at));
    details.reason_code = refund.reason.as_deref().map(Into::into);
    let mut wire = Refund::new(
        refund.id,
        refund.payment,
        refund.amount,
        clock::timestamp(refund.created_at),
        details,
    )
    .release_environment(ReleaseEnvironment::Sandbox);
    wire.soft_descriptor = refund.soft_descriptor;
    Ok(wire)
}

//! CancelSubscriptionAndRefund: ends a subscription, and gives back of its last payment if that is asked
//! for.

use fps_model::flexible_payments::{
    CancelSubscriptionAndRefund, CancelSubscriptionAndRefundResult, ErrorCode,
};
use refund_rules::Wish;

use super::subscription_queries::own;
use super::{Context, parties, refund, stop};
use crate::idempotency::Stop;
use crate::payments::{self, NewRefund};
use crate::subscriptions;

pub(super) fn perform(
    context: &Context<'_>,
    request: &CancelSubscriptionAndRefund,
) -> Result<CancelSubscriptionAndRefundResult, Stop> {
    parties::caller(context, None)?;
    let subscription = own(context, &request.subscription_id)?;
    let ended = !subscriptions::cancel(context.connection, &subscription.id)?;
    let Some(amount) = request.refund_amount else {
        if ended {
            let message = "The subscription has ended before, and no refund is asked for.";
            return Err(stop(ErrorCode::InvalidSubscriptionState, message));
        }
        return Ok(CancelSubscriptionAndRefundResult::new());
    };
    let last = subscriptions::payment_ids(context.connection, &subscription.id)?.pop();
    let stored = match last {
        Some(id) => payments::load(context.connection, &id)?,
        None => None,
    };
    let Some(stored) = stored else {
        let message = "The subscription has no payment to refund.";
        return Err(stop(ErrorCode::InvalidSubscriptionState, message));
    };
    let new = NewRefund {
        reference: request.caller_reference.as_ref().map(|it| it.as_str().to_owned()),
        description: request.cancel_reason.as_ref().map(|text| text.expose().to_owned()),
        ..NewRefund::default()
    };
    let refund = refund::make(context, &stored, &Wish::amount(amount), new)?;
    Ok(CancelSubscriptionAndRefundResult::new().refund_transaction_id(refund.id))
}

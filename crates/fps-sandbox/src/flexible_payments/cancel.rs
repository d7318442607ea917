//! Cancel: gives up a payment that was not charged. What was is refunded instead.

use fps_model::flexible_payments::{Cancel, CancelResult, ErrorCode};
use rusqlite::params;

use super::status::payment_status;
use super::{Context, no_such_transaction, notify_url, parties, stop};
use crate::idempotency::Stop;
use crate::payments::{self, State};

pub(super) fn perform(context: &Context<'_>, request: &Cancel) -> Result<CancelResult, Stop> {
    parties::caller(context, None)?;
    let notify_url = notify_url(request.override_ipn_url.as_ref())?;
    let id = request.transaction_id.as_str();
    let Some(stored) = context.owner().payment(context.connection, id)? else {
        return Err(match context.owner().refund(context.connection, id)? {
            Some(_) => stop(ErrorCode::InvalidTransactionState, "A refund cannot be cancelled."),
            None => no_such_transaction(id),
        });
    };
    if !matches!(stored.state, State::Pending | State::Reserved) {
        let message = "Only what is pending or reserved can be cancelled.";
        return Err(stop(ErrorCode::InvalidTransactionState, message));
    }
    if let Some(url) = notify_url {
        context
            .connection
            .prepare_cached("UPDATE payment SET notify_url = ? WHERE id = ?")?
            .execute(params![url, stored.id])?;
    }
    let stored = payments::cancel(context.connection, &stored, "Canceled", context.now)?;
    let status = payment_status(&stored, context.dialect);
    Ok(CancelResult::new().transaction_id(stored.id).transaction_status(status))
}

//! GetTransactionStatus: how far a payment or refund has come.

use fps_model::flexible_payments::{
    GetTransactionStatus, GetTransactionStatusResult, TransactionStatus,
};
use refund_rules::{PaymentState, RefundState};

use super::{Context, PAID, PENDING, no_such_transaction};
use crate::idempotency::Stop;

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetTransactionStatus,
) -> Result<GetTransactionStatusResult, Stop> {
    let id = request.transaction_id.as_str();
    let (status, reference) = find(context, id)?.ok_or_else(|| no_such_transaction(id))?;
    let (code, message) = describe(&status);
    let mut result = GetTransactionStatusResult::new(id, status).status_code(code);
    result.caller_reference = reference;
    Ok(result.status_message(message))
}

fn find(
    context: &Context<'_>,
    id: &str,
) -> Result<Option<(TransactionStatus, Option<String>)>, Stop> {
    if let Some((refund, _)) = context.owner().refund(context.connection, id)? {
        return Ok(Some((refund_status(refund.state), refund.reference)));
    }
    let stored = context.owner().payment(context.connection, id)?;
    Ok(stored.map(|stored| (payment_status(stored.payment.state()), stored.reference)))
}

/// A refund's state as the service spells it.
pub(super) fn refund_status(state: RefundState) -> TransactionStatus {
    match state {
        RefundState::Refunded => TransactionStatus::Success,
        RefundState::Declined => TransactionStatus::Failure,
        _ => TransactionStatus::Pending,
    }
}

/// A payment's state as the service spells it.
pub(super) fn payment_status(state: PaymentState) -> TransactionStatus {
    match state {
        PaymentState::Completed => TransactionStatus::Success,
        PaymentState::Pending => TransactionStatus::Pending,
        PaymentState::Reserved => TransactionStatus::Reserved,
        PaymentState::Failed => TransactionStatus::Failure,
        PaymentState::Cancelled => TransactionStatus::Cancelled,
    }
}

/// Code and message of a status.
pub(super) fn describe(status: &TransactionStatus) -> (&'static str, &'static str) {
    match status {
        TransactionStatus::Success => PAID,
        TransactionStatus::Pending => PENDING,
        TransactionStatus::Cancelled => ("Canceled", "The transaction was cancelled."),
        _ => ("TransactionDenied", "The transaction was denied."),
    }
}

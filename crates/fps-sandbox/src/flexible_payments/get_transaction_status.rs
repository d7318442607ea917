//! GetTransactionStatus: how far a payment or refund has come.

use fps_model::flexible_payments::{
    GetTransactionStatus, GetTransactionStatusResult, TransactionStatus,
};
use refund_rules::RefundState;

use super::{Context, PAID, PENDING, no_such_transaction};
use crate::idempotency::Stop;
use crate::payments::{State, StoredPayment, StoredRefund};

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetTransactionStatus,
) -> Result<GetTransactionStatusResult, Stop> {
    let id = request.transaction_id.as_str();
    let (status, (code, message), reference) =
        find(context, id)?.ok_or_else(|| no_such_transaction(id))?;
    let mut result = GetTransactionStatusResult::new(id, status).status_code(code);
    result.caller_reference = reference;
    Ok(result.status_message(message))
}

/// Status, code and message, and the reference that the caller gave.
type Standing = (TransactionStatus, (String, &'static str), Option<String>);

fn find(context: &Context<'_>, id: &str) -> Result<Option<Standing>, Stop> {
    if let Some((refund, _)) = context.owner().refund(context.connection, id)? {
        let standing = (refund_status(refund.state), describe_refund(&refund), refund.reference);
        return Ok(Some(standing));
    }
    let stored = context.owner().payment(context.connection, id)?;
    Ok(stored
        .map(|stored| (payment_status(stored.state), describe_payment(&stored), stored.reference)))
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
pub(super) fn payment_status(state: State) -> TransactionStatus {
    match state {
        State::Completed => TransactionStatus::Success,
        State::Pending | State::Capturing => TransactionStatus::Pending,
        State::Reserved => TransactionStatus::Reserved,
        State::Failed => TransactionStatus::Failure,
        State::Cancelled => TransactionStatus::Cancelled,
    }
}

/// Code and message of a payment. Those of what is paid and of what is under way are the service's
/// own; of the others only the gist survives.
pub(crate) fn describe_payment(stored: &StoredPayment) -> (String, &'static str) {
    let reason = stored.reason.as_deref();
    let (code, message) = match stored.state {
        State::Completed => PAID,
        State::Pending | State::Capturing => PENDING,
        State::Reserved => {
            ("Success", "The amount was reserved successfully against the payment instrument.")
        }
        State::Cancelled if reason == Some("Expired") => {
            ("Expired", "The transaction was not completed in its lifetime.")
        }
        State::Cancelled => ("Canceled", "The transaction was cancelled by the caller."),
        State::Failed => (reason.unwrap_or(DENIED.0), DENIED.1),
    };
    (code.to_owned(), message)
}

/// Code and message of a refund.
pub(crate) fn describe_refund(refund: &StoredRefund) -> (String, &'static str) {
    let (code, message) = match refund.state {
        RefundState::Refunded => PAID,
        RefundState::Declined => DENIED,
        _ => PENDING,
    };
    (code.to_owned(), message)
}

/// Code and message of a transaction that failed; the service's own sentence is not known.
const DENIED: (&str, &str) = ("TransactionDenied", "The transaction was denied.");

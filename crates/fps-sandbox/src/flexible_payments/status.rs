//! How a transaction stands, in the words of the service and of the revision that asks.

use fps_model::flexible_payments::{Dialect, FpsOperation, PaymentMethod, TransactionStatus};
use refund_rules::RefundState;

use super::wire_method;
use crate::payments::{Operation, State, StoredPayment, StoredRefund};

/// Status code and message of a finished transaction, as seed 001 prints them.
const PAID: (&str, &str) =
    ("Success", "The transaction was successful and the payment instrument was charged.");
/// Status code and message of one that is under way, as seed 001 prints them.
pub(super) const PENDING: (&str, &str) = (
    "PendingNetworkResponse",
    "The transaction is awaiting a response from the backend payment processor.",
);
/// Code and message of a transaction that failed; the service's own sentence is not known.
const DENIED: (&str, &str) = ("TransactionDenied", "The transaction was denied.");

/// Why a payment failed that was declined for now. Only revision 2007-01-08 tells it from a failure.
/// Source: FPS 2007-01-08 schema, TransactionStatus; the change notes to 2008-09-17.
pub(super) const TEMPORARY_DECLINE: &str = "TemporaryDecline";

/// What is not decided yet. Source: the schemas, TransactionStatus.
pub(super) fn under_way(dialect: Dialect) -> TransactionStatus {
    match dialect {
        Dialect::V2007_01_08 => TransactionStatus::Initiated,
        _ => TransactionStatus::Pending,
    }
}

/// A refund's state as the service spells it.
pub(super) fn refund_status(state: RefundState, dialect: Dialect) -> TransactionStatus {
    match state {
        RefundState::Refunded => TransactionStatus::Success,
        RefundState::Declined => TransactionStatus::Failure,
        _ => under_way(dialect),
    }
}

/// A payment's state as the service spells it; in 2007-01-08 nothing is cancelled, it fails.
pub(super) fn payment_status(stored: &StoredPayment, dialect: Dialect) -> TransactionStatus {
    status_of(stored.state, stored, dialect)
}

/// The same of a state that it has or had.
pub(super) fn status_of(
    state: State,
    stored: &StoredPayment,
    dialect: Dialect,
) -> TransactionStatus {
    let in_2007 = dialect == Dialect::V2007_01_08;
    match state {
        State::Completed => TransactionStatus::Success,
        State::Pending | State::Capturing => under_way(dialect),
        State::Reserved => TransactionStatus::Reserved,
        State::Failed if in_2007 && stored.reason.as_deref() == Some(TEMPORARY_DECLINE) => {
            TransactionStatus::TemporaryDecline
        }
        State::Cancelled if !in_2007 => TransactionStatus::Cancelled,
        State::Failed | State::Cancelled => TransactionStatus::Failure,
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
        State::Failed if reason == Some(TEMPORARY_DECLINE) => DENIED,
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

/// What a payment is. A reservation that is being charged has become a settlement under the same id.
pub(super) fn operation(stored: &StoredPayment) -> FpsOperation {
    match stored.operation {
        Operation::Charge | Operation::Pay => FpsOperation::Pay,
        Operation::Reserve if matches!(stored.state, State::Capturing | State::Completed) => {
            FpsOperation::Settle
        }
        Operation::Reserve => FpsOperation::Reserve,
        Operation::FundPrepaid => FpsOperation::FundPrepaid,
        Operation::SettleDebt => FpsOperation::SettleDebt,
        Operation::WriteOffDebt => FpsOperation::WriteOffDebt,
    }
}

/// How it was paid; what is forgiven is paid by nothing but the debt.
pub(super) fn method(stored: &StoredPayment) -> PaymentMethod {
    match stored.operation {
        Operation::WriteOffDebt => PaymentMethod::Debt,
        _ => wire_method(stored.payment.method()),
    }
}

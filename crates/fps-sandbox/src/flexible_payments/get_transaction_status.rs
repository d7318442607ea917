//! GetTransactionStatus: how far a payment or refund has come.

use fps_model::flexible_payments::{
    GetTransactionStatus, GetTransactionStatusResult, TransactionStatus,
};

use super::status::{describe_payment, describe_refund, payment_status, refund_status};
use super::{Context, no_such_transaction};
use crate::idempotency::Stop;

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
    let dialect = context.dialect;
    if let Some((refund, _)) = context.owner().refund(context.connection, id)? {
        let status = refund_status(refund.state, dialect);
        return Ok(Some((status, describe_refund(&refund), refund.reference)));
    }
    let stored = context.owner().payment(context.connection, id)?;
    Ok(stored.map(|stored| {
        (payment_status(&stored, dialect), describe_payment(&stored), stored.reference)
    }))
}

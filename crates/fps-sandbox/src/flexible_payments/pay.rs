//! Pay: charges a sender's token; a card or bank account is pending first.

use fps_model::flexible_payments::{Pay, PayResult};

use super::Context;
use super::charge::{self, charge};
use super::status::payment_status;
use crate::idempotency::Stop;

pub(super) fn perform(context: &Context<'_>, request: &Pay) -> Result<PayResult, Stop> {
    let charge = charge!(request, Pay, "transactionAmount", transaction_amount, {
        recipient_token: request.recipient_token_id.as_ref(),
        fixed_fee: request.marketplace_fixed_fee,
        variable_fee: request.marketplace_variable_fee.as_ref(),
        instrument: None,
    });
    let begun = charge::begin(context, charge)?;
    let status = payment_status(&begun.stored, context.dialect);
    let mut result = PayResult::new(begun.stored.id, status);
    result.new_sender_token_usage = begun.usage;
    Ok(result)
}

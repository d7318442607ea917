//! Reserve: holds an amount on a card, to be settled or cancelled within a week.

use fps_model::flexible_payments::{Reserve, ReserveResult};

use super::Context;
use super::charge::{self, charge};
use super::status::payment_status;
use crate::idempotency::Stop;

pub(super) fn perform(context: &Context<'_>, request: &Reserve) -> Result<ReserveResult, Stop> {
    let charge = charge!(request, Reserve, "transactionAmount", transaction_amount, {
        recipient_token: request.recipient_token_id.as_ref(),
        fixed_fee: request.marketplace_fixed_fee,
        variable_fee: request.marketplace_variable_fee.as_ref(),
        instrument: None,
    });
    let begun = charge::begin(context, charge)?;
    let status = payment_status(&begun.stored, context.dialect);
    let mut result = ReserveResult::new(begun.stored.id, status);
    result.new_sender_token_usage = begun.usage;
    Ok(result)
}

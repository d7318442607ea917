//! SettleDebt: a sender pays what is owed on a postpaid instrument of the caller's.

use fps_model::flexible_payments::{SettleDebt, SettleDebtResult};

use super::charge::{self, charge};
use super::status::payment_status;
use super::{Context, credit, write_off_debt};
use crate::idempotency::Stop;
use crate::instruments::Kind;

pub(super) fn perform(
    context: &Context<'_>,
    request: &SettleDebt,
) -> Result<SettleDebtResult, Stop> {
    let id = request.credit_instrument_id.as_str();
    let instrument = credit::usable(context, "CreditInstrumentId", id, Kind::Postpaid)?;
    let amount = super::in_dollars("settlementAmount", request.settlement_amount)?;
    write_off_debt::check_owed(context, &instrument, amount)?;
    let charge = charge!(request, SettleDebt, "settlementAmount", settlement_amount, {
        recipient_token: None,
        fixed_fee: None,
        variable_fee: None,
        instrument: Some(id),
    });
    let begun = charge::begin(context, charge)?;
    let status = payment_status(&begun.stored, context.dialect);
    let mut result = SettleDebtResult::new(begun.stored.id, status);
    result.new_sender_token_usage = begun.usage;
    Ok(result)
}

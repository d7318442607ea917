//! WriteOffDebt: the caller forgives what is owed on a postpaid instrument of its own.

use fps_model::flexible_payments::{ErrorCode, WriteOffDebt, WriteOffDebtResult};
use refund_rules::{Method, Money};

use super::details::Details;
use super::status::payment_status;
use super::{Context, credit, parties, stop};
use crate::idempotency::Stop;
use crate::ids;
use crate::instruments::{self, Kind, StoredInstrument};
use crate::payments::{self, NewPayment, Operation};

pub(super) fn perform(
    context: &Context<'_>,
    request: &WriteOffDebt,
) -> Result<WriteOffDebtResult, Stop> {
    parties::caller(context, request.caller_token_id.as_ref())?;
    let amount = super::in_dollars("adjustmentAmount", request.adjustment_amount)?;
    if amount.minor() < 1 {
        let message = "adjustmentAmount is out of range";
        return Err(stop(ErrorCode::AmountOutOfRange, message));
    }
    // A debt may be forgiven when its instrument has ended, too.
    let id = request.credit_instrument_id.as_str();
    let instrument = credit::own(context, "CreditInstrumentId", id, Kind::Postpaid)?;
    check_owed(context, &instrument, amount)?;
    let details = Details {
        caller_token: request.caller_token_id.as_ref().map(|id| id.as_str().to_owned()),
        transaction_date: request.transaction_date.map(|date| date.unix_millis()),
        sender_reference: request.sender_reference.clone(),
        recipient_reference: request.recipient_reference.clone(),
        recipient_description: request.recipient_description.clone(),
        meta_data: request.meta_data.clone(),
        ..Details::default()
    };
    // No money moves from outside, whatever the method is called.
    let (owner, method) = (context.owner(), Method::Balance);
    let operation = Operation::WriteOffDebt;
    let new = NewPayment {
        reference: Some(request.caller_reference.as_str().to_owned()),
        description: request.caller_description.as_ref().map(|text| text.expose().to_owned()),
        sender_description: request.sender_description.as_ref().map(|it| it.expose().to_owned()),
        instrument: Some(instrument.id),
        details: Some(details.to_json()?),
        ..NewPayment::new(ids::transaction_id()?, owner, operation, method, amount)
    };
    let stored = payments::insert(context.connection, &new, context.now)?;
    let status = payment_status(&stored, context.dialect);
    Ok(WriteOffDebtResult::new(stored.id, status))
}

/// Makes sure that so much is owed, and not being paid already.
pub(super) fn check_owed(
    context: &Context<'_>,
    instrument: &StoredInstrument,
    amount: Money,
) -> Result<(), Stop> {
    let debt = instruments::balance(context.connection, instrument)?;
    let pending = instruments::pending(context.connection, instrument)?;
    if credit::is_above(amount, credit::without(debt, pending)?)? {
        let message = "The debt on the instrument is less than that.";
        return Err(stop(ErrorCode::SettleAmountGreaterThanDebt, message));
    }
    Ok(())
}

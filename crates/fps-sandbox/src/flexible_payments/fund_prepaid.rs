//! FundPrepaid: a sender pays into a prepaid instrument of the caller's.

use fps_model::flexible_payments::{ErrorCode, FundPrepaid, FundPrepaidResult};

use super::charge::{self, charge};
use super::status::payment_status;
use super::{Context, credit, stop};
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::instruments::{self, Kind};

pub(super) fn perform(
    context: &Context<'_>,
    request: &FundPrepaid,
) -> Result<FundPrepaidResult, Stop> {
    let id = request.prepaid_instrument_id.as_str();
    let instrument = credit::usable(context, "PrepaidInstrumentId", id, Kind::Prepaid)?;
    let held = instruments::balance(context.connection, &instrument)?
        .checked_add(instruments::pending(context.connection, &instrument)?)
        .map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    let amount = super::in_dollars("fundingAmount", request.funding_amount)?;
    if credit::is_beyond(&instrument, held, amount)? {
        let message = "The instrument would hold more than it may.";
        return Err(stop(ErrorCode::PrepaidFundingLimitExceeded, message));
    }
    let charge = charge!(request, FundPrepaid, "fundingAmount", funding_amount, {
        recipient_token: None,
        fixed_fee: None,
        variable_fee: None,
        instrument: Some(id),
    });
    let begun = charge::begin(context, charge)?;
    let status = payment_status(&begun.stored, context.dialect);
    let mut result = FundPrepaidResult::new(begun.stored.id, status);
    result.new_sender_token_usage = begun.usage;
    Ok(result)
}

//! Prepaid and postpaid instruments in the hands of the actions: whose they are, and what may be done with
//! them.

use fps_model::flexible_payments::ErrorCode;
use refund_rules::{Method, Money};

use super::{Context, stop};
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::instruments::{self, Kind, StoredInstrument};
use crate::tokens::StoredToken;

/// An instrument that the caller gave.
pub(super) fn own(
    context: &Context<'_>,
    parameter: &'static str,
    id: &str,
    kind: Kind,
) -> Result<StoredInstrument, Stop> {
    let found = instruments::load(context.connection, id)?;
    let Some(instrument) = found.filter(|instrument| instrument.kind == kind) else {
        // The sentence is that of a recorded answer.
        return Err(stop(ErrorCode::InvalidParams, format!("{parameter} : {id} is invalid")));
    };
    if instrument.merchant != context.merchant {
        let message = "The instrument is not one that the caller gave.";
        return Err(stop(ErrorCode::InstrumentAccessDenied, message));
    }
    Ok(instrument)
}

/// The same, if it can still be used.
pub(super) fn usable(
    context: &Context<'_>,
    parameter: &'static str,
    id: &str,
    kind: Kind,
) -> Result<StoredInstrument, Stop> {
    let instrument = own(context, parameter, id, kind)?;
    check(context, &instrument)?;
    Ok(instrument)
}

fn check(context: &Context<'_>, instrument: &StoredInstrument) -> Result<(), Stop> {
    if !instrument.active {
        let message = "The instrument was cancelled.";
        return Err(stop(ErrorCode::InactiveInstrument, message));
    }
    if instrument.expires_at.is_some_and(|expires_at| context.now >= expires_at) {
        return Err(stop(ErrorCode::InstrumentExpired, "The instrument has expired."));
    }
    Ok(())
}

/// Makes sure that a sender may pay from its instrument, and says which that is.
pub(super) fn spend(
    context: &Context<'_>,
    token: &StoredToken,
    amount: Money,
    recipient: i64,
) -> Result<String, Stop> {
    let found = match &token.instrument {
        Some(id) => instruments::load(context.connection, id)?,
        None => None,
    };
    let kind = if token.method == Method::Prepaid { Kind::Prepaid } else { Kind::Postpaid };
    let Some(instrument) = found.filter(|instrument| instrument.kind == kind) else {
        let message = "The sender token has no instrument to pay from.";
        return Err(stop(ErrorCode::InvalidPaymentInstrument, message));
    };
    if instrument.merchant != recipient {
        let message = "The instrument can be used only to pay who gave it.";
        return Err(stop(ErrorCode::InstrumentAccessDenied, message));
    }
    check(context, &instrument)?;
    let balance = instruments::balance(context.connection, &instrument)?;
    match kind {
        Kind::Prepaid if is_above(amount, balance)? => {
            let message = "What is left on the prepaid instrument is less than that.";
            Err(stop(ErrorCode::InsufficientBalance, message))
        }
        // Which code the service had for this is not known; this one is about limits.
        Kind::Postpaid if is_beyond(&instrument, balance, amount)? => {
            let message = "The debt would be above the limit of the postpaid instrument.";
            Err(stop(ErrorCode::AccountLimitsExceeded, message))
        }
        Kind::Prepaid | Kind::Postpaid => Ok(instrument.id),
    }
}

/// Would it be too much with this?
pub(super) fn is_beyond(
    instrument: &StoredInstrument,
    held: Money,
    more: Money,
) -> Result<bool, Stop> {
    let Some(limit) = instrument.limit else { return Ok(false) };
    is_above(held.checked_add(more).map_err(invalid)?, limit)
}

pub(super) fn is_above(amount: Money, most: Money) -> Result<bool, Stop> {
    Ok(amount.try_cmp(most).map_err(invalid)?.is_gt())
}

/// What would be left of one amount without another.
pub(super) fn without(amount: Money, part: Money) -> Result<Money, Stop> {
    Ok(amount.checked_sub(part).map_err(invalid)?)
}

fn invalid(error: refund_rules::MoneyError) -> Error {
    Error::with(ErrorKind::Invalid, error)
}

//! Pay: charges a sender token; a card is pending first.

use fps_model::flexible_payments::{ErrorCode, Pay, PayResult};
use refund_rules::{Currency, Method, Rounding};
use rusqlite::OptionalExtension;

use super::get_transaction_status::payment_status;
use super::{Context, stop};
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::ids;
use crate::payments::{self, NewPayment, Operation};

pub(super) fn perform(context: &Context<'_>, request: &Pay) -> Result<PayResult, Stop> {
    let method = charged_method(context, request.sender_token_id.as_str())?;
    if request.recipient_token_id.is_some() {
        let message = "The sandbox has no marketplaces: leave the recipient token out.";
        return Err(stop(ErrorCode::NotMarketplaceApp, message));
    }
    let amount = request.transaction_amount;
    if amount.currency() != Currency::USD {
        return Err(stop(ErrorCode::InvalidParams, "transactionAmount has to be in USD"));
    }
    if amount.minor() < 1 {
        return Err(stop(ErrorCode::AmountOutOfRange, "transactionAmount is out of range"));
    }
    let fee = amount
        .percent(context.fee_percent, Rounding::HalfEven)
        .map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    let later = matches!(method, Method::Card | Method::Bank);
    let id = ids::transaction_id()?;
    let new = NewPayment {
        fee,
        reference: Some(request.caller_reference.as_str().to_owned()),
        description: request.caller_description.as_ref().map(|text| text.expose().to_owned()),
        token: Some(request.sender_token_id.as_str().to_owned()),
        due_at: later.then(|| context.now.saturating_add(context.processing)),
        ..NewPayment::new(id, context.owner(), Operation::Pay, method, amount)
    };
    let stored = payments::insert(context.connection, &new, context.now)?;
    Ok(PayResult::new(stored.id, payment_status(stored.state)))
}

/// How the owner of a token pays, if the token may be charged.
fn charged_method(context: &Context<'_>, token: &str) -> Result<Method, Stop> {
    let found: Option<(String, bool)> = context
        .connection
        .prepare_cached("SELECT method, active FROM token WHERE id = ? AND merchant = ?")?
        .query_row(rusqlite::params![token, context.merchant], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Err(stop(ErrorCode::InvalidTokenIdSender, "Sender token is not valid.")),
        Some((_, false)) => Err(stop(ErrorCode::TokenNotActiveSender, "Sender token not active.")),
        Some((method, true)) => {
            let method = payments::method_of(&method);
            Ok(method.ok_or_else(|| Error::with(ErrorKind::Database, "an unknown method"))?)
        }
    }
}

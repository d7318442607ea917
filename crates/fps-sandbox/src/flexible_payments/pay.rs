//! Pay: charges a sender token; a card is pending first.

use fps_model::flexible_payments::{ErrorCode, Pay, PayResult, TransactionStatus};
use refund_rules::{Currency, Method, PaymentState, Rounding};
use rusqlite::OptionalExtension;

use super::{Context, stop};
use crate::books::Service;
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::payments::{self, NewPayment};
use crate::{ids, notifications};

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
    let new = NewPayment {
        id: ids::transaction_id()?,
        merchant: context.merchant,
        service: Service::FlexiblePayments,
        method,
        captured: amount,
        fee,
        reference: Some(request.caller_reference.as_str().to_owned()),
        description: request.caller_description.as_ref().map(|text| text.expose().to_owned()),
        token: Some(request.sender_token_id.as_str().to_owned()),
        due_at: matches!(method, Method::Card | Method::Bank)
            .then(|| context.now.saturating_add(context.processing)),
    };
    let state = payments::insert(context.connection, &new, context.now)?;
    let completed = state == PaymentState::Completed;
    if let Some(stored) = payments::load(context.connection, &new.id)? {
        notifications::payment_changed(context.connection, &stored, completed, context.now)?;
    }
    let status = if completed { TransactionStatus::Success } else { TransactionStatus::Pending };
    Ok(PayResult::new(new.id, status))
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

//! Refund: the rules decide, the books follow.

use fps_model::flexible_payments::{
    Dialect, ErrorCode, FpsOperation, MarketplaceRefundPolicy, Refund, RefundResult, TokenId,
};
use refund_rules::{
    Asker, Grant, Grants, PaymentState, Policy, Refusal, Role, Rule, Scope, Wish, decide,
};

use super::details::Details;
use super::parties;
use super::status::refund_status;
use super::{Context, no_such_transaction, notify_url, stop};
use crate::error::Error;
use crate::idempotency::Stop;
use crate::ids;
use crate::payments::{self, NewRefund, StoredPayment, StoredRefund};
use crate::tokens;

pub(super) fn perform(context: &Context<'_>, request: &Refund) -> Result<RefundResult, Stop> {
    parties::caller(context, request.caller_token_id.as_ref())?;
    let notify_url = notify_url(request.override_ipn_url.as_ref())?;
    let id = request.transaction_id.as_str();
    let Some(stored) = context.owner().payment(context.connection, id)? else {
        let own_refund = context.owner().refund(context.connection, id)?;
        return Err(match own_refund.is_some() {
            true => stop(ErrorCode::TransactionTypeNotRefundable, "A refund cannot be refunded."),
            false => no_such_transaction(id),
        });
    };
    let asker = asker(context, &stored, request.refund_sender_token_id.as_ref())?;
    let wish = request.refund_amount.map_or(Wish::rest(), Wish::amount).with_asker(asker);
    let wish = wish.with_scope(match request.marketplace_refund_policy {
        None | Some(MarketplaceRefundPolicy::MasterTxnOnly) => Scope::Payment,
        Some(MarketplaceRefundPolicy::MarketplaceTxnOnly) => Scope::MarketplaceFee,
        Some(MarketplaceRefundPolicy::MasterAndMarketplaceTxn) => Scope::PaymentAndMarketplaceFee,
        Some(_) => {
            let message = "The MarketplaceRefundPolicy is none of the three.";
            return Err(stop(ErrorCode::InvalidParams, message));
        }
    });
    let new = NewRefund {
        reference: Some(request.caller_reference.as_str().to_owned()),
        description: request.caller_description.as_ref().map(|text| text.expose().to_owned()),
        notify_url,
        details: Some(details(request).to_json()?),
        ..NewRefund::default()
    };
    let refund = make(context, &stored, &wish, new)?;
    let status = refund_status(refund.state, context.dialect);
    let mut result = RefundResult::new(refund.id, status);
    // Source: seed 002, which says that the reference is returned; later revisions have no such field.
    if context.dialect == Dialect::V2008_05_01 {
        result.refund_transaction_reference = refund.reference;
    }
    Ok(result)
}

/// What is told again of the request. The recipient of the payment sends the refund.
fn details(request: &Refund) -> Details {
    Details {
        caller_token: request.caller_token_id.as_ref().map(|id| id.as_str().to_owned()),
        transaction_date: request.transaction_date.map(|date| date.unix_millis()),
        recipient_reference: request.refund_sender_reference.clone(),
        sender_reference: request.refund_recipient_reference.clone(),
        recipient_description: request.refund_sender_description.clone(),
        meta_data: request.meta_data.clone(),
        ..Details::default()
    }
}

/// Refunds a payment, if the rules allow it and there is money for it.
pub(super) fn make(
    context: &Context<'_>,
    stored: &StoredPayment,
    wish: &Wish,
    new: NewRefund,
) -> Result<StoredRefund, Stop> {
    let plan = decide(&stored.payment, wish, &Policy::flexible_payments())
        .into_result()
        .map_err(|refusal| refused(&refusal))?;
    let scope = wish.scope();
    if payments::payer_out_of_money(context.connection, stored, &plan, scope)?.is_some() {
        let message = "The balance of the recipient is too low for this refund.";
        return Err(stop(ErrorCode::InsufficientBalance, message));
    }
    let new = NewRefund { id: ids::transaction_id()?, scope, ..new };
    let (now, processing) = (context.now, context.processing);
    Ok(payments::begin_refund(context.connection, stored, &plan, &new, now, processing)?)
}

/// What the recipient of a payment, who sends the refund, has granted: by a token that is named, as
/// revision 2007-01-08 wants it, or by one that was given before and is kept.
fn asker(
    context: &Context<'_>,
    stored: &StoredPayment,
    token: Option<&TokenId>,
) -> Result<Asker, Stop> {
    let granted = match token {
        Some(token) => named_grant(context, stored, token)?,
        None => stored.recipient != context.merchant && kept_grant(context, stored)?,
    };
    if stored.recipient != context.merchant {
        parties::account(context, stored.recipient, Role::Sender)?;
    }
    Ok(match granted {
        true => Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND)),
        false => Asker::CALLER,
    })
}

/// Source: seed 003: a token of the original recipient, for its part as a sender, in refunds.
fn named_grant(
    context: &Context<'_>,
    stored: &StoredPayment,
    token: &TokenId,
) -> Result<bool, Stop> {
    let token = parties::sender(context, token, &FpsOperation::Refund)?;
    if token.owner != Some(stored.recipient) {
        let message = "The sender of the refund is not the recipient of the payment.";
        return Err(stop(ErrorCode::SenderNotOriginalRecipient, message));
    }
    Ok(true)
}

fn kept_grant(context: &Context<'_>, stored: &StoredPayment) -> Result<bool, Error> {
    let tokens = tokens::given_by(context.connection, context.merchant, stored.recipient)?;
    Ok(tokens.iter().any(|token| {
        let for_refunds = token.terms.operation == Some(FpsOperation::Refund);
        token.role == Role::Sender && for_refunds && token.is_alive(context.now)
    }))
}

/// The code for a rule. The sentences are the sandbox's own: none of the service's survive.
fn refused(refusal: &Refusal) -> Stop {
    let code = match refusal.rule() {
        Rule::Grant => ErrorCode::TransactionDenied,
        Rule::Completed(PaymentState::Pending) => ErrorCode::OriginalTransactionIncomplete,
        Rule::Completed(PaymentState::Reserved) => ErrorCode::InvalidTransactionState,
        Rule::Completed(_) => ErrorCode::OriginalTransactionFailed,
        Rule::Kind(_) => ErrorCode::TransactionTypeNotRefundable,
        Rule::Marketplace => ErrorCode::NotMarketplaceApp,
        Rule::NothingLeft => ErrorCode::TransactionFullyRefundedAlready,
        Rule::Minimum | Rule::SingleMaximum => ErrorCode::AmountOutOfRange,
        Rule::Remaining => ErrorCode::RefundAmountExceeded,
        _ => ErrorCode::InvalidParams,
    };
    stop(code, refusal.to_string())
}

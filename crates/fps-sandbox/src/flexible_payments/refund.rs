//! Refund: the rules decide, the books follow.

use fps_model::flexible_payments::{ErrorCode, MarketplaceRefundPolicy, Refund, RefundResult};
use refund_rules::{PaymentState, Policy, Refusal, Rule, Scope, Wish, decide};

use super::get_transaction_status::refund_status;
use super::{Context, no_such_transaction, stop};
use crate::idempotency::Stop;
use crate::ids;
use crate::payments::{self, NewRefund};

pub(super) fn perform(context: &Context<'_>, request: &Refund) -> Result<RefundResult, Stop> {
    let id = request.transaction_id.as_str();
    let Some(stored) = context.owner().payment(context.connection, id)? else {
        let own_refund = context.owner().refund(context.connection, id)?;
        return Err(match own_refund.is_some() {
            true => stop(ErrorCode::TransactionTypeNotRefundable, "A refund cannot be refunded."),
            false => no_such_transaction(id),
        });
    };
    let wish = request.refund_amount.map_or(Wish::rest(), Wish::amount);
    let wish = wish.with_scope(match request.marketplace_refund_policy {
        None | Some(MarketplaceRefundPolicy::MasterTxnOnly) => Scope::Payment,
        Some(MarketplaceRefundPolicy::MarketplaceTxnOnly) => Scope::MarketplaceFee,
        Some(MarketplaceRefundPolicy::MasterAndMarketplaceTxn) => Scope::PaymentAndMarketplaceFee,
        Some(_) => {
            let message = "The MarketplaceRefundPolicy is none of the three.";
            return Err(stop(ErrorCode::InvalidParams, message));
        }
    });
    let plan = decide(&stored.payment, &wish, &Policy::flexible_payments())
        .into_result()
        .map_err(|refusal| refused(&refusal))?;
    let scope = wish.scope();
    if payments::payer_out_of_money(context.connection, &stored, &plan, scope)?.is_some() {
        let message = "The balance of the recipient is too low for this refund.";
        return Err(stop(ErrorCode::InsufficientBalance, message));
    }
    let new = NewRefund {
        id: ids::transaction_id()?,
        scope,
        reference: Some(request.caller_reference.as_str().to_owned()),
        description: request.caller_description.as_ref().map(|text| text.expose().to_owned()),
        ..NewRefund::default()
    };
    let (now, processing) = (context.now, context.processing);
    let refund = payments::begin_refund(context.connection, &stored, &plan, &new, now, processing)?;
    Ok(RefundResult::new(new.id, refund_status(refund.state)))
}

/// The code for a rule. The sentences are the sandbox's own: none of the service's survive.
fn refused(refusal: &Refusal) -> Stop {
    let code = match refusal.rule() {
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

//! Refund: the rules decide, the books follow.

use fps_model::flexible_payments::{ErrorCode, MarketplaceRefundPolicy, Refund, RefundResult};
use refund_rules::{PaymentState, Policy, Refusal, Rule, Scope, Wish, decide};

use super::get_transaction_status::refund_status;
use super::{Context, no_such_transaction, stop};
use crate::books::{self, Account};
use crate::error::Error;
use crate::idempotency::Stop;
use crate::payments::{self, NewRefund};
use crate::{ids, notifications};

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
    let currency = plan.amount().currency();
    let available =
        books::balance(context.connection, context.owner(), Account::Merchant, currency)?;
    let needed = plan.amount().checked_sub(plan.fee_returned()).map_err(broken)?;
    if available.try_cmp(needed).map_err(broken)?.is_lt() {
        let message = "The balance of the recipient is too low for this refund.";
        return Err(stop(ErrorCode::InsufficientBalance, message));
    }
    let new = NewRefund {
        id: ids::transaction_id()?,
        reference: Some(request.caller_reference.as_str().to_owned()),
        description: request.caller_description.as_ref().map(|text| text.expose().to_owned()),
        soft_descriptor: None,
    };
    let (now, processing) = (context.now, context.processing);
    let state = payments::begin_refund(context.connection, &stored, &plan, &new, now, processing)?;
    if let Some((refund, stored)) = payments::load_refund(context.connection, &new.id)? {
        notifications::refund_changed(context.connection, &refund, &stored, now)?;
    }
    Ok(RefundResult::new(new.id, refund_status(state)))
}

fn broken(error: refund_rules::MoneyError) -> Stop {
    Stop::Broken(Error::with(crate::error::ErrorKind::Invalid, error))
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

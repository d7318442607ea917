//! GetTransaction: everything about a payment or refund of the merchant's own.

use fps_model::flexible_payments::{
    FpsOperation, GetTransaction, GetTransactionResult, RelatedTransaction, RelationType,
    StatusHistory, TransactionDetail, TransactionStatus, TransactionalRole,
};

use refund_rules::{Money, RefundState};

use super::get_transaction_status::{
    describe_payment, describe_refund, payment_status, refund_status,
};
use super::{Context, PENDING, no_such_transaction, wire_method};
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::merchants;
use crate::notifications::{BUYER_EMAIL, BUYER_NAME};
use crate::payments::{self, StoredPayment, StoredRefund};

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetTransaction,
) -> Result<GetTransactionResult, Stop> {
    let id = request.transaction_id.as_str();
    let detail = match context.owner().refund(context.connection, id)? {
        Some((refund, stored)) => refund_detail(&refund, &stored)?,
        None => {
            let stored = context.owner().payment(context.connection, id)?;
            payment_detail(context, &stored.ok_or_else(|| no_such_transaction(id))?)?
        }
    };
    let merchant = merchants::profile(context.connection, context.merchant)?;
    let detail = detail
        .fps_fees_paid_by(TransactionalRole::Recipient)
        .sender_name(BUYER_NAME)
        .sender_email(BUYER_EMAIL)
        .caller_name(merchant.name.as_str())
        .recipient_name(merchant.name.as_str())
        .recipient_email(merchant.email);
    Ok(GetTransactionResult::new().transaction(detail))
}

fn payment_detail(
    context: &Context<'_>,
    stored: &StoredPayment,
) -> Result<TransactionDetail, Stop> {
    let (code, message) = describe_payment(stored);
    let mut detail = TransactionDetail::new(
        stored.id.as_str(),
        clock::timestamp(stored.created_at),
        stored.payment.captured(),
        FpsOperation::Pay,
        wire_method(stored.payment.method()),
        payment_status(stored.state),
    )
    .status_code(code)
    .status_message(message)
    .fps_fees(stored.payment.fee());
    detail.caller_reference.clone_from(&stored.reference);
    detail.caller_description = stored.description.clone().map(Into::into);
    detail.sender_token_id = stored.token.clone().map(Into::into);
    for refund in payments::refund_ids(context.connection, &stored.id)? {
        let related = RelatedTransaction::new(refund).relation_type(RelationType::Refund);
        detail = detail.related_transaction(related);
    }
    Ok(with_history(detail, stored.created_at, stored.completed_at))
}

/// Of a refund, the fee is what came back, and so below zero; nothing of a declined one.
fn refund_detail(refund: &StoredRefund, stored: &StoredPayment) -> Result<TransactionDetail, Stop> {
    let status = refund_status(refund.state);
    let (code, message) = describe_refund(refund);
    let fee = match refund.state {
        RefundState::Declined => Ok(Money::zero(refund.amount.currency())),
        _ => refund.fee_returned.checked_neg(),
    };
    let ended_at = (status != TransactionStatus::Pending).then_some(refund.updated_at);
    let parent =
        RelatedTransaction::new(refund.payment.as_str()).relation_type(RelationType::Parent);
    let mut detail = TransactionDetail::new(
        refund.id.as_str(),
        clock::timestamp(refund.created_at),
        refund.amount,
        FpsOperation::Refund,
        wire_method(stored.payment.method()),
        status,
    )
    .status_code(code)
    .status_message(message)
    .fps_fees(fee.map_err(|error| Error::with(ErrorKind::Invalid, error))?)
    .related_transaction(parent);
    detail.caller_reference.clone_from(&refund.reference);
    detail.caller_description = refund.description.clone().map(Into::into);
    Ok(with_history(detail, refund.created_at, ended_at))
}

/// The steps: pending at first, and the end where there is one.
fn with_history(
    mut detail: TransactionDetail,
    created_at: clock::Millis,
    ended_at: Option<clock::Millis>,
) -> TransactionDetail {
    let began = StatusHistory::new(clock::timestamp(created_at), TransactionStatus::Pending)
        .status_code(PENDING.0);
    detail = detail.status_history(began);
    if let Some(ended_at) = ended_at {
        let status = detail.transaction_status.clone();
        let mut ended = StatusHistory::new(clock::timestamp(ended_at), status);
        ended.status_code.clone_from(&detail.status_code);
        detail = detail.date_completed(clock::timestamp(ended_at)).status_history(ended);
    }
    detail
}

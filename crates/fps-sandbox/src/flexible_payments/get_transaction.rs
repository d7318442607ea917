//! GetTransaction: everything about a payment or refund that the caller executed.

use fps_model::flexible_payments::{
    CreditInstrumentId, GetTransaction, GetTransactionResult, PrepaidInstrumentId,
    RelatedTransaction, RelationType, StatusHistory, TransactionDetail,
};
use refund_rules::Scope;

use super::status::{PENDING, status_of, under_way};
use super::view::{People, View};
use super::{Context, no_such_transaction};
use crate::clock;
use crate::error::Error;
use crate::idempotency::Stop;
use crate::instruments::{self, Kind};
use crate::merchants;
use crate::notifications::{BUYER_EMAIL, BUYER_NAME};
use crate::payments::{self, State, StoredPayment};

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetTransaction,
) -> Result<GetTransactionResult, Stop> {
    let id = request.transaction_id.as_str();
    let dialect = context.dialect;
    let (view, stored) = match context.owner().refund(context.connection, id)? {
        Some((refund, stored)) => (View::of_refund(&refund, &stored, dialect)?, stored),
        None => {
            let stored = context.owner().payment(context.connection, id)?;
            let stored = stored.ok_or_else(|| no_such_transaction(id))?;
            (View::of_payment(&stored, dialect)?, stored)
        }
    };
    let mut detail = describe(&view);
    if view.parent.is_none() {
        tell_tokens(context, &view, &stored, &mut detail)?;
        for refund in payments::refund_ids(context.connection, &stored.id)? {
            let relation = relation(context, &stored, &refund)?;
            let related = RelatedTransaction::new(refund).relation_type(relation);
            detail = detail.related_transaction(related);
        }
    }
    let people = people(context, &stored)?;
    let own = stored.merchant == stored.recipient;
    detail.sender_name = Some(BUYER_NAME.into());
    // Source: FPS 2008-09-17 API reference, GetTransaction: only if the caller is the recipient, too.
    detail.sender_email = own.then(|| BUYER_EMAIL.into());
    for part in view.parts(&stored, &people) {
        detail = detail.transaction_parts(part);
    }
    let detail = detail
        .caller_name(people.caller.name)
        .recipient_name(people.recipient.name)
        .recipient_email(people.recipient.email);
    let detail = with_history(context, detail, &view, &stored)?;
    Ok(GetTransactionResult::new().transaction(detail))
}

/// What a refund is to its payment. One of the marketplace's fee alone gives the sender nothing, and is
/// not told as one that does; that it is told so is the sandbox's choice.
fn relation(
    context: &Context<'_>,
    stored: &StoredPayment,
    refund: &str,
) -> Result<RelationType, Error> {
    if stored.merchant == stored.recipient {
        return Ok(RelationType::Refund);
    }
    let found = payments::load_refund(context.connection, refund)?;
    let of_fee = found.is_some_and(|(refund, _)| refund.scope == Scope::MarketplaceFee);
    Ok(if of_fee { RelationType::MarketplaceFee } else { RelationType::Refund })
}

/// The merchants in a transaction.
pub(super) fn people(context: &Context<'_>, stored: &StoredPayment) -> Result<People, Error> {
    let profile = |merchant| merchants::profile(context.connection, merchant);
    Ok(People { caller: profile(stored.merchant)?, recipient: profile(stored.recipient)? })
}

fn describe(view: &View) -> TransactionDetail {
    let mut detail = TransactionDetail::new(
        view.id.as_str(),
        clock::timestamp(view.received),
        view.amount,
        view.operation.clone(),
        view.method.clone(),
        view.status.clone(),
    )
    .status_code(view.code.as_str())
    .status_message(view.message)
    .fps_fees(view.fee)
    .fps_fees_paid_by(view.fee_payer.clone());
    detail.caller_transaction_date =
        Some(clock::timestamp(view.details.transaction_date.unwrap_or(view.received)));
    detail.marketplace_fees = view.marketplace_fee;
    detail.caller_reference.clone_from(&view.reference);
    detail.caller_description = view.description.clone().map(Into::into);
    detail.meta_data.clone_from(&view.details.meta_data);
    if let Some(parent) = &view.parent {
        let related = RelatedTransaction::new(parent.as_str()).relation_type(RelationType::Parent);
        detail = detail.related_transaction(related);
    }
    detail
}

/// The tokens and the instrument of a payment; a refund tells none. Source: the samples.
fn tell_tokens(
    context: &Context<'_>,
    view: &View,
    stored: &StoredPayment,
    detail: &mut TransactionDetail,
) -> Result<(), Error> {
    detail.sender_description = stored.sender_description.clone().map(Into::into);
    detail.caller_token_id = view.details.caller_token.clone().map(Into::into);
    detail.sender_token_id = stored.token.clone().map(Into::into);
    detail.recipient_token_id = stored.recipient_token.clone().map(Into::into);
    let Some(id) = &stored.instrument else { return Ok(()) };
    match instruments::load(context.connection, id)?.map(|instrument| instrument.kind) {
        Some(Kind::Prepaid) => {
            detail.prepaid_instrument_id = Some(PrepaidInstrumentId::new(id.as_str()));
        }
        Some(Kind::Postpaid) => {
            detail.credit_instrument_id = Some(CreditInstrumentId::new(id.as_str()));
        }
        None => {}
    }
    Ok(())
}

/// The steps: pending at first, and what it became afterwards.
fn with_history(
    context: &Context<'_>,
    mut detail: TransactionDetail,
    view: &View,
    stored: &StoredPayment,
) -> Result<TransactionDetail, Error> {
    let pending = under_way(context.dialect);
    let step = |at, status, code: &str, amount| {
        StatusHistory::new(clock::timestamp(at), status).status_code(code).amount(amount)
    };
    let began = if view.parent.is_some() { view.amount } else { stored.amount };
    detail = detail.status_history(step(view.received, pending, PENDING.0, began));
    if let Some(completed) = view.completed {
        detail = detail.date_completed(clock::timestamp(completed));
        if view.parent.is_some() {
            let ended = step(completed, view.status.clone(), &view.code, view.amount);
            detail = detail.status_history(ended);
        }
    }
    if view.parent.is_none() {
        for taken in payments::steps(context.connection, stored)? {
            let status = status_of(taken.state, stored, context.dialect);
            let code = match taken.state {
                state if state == stored.state => view.code.as_str(),
                State::Capturing => PENDING.0,
                _ => "Success",
            };
            detail = detail.status_history(step(taken.at, status, code, taken.amount));
        }
    }
    Ok(detail)
}

//! The payments of rows: as a row says, as another ledger knows, or as the provider says.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use refund_ledger::{Filter, Ledger, NewPayment, PaymentRecord};
use refund_rules::{Executor, Method, Money, Payment, PaymentError, Policy};

use crate::ask::{AT_ONCE, patiently};
use crate::clock::Clock;
use crate::gateway::{Gateway, Looked};
use crate::input::Row;
use crate::input::row::Fault;
use crate::plan::PlanError;

/// The payment as the row says, if it says so.
pub(crate) fn of_row(
    provider: &str,
    row: &Row,
    policy: &Policy,
) -> Result<Option<NewPayment>, Fault> {
    let Some(captured) = row.captured else { return Ok(None) };
    let payment = said(row, captured).map_err(|error| Fault::new("payment", error.to_string()))?;
    named(provider, row, payment, policy).map(Some)
}

/// The payment, with what the row calls it.
pub(crate) fn named(
    provider: &str,
    row: &Row,
    payment: Payment,
    policy: &Policy,
) -> Result<NewPayment, Fault> {
    let new = NewPayment::new(provider, &*row.payment, payment, policy);
    let mut new = new.map_err(|error| Fault::new("payment", error.to_string()))?;
    if let Some(reference) = &row.caller_reference {
        new = new.caller_reference(reference);
    }
    if let Some(at) = row.completed_at {
        new = new.completed_at(at);
    }
    Ok(new)
}

fn said(row: &Row, captured: Money) -> Result<Payment, PaymentError> {
    let mut payment = Payment::completed(captured, row.method.unwrap_or(Method::Card))?;
    if let Some(fee) = row.fee {
        payment = payment.with_fee(fee)?;
    }
    if let Some(refunded) = row.refunded {
        payment = payment.with_refunded(refunded)?;
    }
    match row.refunds {
        Some(refunds) => payment.with_refunds(refunds),
        None => Ok(payment),
    }
}

/// A payment as a ledger knows it now, without what a batch of it holds that was never sent.
pub(crate) async fn known(
    ledger: &Ledger,
    (provider, id): (&str, &str),
    without: Option<&str>,
    policy: impl Fn(refund_rules::Currency) -> Policy,
) -> Result<Option<NewPayment>, PlanError> {
    let Some(mut record) = ledger.payment(provider, id).await? else { return Ok(None) };
    if let Some(batch) = without {
        let filter = Filter::new().batch(batch).provider(provider).payment(id);
        for intent in ledger.intents(filter).await? {
            let less = |from: Money, what: Money| from.checked_sub(what).unwrap_or(from);
            record.pending = less(record.pending, intent.facts.amount);
            record.fee_returned = less(record.fee_returned, intent.facts.fee);
            record.refunds = record.refunds.saturating_sub(1);
        }
    }
    let policy = policy(record.facts.payment.captured().currency());
    let invalid = || PlanError::Unanswered { why: format!("the ledger's payment {id} is odd") };
    let payment = as_now(&record).map_err(|_| invalid())?;
    Ok(Some(NewPayment::new(provider, id, payment, &policy)?))
}

fn as_now(record: &PaymentRecord) -> Result<Payment, PaymentError> {
    let before = &record.facts.payment;
    let mut payment = Payment::completed(before.captured(), before.method())?
        .with_kind(before.kind())
        .with_state(before.state())
        .with_fee(before.fee())?
        .with_fee_payer(before.fee_payer())?
        .with_refunded(record.refunded)?
        .with_pending(record.pending)?
        .with_unknown(record.unknown)?
        .with_refunds(record.refunds)?;
    if before.executor() == Executor::Marketplace {
        payment = payment.with_marketplace_fee(before.marketplace_fee())?;
        if let Some(held) = before.marketplace_fee_held() {
            payment = payment.with_marketplace_fee_held(held)?;
        }
    }
    if payment.held().is_zero() {
        Ok(payment)
    } else {
        payment.with_fee_returned(record.fee_returned)
    }
}

/// What the provider says of a payment: itself, or the code with which it says nothing.
pub(crate) type LookedUp = (String, Result<Option<Payment>, String>);

/// Asks the provider for payments, some at once, each until it answers.
pub(crate) async fn look_up(
    gateway: &dyn Gateway,
    clock: &dyn Clock,
    ids: BTreeSet<String>,
) -> Result<Vec<LookedUp>, PlanError> {
    let asked = stream::iter(ids).map(|id| async move {
        let answer = ask(gateway, clock, &id).await?;
        Ok((id, answer))
    });
    let answers: Vec<Result<LookedUp, PlanError>> = asked.buffer_unordered(AT_ONCE).collect().await;
    answers.into_iter().collect()
}

async fn ask(
    gateway: &dyn Gateway,
    clock: &dyn Clock,
    id: &str,
) -> Result<Result<Option<Payment>, String>, PlanError> {
    match patiently(clock, || gateway.payment(id)).await {
        Looked::Told(payment) => Ok(Ok(payment)),
        Looked::Refused { code } => Ok(Err(code)),
        Looked::Unauthorized { code } => Err(PlanError::Unauthorized { code }),
        Looked::Later { why } => Err(PlanError::Unanswered { why }),
    }
}

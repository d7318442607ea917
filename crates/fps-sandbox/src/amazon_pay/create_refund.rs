//! CreateRefund: the rules decide, the books follow.

use fps_model::amazon_pay::{CreateRefund, ReasonCode, Refund};
use refund_rules::{Policy, Refusal, Rule, Wish, decide};

use super::{Context, stop};
use crate::idempotency::Stop;
use crate::ids;
use crate::payments::{self, NewRefund};

pub(super) fn perform(context: &Context<'_>, request: &CreateRefund) -> Result<Refund, Stop> {
    let id = request.charge_id.as_str();
    let Some(stored) = context.owner().payment(context.connection, id)? else {
        return Err(stop(ReasonCode::ResourceNotFound, "No charge has this id."));
    };
    let policy = Policy::amazon_pay(stored.payment.captured().currency());
    let plan = decide(&stored.payment, &Wish::amount(request.refund_amount), &policy)
        .into_result()
        .map_err(|refusal| refused(&refusal))?;
    let new = NewRefund {
        id: free_id(context, id)?,
        reference: Some(request.idempotency_key.as_str().to_owned()),
        soft_descriptor: request.soft_descriptor.clone(),
        ..NewRefund::default()
    };
    let (now, processing) = (context.now, context.processing);
    payments::begin_refund(context.connection, &stored, &plan, &new, now, processing)?;
    super::get_refund::find(context, &new.id)
}

/// The six digits of a refund's id leave room for chance to repeat itself.
fn free_id(context: &Context<'_>, charge_id: &str) -> Result<String, Stop> {
    loop {
        let id = ids::refund_id(charge_id)?;
        if payments::load_refund(context.connection, &id)?.is_none() {
            return Ok(id);
        }
    }
}

/// The reason for a rule. The sentences are the sandbox's own: those of the service are not known.
fn refused(refusal: &Refusal) -> Stop {
    let code = match refusal.rule() {
        Rule::Completed(_) | Rule::Kind(_) => ReasonCode::InvalidChargeStatus,
        Rule::Currency => ReasonCode::CurrencyMismatch,
        Rule::NothingLeft | Rule::Remaining | Rule::SingleMaximum => {
            ReasonCode::TransactionAmountExceeded
        }
        Rule::Count => ReasonCode::TransactionCountExceeded,
        _ => ReasonCode::InvalidParameterValue,
    };
    stop(code, refusal.to_string())
}

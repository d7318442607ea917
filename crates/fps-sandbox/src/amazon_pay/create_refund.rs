//! CreateRefund: the rules decide, the books follow.

use fps_model::amazon_pay::{CreateRefund, ReasonCode};
use refund_rules::{Policy, Refusal, Rule, Wish, decide};

use super::refusals::stop;
use super::{Context, Perform, charges, get_refund};
use crate::idempotency::{Reply, Stop};
use crate::ids;
use crate::payments::{self, NewRefund};

impl Perform for CreateRefund {
    /// That there are codes for refunds says the FAQ of Amazon Pay in Japan, QA-9; which ones there are
    /// could not be found. These two, the reasons of declined refunds, are the sandbox's choice.
    const SIMULATES: &'static [&'static str] = &["AmazonRejected", "ProcessingFailure"];

    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let id = self.charge_id.as_str();
        let stored = charges::find(context, id)?;
        let policy = Policy::amazon_pay(stored.payment.captured().currency());
        let plan = decide(&stored.payment, &Wish::amount(self.refund_amount), &policy)
            .into_result()
            .map_err(|refusal| refused(&refusal))?;
        if let Some(reason) = context.simulated.filter(|_| context.at_once) {
            return Err(stop(reason.into(), "Declined, as the request asked to simulate."));
        }
        let new = NewRefund {
            id: free_id(context, id)?,
            reference: Some(self.idempotency_key.as_str().to_owned()),
            soft_descriptor: self.soft_descriptor.clone(),
            decline: context.simulated.map(str::to_owned),
            ..NewRefund::default()
        };
        let (now, processing) = (context.now, context.shared.processing);
        payments::begin_refund(context.connection, &stored, &plan, &new, now, processing)?;
        Ok(Self::reply(get_refund::find(context, &new.id)?))
    }
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

//! What would be written down of a wish, or the rule that forbids it; the rules are those of
//! `refund-rules`, asked with all that is held by now.

use refund_rules::{Decision, Refusal, Wish, decide};

use crate::error::Error;
use crate::intent::{IntentFacts, NewIntent};
use crate::payment::{PaymentFacts, Sums};
use crate::rows::impossible;
use crate::time::Millis;

pub(crate) fn judge(
    facts: &PaymentFacts,
    sums: &Sums,
    new: &NewIntent,
    at: Millis,
) -> Result<Result<IntentFacts, Refusal>, Error> {
    let payment = facts.with(sums).map_err(|error| impossible(facts, &error))?;
    let wish = new.amount.map_or(Wish::rest(), Wish::amount);
    let wish = wish.with_scope(new.scope).with_asker(facts.asker);
    let plan = match decide(&payment, &wish, &facts.policy) {
        Decision::Allow(plan) => plan,
        Decision::Refuse(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok(IntentFacts {
        key: new.key.clone(),
        key_life: new.key_life,
        amount: plan.amount(),
        is_rest: new.amount.is_none(),
        scope: new.scope,
        fee: plan.fee_returned(),
        marketplace_fee: plan.marketplace_fee_returned(),
        batch: new.batch.clone(),
        row: new.row,
        content: new.content.clone(),
        reference: new.reference.clone(),
        details: new.details.clone(),
        prepared_at: at,
    }))
}

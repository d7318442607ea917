//! May an intent be prepared? The numeric rules of `refund_rules::decide`, on stored numbers; a test
//! holds the two together.

use refund_rules::{Limit, Money, MoneyError, Payment, Rounding, Rule, Scope};

use crate::error::{Error, ErrorKind};
use crate::intent::{IntentFacts, NewIntent, Refused};
use crate::payment::{PaymentFacts, Sums};
use crate::time::Millis;

/// What would be written down, or the rule that forbids it.
pub(crate) fn judge(
    payment: &PaymentFacts,
    sums: &Sums,
    wish: &NewIntent,
    at: Millis,
) -> Result<Result<IntentFacts, Refused>, Error> {
    let currency = payment.payment.captured().currency();
    let refuse = |rule| Ok(Err(Refused { rule, limit: None }));
    if let Some(rule) = payment.barred_by() {
        return refuse(rule);
    }
    if wish.amount.is_some_and(|amount| amount.currency() != currency) {
        return refuse(Rule::Currency);
    }
    if wish.scope != Scope::Payment && !payment.has_marketplace {
        return refuse(Rule::Marketplace);
    }
    if wish.scope != Scope::Payment && payment.payment.marketplace_fee_held().is_none() {
        return refuse(Rule::MarketplaceFeeHeld);
    }
    let amount = match amount(payment, sums, wish) {
        Ok(amount) => amount,
        Err(refused) => return Ok(Err(refused)),
    };
    let too_large = |error| Error::with(ErrorKind::Invalid("amount"), error);
    let (fee, share) = fees(payment, sums, wish.scope, amount).map_err(too_large)?;
    let money = |minor| Money::from_minor(minor, currency);
    Ok(Ok(IntentFacts {
        key: wish.key.clone(),
        key_life: wish.key_life,
        amount: money(amount),
        is_rest: wish.amount.is_none(),
        scope: wish.scope,
        fee: money(fee),
        marketplace_fee: money(share),
        batch: wish.batch.clone(),
        row: wish.row,
        content: wish.content.clone(),
        reference: wish.reference.clone(),
        details: wish.details.clone(),
        prepared_at: at,
    }))
}

fn amount(payment: &PaymentFacts, sums: &Sums, wish: &NewIntent) -> Result<i64, Refused> {
    let snapshot = &payment.payment;
    let held = sums.held();
    let (most, rest) = match wish.scope {
        Scope::Payment | Scope::PaymentAndMarketplaceFee => (
            payment.cap.minor().saturating_sub(held),
            snapshot.captured().minor().saturating_sub(held).max(0),
        ),
        Scope::MarketplaceFee => {
            let left = snapshot.marketplace_fee().minor().saturating_sub(sums.marketplace_held);
            (left, left)
        }
    };
    let limit = |rule, minor| {
        let limit = Limit::Amount(Money::from_minor(minor, snapshot.captured().currency()));
        Refused { rule, limit: Some(limit) }
    };
    let amount = wish.amount.map_or(rest, Money::minor);
    if most <= 0 || (wish.amount.is_none() && rest == 0) {
        return Err(Refused { rule: Rule::NothingLeft, limit: None });
    }
    if amount < payment.minimum.minor() {
        return Err(limit(Rule::Minimum, payment.minimum.minor()));
    }
    if let Some(single) = payment.single_max
        && amount > single.minor()
    {
        return Err(limit(Rule::SingleMaximum, single.minor()));
    }
    if amount > most {
        return Err(limit(Rule::Remaining, most));
    }
    if let Some(most) = payment.refunds_max
        && sums.refunds >= i64::from(most)
    {
        return Err(Refused { rule: Rule::Count, limit: Some(Limit::Refunds(most)) });
    }
    Ok(amount)
}

/// What comes back of the provider's fee and of the marketplace's, by difference to what did before.
fn fees(
    facts: &PaymentFacts,
    sums: &Sums,
    scope: Scope,
    amount: i64,
) -> Result<(i64, i64), MoneyError> {
    let payment = &facts.payment;
    let currency = payment.captured().currency();
    let held = Money::from_minor(sums.held(), currency);
    let after = held.checked_add(Money::from_minor(amount, currency))?;
    let fee = || {
        let due = payment.fee_returned_after(after)?.minor().saturating_sub(sums.fee_returned);
        Ok(due.max(0))
    };
    match scope {
        Scope::Payment => Ok((fee()?, 0)),
        Scope::MarketplaceFee => Ok((0, amount)),
        Scope::PaymentAndMarketplaceFee => {
            let left = payment.marketplace_fee().minor().saturating_sub(sums.marketplace_held);
            let share = marketplace_share(payment, after)?
                .saturating_sub(marketplace_share(payment, held)?)
                .min(left);
            Ok((fee()?, share))
        }
    }
}

fn marketplace_share(payment: &Payment, total: Money) -> Result<i64, MoneyError> {
    if total.minor() >= payment.captured().minor() {
        return Ok(payment.marketplace_fee().minor());
    }
    let share = payment.marketplace_fee().share(total, payment.captured(), Rounding::HalfEven)?;
    Ok(share.minor())
}

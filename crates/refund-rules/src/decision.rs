//! May this refund be made? The rules, in order of precedence; moves nothing.
//!
//! 1. who asks has executed the payment ([`Rule::Caller`]);
//! 2. and holds the recipient's grant, where one is needed ([`Rule::Grant`]);
//! 3. the payment is completed ([`Rule::Completed`]);
//! 4. it is of a kind that can be refunded ([`Rule::Kind`]);
//! 5. the payment is in the currency that the policy is for, and the wish is in that of the payment
//!    ([`Rule::Currency`]);
//! 6. it has a marketplace, if a marketplace fee is to go back ([`Rule::Marketplace`]), and it is
//!    known how much of that fee is held already ([`Rule::MarketplaceFeeHeld`]);
//! 7. something is left ([`Rule::NothingLeft`]);
//! 8. the wish is not below the smallest single refund ([`Rule::Minimum`]);
//! 9. it is not above the largest single refund ([`Rule::SingleMaximum`]);
//! 10. it is not above what is left ([`Rule::Remaining`]);
//! 11. there are not too many refunds already ([`Rule::Count`]).
//!
//! The first rule that is broken is the answer. Numbers beyond any that can be paid are refused where
//! they are met ([`Rule::Calculable`]).

use crate::authority::{Operation, Role};
use crate::legs::Legs;
use crate::money::Money;
use crate::payment::{Executor, Method, Payment, PaymentState};
use crate::plan::{Destination, Plan, Timing};
use crate::policy::{GrantNeeded, Policy, Settles, Source};
use crate::refusal::{Broken, Limit, Refusal, Rule};
use crate::wish::{Scope, Wish};

/// The answer to a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[must_use = "a decision that nobody reads decides nothing"]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum Decision {
    /// It may be refunded, and this is what would happen.
    Allow(Plan),
    /// It may not, and this is the rule that forbids it.
    Refuse(Refusal),
}

impl Decision {
    /// The plan, or the refusal as an error.
    ///
    /// # Errors
    /// The [`Refusal`].
    pub fn into_result(self) -> Result<Plan, Refusal> {
        match self {
            Self::Allow(plan) => Ok(plan),
            Self::Refuse(refusal) => Err(refusal),
        }
    }
}

/// Decides a wish: pure, so that a dry run and the real thing cannot differ.
pub fn decide(payment: &Payment, wish: &Wish, policy: &Policy) -> Decision {
    match plan(payment, wish, policy) {
        Ok(plan) => Decision::Allow(plan),
        Err(broken) => Decision::Refuse(Refusal::new(&broken, wish.asked())),
    }
}

fn plan(payment: &Payment, wish: &Wish, policy: &Policy) -> Result<Plan, Broken> {
    may_ask(payment, wish, policy)?;
    may_be_refunded(payment, wish, policy)?;
    let cap = policy.cap(payment.captured())?;
    let marketplace_fee_left = marketplace_fee_left(payment, wish.scope())?;
    let room = match wish.scope() {
        Scope::Payment | Scope::PaymentAndMarketplaceFee => Room {
            most: cap.checked_sub(payment.held())?,
            rest: at_least_zero(payment.captured().checked_sub(payment.held())?),
            source: Some(policy.overage().source()),
        },
        Scope::MarketplaceFee => {
            Room { most: marketplace_fee_left, rest: marketplace_fee_left, source: None }
        }
    };
    let amount = amount(payment, wish, policy, &room)?;
    let zero = Money::zero(amount.currency());
    let (marketplace_fee, held) = match wish.scope() {
        Scope::Payment => (zero, payment.held().checked_add(amount)?),
        Scope::MarketplaceFee => (amount, payment.held()),
        Scope::PaymentAndMarketplaceFee => {
            let share = payment.marketplace_fee_share(amount, marketplace_fee_left)?;
            (share, payment.held().checked_add(amount)?)
        }
    };
    let fee = match wish.scope() {
        Scope::MarketplaceFee => zero,
        // A decline can leave a minor unit too much behind: that is not taken back.
        Scope::Payment | Scope::PaymentAndMarketplaceFee => {
            at_least_zero(payment.fee_returned_after(held)?.checked_sub(payment.fee_returned()?)?)
        }
    };
    let legs = Legs::new(wish.scope(), amount, marketplace_fee, fee, payment.fee_returned_to())?;
    Ok(Plan {
        amount,
        fee_returned: fee,
        marketplace_fee_returned: marketplace_fee,
        legs,
        destination: destination(payment.method(), wish.scope()),
        timing: timing(payment.method(), wish.scope(), policy.settles()),
        remaining: at_least_zero(payment.captured().checked_sub(held)?),
        remaining_with_overage: at_least_zero(cap.checked_sub(held)?),
    })
}

fn may_ask(payment: &Payment, wish: &Wish, policy: &Policy) -> Result<(), Rule> {
    let needed = match (policy.grant(), payment.executor()) {
        (GrantNeeded::NoMarketplaces, _) | (GrantNeeded::Marketplace, Executor::Recipient) => false,
        (GrantNeeded::Marketplace, Executor::Marketplace) | (GrantNeeded::Always, _) => true,
    };
    if !wish.asker().executed() {
        return Err(Rule::Caller);
    }
    // The recipient of the payment is the sender of the refund.
    if needed && !wish.asker().grants().allow(Role::Sender, Operation::Refund) {
        return Err(Rule::Grant);
    }
    Ok(())
}

fn may_be_refunded(payment: &Payment, wish: &Wish, policy: &Policy) -> Result<(), Rule> {
    if payment.state() != PaymentState::Completed {
        return Err(Rule::Completed(payment.state()));
    }
    if !policy.kinds().contains(&payment.kind()) {
        return Err(Rule::Kind(payment.kind()));
    }
    let currency = payment.captured().currency();
    let asked = wish.asked().map_or(currency, Money::currency);
    if policy.currency() != currency || asked != currency {
        return Err(Rule::Currency);
    }
    let marketplace = payment.executor() == Executor::Marketplace
        && policy.grant() != GrantNeeded::NoMarketplaces;
    if wish.scope() != Scope::Payment && !marketplace {
        return Err(Rule::Marketplace);
    }
    Ok(())
}

/// What is left of the marketplace fee, when some of it is to go back.
fn marketplace_fee_left(payment: &Payment, scope: Scope) -> Result<Money, Broken> {
    match (scope, payment.marketplace_fee_held()) {
        (Scope::Payment, _) => Ok(Money::zero(payment.captured().currency())),
        (_, Some(held)) => Ok(payment.marketplace_fee().checked_sub(held)?),
        (_, None) => Err(Rule::MarketplaceFeeHeld.into()),
    }
}

/// What may go back.
struct Room {
    /// At most.
    most: Money,
    /// When no amount is asked for.
    rest: Money,
    /// Where the most is known from.
    source: Option<Source>,
}

fn amount(payment: &Payment, wish: &Wish, policy: &Policy, room: &Room) -> Result<Money, Broken> {
    let amount = wish.asked().unwrap_or(room.rest);
    if room.most.minor() <= 0 || (wish.asked().is_none() && room.rest.is_zero()) {
        return Err(Rule::NothingLeft.into());
    }
    let least = policy.minimum();
    if amount.try_cmp(least.value())?.is_lt() {
        return Err(Broken::by(Rule::Minimum, Limit::Amount(least.value()), Some(least.source())));
    }
    if let Some(most) = policy.single_max()
        && amount.try_cmp(most.value())?.is_gt()
    {
        return Err(Broken::by(
            Rule::SingleMaximum,
            Limit::Amount(most.value()),
            Some(most.source()),
        ));
    }
    if amount.try_cmp(room.most)?.is_gt() {
        return Err(Broken::by(Rule::Remaining, Limit::Amount(room.most), room.source));
    }
    if let Some(most) = policy.refunds_max()
        && payment.refunds() >= most.value()
    {
        return Err(Broken::by(Rule::Count, Limit::Refunds(most.value()), Some(most.source())));
    }
    Ok(amount)
}

fn at_least_zero(amount: Money) -> Money {
    if amount.is_negative() { Money::zero(amount.currency()) } else { amount }
}

fn destination(method: Method, scope: Scope) -> Destination {
    match (scope, method) {
        (Scope::MarketplaceFee, _) | (_, Method::Bank | Method::Balance) => {
            Destination::AccountBalance
        }
        (_, Method::Card) => Destination::Card,
        (_, Method::Prepaid) => Destination::PrepaidBalance,
        (_, Method::Postpaid) => Destination::PostpaidDebt,
    }
}

fn timing(method: Method, scope: Scope, settles: Settles) -> Timing {
    match (settles, scope, method) {
        // A marketplace fee goes from balance to balance.
        (Settles::ByMethod, Scope::MarketplaceFee, _) => Timing::AtOnce,
        (Settles::Later, ..) | (Settles::ByMethod, _, Method::Card) => Timing::Later,
        (Settles::ByMethod, ..) => Timing::AtOnce,
    }
}

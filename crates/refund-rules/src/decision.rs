//! May this refund be made? The rules, in order of precedence; moves nothing.
//!
//! 1. the payment is completed ([`Rule::Completed`]);
//! 2. it is of a kind that can be refunded ([`Rule::Kind`]);
//! 3. the payment is in a currency that the policy is for, and the wish is in that of the payment
//!    ([`Rule::Currency`]);
//! 4. something is left ([`Rule::NothingLeft`]);
//! 5. the wish is at least one minor unit ([`Rule::Minimum`]);
//! 6. it is not above the largest single refund ([`Rule::SingleMaximum`]);
//! 7. it is not above what is left ([`Rule::Remaining`]);
//! 8. there are not too many refunds already ([`Rule::Count`]).
//!
//! The first rule that is broken is the answer.

use core::fmt;

use crate::money::{Money, MoneyError};
use crate::payment::{Method, Payment, PaymentKind, PaymentState};
use crate::policy::{Policy, Settles};
use crate::rounding::Rounding;

/// What somebody asks to be refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    amount: Option<Money>,
}

impl Wish {
    /// This amount.
    #[must_use]
    pub const fn amount(amount: Money) -> Self {
        Self { amount: Some(amount) }
    }

    /// Whatever remains of the captured amount, without any overage.
    #[must_use]
    pub const fn rest() -> Self {
        Self { amount: None }
    }

    /// The amount, unless the rest was asked for.
    #[must_use]
    pub const fn asked(&self) -> Option<Money> {
        self.amount
    }
}

/// The answer to a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What a refund would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    amount: Money,
    fee_returned: Money,
    destination: Destination,
    timing: Timing,
    remaining: Money,
    remaining_with_overage: Money,
}

impl Plan {
    /// What the buyer gets back.
    #[must_use]
    pub const fn amount(&self) -> Money {
        self.amount
    }

    /// What Amazon returns of its fee for this refund.
    #[must_use]
    pub const fn fee_returned(&self) -> Money {
        self.fee_returned
    }

    /// Where the money goes.
    #[must_use]
    pub const fn destination(&self) -> Destination {
        self.destination
    }

    /// Is the outcome known at once?
    #[must_use]
    pub const fn timing(&self) -> Timing {
        self.timing
    }

    /// What remains of the captured amount afterwards, never below zero.
    #[must_use]
    pub const fn remaining(&self) -> Money {
        self.remaining
    }

    /// What may still be refunded afterwards, the policy's overage included.
    #[must_use]
    pub const fn remaining_with_overage(&self) -> Money {
        self.remaining_with_overage
    }
}

/// Where a refund goes. Source: the refund rules of the FPS 2007-01-08 developer guide; prepaid and
/// postpaid credit by the FPS 2008-09-17 guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "one for each way to pay")]
pub enum Destination {
    /// The card that was charged.
    Card,
    /// The buyer's account balance, also for payments from a bank account.
    AccountBalance,
    /// The prepaid instrument.
    PrepaidBalance,
    /// The buyer's debt, which shrinks.
    PostpaidDebt,
}

/// When the outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third time")]
pub enum Timing {
    /// The answer to the request is the outcome.
    AtOnce,
    /// The answer says pending; the outcome is notified or asked for.
    Later,
}

/// A wish that may not be granted: the first rule it breaks, what was asked and the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    rule: Rule,
    asked: Option<Money>,
    limit: Option<Limit>,
}

impl Refusal {
    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// What was asked, unless it was the rest.
    #[must_use]
    pub const fn asked(&self) -> Option<Money> {
        self.asked
    }

    /// What the rule would have allowed, where it is a number.
    #[must_use]
    pub const fn limit(&self) -> Option<Limit> {
        self.limit
    }
}

/// A rule's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// An amount.
    Amount(Money),
    /// A number of refunds.
    Refunds(u32),
}

/// The rules, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Only a completed payment can be refunded; a reserved one must be settled first.
    Completed(PaymentState),
    /// This kind of transaction is not refundable.
    Kind(PaymentKind),
    /// A refund is made in the currency of its payment, which must be one of the service's.
    Currency,
    /// Everything that may be refunded has been, or is on its way.
    NothingLeft,
    /// A refund is at least one minor unit.
    Minimum,
    /// One refund has a largest amount.
    SingleMaximum,
    /// All refunds together have a largest amount.
    Remaining,
    /// One payment has a largest number of refunds.
    Count,
    /// The numbers are too large to be calculated.
    Calculable,
}

impl Rule {
    /// A short stable name, for tables and machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Kind(_) => "kind",
            Self::Currency => "currency",
            Self::NothingLeft => "nothing-left",
            Self::Minimum => "minimum",
            Self::SingleMaximum => "single-maximum",
            Self::Remaining => "remaining",
            Self::Count => "count",
            Self::Calculable => "calculable",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.asked {
            Some(asked) => write!(f, "a refund of {asked:?} is not allowed: ")?,
            None => f.write_str("a refund of the rest is not allowed: ")?,
        }
        match self.rule {
            Rule::Completed(PaymentState::Reserved) => {
                f.write_str("the payment is reserved and must be settled first")?;
            }
            Rule::Completed(PaymentState::Pending) => {
                f.write_str("the payment is not completed yet")?;
            }
            Rule::Completed(_) => f.write_str("the payment was never completed")?,
            Rule::Kind(PaymentKind::FundPrepaid) => {
                f.write_str("money put into a prepaid instrument is not refundable")?;
            }
            Rule::Kind(_) => f.write_str("this kind of transaction is not refundable")?,
            Rule::Currency => f.write_str("wish, payment and policy are not in one currency")?,
            Rule::NothingLeft => f.write_str("nothing is left to refund")?,
            Rule::Minimum => f.write_str("a refund is at least the smallest unit")?,
            Rule::SingleMaximum => f.write_str("it is above the largest single refund")?,
            Rule::Remaining => f.write_str("it is above what may still be refunded")?,
            Rule::Count => f.write_str("the payment has been refunded too often")?,
            Rule::Calculable => f.write_str("the numbers are too large to be calculated")?,
        }
        match self.limit {
            Some(Limit::Amount(amount)) => write!(f, " ({amount:?})"),
            Some(Limit::Refunds(count)) => write!(f, " (at most {count} refunds)"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Refusal {}

/// Decides a wish: pure, so that a dry run and the real thing cannot differ.
///
/// ```
/// use refund_rules::{Currency, Decision, Method, Money, Payment, Policy, Rule, Wish, decide};
///
/// // 10,000 yen captured, all of it refunded: 1,500 more may go back as goodwill, not 1,501.
/// let yen = |minor| Money::from_minor(minor, Currency::JPY);
/// let payment = Payment::completed(yen(10_000), Method::Card)?.with_refunded(yen(10_000))?;
/// let policy = Policy::amazon_pay(Currency::JPY);
/// assert!(matches!(decide(&payment, &Wish::amount(yen(1_500)), &policy), Decision::Allow(_)));
/// let Decision::Refuse(refusal) = decide(&payment, &Wish::amount(yen(1_501)), &policy) else {
///     panic!("one yen too many");
/// };
/// assert_eq!(refusal.rule(), Rule::Remaining);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide(payment: &Payment, wish: &Wish, policy: &Policy) -> Decision {
    match plan(payment, wish, policy) {
        Ok(plan) => Decision::Allow(plan),
        Err(Broken { rule, limit }) => {
            Decision::Refuse(Refusal { rule, asked: wish.amount, limit })
        }
    }
}

struct Broken {
    rule: Rule,
    limit: Option<Limit>,
}

impl From<Rule> for Broken {
    fn from(rule: Rule) -> Self {
        Self { rule, limit: None }
    }
}

impl From<MoneyError> for Broken {
    fn from(error: MoneyError) -> Self {
        Self::from(match error {
            MoneyError::CurrencyMismatch { .. } => Rule::Currency,
            MoneyError::Overflow | MoneyError::DivisionByZero => Rule::Calculable,
        })
    }
}

fn plan(payment: &Payment, wish: &Wish, policy: &Policy) -> Result<Plan, Broken> {
    if payment.state() != PaymentState::Completed {
        return Err(Rule::Completed(payment.state()).into());
    }
    match payment.kind() {
        PaymentKind::Pay | PaymentKind::SettledReserve => {}
        kind @ (PaymentKind::FundPrepaid | PaymentKind::SettleDebt | PaymentKind::Refund) => {
            return Err(Rule::Kind(kind).into());
        }
    }
    let zero = Money::zero(payment.captured().currency());
    if policy.currency().is_some_and(|currency| currency != zero.currency()) {
        return Err(Rule::Currency.into());
    }
    let held = payment.held();
    let cap = cap(payment, policy)?;
    let left = cap.checked_sub(held)?;
    let rest = at_least_zero(payment.captured().checked_sub(held)?);
    if let Some(asked) = wish.amount {
        asked.try_cmp(zero)?;
    }
    let amount = wish.amount.unwrap_or(rest);
    if left.minor() <= 0 || (wish.amount.is_none() && rest.is_zero()) {
        return Err(Rule::NothingLeft.into());
    }
    if amount.minor() < 1 {
        let smallest = Money::from_minor(1, amount.currency());
        return Err(Broken { rule: Rule::Minimum, limit: Some(Limit::Amount(smallest)) });
    }
    if let Some(most) = policy.single_max()
        && amount.try_cmp(most)?.is_gt()
    {
        return Err(Broken { rule: Rule::SingleMaximum, limit: Some(Limit::Amount(most)) });
    }
    if amount.try_cmp(left)?.is_gt() {
        return Err(Broken { rule: Rule::Remaining, limit: Some(Limit::Amount(left)) });
    }
    if let Some(most) = policy.refunds_max()
        && payment.refunds() >= most
    {
        return Err(Broken { rule: Rule::Count, limit: Some(Limit::Refunds(most)) });
    }
    let total = held.checked_add(amount)?;
    let fee = payment.fee_returned_after(total)?.checked_sub(payment.fee_returned()?)?;
    Ok(Plan {
        amount,
        // A decline can leave a minor unit too much behind: that is not taken back.
        fee_returned: at_least_zero(fee),
        destination: destination(payment.method()),
        timing: timing(payment.method(), policy.settles()),
        remaining: at_least_zero(payment.captured().checked_sub(total)?),
        remaining_with_overage: cap.checked_sub(total)?,
    })
}

/// The most that all refunds of the payment may total.
fn cap(payment: &Payment, policy: &Policy) -> Result<Money, MoneyError> {
    let Some(overage) = policy.overage() else {
        return Ok(payment.captured());
    };
    let share = payment.captured().percent(overage.percent, Rounding::Floor)?;
    let extra = if share.try_cmp(overage.most)?.is_lt() { share } else { overage.most };
    payment.captured().checked_add(extra)
}

fn at_least_zero(amount: Money) -> Money {
    if amount.is_negative() { Money::zero(amount.currency()) } else { amount }
}

fn destination(method: Method) -> Destination {
    match method {
        Method::Card => Destination::Card,
        Method::Bank | Method::Balance => Destination::AccountBalance,
        Method::Prepaid => Destination::PrepaidBalance,
        Method::Postpaid => Destination::PostpaidDebt,
    }
}

fn timing(method: Method, settles: Settles) -> Timing {
    match (settles, method) {
        (Settles::Later, _) | (Settles::ByMethod, Method::Card) => Timing::Later,
        (Settles::ByMethod, _) => Timing::AtOnce,
    }
}

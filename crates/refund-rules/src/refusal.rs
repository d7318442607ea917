//! The rule that forbids a refund, and its number; decides nothing.

use core::fmt;

use crate::money::{Money, MoneyError};
use crate::payment::{PaymentKind, PaymentState};
use crate::policy::Source;

/// A wish that may not be granted: the first rule it breaks, what was asked and the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Refusal {
    rule: Rule,
    asked: Option<Money>,
    limit: Option<Limit>,
    source: Option<Source>,
}

impl Refusal {
    pub(crate) fn new(broken: &Broken, asked: Option<Money>) -> Self {
        Self { rule: broken.rule, asked, limit: broken.limit, source: broken.source }
    }

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

    /// Where the limit is known from. For what remains of a payment, that is how far all refunds may
    /// exceed what was captured.
    #[must_use]
    pub const fn source(&self) -> Option<Source> {
        self.source
    }
}

/// A rule that was broken, before it is known by what wish.
pub(crate) struct Broken {
    rule: Rule,
    limit: Option<Limit>,
    source: Option<Source>,
}

impl Broken {
    pub(crate) const fn by(rule: Rule, limit: Limit, source: Option<Source>) -> Self {
        Self { rule, limit: Some(limit), source }
    }
}

impl From<Rule> for Broken {
    fn from(rule: Rule) -> Self {
        Self { rule, limit: None, source: None }
    }
}

impl From<MoneyError> for Broken {
    fn from(error: MoneyError) -> Self {
        Self::from(match error {
            MoneyError::CurrencyMismatch { .. } => Rule::Currency,
            MoneyError::Overflow | MoneyError::DivisionByZero | MoneyError::PartsMismatch => {
                Rule::Calculable
            }
        })
    }
}

/// A rule's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Limit {
    /// An amount.
    Amount(Money),
    /// A number of refunds.
    Refunds(u32),
}

/// The rules, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Rule {
    /// Only who executed the payment may refund it.
    Caller,
    /// The recipient has not granted it.
    Grant,
    /// Only a completed payment can be refunded; a reserved one must be settled first.
    Completed(PaymentState),
    /// This kind of transaction is not refundable.
    Kind(PaymentKind),
    /// A refund is made in the currency of its payment, which must be the policy's.
    Currency,
    /// The payment has no marketplace whose fee could go back.
    Marketplace,
    /// How much of the marketplace fee has gone back already was not said, so that it could go back
    /// twice.
    MarketplaceFeeHeld,
    /// Of what may be refunded nothing is left; for the rest, of what was captured.
    NothingLeft,
    /// One refund has a smallest amount.
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
            Self::Caller => "caller",
            Self::Grant => "grant",
            Self::Marketplace => "marketplace",
            Self::MarketplaceFeeHeld => "marketplace-fee-held",
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
            Rule::Caller => f.write_str("only who executed the payment may refund it")?,
            Rule::Grant => f.write_str("the recipient of the payment has not granted it")?,
            Rule::Marketplace => f.write_str("the payment has no marketplace")?,
            Rule::MarketplaceFeeHeld => {
                f.write_str("how much of the marketplace fee went back already was not said")?;
            }
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
            Rule::Minimum => f.write_str("it is below the smallest refund")?,
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

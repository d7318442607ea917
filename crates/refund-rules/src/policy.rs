//! The two services' limits as data, each with its source; applies none of them.

use core::fmt;

use crate::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::payment::PaymentKind;
use crate::rounding::Rounding;

/// The limits that [`crate::decide`] applies to a refund.
///
/// Start from one of the two services and tighten it: a policy cannot be loosened beyond what the
/// service would accept.
///
/// ```
/// use refund_rules::{Currency, Money, Policy, Source};
///
/// // A shop whose clerks may refund at most 40 dollars at once, and never more than was paid.
/// let policy = Policy::amazon_pay(Currency::USD)
///     .with_single_max(Money::from_minor(4_000, Currency::USD))?
///     .without_overage();
/// let limit = policy.single_max().expect("it was just set");
/// assert_eq!((limit.value().minor(), limit.source()), (4_000, Source::Merchant));
/// # Ok::<(), refund_rules::MoneyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written"))]
pub struct Policy {
    currency: Currency,
    kinds: &'static [PaymentKind],
    grant: GrantNeeded,
    overage: Sourced<Overage>,
    minimum: Sourced<Money>,
    single_max: Option<Sourced<Money>>,
    refunds_max: Option<Sourced<u32>>,
    settles: Settles,
}

/// A number and where it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sourced<T> {
    value: T,
    source: Source,
}

impl<T: Copy> Sourced<T> {
    const fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }

    /// The number.
    #[must_use]
    pub const fn value(&self) -> T {
        self.value
    }

    /// Where it is known from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }
}

/// Where a number is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Source {
    /// Amazon FPS API reference, version 2008-09-17: the page of Refund.
    FpsReference,
    /// Amazon FPS, error AmountOutOfRange: 0.01 to 10,000 USD in version 2007-01-08.
    FpsAmountOutOfRange,
    /// Amazon Pay checkout guide, step 8, "Manage refunds".
    AmazonPayGuide,
    /// Amazon Pay help, page 201212360, written for the version before; that of today is silent.
    AmazonPayHelp,
    /// Nobody can pay less than the smallest unit of a currency.
    SmallestUnit,
    /// No document speaks of it, so that the stricter reading is taken.
    Undocumented,
    /// The merchant's own choice.
    Merchant,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FpsReference => "Amazon FPS API reference 2008-09-17, Refund",
            Self::FpsAmountOutOfRange => "Amazon FPS error AmountOutOfRange",
            Self::AmazonPayGuide => "Amazon Pay checkout guide, step 8, Manage refunds",
            Self::AmazonPayHelp => "Amazon Pay help, page 201212360",
            Self::SmallestUnit => "the smallest unit of the currency",
            Self::Undocumented => "no document; the stricter reading",
            Self::Merchant => "the merchant's own policy",
        })
    }
}

/// How far above the captured amount all refunds together may go: a percentage of it, or a fixed
/// amount, whichever is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_structs, reason = "the two numbers of the rule, complete by nature")]
pub struct Overage {
    /// Percent of the captured amount, rounded down to the minor unit.
    pub percent: u8,
    /// The most, whatever the percentage gives.
    pub most: Money,
}

impl Overage {
    const fn none(currency: Currency) -> Self {
        Self { percent: 0, most: Money::zero(currency) }
    }
}

/// When the outcome of a refund is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub(crate) enum Settles {
    /// Cards later, everything else at once.
    ByMethod,
    /// Always later.
    Later,
}

/// From whom the recipient's leave is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub(crate) enum GrantNeeded {
    /// From nobody, and no marketplace fee can go back: the service has no marketplaces of this kind.
    NoMarketplaces,
    /// From a marketplace.
    Marketplace,
    /// Also from a recipient that refunds its own payment.
    Always,
}

/// What may be refunded: money that was paid, not money that was put by, nor refunds themselves.
const PAYMENTS: &[PaymentKind] = &[PaymentKind::Pay, PaymentKind::SettledReserve];

/// A policy as it was written. What can be refunded is left out: it is no number that a merchant could set.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Written {
    currency: Currency,
    grant: GrantNeeded,
    overage: Sourced<Overage>,
    minimum: Sourced<Money>,
    single_max: Option<Sourced<Money>>,
    refunds_max: Option<Sourced<u32>>,
    settles: Settles,
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for Policy {
    type Error = MoneyError;

    fn try_from(written: Written) -> Result<Self, MoneyError> {
        let Written { currency, grant, overage, minimum, single_max, refunds_max, settles } =
            written;
        let policy = Self {
            currency,
            kinds: PAYMENTS,
            grant,
            overage,
            minimum,
            single_max,
            refunds_max,
            settles,
        };
        policy.own(policy.overage.value.most)?;
        policy.own(policy.minimum.value)?;
        if let Some(most) = policy.single_max {
            policy.own(most.value)?;
        }
        Ok(policy)
    }
}

impl Policy {
    /// Flexible Payments Service, version 2008-09-17.
    ///
    /// | limit | value | source |
    /// |---|---|---|
    /// | all refunds of a payment | what was paid | [`Source::FpsReference`]: "the total refund amount cannot exceed the original transaction amount" |
    /// | no amount given | what remains | the same |
    /// | one refund | at least 0.01 USD; the 10,000 USD of that error bounded payments, and so their refunds | [`Source::FpsAmountOutOfRange`] |
    /// | number of refunds | as many as wished | the 2007-01-08 developer guide, Refund |
    /// | what | Pay, and Reserve once it is settled; not FundPrepaid | the guide to prepaid and postpaid payments; Simple Pay guide |
    /// | who | the caller of the payment; a marketplace with the recipient's grant | the 2007-01-08 developer guide, Refund |
    /// | outcome | cards later, bank and balance at once | the same |
    /// | outcome | prepaid, postpaid and a marketplace fee at once | inferred: no card network takes part |
    /// | currency | USD, the only one of its schema | WSDL 2008-09-17 |
    /// | time | no limit is documented | |
    #[must_use]
    pub const fn flexible_payments() -> Self {
        let currency = Currency::USD;
        Self {
            currency,
            kinds: PAYMENTS,
            grant: GrantNeeded::Marketplace,
            overage: Sourced::new(Overage::none(currency), Source::FpsReference),
            minimum: Sourced::new(Money::from_minor(1, currency), Source::FpsAmountOutOfRange),
            single_max: None,
            refunds_max: None,
            settles: Settles::ByMethod,
        }
    }

    /// Amazon Pay API v2, for charges in `currency`.
    ///
    /// | limit | value | source |
    /// |---|---|---|
    /// | all refunds of a charge | captured + the lesser of 15 % and 75 USD/GBP/EUR or 8,400 JPY | [`Source::AmazonPayGuide`] |
    /// | one refund | at most 150,000 USD/GBP/EUR, 10,000,000 JPY | the same |
    /// | one refund | at least the smallest unit | [`Source::SmallestUnit`] |
    /// | number of refunds | 10 | [`Source::AmazonPayHelp`] |
    /// | what | a captured charge | [`Source::AmazonPayGuide`] |
    /// | outcome | always later | Create Refund answers `RefundInitiated` |
    /// | time | no limit, says the guide | [`Source::AmazonPayGuide`] |
    ///
    /// The guide does not say how the 15 % is rounded: it is rounded down, which the service cannot
    /// refuse. For other presentment currencies no overage and no largest refund is documented: the
    /// policy then allows no overage.
    #[must_use]
    pub fn amazon_pay(currency: Currency) -> Self {
        let money = |minor| Money::from_minor(minor, currency);
        let numbers = match currency {
            Currency::USD | Currency::GBP | Currency::EUR => Some((7_500, 15_000_000)),
            Currency::JPY => Some((8_400, 10_000_000)),
            _ => None,
        };
        let overage = match numbers {
            Some((most, _)) => {
                let overage = Overage { percent: 15, most: money(most) };
                Sourced::new(overage, Source::AmazonPayGuide)
            }
            None => Sourced::new(Overage::none(currency), Source::Undocumented),
        };
        Self {
            currency,
            kinds: PAYMENTS,
            grant: GrantNeeded::NoMarketplaces,
            overage,
            minimum: Sourced::new(money(1), Source::SmallestUnit),
            single_max: numbers.map(|(_, most)| Sourced::new(money(most), Source::AmazonPayGuide)),
            refunds_max: Some(Sourced::new(10, Source::AmazonPayHelp)),
            settles: Settles::Later,
        }
    }

    /// The same without any overage.
    #[must_use]
    pub fn without_overage(mut self) -> Self {
        if self.overage.value.percent > 0 {
            self.overage = Sourced::new(Overage::none(self.currency), Source::Merchant);
        }
        self
    }

    /// The same with at most so many refunds of one payment, or fewer if it was stricter already.
    #[must_use]
    pub fn with_refunds_max(mut self, most: u32) -> Self {
        if self.refunds_max.is_none_or(|before| most < before.value) {
            self.refunds_max = Some(Sourced::new(most, Source::Merchant));
        }
        self
    }

    /// The same with refunds of at most `most` each, or less if it was stricter already.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`]: a limit in another currency would limit nothing.
    pub fn with_single_max(mut self, most: Money) -> Result<Self, MoneyError> {
        let most = self.own(most)?;
        if self.single_max.is_none_or(|before| most.minor() < before.value.minor()) {
            self.single_max = Some(Sourced::new(most, Source::Merchant));
        }
        Ok(self)
    }

    /// The same with refunds of at least `least` each, or more if it was stricter already.
    ///
    /// A payment of which less remains cannot be refunded to its end then.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`]: a limit in another currency would limit nothing.
    pub fn with_minimum(mut self, least: Money) -> Result<Self, MoneyError> {
        let least = self.own(least)?;
        if least.minor() > self.minimum.value.minor() {
            self.minimum = Sourced::new(least, Source::Merchant);
        }
        Ok(self)
    }

    fn own(&self, amount: Money) -> Result<Money, MoneyError> {
        amount.checked_add(Money::zero(self.currency))
    }

    /// The same, but a recipient that refunds its own payment needs a grant of itself too, as in the
    /// FPS version 2007-01-08: a token with [`crate::Grant::REFUND`].
    #[must_use]
    pub const fn with_grant_needed(mut self) -> Self {
        self.grant = GrantNeeded::Always;
        self
    }

    /// The most that all refunds of a payment may total: what was captured, and the overage.
    ///
    /// # Errors
    /// A captured amount in another currency, or one too large to be calculated.
    pub fn cap(&self, captured: Money) -> Result<Money, MoneyError> {
        let overage = self.overage.value;
        let share = captured.percent(overage.percent, Rounding::Floor)?;
        let extra = if share.try_cmp(overage.most)?.is_lt() { share } else { overage.most };
        captured.checked_add(extra)
    }

    /// The one currency it is for.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// How far all refunds may exceed what was captured.
    #[must_use]
    pub const fn overage(&self) -> Sourced<Overage> {
        self.overage
    }

    /// The smallest single refund.
    #[must_use]
    pub const fn minimum(&self) -> Sourced<Money> {
        self.minimum
    }

    /// The largest single refund.
    #[must_use]
    pub const fn single_max(&self) -> Option<Sourced<Money>> {
        self.single_max
    }

    /// The largest number of refunds of one payment.
    #[must_use]
    pub const fn refunds_max(&self) -> Option<Sourced<u32>> {
        self.refunds_max
    }

    /// What can be refunded.
    #[must_use]
    pub const fn kinds(&self) -> &'static [PaymentKind] {
        self.kinds
    }

    pub(crate) const fn grant(&self) -> GrantNeeded {
        self.grant
    }

    pub(crate) const fn settles(&self) -> Settles {
        self.settles
    }
}

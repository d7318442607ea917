//! The two services' limits as data, each with its source; applies none of them.

use crate::currency::Currency;
use crate::money::Money;

/// The limits that [`crate::decide`] applies to a refund.
///
/// Start from one of the two services and tighten it; a policy cannot be loosened beyond what the
/// service would accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    currency: Option<Currency>,
    overage: Option<Overage>,
    single_max: Option<Money>,
    refunds_max: Option<u32>,
    settles: Settles,
}

/// How far above the captured amount all refunds together may go: a percentage of it, or a fixed
/// amount, whichever is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the two numbers of the rule, complete by nature")]
pub struct Overage {
    /// Percent of the captured amount, rounded down to the minor unit.
    pub percent: u8,
    /// The most, whatever the percentage gives.
    pub most: Money,
}

/// When the outcome of a refund is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settles {
    /// Cards later, everything else at once.
    ByMethod,
    /// Always later.
    Later,
}

/// Largest single refund, and what all of them may exceed the captured amount by, in minor units.
struct AmazonPayNumbers {
    single_max: i64,
    overage_most: i64,
}

impl Policy {
    /// Flexible Payments Service: refunds total at most what was paid, in as many parts as wished;
    /// only a card refund is still pending when it is answered.
    ///
    /// Source: the Refund page of the FPS 2008-09-17 API reference ("the total refund amount cannot
    /// exceed the original transaction amount") and the refund rules of the 2007-01-08 developer
    /// guide. The only currency of the schema is USD. No number of refunds and no time limit is
    /// documented.
    #[must_use]
    pub const fn flexible_payments() -> Self {
        Self {
            currency: Some(Currency::USD),
            overage: None,
            single_max: None,
            refunds_max: None,
            settles: Settles::ByMethod,
        }
    }

    /// Amazon Pay API v2, for charges in `currency`.
    ///
    /// | limit | value | source |
    /// |---|---|---|
    /// | all refunds of a charge | captured + the lesser of 15 % and 75 USD/GBP/EUR or 8,400 JPY | "Manage refunds", step 8 of the checkout guide |
    /// | one refund | 150,000 USD/GBP/EUR, 10,000,000 JPY | the same, `refundAmount` |
    /// | number of refunds | 10 | Amazon Pay help 201212360 |
    /// | outcome | always later | Create Refund answers `RefundInitiated` |
    ///
    /// The page does not say how the 15 % is rounded: it is rounded down, which the service cannot
    /// refuse. For other presentment currencies no overage and no largest refund is documented: the
    /// policy then allows no overage.
    #[must_use]
    pub fn amazon_pay(currency: Currency) -> Self {
        let numbers = match currency {
            Currency::USD | Currency::GBP | Currency::EUR => {
                Some(AmazonPayNumbers { single_max: 15_000_000, overage_most: 7_500 })
            }
            Currency::JPY => Some(AmazonPayNumbers { single_max: 10_000_000, overage_most: 8_400 }),
            _ => None,
        };
        let money = |minor| Money::from_minor(minor, currency);
        Self {
            currency: Some(currency),
            overage: numbers
                .as_ref()
                .map(|numbers| Overage { percent: 15, most: money(numbers.overage_most) }),
            single_max: numbers.as_ref().map(|numbers| money(numbers.single_max)),
            refunds_max: Some(10),
            settles: Settles::Later,
        }
    }

    /// The same without any overage.
    #[must_use]
    pub fn without_overage(mut self) -> Self {
        self.overage = None;
        self
    }

    /// The same with at most so many refunds of one payment, or fewer if it was stricter already.
    #[must_use]
    pub fn with_refunds_max(mut self, most: u32) -> Self {
        self.refunds_max = Some(self.refunds_max.map_or(most, |before| before.min(most)));
        self
    }

    /// The same with one refund of at most `most`, or less if it was stricter already in that
    /// currency.
    #[must_use]
    pub fn with_single_max(mut self, most: Money) -> Self {
        let stricter = self.single_max.filter(|max| max.try_cmp(most).is_ok_and(|o| o.is_le()));
        self.single_max = Some(stricter.unwrap_or(most));
        self
    }

    /// The one currency it is for.
    #[must_use]
    pub const fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// How far all refunds may exceed what was captured.
    #[must_use]
    pub const fn overage(&self) -> Option<Overage> {
        self.overage
    }

    /// The largest single refund.
    #[must_use]
    pub const fn single_max(&self) -> Option<Money> {
        self.single_max
    }

    /// The largest number of refunds of one payment.
    #[must_use]
    pub const fn refunds_max(&self) -> Option<u32> {
        self.refunds_max
    }

    pub(crate) const fn settles(&self) -> Settles {
        self.settles
    }
}

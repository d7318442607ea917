//! Who pays and who receives in a refund, leg by leg; decides nothing.

use crate::money::{Money, MoneyError};
use crate::wish::Scope;

/// Who takes part in a refund. Without a marketplace the caller is the recipient, and named so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "nobody else moves money in a refund")]
pub enum Party {
    /// Who had paid: the buyer.
    Sender,
    /// Who had been paid: the merchant.
    Recipient,
    /// The marketplace that had executed the payment for the recipient.
    Caller,
    /// The service, which had taken a fee.
    Amazon,
}

/// One movement of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Leg {
    from: Party,
    to: Party,
    amount: Money,
}

impl Leg {
    /// Who pays.
    #[must_use]
    pub const fn from(&self) -> Party {
        self.from
    }

    /// Who receives.
    #[must_use]
    pub const fn to(&self) -> Party {
        self.to
    }

    /// How much, above zero.
    #[must_use]
    pub const fn amount(&self) -> Money {
        self.amount
    }
}

/// The legs of one refund; those of nothing are there and are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Legs([Leg; 3]);

impl Legs {
    /// Source: the enumeration MarketplaceRefundPolicy of the FPS API reference. `amount` is what is
    /// refunded, `marketplace_fee` the part of it that the marketplace pays, and `fee` what Amazon
    /// returns to who had paid it.
    pub(crate) fn new(
        scope: Scope,
        amount: Money,
        marketplace_fee: Money,
        fee: Money,
        fee_payer: Party,
    ) -> Result<Self, MoneyError> {
        let leg = |from, to, amount| Leg { from, to, amount };
        let zero = Money::zero(amount.currency());
        let (recipient, caller) = match scope {
            Scope::Payment => (amount, leg(Party::Caller, Party::Sender, zero)),
            Scope::MarketplaceFee => (zero, leg(Party::Caller, Party::Recipient, marketplace_fee)),
            Scope::PaymentAndMarketplaceFee => (
                amount.checked_sub(marketplace_fee)?,
                leg(Party::Caller, Party::Sender, marketplace_fee),
            ),
        };
        let recipient = leg(Party::Recipient, Party::Sender, recipient);
        Ok(Self([recipient, caller, leg(Party::Amazon, fee_payer, fee)]))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Leg> {
        self.0.iter().filter(|leg| !leg.amount.is_zero())
    }
}

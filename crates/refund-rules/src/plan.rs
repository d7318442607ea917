//! What a refund would do; does nothing.

use crate::legs::{Leg, Legs};
use crate::money::Money;

/// What a refund would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Plan {
    pub(crate) amount: Money,
    pub(crate) fee_returned: Money,
    pub(crate) marketplace_fee_returned: Money,
    pub(crate) legs: Legs,
    pub(crate) destination: Destination,
    pub(crate) timing: Timing,
    pub(crate) remaining: Money,
    pub(crate) remaining_with_overage: Money,
}

impl Plan {
    /// What is refunded: to the sender, or, of a marketplace fee alone, to the recipient.
    #[must_use]
    pub const fn amount(&self) -> Money {
        self.amount
    }

    /// What Amazon returns of its fee for this refund.
    #[must_use]
    pub const fn fee_returned(&self) -> Money {
        self.fee_returned
    }

    /// What the marketplace gives back of its fee; it is a part of the amount.
    #[must_use]
    pub const fn marketplace_fee_returned(&self) -> Money {
        self.marketplace_fee_returned
    }

    /// Who pays whom, leg by leg; none is of nothing.
    pub fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.legs.iter()
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

    /// What of the captured amount and the policy's overage is left afterwards. Other rules, such as
    /// the number of refunds, may forbid to use it.
    #[must_use]
    pub const fn remaining_with_overage(&self) -> Money {
        self.remaining_with_overage
    }
}

/// Where a refund goes. Source: the refund rules of the FPS 2007-01-08 developer guide; prepaid and
/// postpaid credit by the FPS 2008-09-17 guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "one for each way to pay")]
pub enum Destination {
    /// The card that was charged.
    Card,
    /// An account balance: the buyer's, also for payments from a bank account, or the recipient's of
    /// a marketplace fee.
    AccountBalance,
    /// The prepaid instrument.
    PrepaidBalance,
    /// The buyer's debt, which shrinks.
    PostpaidDebt,
}

/// When the outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "there is no third time")]
pub enum Timing {
    /// The answer to the request is the outcome.
    AtOnce,
    /// The answer says pending; the outcome is notified or asked for.
    Later,
}

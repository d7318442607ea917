//! What was captured, what was refunded and is still under way, and what remains; decides nothing.

use core::fmt;

use crate::authority::Role;
use crate::legs::Party;
use crate::money::{Money, MoneyError};
use crate::rounding::Rounding;

/// A payment as far as a refund needs to know it: a snapshot, not a live object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    captured: Money,
    fee: Money,
    fee_payer: Role,
    fee_returned: Option<Money>,
    executor: Executor,
    marketplace_fee: Money,
    marketplace_fee_held: Option<Money>,
    refunded: Money,
    pending: Money,
    unknown: Money,
    held: Money,
    refunds: Option<u32>,
    method: Method,
    kind: PaymentKind,
    state: PaymentState,
}

/// How the buyer paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "every method has its own destination of a refund")]
pub enum Method {
    /// Credit card (`CC`).
    Card,
    /// Bank account (`ACH`).
    Bank,
    /// Amazon Payments account balance (`ABT`).
    Balance,
    /// Prepaid instrument (`Prepaid`).
    Prepaid,
    /// Postpaid instrument, a debt (`Debt`).
    Postpaid,
}

/// What sort of transaction it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "whether it may be refunded must be decided for each")]
pub enum PaymentKind {
    /// A payment for goods or services: a captured charge or a `Pay`.
    Pay,
    /// A reservation that was settled afterwards.
    SettledReserve,
    /// Money that went into a prepaid instrument.
    FundPrepaid,
    /// Money that paid a postpaid debt.
    SettleDebt,
    /// A refund itself.
    Refund,
}

/// How far the payment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "whether it may be refunded must be decided for each")]
pub enum PaymentState {
    /// The buyer's instrument was charged.
    Completed,
    /// Not finished yet.
    Pending,
    /// Authorised, but not charged: to be settled or cancelled, not refunded.
    Reserved,
    /// It failed; no money moved.
    Failed,
    /// It was cancelled before it was charged.
    Cancelled,
}

/// Who executed the payment, and so may refund it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "either it is the recipient or it is not")]
pub enum Executor {
    /// The recipient of the money, as in every payment without a marketplace.
    #[default]
    Recipient,
    /// A marketplace, for the recipient.
    Marketplace,
}

/// Why a snapshot cannot be true.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentError {
    /// The captured amount must be more than nothing.
    NothingCaptured,
    /// The named part of the snapshot is below zero.
    Negative(&'static str),
    /// The parts are in different currencies, or their sum is too large.
    Money(MoneyError),
    /// More came back of the named fee than was taken, or some though nothing was refunded.
    MoreThanTaken(&'static str),
    /// The marketplace is said to have taken more than was paid.
    MarketplaceFeeAbovePayment,
    /// The service takes its fee from the recipient or the caller, never from the sender.
    SenderPaysNoFee,
    /// Some of what is refunded, pending or unknown is said to be by no refund, or there are more
    /// refunds than minor units in them.
    Count,
}

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingCaptured => f.write_str("the captured amount must be above zero"),
            Self::Negative(part) => write!(f, "the {part} of a payment cannot be below zero"),
            Self::Money(_) => f.write_str("the amounts of the payment do not fit together"),
            Self::MoreThanTaken(fee) => {
                write!(f, "more of the {fee} was returned than can have been")
            }
            Self::MarketplaceFeeAbovePayment => {
                f.write_str("a marketplace cannot take more than was paid")
            }
            Self::SenderPaysNoFee => f.write_str("the sender of a payment pays no fee for it"),
            Self::Count => f.write_str("the number of refunds does not fit the refunded amounts"),
        }
    }
}

impl From<MoneyError> for PaymentError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

impl core::error::Error for PaymentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Money(source) => Some(source),
            Self::NothingCaptured
            | Self::Negative(_)
            | Self::MoreThanTaken(_)
            | Self::MarketplaceFeeAbovePayment
            | Self::SenderPaysNoFee
            | Self::Count => None,
        }
    }
}

impl Payment {
    /// A completed payment for goods or services, nothing refunded yet, no fee known.
    ///
    /// # Errors
    /// [`PaymentError::NothingCaptured`] when the amount is not above zero.
    pub fn completed(captured: Money, method: Method) -> Result<Self, PaymentError> {
        if captured.minor() <= 0 {
            return Err(PaymentError::NothingCaptured);
        }
        let zero = Money::zero(captured.currency());
        Ok(Self {
            captured,
            fee: zero,
            fee_payer: Role::Recipient,
            fee_returned: None,
            executor: Executor::Recipient,
            marketplace_fee: zero,
            marketplace_fee_held: None,
            refunded: zero,
            pending: zero,
            unknown: zero,
            held: zero,
            refunds: None,
            method,
            kind: PaymentKind::Pay,
            state: PaymentState::Completed,
        })
    }

    /// With the fee that Amazon took for it.
    ///
    /// # Errors
    /// A negative fee, or one in another currency.
    pub fn with_fee(mut self, fee: Money) -> Result<Self, PaymentError> {
        self.fee = fee;
        self.checked()
    }

    /// With the party that paid the fee, in its role in the payment, and gets it back: the recipient,
    /// unless told otherwise.
    ///
    /// # Errors
    /// [`PaymentError::SenderPaysNoFee`].
    pub fn with_fee_payer(mut self, payer: Role) -> Result<Self, PaymentError> {
        self.fee_payer = payer;
        self.checked()
    }

    /// With what came back of the fee for the refunds that hold a part of the payment, counting what
    /// the pending and the unknown ones are planned to return. Say it after the fee and the amounts.
    ///
    /// Left out, it is what these would return if none of them had been declined in between. Every
    /// decline can leave a minor unit more or less, so after one it must be said for the fee to close.
    ///
    /// # Errors
    /// A negative amount, one in another currency, one above the fee, or any when nothing is held.
    pub fn with_fee_returned(mut self, fee_returned: Money) -> Result<Self, PaymentError> {
        self.fee_returned = Some(fee_returned);
        self.checked()
    }

    /// Executed by a marketplace, which took this fee of its own.
    ///
    /// # Errors
    /// A negative fee, one in another currency, or one above the payment.
    pub fn with_marketplace_fee(mut self, fee: Money) -> Result<Self, PaymentError> {
        self.marketplace_fee = fee;
        self.executor = Executor::Marketplace;
        self.checked()
    }

    /// With how much of its fee the marketplace has given back, is giving back, or may have given
    /// back, for all that is known. Say it after the fee. Until it is said, none of that fee can be
    /// refunded, for it could be refunded twice.
    ///
    /// # Errors
    /// A negative amount, one in another currency, or one above the fee.
    pub fn with_marketplace_fee_held(mut self, held: Money) -> Result<Self, PaymentError> {
        self.marketplace_fee_held = Some(held);
        self.checked()
    }

    /// With what has been refunded for good.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum that is too large.
    pub fn with_refunded(mut self, refunded: Money) -> Result<Self, PaymentError> {
        self.refunded = refunded;
        self.checked()
    }

    /// With what has been accepted for refund and is still under way, or is about to be sent.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum that is too large.
    pub fn with_pending(mut self, pending: Money) -> Result<Self, PaymentError> {
        self.pending = pending;
        self.checked()
    }

    /// With what was sent for refund and not answered: it counts until somebody has looked.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum that is too large.
    pub fn with_unknown(mut self, unknown: Money) -> Result<Self, PaymentError> {
        self.unknown = unknown;
        self.checked()
    }

    /// With the number of refunds that hold a part of it; declined ones do not. Say it after the
    /// amounts: left out, it is the least that these allow, one each for what is refunded, pending
    /// and unknown.
    ///
    /// # Errors
    /// [`PaymentError::Count`] for fewer than that, or for more than there are minor units in them.
    pub fn with_refunds(mut self, refunds: u32) -> Result<Self, PaymentError> {
        self.refunds = Some(refunds);
        self.checked()
    }

    /// As another sort of transaction.
    #[must_use]
    pub fn with_kind(mut self, kind: PaymentKind) -> Self {
        self.kind = kind;
        self
    }

    /// In another state.
    #[must_use]
    pub fn with_state(mut self, state: PaymentState) -> Self {
        self.state = state;
        self
    }

    /// What the buyer was charged.
    #[must_use]
    pub const fn captured(&self) -> Money {
        self.captured
    }

    /// What Amazon took for it.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// Who paid the fee.
    #[must_use]
    pub const fn fee_payer(&self) -> Role {
        self.fee_payer
    }

    /// Who executed it.
    #[must_use]
    pub const fn executor(&self) -> Executor {
        self.executor
    }

    /// What the marketplace took.
    #[must_use]
    pub const fn marketplace_fee(&self) -> Money {
        self.marketplace_fee
    }

    /// How much of its fee the marketplace has given back, is giving back, or may have given back, if
    /// that is known.
    #[must_use]
    pub const fn marketplace_fee_held(&self) -> Option<Money> {
        self.marketplace_fee_held
    }

    /// What has been refunded for good.
    #[must_use]
    pub const fn refunded(&self) -> Money {
        self.refunded
    }

    /// What has been accepted for refund and is still under way.
    #[must_use]
    pub const fn pending(&self) -> Money {
        self.pending
    }

    /// What was sent for refund and never answered.
    #[must_use]
    pub const fn unknown(&self) -> Money {
        self.unknown
    }

    /// What is refunded, pending or unknown: all of it counts against what remains.
    #[must_use]
    pub const fn held(&self) -> Money {
        self.held
    }

    /// The number of refunds that hold a part of it.
    #[must_use]
    pub fn refunds(&self) -> u32 {
        self.refunds.unwrap_or_else(|| self.refunds_min())
    }

    /// How the buyer paid.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// What sort of transaction it was.
    #[must_use]
    pub const fn kind(&self) -> PaymentKind {
        self.kind
    }

    /// How far it has come.
    #[must_use]
    pub const fn state(&self) -> PaymentState {
        self.state
    }

    /// What came back of the fee for all that is held, counting what pending and unknown refunds are
    /// planned to return: as told, or else calculated.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for amounts beyond any that can be paid.
    pub fn fee_returned(&self) -> Result<Money, MoneyError> {
        match self.fee_returned {
            Some(returned) => Ok(returned),
            None => self.fee_returned_after(self.held),
        }
    }

    /// What is missing of the fee for all that is held, or below zero what came back too much: other
    /// than nothing only after a decline. The next refund makes up for it; when nothing is left to
    /// refund, whoever keeps the books must.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for amounts beyond any that can be paid.
    pub fn fee_due(&self) -> Result<Money, MoneyError> {
        self.fee_returned_after(self.held)?.checked_sub(self.fee_returned()?)
    }

    /// The fee that should have come back once refunds total `total`: `round_half_even(fee · total ÷
    /// captured)`, and the whole fee from a full refund on.
    ///
    /// A single refund returns the difference to what has come back before, so that the parts of a
    /// full refund return the fee exactly, however it was split. Rounding each refund by itself
    /// returns a wrong total for two in five of random splits into two to ten parts.
    ///
    /// # Errors
    /// Another currency, or a negative total too large to be calculated.
    pub fn fee_returned_after(&self, total: Money) -> Result<Money, MoneyError> {
        self.in_proportion(self.fee, total)
    }

    /// What the marketplace gives back for one more refund that it shares: its fee in proportion, and
    /// never more than is left of it. It closes like that of the service as long as every refund is
    /// shared and none is declined.
    pub(crate) fn marketplace_fee_share(
        &self,
        amount: Money,
        left: Money,
    ) -> Result<Money, MoneyError> {
        let before = self.in_proportion(self.marketplace_fee, self.held)?;
        let after = self.in_proportion(self.marketplace_fee, self.held.checked_add(amount)?)?;
        let share = after.checked_sub(before)?;
        Ok(if share.try_cmp(left)?.is_gt() { left } else { share })
    }

    /// What was said to have come back of the fee.
    #[cfg(feature = "serde")]
    pub(crate) const fn fee_returned_as_told(&self) -> Option<Money> {
        self.fee_returned
    }

    /// What was said to be the number of refunds.
    #[cfg(feature = "serde")]
    pub(crate) const fn refunds_as_told(&self) -> Option<u32> {
        self.refunds
    }

    /// Who gets back what the service returns.
    pub(crate) const fn fee_returned_to(&self) -> Party {
        match (self.executor, self.fee_payer) {
            (Executor::Marketplace, Role::Caller) => Party::Caller,
            _ => Party::Recipient,
        }
    }

    fn in_proportion(&self, fee: Money, total: Money) -> Result<Money, MoneyError> {
        if total.try_cmp(self.captured)?.is_ge() {
            return Ok(fee);
        }
        fee.share(total, self.captured, Rounding::HalfEven)
    }

    /// The same with its sum, if it can be true.
    fn checked(mut self) -> Result<Self, PaymentError> {
        let zero = Money::zero(self.captured.currency());
        let marketplace_fee_held = self.marketplace_fee_held.unwrap_or(zero);
        for (name, part) in [
            ("fee", self.fee),
            ("returned fee", self.fee_returned.unwrap_or(zero)),
            ("marketplace fee", self.marketplace_fee),
            ("held marketplace fee", marketplace_fee_held),
            ("refunded amount", self.refunded),
            ("pending amount", self.pending),
            ("unknown amount", self.unknown),
        ] {
            if part.try_cmp(zero)?.is_lt() {
                return Err(PaymentError::Negative(name));
            }
        }
        self.held = self.refunded.checked_add(self.pending)?.checked_add(self.unknown)?;
        let returnable = if self.held.is_zero() { zero } else { self.fee };
        if self.fee_returned.is_some_and(|returned| returned.minor() > returnable.minor()) {
            return Err(PaymentError::MoreThanTaken("fee"));
        }
        if marketplace_fee_held.minor() > self.marketplace_fee.minor() {
            return Err(PaymentError::MoreThanTaken("marketplace fee"));
        }
        if self.marketplace_fee.minor() > self.captured.minor() {
            return Err(PaymentError::MarketplaceFeeAbovePayment);
        }
        if self.fee_payer == Role::Sender {
            return Err(PaymentError::SenderPaysNoFee);
        }
        let possible = |count| count >= self.refunds_min() && i64::from(count) <= self.held.minor();
        if self.refunds.is_some_and(|count| !possible(count)) {
            return Err(PaymentError::Count);
        }
        Ok(self)
    }

    fn refunds_min(&self) -> u32 {
        [self.refunded, self.pending, self.unknown]
            .into_iter()
            .fold(0, |count, part| count.saturating_add(u32::from(!part.is_zero())))
    }
}

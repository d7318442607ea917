//! What was captured, what was refunded and is still under way, and what remains; decides nothing.

use core::fmt;

use crate::money::{Money, MoneyError};
use crate::rounding::Rounding;

/// A payment as far as a refund needs to know it: a snapshot, not a live object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    captured: Money,
    fee: Money,
    fee_returned: Option<Money>,
    refunded: Money,
    pending: Money,
    unknown: Money,
    held: Money,
    refunds: u32,
    method: Method,
    kind: PaymentKind,
    state: PaymentState,
}

/// How the buyer paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Money is said to be refunded, but by no refund.
    RefundedByNobody,
}

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingCaptured => f.write_str("the captured amount must be above zero"),
            Self::Negative(part) => write!(f, "the {part} of a payment cannot be below zero"),
            Self::Money(_) => f.write_str("the amounts of the payment do not fit together"),
            Self::RefundedByNobody => f.write_str("money was refunded, yet no refund is counted"),
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
            Self::NothingCaptured | Self::Negative(_) | Self::RefundedByNobody => None,
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
            fee_returned: None,
            refunded: zero,
            pending: zero,
            unknown: zero,
            held: zero,
            refunds: 0,
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
        self.fee = self.part("fee", fee)?;
        Ok(self)
    }

    /// With what has come back of the fee for the refunds that hold a part of it. Left out, it is
    /// what these would return if none of them had been declined in between; after a decline it may
    /// be a minor unit more or less.
    ///
    /// # Errors
    /// A negative amount, or one in another currency.
    pub fn with_fee_returned(mut self, fee_returned: Money) -> Result<Self, PaymentError> {
        self.fee_returned = Some(self.part("returned fee", fee_returned)?);
        Ok(self)
    }

    /// With what has been refunded for good.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum that is too large.
    pub fn with_refunded(mut self, refunded: Money) -> Result<Self, PaymentError> {
        self.refunded = self.part("refunded amount", refunded)?;
        self.recount()
    }

    /// With what has been accepted for refund and is still under way.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum that is too large.
    pub fn with_pending(mut self, pending: Money) -> Result<Self, PaymentError> {
        self.pending = self.part("pending amount", pending)?;
        self.recount()
    }

    /// With what was sent for refund and never answered: it counts until somebody has looked.
    ///
    /// # Errors
    /// A negative amount, another currency, or a sum that is too large.
    pub fn with_unknown(mut self, unknown: Money) -> Result<Self, PaymentError> {
        self.unknown = self.part("unknown amount", unknown)?;
        self.recount()
    }

    /// With the number of refunds that hold a part of it; declined ones do not.
    ///
    /// # Errors
    /// [`PaymentError::RefundedByNobody`] for zero when something was refunded.
    pub fn with_refunds(mut self, refunds: u32) -> Result<Self, PaymentError> {
        if refunds == 0 && !self.held.is_zero() {
            return Err(PaymentError::RefundedByNobody);
        }
        self.refunds = refunds;
        Ok(self)
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

    /// What has been refunded for good.
    #[must_use]
    pub const fn refunded(&self) -> Money {
        self.refunded
    }

    /// What is refunded, pending or unknown: all of it counts against what remains.
    #[must_use]
    pub const fn held(&self) -> Money {
        self.held
    }

    /// The number of refunds that hold a part of it.
    #[must_use]
    pub const fn refunds(&self) -> u32 {
        self.refunds
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

    /// What has come back of the fee so far.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for amounts beyond any that can be paid.
    pub fn fee_returned(&self) -> Result<Money, MoneyError> {
        match self.fee_returned {
            Some(returned) => Ok(returned),
            None => self.fee_returned_after(self.held),
        }
    }

    /// The fee that should have come back once refunds total `total`: `round_half_even(fee · total ÷
    /// captured)`, and the whole fee from a full refund on.
    ///
    /// A single refund returns the difference to what has come back before, so that the parts of a
    /// full refund return the fee exactly, however it was split. Rounding each refund by itself
    /// returns a wrong total for two splits in five.
    ///
    /// # Errors
    /// Another currency, or a negative total too large to be calculated.
    pub fn fee_returned_after(&self, total: Money) -> Result<Money, MoneyError> {
        if total.try_cmp(self.captured)?.is_ge() {
            return Ok(self.fee);
        }
        self.fee.share(total, self.captured, Rounding::HalfEven)
    }

    fn part(&self, name: &'static str, amount: Money) -> Result<Money, PaymentError> {
        if amount.is_negative() {
            return Err(PaymentError::Negative(name));
        }
        self.captured.try_cmp(amount)?;
        Ok(amount)
    }

    fn recount(mut self) -> Result<Self, PaymentError> {
        let sum = self.refunded.checked_add(self.pending);
        let sum = sum.and_then(|sum| sum.checked_add(self.unknown));
        self.held = sum?;
        if self.refunds == 0 && !self.held.is_zero() {
            self.refunds = 1;
        }
        Ok(self)
    }
}

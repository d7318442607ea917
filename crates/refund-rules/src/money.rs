//! An amount in minor units of one currency and its checked arithmetic; how it is written is in
//! `text.rs`, and what is paid with it nowhere here.

mod text;

use core::cmp::Ordering;
use core::fmt;

use crate::currency::Currency;
use crate::rounding::Rounding;

pub use text::ParseMoneyError;

/// A whole number of minor units (cents, yen, fils) of one currency. May be negative: a fee that
/// comes back and a balance both can be.
///
/// There are no operators: every calculation is a method that says how it can fail. Amounts of
/// different currencies are not comparable with `<`; use [`Money::try_cmp`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why a calculation has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoneyError {
    /// The answer does not fit into 64 bits of minor units.
    Overflow,
    /// The two amounts are in different currencies.
    CurrencyMismatch {
        /// Currency of the amount the method was called on.
        left: Currency,
        /// Currency of the other amount.
        right: Currency,
    },
    /// A share of nothing was asked for.
    DivisionByZero,
    /// An amount is to be split by a number of weights into another number of parts.
    PartsMismatch,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow => f.write_str("the amount is too large to be calculated"),
            Self::CurrencyMismatch { left, right } => {
                write!(f, "an amount in {left} was mixed with an amount in {right}")
            }
            Self::DivisionByZero => f.write_str("a share of a zero amount was asked for"),
            Self::PartsMismatch => f.write_str("there are not as many parts as weights"),
        }
    }
}

impl core::error::Error for MoneyError {}

impl Money {
    /// An amount from its minor units: 1,400 and USD is 14.00 USD.
    #[must_use]
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Is it nothing?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Is it less than nothing?
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    #[inline]
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.rebuild(self.minor.checked_add(other.minor))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    #[inline]
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.rebuild(self.minor.checked_sub(other.minor))
    }

    /// The same amount the other way.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one amount that has no opposite.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.rebuild(self.minor.checked_neg())
    }

    /// Compares two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    #[inline]
    pub fn try_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// `self × part ÷ whole`, exactly, then rounded as named.
    ///
    /// ```
    /// use refund_rules::{Currency, Money, Rounding};
    ///
    /// let usd = |minor| Money::from_minor(minor, Currency::USD);
    /// // 30 % of a fee of 2.55 is 0.765: half-even gives 0.76.
    /// assert_eq!(usd(255).share(usd(3000), usd(10000), Rounding::HalfEven), Ok(usd(76)));
    /// ```
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::DivisionByZero`] or [`MoneyError::Overflow`].
    #[inline]
    pub fn share(self, part: Self, whole: Self, rounding: Rounding) -> Result<Self, MoneyError> {
        self.same_currency(part)?;
        self.same_currency(whole)?;
        if whole.minor == 0 {
            return Err(MoneyError::DivisionByZero);
        }
        self.rebuild(rounding.multiply_divide(self.minor, part.minor, whole.minor))
    }

    /// So many hundredths of it, rounded as named: the 15 % of Amazon Pay's overage.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    #[inline]
    pub fn percent(self, percent: u8, rounding: Rounding) -> Result<Self, MoneyError> {
        self.rebuild(rounding.multiply_divide(self.minor, i64::from(percent), 100))
    }

    #[inline]
    fn rebuild(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        let minor = minor.ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }

    #[inline]
    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USD: Currency = Currency::USD;

    #[test]
    fn currencies_do_not_mix() {
        let (usd, eur) = (Money::from_minor(1, USD), Money::from_minor(1, Currency::EUR));
        let mixed = Err(MoneyError::CurrencyMismatch { left: USD, right: Currency::EUR });
        assert_eq!(usd.checked_add(eur), mixed);
        assert_eq!(usd.checked_sub(eur), mixed);
        assert_eq!(usd.share(usd, eur, Rounding::Floor), mixed);
        assert!(usd.try_cmp(eur).is_err());
    }

    #[test]
    fn nothing_is_neither_above_nor_below_zero() {
        for (minor, zero, negative) in [(-1, false, true), (0, true, false), (1, false, false)] {
            let money = Money::from_minor(minor, USD);
            assert_eq!((money.is_zero(), money.is_negative()), (zero, negative));
        }
    }

    #[test]
    fn overflow_is_an_error() {
        let most = Money::from_minor(i64::MAX, USD);
        let one = Money::from_minor(1, USD);
        assert_eq!(most.checked_add(one), Err(MoneyError::Overflow));
        assert_eq!(Money::from_minor(i64::MIN, USD).checked_neg(), Err(MoneyError::Overflow));
        assert_eq!(most.share(most, one, Rounding::Floor), Err(MoneyError::Overflow));
        assert_eq!(most.share(most, most, Rounding::Floor), Ok(most));
        assert_eq!(
            one.share(one, Money::zero(USD), Rounding::Floor),
            Err(MoneyError::DivisionByZero)
        );
    }
}

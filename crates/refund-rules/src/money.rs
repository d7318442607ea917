//! An amount in minor units of one currency: strict parse, canonical print, checked arithmetic;
//! knows nothing of payments.

use core::cmp::Ordering;
use core::fmt;

use crate::currency::Currency;
use crate::rounding::Rounding;

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
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow => f.write_str("the amount is too large to be calculated"),
            Self::CurrencyMismatch { left, right } => {
                write!(f, "an amount in {left} was mixed with an amount in {right}")
            }
            Self::DivisionByZero => f.write_str("a share of a zero amount was asked for"),
        }
    }
}

impl core::error::Error for MoneyError {}

/// Which rule of writing an amount a text breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseMoneyError {
    /// There is no text.
    Empty,
    /// A blank stands before, after or between the digits.
    Blank,
    /// A sign stands where only a plain amount is allowed.
    Sign,
    /// A thousands separator: `1,000.00`. Amazon Pay integrations have refunded 17 for `17,000`.
    ThousandsSeparator,
    /// A power of ten: `1e3`.
    Exponent,
    /// A digit that is not ASCII, as in Arabic or full-width text.
    ForeignDigit,
    /// Something that is no digit at all.
    NotADigit,
    /// No digit before or after the decimal point: `.50`, `14.`.
    MissingDigit,
    /// A zero before other digits: `014.00`.
    LeadingZero,
    /// More decimals than the currency has: `12.345` USD, `14.00` JPY.
    TooManyDecimals {
        /// The currency that was named.
        currency: Currency,
    },
    /// More than 64 bits of minor units.
    Overflow,
}

impl fmt::Display for ParseMoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the amount is empty"),
            Self::Blank => f.write_str("an amount has no blanks"),
            Self::Sign => f.write_str("an amount has no sign"),
            Self::ThousandsSeparator => f.write_str("an amount has no thousands separators"),
            Self::Exponent => f.write_str("an amount has no exponent"),
            Self::ForeignDigit => f.write_str("an amount has only the digits 0 to 9"),
            Self::NotADigit => f.write_str("an amount is digits and at most one point"),
            Self::MissingDigit => {
                f.write_str("an amount has a digit on either side of its decimal point")
            }
            Self::LeadingZero => f.write_str("an amount does not begin with a spare zero"),
            Self::TooManyDecimals { currency } => match currency.exponent() {
                0 => write!(f, "an amount in {currency} has no decimals"),
                most => write!(f, "an amount in {currency} has at most {most} decimals"),
            },
            Self::Overflow => f.write_str("the amount is too large"),
        }
    }
}

impl core::error::Error for ParseMoneyError {}

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

    /// Reads a plain amount: ASCII digits and at most one point, no sign, no more decimals than the
    /// currency has. `14` and `14.5` are read as `14.00` and `14.50`.
    ///
    /// # Errors
    /// [`ParseMoneyError`] names the first rule that the text breaks.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, ParseMoneyError> {
        Ok(Self { minor: parse_minor(text, currency, 1)?, currency })
    }

    /// Reads an amount that may begin with `-`, for balances and returned fees.
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn parse_signed(text: &str, currency: Currency) -> Result<Self, ParseMoneyError> {
        let (digits, sign) = match text.strip_prefix('-') {
            Some(digits) => (digits, -1),
            None => (text, 1),
        };
        Ok(Self { minor: parse_minor(digits, currency, sign)?, currency })
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
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.rebuild(self.minor.checked_add(other.minor))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
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
    pub fn share(self, part: Self, whole: Self, rounding: Rounding) -> Result<Self, MoneyError> {
        self.same_currency(part)?;
        self.same_currency(whole)?;
        if whole.minor == 0 {
            return Err(MoneyError::DivisionByZero);
        }
        // The product of two 64-bit numbers always fits into 128 bits.
        let product = i128::from(self.minor).checked_mul(i128::from(part.minor));
        let share = product.and_then(|product| rounding.divide(product, i128::from(whole.minor)));
        self.rebuild(share.and_then(|share| i64::try_from(share).ok()))
    }

    /// So many hundredths of it, rounded as named: the 15 % of Amazon Pay's overage.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn percent(self, percent: u8, rounding: Rounding) -> Result<Self, MoneyError> {
        let product = i128::from(self.minor).checked_mul(i128::from(percent));
        let share = product.and_then(|product| rounding.divide(product, 100));
        self.rebuild(share.and_then(|share| i64::try_from(share).ok()))
    }

    fn rebuild(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        let minor = minor.ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }

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

/// The amount alone, with all decimals of its currency: `14.00`, `1400` for JPY, `1.234` for KWD.
/// [`Money::parse_signed`] reads it back.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let major_size = self.currency.minor_per_major().unsigned_abs();
        let size = self.minor.unsigned_abs();
        let major = size.checked_div(major_size).unwrap_or(size);
        let minor = size.checked_rem(major_size).unwrap_or(0);
        let mut buffer = Buffer::default();
        let decimals = usize::from(self.currency.exponent());
        match decimals {
            0 => fmt::write(&mut buffer, format_args!("{major}"))?,
            _ => fmt::write(&mut buffer, format_args!("{major}.{minor:0decimals$}"))?,
        }
        f.pad_integral(self.minor >= 0, "", buffer.as_str())
    }
}

/// Room for twenty digits and a point, so that width and alignment work without an allocation.
#[derive(Default)]
struct Buffer {
    bytes: [u8; 24],
    used: usize,
}

impl Buffer {
    fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.used).unwrap_or_default();
        core::str::from_utf8(written).unwrap_or_default()
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.used.checked_add(text.len()).ok_or(fmt::Error)?;
        let room = self.bytes.get_mut(self.used..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}

/// Reads digits into minor units, growing the number in the direction of the sign so that the
/// smallest amount can be read as well.
fn parse_minor(text: &str, currency: Currency, sign: i64) -> Result<i64, ParseMoneyError> {
    for character in text.chars() {
        check_character(character)?;
    }
    let (whole, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err(ParseMoneyError::MissingDigit),
        Some((_, decimals)) if decimals.contains('.') => return Err(ParseMoneyError::NotADigit),
        Some(parts) => parts,
        None if text.is_empty() => return Err(ParseMoneyError::Empty),
        None => (text, ""),
    };
    if whole.is_empty() {
        return Err(ParseMoneyError::MissingDigit);
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(ParseMoneyError::LeadingZero);
    }
    let exponent = usize::from(currency.exponent());
    let missing = exponent
        .checked_sub(decimals.len())
        .ok_or(ParseMoneyError::TooManyDecimals { currency })?;
    let padding = core::iter::repeat_n(b'0', missing);
    let mut minor = 0_i64;
    for digit in whole.bytes().chain(decimals.bytes()).chain(padding) {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        minor = minor
            .checked_mul(10)
            .and_then(|minor| minor.checked_add(digit.checked_mul(sign)?))
            .ok_or(ParseMoneyError::Overflow)?;
    }
    Ok(minor)
}

fn check_character(character: char) -> Result<(), ParseMoneyError> {
    match character {
        '0'..='9' | '.' => Ok(()),
        '+' | '-' | '\u{2212}' => Err(ParseMoneyError::Sign),
        ',' | '\'' | '_' => Err(ParseMoneyError::ThousandsSeparator),
        'e' | 'E' => Err(ParseMoneyError::Exponent),
        other if other.is_whitespace() => Err(ParseMoneyError::Blank),
        other if other.is_numeric() => Err(ParseMoneyError::ForeignDigit),
        _ => Err(ParseMoneyError::NotADigit),
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString;

    use super::*;

    const USD: Currency = Currency::USD;

    #[test]
    fn amounts_are_printed_with_all_their_decimals() {
        let rows = [
            (1400, Currency::USD, "14.00"),
            (1400, Currency::JPY, "1400"),
            (1234, Currency::KWD, "1.234"),
            (-5, Currency::USD, "-0.05"),
            (0, Currency::USD, "0.00"),
            (i64::MIN, Currency::USD, "-92233720368547758.08"),
        ];
        for (minor, currency, text) in rows {
            let money = Money::from_minor(minor, currency);
            assert_eq!(money.to_string(), text);
            assert_eq!(Money::parse_signed(text, currency), Ok(money));
        }
        assert_eq!(format!("{:>8}", Money::from_minor(-150, USD)), "   -1.50");
        assert_eq!(format!("{:?}", Money::from_minor(150, USD)), "1.50 USD");
    }

    #[test]
    fn every_rule_of_writing_an_amount_has_its_own_error() {
        use ParseMoneyError as E;
        let rows = [
            ("", USD, E::Empty),
            (" 14.00", USD, E::Blank),
            ("14.00 ", USD, E::Blank),
            ("1 000.00", USD, E::Blank),
            ("-5", USD, E::Sign),
            ("+5", USD, E::Sign),
            ("\u{2212}5", USD, E::Sign),
            ("1,000.00", USD, E::ThousandsSeparator),
            ("1'000.00", USD, E::ThousandsSeparator),
            ("1e3", USD, E::Exponent),
            ("1E3", USD, E::Exponent),
            ("\u{661}\u{664}", USD, E::ForeignDigit),
            ("\u{ff11}", USD, E::ForeignDigit),
            ("$14", USD, E::NotADigit),
            ("1.2.3", USD, E::NotADigit),
            ("0x10", USD, E::NotADigit),
            ("NaN", USD, E::NotADigit),
            (".50", USD, E::MissingDigit),
            ("14.", USD, E::MissingDigit),
            (".", USD, E::MissingDigit),
            ("014.00", USD, E::LeadingZero),
            ("12.345", USD, E::TooManyDecimals { currency: USD }),
            ("14.00", Currency::JPY, E::TooManyDecimals { currency: Currency::JPY }),
            ("1.2345", Currency::KWD, E::TooManyDecimals { currency: Currency::KWD }),
            ("92233720368547758.08", USD, E::Overflow),
            ("99999999999999999999999", USD, E::Overflow),
        ];
        for (text, currency, error) in rows {
            assert_eq!(Money::parse(text, currency), Err(error), "{text:?}");
        }
    }

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

//! How an amount is written: strict parse, canonical print; calculates nothing.

use core::fmt;

use super::Money;
use crate::currency::Currency;

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
}

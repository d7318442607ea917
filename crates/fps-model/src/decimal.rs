//! Decimal numbers that are no amounts, a rate in percent for instance; nothing is computed here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Expected;
use crate::scalar::Scalar;

/// A decimal number, kept as it is written: `2.9` and `2.90` are two values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(String);

impl Decimal {
    /// The most characters of a number.
    pub const CHARACTERS_MAX: usize = 40;

    /// Takes digits with at most one point between them and a minus before them; `None` for
    /// anything else, an exponent or a grouping for instance.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let good = match unsigned.split_once('.') {
            Some((whole, decimals)) => digits(whole) && digits(decimals),
            None => digits(unsigned),
        };
        (good && text.len() <= Self::CHARACTERS_MAX).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Decimal {
    type Error = Expected;

    fn try_from(text: String) -> Result<Self, Expected> {
        Self::parse(&text).ok_or(Expected::Decimal)
    }
}

impl From<Decimal> for String {
    fn from(number: Decimal) -> Self {
        number.0
    }
}

impl Scalar for Decimal {
    fn to_text(&self) -> String {
        self.0.clone()
    }

    fn from_text(text: &str) -> Result<Self, Expected> {
        Self::parse(text).ok_or(Expected::Decimal)
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn only_plain_numbers_are_taken() {
        for text in ["0", "2.9", "-0.100000", "007"] {
            assert_eq!(Decimal::parse(text).map(String::from).as_deref(), Some(text));
        }
        for text in ["", "-", ".", "1.", ".5", "1e3", "1,000", "+1", " 1", "1.2.3", "\u{661}"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&"1".repeat(41)), None);
    }
}

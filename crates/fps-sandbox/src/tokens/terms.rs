//! The terms of a token: what its owner agreed to. They are kept as JSON and say nothing of what the
//! token was used for.

use std::cmp::Ordering;

use fps_model::Decimal;
use fps_model::flexible_payments::{AmountType, FpsOperation, UsageLimitType};
use refund_rules::{Money, Rounding};
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::periods::Period;

/// What a token allows; everything that is not said is allowed. Amounts are cents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Terms {
    /// The only operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<FpsOperation>,
    /// How much one payment may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<AmountTerm>,
    /// How much all payments may be together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<i64>,
    /// How many payments, or how much, in each period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) usage: Vec<UsageTerm>,
    /// Before this it may not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_from: Option<Millis>,
    /// The tokens of those who may be paid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) recipients: Vec<String>,
    /// Of a recipient: may the fee of the service be charged to it?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient_pays_fee: Option<bool>,
    /// Of a recipient: the most that a marketplace may take of a payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_fixed_fee: Option<i64>,
    /// The same in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_variable_fee: Option<Decimal>,
}

/// How much one payment may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AmountTerm {
    pub(crate) is: AmountType,
    pub(crate) minor: i64,
}

impl AmountTerm {
    /// Does an amount keep to it?
    pub(crate) fn allows(&self, minor: i64) -> bool {
        match self.is {
            AmountType::Exact => minor == self.minor,
            AmountType::Minimum => minor >= self.minor,
            _ => minor <= self.minor,
        }
    }
}

/// How many payments, or how many cents, in each period; in all of the token's life without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageTerm {
    pub(crate) of: UsageLimitType,
    pub(crate) most: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<Period>,
}

impl Terms {
    pub(super) fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::with(ErrorKind::Invalid, error))
    }

    pub(crate) fn from_json(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::with(ErrorKind::Database, error))
    }
}

/// Digits before and after the point, as many after it as are said; nothing below zero, and nothing
/// that is too long to be calculated with.
fn scaled(number: &Decimal, decimals: usize) -> Option<i64> {
    let (whole, fraction) = number.as_str().split_once('.').unwrap_or((number.as_str(), ""));
    let fraction = fraction.trim_end_matches('0');
    let value = format!("{whole}{fraction:0<decimals$}");
    (fraction.len() <= decimals && !whole.starts_with('-')).then(|| value.parse().ok())?
}

/// The most decimals of a percentage.
const DECIMALS: usize = 6;
/// A hundred percent.
const WHOLE: i64 = 100_000_000;

/// So many percent of an amount; `None` for a number that is no percentage.
pub(crate) fn percent_of(amount: Money, percent: &Decimal) -> Option<Money> {
    let part = scaled(percent, DECIMALS).filter(|part| *part <= WHOLE)?;
    let money = |minor| Money::from_minor(minor, amount.currency());
    amount.share(money(part), money(WHOLE), Rounding::HalfEven).ok()
}

/// Is a percentage at most another?
pub(crate) fn within(percent: &Decimal, most: &Decimal) -> bool {
    match (scaled(percent, DECIMALS), scaled(most, DECIMALS)) {
        (Some(percent), Some(most)) => percent.cmp(&most) != Ordering::Greater,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use refund_rules::Currency;

    use super::*;

    #[test]
    fn terms_are_kept_as_they_are() {
        let text = r#"{"operation":"Refund","amount":{"is":"Maximum","minor":500},"total":9900,"usage":[{"of":"Count","most":3,"period":"1 month"},{"of":"Amount","most":700}],"validFrom":7,"recipients":["R"],"recipientPaysFee":true,"maxFixedFee":50,"maxVariableFee":"2.5"}"#;
        let terms = Terms::from_json(text).unwrap();
        assert_eq!(terms.to_json().unwrap(), text);
        assert_eq!(Terms::from_json("{}").unwrap(), Terms::default());
        assert!(Terms::from_json(r#"{"limit":1}"#).is_err());
    }

    #[test]
    fn percentages_are_exact() {
        let decimal = |text: &str| Decimal::parse(text).unwrap();
        let usd = |minor| Money::from_minor(minor, Currency::USD);
        for (amount, percent, part) in [
            (10_000, "2.5", Some(250)),
            (10_000, "0", Some(0)),
            (10_000, "100.000000", Some(10_000)),
            (101, "50", Some(50)),
            (103, "50", Some(52)),
            (10_000, "100.1", None),
            (10_000, "-1", None),
            (10_000, "1.0000001", None),
            (10_000, "99999999999999999999", None),
        ] {
            assert_eq!(percent_of(usd(amount), &decimal(percent)), part.map(usd), "{percent}");
        }
        assert!(within(&decimal("2.50"), &decimal("2.5")));
        assert!(!within(&decimal("2.51"), &decimal("2.5")));
        assert!(!within(&decimal("-2.51"), &decimal("2.5")));
    }
}

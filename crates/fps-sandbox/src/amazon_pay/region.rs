//! Where a merchant's Amazon Pay account is, and which currencies it may take there.

use refund_rules::Currency;
use serde::{Deserialize, Serialize};

/// Where a merchant's Amazon Pay account is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "there are three hosts of the service")]
pub enum Region {
    /// North America: US dollars.
    #[default]
    #[serde(rename = "na")]
    NorthAmerica,
    /// Europe and the United Kingdom: twelve currencies.
    #[serde(rename = "eu")]
    Europe,
    /// Japan: yen.
    #[serde(rename = "jp")]
    Japan,
}

/// Source: Amazon Pay, multi-currency integration; Amazon's .NET SDK, Currency.
const OF_EUROPE: [&str; 12] =
    ["AUD", "GBP", "DKK", "EUR", "HKD", "JPY", "NZD", "NOK", "ZAR", "SEK", "CHF", "USD"];

impl Region {
    const ALL: [Self; 3] = [Self::NorthAmerica, Self::Europe, Self::Japan];

    /// As the header `x-amz-pay-region` and the database have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NorthAmerica => "na",
            Self::Europe => "eu",
            Self::Japan => "jp",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }

    /// A region as clients spell it, in any case. Source: the official SDKs for PHP and Node.
    pub(super) fn from_header(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().as_str() {
            "na" | "us" => Some(Self::NorthAmerica),
            "eu" | "de" | "uk" => Some(Self::Europe),
            "jp" => Some(Self::Japan),
            _ => None,
        }
    }

    /// The digits in ids. Source: sandbox answers of 2023 (one source for each).
    pub(crate) const fn digits(self) -> &'static str {
        match self {
            Self::NorthAmerica => "01",
            Self::Europe => "02",
            Self::Japan => "03",
        }
    }

    /// The region of AWS whose SNS tells; all but the first are the sandbox's choice.
    pub(crate) const fn of_aws(self) -> &'static str {
        match self {
            Self::NorthAmerica => "us-east-1",
            Self::Europe => "eu-west-1",
            Self::Japan => "ap-northeast-1",
        }
    }

    /// Whether an account there may charge this currency.
    pub(crate) fn takes(self, currency: Currency) -> bool {
        match self {
            Self::NorthAmerica => currency == Currency::USD,
            Self::Europe => OF_EUROPE.contains(&currency.code()),
            Self::Japan => currency == Currency::JPY,
        }
    }
}

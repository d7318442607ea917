//! Amounts and times as the control API writes and reads them.

use fps_model::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::{self, Millis};

/// `{"amount": "10.00", "currencyCode": "USD"}`, as Amazon Pay has it.
pub(super) mod money {
    use refund_rules::{Currency, Money};

    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Amount {
        amount: String,
        currency_code: String,
    }

    pub(crate) fn serialize<S: Serializer>(money: &Money, to: S) -> Result<S::Ok, S::Error> {
        let currency = money.currency();
        let currency_code = currency.code().to_owned();
        Amount { amount: money.to_string(), currency_code }.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Money, D::Error> {
        let Amount { amount, currency_code } = Amount::deserialize(from)?;
        let currency = Currency::from_code(&currency_code).map_err(D::Error::custom)?;
        Money::parse(&amount, currency).map_err(D::Error::custom)
    }
}

/// The same where there may be none.
pub(super) mod optional_money {
    use refund_rules::Money;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Read(#[serde(with = "super::money")] Money);

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(
        money: &Option<Money>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        money.map(Read).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Money>, D::Error> {
        Ok(Option::<Read>::deserialize(from)?.map(|Read(money)| money))
    }
}

/// `2026-03-01T12:00:00.000Z`.
pub(super) mod time {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&time.to_extended())
    }
}

/// The same where there may be none.
pub(super) mod optional_time {
    use super::*;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::to_extended).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let time = Timestamp::parse(&text);
        time.map(Some).ok_or_else(|| D::Error::custom(format!("`{text}` is not a time")))
    }
}

/// A time of the database, if there is one.
pub(super) fn at(millis: Option<Millis>) -> Option<Timestamp> {
    millis.map(clock::timestamp)
}

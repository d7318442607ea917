//! The border between wire amounts and [`refund_rules::Money`]: exact in both directions, no float.

use refund_rules::{Currency, Money, ParseMoneyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{Expected, Problem};

/// Reads an amount as a service prints it: a sign is allowed, and zeros beyond the decimals of the
/// currency are dropped (`1.000000` USD is 1.00). Other digits there are an error: nothing is
/// rounded.
pub(crate) fn read(currency: &str, text: &str) -> Result<Money, Problem> {
    let currency =
        Currency::from_code(currency).map_err(|_| Problem::Invalid(Expected::Currency))?;
    let (whole, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err(Problem::Invalid(Expected::Amount)),
        Some(parts) => parts,
        None => (text, ""),
    };
    let kept = usize::from(currency.exponent());
    let shortened = match decimals.split_at_checked(kept) {
        Some((_, rest)) if rest.bytes().any(|byte| byte != b'0') => {
            let only_digits = rest.bytes().all(|byte| byte.is_ascii_digit());
            return Err(match only_digits {
                true => Problem::TooPrecise,
                false => Problem::Invalid(Expected::Amount),
            });
        }
        Some((decimals, _)) if kept > 0 && !decimals.is_empty() => format!("{whole}.{decimals}"),
        Some(_) => whole.to_owned(),
        None => text.to_owned(),
    };
    Money::parse_signed(&shortened, currency).map_err(|error| match error {
        ParseMoneyError::TooManyDecimals { .. } => Problem::TooPrecise,
        _ => Problem::Invalid(Expected::Amount),
    })
}

/// Reads an amount as a server takes it: above zero, no more decimals than the currency has.
pub(crate) fn read_strictly(currency: &str, text: &str) -> Result<Money, Problem> {
    let currency =
        Currency::from_code(currency).map_err(|_| Problem::Invalid(Expected::Currency))?;
    let money = Money::parse(text, currency);
    let money = money.map_err(|_| Problem::Invalid(Expected::PositiveAmount))?;
    check_positive(money).map(|()| money)
}

/// Refuses to send what no service takes.
pub(crate) fn check_positive(money: Money) -> Result<(), Problem> {
    match money.minor() > 0 {
        true => Ok(()),
        false => Err(Problem::Invalid(Expected::PositiveAmount)),
    }
}

/// The amount as an answer of FPS prints it, with six decimals: `1.000000`.
pub(crate) fn six_decimals(money: Money) -> String {
    let text = money.to_string();
    match text.split_once('.') {
        Some((whole, decimals)) => format!("{whole}.{decimals:0<6}"),
        None => format!("{text}.000000"),
    }
}

/// The amount as requests of FPS have it, without zeros at its end: `1`, `1.1`, `25.01`.
pub(crate) fn shortest(money: Money) -> String {
    let text = money.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `USD 1.00`, as in a notification.
pub(crate) fn with_code(money: Money) -> String {
    format!("{} {money}", money.currency())
}

/// Reads `USD 1.00`, which is never below zero.
pub(crate) fn from_code_and_amount(text: &str) -> Result<Money, Problem> {
    let (currency, amount) = text.split_once(' ').ok_or(Problem::Invalid(Expected::Amount))?;
    match read(currency, amount)? {
        money if money.is_negative() => Err(Problem::Invalid(Expected::Amount)),
        money => Ok(money),
    }
}

/// `1.1`, as on the co-branded pages, which take nothing but US dollars.
pub(crate) fn dollars(money: Money) -> Result<String, Problem> {
    check_positive(money)?;
    match money.currency() == Currency::USD {
        true => Ok(shortest(money)),
        false => Err(Problem::Invalid(Expected::Dollars)),
    }
}

/// Reads `1.1` of US dollars, as a server of those pages takes it.
pub(crate) fn from_dollars(text: &str) -> Result<Money, Problem> {
    let money = read("USD", text)?;
    check_positive(money).map(|()| money)
}

/// An amount as Amazon Pay writes it: `{"amount": "14.00", "currencyCode": "USD"}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price(pub(crate) Money);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PriceOut<'a> {
    amount: &'a str,
    currency_code: &'a str,
}

/// The amount may be a string or a number; the number is read as text, never as a float.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PriceIn<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
    currency_code: String,
}

impl PriceIn<'_> {
    /// The two texts, through one of the readers above.
    pub(crate) fn read(
        &self,
        read: fn(&str, &str) -> Result<Money, Problem>,
    ) -> Result<Money, Problem> {
        let raw = self.amount.get();
        let amount = match raw.starts_with('"') {
            true => serde_json::from_str(raw).map_err(|_| Problem::Invalid(Expected::Amount))?,
            false => raw.to_owned(),
        };
        read(&self.currency_code, &amount)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let currency = self.0.currency();
        PriceOut { amount: &self.0.to_string(), currency_code: currency.code() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        // A derived reader would take `["1.00", "USD"]` for an object.
        if !raw.starts_with('{') {
            return Err(serde::de::Error::custom(Expected::Object));
        }
        let price: PriceIn<'_> = serde_json::from_str(raw).map_err(serde::de::Error::custom)?;
        price.read(read).map(Price).map_err(serde::de::Error::custom)
    }
}

/// For `#[serde(with)]` on a required amount.
pub(crate) mod price {
    use super::{Deserialize, Deserializer, Money, Price, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(money: &Money, out: S) -> Result<S::Ok, S::Error> {
        Price(*money).serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Money, D::Error> {
        Price::deserialize(input).map(|Price(money)| money)
    }
}

/// For `#[serde(with)]` on an amount that may be null.
pub(crate) mod optional_price {
    use super::{Deserialize, Deserializer, Money, Price, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        money: &Option<Money>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        money.map(Price).serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Money>, D::Error> {
        Option::<Price>::deserialize(input).map(|price| price.map(|Price(money)| money))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_the_wire_are_read_exactly() {
        let usd = |minor| Ok(Money::from_minor(minor, Currency::USD));
        assert_eq!(read("USD", "1.000000"), usd(100));
        assert_eq!(read("USD", "-0.100000"), usd(-10));
        assert_eq!(read("USD", "0"), usd(0));
        assert_eq!(read("USD", "1.1"), usd(110));
        assert_eq!(read("USD", "2500"), usd(250_000));
        assert_eq!(read("JPY", "500.000"), Ok(Money::from_minor(500, Currency::JPY)));
        assert_eq!(read("USD", "1.005000"), Err(Problem::TooPrecise));
        assert_eq!(read("JPY", "500.5"), Err(Problem::TooPrecise));
        assert_eq!(read("USD", "1,000.00"), Err(Problem::Invalid(Expected::Amount)));
        assert_eq!(read("USD", "1.00e1"), Err(Problem::Invalid(Expected::Amount)));
        assert_eq!(read("USD", "1."), Err(Problem::Invalid(Expected::Amount)));
        assert_eq!(read("JPY", "500."), Err(Problem::Invalid(Expected::Amount)));
        assert_eq!(read("USD", "12.9\u{661}"), Err(Problem::Invalid(Expected::Amount)));
        assert_eq!(read("usd", "1.00"), Err(Problem::Invalid(Expected::Currency)));
        assert_eq!(from_code_and_amount("USD 1.00"), usd(100));
        assert!(from_code_and_amount("1.00").is_err());
    }

    #[test]
    fn answers_have_six_decimals() {
        assert_eq!(six_decimals(Money::from_minor(-10, Currency::USD)), "-0.100000");
        assert_eq!(six_decimals(Money::from_minor(500, Currency::JPY)), "500.000000");
        for (minor, text) in [(100, "1"), (110, "1.1"), (2501, "25.01"), (10_000, "100"), (0, "0")]
        {
            assert_eq!(shortest(Money::from_minor(minor, Currency::USD)), text);
        }
        assert_eq!(shortest(Money::from_minor(500, Currency::JPY)), "500");
        assert_eq!(with_code(Money::from_minor(100, Currency::USD)), "USD 1.00");
    }

    #[test]
    fn a_price_is_read_from_a_string_or_a_number_without_a_float() {
        let rows = [
            (r#"{"amount":"14.00","currencyCode":"USD"}"#, 1400),
            (r#"{"amount":12.99,"currencyCode":"USD"}"#, 1299),
            (r#"{"amount":50,"currencyCode":"USD"}"#, 5000),
            (r#"{"currencyCode":"USD","amount":"0.07"}"#, 7),
            (r#"{"currencyCode":"USD","amount":"1\u0034.00"}"#, 1400),
        ];
        for (text, minor) in rows {
            let Price(money) = serde_json::from_str(text).unwrap();
            assert_eq!(money, Money::from_minor(minor, Currency::USD), "{text}");
        }
        for text in [
            r#"{"amount":12.990000000000001,"currencyCode":"USD"}"#,
            r#"{"amount":1e2,"currencyCode":"USD"}"#,
            r#"{"amount":null,"currencyCode":"USD"}"#,
            r#"{"amount":"1,000.00","currencyCode":"USD"}"#,
            r#"{"amount":"14.00"}"#,
        ] {
            assert!(serde_json::from_str::<Price>(text).is_err(), "{text}");
        }
        let money = Money::from_minor(500, Currency::JPY);
        let text = serde_json::to_string(&Price(money)).unwrap();
        assert_eq!(text, r#"{"amount":"500","currencyCode":"JPY"}"#);
    }
}

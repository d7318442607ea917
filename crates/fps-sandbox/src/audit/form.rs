//! How a request is written: its signature, and its amount.

use super::{Code, Evidence, Found, asker};
use crate::books::Service;
use crate::exchange::Exchange;

/// No currency has more decimals. Source: ISO 4217.
const DECIMALS_MAX: usize = 4;

pub(super) fn see(exchange: &Exchange, found: &mut Found) {
    let version_1 = exchange.signature_version.as_deref() == Some("1");
    if version_1 && exchange.service == Service::FlexiblePayments {
        let sentence = "A request was signed with version 1, which joins names and values without \
                        delimiters: who sees one signed partial refund has a signed full one.";
        let shown = vec![Evidence::of(exchange)];
        found.add(Code::SignatureVersion1, asker(exchange), sentence.to_owned(), shown);
    }
    if let Some(amount) = exchange.amount.as_deref().filter(|amount| is_like_float(amount)) {
        let sentence = format!(
            "The amount `{amount}` is written as a binary fraction prints it, or as people do: sooner or \
             later one is a cent off, or refused."
        );
        let shown = vec![Evidence::of(exchange)];
        found.add(Code::AmountLikeFloat, amount.to_owned(), sentence, shown);
    }
}

/// Zeros behind the last digit that counts are written by FPS itself.
fn is_like_float(amount: &str) -> bool {
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, ""));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !digits(whole) || !digits(decimals) || decimals.trim_end_matches('0').len() > DECIMALS_MAX
}

#[cfg(test)]
mod tests {
    use super::is_like_float;

    #[test]
    fn amounts_are_told_from_floats() {
        for good in ["10", "10.1", "10.10", "1.000000", "0.0001", "-1.00", "", "123456789.99"] {
            assert!(!is_like_float(good), "{good}");
        }
        for bad in [
            "10.100000001",
            "12.3400001",
            "1e2",
            "1E2",
            "1.5e-3",
            "1,000.00",
            "1.000,00",
            "1 000",
            "NaN",
            "inf",
            "$10",
            "0.30000000000000004",
            "9.999999999",
            "+1",
        ] {
            assert!(is_like_float(bad), "{bad}");
        }
    }
}

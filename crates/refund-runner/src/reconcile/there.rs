//! Amounts and moments as reports write them, which is not as we do: a minus for what was taken,
//! separators between thousands, decimals that a currency does not have.

use refund_ledger::Millis;
use refund_rules::{Currency, Money};

/// How much, without its sign; nothing for what is no amount.
///
/// Separators are only taken away where they stand between three digits each, and decimals only where
/// they are noughts: what is left must be an amount by the strict rules.
pub(crate) fn amount(text: &str, currency: Currency) -> Option<Money> {
    let text = text.trim();
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !(1..=3).contains(&first.len()) {
            return None;
        }
        digits.push_str(group);
    }
    let most = usize::from(currency.exponent());
    let (kept, rest) = decimals.split_at_checked(most.min(decimals.len()))?;
    if rest.bytes().any(|byte| byte != b'0') || (text.contains('.') && decimals.is_empty()) {
        return None;
    }
    if !kept.is_empty() {
        digits.push('.');
        digits.push_str(kept);
    }
    Money::parse(&digits, currency).ok()
}

/// A moment with an offset, such as `2015-05-18T14:37:01-0700`.
pub(crate) fn moment(text: &str) -> Option<Millis> {
    let text = text.trim();
    let moment = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text);
    let moment = moment.or_else(|_| text.parse::<jiff::Timestamp>());
    moment.ok().map(|moment| Millis(moment.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_reports_write_them_and_never_as_another_amount() {
        let minor = |text, currency| amount(text, currency).map(Money::minor);
        for (text, currency, expected) in [
            ("-14.00", Currency::USD, Some(1_400)),
            ("14", Currency::USD, Some(1_400)),
            ("-1,400.00", Currency::USD, Some(140_000)),
            ("12,345,678.9", Currency::USD, Some(1_234_567_890)),
            ("-1,400.00", Currency::JPY, Some(1_400)),
            ("14.000", Currency::USD, Some(1_400)),
            ("0.00", Currency::USD, Some(0)),
            ("14.005", Currency::USD, None),
            ("1400.50", Currency::JPY, None),
            ("17,00", Currency::EUR, None),
            ("1400,000", Currency::USD, None),
            ("14.", Currency::USD, None),
            ("1e3", Currency::USD, None),
            ("--1", Currency::USD, None),
            ("", Currency::USD, None),
            (",100", Currency::USD, None),
            ("14.0\u{e9}", Currency::USD, None),
            ("\u{661}.00", Currency::USD, None),
        ] {
            assert_eq!(minor(text, currency), expected, "{text} {currency}");
        }
    }

    #[test]
    fn moments_have_an_offset() {
        assert_eq!(moment("2015-05-18T14:37:01-0700"), Some(Millis(1_431_985_021_000)));
        assert_eq!(moment("2015-05-18T21:37:01Z"), Some(Millis(1_431_985_021_000)));
        assert_eq!(moment("2015-05-18T21:37:01"), None);
    }
}

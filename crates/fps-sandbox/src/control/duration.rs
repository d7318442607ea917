//! Spans of time as people write them: `7d`, `90s`, `1h30m`, or ISO 8601, `P7D`, `PT90S`.

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

/// The letters of the short form. A month and a year have no fixed length, so there is neither.
const UNITS: [(&str, Millis); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60 * 1_000),
    ("h", 60 * 60 * 1_000),
    ("d", 24 * 60 * 60 * 1_000),
    ("w", 7 * 24 * 60 * 60 * 1_000),
];

/// Milliseconds of a span, which is not negative.
pub(crate) fn parse(text: &str) -> Result<Millis, Error> {
    let parsed = match text.strip_prefix('P') {
        Some(rest) => iso(rest),
        None => short(text, &UNITS),
    };
    parsed.ok_or_else(|| {
        let reason = format!("`{text}` is not a span of time such as 7d, 90s, 1h30m or P7D");
        Error::with(ErrorKind::Invalid, reason)
    })
}

/// Weeks and days before the `T`, the rest behind it.
fn iso(text: &str) -> Option<Millis> {
    const DAYS: [(&str, Millis); 2] = [("D", UNITS[4].1), ("W", UNITS[5].1)];
    const TIME: [(&str, Millis); 3] = [("S", UNITS[1].1), ("M", UNITS[2].1), ("H", UNITS[3].1)];
    match text.split_once('T') {
        None => short(text, &DAYS),
        Some(("", time)) => short(time, &TIME),
        Some((days, time)) => short(days, &DAYS)?.checked_add(short(time, &TIME)?),
    }
}

/// One or more whole numbers, each with its unit.
fn short(text: &str, units: &[(&str, Millis)]) -> Option<Millis> {
    let (mut rest, mut sum) = (text, 0_i64);
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at(letters);
        let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(number.parse::<Millis>().ok()?.checked_mul(*size)?)?;
        if behind.is_empty() {
            return Some(sum);
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_both_forms() {
        let day = 24 * 60 * 60 * 1_000;
        for (text, millis) in [
            ("7d", 7 * day),
            ("P7D", 7 * day),
            ("P1W", 7 * day),
            ("1w", 7 * day),
            ("90s", 90_000),
            ("PT90S", 90_000),
            ("1h30m", 5_400_000),
            ("PT1H30M", 5_400_000),
            ("P1DT1S", day + 1_000),
            ("250ms", 250),
            ("0s", 0),
        ] {
            assert_eq!(parse(text).unwrap(), millis, "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "7",
            "d",
            "-7d",
            "+7d",
            "1.5h",
            "7 d",
            "1y",
            "P1M",
            "P1Y",
            "P",
            "PT",
            "P7",
            "PT7D",
            "P7DT",
            "7D",
            "99999999999999999999s",
            "9223372036854775807d",
            "1h-30m",
            "٧d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

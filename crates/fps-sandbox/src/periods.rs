//! Spans of the calendar, such as `1 month`: when the next begins, and which one is now. All of it is UTC.

use std::fmt;

use fps_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::{self, Millis};

const HOUR: Millis = 60 * 60 * 1_000;
const DAY: Millis = 24 * HOUR;

/// A number of hours, days, weeks, months or years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Period {
    value: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

const UNITS: [(&str, Unit); 5] = [
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("year", Unit::Year),
];

/// The text is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPeriod;

impl fmt::Display for NoPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a period is a number above zero and Hour, Day, Week, Month or Year")
    }
}

impl std::error::Error for NoPeriod {}

impl TryFrom<String> for Period {
    type Error = NoPeriod;

    fn try_from(text: String) -> Result<Self, NoPeriod> {
        Self::parse(&text).ok_or(NoPeriod)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        format!("{} {}", period.value, period.unit_name())
    }
}

impl Period {
    /// The most that a period can count of its unit: a thousand years of months.
    const VALUE_MAX: u32 = 12_000;

    /// Reads `1 Month`, whatever the case, with or without an s.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (value, unit) = text.trim().split_once(' ')?;
        let unit = unit.trim().to_ascii_lowercase();
        let unit = unit.strip_suffix('s').unwrap_or(&unit);
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let value = value.parse().ok().filter(|value| (1..=Self::VALUE_MAX).contains(value))?;
        Some(Self { value, unit })
    }

    pub(crate) const fn value(self) -> u32 {
        self.value
    }

    pub(crate) fn unit_name(self) -> &'static str {
        UNITS.into_iter().find(|(_, unit)| *unit == self.unit).map_or("day", |(name, _)| name)
    }

    /// So many periods after a start.
    pub(crate) fn after(self, start: Millis, count: u32) -> Millis {
        let units = i64::from(self.value).saturating_mul(i64::from(count));
        match self.unit {
            Unit::Hour => start.saturating_add(units.saturating_mul(HOUR)),
            Unit::Day => start.saturating_add(units.saturating_mul(DAY)),
            Unit::Week => start.saturating_add(units.saturating_mul(7 * DAY)),
            Unit::Month => months_after(start, units),
            Unit::Year => months_after(start, units.saturating_mul(12)),
        }
    }

    /// When the period began that a time is in, of those that follow each other from a start.
    pub(crate) fn beginning(self, start: Millis, now: Millis) -> Millis {
        let fits = |count: &u32| self.after(start, *count) <= now;
        // Halving finds the last that has begun; there are never more than the hours of ten thousand
        // years.
        let (mut low, mut high) = (0, 100_000_000_u32);
        while high.saturating_sub(low) > 1 {
            let middle = low.midpoint(high);
            if fits(&middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        self.after(start, low)
    }
}

/// The same day and time so many months later; the last day of a month that is too short for it.
fn months_after(start: Millis, months: i64) -> Millis {
    let text = clock::timestamp(start).to_extended();
    let number = |range: std::ops::Range<usize>| -> Option<i64> { text.get(range)?.parse().ok() };
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return Millis::MAX;
    };
    let month = (year * 12 + month - 1).saturating_add(months);
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let rest = text.get(10..).unwrap_or_default();
    (day - 3..=day)
        .rev()
        .find_map(|day| Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}{rest}")))
        .map_or(Millis::MAX, Timestamp::unix_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        Timestamp::parse(text).unwrap().unix_millis()
    }

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    #[test]
    fn periods_follow_the_calendar() {
        for (text, start, count, end) in [
            ("1 Month", "2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
            ("1 Month", "2026-01-31T10:00:00Z", 2, "2026-03-31T10:00:00Z"),
            ("2 months", "2026-11-30T10:00:00Z", 1, "2027-01-30T10:00:00Z"),
            ("1 year", "2024-02-29T00:00:00Z", 1, "2025-02-28T00:00:00Z"),
            ("36 Hour", "2026-01-01T00:00:00Z", 1, "2026-01-02T12:00:00Z"),
            ("2 week", "2026-01-01T00:00:00Z", 3, "2026-02-12T00:00:00Z"),
        ] {
            assert_eq!(period(text).after(at(start), count), at(end), "{text} after {start}");
        }
        for text in ["", "1", "Month", "0 Day", "-1 Day", "1 Fortnight", "99999 Day"] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_in_the_period_that_began_last() {
        let start = at("2026-01-31T10:00:00Z");
        for (text, now, began) in [
            ("1 Month", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
            ("1 Month", "2026-02-28T09:59:59Z", "2026-01-31T10:00:00Z"),
            ("1 Month", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z"),
            ("1 Day", "2027-02-28T09:00:00Z", "2027-02-27T10:00:00Z"),
            ("1 Hour", "2035-02-28T09:30:00Z", "2035-02-28T09:00:00Z"),
        ] {
            assert_eq!(period(text).beginning(start, at(now)), at(began), "{text} at {now}");
        }
    }
}

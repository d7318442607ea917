//! Points in time as the two services write them; reads no clock.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Expected;
use crate::scalar::Scalar;

/// A point in time, to the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// From the first millisecond of the year 0 to the last of 9999.
    const YEARS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

    /// Milliseconds since 1970. `None` outside the years 0 to 9999, which have four digits.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        let instant = jiff::Timestamp::from_millisecond(millis).ok()?;
        Self::YEARS.contains(&millis).then_some(Self(instant))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Reads the forms that the services and their clients use: `2009-10-05T22:50:08.010-07:00`,
    /// `2008-09-18T13:00:01Z`, `20190714T155300Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Self::from_unix_millis(instant.as_millisecond())
    }

    /// `2009-10-06T05:51:49.578Z`, as FPS has it.
    #[must_use]
    pub fn to_extended(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// `20190714T155300Z`, as Amazon Pay has it; fractions of a second are dropped.
    #[must_use]
    pub fn to_basic(self) -> String {
        self.0.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    pub(crate) fn from_epoch_seconds(text: &str) -> Result<Self, Expected> {
        let seconds: i64 = text.parse().map_err(|_| Expected::Time)?;
        let millis = seconds.checked_mul(1000).ok_or(Expected::Time)?;
        Self::from_unix_millis(millis).ok_or(Expected::Time)
    }

    pub(crate) fn to_epoch_seconds(self) -> String {
        self.0.as_second().to_string()
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_extended())
    }
}

impl Scalar for Timestamp {
    fn to_text(&self) -> String {
        self.to_extended()
    }

    fn from_text(text: &str) -> Result<Self, Expected> {
        Self::parse(text).ok_or(Expected::Time)
    }
}

/// As Amazon Pay writes it.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_basic())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(Expected::Time))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn every_form_in_use_is_read_and_the_two_are_written() {
        let rows = [
            ("2009-10-05T22:50:08.010-07:00", "2009-10-06T05:50:08.010Z", "20091006T055008Z"),
            ("2008-09-18T13:00:01Z", "2008-09-18T13:00:01.000Z", "20080918T130001Z"),
            ("20190714T155300Z", "2019-07-14T15:53:00.000Z", "20190714T155300Z"),
            ("2026-11-21T07:57:44Z", "2026-11-21T07:57:44.000Z", "20261121T075744Z"),
        ];
        for (text, extended, basic) in rows {
            let time = Timestamp::parse(text).unwrap();
            assert_eq!((time.to_extended().as_str(), time.to_basic().as_str()), (extended, basic));
            assert_eq!(Timestamp::parse(extended), Some(time));
        }
        for text in ["0000-01-01T00:00:00.000Z", "9999-12-30T21:59:59.999Z"] {
            assert_eq!(Timestamp::parse(text).map(Timestamp::to_extended).as_deref(), Some(text));
        }
        // Found by the fuzzer: a year before 0 was read, and written so that nobody could read it.
        for text in ["-003390-03-20 00:07Z", "-0033900320 0007Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        for text in ["", "2010-02-26 T19:48:05.000Z", "2010-02-26T19:48:05", "yesterday"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}

//! How often something may be done; waits for nothing.

/// A limit that all workers of one ledger share: so many at once, and one more every interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    pub(crate) name: String,
    pub(crate) burst: u32,
    pub(crate) interval_micros: i64,
}

impl Pace {
    /// `burst` at once, and then one every `interval_micros` microseconds. Workers that say the same
    /// name share it.
    #[must_use]
    pub fn new(name: impl Into<String>, burst: u32, interval_micros: u32) -> Self {
        Self { name: name.into(), burst: burst.max(1), interval_micros: interval_micros.into() }
    }
}

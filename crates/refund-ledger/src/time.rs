//! Moments are told to the ledger; it reads no clock. The one wait is that between two tries at a store
//! that is busy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "a number with a meaning, complete by nature")]
pub struct Millis(pub i64);

impl Millis {
    /// So many milliseconds later.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// Waits before another try: 2 ms after the first, twice as long after each, half a second at most.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(2 << tries.min(8))).await;
}

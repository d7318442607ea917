//! Whose an intent is for a time, and that a request of it may leave.

use crate::intent::{IntentId, IntentRecord};
use crate::payment::storable;
use crate::time::Millis;

/// That an intent is one worker's, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Of what.
    pub intent: IntentId,
    /// Whose.
    pub worker: String,
    /// Until when, unless it is renewed.
    pub until: Millis,
    pub(crate) fence: i64,
}

/// What a worker has claimed: to be sent if it is prepared or unknown, and else to be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// The intent.
    pub intent: IntentRecord,
}

/// Which work is wanted, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub(crate) worker: String,
    pub(crate) most: u32,
    pub(crate) lease: i64,
    pub(crate) batch: Option<String>,
}

impl Wanted {
    /// At most so many intents that are due, each for so many milliseconds.
    #[must_use]
    pub fn new(worker: impl Into<String>, most: u32, lease: i64) -> Self {
        Self { worker: storable(worker.into()), most, lease, batch: None }
    }

    /// Of one batch only.
    #[must_use]
    pub fn batch(mut self, batch: impl Into<String>) -> Self {
        self.batch = Some(batch.into());
        self
    }
}

/// That a request may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Of what.
    pub intent: IntentId,
    /// Which try it is, counted from one.
    pub number: u32,
    pub(crate) fence: i64,
}

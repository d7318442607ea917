//! What a run tells whoever watches; nobody decides anything by it.

use refund_ledger::{IntentRecord, Millis, Recorded};

/// Somebody who watches a run. Called from all its tasks; it must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Nobody watches.
impl Observer for () {
    fn event(&self, _: &Event<'_>) {}
}

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It is on record that a request leaves, and it leaves now.
    Sending {
        /// Of what.
        intent: &'a IntentRecord,
        /// Which try, counted from one.
        attempt: u32,
    },
    /// Something was learned, and is on record.
    Recorded {
        /// Of what; as it was before.
        intent: &'a IntentRecord,
        /// What changed.
        recorded: &'a Recorded,
    },
    /// An intent waits for a human.
    Parked {
        /// Which.
        intent: &'a IntentRecord,
        /// Why.
        why: &'a str,
    },
    /// Nothing is due before then.
    Waiting {
        /// When something is.
        until: Millis,
    },
    /// Nothing new is begun; what is in flight is finished.
    Halting,
}

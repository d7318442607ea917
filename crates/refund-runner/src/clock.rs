//! The one place where the real time is read and waited for; how long to wait is not decided here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use refund_ledger::Millis;

use crate::gateway::BoxFuture;

/// Time, as a run needs it.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Millis;

    /// Waits for so many milliseconds.
    fn sleep(&self, millis: i64) -> BoxFuture<'_, ()>;
}

/// The time of this machine.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn sleep(&self, millis: i64) -> BoxFuture<'_, ()> {
        let millis = u64::try_from(millis).unwrap_or_default();
        Box::pin(tokio::time::sleep(Duration::from_millis(millis)))
    }
}

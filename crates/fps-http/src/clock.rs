//! The one place where the real time is read and waited for; how long to wait is not decided here.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fps_model::Timestamp;

use crate::transport::BoxFuture;

/// Time, as a client needs it.
pub trait Clock: Send + Sync + 'static {
    /// The date that a request is signed with.
    fn now(&self) -> Timestamp;

    /// How long it has been since some fixed point: it never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The point that all clocks of this process count from, so that what one says means the same to
/// another.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The time of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Counting from the same point as every other of this process.
    #[must_use]
    pub fn new() -> Self {
        Self { start: *START }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        #[expect(clippy::expect_used, reason = "this machine's date has four digits")]
        Timestamp::from_unix_millis(millis).expect("a date before the year 10000")
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

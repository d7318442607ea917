//! The one place where the sandbox reads the time and waits for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fps_model::Timestamp;

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

/// The time of this machine.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// Waits until then.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) async fn sleep_until(then: Millis) {
    let left = u64::try_from(then.saturating_sub(now())).unwrap_or_default();
    tokio::time::sleep(Duration::from_millis(left)).await;
}

/// A time of this machine as the messages write it.
#[expect(clippy::expect_used, reason = "this machine's date has four digits")]
pub(crate) fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_unix_millis(at).expect("a date before the year 10000")
}

/// Milliseconds of a duration that somebody configured.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

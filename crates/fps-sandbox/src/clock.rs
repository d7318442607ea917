//! The one place where the sandbox reads the time and waits for it. Its own time may be ahead of that
//! of the machine: somebody who waits for a week need not.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fps_model::Timestamp;
use tokio::sync::Notify;

use crate::exchange::Moment;

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

/// The time of the sandbox.
pub(crate) struct Clock {
    /// Where it stands still, if it does; it goes with that of the machine otherwise.
    still_at: Option<Millis>,
    ahead: AtomicI64,
    moved: Notify,
    opened: Instant,
}

impl Clock {
    /// As far ahead of the machine's, or of where it stands still, as it was.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub(crate) fn new(still_at: Option<Millis>, ahead: Millis) -> Self {
        let (ahead, moved) = (AtomicI64::new(ahead), Notify::new());
        Self { still_at, ahead, moved, opened: Instant::now() }
    }

    /// The time of the sandbox.
    pub(crate) fn now(&self) -> Millis {
        self.still_at.unwrap_or_else(machine_time).saturating_add(self.ahead())
    }

    /// Now, by both ways to tell it.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub(crate) fn moment(&self) -> Moment {
        let since_open = self.opened.elapsed().as_micros();
        Moment {
            at_millis: self.now(),
            since_open_micros: u64::try_from(since_open).unwrap_or(u64::MAX),
        }
    }

    /// Does it move only when it is moved?
    pub(crate) const fn stands_still(&self) -> bool {
        self.still_at.is_some()
    }

    /// How far it is ahead of the machine's.
    pub(crate) fn ahead(&self) -> Millis {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Moves it forward, and wakes whoever waits; time never goes back.
    pub(crate) fn set_ahead(&self, ahead: Millis) {
        self.ahead.fetch_max(ahead, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// Waits until then, however the clock gets there.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub(crate) async fn sleep_until(&self, then: Millis) {
        loop {
            let moved = self.moved.notified();
            let left = u64::try_from(then.saturating_sub(self.now())).unwrap_or_default();
            if left == 0 {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)), if !self.stands_still() => {}
                () = moved => {}
            }
        }
    }

    /// How far a date is off the time that is [nearer](Self::nearer).
    pub(crate) fn distance(&self, date: Millis) -> Millis {
        date.saturating_sub(self.nearer(date)).saturating_abs()
    }

    /// By which time a client dated something. Clients have the machine's time, or have been told that
    /// of the sandbox: the nearer one counts.
    pub(crate) fn nearer(&self, date: Millis) -> Millis {
        let off = |time: &Millis| date.saturating_sub(*time).saturating_abs();
        let (machine, sandbox) = (machine_time(), self.now());
        if off(&machine) <= off(&sandbox) { machine } else { sandbox }
    }
}

/// Waits as a network does, by the time of this machine.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// How long it was from 1970 until a day before now, for certificates: a client whose clock is a little
/// slow takes them, too.
pub(crate) fn yesterday() -> Duration {
    let day = 24 * 60 * 60 * 1_000;
    Duration::from_millis(u64::try_from(machine_time() - day).unwrap_or_default())
}

/// The time of this machine.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn machine_time() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// The last millisecond that the messages can write: in the year 9999, wherever on Earth one is.
const LAST: Millis = 253_402_207_199_999;

/// A time of the sandbox as the messages write it.
#[expect(clippy::expect_used, reason = "a date before the year 10000 has four digits")]
pub(crate) fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_unix_millis(at.clamp(0, LAST)).expect("a date before the year 10000")
}

/// Milliseconds of a duration that somebody configured.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_can_be_written() {
        for at in [Millis::MIN, -1, 0, LAST, LAST + 1, Millis::MAX] {
            assert!((0..=LAST).contains(&timestamp(at).unix_millis()), "{at}");
        }
    }
}

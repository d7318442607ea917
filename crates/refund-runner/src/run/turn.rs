//! Whose turn it is under the provider's limits, which all workers of a ledger share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use refund_ledger::{Error, Ledger, Millis, Pace};
use tokio::sync::Mutex;

use crate::gateway::{Call, Gateway, Limit};

/// How far ahead turns are taken, in microseconds: a worker that is killed wastes no more.
const AHEAD_MICROS: u32 = 250_000;

/// The most turns taken at once.
const TURNS_MAX: u32 = 64;

/// The longest silence that one answer can ask for, in milliseconds: more is likelier wrong than meant.
const SILENCE_MAX: i64 = 3_600_000;

/// The turns of one sort of call.
pub(crate) struct Turns {
    ledger: Ledger,
    pace: Option<(Pace, u32)>,
    taken: Mutex<VecDeque<Millis>>,
    /// The provider asked for silence until then.
    silent_until: AtomicI64,
}

impl Turns {
    pub(crate) fn new(ledger: &Ledger, gateway: &Arc<dyn Gateway>, call: Call) -> Self {
        let name = format!("{} {} {call:?}", gateway.provider(), gateway.target());
        let pace = gateway.limit(call).map(|Limit { burst, interval_micros }| {
            let together = AHEAD_MICROS.checked_div(interval_micros).unwrap_or(TURNS_MAX);
            (Pace::new(name, burst, interval_micros), together.clamp(1, TURNS_MAX))
        });
        Self {
            ledger: ledger.clone(),
            pace,
            taken: Mutex::default(),
            silent_until: AtomicI64::new(i64::MIN),
        }
    }

    /// When the next call may leave: in the past, if it may now.
    pub(crate) async fn next(&self, now: Millis) -> Result<Millis, Error> {
        let silent_until = Millis(self.silent_until.load(Ordering::Relaxed));
        let Some((pace, together)) = &self.pace else { return Ok(silent_until) };
        let mut taken = self.taken.lock().await;
        if taken.is_empty() {
            taken.extend(self.ledger.turns(pace, *together, now).await?);
        }
        let turn = taken.pop_front().unwrap_or(now);
        Ok(turn.max(silent_until))
    }

    /// The provider said that this was too often, and for how many milliseconds nothing may come.
    pub(crate) fn be_silent(&self, now: Millis, millis: i64) {
        let until = now.plus(millis.min(SILENCE_MAX));
        self.silent_until.fetch_max(until.0, Ordering::Relaxed);
    }
}

//! A time that passes when everybody waits for it, and only then.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use refund_ledger::{Ledger, Millis};
use refund_runner::{BoxFuture, Clock};

use crate::NOW;

/// How often the ledger must have answered somebody else, and nobody have begun or ended to wait, until
/// that is all that will happen.
const ROUNDS: u32 = 8;

#[derive(Default)]
pub(crate) struct VirtualClock(Mutex<Time>);

#[derive(Default)]
struct Time {
    /// Since the beginning.
    passed: i64,
    /// Who waits, by when it is over and a number.
    waiting: BTreeMap<(i64, u64), Option<Waker>>,
    /// How often somebody began or ended to wait.
    changes: u64,
}

/// Somebody who waits; no longer, once this is dropped.
struct Waiting<'a> {
    clock: &'a VirtualClock,
    place: (i64, u64),
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut time = self.clock.0.lock().unwrap();
        time.waiting.remove(&self.place);
        time.changes += 1;
    }
}

impl VirtualClock {
    pub(crate) fn passed(&self) -> i64 {
        self.0.lock().unwrap().passed
    }

    /// Lets it be when the first who waits need wait no longer.
    fn advance(&self) {
        let mut time = self.0.lock().unwrap();
        let Some((due, _)) = time.waiting.keys().next().copied() else { return };
        time.passed = time.passed.max(due);
        let over = (time.passed, u64::MAX);
        for (_, waker) in time.waiting.range_mut(..=over) {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
    }

    /// Lets time pass until `run` is over. Everybody waits when so many do; when there are fewer left
    /// than that, it shows by nothing more happening.
    pub(crate) async fn pass<T>(
        self: &Arc<Self>,
        ledger: &Ledger,
        everybody: usize,
        run: impl Future<Output = T>,
    ) -> T {
        let passing = async {
            let (mut quiet, mut seen) = (0, 0);
            loop {
                tokio::task::yield_now().await;
                let (waiting, changes) = {
                    let time = self.0.lock().unwrap();
                    (time.waiting.values().flatten().count(), time.changes)
                };
                quiet = if changes == seen { quiet + 1 } else { 0 };
                seen = changes;
                if waiting >= everybody || quiet > ROUNDS {
                    self.advance();
                    quiet = 0;
                } else if quiet > 1 {
                    // Whatever was asked of the ledger before is answered before this is.
                    drop(ledger.batch(crate::BATCH).await.unwrap());
                    drop(ledger.import(Vec::new(), NOW).await.unwrap());
                }
            }
        };
        tokio::select! {
            outcome = run => outcome,
            () = passing => panic!("time has ended"),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Millis {
        NOW.plus(self.passed())
    }

    fn sleep(&self, millis: i64) -> BoxFuture<'_, ()> {
        let place = {
            let mut time = self.0.lock().unwrap();
            time.changes += 1;
            let place = (time.passed + millis.max(0), time.changes);
            time.waiting.insert(place, None);
            place
        };
        let waiting = Waiting { clock: self, place };
        Box::pin(async move {
            // All of it, and not what is used of it: it must not end before the wait does.
            let waiting = waiting;
            poll_fn(|context| {
                let mut time = waiting.clock.0.lock().unwrap();
                if time.passed >= waiting.place.0 {
                    return Poll::Ready(());
                }
                time.waiting.insert(waiting.place, Some(context.waker().clone()));
                Poll::Pending
            })
            .await;
        })
    }
}

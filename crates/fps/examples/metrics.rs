//! What can be measured: an observer counts tries, waits and failures, while two clients keep to one limit
//! together. The same is told to `tracing`, in spans named `call` and `attempt`.
//!
//! ```text
//! cargo run -p fps --example metrics
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fps::amazon_pay::{CreateRefund, RefundId};
use fps::{Key, Operation, Wish};
use fps_http::Observer;
use fps_http::observe::{Event, WaitReason};
use fps_http::pacing::{Limit, Limits, Pacing, Rate};

use crate::world::{Outcome, World, check, patience, usd};

/// Where a shop would have the counters of its metrics library. The names are for its labels; there are
/// few of them, and none is about a person.
#[derive(Default)]
struct Counters {
    attempts: AtomicU32,
    turns_waited_for: AtomicU32,
    calls: AtomicU32,
    calls_failed: AtomicU32,
    calls_unknown: AtomicU32,
}

fn count(counter: &AtomicU32) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// It is called on the thread that sends, so it counts and prints, and never waits.
struct Metrics(Arc<Counters>);

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Attempt(it) => {
                count(&self.0.attempts);
                let (status, failure) = (it.status.unwrap_or_default(), it.failure);
                println!(
                    "{} try {}: {:?} {status} in {:?}, failure {failure:?}, request {}",
                    it.operation,
                    it.number,
                    it.phase,
                    it.latency,
                    it.request_id.unwrap_or("-")
                );
            }
            Event::Wait(it) => {
                if it.reason == WaitReason::Pacing {
                    count(&self.0.turns_waited_for);
                }
                let (operation, number, reason) = (it.operation, it.number, it.reason);
                println!("{operation} try {number}: waits {:?} for {reason:?}", it.duration);
            }
            Event::Call(it) => {
                count(&self.0.calls);
                if let Some(error) = it.error {
                    count(&self.0.calls_failed);
                    if error.is_unknown() {
                        // The one to wake somebody for.
                        count(&self.0.calls_unknown);
                    }
                }
            }
            // Of a later version.
            _ => {}
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let world = World::start().await?;
    // One account has one of these, however many clients send for it. Here: two at once, two a second.
    let limit = Limit::new(2, Rate::per_second(2));
    let pacing = Pacing::new(Limits::none().with(CreateRefund::ACTION, limit));
    let counters = Arc::new(Counters::default());
    let settings = world.settings().with_pacing(pacing);
    let settings = settings.with_observer(Metrics(Arc::clone(&counters)));
    let (web, office) = (world.amazon_pay(&settings)?, world.amazon_pay(&settings)?);

    let charge = world.charge().await?;
    let payment = web.payment(&charge).await?;
    let wish = Wish::amount(usd("5.00")?);
    let key = |number: &str| Key::derive(["order-4711", "line-2", number]).into();
    let (first, second, third) = tokio::join!(
        web.refund(key("refund-1"), &charge, &payment, &wish),
        office.refund(key("refund-2"), &charge, &payment, &wish),
        office.refund(key("refund-3"), &charge, &payment, &wish),
    );
    for refund in [first, second, third] {
        let (plan, refund) = refund?;
        println!("{} of {}: {:?}", refund.id.as_str(), plan.amount(), refund.state);
    }
    let strange = RefundId::new("S01-0000000-0000000-R000000");
    let missing = office.wait_for_refund(&strange, &patience()).await;
    check(missing.is_err(), "there is no such refund")?;

    let read = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
    let Counters { attempts, turns_waited_for, calls, calls_failed, calls_unknown } = &*counters;
    let (calls, failed, unknown) = (read(calls), read(calls_failed), read(calls_unknown));
    println!("{calls} calls, {} tries, {failed} failed, {unknown} unknown", read(attempts));
    check((calls, failed, unknown) == (5, 1, 0), "one call of five has failed")?;
    check(read(turns_waited_for) == 1, "the third refund waited for its turn")
}

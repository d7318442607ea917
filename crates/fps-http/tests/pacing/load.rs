//! 10,000 refunds by many workers, in virtual time, against a service that counts for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use fps_http::pacing::{Limits, Pacing};
use fps_http::{BoxFuture, Client, Clock, Environment, Settings, Transport, TransportError};
use fps_model::Timestamp;

use crate::setup::{CREATED, config, create_refund, millis, start};

/// Stands still while any worker has something to do. When all sleep, it jumps to the end of the
/// shortest sleep and wakes that one worker, so that every run is the same.
#[derive(Clone)]
struct VirtualClock(Arc<Mutex<Virtual>>);

struct Virtual {
    now: Duration,
    awake: usize,
    /// By the time they end, and then by the time they began.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    begun: u64,
}

impl Virtual {
    fn one_less_awake(&mut self) {
        self.awake -= 1;
        if self.awake > 0 {
            return;
        }
        if let Some(((end, _), waker)) = self.sleepers.pop_first() {
            self.now = end;
            self.awake = 1;
            waker.wake();
        }
    }
}

impl VirtualClock {
    fn new(workers: usize) -> Self {
        let sleepers = BTreeMap::new();
        let time = Virtual { now: Duration::ZERO, awake: workers, sleepers, begun: 0 };
        Self(Arc::new(Mutex::new(time)))
    }

    fn worker_is_done(&self) {
        self.0.lock().unwrap().one_less_awake();
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.elapsed().as_millis()).unwrap();
        Timestamp::from_unix_millis(start().unix_millis() + elapsed).unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let mut key = None;
        Box::pin(poll_fn(move |context| {
            let mut time = self.0.lock().unwrap();
            match key {
                None => {
                    let sleeper = (time.now + duration, time.begun);
                    time.begun += 1;
                    time.sleepers.insert(sleeper, context.waker().clone());
                    key = Some(sleeper);
                    time.one_less_awake();
                    Poll::Pending
                }
                Some(sleeper) if time.sleepers.contains_key(&sleeper) => Poll::Pending,
                Some(_) => Poll::Ready(()),
            }
        }))
    }
}

/// The service: a bucket of ten that leaks four requests a second and overflows with 429. It knows
/// nothing of ours and counts in billionths of a request.
#[derive(Clone)]
struct Service {
    clock: VirtualClock,
    /// The longest way there, and back.
    latency_max: Duration,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    level: u64,
    level_at: Duration,
    random: u64,
    executed: BTreeSet<String>,
    accepted: u32,
    throttled: u32,
}

const REQUEST: u64 = 1_000_000_000;

impl Service {
    fn new(clock: &VirtualClock, latency_max: Duration) -> Self {
        Self { clock: clock.clone(), latency_max, books: Arc::default() }
    }

    fn latency(&self) -> Duration {
        let mut books = self.books.lock().unwrap();
        // Any spread will do that is the same in every run: Knuth's MMIX.
        books.random = books
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from(books.random >> 40).unwrap();
        self.latency_max * share / (1 << 24)
    }

    fn receive(&self, key: &str) -> u16 {
        let now = self.clock.elapsed();
        let mut books = self.books.lock().unwrap();
        let leaked = u64::try_from((now - books.level_at).as_nanos()).unwrap() * 4;
        books.level = books.level.saturating_sub(leaked);
        books.level_at = now;
        if books.level + REQUEST > 10 * REQUEST {
            books.throttled += 1;
            return 429;
        }
        books.level += REQUEST;
        books.accepted += 1;
        books.executed.insert(key.to_owned());
        201
    }
}

impl Transport for Service {
    fn call(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
        _body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            self.clock.sleep(self.latency()).await;
            let status =
                self.receive(request.headers()["x-amz-pay-idempotency-key"].to_str().unwrap());
            self.clock.sleep(self.latency()).await;
            let body = Bytes::from_static(if status == 201 { CREATED.as_bytes() } else { b"" });
            Ok(http::Response::builder().status(status).body(body).unwrap())
        })
    }
}

/// How a load went.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    duration: Duration,
    executed: usize,
    accepted: u32,
    throttled: u32,
    /// Refunds that the caller was told nothing good about.
    failed: u32,
}

/// Sends refunds with 16 workers, who share as many clients as there are pacings.
async fn run(refunds: u32, pacings: &[Pacing], latency_max: Duration) -> Run {
    const WORKERS: usize = 16;
    let clock = VirtualClock::new(WORKERS);
    let service = Service::new(&clock, latency_max);
    let clients: Vec<_> = pacings
        .iter()
        .map(|pacing| {
            let settings = Settings::default().with_pacing(pacing.clone());
            Client::with_transport(config(), settings, service.clone(), clock.clone())
        })
        .collect();
    let (begun, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut workers = tokio::task::JoinSet::new();
    for client in clients.iter().cycle().take(WORKERS) {
        let client = client.clone();
        let (begun, failed, clock) = (Arc::clone(&begun), Arc::clone(&failed), clock.clone());
        workers.spawn(async move {
            loop {
                let number = begun.fetch_add(1, Ordering::Relaxed);
                if number >= refunds {
                    return clock.worker_is_done();
                }
                if client.send(&create_refund(number)).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    workers.join_all().await;
    let books = service.books.lock().unwrap();
    Run {
        duration: clock.elapsed(),
        executed: books.executed.len(),
        accepted: books.accepted,
        throttled: books.throttled,
        failed: failed.load(Ordering::Relaxed),
    }
}

fn live() -> Pacing {
    Pacing::new(Limits::amazon_pay(Environment::Live))
}

const LOAD: u32 = 10_000;

#[tokio::test]
async fn ten_thousand_refunds_go_out_as_fast_as_the_service_takes_them() {
    let run = run(LOAD, &[live()], Duration::ZERO).await;
    // Ten at once, and 9,990 at four a second.
    let expected = Run {
        duration: millis(2_497_500),
        executed: 10_000,
        accepted: 10_000,
        throttled: 0,
        failed: 0,
    };
    assert_eq!(run, expected);
}

#[tokio::test]
async fn ways_of_uneven_length_cost_next_to_nothing() {
    for latency_max in [millis(40), millis(400), millis(1500)] {
        let run = run(LOAD, &[live()], latency_max).await;
        assert_eq!((run.executed, run.accepted, run.failed), (10_000, 10_000, 0), "{run:?}");
        let off = run.duration.abs_diff(millis(2_497_500));
        assert!(off * 50 <= millis(2_497_500), "within 2 %: {run:?}");
        assert!(run.throttled * 1000 < LOAD, "fewer than 0.1 %: {run:?}");
    }
}

#[tokio::test]
async fn without_pacing_the_same_load_is_mostly_refused() {
    let run = run(LOAD, &[Pacing::new(Limits::none())], Duration::ZERO).await;
    assert!(run.throttled > LOAD, "{run:?}");
    assert!(run.failed > 1000, "{run:?}");
}

#[tokio::test]
async fn two_clients_that_share_stay_within_the_limit_together() {
    let shared = live();
    let run_shared = run(2_000, &[shared.clone(), shared], Duration::ZERO).await;
    let told = (run_shared.executed, run_shared.throttled, run_shared.failed);
    assert_eq!(told, (2_000, 0, 0));
    assert_eq!(run_shared.duration, millis(497_500));

    // Each with limits of its own, they take twice what there is.
    let run_apart = run(2_000, &[live(), live()], Duration::ZERO).await;
    assert!(run_apart.throttled > 200, "{run_apart:?}");
}

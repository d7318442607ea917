//! The limits, and the token buckets that keep to them; no client.

use std::num::NonZeroU32;
use std::time::Duration;

use fps_http::Environment;
use fps_http::pacing::{Bucket, Limit, Limits, Pacing, Rate};
use num_rational::Ratio;
use proptest::prelude::*;

use crate::setup::{millis, one_every};

const fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

// The limits.

#[test]
fn the_published_limits() {
    // Operation, live, sandbox: burst and requests per second.
    let rows = [
        ("CreateRefund", (10, 4), (2, 1)),
        ("GetRefund", (20, 4), (5, 1)),
        ("CreateCharge", (10, 4), (2, 1)),
        ("GetCharge", (20, 4), (5, 1)),
        ("CaptureCharge", (20, 4), (2, 1)),
        ("CancelCharge", (10, 2), (2, 1)),
        ("GetChargePermission", (20, 4), (5, 1)),
        ("UpdateChargePermission", (10, 2), (5, 1)),
        ("CloseChargePermission", (10, 2), (2, 1)),
        ("CreateCheckoutSession", (40, 16), (5, 1)),
        ("GetCheckoutSession", (40, 8), (10, 1)),
        ("UpdateCheckoutSession", (20, 8), (5, 1)),
        ("CompleteCheckoutSession", (20, 4), (2, 1)),
    ];
    let limit = |(burst, requests)| Limit::new(burst, Rate::per_second(requests));
    let (mut live, mut sandbox) = (Limits::none(), Limits::none());
    for (action, in_live, in_sandbox) in rows {
        live = live.with(action, limit(in_live));
        sandbox = sandbox.with(action, limit(in_sandbox));
    }
    assert_eq!(Limits::amazon_pay(Environment::Live), live);
    assert_eq!(Limits::amazon_pay(Environment::Sandbox), sandbox);
    assert_eq!(live.get("Refund"), None, "an operation of FPS");
    assert_eq!(live.clone().without("GetRefund").get("GetRefund"), None);
    assert_eq!(live.with("GetRefund", limit((1, 1))).get("GetRefund"), Some(limit((1, 1))));
}

// The bucket.

#[test]
fn a_bucket_step_by_step() {
    let limit = Limit::new(2, Rate::per_second(1));
    // Now, the longest wait that will do, the wait; all in milliseconds.
    let rows = [
        (0, 0, Ok(0)),
        (0, 0, Ok(0)),
        (0, 999, Err(1000)),
        (0, 1000, Ok(1000)),
        (0, 5000, Ok(2000)),
        (1500, 1499, Err(1500)),
        (1500, 1500, Ok(1500)),
        (3400, 5000, Ok(600)),
        // Full again, and no fuller.
        (60_000, 0, Ok(0)),
        (60_000, 0, Ok(0)),
        (60_000, 5000, Ok(1000)),
        // A little late in asking: another thread was quicker.
        (59_999, 5000, Ok(2001)),
    ];
    let mut bucket = Bucket::default();
    for (now, at_most, expected) in rows {
        let result = bucket.reserve(limit, millis(now), millis(at_most));
        let shown = result.map(|(_, wait)| wait).map_err(|too_long| too_long.wait());
        assert_eq!(shown, expected.map(millis).map_err(millis), "at {now}, within {at_most}");
        bucket = result.map_or(bucket, |(next, _)| next);
    }
}

#[test]
fn a_rate_that_no_nanosecond_divides_does_not_drift() {
    let limit = Limit::new(2, Rate::per_second(3));
    let mut bucket = Bucket::default();
    let mut wait = || {
        let (next, wait) = bucket.reserve(limit, Duration::ZERO, Duration::MAX).unwrap();
        bucket = next;
        wait
    };
    let first: Vec<_> = (0..5).map(|_| wait()).collect();
    let thirds = [0, 0, 333_333_334, 666_666_667, 1_000_000_000];
    assert_eq!(first, thirds.map(nanos));
    assert_eq!((0..3000).map(|_| wait()).last(), Some(Duration::from_secs(1001)));
}

#[test]
fn a_rate_may_be_slower_than_one_a_second() {
    let pacing = Pacing::new(Limits::none().with("Slow", Limit::new(1, one_every(300))));
    let reserve = |now| pacing.reserve("Slow", Duration::from_secs(now), Duration::MAX).unwrap();
    assert_eq!(reserve(0), Duration::ZERO);
    assert_eq!(reserve(100), Duration::from_secs(200));
}

#[test]
fn a_limit_of_nothing_lets_nothing_through() {
    for limit in [Limit::new(0, Rate::per_second(4)), Limit::new(10, Rate::per_second(0))] {
        let pacing = Pacing::new(Limits::none().with("Closed", limit));
        let error = pacing.reserve("Closed", millis(0), Duration::MAX).unwrap_err();
        assert_eq!(error.wait(), Duration::MAX);
        assert_eq!(error.to_string(), "the limit of this operation lets nothing through");
        pacing.throttled("Closed", millis(0), Some(Duration::MAX));
    }
}

#[test]
fn a_throttled_operation_begins_again_with_an_empty_bucket() {
    let limits = Limits::amazon_pay(Environment::Live);
    // What the service asks for, and the wait of the next three, in milliseconds.
    let rows = [
        (None, [250, 500, 750]),
        (Some(millis(0)), [250, 500, 750]),
        (Some(millis(7000)), [7250, 7500, 7750]),
        // No header stops a client for good.
        (Some(Duration::MAX), [3_600_250, 3_600_500, 3_600_750]),
    ];
    for (retry_after, expected) in rows {
        let pacing = Pacing::new(limits.clone());
        let sharer = pacing.clone();
        sharer.throttled("CreateRefund", millis(500), retry_after);
        let waits =
            expected.map(|_| pacing.reserve("CreateRefund", millis(500), Duration::MAX).unwrap());
        assert_eq!(waits, expected.map(millis), "{retry_after:?}");
        // Another operation has a bucket of its own.
        assert_eq!(pacing.reserve("GetRefund", millis(500), Duration::ZERO), Ok(Duration::ZERO));
    }
    // Turns that are far away already are not brought nearer.
    let pacing = Pacing::new(limits);
    for _ in 0..30 {
        pacing.reserve("CreateRefund", millis(0), Duration::MAX).unwrap();
    }
    pacing.throttled("CreateRefund", millis(0), None);
    assert_eq!(pacing.reserve("CreateRefund", millis(0), Duration::MAX), Ok(millis(5250)));
}

#[test]
fn an_operation_without_a_limit_is_never_delayed() {
    let pacing = Pacing::new(Limits::amazon_pay(Environment::Live).without("CreateRefund"));
    for action in ["CreateRefund", "Refund"] {
        pacing.throttled(action, millis(0), Some(millis(9000)));
        for _ in 0..1000 {
            assert_eq!(pacing.reserve(action, millis(0), Duration::ZERO), Ok(Duration::ZERO));
        }
    }
}

/// The same bucket by other means: tokens in exact fractions, never in debt, at the time of the last
/// event. It is given the times at which requests arrive.
struct Oracle {
    burst: Ratio<i128>,
    per_nano: Ratio<i128>,
    tokens: Ratio<i128>,
    at: i128,
}

impl Oracle {
    fn new(burst: u32, requests: u32, seconds: u32) -> Self {
        let per_nano = Ratio::new(i128::from(requests), i128::from(seconds) * 1_000_000_000);
        let burst = Ratio::from(i128::from(burst));
        Self { burst, per_nano, tokens: burst, at: 0 }
    }

    fn tokens(&self, at: i128) -> Ratio<i128> {
        self.burst.min(self.tokens + self.per_nano * (at - self.at))
    }

    /// There is a token at that time and in no nanosecond before it since `now`.
    fn is_first_chance(&self, now: i128, sent: i128) -> bool {
        let one = Ratio::from(1);
        let earlier = sent - 1;
        sent >= self.at
            && self.tokens(sent) >= one
            && (sent == now || earlier < self.at || self.tokens(earlier) < one)
    }

    fn take(&mut self, sent: i128) {
        self.tokens = self.tokens(sent) - 1;
        self.at = sent;
    }

    fn empty(&mut self, at: i128) {
        if at >= self.at {
            self.tokens = Ratio::from(0);
            self.at = at;
        } else {
            self.tokens = self.tokens.min(self.per_nano * (self.at - at));
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Reserve(Duration),
    Throttled(Option<Duration>),
}

fn span() -> impl Strategy<Value = Duration> {
    let units = [1_u64, 1000, 1_000_000, 1_000_000_000];
    (proptest::sample::select(units.to_vec()), 0_u64..4000)
        .prop_map(|(unit, count)| nanos((unit * count).min(20_000_000_000)))
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => Just(Event::Reserve(Duration::MAX)),
        4 => span().prop_map(Event::Reserve),
        1 => proptest::option::of(span()).prop_map(Event::Throttled),
    ]
}

fn whole(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap()
}

proptest! {
    #[test]
    fn every_turn_is_the_first_that_an_exact_bucket_allows(
        (burst, requests, seconds) in (1_u32..12, 1_u32..50, 1_u32..9),
        // Most come at once: only then is there anything to wait for.
        events in proptest::collection::vec((proptest::option::weighted(0.3, span()), event()), 1..80),
    ) {
        let rate = Rate::per_second(requests).over_seconds(NonZeroU32::new(seconds).unwrap());
        let limit = Limit::new(burst, rate);
        let (mut bucket, mut oracle) = (Bucket::default(), Oracle::new(burst, requests, seconds));
        let mut now = Duration::ZERO;
        for (gap, event) in events {
            now += gap.unwrap_or_default();
            match event {
                Event::Reserve(at_most) => {
                    let result = bucket.reserve(limit, now, at_most);
                    let wait = result.map_or_else(|error| error.wait(), |(_, wait)| wait);
                    prop_assert_eq!(result.is_ok(), wait <= at_most);
                    let sent = whole(now + wait);
                    prop_assert!(oracle.is_first_chance(whole(now), sent), "{:?} {:?}", now, wait);
                    if let Ok((next, _)) = result {
                        bucket = next;
                        oracle.take(sent);
                    }
                }
                Event::Throttled(retry_after) => {
                    bucket = bucket.throttled(limit, now, retry_after);
                    oracle.empty(whole(now + retry_after.unwrap_or_default()));
                }
            }
        }
    }
}

//! How fast each operation may be sent: the published limits as data, and the token buckets that keep
//! to them; no clock is read here, nothing waits and nothing is sent.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fps_model::Operation;
use fps_model::amazon_pay::{
    CancelCharge, CaptureCharge, CloseChargePermission, CompleteCheckoutSession, CreateCharge,
    CreateCheckoutSession, CreateRefund, GetCharge, GetChargePermission, GetCheckoutSession,
    GetRefund, UpdateChargePermission, UpdateCheckoutSession,
};

use crate::amazon_pay::Environment;

/// The longest that a service may stop an operation by one answer. A header that asks for more is
/// more likely wrong than meant, and must not stop a client for good.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// So many requests in so many seconds, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    requests: u32,
    seconds: NonZeroU32,
}

impl Rate {
    /// So many in each second. None at all is a rate too.
    #[must_use]
    pub const fn per_second(requests: u32) -> Self {
        Self { requests, seconds: NonZeroU32::MIN }
    }

    /// The same number, over so many seconds instead.
    #[must_use]
    pub const fn over_seconds(mut self, seconds: NonZeroU32) -> Self {
        self.seconds = seconds;
        self
    }

    /// The time from one request to the next; none where there is no next.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        Duration::from_secs(self.seconds.get().into()).checked_div(self.requests)
    }
}

/// How fast an operation may be sent: the size of its token bucket, and how fast that is refilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    burst: u32,
    rate: Rate,
}

impl Limit {
    /// At most `burst` at once, and `rate` in the long run. Where either is zero, never.
    #[must_use]
    pub const fn new(burst: u32, rate: Rate) -> Self {
        Self { burst, rate }
    }

    /// How many may be sent at once after a rest.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// How many may be sent in the long run.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// A point in time in ticks. There are as many ticks in a nanosecond as requests in the rate, so
    /// that the time of one request is a whole number of them.
    fn ticks(&self, time: Duration) -> u128 {
        time.as_nanos().saturating_mul(u128::from(self.rate.requests))
    }

    /// The ticks from one request to the next.
    fn interval(&self) -> u128 {
        u128::from(self.rate.seconds.get()) * NANOS_PER_SECOND
    }

    /// The ticks in which an empty bucket is filled.
    fn span(&self) -> u128 {
        self.interval() * u128::from(self.burst)
    }
}

/// A limit for each operation that has one, by [`Operation::ACTION`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits(BTreeMap<String, Limit>);

impl Limits {
    /// No operation has a limit: so it is with FPS, which published none.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// The published limits of Amazon Pay for one merchant account: burst, and requests per second.
    ///
    /// | operation | live | sandbox |
    /// |---|---|---|
    /// | `CreateRefund` | 10, 4/s | 2, 1/s |
    /// | `GetRefund` | 20, 4/s | 5, 1/s |
    /// | `CreateCharge` | 10, 4/s | 2, 1/s |
    /// | `GetCharge` | 20, 4/s | 5, 1/s |
    /// | `CaptureCharge` | 20, 4/s | 2, 1/s |
    /// | `CancelCharge` | 10, 2/s | 2, 1/s |
    /// | `GetChargePermission` | 20, 4/s | 5, 1/s |
    /// | `UpdateChargePermission` | 10, 2/s | 5, 1/s |
    /// | `CloseChargePermission` | 10, 2/s | 2, 1/s |
    /// | `CreateCheckoutSession` | 40, 16/s | 5, 1/s |
    /// | `GetCheckoutSession` | 40, 8/s | 10, 1/s |
    /// | `UpdateCheckoutSession` | 20, 8/s | 5, 1/s |
    /// | `CompleteCheckoutSession` | 20, 4/s | 2, 1/s |
    ///
    /// Source: developer.amazon.com, amazon-pay-api-v2/api-throttling-limits (M: versions of the page
    /// differ in the sandbox's `CreateRefund`, `GetRefund` and `GetChargePermission`, of which this
    /// table has the stricter). An older copy of the guide has lower live rates, 1/s for
    /// `CreateRefund`: [`with`](Self::with) puts it in where an account is still held to it.
    #[must_use]
    pub fn amazon_pay(environment: Environment) -> Self {
        let rows = AMAZON_PAY.iter().map(|row| {
            let (burst, requests) = match environment {
                Environment::Live => row.live,
                Environment::Sandbox => row.sandbox,
            };
            (row.action.to_owned(), Limit::new(burst, Rate::per_second(requests)))
        });
        Self(rows.collect())
    }

    /// The same with another limit for one operation.
    #[must_use]
    pub fn with(mut self, action: impl Into<String>, limit: Limit) -> Self {
        self.0.insert(action.into(), limit);
        self
    }

    /// The same without a limit for one operation.
    #[must_use]
    pub fn without(mut self, action: &str) -> Self {
        self.0.remove(action);
        self
    }

    /// The limit of an operation.
    #[must_use]
    pub fn get(&self, action: &str) -> Option<Limit> {
        self.0.get(action).copied()
    }
}

/// Burst and requests per second.
struct Published {
    action: &'static str,
    live: (u32, u32),
    sandbox: (u32, u32),
}

const fn published<O: Operation>(live: (u32, u32), sandbox: (u32, u32)) -> Published {
    Published { action: O::ACTION, live, sandbox }
}

/// See [`Limits::amazon_pay`] for the source.
const AMAZON_PAY: [Published; 13] = [
    published::<CreateRefund>((10, 4), (2, 1)),
    published::<GetRefund>((20, 4), (5, 1)),
    published::<CreateCharge>((10, 4), (2, 1)),
    published::<GetCharge>((20, 4), (5, 1)),
    published::<CaptureCharge>((20, 4), (2, 1)),
    published::<CancelCharge>((10, 2), (2, 1)),
    published::<GetChargePermission>((20, 4), (5, 1)),
    published::<UpdateChargePermission>((10, 2), (5, 1)),
    published::<CloseChargePermission>((10, 2), (2, 1)),
    published::<CreateCheckoutSession>((40, 16), (5, 1)),
    published::<GetCheckoutSession>((40, 8), (10, 1)),
    published::<UpdateCheckoutSession>((20, 8), (5, 1)),
    published::<CompleteCheckoutSession>((20, 4), (2, 1)),
];

/// A token bucket as one number, the time at which it is full again (the generic cell rate algorithm).
/// A new one is full. Its functions are pure, and exact to the nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// In the ticks of its limit.
    full_at: u128,
}

impl Bucket {
    /// Takes a token, and says how long to wait until it is there.
    ///
    /// # Errors
    /// [`TooLong`] when that is longer than `at_most`; then no token is taken.
    pub fn reserve(
        self,
        limit: Limit,
        now: Duration,
        at_most: Duration,
    ) -> Result<(Self, Duration), TooLong> {
        if limit.burst == 0 || limit.rate.requests == 0 {
            return Err(TooLong { wait: Duration::MAX });
        }
        // The token is there once the bucket, with it taken, is no more than empty.
        let taken = self.full_at.saturating_add(limit.interval());
        let there_at = taken.saturating_sub(limit.span());
        let wait = there_at.saturating_sub(limit.ticks(now));
        let wait = duration(wait.div_ceil(u128::from(limit.rate.requests)));
        if wait > at_most {
            return Err(TooLong { wait });
        }
        // Counted from when it is sent, a part of a nanosecond late at most.
        let sent_at = limit.ticks(now.saturating_add(wait));
        let full_at = self.full_at.max(sent_at).saturating_add(limit.interval());
        Ok((Self { full_at }, wait))
    }

    /// Empties the bucket: it is refilled from `now`, or from `retry_after` later. Tokens that were
    /// taken before are not taken back.
    #[must_use]
    pub fn throttled(self, limit: Limit, now: Duration, retry_after: Option<Duration>) -> Self {
        let empty_at = limit.ticks(now.saturating_add(retry_after.unwrap_or_default()));
        Self { full_at: self.full_at.max(empty_at.saturating_add(limit.span())) }
    }
}

/// A wait in nanoseconds, or the longest there is.
fn duration(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND);
    let below = u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or_default();
    seconds.map_or(Duration::MAX, |seconds| Duration::new(seconds, below))
}

/// Keeps everybody who shares it to the limits of one merchant account. Cloning shares it.
///
/// One account has one of these, however many clients send for it. Whoever sends asks first
/// ([`reserve`](Self::reserve)), waits as long as it says, and tells it when the service answers that
/// there were too many requests ([`throttled`](Self::throttled)). Turns are given in the order they
/// are asked for. A turn that is not used is lost: the account is then a little slower than it might
/// be, and never faster.
///
/// `now` is [`Clock::elapsed`](crate::Clock::elapsed). All who share must count it from the same point,
/// as all [`SystemClock`](crate::SystemClock)s of a process do. Other processes that send for the same
/// account are not seen; their part must be taken off the limits.
#[derive(Clone, Debug)]
pub struct Pacing(Arc<BTreeMap<String, Paced>>);

#[derive(Debug)]
struct Paced {
    limit: Limit,
    bucket: Mutex<Bucket>,
}

impl Pacing {
    /// With all buckets full.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let paced = |limit| Paced { limit, bucket: Mutex::default() };
        Self(Arc::new(limits.0.into_iter().map(|(action, limit)| (action, paced(limit))).collect()))
    }

    /// Reserves the next turn of an operation and says how long to wait for it before sending. An
    /// operation without a limit never waits.
    ///
    /// # Errors
    /// [`TooLong`] when the wait would be longer than `at_most`; then nothing is reserved.
    pub fn reserve(
        &self,
        action: &str,
        now: Duration,
        at_most: Duration,
    ) -> Result<Duration, TooLong> {
        let Some(paced) = self.0.get(action) else { return Ok(Duration::ZERO) };
        let mut bucket = paced.lock();
        let (next, wait) = bucket.reserve(paced.limit, now, at_most)?;
        *bucket = next;
        Ok(wait)
    }

    /// Takes note that the service answered: too many requests. Nobody gets a new turn until a token
    /// is refilled, counted from now or from the end of `retry_after`, of which an hour is granted.
    /// Turns that were reserved before stay.
    pub fn throttled(&self, action: &str, now: Duration, retry_after: Option<Duration>) {
        let Some(paced) = self.0.get(action) else { return };
        let retry_after = retry_after.map(|asked| asked.min(RETRY_AFTER_MAX));
        let mut bucket = paced.lock();
        *bucket = bucket.throttled(paced.limit, now, retry_after);
    }
}

impl Paced {
    /// A bucket is replaced whole, so that even a panic elsewhere leaves none half changed.
    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next turn comes later than the caller can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    wait: Duration,
}

impl TooLong {
    /// How long the wait would be; [`Duration::MAX`] for a limit that never lets anything through.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wait == Duration::MAX {
            return f.write_str("the limit of this operation lets nothing through");
        }
        write!(f, "the next turn of this operation is {:?} away", self.wait)
    }
}

impl Error for TooLong {}

//! Whether a request may be tried again, and when: a pure function of policy, replay safety and what
//! happened; no clock, no randomness, no waiting.

use std::time::Duration;

use fps_model::Replay;

/// The least time that must be left for another try.
pub(crate) const TRY_TIME_MIN: Duration = Duration::from_secs(1);

/// How often and how long a request is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The most tries, the first included. Default: 4.
    pub attempts_max: u32,
    /// The longest wait before the second try; it doubles from try to try. Default: 500 ms.
    pub delay_first: Duration,
    /// The longest wait before any try. Default: 10 s.
    pub delay_max: Duration,
    /// How long a wait that the service asks for is granted; a longer one ends the call. Default: 30 s.
    pub retry_after_max: Duration,
    /// How long the whole call may take, waits included. Default: 60 s.
    pub call_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            delay_first: Duration::from_millis(500),
            delay_max: Duration::from_secs(10),
            retry_after_max: Duration::from_secs(30),
            call_timeout: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One try and no more.
    #[must_use]
    pub fn once() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// The same with at most so many tries.
    #[must_use]
    pub const fn with_attempts_max(mut self, most: u32) -> Self {
        self.attempts_max = most;
        self
    }

    /// The same with another first wait.
    #[must_use]
    pub const fn with_delay_first(mut self, delay: Duration) -> Self {
        self.delay_first = delay;
        self
    }
}

/// A try that did not bring the answer that was hoped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an input of a pure function")]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// How long the whole call has taken so far.
    pub elapsed: Duration,
    /// What happened.
    pub outcome: Outcome,
}

/// What happened to a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the decision table must have every row")]
pub enum Outcome {
    /// It never left.
    NotSent,
    /// It may have left, and no complete answer came.
    MaybeSent,
    /// The service answered.
    Answered {
        /// How.
        class: Class,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
}

/// How the service answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the decision table must have every row")]
pub enum Class {
    /// Too many requests, or a passing conflict: it was not carried out.
    Throttled,
    /// The service failed: it may have been carried out.
    Fault,
    /// A business reason.
    Refused,
    /// The signature, key or date is not accepted.
    Unauthorized,
    /// An answer that cannot be read.
    Unreadable,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision that nobody follows decides nothing"]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Decision {
    /// Tell the caller.
    GiveUp,
    /// Try again after this long.
    RetryAfter(Duration),
}

/// Decides about the next try.
///
/// | outcome of the try | `Safe` | `ByKey` | `Never` |
/// |---|---|---|---|
/// | not sent | again | again | again |
/// | maybe sent, service failed | again | again, same key | give up: unknown |
/// | throttled | again | again | give up |
/// | refused, unauthorized, unreadable | give up | give up | give up |
///
/// `jitter` spreads the waits: 0 gives half of the longest wait, `u16::MAX` all of it.
pub fn decide(policy: &RetryPolicy, replay: Replay, attempt: Attempt, jitter: u16) -> Decision {
    let (may, asked) = match attempt.outcome {
        Outcome::NotSent => (true, None),
        Outcome::MaybeSent => (replay != Replay::Never, None),
        Outcome::Answered { class: Class::Throttled | Class::Fault, retry_after } => {
            (replay != Replay::Never, retry_after)
        }
        Outcome::Answered {
            class: Class::Refused | Class::Unauthorized | Class::Unreadable,
            ..
        } => (false, None),
    };
    if !may
        || attempt.number >= policy.attempts_max
        || asked.is_some_and(|asked| asked > policy.retry_after_max)
    {
        return Decision::GiveUp;
    }
    let doublings = attempt.number.saturating_sub(1).min(16);
    let longest = policy.delay_first.saturating_mul(1 << doublings).min(policy.delay_max);
    let half = longest / 2;
    let spread = half.saturating_mul(u32::from(jitter)) / u32::from(u16::MAX);
    let delay = asked.unwrap_or_default().max(half + spread);
    // A try that has no time to be answered would only leave doubt behind.
    let begins = attempt.elapsed.saturating_add(delay);
    if begins.saturating_add(TRY_TIME_MIN) > policy.call_timeout {
        return Decision::GiveUp;
    }
    Decision::RetryAfter(delay)
}

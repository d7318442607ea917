//! What a client tells about its calls, to `tracing` and to a hook for metrics: names, numbers and
//! durations, never a body, a key, a signature or a person. An observer that is handed an error can ask that for
//! more: what a service said, or what an unreadable answer began with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Phase};

/// Is told of everything that happens to calls; for metrics. It is called on the thread that sends,
/// so it must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something has happened.
    fn observe(&self, event: &Event<'_>);
}

/// Something that has happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A try has ended.
    Attempt(Attempt<'a>),
    /// The next try waits.
    Wait(Wait<'a>),
    /// A call has ended.
    Call(Call<'a>),
}

/// A try that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The operation, as the service spells it.
    pub operation: &'a str,
    /// Which try of the call, from 1.
    pub number: u32,
    /// From the signature to the last byte of the answer.
    pub latency: Duration,
    /// How far it came.
    pub phase: Phase,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What was wrong with it; nothing, if it is the answer of the call.
    pub failure: Option<ErrorKind>,
    /// The service's id of the request.
    pub request_id: Option<&'a str>,
}

/// A wait before a try.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wait<'a> {
    /// The operation, as the service spells it.
    pub operation: &'a str,
    /// The try that waits, from 1.
    pub number: u32,
    /// How long.
    pub duration: Duration,
    /// What for.
    pub reason: WaitReason,
}

/// What a try waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// For a while after a try that failed.
    Backoff,
    /// For its turn: the service takes so many a second.
    Pacing,
}

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The operation, as the service spells it.
    pub operation: &'a str,
    /// How often it was tried.
    pub attempts: u32,
    /// From the beginning to the end, waits included.
    pub elapsed: Duration,
    /// What it ended with, unless with an answer.
    pub error: Option<&'a Error>,
}

/// The hook, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Hook(Option<Arc<dyn Observer>>);

impl Hook {
    pub(crate) fn new(observer: impl Observer) -> Self {
        Self(Some(Arc::new(observer)))
    }

    /// Tells `tracing`, in the span of the call or of the try, and the observer.
    pub(crate) fn tell(&self, span: &tracing::Span, event: &Event<'_>) {
        match event {
            Event::Attempt(attempt) => trace_attempt(span, attempt),
            Event::Wait(wait) => tracing::debug!(
                attempt = wait.number,
                wait_ms = millis(wait.duration),
                reason = ?wait.reason,
                "waiting"
            ),
            Event::Call(call) => trace_call(span, call),
        }
        if let Some(observer) = &self.0 {
            observer.observe(event);
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hook(set)" } else { "Hook(none)" })
    }
}

/// The span of a call; its fields are filled at its end.
pub(crate) fn call_span(operation: &'static str) -> tracing::Span {
    tracing::info_span!(
        "call",
        operation,
        attempts = tracing::field::Empty,
        phase = tracing::field::Empty,
        error = tracing::field::Empty,
        unknown = tracing::field::Empty,
        elapsed_ms = tracing::field::Empty,
    )
}

/// The span of a try; its fields are filled at its end.
pub(crate) fn attempt_span(number: u32) -> tracing::Span {
    tracing::debug_span!(
        "attempt",
        attempt = number,
        phase = tracing::field::Empty,
        status = tracing::field::Empty,
        error = tracing::field::Empty,
        latency_ms = tracing::field::Empty,
        request_id = tracing::field::Empty,
    )
}

fn trace_attempt(span: &tracing::Span, attempt: &Attempt<'_>) {
    span.record("phase", tracing::field::debug(attempt.phase));
    span.record("latency_ms", millis(attempt.latency));
    span.record("status", attempt.status);
    span.record("request_id", attempt.request_id);
    span.record("error", attempt.failure.map(tracing::field::debug));
    tracing::debug!("attempt ended");
}

fn trace_call(span: &tracing::Span, call: &Call<'_>) {
    span.record("attempts", call.attempts);
    span.record("elapsed_ms", millis(call.elapsed));
    match call.error {
        None => {
            span.record("phase", tracing::field::debug(Phase::Answered));
            tracing::info!("call ended");
        }
        Some(error) => {
            span.record("phase", tracing::field::debug(error.phase()));
            span.record("error", tracing::field::debug(error.kind()));
            span.record("unknown", error.is_unknown());
            tracing::warn!("call failed");
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

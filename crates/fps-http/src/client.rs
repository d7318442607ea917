//! One typed call: encode once, then sign, send and classify until there is an answer or no hope; no
//! rule of refunds, no storage, and nothing that only one service has.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use fps_model::{Answer, Operation, Replay, Service, Timestamp};
use tracing::Instrument;

use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, Settings};
use crate::error::{Error, ErrorKind, Phase};
use crate::hyper::HyperTransport;
use crate::observe::{Attempt, Call, Event, Wait, WaitReason, attempt_span, call_span};
use crate::pacing::{Pacing, TooLong};
use crate::retry::{self, Class, Decision, Outcome, TRY_TIME_MIN, decide};
use crate::transport::{Transport, TransportError, TransportErrorKind};
use crate::wire::Wire;

/// A client of one service. Cloning shares its connections.
pub struct Client<W> {
    inner: Arc<Inner<W>>,
}

struct Inner<W> {
    wire: W,
    settings: Settings,
    pacing: Pacing,
    transport: Box<dyn Transport>,
    clock: Box<dyn Clock>,
}

impl<W> Clone for Client<W> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<W: fmt::Debug> fmt::Debug for Client<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.inner.wire).finish()
    }
}

impl<W: Wire> Client<W> {
    /// A client over the network.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(wire: W, settings: &Settings) -> Result<Self, ConfigError> {
        settings.check()?;
        let transport = HyperTransport::new(settings)?;
        Ok(Self::with_transport(wire, settings.clone(), transport, SystemClock::new()))
    }

    /// A client over something else: a script, another network, another clock.
    #[must_use]
    pub fn with_transport(
        wire: W,
        settings: Settings,
        transport: impl Transport,
        clock: impl Clock,
    ) -> Self {
        let (transport, clock) = (Box::new(transport), Box::new(clock));
        let pacing = settings.pacing.clone().unwrap_or_else(|| Pacing::new(wire.limits()));
        Self { inner: Arc::new(Inner { wire, settings, pacing, transport, clock }) }
    }

    /// The clock that the client waits by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// Sends an operation and hands on its answer.
    ///
    /// Every try carries the same key and the same body, with a fresh date and signature.
    ///
    /// # Errors
    /// [`Error`]; ask its [`phase`](Error::phase) and whether it [is unknown](Error::is_unknown)
    /// before anything else.
    pub async fn send<O>(&self, operation: &O) -> Result<Answer<O::Response>, Error>
    where
        O: Operation<Service = W::Service>,
    {
        let span = call_span(O::ACTION);
        let called = span.clone();
        async move {
            let start = self.inner.clock.elapsed();
            let mut tries = 0;
            let answer = self.tried(operation, start, &mut tries).await;
            let Inner { settings, clock, .. } = &*self.inner;
            let call = Call {
                operation: O::ACTION,
                attempts: tries,
                elapsed: clock.elapsed().saturating_sub(start),
                error: answer.as_ref().err(),
            };
            settings.hook.tell(&called, &Event::Call(call));
            answer
        }
        .instrument(span)
        .await
    }

    /// Tries until there is an answer or no hope, and counts the tries.
    async fn tried<O>(
        &self,
        operation: &O,
        start: Duration,
        number: &mut u32,
    ) -> Result<Answer<O::Response>, Error>
    where
        O: Operation<Service = W::Service>,
    {
        let Inner { wire, settings, clock, .. } = &*self.inner;
        let request = operation
            .encode(wire.version())
            .map_err(|error| Error::new(ErrorKind::Encode, Phase::NotSent).with_source(error))?;
        let since = || clock.elapsed().saturating_sub(start);
        let left = || settings.retry.call_timeout.saturating_sub(since());
        let mut history = History::default();
        let mut last = None;
        loop {
            if let Err(too_long) = self.wait_for_turn::<O>(*number + 1, left()).await {
                let paced = || Error::new(ErrorKind::Paced, Phase::NotSent).with_source(too_long);
                return Err(history.conclude(last.unwrap_or_else(paced)));
            }
            *number += 1;
            let span = attempt_span(*number);
            let attempt = self.attempt::<O>(&request, *number, left(), &span);
            let failed = match attempt.instrument(span.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            history.record(O::REPLAY, &failed);
            self.note_throttled(O::ACTION, failed.outcome);
            let attempt =
                retry::Attempt { number: *number, elapsed: since(), outcome: failed.outcome };
            let error = failed.error.with_attempts(*number);
            match decide(&settings.retry, O::REPLAY, attempt, jitter()) {
                Decision::RetryAfter(delay) if error.kind() != ErrorKind::Sign => {
                    self.wait::<O>(*number + 1, delay, WaitReason::Backoff).await;
                    last = Some(error);
                }
                _ => return Err(history.conclude(error)),
            }
        }
    }

    /// Waits until the limits let the operation through, and leave time for an answer.
    async fn wait_for_turn<O: Operation>(
        &self,
        number: u32,
        left: Duration,
    ) -> Result<(), TooLong> {
        let Inner { pacing, clock, .. } = &*self.inner;
        let at_most = left.saturating_sub(TRY_TIME_MIN);
        let wait = pacing.reserve(O::ACTION, clock.elapsed(), at_most)?;
        if !wait.is_zero() {
            self.wait::<O>(number, wait, WaitReason::Pacing).await;
        }
        Ok(())
    }

    /// Whoever shares the limits must know that they are used up.
    fn note_throttled(&self, action: &str, outcome: Outcome) {
        let Inner { pacing, clock, .. } = &*self.inner;
        if let Outcome::Answered { class: Class::Throttled, retry_after } = outcome {
            pacing.throttled(action, clock.elapsed(), retry_after);
        }
    }

    async fn wait<O: Operation>(&self, number: u32, duration: Duration, reason: WaitReason) {
        let Inner { settings, clock, .. } = &*self.inner;
        let wait = Wait { operation: O::ACTION, number, duration, reason };
        settings.hook.tell(&tracing::Span::current(), &Event::Wait(wait));
        clock.sleep(duration).await;
    }

    /// One try.
    async fn attempt<O>(
        &self,
        request: &<W::Service as Service>::Request,
        number: u32,
        left: Duration,
        span: &tracing::Span,
    ) -> Result<Answer<O::Response>, Failed>
    where
        O: Operation<Service = W::Service>,
    {
        let Inner { settings, clock, .. } = &*self.inner;
        let start = clock.elapsed();
        let timeout = settings.attempt_timeout.min(left);
        let mut status = None;
        let answer = match self.exchange(request, timeout).await {
            Ok(answer) => {
                status = Some(answer.status().as_u16());
                self.read::<O>(answer)
            }
            Err(failed) => Err(failed),
        };
        let error = answer.as_ref().err().map(|failed| &failed.error);
        let attempt = Attempt {
            operation: O::ACTION,
            number,
            latency: clock.elapsed().saturating_sub(start),
            phase: error.map_or(Phase::Answered, Error::phase),
            status,
            failure: error.map(Error::kind),
            request_id: match &answer {
                Ok(answer) => answer.request_id.as_deref(),
                Err(failed) => failed.error.request_id(),
            },
        };
        settings.hook.tell(span, &Event::Attempt(attempt));
        answer
    }

    /// Signs and sends.
    async fn exchange(
        &self,
        request: &<W::Service as Service>::Request,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, Failed> {
        let Inner { wire, settings, transport, clock, .. } = &*self.inner;
        let start = clock.elapsed();
        let not_sent = |error| Failed { error, outcome: Outcome::NotSent };
        let prepared = wire.prepare(request, clock.now(), timeout).await.map_err(not_sent)?;
        // Whoever signs takes of the same time.
        let timeout = timeout.saturating_sub(clock.elapsed().saturating_sub(start));
        if timeout.is_zero() {
            return Err(not_sent(Error::new(ErrorKind::Timeout, Phase::NotSent)));
        }
        let answer = transport.call(prepared, timeout, settings.body_bytes_max).await;
        answer.map_err(failed_transport)
    }

    fn read<O>(&self, answer: http::Response<Bytes>) -> Result<Answer<O::Response>, Failed>
    where
        O: Operation<Service = W::Service>,
    {
        let Inner { wire, clock, .. } = &*self.inner;
        let (parts, body) = answer.into_parts();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = wire.request_id_header().and_then(header).map(str::to_owned);
        let mut source = None;
        if parts.status.is_success() {
            match O::decode(&body, wire.version()) {
                Ok(mut answer) => {
                    answer.request_id = answer.request_id.or(request_id);
                    return Ok(answer);
                }
                Err(error) => source = Some(error),
            }
        }
        let refusal = W::Service::read_refusal(&body);
        let class = match (&refusal, parts.status.is_success()) {
            (None, true) => Class::Unreadable,
            _ => wire.classify(parts.status, refusal.as_ref()),
        };
        let kind = match class {
            Class::Throttled => ErrorKind::Throttled,
            Class::Fault => ErrorKind::Fault,
            Class::Refused => ErrorKind::Refused,
            Class::Unauthorized => ErrorKind::Unauthorized,
            Class::Unreadable => ErrorKind::Decode,
        };
        let retry_after = header("retry-after").and_then(|text| retry_after(text, clock.now()));
        let mut error = Error::new(kind, Phase::Answered)
            .with_answer(parts.status.as_u16(), request_id)
            .with_retry_after(retry_after);
        if let Some(source) = source {
            error = error.with_source(source);
        }
        error = match refusal {
            Some(refusal) => error.with_refusal(W::refusal(refusal)),
            None => error.with_excerpt(&body),
        };
        Err(Failed { error, outcome: Outcome::Answered { class, retry_after } })
    }
}

/// A try that brought no answer to hand on.
struct Failed {
    error: Error,
    outcome: Outcome,
}

/// What all tries so far mean together.
#[derive(Default)]
struct History {
    furthest: Option<Phase>,
    in_doubt: bool,
}

impl History {
    /// Something that changes nothing leaves no doubt behind. Of anything else, a try that may have
    /// been carried out does, and no later refusal takes it away: that the payment is fully refunded
    /// may be the doing of the try whose answer was lost.
    fn record(&mut self, replay: Replay, failed: &Failed) {
        self.furthest = self.furthest.max(Some(failed.error.phase()));
        let carried_out = matches!(
            failed.outcome,
            Outcome::MaybeSent | Outcome::Answered { class: Class::Fault | Class::Unreadable, .. }
        );
        self.in_doubt |= carried_out && replay != Replay::Safe;
    }

    fn conclude(&self, error: Error) -> Error {
        let furthest = self.furthest.unwrap_or(error.phase());
        error.with_history(furthest, self.in_doubt)
    }
}

fn failed_transport(error: TransportError) -> Failed {
    let (kind, phase, outcome) = match error.kind() {
        TransportErrorKind::Connect => (ErrorKind::Connect, Phase::NotSent, Outcome::NotSent),
        TransportErrorKind::Timeout => (ErrorKind::Timeout, Phase::MaybeSent, Outcome::MaybeSent),
        TransportErrorKind::Interrupted => {
            (ErrorKind::Interrupted, Phase::MaybeSent, Outcome::MaybeSent)
        }
        TransportErrorKind::TooLarge => {
            let unreadable = Outcome::Answered { class: Class::Unreadable, retry_after: None };
            (ErrorKind::TooLarge, Phase::Answered, unreadable)
        }
    };
    Failed { error: Error::new(kind, phase).with_source(error), outcome }
}

/// Seconds, or a date. A number too large to be read is longer than anybody waits.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let then = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now.unix_millis()).ok()?);
    Some(then.saturating_sub(now))
}

/// Any number will do; without a source of randomness the waits are merely not spread.
fn jitter() -> u16 {
    let random = getrandom::u32().unwrap_or_default();
    u16::try_from(random >> 16).unwrap_or_default()
}

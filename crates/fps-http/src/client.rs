//! One typed call: encode once, then sign, send and classify until there is an answer or no hope.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fps_model::{Answer, Operation, Service};

use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, Settings};
use crate::error::{Error, Kind, Phase};
use crate::hyper::HyperTransport;
use crate::retry::{Attempt, Class, Decision, Outcome, decide};
use crate::transport::{Transport, TransportError, TransportErrorKind};
use crate::wire::Wire;

/// A client of one service. Cloning shares its connections.
pub struct Client<W> {
    inner: Arc<Inner<W>>,
}

struct Inner<W> {
    wire: W,
    settings: Settings,
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
        let transport = HyperTransport::new(&settings.trust, settings.connect_timeout)?;
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
        Self { inner: Arc::new(Inner { wire, settings, transport, clock }) }
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
        let Inner { wire, settings, clock, .. } = &*self.inner;
        let request = operation
            .encode(wire.version())
            .map_err(|error| Error::new(Kind::Encode, Phase::NotSent).with_source(error))?;
        let start = clock.elapsed();
        let since = || clock.elapsed().saturating_sub(start);
        let mut history = History::default();
        let mut number = 0;
        loop {
            number += 1;
            let left = settings.retry.call_timeout.saturating_sub(since());
            let failed = match self.attempt::<O>(&request, left).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            history.record(&failed);
            let attempt = Attempt { number, elapsed: since(), outcome: failed.outcome };
            match decide(&settings.retry, O::REPLAY, attempt, jitter()) {
                Decision::RetryAfter(delay) if failed.error.kind() != Kind::Sign => {
                    clock.sleep(delay).await;
                }
                _ => return Err(history.conclude(failed.error.with_attempts(number))),
            }
        }
    }

    /// One try.
    async fn attempt<O>(
        &self,
        request: &<W::Service as Service>::Request,
        left: Duration,
    ) -> Result<Answer<O::Response>, Failed>
    where
        O: Operation<Service = W::Service>,
    {
        let Inner { wire, settings, transport, clock } = &*self.inner;
        let prepared = wire
            .prepare(request, clock.now())
            .map_err(|error| Failed { error, outcome: Outcome::NotSent })?;
        let timeout = settings.attempt_timeout.min(left);
        let answer = transport.call(prepared, timeout, settings.body_bytes_max).await;
        self.read::<O>(answer.map_err(failed_transport)?)
    }

    fn read<O>(&self, answer: http::Response<Bytes>) -> Result<Answer<O::Response>, Failed>
    where
        O: Operation<Service = W::Service>,
    {
        let wire = &self.inner.wire;
        let (parts, body) = answer.into_parts();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = wire.request_id_header().and_then(header).map(str::to_owned);
        let mut source = None;
        if parts.status.is_success() {
            match O::decode(&body) {
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
            Class::Throttled => Kind::Throttled,
            Class::Fault => Kind::Fault,
            Class::Refused => Kind::Refused,
            Class::Unauthorized => Kind::Unauthorized,
            Class::Unreadable => Kind::Decode,
        };
        let mut error =
            Error::new(kind, Phase::Answered).with_answer(parts.status.as_u16(), request_id);
        if let Some(source) = source {
            error = error.with_source(source);
        }
        if let Some(refusal) = refusal {
            error = error.with_refusal(W::refusal(refusal));
        }
        let seconds = header("retry-after").and_then(|text| text.trim().parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
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
    fn record(&mut self, failed: &Failed) {
        self.furthest = self.furthest.max(Some(failed.error.phase()));
        self.in_doubt |= matches!(
            failed.outcome,
            Outcome::MaybeSent | Outcome::Answered { class: Class::Fault | Class::Unreadable, .. }
        );
    }

    fn conclude(&self, error: Error) -> Error {
        // The service knows the key: a reason to refuse it now is the reason why nothing happened.
        // Unless the reason is that it knows the key: then the lost try may be what it remembers.
        let settled = error.kind() == Kind::Refused
            && error.refusal().is_some_and(|refusal| !refusal.is_about_the_key());
        let furthest = self.furthest.unwrap_or(error.phase());
        error.with_history(furthest, self.in_doubt && !settled)
    }
}

fn failed_transport(error: TransportError) -> Failed {
    let (kind, phase, outcome) = match error.kind() {
        TransportErrorKind::Connect => (Kind::Connect, Phase::NotSent, Outcome::NotSent),
        TransportErrorKind::Timeout => (Kind::Timeout, Phase::MaybeSent, Outcome::MaybeSent),
        TransportErrorKind::Interrupted => {
            (Kind::Interrupted, Phase::MaybeSent, Outcome::MaybeSent)
        }
        TransportErrorKind::TooLarge => {
            let unreadable = Outcome::Answered { class: Class::Unreadable, retry_after: None };
            (Kind::TooLarge, Phase::Answered, unreadable)
        }
    };
    Failed { error: Error::new(kind, phase).with_source(error), outcome }
}

/// Any number will do; without a source of randomness the waits are merely not spread.
fn jitter() -> u16 {
    let random = getrandom::u32().unwrap_or_default();
    u16::try_from(random >> 16).unwrap_or_default()
}

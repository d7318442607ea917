//! What went wrong with a call, and first of all what it means for money; nothing is classified or
//! tried again here.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use fps_model::ServiceError;
use fps_model::amazon_pay::ReasonCode;
use fps_model::flexible_payments::ErrorCode;

use crate::excerpt::Excerpt;

/// A call that has no answer to hand on.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    phase: Phase,
    unknown: bool,
    attempts: u32,
    status: Option<u16>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    refusal: Option<ServiceRefusal>,
    excerpt: Option<Excerpt>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// How far the request came. The first question about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Phase {
    /// It never left: nothing moved.
    NotSent,
    /// It may have left, and no answer came: ask the service, or send it again with the same key.
    MaybeSent,
    /// The service answered.
    Answered,
}

/// What sort of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a limit of the service and was not sent.
    Encode,
    /// The request could not be signed and was not sent.
    Sign,
    /// Its turn would have come too late, so it was not sent; see [`crate::pacing`].
    Paced,
    /// No connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// No complete answer.
    Interrupted,
    /// An answer larger than allowed.
    TooLarge,
    /// An answer that cannot be read.
    Decode,
    /// The service does not accept the signature, the key or the date.
    Unauthorized,
    /// Too many requests, and no more tries.
    Throttled,
    /// The service failed.
    Fault,
    /// The service refused, by a rule of its own.
    Refused,
}

/// A refusal in the words of the service that refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two services")]
pub enum ServiceRefusal {
    /// By Amazon Pay.
    AmazonPay(ServiceError<ReasonCode>),
    /// By Flexible Payments Service.
    FlexiblePayments(ServiceError<ErrorCode>),
}

impl ServiceRefusal {
    /// The reason as the service spells it.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::AmazonPay(error) => error.code.as_str(),
            Self::FlexiblePayments(error) => error.code.as_str(),
        }
    }

    /// Was the key used before, by a request that differs? This one was not carried out; that one,
    /// which the same decision may have led to, may have been.
    #[must_use]
    pub fn is_key_conflict(&self) -> bool {
        match self {
            Self::AmazonPay(error) => error.code == ReasonCode::DuplicateIdempotencyKey,
            Self::FlexiblePayments(error) => error.code == ErrorCode::DuplicateRequest,
        }
    }

    fn request_id(&self) -> Option<&str> {
        match self {
            Self::AmazonPay(error) => error.request_id.as_deref(),
            Self::FlexiblePayments(error) => error.request_id.as_deref(),
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, phase: Phase) -> Self {
        Self(Box::new(Inner {
            kind,
            phase,
            unknown: false,
            attempts: 0,
            status: None,
            request_id: None,
            retry_after: None,
            refusal: None,
            excerpt: None,
            source: None,
        }))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_answer(mut self, status: u16, request_id: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.request_id = request_id;
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_refusal(mut self, refusal: ServiceRefusal) -> Self {
        if let Some(request_id) = refusal.request_id() {
            self.0.request_id = Some(request_id.to_owned());
        }
        self.0.refusal = Some(refusal);
        self
    }

    pub(crate) fn with_excerpt(mut self, body: &[u8]) -> Self {
        self.0.excerpt = Excerpt::of(body);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// With what all tries together mean: how far the furthest came, and whether one of them may
    /// have been carried out.
    pub(crate) fn with_history(mut self, furthest: Phase, unknown: bool) -> Self {
        self.0.phase = furthest;
        self.0.unknown = unknown;
        self
    }

    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// How far the request came: the furthest of all tries.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// May money have moved? Then the outcome must be looked up, or the request sent again with the
    /// same key; it must not be called a failure.
    ///
    /// So it is when one of the tries brought no answer, an answer that could not be read, or one
    /// that said no more than that the service failed. Nothing that a later try met with takes that
    /// back, not even a refusal with a reason: that nothing is left to refund may be the doing of the
    /// try whose answer was lost. An operation that changes nothing is never unknown.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.unknown
    }

    /// How often it was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The HTTP status of the last answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's id of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long to wait before the next try, if the last answer said so; it may say anything.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The service's own reason.
    #[must_use]
    pub fn refusal(&self) -> Option<&ServiceRefusal> {
        self.0.refusal.as_ref()
    }

    /// What the answer began with, if it could not be read: a page of a proxy, for instance.
    #[must_use]
    pub fn excerpt(&self) -> Option<&Excerpt> {
        self.0.excerpt.as_ref()
    }

    /// The service's own reason, as it spells it.
    #[must_use]
    pub fn service_code(&self) -> Option<&str> {
        self.refusal().map(ServiceRefusal::code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.kind, self.service_code()) {
            (ErrorKind::Encode, _) => {
                f.write_str("the request was not sent: a field breaks a limit")?
            }
            (ErrorKind::Sign, _) => {
                f.write_str("the request was not sent: it could not be signed")?
            }
            (ErrorKind::Paced, _) => {
                f.write_str("the request was not sent: its turn comes too late")?
            }
            (ErrorKind::Connect, _) => f.write_str("the service could not be reached")?,
            (ErrorKind::Timeout, _) => f.write_str("the service did not answer in time")?,
            (ErrorKind::Interrupted, _) => f.write_str("the connection to the service broke")?,
            (ErrorKind::TooLarge, _) => f.write_str("the answer of the service is too large")?,
            (ErrorKind::Decode, _) => f.write_str("the answer of the service cannot be read")?,
            (ErrorKind::Unauthorized, Some(code)) => {
                write!(f, "the service rejects the key: {code}")?
            }
            (ErrorKind::Unauthorized, None) => f.write_str("the service rejects the key")?,
            (ErrorKind::Throttled, _) => f.write_str("the service asks for fewer requests")?,
            (ErrorKind::Fault, Some(code)) => write!(f, "the service failed: {code}")?,
            (ErrorKind::Fault, None) => f.write_str("the service failed")?,
            (ErrorKind::Refused, Some(code)) => write!(f, "the service refused: {code}")?,
            (ErrorKind::Refused, None) => f.write_str("the service refused without a reason")?,
        }
        if let Some(status) = self.0.status {
            write!(f, " (HTTP {status})")?;
        }
        if self.is_unknown() {
            f.write_str("; whether money moved is unknown")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

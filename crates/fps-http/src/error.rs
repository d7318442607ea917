//! What went wrong with a call, and first of all what it means for money.

use std::error::Error as StdError;
use std::fmt;

use fps_model::ServiceError;
use fps_model::amazon_pay::ReasonCode;
use fps_model::flexible_payments::ErrorCode;

/// A call that has no answer to hand on.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    phase: Phase,
    unknown: bool,
    attempts: u32,
    status: Option<u16>,
    request_id: Option<String>,
    refusal: Option<Refusal>,
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
pub enum Kind {
    /// The request breaks a limit of the service and was not sent.
    Encode,
    /// The request could not be signed and was not sent.
    Sign,
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
pub enum Refusal {
    /// By Amazon Pay.
    AmazonPay(ServiceError<ReasonCode>),
    /// By Flexible Payments Service.
    FlexiblePayments(ServiceError<ErrorCode>),
}

impl Refusal {
    /// The reason as the service spells it.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::AmazonPay(error) => error.code.as_str(),
            Self::FlexiblePayments(error) => error.code.as_str(),
        }
    }

    /// Is the reason that the key was used before?
    #[must_use]
    pub fn is_about_the_key(&self) -> bool {
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
    pub(crate) fn new(kind: Kind, phase: Phase) -> Self {
        Self(Box::new(Inner {
            kind,
            phase,
            unknown: false,
            attempts: 0,
            status: None,
            request_id: None,
            refusal: None,
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

    pub(crate) fn with_refusal(mut self, refusal: Refusal) -> Self {
        if let Some(request_id) = refusal.request_id() {
            self.0.request_id = Some(request_id.to_owned());
        }
        self.0.refusal = Some(refusal);
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
    pub fn kind(&self) -> Kind {
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
    /// that said no more than that the service failed. A later refused connection, throttle or
    /// rejected signature says nothing about that try. A refusal with a reason does, because the
    /// service knows the key and would have answered as it did the first time; only the reason that
    /// the key was used before may be about that very try.
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

    /// The service's own reason.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.0.refusal.as_ref()
    }

    /// The service's own reason, as it spells it.
    #[must_use]
    pub fn service_code(&self) -> Option<&str> {
        self.refusal().map(Refusal::code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.kind, self.service_code()) {
            (Kind::Encode, _) => f.write_str("the request was not sent: a field breaks a limit")?,
            (Kind::Sign, _) => f.write_str("the request was not sent: it could not be signed")?,
            (Kind::Connect, _) => f.write_str("the service could not be reached")?,
            (Kind::Timeout, _) => f.write_str("the service did not answer in time")?,
            (Kind::Interrupted, _) => f.write_str("the connection to the service broke")?,
            (Kind::TooLarge, _) => f.write_str("the answer of the service is too large")?,
            (Kind::Decode, _) => f.write_str("the answer of the service cannot be read")?,
            (Kind::Unauthorized, Some(code)) => write!(f, "the service rejects the key: {code}")?,
            (Kind::Unauthorized, None) => f.write_str("the service rejects the key")?,
            (Kind::Throttled, _) => f.write_str("the service asks for fewer requests")?,
            (Kind::Fault, Some(code)) => write!(f, "the service failed: {code}")?,
            (Kind::Fault, None) => f.write_str("the service failed")?,
            (Kind::Refused, Some(code)) => write!(f, "the service refused: {code}")?,
            (Kind::Refused, None) => f.write_str("the service refused without a reason")?,
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

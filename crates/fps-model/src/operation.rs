//! What an operation is: the client's half, the server's half, and what a retry may assume; no single
//! operation is known here.

use std::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::service_error::ServiceError;

/// One of the two services: what its requests look like before they are signed.
pub trait Service: fmt::Debug + Send + Sync + 'static {
    /// A request, encoded and not yet signed.
    type Request: Clone + fmt::Debug + Send + Sync;
    /// Which revision of the API the messages are written in.
    type Version: Copy + Default + fmt::Debug + Send + Sync;
    /// Names a reason to refuse.
    type Code: fmt::Debug + fmt::Display + Send + Sync;

    /// Reads what the service says when it refuses; `None` when the body says nothing of the kind.
    fn read_refusal(body: &[u8]) -> Option<ServiceError<Self::Code>>;
}

/// May a request whose outcome is unknown be sent again?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a retry must handle every case")]
pub enum Replay {
    /// Doing it again changes nothing more.
    Safe,
    /// The service recognises its key and answers as it did the first time.
    ByKey,
    /// It would happen twice.
    Never,
}

/// An answer: the decoded result, and the service's name for the request that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What the service said.
    pub result: T,
    /// The service's id of the request, for its support.
    pub request_id: Option<String>,
}

impl<T> Answer<T> {
    /// Both parts.
    #[must_use]
    pub const fn new(result: T, request_id: Option<String>) -> Self {
        Self { result, request_id }
    }
}

/// One action of a service, seen from the client: the value itself is the call.
pub trait Operation: Clone + fmt::Debug + Send + Sync + Sized {
    /// The action's name, in the service's own spelling.
    const ACTION: &'static str;
    /// What a retry may assume when the outcome is unknown.
    const REPLAY: Replay;
    /// The service it belongs to.
    type Service: Service;
    /// What the service answers.
    type Response: Clone + fmt::Debug + PartialEq + Send + Sync;

    /// The caller's idempotency key, if the action has one.
    fn key(&self) -> Option<&str>;

    /// Writes the request.
    ///
    /// # Errors
    /// [`EncodeError`] when a field breaks a limit of the service; nothing has been sent.
    fn encode(
        &self,
        version: <Self::Service as Service>::Version,
    ) -> Result<<Self::Service as Service>::Request, EncodeError>;

    /// Reads the body of a successful answer, written in the same revision as the request.
    ///
    /// # Errors
    /// [`DecodeError`] names the field that could not be read.
    fn decode(
        body: &[u8],
        version: <Self::Service as Service>::Version,
    ) -> Result<Answer<Self::Response>, DecodeError>;
}

/// The same action, seen from the server.
pub trait Serve: Operation {
    /// Reads a request, strictly: unknown, doubled and overlong fields are errors.
    ///
    /// # Errors
    /// [`DecodeError`] names the field.
    fn read(
        request: &<Self::Service as Service>::Request,
        version: <Self::Service as Service>::Version,
    ) -> Result<Self, DecodeError>;

    /// Writes a successful answer. What the revision does not know is left out. The request id goes where the service puts it: into the body for
    /// FPS, into a header, and so not here, for Amazon Pay.
    fn write_answer(
        answer: &Answer<Self::Response>,
        version: <Self::Service as Service>::Version,
    ) -> Vec<u8>;
}

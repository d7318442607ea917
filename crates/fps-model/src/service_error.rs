//! What a service says when it refuses; which reasons there are is generated, and not said here.

use std::fmt;

/// A refusal in the service's own words.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError<C> {
    /// The reason, of an enumeration that Amazon may extend.
    pub code: C,
    /// The service's sentence. It may quote what was sent, a signature or a token for instance, and
    /// so is left out of `Debug`.
    pub message: String,
    /// The service's id of the request, where the document has it.
    pub request_id: Option<String>,
}

impl<C: fmt::Debug> fmt::Debug for ServiceError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceError")
            .field("code", &self.code)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl<C> ServiceError<C> {
    /// A refusal without a request id.
    #[must_use]
    pub fn new(code: impl Into<C>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), request_id: None }
    }

    /// With a request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

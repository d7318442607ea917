//! What a service says when it refuses.

/// A refusal in the service's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError<C> {
    /// The reason, of an enumeration that Amazon may extend.
    pub code: C,
    /// The service's sentence; it may quote what was sent.
    pub message: String,
    /// The service's id of the request, where the document has it.
    pub request_id: Option<String>,
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

//! What the two services differ in, once their messages are encoded: signing, and reading refusals;
//! neither sends nor tries again.

use std::time::Duration;

use bytes::Bytes;
use fps_model::{Service, ServiceError, Timestamp};

use crate::error::{Error, ServiceRefusal};
use crate::pacing::Limits;
use crate::retry::Class;
use crate::transport::BoxFuture;

/// A service that can be sent to: its configuration, which signs requests and sorts answers.
pub trait Wire: Send + Sync + 'static {
    /// The service.
    type Service: Service;

    /// The revision of the API that messages are written in.
    fn version(&self) -> <Self::Service as Service>::Version;

    /// Signs a request for this moment, within `timeout` if somebody else has the key.
    ///
    /// # Errors
    /// [`Error`] of the kind `Sign`.
    fn prepare<'a>(
        &'a self,
        request: &'a <Self::Service as Service>::Request,
        now: Timestamp,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<http::Request<Bytes>, Error>>;

    /// Sorts an answer that is not a success.
    fn classify(
        &self,
        status: http::StatusCode,
        refusal: Option<&ServiceError<<Self::Service as Service>::Code>>,
    ) -> Class;

    /// How many requests the service takes where this configuration sends them; a client keeps to it
    /// unless its settings say otherwise. Default: no limit is known.
    fn limits(&self) -> Limits {
        Limits::none()
    }

    /// The header with the service's id of the request, if it is not in the body.
    fn request_id_header(&self) -> Option<&'static str>;

    /// The refusal in the form that callers match on.
    fn refusal(error: ServiceError<<Self::Service as Service>::Code>) -> ServiceRefusal;
}

/// Builds a request from parts that were checked before.
pub(crate) fn build(
    method: &str,
    url: String,
    headers: &[(&str, &str)],
    sensitive: &[&str],
    body: Bytes,
) -> Result<http::Request<Bytes>, Error> {
    use crate::error::{ErrorKind, Phase};

    let fail = |source| Error::new(ErrorKind::Sign, Phase::NotSent).with_source(source);
    let mut builder = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        let mut value =
            http::HeaderValue::from_str(value).map_err(|error| fail(http::Error::from(error)))?;
        value.set_sensitive(sensitive.contains(name));
        builder = builder.header(*name, value);
    }
    builder.body(body).map_err(fail)
}

/// What a status means where the body says nothing. Source: the statuses that the official SDKs
/// retry, 408, 425, 429, 500, 502, 503 and 504.
pub(crate) fn class_of(status: http::StatusCode) -> Class {
    match status.as_u16() {
        401 | 403 => Class::Unauthorized,
        425 | 429 => Class::Throttled,
        408 | 500..=599 => Class::Fault,
        400..=499 => Class::Refused,
        // Neither a refusal nor an answer: a `303` even says that it was done.
        _ => Class::Unreadable,
    }
}

//! FPS over HTTP: Query requests as signed forms; knows nothing of Amazon Pay, and sends nothing
//! itself.

use std::time::Duration;

use bytes::Bytes;
use fps_model::flexible_payments::{Dialect, ErrorCode, FlexiblePaymentsApi};
use fps_model::{Params, ServiceError, Timestamp};
use fps_sign::Target;
use fps_sign::query::{self, Credentials, SignatureMethod};
use http::StatusCode;

use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::{Error, ServiceRefusal};
use crate::retry::Class;
use crate::transport::BoxFuture;
use crate::wire::{Wire, build, class_of};

/// Where the service was until 2015. Nobody may send a credential there any more.
const RETIRED: [&str; 2] = ["fps.amazonaws.com", "fps.sandbox.amazonaws.com"];

/// Who calls, and where.
///
/// Amazon's own service ended in 2015, so there is no default endpoint: name the sandbox, an archive
/// or a compatible service. No credential is sent to a host that no longer belongs to the service.
#[derive(Clone, Debug)]
pub struct FlexiblePaymentsConfig {
    endpoint: Endpoint,
    credentials: Credentials,
    method: SignatureMethod,
    dialect: Dialect,
}

impl FlexiblePaymentsConfig {
    /// With signature version 2, HmacSHA256, in revision 2008-09-17.
    ///
    /// # Errors
    /// [`ConfigError::BadEndpoint`]; [`ConfigError::Retired`] for the hosts that were Amazon's.
    pub fn new(endpoint: &str, credentials: Credentials) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::parse(endpoint)?;
        let host = endpoint.authority().split(':').next().unwrap_or_default();
        if RETIRED.contains(&host) {
            return Err(ConfigError::Retired);
        }
        Ok(Self {
            endpoint,
            credentials,
            method: SignatureMethod::default(),
            dialect: Dialect::default(),
        })
    }

    /// With another HMAC.
    #[must_use]
    pub fn with_signature_method(mut self, method: SignatureMethod) -> Self {
        self.method = method;
        self
    }

    /// In another revision of the API.
    #[must_use]
    pub const fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// The id of the key that it signs with.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credentials.access_key_id()
    }

    /// Where requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl FlexiblePaymentsConfig {
    fn signed(&self, request: &Params, now: Timestamp) -> Result<http::Request<Bytes>, Error> {
        let path = format!("{}/", self.endpoint.path());
        let target = Target::new("POST", self.endpoint.authority(), &path);
        let timestamp = now.to_extended();
        let added =
            query::sign(&target, request.iter(), &self.credentials, self.method, &timestamp);
        let mut signed = request.clone();
        for (name, value) in added {
            signed.push(name, value);
        }
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("accept", "text/xml"),
        ];
        build("POST", self.endpoint.url(&path), &headers, &[], signed.to_form().into())
    }
}

impl Wire for FlexiblePaymentsConfig {
    type Service = FlexiblePaymentsApi;

    fn version(&self) -> Dialect {
        self.dialect
    }

    fn prepare<'a>(
        &'a self,
        request: &'a Params,
        now: Timestamp,
        _timeout: Duration,
    ) -> BoxFuture<'a, Result<http::Request<Bytes>, Error>> {
        Box::pin(std::future::ready(self.signed(request, now)))
    }
    /// Of the codes that the documents call retriable, only these mean that the same request may
    /// work in a moment; the others wait for a person. A code that is not known here says less than
    /// the status that it came with.
    fn classify(&self, status: StatusCode, refusal: Option<&ServiceError<ErrorCode>>) -> Class {
        match refusal.map(|refusal| &refusal.code) {
            Some(ErrorCode::InternalError | ErrorCode::ServiceUnavailable) => Class::Fault,
            Some(ErrorCode::ConcurrentModification) => Class::Throttled,
            Some(
                ErrorCode::AuthFailure
                | ErrorCode::InvalidClientTokenId
                | ErrorCode::InvalidSignature
                | ErrorCode::RequestExpired
                | ErrorCode::SignatureDoesNotMatch,
            ) => Class::Unauthorized,
            Some(_) if status.is_success() => Class::Refused,
            _ => class_of(status),
        }
    }

    fn request_id_header(&self) -> Option<&'static str> {
        None
    }

    fn refusal(error: ServiceError<ErrorCode>) -> ServiceRefusal {
        ServiceRefusal::FlexiblePayments(error)
    }
}

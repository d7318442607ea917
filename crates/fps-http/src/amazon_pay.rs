//! Amazon Pay over HTTP: regions, environments, signed headers; knows nothing of FPS, and sends nothing
//! itself.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use fps_model::amazon_pay::{AmazonPayApi, ApiVersion, ReasonCode};
use fps_model::{JsonRequest, ServiceError, Timestamp};
use fps_sign::RequestSigner;
use fps_sign::amazon_pay::{self, Algorithm};
use http::StatusCode;

use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Phase, ServiceRefusal};
use crate::retry::Class;
use crate::wire::{Wire, build, class_of};

/// Where the merchant's account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// `na`: pay-api.amazon.com.
    NorthAmerica,
    /// `eu`: pay-api.amazon.eu.
    Europe,
    /// `jp`: pay-api.amazon.jp.
    Japan,
}

impl Region {
    /// The code in the header `x-amz-pay-region`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NorthAmerica => "na",
            Self::Europe => "eu",
            Self::Japan => "jp",
        }
    }

    const fn url(self) -> &'static str {
        match self {
            Self::NorthAmerica => "https://pay-api.amazon.com",
            Self::Europe => "https://pay-api.amazon.eu",
            Self::Japan => "https://pay-api.amazon.jp",
        }
    }
}

/// Whether real money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third environment")]
pub enum Environment {
    /// No.
    Sandbox,
    /// Yes.
    Live,
}

/// Who calls, and where.
///
/// The environment comes from the public key id (`SANDBOX-…`, `LIVE-…`); a key id without one needs
/// it stated, and one that contradicts it is refused, so that live and sandbox cannot be crossed.
#[derive(Clone)]
pub struct AmazonPayConfig {
    endpoint: Endpoint,
    region: Region,
    environment: Environment,
    environment_in_path: bool,
    public_key_id: String,
    signer: Arc<dyn RequestSigner>,
    algorithm: Algorithm,
}

impl AmazonPayConfig {
    /// With a key id that names its environment.
    ///
    /// # Errors
    /// [`ConfigError::EnvironmentMissing`] when it does not, [`ConfigError::BadKeyId`] when it cannot
    /// be sent.
    pub fn new(
        public_key_id: impl Into<String>,
        signer: impl RequestSigner + 'static,
        region: Region,
    ) -> Result<Self, ConfigError> {
        let public_key_id = public_key_id.into();
        let environment = environment_of(&public_key_id).ok_or(ConfigError::EnvironmentMissing)?;
        Self::build(public_key_id, Arc::new(signer), region, environment, false)
    }

    /// With the environment stated, as older key ids need it.
    ///
    /// # Errors
    /// [`ConfigError::EnvironmentMismatch`] when the key id names the other one.
    pub fn in_environment(
        environment: Environment,
        public_key_id: impl Into<String>,
        signer: impl RequestSigner + 'static,
        region: Region,
    ) -> Result<Self, ConfigError> {
        let public_key_id = public_key_id.into();
        let named = environment_of(&public_key_id);
        if named.is_some_and(|named| named != environment) {
            return Err(ConfigError::EnvironmentMismatch);
        }
        Self::build(public_key_id, Arc::new(signer), region, environment, named.is_none())
    }

    fn build(
        public_key_id: String,
        signer: Arc<dyn RequestSigner>,
        region: Region,
        environment: Environment,
        environment_in_path: bool,
    ) -> Result<Self, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if public_key_id.is_empty() || !public_key_id.bytes().all(plain) {
            return Err(ConfigError::BadKeyId);
        }
        let endpoint = Endpoint::parse(region.url())?;
        let algorithm = Algorithm::default();
        Ok(Self {
            endpoint,
            region,
            environment,
            environment_in_path,
            public_key_id,
            signer,
            algorithm,
        })
    }

    /// Sent to another address: an emulator.
    ///
    /// # Errors
    /// [`ConfigError::BadEndpoint`].
    pub fn with_endpoint(mut self, url: &str) -> Result<Self, ConfigError> {
        self.endpoint = Endpoint::parse(url)?;
        Ok(self)
    }

    /// Signed with the other algorithm.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Whether real money moves.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    fn path(&self, version: ApiVersion, path: &str) -> String {
        let environment = match (self.environment_in_path, self.environment) {
            (false, _) => "",
            (true, Environment::Sandbox) => "/sandbox",
            (true, Environment::Live) => "/live",
        };
        format!("{}{environment}/{}{path}", self.endpoint.path(), version.segment())
    }
}

impl fmt::Debug for AmazonPayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmazonPayConfig")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("environment", &self.environment)
            .field("public_key_id", &self.public_key_id)
            .finish_non_exhaustive()
    }
}

/// `LIVE…` and `SANDBOX…`, in any case, as the official SDKs tell them apart.
fn environment_of(public_key_id: &str) -> Option<Environment> {
    let upper = public_key_id.to_ascii_uppercase();
    if upper.starts_with("LIVE") {
        Some(Environment::Live)
    } else if upper.starts_with("SANDBOX") {
        Some(Environment::Sandbox)
    } else {
        None
    }
}

impl Wire for AmazonPayConfig {
    type Service = AmazonPayApi;

    fn version(&self) -> ApiVersion {
        ApiVersion::V2
    }

    fn prepare(
        &self,
        request: &JsonRequest,
        now: Timestamp,
    ) -> Result<http::Request<Bytes>, Error> {
        let path = self.path(self.version(), &request.path);
        let date = now.to_basic();
        let body = request.body.as_deref().unwrap_or("");
        let mut headers = vec![
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("x-amz-pay-date", date.as_str()),
            ("x-amz-pay-host", self.endpoint.authority()),
            ("x-amz-pay-region", self.region.code()),
        ];
        if let Some(key) = &request.key {
            headers.push(("x-amz-pay-idempotency-key", key));
        }
        let signed = amazon_pay::Request {
            method: &request.method,
            path: &path,
            query: &[],
            headers: &headers,
            body: body.as_bytes(),
        };
        let authorization =
            amazon_pay::authorization(&signed, self.algorithm, &self.public_key_id, &*self.signer)
                .map_err(|error| Error::new(ErrorKind::Sign, Phase::NotSent).with_source(error))?;
        headers.push(("authorization", &authorization));
        let body = Bytes::copy_from_slice(body.as_bytes());
        build(&request.method, self.endpoint.url(&path), &headers, "authorization", body)
    }

    fn classify(&self, status: StatusCode, refusal: Option<&ServiceError<ReasonCode>>) -> Class {
        match refusal.map(|refusal| &refusal.code) {
            Some(ReasonCode::TooManyRequests | ReasonCode::RequestThrottled) => Class::Throttled,
            _ => class_of(status),
        }
    }

    fn request_id_header(&self) -> Option<&'static str> {
        Some("x-amz-pay-request-id")
    }

    fn refusal(error: ServiceError<ReasonCode>) -> ServiceRefusal {
        ServiceRefusal::AmazonPay(error)
    }
}

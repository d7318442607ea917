//! Amazon Pay over HTTP: regions, environments, signed headers; knows nothing of FPS, and sends nothing
//! itself.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use fps_model::amazon_pay::{AmazonPayApi, ApiVersion, ReasonCode};
use fps_model::{JsonRequest, ServiceError, Timestamp};
use fps_sign::amazon_pay::{self, Algorithm, ToSign};
use http::StatusCode;

use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Phase, ServiceRefusal};
use crate::pacing::Limits;
use crate::retry::Class;
use crate::signer::Signer;
use crate::transport::BoxFuture;
use crate::wire::{Wire, build, class_of};

const AUTHORIZATION: &str = "authorization";
const KEY: &str = "x-amz-pay-idempotency-key";

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

    const ALL: [Self; 3] = [Self::NorthAmerica, Self::Europe, Self::Japan];

    const fn host(self) -> &'static str {
        match self {
            Self::NorthAmerica => "pay-api.amazon.com",
            Self::Europe => "pay-api.amazon.eu",
            Self::Japan => "pay-api.amazon.jp",
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
    signer: Signer,
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
        signer: impl Into<Signer>,
        region: Region,
    ) -> Result<Self, ConfigError> {
        let public_key_id = public_key_id.into();
        let environment = environment_of(&public_key_id).ok_or(ConfigError::EnvironmentMissing)?;
        Self::build(public_key_id, signer.into(), region, environment, false)
    }

    /// With the environment stated, as older key ids need it.
    ///
    /// # Errors
    /// [`ConfigError::EnvironmentMismatch`] when the key id names the other one.
    pub fn in_environment(
        environment: Environment,
        public_key_id: impl Into<String>,
        signer: impl Into<Signer>,
        region: Region,
    ) -> Result<Self, ConfigError> {
        let public_key_id = public_key_id.into();
        let named = environment_of(&public_key_id);
        if named.is_some_and(|named| named != environment) {
            return Err(ConfigError::EnvironmentMismatch);
        }
        Self::build(public_key_id, signer.into(), region, environment, named.is_none())
    }

    fn build(
        public_key_id: String,
        signer: Signer,
        region: Region,
        environment: Environment,
        environment_in_path: bool,
    ) -> Result<Self, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if public_key_id.is_empty() || !public_key_id.bytes().all(plain) {
            return Err(ConfigError::BadKeyId);
        }
        let endpoint = Endpoint::parse(&format!("https://{}", region.host()))?;
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

    /// Sent to another address: an emulator, or a gateway of the merchant's own.
    ///
    /// # Errors
    /// [`ConfigError::BadEndpoint`]; [`ConfigError::EnvironmentMismatch`] for a path that names the
    /// other environment; [`ConfigError::RegionMismatch`] for Amazon's address in another region;
    /// and, lest real refunds go to an emulator, [`ConfigError::LiveElsewhere`] for a live key: see
    /// [`AmazonPayConfig::with_live_endpoint`].
    pub fn with_endpoint(self, url: &str) -> Result<Self, ConfigError> {
        let endpoint = self.checked(url)?;
        let amazon = Region::ALL.iter().any(|region| region.host() == endpoint.authority());
        match (self.environment, amazon) {
            (Environment::Live, false) => Err(ConfigError::LiveElsewhere),
            _ => Ok(Self { endpoint, ..self }),
        }
    }

    /// The same for a live key, whose requests a gateway of the merchant's own is to pass on.
    ///
    /// # Errors
    /// As [`AmazonPayConfig::with_endpoint`], but for the last; and
    /// [`ConfigError::EnvironmentMismatch`] for a key of the sandbox.
    pub fn with_live_endpoint(self, url: &str) -> Result<Self, ConfigError> {
        let endpoint = self.checked(url)?;
        match self.environment {
            Environment::Live => Ok(Self { endpoint, ..self }),
            Environment::Sandbox => Err(ConfigError::EnvironmentMismatch),
        }
    }

    /// An address that contradicts neither region nor environment.
    fn checked(&self, url: &str) -> Result<Endpoint, ConfigError> {
        let endpoint = Endpoint::parse(url)?;
        let (own, other) = match self.environment {
            Environment::Live => ("live", "sandbox"),
            Environment::Sandbox => ("sandbox", "live"),
        };
        let mut path = endpoint.path().split('/');
        // This client adds the segment itself, where a key id needs it.
        let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
        if path.any(|it| is(it, other) || (is(it, own) && self.environment_in_path)) {
            return Err(ConfigError::EnvironmentMismatch);
        }
        let foreign =
            |region: &&Region| **region != self.region && region.host() == endpoint.authority();
        match Region::ALL.iter().find(foreign) {
            Some(_) => Err(ConfigError::RegionMismatch),
            None => Ok(endpoint),
        }
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

    /// The region whose buyers and sellers it is for.
    #[must_use]
    pub const fn region(&self) -> Region {
        self.region
    }

    /// The id of the key that it signs with.
    #[must_use]
    pub fn public_key_id(&self) -> &str {
        &self.public_key_id
    }

    /// Where it sends.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn signed(
        &self,
        request: &JsonRequest,
        now: Timestamp,
        timeout: Duration,
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
            headers.push((KEY, key));
        }
        let parts = amazon_pay::Request {
            method: &request.method,
            path: &path,
            query: &[],
            headers: &headers,
            body: body.as_bytes(),
        };
        let unsigned = ToSign::new(&parts, self.algorithm)
            .map_err(|error| Error::new(ErrorKind::Sign, Phase::NotSent).with_source(error))?;
        let signature = self.signer.sign(&unsigned, timeout).await?;
        let authorization = unsigned.authorization(&self.public_key_id, &signature);
        headers.push((AUTHORIZATION, &authorization));
        let body = Bytes::copy_from_slice(body.as_bytes());
        build(&request.method, self.endpoint.url(&path), &headers, &[AUTHORIZATION, KEY], body)
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

    fn prepare<'a>(
        &'a self,
        request: &'a JsonRequest,
        now: Timestamp,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<http::Request<Bytes>, Error>> {
        Box::pin(self.signed(request, now, timeout))
    }

    fn classify(&self, status: StatusCode, refusal: Option<&ServiceError<ReasonCode>>) -> Class {
        match refusal.map(|refusal| &refusal.code) {
            Some(ReasonCode::TooManyRequests | ReasonCode::RequestThrottled) => Class::Throttled,
            _ => class_of(status),
        }
    }

    /// The published limits at Amazon's own addresses, and wherever else live requests go, since
    /// they end there; an emulator has none.
    fn limits(&self) -> Limits {
        let amazon = Region::ALL.iter().any(|region| region.host() == self.endpoint.authority());
        match amazon || self.environment == Environment::Live {
            true => Limits::amazon_pay(self.environment),
            false => Limits::none(),
        }
    }

    fn request_id_header(&self) -> Option<&'static str> {
        Some("x-amz-pay-request-id")
    }

    fn refusal(error: ServiceError<ReasonCode>) -> ServiceRefusal {
        ServiceRefusal::AmazonPay(error)
    }
}

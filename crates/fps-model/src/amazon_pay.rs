//! Amazon Pay API v2: operations, their shared types, and the error body; operations are generated,
//! and none is written here.

pub use crate::generated::amazon_pay::*;

use serde::{Deserialize, Serialize};

use crate::json::{self, JsonRequest};
use crate::operation::{Operation, Service};
use crate::service_error::ServiceError;

/// The service, as a type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AmazonPayApi;

impl Service for AmazonPayApi {
    type Request = JsonRequest;
    type Version = ApiVersion;
    type Code = ReasonCode;

    fn read_refusal(body: &[u8]) -> Option<ServiceError<ReasonCode>> {
        let error: ErrorBody = json::read(body).ok()?;
        Some(ServiceError::new(error.reason_code, error.message.unwrap_or_default()))
    }
}

/// A revision of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// `v2`, the only one since 2020.
    #[default]
    V2,
}

impl ApiVersion {
    /// The segment of the path.
    #[must_use]
    pub const fn segment(self) -> &'static str {
        match self {
            Self::V2 => "v2",
        }
    }
}

/// Where an operation lives: the server routes by it.
pub trait Route: Operation {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    const METHOD: &'static str;
    /// The path behind the version, with the name of an identifier in braces.
    const PATH: &'static str;
    /// The HTTP status of a successful answer.
    const SUCCESS: u16;
    /// Other statuses of one, of something begun and not done for instance.
    const ALSO: &'static [u16] = &[];
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    reason_code: ReasonCode,
    message: Option<String>,
}

impl ServiceError<ReasonCode> {
    /// The body of the refusal.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::write(&ErrorBody {
            reason_code: self.code.clone(),
            message: Some(self.message.clone()),
        })
    }
}

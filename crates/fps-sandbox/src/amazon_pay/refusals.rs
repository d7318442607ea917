//! How Amazon Pay refuses, and what it says of a request that cannot be read.

use fps_model::amazon_pay::ReasonCode;
use fps_model::{DecodeError, JsonRequest, Problem, ServiceError};

use super::KEY_HEADER;
use crate::idempotency::{Reply, Stop};

/// A refusal with the status that belongs to its reason. Source: the error-handling page of the
/// Amazon Pay API v2 documentation and two transcriptions of its tables.
pub(crate) fn refuse(code: ReasonCode, message: impl Into<String>) -> Reply {
    let status = match code {
        ReasonCode::UnauthorizedAccess => 401,
        ReasonCode::InvalidAuthentication
        | ReasonCode::InvalidAccountStatus
        | ReasonCode::InvalidRequestSignature
        | ReasonCode::InvalidAuthorizationToken => 403,
        ReasonCode::ResourceNotFound => 404,
        ReasonCode::RequestNotSupported | ReasonCode::UnsupportedOperation => 405,
        ReasonCode::RequestTimeout => 408,
        ReasonCode::AmountMismatch => 409,
        ReasonCode::InvalidChargeStatus
        | ReasonCode::TransactionCountExceeded
        | ReasonCode::AmazonRejected
        | ReasonCode::InvalidChargePermissionStatus
        | ReasonCode::ChargePermissionNotModifiable
        | ReasonCode::SoftDeclined
        | ReasonCode::HardDeclined
        | ReasonCode::PaymentMethodNotAllowed
        | ReasonCode::MfaNotCompleted
        | ReasonCode::TransactionTimedOut
        | ReasonCode::InvalidCheckoutSessionStatus
        | ReasonCode::CheckoutSessionCanceled => 422,
        ReasonCode::TlsVersionNotSupported => 426,
        ReasonCode::TooManyRequests | ReasonCode::RequestThrottled => 429,
        ReasonCode::InternalServerError | ReasonCode::ProcessingFailure => 500,
        ReasonCode::ServiceUnavailable => 503,
        _ => 400,
    };
    Reply { status, body: ServiceError::new(code, message).to_json() }
}

/// Stops an operation with a refusal. One that says to try again is not remembered for its key, and
/// neither is one of a request that is wrong in itself: put right, it may use its key. No document says
/// which refusals are remembered.
pub(crate) fn stop(code: ReasonCode, message: impl Into<String>) -> Stop {
    let wrong_in_itself = matches!(
        code,
        ReasonCode::InvalidParameterValue
            | ReasonCode::InvalidParameterCombination
            | ReasonCode::InvalidSandboxSimulationSpecified
    );
    let reply = refuse(code, message);
    match reply.status {
        408 | 429 | 500.. => Stop::NotNow(reply),
        _ if wrong_in_itself => Stop::NotNow(reply),
        _ => Stop::Refused(reply),
    }
}

/// Stops an operation because of the value of a field.
pub(super) fn bad_value(field: &str, why: &str) -> Stop {
    let message = format!("The value provided for [{field}] is invalid: {why}.");
    stop(ReasonCode::InvalidParameterValue, message)
}

/// The answer to a request that cannot be read.
pub(super) fn unreadable(error: &DecodeError, request: &JsonRequest) -> Reply {
    let about_the_key = error.path() == "idempotencyKey";
    let code = match error.problem() {
        Problem::Missing if about_the_key && request.key.is_none() => ReasonCode::MissingHeader,
        Problem::Missing if about_the_key => ReasonCode::MissingHeaderValue,
        _ if about_the_key => ReasonCode::InvalidHeaderValue,
        Problem::Malformed(_) | Problem::TooLarge | Problem::TooDeep => {
            ReasonCode::InvalidRequestFormat
        }
        Problem::Missing => ReasonCode::MissingParameterValue,
        Problem::Unknown => ReasonCode::UnrecognizedField,
        _ => ReasonCode::InvalidParameterValue,
    };
    let path = if about_the_key { KEY_HEADER } else { error.path() };
    refuse(code, format!("The value provided for [{path}] is invalid: it {}.", error.problem()))
}

//! Amazon Pay under `/v2`: who signed it, which operation it is, and what is answered.
//!
//! Checks are made in this order: route, headers, key, signature, date, fields, idempotency key, and
//! then what the operation itself decides.

mod create_refund;
mod get_charge;
mod get_refund;

use std::sync::Arc;

use fps_model::amazon_pay::{
    AmazonPayApi, ApiVersion, CreateRefund, GetCharge, GetRefund, ReasonCode, Route,
};
use fps_model::{
    Answer, DecodeError, JsonRequest, Params, Problem, Serve, ServiceError, Timestamp,
};
use fps_sign::Error as SignatureError;
use fps_sign::amazon_pay::{self, SignedRequest};
use rusqlite::Connection;

use crate::books::Service;
use crate::clock::Millis;
use crate::error::Error;
use crate::idempotency::{Keyed, Reply, Stop, once};
use crate::merchants;
use crate::payments::Owner;
use crate::sandbox::Shared;

/// How far the date of a request may be off. Undocumented.
const DATE_WINDOW: Millis = 15 * 60 * 1_000;
const KEY_HEADER: &str = "x-amz-pay-idempotency-key";

/// A request as it arrived.
pub(crate) struct PayRequest {
    pub(crate) method: String,
    /// As it was sent and signed.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: PayRequest) -> Result<Reply, Error> {
    let place = split_path(&request.path).and_then(|(environment, path)| {
        Some((environment.to_owned(), path.to_owned(), Place::all_at(path)?))
    });
    let Some((environment, path, places)) = place else {
        return Ok(refuse(ReasonCode::ResourceNotFound, "There is nothing at this address."));
    };
    let Some(place) = places.into_iter().find(|place| place.method() == request.method) else {
        let message = "The method is not supported at this address.";
        return Ok(refuse(ReasonCode::RequestNotSupported, message));
    };
    let call = match authenticate(shared, &request, &environment, path).await? {
        Ok(call) => call,
        Err(reply) => return Ok(reply),
    };
    match place {
        Place::CreateRefund => call.perform(create_refund::perform).await,
        Place::GetCharge => call.perform(get_charge::perform).await,
        Place::GetRefund => call.perform(get_refund::perform).await,
    }
}

/// An operation that is answered, found by method and path.
#[derive(Clone, Copy)]
enum Place {
    CreateRefund,
    GetCharge,
    GetRefund,
}

impl Place {
    const ALL: [Self; 3] = [Self::CreateRefund, Self::GetCharge, Self::GetRefund];

    const fn route(self) -> (&'static str, &'static str) {
        match self {
            Self::CreateRefund => (CreateRefund::METHOD, CreateRefund::PATH),
            Self::GetCharge => (GetCharge::METHOD, GetCharge::PATH),
            Self::GetRefund => (GetRefund::METHOD, GetRefund::PATH),
        }
    }

    const fn method(self) -> &'static str {
        self.route().0
    }

    /// What is answered at a path, by any method.
    fn all_at(path: &str) -> Option<Vec<Self>> {
        let here = Self::ALL.into_iter().filter(|place| matches(place.route().1, path));
        let here: Vec<_> = here.collect();
        (!here.is_empty()).then_some(here)
    }
}

/// The environment that a path names, if it does, and what stands behind the version. The official
/// SDKs disagree about a slash at the end, so it is of no meaning.
pub(crate) fn split_path(path: &str) -> Option<(&str, &str)> {
    let (environment, rest) = ["sandbox", "live"]
        .into_iter()
        .find_map(|name| {
            let rest = path.strip_prefix('/')?.strip_prefix(name)?;
            rest.starts_with('/').then_some((name, rest))
        })
        .unwrap_or(("", path));
    let rest = rest.strip_prefix("/v2")?;
    rest.starts_with('/').then(|| (environment, rest.strip_suffix('/').unwrap_or(rest)))
}

/// Does a path fit a template with names in braces?
pub(crate) fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(expected, given)| {
            (expected.starts_with('{') && !given.is_empty()) || expected == given
        })
}

/// A request whose signature was checked; or the answer that says why not.
async fn authenticate(
    shared: &Arc<Shared>,
    request: &PayRequest,
    environment: &str,
    path: String,
) -> Result<Result<Call, Reply>, Error> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let Ok(query) = Params::parse(request.query.as_bytes()) else {
        return Ok(Err(refuse(ReasonCode::InvalidRequest, "The query cannot be read.")));
    };
    let query: Vec<(&str, &str)> = query.iter().collect();
    let received = amazon_pay::Request {
        method: &request.method,
        path: &request.path,
        query: &query,
        headers: &headers,
        body: &request.body,
    };
    let claim = match amazon_pay::Claim::read(received) {
        Ok(claim) => claim,
        Err(SignatureError::Missing(part)) => {
            let message = format!("The header [{part}] is missing.");
            return Ok(Err(refuse(ReasonCode::MissingHeader, message)));
        }
        Err(error) => {
            return Ok(Err(refuse(ReasonCode::InvalidHeaderValue, error.to_string())));
        }
    };
    let public_key_id = claim.public_key_id().to_owned();
    let sandbox_key = public_key_id.to_ascii_uppercase().starts_with("SANDBOX");
    if environment == "live" || !sandbox_key {
        let message = "The sandbox serves sandbox keys only.";
        return Ok(Err(refuse(ReasonCode::InvalidAuthentication, message)));
    }
    let found = shared
        .store
        .run(move |connection| merchants::by_public_key(connection, &public_key_id))
        .await?;
    let Some((merchant, key)) = found else {
        return Ok(Err(refuse(ReasonCode::InvalidAuthentication, "The key id is unknown.")));
    };
    let Ok(text) = claim.string_to_sign() else {
        let message = "A header of the SignedHeaders list is missing.";
        return Ok(Err(refuse(ReasonCode::MissingHeader, message)));
    };
    // The sentence is that of the service, as users have quoted it.
    let message = format!(
        "Unable to verify signature, signing String [{text}] , signature [{}]",
        claim.signature()
    );
    let Ok(proved) = claim.verify(&key) else {
        return Ok(Err(refuse(ReasonCode::InvalidRequestSignature, message)));
    };
    let proved = proved.get();
    let date = proved.header("x-amz-pay-date").and_then(Timestamp::parse);
    let recent = date.is_some_and(|date| shared.clock.distance(date.unix_millis()) <= DATE_WINDOW);
    if !recent {
        let message = "The value of x-amz-pay-date is not a time near to now.";
        return Ok(Err(refuse(ReasonCode::InvalidHeaderValue, message)));
    }
    Ok(Call::new(shared, merchant, proved, path))
}

/// A proved request on its way to its operation.
struct Call {
    shared: Arc<Shared>,
    merchant: i64,
    request: JsonRequest,
}

impl Context<'_> {
    /// Who asks, and so whose charges and refunds may be seen.
    pub(crate) const fn owner(&self) -> Owner {
        Owner { merchant: self.merchant, service: Service::AmazonPay }
    }
}

/// What an operation works with.
pub(crate) struct Context<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) merchant: i64,
    pub(crate) now: Millis,
    pub(crate) processing: Millis,
}

impl Call {
    /// Of what was sent, only what was signed counts: a key that anybody may change is none.
    fn new(
        shared: &Arc<Shared>,
        merchant: i64,
        proved: &SignedRequest<'_>,
        path: String,
    ) -> Result<Self, Reply> {
        let body = String::from_utf8(proved.body().to_vec())
            .map_err(|_| refuse(ReasonCode::InvalidRequestFormat, "The body is not UTF-8."))?;
        let mut request = JsonRequest::new(proved.method(), path);
        request.key = proved.header(KEY_HEADER).map(str::to_owned);
        request.body = Some(body).filter(|body| !body.is_empty());
        Ok(Self { shared: Arc::clone(shared), merchant, request })
    }

    async fn perform<O>(
        self,
        operation: fn(&Context<'_>, &O) -> Result<O::Response, Stop>,
    ) -> Result<Reply, Error>
    where
        O: Route + Serve<Service = AmazonPayApi> + 'static,
    {
        let Self { shared, merchant, request } = self;
        let message = match O::read(&request, ApiVersion::V2) {
            Ok(message) => message,
            Err(error) => return Ok(unreadable(&error, &request)),
        };
        let keyed = message.key().map(|key| Keyed {
            merchant,
            scope: O::ACTION,
            key: key.to_owned(),
            request: same_request(&request),
            window: None,
        });
        let (processing, now) = (shared.processing, shared.clock.now());
        let reply = shared
            .store
            .run(move |connection| {
                once(connection, keyed.as_ref(), now, duplicate, |connection| {
                    let context = Context { connection, merchant, now, processing };
                    let answer = Answer::new(operation(&context, &message)?, None);
                    let body = O::write_answer(&answer, ApiVersion::V2);
                    Ok(Reply { status: O::SUCCESS, body })
                })
            })
            .await?;
        shared.wake();
        Ok(reply)
    }
}

fn duplicate() -> Reply {
    let message = "The idempotency key was used for another request.";
    refuse(ReasonCode::DuplicateIdempotencyKey, message)
}

/// The body as JSON with its keys sorted: equal requests are equal texts, however they are written.
pub(crate) fn same_request(request: &JsonRequest) -> String {
    let body = request.body.as_deref().unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(body) {
        Ok(value) => value.to_string(),
        Err(_) => body.to_owned(),
    }
}

/// The answer to a request that cannot be read.
fn unreadable(error: &DecodeError, request: &JsonRequest) -> Reply {
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

/// A refusal with the status that belongs to its reason. Source: the error-handling page of the
/// Amazon Pay API v2 documentation and two transcriptions of its tables.
pub(crate) fn refuse(code: ReasonCode, message: impl Into<String>) -> Reply {
    let status = match code {
        ReasonCode::InvalidAuthentication | ReasonCode::InvalidRequestSignature => 403,
        ReasonCode::ResourceNotFound => 404,
        ReasonCode::RequestNotSupported => 405,
        ReasonCode::InvalidChargeStatus | ReasonCode::TransactionCountExceeded => 422,
        ReasonCode::InternalServerError => 500,
        _ => 400,
    };
    Reply { status, body: ServiceError::new(code, message).to_json() }
}

/// Stops an operation with a refusal.
pub(crate) fn stop(code: ReasonCode, message: impl Into<String>) -> Stop {
    Stop::Refused(refuse(code, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_sdks_write_them() {
        assert_eq!(split_path("/v2/refunds"), Some(("", "/refunds")));
        assert_eq!(split_path("/v2/refunds/"), Some(("", "/refunds")));
        assert_eq!(split_path("/sandbox/v2/refunds/R/"), Some(("sandbox", "/refunds/R")));
        assert_eq!(split_path("/live/v2/charges/C"), Some(("live", "/charges/C")));
        for path in ["", "/", "/v1/refunds", "/v2", "/v22/refunds", "/sandboxv2/refunds"] {
            assert_eq!(split_path(path), None, "{path}");
        }
        assert!(matches("/refunds/{refundId}", "/refunds/R"));
        assert!(!matches("/refunds/{refundId}", "/refunds/"));
        assert!(!matches("/refunds/{refundId}", "/refunds/R/x"));
    }
}

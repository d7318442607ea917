//! Amazon Pay under `/v2`: who signed it, which operation it is, and what is answered.
//!
//! Checks are made in this order: route, headers, key, signature, date, throttle, idempotency key,
//! fields, and then what the operation itself decides.
//!
//! Merchants have keys of the kind `SANDBOX-…` only, and so `/live/v2` is there and refuses every key.

mod buyers;
mod cancel_charge;
mod capture_charge;
mod charges;
mod checks;
mod complete_checkout_session;
mod create_charge;
mod create_refund;
mod get_charge;
mod get_refund;
mod given;
mod permissions;
mod refusals;
mod region;
mod sessions;

use std::sync::Arc;

use fps_model::amazon_pay::{
    AmazonPayApi, ApiVersion, CancelCharge, CaptureCharge as CaptureChargeRequest,
    CloseChargePermission, CompleteCheckoutSession, CreateCharge, CreateCheckoutSession,
    CreateRefund, GetCharge, GetChargePermission, GetCheckoutSession, GetRefund, ReasonCode, Route,
    UpdateChargePermission, UpdateCheckoutSession,
};
use fps_model::{Answer, DecodeError, IdempotencyKey, JsonRequest, Params, Serve, Timestamp};
use fps_sign::Error as SignatureError;
use fps_sign::amazon_pay::{self, SignedRequest};
use refund_rules::Money;
use rusqlite::Connection;

use crate::books::Service;
use crate::clock::Millis;
use crate::error::Error;
use crate::idempotency::{Keyed, Reply, Stop, once};
use crate::merchants;
use crate::payments::Owner;
use crate::sandbox::Shared;

pub use given::CaptureCharge;
pub(crate) use given::permission_for;
pub(crate) use refusals::refuse;
use refusals::unreadable;
pub use region::Region;

/// How far the date of a request may be off. Undocumented.
const DATE_WINDOW: Millis = 15 * 60 * 1_000;
const KEY_HEADER: &str = "x-amz-pay-idempotency-key";
const SIMULATION_HEADER: &str = "x-amz-pay-simulation-code";
/// The sandbox's own: `at-once` makes a simulated decline the answer, where it would come later.
const TIMING_HEADER: &str = "x-fps-sandbox-timing";

/// A request as it arrived.
pub(crate) struct PayRequest {
    pub(crate) method: String,
    /// As it was sent and signed.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl PayRequest {
    /// A header, signed or not.
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: PayRequest) -> Result<Reply, Error> {
    let place = split_path(&request.path);
    let Some((environment, path)) = place.filter(|(_, path)| Place::all_at(path).next().is_some())
    else {
        return Ok(refuse(ReasonCode::ResourceNotFound, "There is nothing at this address."));
    };
    let Some(place) = Place::all_at(path).find(|place| place.method == request.method) else {
        let message = "The method is not supported at this address.";
        return Ok(refuse(ReasonCode::RequestNotSupported, message));
    };
    match authenticate(shared, &request, environment, path.to_owned()).await? {
        Ok(call) => call.perform(place).await,
        Err(reply) => Ok(reply),
    }
}

/// An operation that is answered, by method and path, and how.
struct Place {
    method: &'static str,
    path: &'static str,
    action: &'static str,
    /// The simulation codes that it takes.
    simulates: &'static [&'static str],
    read: fn(&JsonRequest) -> Result<Box<dyn Prepared>, DecodeError>,
}

/// Every operation.
const PLACES: [Place; 13] = [
    Place::of::<CreateCharge>(),
    Place::of::<GetCharge>(),
    Place::of::<CaptureChargeRequest>(),
    Place::of::<CancelCharge>(),
    Place::of::<CreateRefund>(),
    Place::of::<GetRefund>(),
    Place::of::<GetChargePermission>(),
    Place::of::<UpdateChargePermission>(),
    Place::of::<CloseChargePermission>(),
    Place::of::<CreateCheckoutSession>(),
    Place::of::<GetCheckoutSession>(),
    Place::of::<UpdateCheckoutSession>(),
    Place::of::<CompleteCheckoutSession>(),
];

impl Place {
    const fn of<O: Perform + 'static>() -> Self {
        Self {
            method: O::METHOD,
            path: O::PATH,
            action: O::ACTION,
            simulates: O::SIMULATES,
            read: |request| {
                let message: Box<dyn Prepared> = Box::new(O::read(request, ApiVersion::V2)?);
                Ok(message)
            },
        }
    }

    /// What is answered at a path, by any method.
    fn all_at(path: &str) -> impl Iterator<Item = &'static Self> {
        PLACES.iter().filter(move |place| matches(place.path, path))
    }
}

/// What an operation does.
trait Perform: Route + Serve<Service = AmazonPayApi> {
    /// The codes of the simulation header that it takes.
    const SIMULATES: &'static [&'static str] = &[];

    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop>;

    /// The usual answer.
    fn reply(response: Self::Response) -> Reply {
        Self::reply_as(Self::SUCCESS, response)
    }

    fn reply_as(status: u16, response: Self::Response) -> Reply {
        let body = Self::write_answer(&Answer::new(response, None), ApiVersion::V2);
        Reply { status, body }
    }
}

/// A request that was read, whichever operation it asks for.
trait Prepared: Send {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop>;
}

impl<O: Perform> Prepared for O {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        Perform::perform(self, context)
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
    let region = request.header("x-amz-pay-region");
    if region.is_some_and(|region| Region::from_header(region).is_none()) {
        let message = "The value of x-amz-pay-region is no region.";
        return Ok(Err(refuse(ReasonCode::InvalidHeaderValue, message)));
    }
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
    let Some((merchant, key, active)) = found else {
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
    if !active {
        let message = "The merchant's account is suspended or closed.";
        return Ok(Err(refuse(ReasonCode::InvalidAccountStatus, message)));
    }
    let call = Call::new(shared, merchant, proved, path);
    Ok(call.map(|call| Call {
        simulated: request.header(SIMULATION_HEADER).map(str::to_owned),
        at_once: request.header(TIMING_HEADER) == Some("at-once"),
        ..call
    }))
}

/// A proved request on its way to its operation.
struct Call {
    shared: Arc<Shared>,
    merchant: i64,
    request: JsonRequest,
    /// These two need not be signed: the official SDK for PHP signs no header that it is given.
    simulated: Option<String>,
    at_once: bool,
}

/// What an operation works with.
struct Context<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    merchant: i64,
    now: Millis,
    /// What the request asks to simulate, of what its operation can.
    simulated: Option<&'a str>,
    /// Whether a simulated decline is to be the answer.
    at_once: bool,
}

impl Context<'_> {
    /// Who asks, and so whose charges and refunds may be seen.
    const fn owner(&self) -> Owner {
        Owner { merchant: self.merchant, service: Service::AmazonPay }
    }

    /// When what is under way from now on ends.
    const fn later(&self) -> Millis {
        self.now.saturating_add(self.shared.processing)
    }

    /// What Amazon takes of a charge.
    fn fee(&self, amount: Money) -> Result<Money, Error> {
        self.shared.fees.of(amount)
    }
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
        let shared = Arc::clone(shared);
        Ok(Self { shared, merchant, request, simulated: None, at_once: false })
    }

    async fn perform(self, place: &'static Place) -> Result<Reply, Error> {
        let Self { shared, merchant, .. } = &self;
        if !shared.throttle.take(*merchant, place.action, shared.clock.now()) {
            return Ok(refuse(ReasonCode::TooManyRequests, "The rate of requests is exceeded."));
        }
        let keyed = self.keyed(place);
        let message = (place.read)(&self.request);
        let message = message.map_err(|error| unreadable(&error, &self.request));
        let message = message.and_then(|message| match self.check_simulation(place) {
            Some(refusal) => Err(refusal),
            None => Ok(message),
        });
        let Self { shared, merchant, simulated, at_once, .. } = self;
        let (now, kept) = (shared.clock.now(), Arc::clone(&shared));
        let reply = shared
            .store
            .run(move |connection| {
                once(connection, keyed.as_ref(), now, duplicate, |connection| {
                    // What cannot be read is not remembered: put right, it may use its key.
                    let message = message.map_err(Stop::NotNow)?;
                    let (shared, simulated) = (&*kept, simulated.as_deref());
                    message.perform(&Context {
                        connection,
                        shared,
                        merchant,
                        now,
                        simulated,
                        at_once,
                    })
                })
            })
            .await?;
        shared.wake();
        Ok(reply)
    }

    /// The key of the request. It is honoured for POST only. Source: Amazon Pay API v2, idempotency. That
    /// keys of different operations do not meet is the sandbox's choice.
    fn keyed(&self, place: &Place) -> Option<Keyed> {
        let key = self.request.key.as_deref().filter(|_| place.method == "POST")?;
        let key = IdempotencyKey::new(key).ok()?;
        let body = same_request(&self.request);
        let about = place.path.contains('{').then_some(&self.request.path);
        Some(Keyed {
            merchant: self.merchant,
            scope: place.action,
            key: key.as_str().to_owned(),
            request: about.map(|path| format!("{path} {body}")).unwrap_or(body),
            window: None,
        })
    }

    fn check_simulation(&self, place: &Place) -> Option<Reply> {
        let code = self.simulated.as_deref()?;
        if place.simulates.contains(&code) {
            return None;
        }
        let message = format!("{} cannot simulate [{code}].", place.action);
        Some(refuse(ReasonCode::InvalidSandboxSimulationSpecified, message))
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

//! FPS Query: a GET or a form, proved to be its caller's. In which order the service checked is printed
//! nowhere; here it is form, version, key, signature, date, and then what the action is.

use std::sync::Arc;

use fps_model::flexible_payments::{Dialect, ErrorCode};
use fps_model::{Params, Timestamp};
use fps_sign::query::Claim;
use fps_sign::{Error as SignatureError, Target, Verified};

use super::dispatch::{Call, Form};
use super::{refuse, verify_signature};
use crate::clock::Millis;
use crate::error::Error;
use crate::idempotency::Reply;
use crate::merchants;
use crate::sandbox::Shared;

/// How far the date of a request may be off. The width is printed nowhere; this is what other
/// services of the time used.
pub(super) const TIMESTAMP_WINDOW: Millis = 15 * 60 * 1_000;

/// A Query request as it arrived.
pub(crate) struct QueryRequest {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    /// The query of a GET, the form of a POST.
    pub(crate) form: Vec<u8>,
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: QueryRequest) -> Result<Reply, Error> {
    let params = match Params::parse(&request.form) {
        Ok(params) => params,
        Err(error) => return Ok(refuse(ErrorCode::InvalidParams, error.to_string())),
    };
    let dialect = match dialect_of(&params) {
        Ok(dialect) => dialect,
        Err(message) => return Ok(refuse(ErrorCode::InvalidParams, message)),
    };
    if verify_signature::needs_no_proof(&params) {
        return Ok(verify_signature::answer(shared, &params, dialect, &Form::Query));
    }
    match authenticate(shared, &request, params).await? {
        Ok((merchant, params)) => {
            let shared = Arc::clone(shared);
            Call { shared, merchant, dialect, params, form: Form::Query }.dispatch().await
        }
        Err(reply) => Ok(reply),
    }
}

/// The revision that a request is written in. `Version` is among the common parameters that every
/// request must have, and no default of it is known: one without it is refused. `2011-09-20`, which one
/// client sends, is in no document, and refused as any other text is.
fn dialect_of(params: &Params) -> Result<Dialect, String> {
    let Some(version) = params.get("Version") else { return Err("version is missing".to_owned()) };
    Dialect::from_version(version).ok_or_else(|| {
        let known = Dialect::ALL.map(Dialect::version).join(", ");
        format!("version is not supported; the supported ones are {known}")
    })
}

/// Whose request it is, proved; or the answer that says why not.
async fn authenticate(
    shared: &Shared,
    request: &QueryRequest,
    params: Params,
) -> Result<Result<(i64, Verified<Params>), Reply>, Error> {
    let target = Target::new(&request.method, &request.host, &request.path);
    let is_first = params.get("SignatureVersion") == Some("1");
    let claim = match is_first && shared.legacy_v1 {
        true => Claim::read_forgeable_version_1(params),
        false => Claim::read(target, params),
    };
    let claim = match claim {
        Ok(claim) => claim,
        Err(SignatureError::Unsupported { .. }) if is_first => {
            // Amazon switched it off; its sentence is not known.
            let message = "Signature version 1 is no longer accepted: it can be forged. Sign with \
                           version 2, or start the sandbox with it allowed.";
            return Ok(Err(refuse(ErrorCode::InvalidSignature, message.to_owned())));
        }
        Err(error @ SignatureError::Unsupported { .. }) => {
            return Ok(Err(refuse(ErrorCode::InvalidSignature, error.to_string())));
        }
        Err(error) => return Ok(Err(refuse(ErrorCode::AuthFailure, error.to_string()))),
    };
    let access_key_id = claim.access_key_id().to_owned();
    let found = shared
        .store
        .run(move |connection| merchants::by_access_key(connection, &access_key_id))
        .await?;
    let Some((merchant, secret_key)) = found else {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        return Ok(Err(refuse(ErrorCode::InvalidClientTokenId, message.to_owned())));
    };
    let timestamp = claim.timestamp().to_owned();
    let Ok(params) = claim.verify(&secret_key) else {
        return Ok(Err(refuse(ErrorCode::SignatureDoesNotMatch, MISMATCH.to_owned())));
    };
    // The two sentences about the date are those that the service was recorded with.
    let Some(signed_at) = Timestamp::parse(&timestamp) else {
        let message = format!(
            "Value ({timestamp}) for parameter Timestamp is invalid. Must be in ISO8601 format."
        );
        return Ok(Err(refuse(ErrorCode::InvalidParameterValue, message)));
    };
    if shared.clock.distance(signed_at.unix_millis()) > TIMESTAMP_WINDOW {
        return Ok(Err(refuse(ErrorCode::RequestExpired, expired(&timestamp))));
    }
    Ok(Ok((merchant, params)))
}

/// What is said to a signature that is not over what arrived.
pub(super) const MISMATCH: &str = "The request signature we calculated does not match the signature \
                                   you provided. Check your AWS Secret Access Key and signing method.";

/// What is said to a date that is too far off. The sentence is that of the service in a recorded answer.
pub(super) fn expired(timestamp: &str) -> String {
    format!("Request has expired. Timestamp date is {timestamp}")
}

//! FPS over SOAP 1.1: an envelope signed with the certificate that is registered with the account. What
//! is acted on is read from the octets that the signature covers and from nothing else; the headers
//! beside them are only compared with it.

use std::sync::Arc;

use fps_model::flexible_payments::{Dialect, ErrorCode};
use fps_model::soap::{self, Addressing};
use fps_model::{Params, Timestamp};
use fps_sign::soap::{Claim, SignedEnvelope};
use fps_sign::{Error as SignatureError, Verified};

use super::dispatch::{Call, Form};
use super::query::{MISMATCH, TIMESTAMP_WINDOW, expired};
use super::refuse;
use crate::error::Error;
use crate::idempotency::Reply;
use crate::merchants;
use crate::sandbox::Shared;

/// A SOAP request as it arrived.
pub(crate) struct SoapRequest {
    /// The header `SOAPAction`.
    pub(crate) action: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: SoapRequest) -> Result<Reply, Error> {
    // Not proved: the answer says which message it answers, and that is all.
    let addressing = soap::addressing(&request.body).unwrap_or_default();
    let (merchant, envelope) = match authenticate(shared, &request.body).await? {
        Ok(proved) => proved,
        Err(reply) => return Ok(Form::Soap(addressing).refusal(reply)),
    };
    let params = match envelope.try_map(read) {
        Ok(params) => params,
        Err(error) => {
            let reply = refuse(ErrorCode::InvalidParams, error.to_string());
            return Ok(Form::Soap(addressing).refusal(reply));
        }
    };
    if let Err(message) = agrees(params.get(), &addressing, request.action.as_deref()) {
        let reply = refuse(ErrorCode::InvalidParams, message);
        return Ok(Form::Soap(addressing).refusal(reply));
    }
    let version = params.get().get("Version").unwrap_or_default();
    // The envelope was not read without one.
    let dialect = Dialect::from_version(version).unwrap_or_default();
    let (shared, form) = (Arc::clone(shared), Form::Soap(addressing));
    Call { shared, merchant, dialect, params, form }.dispatch().await
}

/// What is said when the sandbox itself failed.
pub(crate) fn internal_error(message: String) -> Reply {
    Form::Soap(Addressing::default()).refusal(refuse(ErrorCode::InternalError, message))
}

/// The parameters of the Body that was signed.
fn read(envelope: &SignedEnvelope) -> Result<Params, fps_model::DecodeError> {
    let (open, close) =
        ("<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\">", "</Envelope>");
    let envelope = format!("{open}{}{close}", envelope.body());
    soap::read_request(envelope.as_bytes()).map(|(_, params)| params)
}

/// Do the headers name the action of the body? The header of HTTP has the bare name, that of
/// addressing a `urn:` before it, and both may be left out. Source: WSDL 2008-09-17; seed 001.
fn agrees(params: &Params, addressing: &Addressing, header: Option<&str>) -> Result<(), String> {
    let action = params.get("Action").unwrap_or_default();
    let header = header.map(|text| text.trim().trim_matches('"')).filter(|text| !text.is_empty());
    for (name, named) in [("SOAPAction", header), ("wsa:Action", addressing.action.as_deref())] {
        let Some(named) = named else { continue };
        if named.trim().strip_prefix("urn:").unwrap_or(named.trim()) != action {
            return Err(format!("{name} is not the action of the body"));
        }
    }
    Ok(())
}

/// Whose request it is, with what is proved of it; or what is said instead.
async fn authenticate(
    shared: &Shared,
    body: &[u8],
) -> Result<Result<(i64, Verified<SignedEnvelope>), Reply>, Error> {
    let claim = match Claim::read(body) {
        Ok(claim) => claim,
        Err(error @ SignatureError::Unsupported { .. }) => {
            return Ok(Err(refuse(ErrorCode::InvalidSignature, error.to_string())));
        }
        Err(error) => return Ok(Err(refuse(ErrorCode::AuthFailure, error.to_string()))),
    };
    let certificate = claim.certificate().to_vec();
    let found = shared
        .store
        .run(move |connection| merchants::by_certificate(connection, &certificate))
        .await?;
    let Some((merchant, certificate)) = found else {
        // Source: InvalidClientTokenId among the common errors of AWS, here without the other half.
        let message = "The X.509 certificate provided does not exist in our records.";
        return Ok(Err(refuse(ErrorCode::InvalidClientTokenId, message.to_owned())));
    };
    let Ok(envelope) = claim.verify(&certificate) else {
        return Ok(Err(refuse(ErrorCode::SignatureDoesNotMatch, MISMATCH.to_owned())));
    };
    Ok(match in_time(shared, envelope.get()) {
        Ok(()) => Ok((merchant, envelope)),
        Err(reply) => Err(reply),
    })
}

/// Is the envelope neither of the future nor expired? One that names no end has 15 minutes. Source:
/// "SOAP with WS-Security" in the documents of other AWS of the time.
fn in_time(shared: &Shared, envelope: &SignedEnvelope) -> Result<(), Reply> {
    let millis = |text: &str| {
        let parsed = Timestamp::parse(text).map(|timestamp| timestamp.unix_millis());
        parsed.ok_or_else(|| {
            let message = format!(
                "Value ({text}) for parameter Timestamp is invalid. Must be in ISO8601 format."
            );
            refuse(ErrorCode::InvalidParameterValue, message)
        })
    };
    let created = millis(envelope.created())?;
    let expires = match envelope.expires() {
        Some(text) => millis(text)?,
        None => created.saturating_add(TIMESTAMP_WINDOW),
    };
    let now = shared.clock.nearer(created);
    if created > now.saturating_add(TIMESTAMP_WINDOW) || expires < now {
        return Err(refuse(ErrorCode::RequestExpired, expired(envelope.created())));
    }
    Ok(())
}

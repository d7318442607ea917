//! VerifySignature: whether the sandbox signed a notification or return URL. It needs no credentials,
//! and no database.

use fps_model::flexible_payments::{
    Action, Dialect, ErrorCode, VerificationStatus, VerifySignature, VerifySignatureResult,
};
use fps_model::{Operation, Params, Serve};
use fps_sign::outbound::Claim;
use fps_sign::{Target, parse_form};

use super::dispatch::{Form, answered, in_lower_case};
use super::refuse;
use crate::idempotency::Reply;
use crate::sandbox::Shared;

/// Without one of these the question is refused. Source: a recorded answer for certificateUrl.
const SIGNATURE: [&str; 4] = ["signature", "signatureVersion", "signatureMethod", "certificateUrl"];

/// Is it this action?
pub(super) fn is_meant(params: &Params) -> bool {
    params.get("Action") == Some(VerifySignature::ACTION)
}

/// Is it this action, from somebody who does not say who he is? Source: VerifySignature in the FPS
/// 2008-09-17 API reference; clients send it without any credentials.
pub(super) fn needs_no_proof(params: &Params) -> bool {
    is_meant(params)
        && !["AWSAccessKeyId", "Signature"].iter().any(|name| params.get(name).is_some())
}

/// Answers it, in the revisions that have it.
pub(super) fn answer(shared: &Shared, params: &Params, dialect: Dialect, form: &Form) -> Reply {
    if !VerifySignature::DIALECTS.contains(&dialect) {
        let version = dialect.version();
        let message = format!("action is not supported in version {version}");
        return form.refusal(refuse(ErrorCode::InvalidParams, message));
    }
    let reply = match VerifySignature::read(params, dialect) {
        Err(error) => refuse(ErrorCode::InvalidParams, in_lower_case(&error)),
        Ok(request) => match verify(shared, &request) {
            Ok(status) => answered::<VerifySignature>(VerifySignatureResult::new(status), dialect),
            Err(message) => refuse(ErrorCode::InvalidParams, message),
        },
    };
    form.answer::<VerifySignature>(reply, dialect)
}

fn verify(shared: &Shared, request: &VerifySignature) -> Result<VerificationStatus, String> {
    let Ok(params) = parse_form(request.http_parameters.expose()) else {
        return Ok(VerificationStatus::Failure);
    };
    let is_missing = |name: &&&str| !params.iter().any(|(given, _)| given == **name);
    if let Some(name) = SIGNATURE.iter().find(is_missing) {
        return Err(format!("{name} is missing in 'HttpParameters'."));
    }
    // The service is not told how it was sent: a notification is posted, a return URL is got.
    let signed = ["POST", "GET"].into_iter().any(|method| {
        let Some(target) = Target::from_url(method, &request.url_end_point) else { return false };
        let Ok(claim) = Claim::read(target, params.as_slice()) else { return false };
        claim.verify(&shared.notification_key.public_key()).is_ok()
    });
    Ok(if signed { VerificationStatus::Success } else { VerificationStatus::Failure })
}

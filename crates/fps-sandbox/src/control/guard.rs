//! Who may use the control API: whoever the door lets in, and with the token if there is one.
//!
//! The door has seen to it that the sandbox was asked under its own name, and not by the page of
//! somebody else in a browser. Besides, what changes something must be JSON here: no form can send
//! that, and no script may without asking first; and asking is never granted.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fps_sign::Secret;
use http::{HeaderMap, Method, StatusCode, header};
use sha2::{Digest, Sha256};

use super::Control;
use super::http::Problem;

/// What is asked of those who use the control API.
pub(crate) struct Access {
    token: Option<Secret>,
}

impl Access {
    /// With a token, it is needed always; without one, the sandbox listens on this machine only.
    pub(crate) fn new(token: Option<Secret>) -> Self {
        Self { token }
    }

    fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        if let Some(token) = &self.token
            && !is_bearer(headers, token.expose())
        {
            let error = "The control API of this sandbox needs its token.";
            let hint = "Send the header `authorization: Bearer` with the token that was configured or \
                        printed at the start.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, error, Some(hint)));
        }
        if matches!(*method, Method::POST | Method::PUT) && !is_json(headers) {
            let error = "The control API takes JSON only.";
            let hint = "Send the header `content-type: application/json`.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, Some(hint)));
        }
        Ok(())
    }
}

pub(super) async fn check(
    State(control): State<Control>,
    request: Request,
    next: Next,
) -> Response {
    match control.shared.access.check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Digests are compared, so that how long it takes tells nothing of the token.
fn is_bearer(headers: &HeaderMap, token: &str) -> bool {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else { return false };
    let given = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(token))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else { return false };
    let essence = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

//! The control API on the wire: how a request is read, and how an answer or a problem is written.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body as Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Control, guard, routes};
use crate::error::{Error, ErrorKind};
use crate::sandbox::Shared;

/// Where the control API is.
pub(super) const PREFIX: &str = "/_sandbox";
/// The largest body that is read, in bytes: a seed file may be long.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Is a request for the control API?
pub(crate) fn is_asked(parts: &http::request::Parts) -> bool {
    let rest = parts.uri.path().strip_prefix(PREFIX);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// All routes of the control API, behind their guard.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let control = Control::new(shared);
    let mut router = Router::new();
    for route in routes::all() {
        router = router.route(route.path, route.handler);
    }
    let router = router
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(control.clone(), guard::check))
        .with_state(control);
    Router::new().nest(PREFIX, router)
}

async fn nothing_here() -> Problem {
    let error = "There is nothing at this address of the control API.";
    Problem::new(
        StatusCode::NOT_FOUND,
        error,
        Some("GET /_sandbox/openapi.json lists what there is."),
    )
}

async fn not_so() -> Problem {
    let error = "This address of the control API does not take that method.";
    let hint = "GET /_sandbox/openapi.json lists what there is.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, error, Some(hint))
}

/// What a handler answers.
pub(super) type Answered<T> = Result<Told<T>, Problem>;

/// An answer as JSON.
pub(super) struct Told<T>(StatusCode, T);

/// What was asked for.
pub(super) const fn told<T>(value: T) -> Told<T> {
    Told(StatusCode::OK, value)
}

/// What was made.
pub(super) const fn made<T>(value: T) -> Told<T> {
    Told(StatusCode::CREATED, value)
}

impl<T: Serialize> IntoResponse for Told<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(body) => json(self.0, body),
            Err(error) => Problem::from(Error::with(ErrorKind::Serve, error)).into_response(),
        }
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Keys are told in some answers.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why something was not done.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: String,
    hint: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<String>,
        hint: Option<&'static str>,
    ) -> Self {
        Self { status, error: error.into(), hint }
    }

    pub(super) fn bad_query(reason: &str) -> Self {
        let error = format!("The query cannot be read: {reason}.");
        Self::new(StatusCode::BAD_REQUEST, error, None)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, hint) = match error.kind() {
            ErrorKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, None),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, None),
            ErrorKind::Unbalanced => {
                let hint = "The file was changed from outside, or the sandbox has a fault.";
                (StatusCode::CONFLICT, Some(hint))
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        // What the owner did is in the reason; what the sandbox did is in both.
        let reason = std::error::Error::source(&error).map(ToString::to_string);
        let text = match (status, reason) {
            (StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND, Some(reason)) => reason,
            (_, Some(reason)) => format!("{error}: {reason}"),
            (_, None) => error.to_string(),
        };
        Self::new(status, sentence(&text), hint)
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let text: String = first.chain(letters).collect();
    if text.ends_with('.') { text } else { format!("{text}.") }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = serde_json::json!({ "error": self.error });
        if let Some(hint) = self.hint {
            body["hint"] = hint.into();
        }
        json(self.status, body.to_string().into_bytes())
    }
}

/// The body of a request, as JSON without names that mean nothing; an empty one is `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let Ok(body) = to_bytes(request.into_body(), BODY_BYTES_MAX).await else {
            let error = "The body is longer than 16 MiB, or did not arrive whole.";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error, None));
        };
        let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(body).map(Self).map_err(|error| {
            let error = format!("The body cannot be read: {error}.");
            let hint = "The schemas are in GET /_sandbox/openapi.json.";
            Problem::new(StatusCode::BAD_REQUEST, error, Some(hint))
        })
    }
}

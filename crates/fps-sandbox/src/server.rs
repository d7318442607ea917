//! Which service a request is for, and how it answers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use bytes::Bytes;
use fps_model::amazon_pay::ReasonCode;
use fps_model::flexible_payments::{ErrorCode, ErrorDocument};
use fps_model::{ServiceError, soap};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::amazon_pay::{self, PayRequest};
use crate::books::Service;
use crate::cobranded::{self, COBRANDED_PATH, Shown, Visit};
use crate::control;
use crate::error::Error;
use crate::exchange::{Exchange, Wire};
use crate::flexible_payments::{self, QueryRequest, SoapRequest, WSDL_PATH};
use crate::idempotency::Reply;
use crate::ids;
use crate::notifications::SNS_CERTIFICATE_PATH;
use crate::sandbox::{CERTIFICATE_PATH, Shared};
use crate::simple_pay::{self, BUTTON_PATH, DECISION_PATH};

/// The door has read the body, and knows how large one may be.
const BODY_BYTES_MAX: usize = usize::MAX;

const XML: &str = "text/xml; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// A page runs nothing, loads nothing, and is shown in nobody's frame. (Where its form may lead is not
/// said: it leads to the merchant.)
const PAGE_HEADERS: [(&str, &str); 4] = [
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    // A browser that is to tell nobody gives the page's own form no origin either.
    ("referrer-policy", "same-origin"),
];

/// Everything the sandbox answers.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", any(flexible_payments))
        .route(WSDL_PATH, get(wsdl))
        .route(COBRANDED_PATH, get(cobranded).post(cobranded))
        .route(BUTTON_PATH, post(button))
        .route(DECISION_PATH, post(decision))
        .route(CERTIFICATE_PATH, get(certificate))
        .route(SNS_CERTIFICATE_PATH, get(certificate))
        .fallback(pay)
        .with_state(Arc::clone(&shared))
        .merge(control::router(shared))
}

async fn flexible_payments(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    if parts.method == Method::GET && is_wsdl(parts.uri.query().unwrap_or_default()) {
        return wsdl(State(shared)).await;
    }
    if parts.method == Method::POST && is_xml(&parts.headers) {
        let action = parts.headers.get("soapaction").and_then(|value| value.to_str().ok());
        let request = SoapRequest { action: action.map(str::to_owned), body: body.to_vec() };
        let reply = flexible_payments::answer_soap(&shared, request)
            .await
            .unwrap_or_else(|error| flexible_payments::soap_error(chain(&error)));
        return respond(reply, XML, None);
    }
    let form = match parts.method.as_str() {
        "GET" => parts.uri.query().unwrap_or_default().as_bytes().to_vec(),
        "POST" => body.to_vec(),
        _ => return plain(StatusCode::METHOD_NOT_ALLOWED),
    };
    let request = QueryRequest {
        method: parts.method.as_str().to_owned(),
        host: host.unwrap_or_default().to_owned(),
        path: parts.uri.path().to_owned(),
        form,
    };
    let reply = flexible_payments::answer(&shared, request).await.unwrap_or_else(|error| {
        let code = ErrorCode::InternalError;
        flexible_payments::refuse(code, chain(&error))
    });
    respond(reply, XML, None)
}

async fn pay(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let Ok(value) = value.to_str() else { return plain(StatusCode::BAD_REQUEST) };
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    let request = PayRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
    };
    let reply = amazon_pay::answer(&shared, request).await.unwrap_or_else(|error| {
        let code = ReasonCode::InternalServerError;
        amazon_pay::refuse(code, chain(&error))
    });
    respond(reply, JSON, Some(ids::request_id()))
}

/// What a service answers when it fails, because a fault was asked for. Gateways in front of a service
/// may answer in documents of their own; those are not known.
pub(crate) fn error(exchange: &Exchange, status: u16) -> http::Response<Bytes> {
    let busy = status == 503;
    let reply = match exchange.service {
        Service::AmazonPay => {
            let code = match busy {
                true => ReasonCode::ServiceUnavailable,
                false => ReasonCode::InternalServerError,
            };
            pay_refusal(status, code)
        }
        Service::FlexiblePayments => {
            let code = match busy {
                true => ErrorCode::ServiceUnavailable,
                false => ErrorCode::InternalError,
            };
            fps_refusal(exchange, status, code)
        }
    };
    into_bytes(reply, exchange.service)
}

/// What a service answers to one request too many. How FPS said so is not known: its clients take 503
/// for a reason to wait.
pub(crate) fn throttled(exchange: &Exchange) -> http::Response<Bytes> {
    let reply = match exchange.service {
        Service::AmazonPay => pay_refusal(429, ReasonCode::TooManyRequests),
        Service::FlexiblePayments => fps_refusal(exchange, 503, ErrorCode::ServiceUnavailable),
    };
    into_bytes(reply, exchange.service)
}

const FAULT: &str = "The sandbox was told to fail here.";

fn pay_refusal(status: u16, code: ReasonCode) -> Reply {
    Reply { status, body: ServiceError::new(code, FAULT).to_json() }
}

fn fps_refusal(exchange: &Exchange, status: u16, code: ErrorCode) -> Reply {
    let error = ServiceError::new(code, FAULT).with_request_id(ids::request_id());
    let fault = || {
        let fault = error.to_document(ErrorDocument::SoapFault);
        soap::wrap_answer(&fault, &soap::Addressing::default()).ok()
    };
    let body = if exchange.wire == Wire::Soap { fault() } else { None };
    Reply { status, body: body.unwrap_or_else(|| error.to_xml()) }
}

fn into_bytes(reply: Reply, service: Service) -> http::Response<Bytes> {
    match service {
        Service::AmazonPay => headed(reply, JSON, Some(ids::request_id())),
        Service::FlexiblePayments => headed(reply, XML, None),
    }
    .map(Bytes::from)
}

async fn cobranded(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match visit(request).await {
        Ok(visit) => page(cobranded::visit(&shared, visit).await),
        Err(status) => plain(status),
    }
}

async fn button(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match visit(request).await {
        Ok(visit) => page(simple_pay::button(&shared, visit).await),
        Err(status) => plain(status),
    }
}

async fn decision(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match visit(request).await {
        Ok(visit) => page(simple_pay::decide(&shared, visit).await),
        Err(status) => plain(status),
    }
}

async fn visit(request: Request) -> Result<Visit, StatusCode> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    Ok(Visit {
        host: host.unwrap_or_default().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        form: (parts.method == Method::POST).then(|| body.to_vec()),
    })
}

fn page(shown: Result<Shown, Error>) -> Response {
    let (status, html, location) = match shown {
        Ok(Shown::Page { status, html }) => (status, html, None),
        Ok(Shown::Redirect(url)) => (303, String::new(), HeaderValue::from_str(&url).ok()),
        Err(error) => (500, cobranded::wrong(&chain(&error)), None),
    };
    let mut response = respond(Reply { status, body: html.into_bytes() }, HTML, None);
    let headers = response.headers_mut();
    for (name, value) in PAGE_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(location) = location {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// `?wsdl`, as SOAP tools ask.
fn is_wsdl(query: &str) -> bool {
    query.eq_ignore_ascii_case("wsdl")
}

/// Is it an envelope, by the content type of SOAP 1.1?
fn is_xml(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("text/xml")
}

async fn wsdl(State(shared): State<Arc<Shared>>) -> Response {
    let body = flexible_payments::wsdl(&shared.url);
    respond(Reply { status: 200, body }, XML, None)
}

async fn certificate(State(shared): State<Arc<Shared>>) -> Response {
    shared.exchanges.audit.certificate_was_fetched();
    let body = shared.certificate_pem.clone().into_bytes();
    respond(Reply { status: 200, body }, "application/x-pem-file", None)
}

/// Why the sandbox failed, for the developer who runs it: the answer is the only place to say so.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn respond(reply: Reply, content_type: &'static str, request_id: Option<String>) -> Response {
    headed(reply, content_type, request_id).map(Body::from)
}

fn headed(
    reply: Reply,
    content_type: &'static str,
    request_id: Option<String>,
) -> http::Response<Vec<u8>> {
    let mut response = http::Response::new(reply.body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        headers.insert(HeaderName::from_static("x-amz-pay-request-id"), id);
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

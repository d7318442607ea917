//! What a page in the developer's browser, or a neighbour in the network, may try.

use bytes::Bytes;
use fps_sandbox::MerchantSpec;
use serde_json::json;

use super::{Client, usd_of};
use crate::world::{LONG, World};

/// Everything that would show a change.
async fn state(world: &World, authorization: Option<&str>) -> Vec<String> {
    let mut seen = Vec::new();
    for path in ["merchants", "payments", "tokens", "instruments", "outcomes/next"] {
        let mut request = http::Request::get(format!("{}/_sandbox/{path}", world.sandbox.url()));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let (status, body) = world.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(status, 200, "{body}");
        seen.push(body);
    }
    seen
}

/// Changes that a stranger would like, and as what their bodies may be sent by a form.
fn wishes() -> Vec<(&'static str, &'static str, String)> {
    vec![
        ("POST", "merchants", json!({"name": "Mallory"}).to_string()),
        ("POST", "payments", json!({"service": "amazon-pay", "amount": usd_of("1")}).to_string()),
        ("POST", "reset", "{}".to_owned()),
        ("PUT", "outcomes/next", json!({"count": 3}).to_string()),
        ("DELETE", "outcomes/next", String::new()),
    ]
}

#[tokio::test]
async fn hostile_requests_change_nothing() {
    const JSON: (&str, &str) = ("content-type", "application/json");
    let world = World::start().await;
    world.charge("10", "0").await;
    world.make("PUT", "outcomes/next", json!({"count": 7})).await;
    let before = state(&world, None).await;
    let disguises: [&[(&str, &str)]; 10] = [
        &[JSON, ("origin", "https://evil.example")],
        &[JSON, ("origin", "null")],
        &[JSON, ("origin", "https://localhost:1")],
        &[JSON, ("origin", "https://localhost.evil.example")],
        &[JSON, ("sec-fetch-site", "cross-site")],
        &[JSON, ("sec-fetch-site", "same-site")],
        &[JSON, ("host", "evil.example")],
        &[JSON, ("host", "localhost.evil.example")],
        &[JSON, ("host", "127.0.0.1.evil.example:443")],
        &[JSON, ("host", "192.168.1.4")],
    ];
    let forms: [&[(&str, &str)]; 6] = [
        &[],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "text/plain; application/json")],
        &[("content-type", "application/json-patch")],
    ];
    let mut tried = 0;
    for (method, path, body) in wishes() {
        // What has no body is no form, and a page may not send it unasked.
        let disguises = disguises.iter().chain(forms.iter().filter(|_| method != "DELETE"));
        for headers in disguises {
            let mut request = http::Request::builder()
                .method(method)
                .uri(format!("{}/_sandbox/{path}", world.sandbox.url()));
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let (status, answer) =
                world.send(request.body(Bytes::from(body.clone())).unwrap()).await;
            assert!(
                matches!(status, 403 | 415 | 421),
                "{method} {path} {headers:?}: {status} {answer}"
            );
            tried += 1;
        }
    }
    assert!(tried >= 30);
    // No page is ever told that it may ask.
    let request = http::Request::builder()
        .method("OPTIONS")
        .uri(format!("{}/_sandbox/reset", world.sandbox.url()))
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "PUT")
        .body(Bytes::new())
        .unwrap();
    let answer = world.transport_call(request).await;
    assert!(!answer.status().is_success());
    let cors = answer.headers().keys().any(|name| name.as_str().starts_with("access-control"));
    assert!(!cors);
    assert_eq!(state(&world, None).await, before);
}

#[tokio::test]
async fn a_token_is_asked_for_wherever_one_is_configured() {
    let world = World::configured(MerchantSpec::new("Guarded"), |config| {
        config.processing(LONG).control_token(fps_sign::Secret::new("sesame"))
    })
    .await;
    let before = state(&world, Some("Bearer sesame")).await;
    for authorization in
        [None, Some("Bearer "), Some("Bearer sesam"), Some("sesame"), Some("Basic sesame")]
    {
        for (method, path, body) in wishes() {
            let mut request = http::Request::builder()
                .method(method)
                .uri(format!("{}/_sandbox/{path}", world.sandbox.url()))
                .header("content-type", "application/json");
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let (status, answer) = world.send(request.body(Bytes::from(body)).unwrap()).await;
            assert_eq!(status, 401, "{authorization:?} {method} {path}: {answer}");
            assert!(!answer.contains("sesame"));
        }
    }
    assert_eq!(state(&world, Some("Bearer sesame")).await, before);
}

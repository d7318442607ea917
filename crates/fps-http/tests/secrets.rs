//! Nothing that is printed holds a secret: not a configuration, not a request, not an error with all
//! that led to it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::error::Error as StdError;
use std::fmt::Debug;

use std::time::Duration;

use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_http::{
    AmazonPayConfig, Client, Error, FlexiblePaymentsConfig, Region, Settings, TransportErrorKind,
    Trust, Wire,
};
use fps_model::amazon_pay::CreateRefund;
use fps_model::flexible_payments::Refund;
use fps_model::{CallerReference, IdempotencyKey, Operation, Timestamp};
use fps_sign::query::Credentials;
use fps_sign::{PrivateKey, Secret};
use refund_rules::{Currency, Money};

const KEY: &str = include_str!("../../fps-sign/tests/keys/rsa-2048.pkcs8.pem");
const SECRET: &str = "canary-secret-key";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T09:24:08Z").unwrap()
}

fn pay_config() -> AmazonPayConfig {
    let key = PrivateKey::from_pem(KEY).unwrap();
    AmazonPayConfig::new("SANDBOX-KEY", key, Region::Europe).unwrap()
}

fn fps_config() -> FlexiblePaymentsConfig {
    let credentials = Credentials::new("AKEXAMPLE", Secret::new(SECRET));
    FlexiblePaymentsConfig::new("https://localhost:8443/", credentials).unwrap()
}

fn create_refund() -> CreateRefund {
    let amount = Money::parse("14.00", Currency::EUR).unwrap();
    CreateRefund::new(IdempotencyKey::new("key-1").unwrap(), "C", amount)
}

fn refund() -> Refund {
    Refund::new(CallerReference::new("reference-1").unwrap(), "T")
}

/// Both ways in which programs print what they hold.
fn printed(thing: &impl Debug) -> String {
    format!("{thing:?}\n{thing:#?}\n")
}

fn printed_chain(error: &Error) -> String {
    let mut text = printed(error);
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        text += &format!("{error}\n{error:?}\n");
        cause = error.source();
    }
    text
}

/// The secret key, a line of the private key, and the head of a signature that is not to be logged.
fn assert_silent(text: &str) {
    let pem: Vec<_> = KEY.lines().filter(|line| line.len() > 40).collect();
    assert!(pem.len() > 20);
    for secret in [SECRET, "Signature=", "PRIVATE KEY"].iter().chain(&pem) {
        assert!(!text.contains(secret), "`{secret}` is in {text}");
    }
}

#[test]
fn no_configuration_prints_its_key() {
    assert_silent(&printed(&pay_config()));
    assert_silent(&printed(&fps_config()));
    let clock = ManualClock::new(now());
    let nowhere = ScriptedTransport::default();
    let settings = Settings::default();
    let client =
        Client::with_transport(pay_config(), settings.clone(), nowhere.clone(), clock.clone());
    assert_silent(&printed(&client));
    assert_silent(&printed(&Client::with_transport(fps_config(), settings, nowhere, clock)));
}

#[test]
fn settings_print_no_authority_because_its_key_may_stand_beside_it() {
    for trust in [Trust::Only(KEY.to_owned()), Trust::SystemAnd(KEY.to_owned())] {
        assert_silent(&printed(&Settings::default().with_trust(trust)));
    }
}

#[tokio::test]
async fn a_request_to_amazon_pay_prints_neither_signature_nor_key() {
    let config = pay_config();
    let encoded = create_refund().encode(config.version()).unwrap();
    let request = config.prepare(&encoded, now(), Duration::from_secs(1)).await.unwrap();
    assert!(!printed(&request).contains(encoded.key.as_deref().unwrap()));
    assert!(request.headers()["authorization"].to_str().unwrap().contains("Signature="));
    assert_silent(&printed(&request));
}

#[tokio::test]
async fn no_error_prints_a_key_or_a_buyer() {
    use TransportErrorKind as T;
    let buyer = "canary-buyer";
    // A service that puts a buyer where something else belongs. Names of fields are no secret: they
    // say where it is.
    let bodies = [
        format!(r#"{{"refundId":"R","statusDetails":"{buyer}"}}"#),
        format!(r#"{{"refundId":"R","refundAmount":{{"amount":"{buyer}","currencyCode":"EUR"}}}}"#),
        format!(r#"{{"creationTimestamp":"{buyer}"}}"#),
        format!(r#"{{"reasonCode":["{buyer}"]}}"#),
        format!("<RefundResponse>{buyer}<RefundResult>"),
        format!("<RefundResponse><RefundResult><TransactionId><x>{buyer}</x></TransactionId>"),
        format!("<html>{buyer}"),
        buyer.to_owned(),
    ];
    let mut steps = [T::Connect, T::Timeout, T::Interrupted, T::TooLarge].map(Step::Fail).to_vec();
    for status in [200, 400, 403, 503] {
        steps.extend(bodies.iter().map(|body| Step::Answer(status, body.clone())));
    }
    for step in steps {
        let clock = ManualClock::new(now());
        let script = ScriptedTransport::new(vec![step.clone(); 4]);
        let settings = Settings::default();
        let client = Client::with_transport(pay_config(), settings.clone(), script, clock.clone());
        let text = printed_chain(&client.send(&create_refund()).await.unwrap_err());
        assert_silent(&text);
        assert!(!text.contains(buyer), "Amazon Pay: {step:?}: {text}");

        let script = ScriptedTransport::new(vec![step.clone(); 4]);
        let client = Client::with_transport(fps_config(), settings, script, clock);
        let text = printed_chain(&client.send(&refund()).await.unwrap_err());
        assert_silent(&text);
        assert!(!text.contains(buyer), "FPS: {step:?}: {text}");
    }
}

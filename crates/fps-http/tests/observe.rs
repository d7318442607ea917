//! What a client tells about its calls: spans and fields for `tracing`, events for a hook, and the beginning
//! of an answer that nobody can read.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod capture;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture::Capture;
use fps_http::observe::{Event, WaitReason};
use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_http::{
    AmazonPayConfig, Client, Error, ErrorKind, Observer, Phase, Region, Settings,
    TransportErrorKind,
};
use fps_model::amazon_pay::CreateRefund;
use fps_model::{IdempotencyKey, Timestamp};
use fps_sign::{RequestSigner, SignError};
use refund_rules::{Currency, Money};

const CREATED: &str = r#"{"refundId":"S01-5105180-3221187-R022311","chargeId":"S01-5105180-3221187-C056351",
    "refundAmount":{"amount":"14.00","currencyCode":"USD"},"creationTimestamp":"20190714T155300Z",
    "softDescriptor":"canary-desc","statusDetails":{"state":"RefundInitiated"}}"#;

/// What is interesting to `tracing` is remembered for the whole process, so tests with and without a
/// collector must not run at once.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct QuickSigner;

impl RequestSigner for QuickSigner {
    fn sign_pss_sha256(&self, _: &[u8], _: usize) -> Result<Vec<u8>, SignError> {
        Ok(b"canary-signature".to_vec())
    }
}

/// Keeps what it is told, in words.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::Attempt(it) => format!(
                "{} try {}: {:?} {:?} {:?}",
                it.operation, it.number, it.phase, it.status, it.failure
            ),
            Event::Wait(it) => {
                assert_eq!(it.reason, WaitReason::Backoff);
                format!("{} waits for try {}", it.operation, it.number)
            }
            Event::Call(it) => format!(
                "{} ended after {}: {:?}",
                it.operation,
                it.attempts,
                it.error.map(Error::kind)
            ),
            _ => "something newer".to_owned(),
        };
        self.0.lock().unwrap().push(line);
    }
}

fn client(steps: impl IntoIterator<Item = Step>, told: &Told) -> Client<AmazonPayConfig> {
    let config = AmazonPayConfig::new("SANDBOX-KEY", QuickSigner, Region::NorthAmerica).unwrap();
    let settings = Settings::default().without_pacing().with_observer(told.clone());
    let clock = ManualClock::new(Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap());
    Client::with_transport(config, settings, ScriptedTransport::new(steps), clock)
}

fn refund() -> CreateRefund {
    let key = IdempotencyKey::new("canary-key").unwrap();
    CreateRefund::new(key, "S01-5105180-3221187-C056351", Money::from_minor(1400, Currency::USD))
        .soft_descriptor("canary-desc")
}

#[tokio::test]
async fn every_try_wait_and_end_is_told_and_nothing_of_what_was_sent() {
    let _alone = ALONE.lock().await;
    let capture = Capture::everything();
    let told = Told::default();
    let steps = [
        Step::Fail(TransportErrorKind::Timeout),
        Step::Answer(503, String::new()),
        Step::Answer(201, CREATED.to_owned()),
    ];
    client(steps, &told).send(&refund()).await.unwrap();
    let failed =
        client([Step::Answer(422, r#"{"reasonCode":"InvalidChargeStatus"}"#.into())], &told);
    failed.send(&refund()).await.unwrap_err();
    assert_eq!(
        *told.0.lock().unwrap(),
        [
            "CreateRefund try 1: MaybeSent None Some(Timeout)",
            "CreateRefund waits for try 2",
            "CreateRefund try 2: Answered Some(503) Some(Fault)",
            "CreateRefund waits for try 3",
            "CreateRefund try 3: Answered Some(201) None",
            "CreateRefund ended after 3: None",
            "CreateRefund try 1: Answered Some(422) Some(Refused)",
            "CreateRefund ended after 1: Some(Refused)",
        ]
    );
    let text = capture.text();
    for field in [
        "operation=CreateRefund",
        "attempt=2",
        "phase=MaybeSent",
        "status=503",
        "error=Timeout",
        "attempts=3",
        "unknown=false",
        "latency_ms=",
        "elapsed_ms=",
    ] {
        assert!(text.contains(field), "{field} is not in:\n{text}");
    }
    for secret in ["canary", "Y2FuYXJ5", "14.00", "R022311"] {
        assert!(!text.contains(secret), "{secret} is in:\n{text}");
    }
}

#[tokio::test]
async fn the_beginning_of_a_page_is_kept_without_what_may_be_secret() {
    let page = format!(
        "<html><h1>502 Bad Gateway</h1> for buyer@example.com, signature {}</html>",
        "QUJDREVG".repeat(40)
    );
    let _alone = ALONE.lock().await;
    let told = Told::default();
    let error = client([Step::Answer(404, page)], &told).send(&refund()).await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Refused, Phase::Answered));
    let excerpt = error.excerpt().unwrap();
    let expected = "<html><h1>502 Bad Gateway</h1> for […], signature […]";
    assert!(excerpt.as_str().starts_with(expected), "{}", excerpt.as_str());
    for printed in [format!("{error}"), format!("{error:?}")] {
        assert!(!printed.contains("Gateway"), "{printed}");
    }
    // What can be read is in the refusal, and not kept twice.
    let refusal = Step::Answer(422, r#"{"reasonCode":"InvalidChargeStatus"}"#.into());
    let error = client([refusal], &told).send(&refund()).await.unwrap_err();
    assert!(error.excerpt().is_none());
}

#[test]
fn a_setting_of_nothing_is_named_when_the_client_is_built() {
    let build = |settings: Settings| {
        let config = AmazonPayConfig::new("SANDBOX-KEY", QuickSigner, Region::Japan).unwrap();
        Client::new(config, &settings).err().map(|error| error.to_string())
    };
    let second = Duration::from_secs(1);
    let zero = Duration::ZERO;
    let with = |connect, attempt, call| Settings::default().with_timeouts(connect, attempt, call);
    for (settings, name) in [
        (with(zero, second, second), "connect_timeout"),
        (with(second, zero, second), "attempt_timeout"),
        (with(second, second, zero), "retry.call_timeout"),
    ] {
        let said = build(settings);
        assert_eq!(said, Some(format!("{name} is zero, so nothing could be sent")));
    }
}

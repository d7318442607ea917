//! What a client sends and what it says afterwards, over a scripted transport.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::error::Error as _;
use std::time::Duration;

use fps_http::testing::{ManualClock, ScriptedTransport, Sent, Step};
use fps_http::{
    AmazonPayConfig, Client, ConfigError, Environment, Error, ErrorKind, FlexiblePaymentsConfig,
    Phase, Region, ServiceRefusal, Settings, TransportErrorKind, Trust,
};
use fps_model::amazon_pay::{CreateRefund, GetRefund, ReasonCode};
use fps_model::flexible_payments::{ErrorCode, Refund, TransactionStatus};
use fps_model::{CallerReference, IdempotencyKey, Params, Timestamp};
use fps_sign::query::{Claim, Credentials};
use fps_sign::{RequestSigner, Secret, SignError, Target};
use refund_rules::{Currency, Money};

/// Signs with the length of the message: enough to see that every try is signed anew.
struct LengthSigner;

impl RequestSigner for LengthSigner {
    fn sign_pss_sha256(&self, message: &[u8], salt_len: usize) -> Result<Vec<u8>, SignError> {
        Ok(format!("{} {salt_len}", message.len()).into_bytes())
    }
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap())
}

fn pay(script: &ScriptedTransport, clock: &ManualClock) -> Client<AmazonPayConfig> {
    let config = AmazonPayConfig::new("SANDBOX-KEY", LengthSigner, Region::Europe).unwrap();
    Client::with_transport(
        config,
        Settings::default().without_pacing(),
        script.clone(),
        clock.clone(),
    )
}

fn fps(script: &ScriptedTransport) -> Client<FlexiblePaymentsConfig> {
    let credentials = Credentials::new("AKEXAMPLE", Secret::new("canary-secret"));
    let config = FlexiblePaymentsConfig::new("https://localhost:8443/", credentials).unwrap();
    Client::with_transport(config, Settings::default().without_pacing(), script.clone(), clock())
}

fn create_refund() -> CreateRefund {
    let amount = Money::parse("14.00", Currency::EUR).unwrap();
    CreateRefund::new(IdempotencyKey::new("key-1").unwrap(), "S01-5105180-3221187-C056351", amount)
}

fn refund() -> Refund {
    Refund::new(
        CallerReference::new("CallerReference03").unwrap(),
        "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD",
    )
}

const CREATED: &str = r#"{"refundId":"S01-5105180-3221187-R022311",
    "chargeId":"S01-5105180-3221187-C056351","refundAmount":{"amount":"14.00","currencyCode":"EUR"},
    "creationTimestamp":"20261121T092408Z","statusDetails":{"state":"RefundInitiated"}}"#;

const PENDING: &str = "<RefundResponse><RefundResult><TransactionId>T</TransactionId>\
    <TransactionStatus>Pending</TransactionStatus></RefundResult><ResponseMetadata>\
    <RequestId>r:0</RequestId></ResponseMetadata></RefundResponse>";

fn answer(status: u16, body: &str) -> Step {
    Step::Answer(status, body.to_owned())
}

#[tokio::test]
async fn every_try_has_the_same_key_and_body_and_a_fresh_date() {
    let script = ScriptedTransport::new([
        Step::Fail(TransportErrorKind::Timeout),
        answer(503, ""),
        Step::RetryAfter(429, 7),
        answer(201, CREATED),
    ]);
    let clock = clock();
    let answer = pay(&script, &clock).send(&create_refund()).await.unwrap();
    assert_eq!(answer.result.refund_id.as_str(), "S01-5105180-3221187-R022311");

    let sent = script.sent();
    assert_eq!(sent.len(), 4);
    for request in &sent {
        assert_eq!(request.line, "POST https://pay-api.amazon.eu/v2/refunds");
        assert_eq!(request.header("x-amz-pay-idempotency-key"), Some("key-1"));
        assert_eq!(request.header("x-amz-pay-host"), Some("pay-api.amazon.eu"));
        assert_eq!(request.header("x-amz-pay-region"), Some("eu"));
        assert_eq!(request.body, sent[0].body);
        let authorization = request.header("authorization").unwrap();
        assert!(
            authorization.starts_with(
                "AMZN-PAY-RSASSA-PSS-V2 PublicKeyId=SANDBOX-KEY, SignedHeaders=accept;\
                 content-type;x-amz-pay-date;x-amz-pay-host;x-amz-pay-idempotency-key;\
                 x-amz-pay-region, Signature="
            ),
            "{authorization}"
        );
    }
    let dates: Vec<_> = sent.iter().map(|request| request.header("x-amz-pay-date")).collect();
    assert_eq!(dates[0], Some("20261121T092408Z"));
    assert_ne!(dates[3], dates[0], "the last try is signed with its own date");
    assert_eq!(clock.sleeps().len(), 3);
    assert_eq!(clock.sleeps()[2], Duration::from_secs(7));
}

#[tokio::test]
async fn an_fps_request_is_a_signed_form() {
    let script = ScriptedTransport::new([answer(200, PENDING)]);
    let answer = fps(&script).send(&refund()).await.unwrap();
    assert_eq!(answer.result.transaction_status, TransactionStatus::Pending);
    assert_eq!(answer.request_id.as_deref(), Some("r:0"));
    let sent: &Sent = &script.sent()[0];
    assert_eq!(sent.line, "POST https://localhost:8443/");
    let params = Params::parse(sent.body.as_bytes()).unwrap();
    assert_eq!(params.get("Timestamp"), Some("2026-11-21T09:24:08.123Z"));
    let claim = Claim::read(Target::new("POST", "localhost:8443", "/"), params).unwrap();
    claim.verify(&Secret::new("canary-secret")).unwrap();
}

async fn pay_error(steps: impl IntoIterator<Item = Step>) -> Error {
    let script = ScriptedTransport::new(steps);
    pay(&script, &clock()).send(&create_refund()).await.unwrap_err()
}

#[tokio::test]
async fn an_error_says_first_what_it_means_for_money() {
    use TransportErrorKind as T;
    let body = r#"{"reasonCode":"TransactionAmountExceeded","message":"too much"}"#;
    let rejected = r#"{"reasonCode":"InvalidRequestSignature","message":"no"}"#;
    // Script, kind, phase, is it unknown, attempts.
    let rows = [
        (vec![], ErrorKind::Connect, Phase::NotSent, false, 4),
        (vec![Step::Fail(T::Timeout); 4], ErrorKind::Timeout, Phase::MaybeSent, true, 4),
        (vec![Step::Fail(T::Interrupted); 4], ErrorKind::Interrupted, Phase::MaybeSent, true, 4),
        (vec![Step::Fail(T::TooLarge)], ErrorKind::TooLarge, Phase::Answered, true, 1),
        // One lost answer is enough: the later refused connections prove nothing.
        (vec![Step::Fail(T::Timeout)], ErrorKind::Connect, Phase::MaybeSent, true, 4),
        (vec![answer(500, ""); 4], ErrorKind::Fault, Phase::Answered, true, 4),
        (vec![answer(408, ""); 4], ErrorKind::Fault, Phase::Answered, true, 4),
        (vec![answer(429, ""); 4], ErrorKind::Throttled, Phase::Answered, false, 4),
        (vec![answer(400, body)], ErrorKind::Refused, Phase::Answered, false, 1),
        (vec![answer(422, "")], ErrorKind::Refused, Phase::Answered, false, 1),
        (vec![answer(403, rejected)], ErrorKind::Unauthorized, Phase::Answered, false, 1),
        (vec![answer(201, "<html>")], ErrorKind::Decode, Phase::Answered, true, 1),
        (vec![answer(302, "")], ErrorKind::Decode, Phase::Answered, true, 1),
    ];
    for (steps, kind, phase, unknown, attempts) in rows {
        let shown = format!("{steps:?}");
        let error = pay_error(steps).await;
        assert_eq!(error.kind(), kind, "{shown}");
        assert_eq!(error.phase(), phase, "{shown}");
        assert_eq!(error.is_unknown(), unknown, "{shown}");
        assert_eq!(error.attempts(), attempts, "{shown}");
        assert_eq!(error.to_string().contains("unknown"), unknown, "{error}");
    }
}

#[tokio::test]
async fn a_throttle_after_a_lost_answer_is_still_unknown() {
    let mut steps = vec![Step::Fail(TransportErrorKind::Interrupted)];
    steps.extend(vec![answer(429, ""); 3]);
    let error = pay_error(steps).await;
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Throttled, 4));
    assert!(error.is_unknown(), "the first try may have been carried out");
}

#[tokio::test]
async fn no_refusal_ends_the_doubt_about_a_lost_answer() {
    let lost = Step::Fail(TransportErrorKind::Interrupted);
    for (status, body) in [
        // The first try may have been carried out, and be why no more is left.
        (400, r#"{"reasonCode":"TransactionAmountExceeded","message":"too much"}"#),
        (400, r#"{"reasonCode":"DuplicateIdempotencyKey","message":"used"}"#),
        (403, r#"{"reasonCode":"InvalidRequestSignature","message":"no"}"#),
        // A page of some proxy in between.
        (404, "<html>"),
    ] {
        let error = pay_error([lost.clone(), answer(status, body)]).await;
        assert!(error.is_unknown(), "{body}");
        assert!(!pay_error([answer(status, body)]).await.is_unknown(), "{body} alone is a no");
    }
}

#[tokio::test]
async fn refusals_are_typed_and_quote_the_service() {
    let body = r#"{"reasonCode":"TransactionAmountExceeded","message":"too much"}"#;
    let error = pay_error([answer(400, body)]).await;
    let Some(ServiceRefusal::AmazonPay(refusal)) = error.refusal() else {
        panic!("{error:?}");
    };
    assert_eq!(refusal.code, ReasonCode::TransactionAmountExceeded);
    assert_eq!(refusal.message, "too much");
    assert_eq!(error.to_string(), "the service refused: TransactionAmountExceeded (HTTP 400)");

    let body = "<Response><Errors><Error><Code>RefundAmountExceeded</Code><Message>m</Message>\
        </Error></Errors><RequestID>id</RequestID></Response>";
    let script = ScriptedTransport::new([answer(400, body)]);
    let error = fps(&script).send(&refund()).await.unwrap_err();
    let Some(ServiceRefusal::FlexiblePayments(refusal)) = error.refusal() else {
        panic!("{error:?}");
    };
    assert_eq!(refusal.code, ErrorCode::RefundAmountExceeded);
    assert_eq!(error.request_id(), Some("id"));
}

#[tokio::test]
async fn a_request_beyond_a_limit_never_leaves() {
    let script = ScriptedTransport::new([]);
    let error = fps(&script).send(&refund().caller_description("x".repeat(161))).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.phase(), error.attempts()),
        (ErrorKind::Encode, Phase::NotSent, 0)
    );
    assert!(!error.is_unknown());
    assert_eq!(
        error.source().unwrap().to_string(),
        "CallerDescription: is longer than 160 characters"
    );
    assert!(script.sent().is_empty());
}

#[test]
fn live_and_sandbox_cannot_be_crossed() {
    let build = |environment, id: &str| {
        AmazonPayConfig::in_environment(environment, id, LengthSigner, Region::Japan).map(|_| ())
    };
    let mismatch = Err(ConfigError::EnvironmentMismatch);
    assert_eq!(build(Environment::Live, "SANDBOX-X"), mismatch);
    assert_eq!(build(Environment::Live, "sandbox-x"), mismatch);
    assert_eq!(build(Environment::Sandbox, "LIVE-X"), mismatch);
    assert_eq!(build(Environment::Sandbox, "SANDBOX-X"), Ok(()));
    assert_eq!(build(Environment::Live, "ABC123"), Ok(()));
    assert_eq!(build(Environment::Live, "ABC\r\nx: y"), Err(ConfigError::BadKeyId));
    let unnamed = AmazonPayConfig::new("ABC123", LengthSigner, Region::Japan).map(|_| ());
    assert_eq!(unnamed, Err(ConfigError::EnvironmentMissing));
}

#[tokio::test]
async fn a_key_without_an_environment_puts_it_into_the_path() {
    for (environment, path) in
        [(Environment::Sandbox, "/sandbox/v2/refunds/R"), (Environment::Live, "/live/v2/refunds/R")]
    {
        let config =
            AmazonPayConfig::in_environment(environment, "ABC123", LengthSigner, Region::Japan);
        let script = ScriptedTransport::new([]);
        let client = Client::with_transport(
            config.unwrap(),
            Settings::default().without_pacing(),
            script.clone(),
            clock(),
        );
        let _ = client.send(&GetRefund::new("R")).await;
        assert_eq!(script.sent()[0].line, format!("GET https://pay-api.amazon.jp{path}"));
    }
}

#[test]
fn nothing_to_trust_is_an_error_at_once() {
    let build = |pem: &str| {
        let credentials = Credentials::new("AKEXAMPLE", Secret::new("s"));
        let config = FlexiblePaymentsConfig::new("https://localhost/", credentials).unwrap();
        let settings = Settings::default().without_pacing().with_trust(Trust::Only(pem.to_owned()));
        Client::new(config, &settings).map(|_| ())
    };
    assert_eq!(build(""), Err(ConfigError::NothingTrusted));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(build(broken), Err(ConfigError::BadCertificate));
}

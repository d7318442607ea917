//! What an answer means for money, and when the next try comes, over a scripted transport.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_http::{
    AmazonPayConfig, BoxFuture, Client, Clock as _, Error, ErrorKind, FlexiblePaymentsConfig,
    Phase, Region, RetryPolicy, Settings, Transport, TransportError, TransportErrorKind,
};
use fps_model::amazon_pay::{CreateRefund, GetRefund};
use fps_model::flexible_payments::{GetTransactionStatus, Refund};
use fps_model::{CallerReference, IdempotencyKey, Timestamp};
use fps_sign::query::Credentials;
use fps_sign::{RequestSigner, Secret, SignError};
use http::header::{HeaderValue, RETRY_AFTER};
use refund_rules::{Currency, Money};

/// Signs as often as it is told to, and then no more.
struct TiredSigner(Mutex<u32>);

impl RequestSigner for TiredSigner {
    fn sign_pss_sha256(&self, _: &[u8], _: usize) -> Result<Vec<u8>, SignError> {
        let mut left = self.0.lock().unwrap();
        *left = left.checked_sub(1).ok_or_else(|| SignError::new("tired"))?;
        Ok(vec![0])
    }
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap())
}

fn pay(transport: impl Transport, clock: &ManualClock) -> Client<AmazonPayConfig> {
    let signer = TiredSigner(Mutex::new(u32::MAX));
    let config = AmazonPayConfig::new("SANDBOX-KEY", signer, Region::Europe).unwrap();
    Client::with_transport(config, Settings::default().without_pacing(), transport, clock.clone())
}

fn fps(transport: impl Transport) -> Client<FlexiblePaymentsConfig> {
    let credentials = Credentials::new("AKEXAMPLE", Secret::new("s"));
    let config = FlexiblePaymentsConfig::new("https://localhost:8443/", credentials).unwrap();
    Client::with_transport(config, Settings::default().without_pacing(), transport, clock())
}

fn create_refund() -> CreateRefund {
    let amount = Money::parse("14.00", Currency::EUR).unwrap();
    CreateRefund::new(IdempotencyKey::new("key-1").unwrap(), "S01-5105180-3221187-C056351", amount)
}

fn refund() -> Refund {
    Refund::new(CallerReference::new("reference-1").unwrap(), "T")
}

async fn pay_error(script: ScriptedTransport) -> Error {
    pay(script, &clock()).send(&create_refund()).await.unwrap_err()
}

async fn fps_error(script: ScriptedTransport) -> Error {
    fps(script).send(&refund()).await.unwrap_err()
}

/// More answers than there are tries.
fn always(status: u16, body: &str) -> ScriptedTransport {
    ScriptedTransport::new(vec![Step::Answer(status, body.to_owned()); 9])
}

/// Kind, is it unknown, attempts. The service answered, so the phase is always the same.
fn meaning(error: &Error) -> (ErrorKind, bool, u32) {
    assert_eq!(error.phase(), Phase::Answered, "{error:?}");
    (error.kind(), error.is_unknown(), error.attempts())
}

#[tokio::test]
async fn without_a_reason_the_status_decides_for_both_services() {
    for (statuses, expected) in [
        (&[400, 404, 405, 409, 422, 426][..], (ErrorKind::Refused, false, 1)),
        (&[401, 403], (ErrorKind::Unauthorized, false, 1)),
        // Too early, and too many: not carried out.
        (&[425, 429], (ErrorKind::Throttled, false, 4)),
        (&[408, 500, 501, 502, 503, 504, 599], (ErrorKind::Fault, true, 4)),
        // A success that nobody can read, and what is neither success nor refusal.
        (&[200, 201, 202, 204, 101, 301, 302, 303, 307, 600, 999], (ErrorKind::Decode, true, 1)),
    ] {
        for &status in statuses {
            for body in ["", "<html>busy</html>"] {
                let error = pay_error(always(status, body)).await;
                assert_eq!(meaning(&error), expected, "Amazon Pay: {status} {body}");
                let error = fps_error(always(status, body)).await;
                assert_eq!(meaning(&error), expected, "FPS: {status} {body}");
                assert_eq!((error.status(), error.service_code()), (Some(status), None));
            }
        }
    }
}

#[tokio::test]
async fn an_operation_that_changes_nothing_is_never_unknown() {
    for (status, kind, attempts) in [
        (503, ErrorKind::Fault, 4),
        (429, ErrorKind::Throttled, 4),
        (200, ErrorKind::Decode, 1),
        (404, ErrorKind::Refused, 1),
    ] {
        let error = pay(always(status, ""), &clock()).send(&GetRefund::new("R")).await.unwrap_err();
        assert_eq!(meaning(&error), (kind, false, attempts), "Amazon Pay: {status}");
        let looked_up = fps(always(status, "")).send(&GetTransactionStatus::new("T")).await;
        assert_eq!(meaning(&looked_up.unwrap_err()), (kind, false, attempts), "FPS: {status}");
    }
}

#[tokio::test]
async fn every_amazon_pay_reason_has_its_meaning() {
    use ErrorKind::{Decode, Fault, Refused, Throttled, Unauthorized};
    for (status, reason, expected) in [
        (429, "TooManyRequests", (Throttled, false, 4)),
        // The reason outweighs the status: this says that nothing was done.
        (503, "RequestThrottled", (Throttled, false, 4)),
        (400, "TooManyRequests", (Throttled, false, 4)),
        (408, "RequestTimeout", (Fault, true, 4)),
        (500, "InternalServerError", (Fault, true, 4)),
        (500, "ProcessingFailure", (Fault, true, 4)),
        (503, "ServiceUnavailable", (Fault, true, 4)),
        (401, "UnauthorizedAccess", (Unauthorized, false, 1)),
        (403, "InvalidAuthentication", (Unauthorized, false, 1)),
        (403, "InvalidRequestSignature", (Unauthorized, false, 1)),
        (400, "DuplicateIdempotencyKey", (Refused, false, 1)),
        (400, "TransactionAmountExceeded", (Refused, false, 1)),
        (404, "ResourceNotFound", (Refused, false, 1)),
        (422, "AmazonRejected", (Refused, false, 1)),
        (426, "TLSVersionNotSupported", (Refused, false, 1)),
        (400, "SomethingNew", (Refused, false, 1)),
        (500, "SomethingNew", (Fault, true, 4)),
        // A refusal that says it is a success is neither.
        (201, "TransactionAmountExceeded", (Decode, true, 1)),
    ] {
        let body = format!(r#"{{"reasonCode":"{reason}","message":"m"}}"#);
        let error = pay_error(always(status, &body)).await;
        assert_eq!(meaning(&error), expected, "{status} {reason}");
        assert_eq!((error.status(), error.service_code()), (Some(status), Some(reason)));
    }
}

#[tokio::test]
async fn every_fps_code_has_its_meaning() {
    use ErrorKind::{Fault, Refused, Throttled, Unauthorized};
    for (status, code, expected) in [
        (400, "ConcurrentModification", (Throttled, false, 4)),
        (500, "ConcurrentModification", (Throttled, false, 4)),
        (500, "InternalError", (Fault, true, 4)),
        (400, "InternalError", (Fault, true, 4)),
        (503, "ServiceUnavailable", (Fault, true, 4)),
        (401, "AuthFailure", (Unauthorized, false, 1)),
        (403, "InvalidClientTokenId", (Unauthorized, false, 1)),
        (400, "InvalidSignature", (Unauthorized, false, 1)),
        (403, "RequestExpired", (Unauthorized, false, 1)),
        (400, "RequestExpired", (Unauthorized, false, 1)),
        (403, "SignatureDoesNotMatch", (Unauthorized, false, 1)),
        (400, "DuplicateRequest", (Refused, false, 1)),
        (400, "InsufficientBalance", (Refused, false, 1)),
        (400, "RefundAmountExceeded", (Refused, false, 1)),
        // The older API refused with a success.
        (200, "RefundAmountExceeded", (Refused, false, 1)),
        (200, "InternalError", (Fault, true, 4)),
        // No code of FPS: the status decides.
        (400, "Throttling", (Refused, false, 1)),
        (429, "Throttling", (Throttled, false, 4)),
        (503, "Throttling", (Fault, true, 4)),
        (400, "SomethingNew", (Refused, false, 1)),
        (500, "SomethingNew", (Fault, true, 4)),
    ] {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
             <RequestID>id</RequestID></Response>"
        );
        let error = fps_error(always(status, &body)).await;
        assert_eq!(meaning(&error), expected, "{status} {code}");
        assert_eq!((error.service_code(), error.request_id()), (Some(code), Some("id")));
    }
}

#[tokio::test]
async fn a_key_that_stops_signing_ends_the_call_and_not_the_doubt() {
    let lost = || ScriptedTransport::new([Step::Fail(TransportErrorKind::Timeout)]);
    // Signatures, phase, is it unknown, attempts, waits: nobody waits to sign in vain again.
    for (signatures, phase, unknown, attempts, waits) in
        [(0, Phase::NotSent, false, 1, 0), (1, Phase::MaybeSent, true, 2, 1)]
    {
        let signer = TiredSigner(Mutex::new(signatures));
        let config = AmazonPayConfig::new("SANDBOX-KEY", signer, Region::Europe).unwrap();
        let clock = clock();
        let client = Client::with_transport(
            config,
            Settings::default().without_pacing(),
            lost(),
            clock.clone(),
        );
        let error = client.send(&create_refund()).await.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Sign, phase));
        assert_eq!((error.is_unknown(), error.attempts()), (unknown, attempts));
        assert_eq!(clock.sleeps().len(), waits);
    }
}

/// Asks for fewer requests once, with this `Retry-After`, and serves the next.
struct AsksToWait(Mutex<Option<HeaderValue>>);

impl Transport for AsksToWait {
    fn call(
        &self,
        _: http::Request<Bytes>,
        _: Duration,
        _: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let asked = self.0.lock().unwrap().take();
        Box::pin(async move {
            let builder = http::Response::builder();
            Ok(match asked {
                Some(value) => builder.status(429).header(RETRY_AFTER, value).body(Bytes::new()),
                None => builder.status(201).body(Bytes::from_static(CREATED.as_bytes())),
            }
            .unwrap())
        })
    }
}

const CREATED: &str = r#"{"refundId":"S01-5105180-3221187-R022311",
    "chargeId":"S01-5105180-3221187-C056351","refundAmount":{"amount":"14.00","currencyCode":"EUR"},
    "creationTimestamp":"20261121T092408Z","statusDetails":{"state":"RefundInitiated"}}"#;

/// What comes of a `Retry-After`.
#[derive(Debug)]
enum Waits {
    /// As long as it asks for, in milliseconds.
    Millis(u64),
    /// As without it: its own wait before the second try.
    AsEver,
    /// The call ends.
    NoLonger,
}

#[tokio::test]
async fn a_retry_after_is_read_as_seconds_or_as_a_date_and_granted_up_to_a_limit() {
    use Waits::{AsEver, Millis, NoLonger};
    // It is 09:24:08.123 on that day.
    let rows: [(&[u8], Waits); 21] = [
        (b"7", Millis(7_000)),
        (b" 7 ", Millis(7_000)),
        (b"30", Millis(30_000)),
        (b"31", NoLonger),
        (b"18446744073709551615", NoLonger),
        (b"99999999999999999999999999", NoLonger),
        (b"0", AsEver),
        (b"Sat, 21 Nov 2026 09:24:15 GMT", Millis(6_877)),
        (b"Saturday, 21-Nov-26 09:24:15 GMT", Millis(6_877)),
        (b"Sat Nov 21 09:24:15 2026", Millis(6_877)),
        (b"Sat, 21 Nov 2026 09:24:39 GMT", NoLonger),
        (b"Fri, 31 Dec 9999 23:59:59 GMT", NoLonger),
        (b"Sat, 21 Nov 2026 09:24:08 GMT", AsEver),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", AsEver),
        (b"soon", AsEver),
        (b"", AsEver),
        (b"-5", AsEver),
        (b"+5", AsEver),
        (b"1.5", AsEver),
        (b"7 s", AsEver),
        (b"\xff", AsEver),
    ];
    for (text, expected) in rows {
        let shown = format!("{} {expected:?}", text.escape_ascii());
        let clock = clock();
        let asked = HeaderValue::from_bytes(text).unwrap();
        let client = pay(AsksToWait(Mutex::new(Some(asked))), &clock);
        let sent = client.send(&create_refund()).await;
        let sleeps = clock.sleeps();
        match expected {
            Millis(millis) => assert_eq!(sleeps, [Duration::from_millis(millis)], "{shown}"),
            AsEver => {
                let usual = Duration::from_millis(250)..=Duration::from_millis(500);
                assert!(sleeps.len() == 1 && usual.contains(&sleeps[0]), "{shown}: {sleeps:?}");
            }
            NoLonger => {
                assert_eq!(
                    meaning(&sent.unwrap_err()),
                    (ErrorKind::Throttled, false, 1),
                    "{shown}"
                );
                assert!(sleeps.is_empty(), "{shown}");
                continue;
            }
        }
        assert!(sent.is_ok(), "{shown}");
    }
}

/// Never answers, and keeps how long it was given and how much it might have read.
#[derive(Clone)]
struct Silent {
    clock: ManualClock,
    given: Arc<Mutex<Vec<(Duration, usize)>>>,
}

impl Transport for Silent {
    fn call(
        &self,
        _: http::Request<Bytes>,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        self.given.lock().unwrap().push((timeout, body_bytes_max));
        self.clock.advance(timeout);
        Box::pin(std::future::ready(Err(TransportError::new(TransportErrorKind::Timeout))))
    }
}

#[tokio::test]
async fn a_try_has_its_own_time_and_no_more_than_what_is_left_of_the_call() {
    let clock = clock();
    let transport = Silent { clock: clock.clone(), given: Arc::default() };
    // The clock has been running: only what passes in the call counts.
    clock.advance(Duration::from_secs(1_000));
    let error = pay(transport.clone(), &clock).send(&create_refund()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert!(error.is_unknown());
    let waited: Duration = clock.sleeps().iter().sum();
    let rest = Duration::from_secs(20) - waited;
    let (own, most) = (Duration::from_secs(20), 1024 * 1024);
    assert_eq!(*transport.given.lock().unwrap(), [(own, most), (own, most), (rest, most)]);
    let call_timeout = RetryPolicy::default().call_timeout;
    assert_eq!(clock.elapsed(), Duration::from_secs(1_000) + call_timeout);
}

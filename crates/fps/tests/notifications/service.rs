//! Notifications of FPS, proved by the word of the service.

use fps::flexible_payments::{VerificationStatus, VerifySignature, VerifySignatureResult};
use fps::{
    Answer, Client, Credentials, ErrorKind, Event, FlexiblePayments, FlexiblePaymentsConfig,
    NotificationError, Notifications, Observation, Proof, RetryPolicy, Secret, Settings, Timestamp,
};
use fps_http::TransportErrorKind;
use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_model::flexible_payments::Dialect;
use fps_model::{Params, Serve};

use crate::{ADDRESS, receive_form};

const SUCCESS: &str =
    include_str!("../../../fps-sign/tests/vectors/outbound/seed001-ipn-refund-success/body.form");

fn says(status: &str) -> Step {
    let result = VerifySignatureResult::new(VerificationStatus::from(status));
    let answer = Answer::new(result, Some("r".to_owned()));
    let body = VerifySignature::write_answer(&answer, Dialect::default());
    Step::Answer(200, String::from_utf8(body).unwrap())
}

/// Each question is asked once.
fn asking(url: &str, steps: impl IntoIterator<Item = Step>) -> (Notifications, ScriptedTransport) {
    let script = ScriptedTransport::new(steps);
    let clock = ManualClock::new(Timestamp::parse("2026-11-21T09:24:08.123Z").unwrap());
    let credentials = Credentials::new("AKEXAMPLE", Secret::new("canary-secret"));
    let config = FlexiblePaymentsConfig::new("https://localhost:8443/", credentials).unwrap();
    let settings = Settings::default().with_retry(RetryPolicy::once());
    let client = Client::with_transport(config, settings, script.clone(), clock);
    (Notifications::attested(url, FlexiblePayments::over(client)), script)
}

#[tokio::test]
async fn the_service_is_asked_about_what_arrived_and_its_word_is_taken() {
    let url = format!("{ADDRESS}?shop=7#top");
    // As it came: with an ampersand at the beginning, and blanks in another way.
    let body = format!("&{}", SUCCESS.replace("%20", "+"));
    let (notifications, script) = asking(&url, [says("Success")]);
    let received = receive_form(&notifications, &body).await.unwrap();
    assert_eq!(received.proof(), Proof::Service);
    assert_eq!(received.event().observation(), Some(Observation::Refunded));
    assert!(matches!(received.event(), Event::Transaction(_)));
    // The same id by whichever proof.
    assert_eq!(received.id(), "fps-73d2e0bbac7e434ebb2e66247de7d07d");

    let [sent] = &script.sent()[..] else { panic!("one call") };
    assert_eq!(sent.line, "POST https://localhost:8443/");
    let params = Params::parse(sent.body.as_bytes()).unwrap();
    assert_eq!(params.get("Action"), Some("VerifySignature"));
    assert_eq!(params.get("UrlEndPoint"), Some(ADDRESS));
    assert_eq!(params.get("HttpParameters"), Some(&*body));
}

#[tokio::test]
async fn what_the_service_does_not_own_is_false() {
    for word in ["Failure", "success", "Successful", "Pending"] {
        let (notifications, script) = asking(ADDRESS, [says(word)]);
        let error = receive_form(&notifications, SUCCESS).await.unwrap_err();
        assert!(matches!(error, NotificationError::Denied), "{word}: {error:?}");
        assert!(!error.is_passing() && error.status() == 403);
        assert_eq!(script.sent().len(), 1);
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_asked_has_not_called_it_false() {
    let refusal = "<Response><Errors><Error><Code>InvalidParams</Code><Message>m</Message></Error>\
                   </Errors><RequestID>r</RequestID></Response>";
    let moved = [301, 302, 307].map(|status| Step::Answer(status, String::new()));
    let steps = [
        (Step::Fail(TransportErrorKind::Connect), ErrorKind::Connect),
        (Step::Fail(TransportErrorKind::Timeout), ErrorKind::Timeout),
        (Step::Fail(TransportErrorKind::Interrupted), ErrorKind::Interrupted),
        (Step::Answer(503, String::new()), ErrorKind::Fault),
        (Step::Answer(500, String::new()), ErrorKind::Fault),
        (Step::Answer(400, refusal.to_owned()), ErrorKind::Refused),
        (Step::Answer(200, "<html/>".to_owned()), ErrorKind::Decode),
        (Step::Answer(200, String::new()), ErrorKind::Decode),
    ];
    for (step, kind) in steps {
        let (notifications, _) = asking(ADDRESS, [step, says("Success")]);
        let error = receive_form(&notifications, SUCCESS).await.unwrap_err();
        let NotificationError::Unavailable(why) = &error else { panic!("{kind:?}: {error:?}") };
        assert_eq!(why.kind(), kind);
        assert!(error.is_passing() && error.status() == 503);
        // Sent again, it is believed.
        receive_form(&notifications, SUCCESS).await.unwrap();
    }
    for step in moved {
        let (notifications, script) = asking(ADDRESS, [step]);
        let error = receive_form(&notifications, SUCCESS).await.unwrap_err();
        assert!(matches!(error, NotificationError::Unavailable(_)), "{error:?}");
        assert_eq!(script.sent().len(), 1, "a redirect was followed");
    }
}

#[tokio::test]
async fn nobody_is_asked_about_what_cannot_be_true() {
    let (notifications, script) = asking(ADDRESS, []);
    for body in [
        String::new(),
        "transactionStatus=SUCCESS".to_owned(),
        SUCCESS.replace("signatureVersion=2", "signatureVersion=1"),
        SUCCESS.replace("RSA-SHA1", "HmacSHA1"),
        format!("{SUCCESS}&signature=x"),
        format!("{SUCCESS}&certificateUrl=x"),
        // Two parsers, two readings.
        format!("{SUCCESS};transactionStatus=SUCCESS"),
        format!("{SUCCESS}&a"),
        format!("{SUCCESS}&a=%"),
        format!("{SUCCESS}&a=\u{e9}"),
    ] {
        let error = receive_form(&notifications, &body).await.unwrap_err();
        assert!(matches!(error, NotificationError::Unproved(_)), "{body}: {error:?}");
    }
    let large = format!("{SUCCESS}&a={}", "a".repeat(64 * 1024));
    let error = receive_form(&notifications, &large).await.unwrap_err();
    assert!(matches!(error, NotificationError::TooLarge), "{error:?}");
    assert!(script.sent().is_empty());

    let (nowhere, script) = asking("shop.example", []);
    let error = receive_form(&nowhere, SUCCESS).await.unwrap_err();
    assert!(matches!(error, NotificationError::BadAddress), "{error:?}");
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn what_is_vouched_for_and_makes_no_sense_is_not_handed_on() {
    // Doubled fields, which the service may well have signed.
    let body = format!("{SUCCESS}&transactionStatus=PENDING");
    let (notifications, _) = asking(ADDRESS, [says("Success")]);
    let error = receive_form(&notifications, &body).await.unwrap_err();
    assert!(matches!(error, NotificationError::Unreadable(_)), "{error:?}");
}

#[tokio::test]
async fn no_credential_is_printed() {
    let (notifications, _) = asking(ADDRESS, [Step::Fail(TransportErrorKind::Connect)]);
    let error = receive_form(&notifications, SUCCESS).await.unwrap_err();
    let printed = format!("{notifications:?} {error:?} {error}");
    for secret in ["canary-secret", "Test Business", "sDq9YvW7"] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}

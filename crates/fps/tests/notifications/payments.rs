//! Notifications of FPS, proved by a certificate.

use fps::flexible_payments::NotifiedStatus;
use fps::{
    Arrived, CertificateFetcher, ErrorKind, Event, NotificationError, Notifications, Observation,
    Proof,
};
use fps_http::TransportErrorKind;
use fps_http::testing::{ScriptedTransport, Step};
use fps_model::Params;

use crate::{
    ADDRESS, FORM, FPS_CERTIFICATE, Host, TEST_CERTIFICATE, amazons_certificate, of_both,
    receive_form, sandbox, signed_form, unsigned,
};

const PENDING: &str =
    include_str!("../../../fps-sign/tests/vectors/outbound/seed001-ipn-refund-pending/body.form");
const SUCCESS: &str =
    include_str!("../../../fps-sign/tests/vectors/outbound/seed001-ipn-refund-success/body.form");
const TOKEN: &str = include_str!("../../../fps-model/tests/samples/token-cancellation.form");
const EARLY: &str = include_str!("../../../fps-model/tests/samples/early-pay-success.form");
const SIMPLE_PAY: &str = include_str!("../../../fps-model/tests/samples/simple-pay-ipn.form");

#[tokio::test]
async fn amazons_own_notifications_of_a_refund_are_believed() {
    let host = Host::serving(&amazons_certificate());
    let notifications = Notifications::new(ADDRESS, sandbox(), host.fetcher());
    // The ids were computed apart from this code, by Python's hashlib. They must never change.
    for (body, observation, status, id) in [
        (
            PENDING,
            Observation::Pending,
            NotifiedStatus::Pending,
            "fps-bd69b411878f14ac160b7528b2b35ee4",
        ),
        (
            SUCCESS,
            Observation::Refunded,
            NotifiedStatus::Success,
            "fps-73d2e0bbac7e434ebb2e66247de7d07d",
        ),
    ] {
        let received = receive_form(&notifications, body).await.unwrap();
        assert_eq!(received.id(), id);
        assert_eq!(received.proof(), Proof::Certificate);
        assert_eq!(received.event().observation(), Some(observation));
        let Event::Transaction(notified) = received.into_event() else { panic!("{status}") };
        assert_eq!(notified.transaction_status, status);
        assert_eq!(notified.transaction_id.as_str(), "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF");
    }
    assert_eq!(host.asked(), [FPS_CERTIFICATE]);
}

#[tokio::test]
async fn every_kind_of_notification_is_told_apart() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    // As above, by Python.
    for (form, kind, id) in [
        (TOKEN, "TokenCancelled", "fps-72e4ddf8a64422b66a6f5b7660cdb2fd"),
        (EARLY, "EarlyTransaction", "fps-9acdb18ba88a376fcd2e3b408c28cfa2"),
        (SIMPLE_PAY, "SimplePay", "fps-beeef39a2df171ca4efcfea2383f67b1"),
    ] {
        let body = signed_form(&unsigned(form), FPS_CERTIFICATE);
        let received = receive_form(&notifications, &body).await.unwrap();
        assert_eq!(received.id(), id, "{kind}");
        assert_eq!(received.event().observation(), None, "{kind}");
        let event = received.into_event();
        assert!(format!("{event:?}").starts_with(kind), "{event:?}");
        match event {
            Event::TokenCancelled(it) => assert_eq!(it.token_id.as_str(), "EXAMPLETOKENID"),
            Event::EarlyTransaction(it) => {
                assert_eq!(it.transaction_amount.to_string(), "3.50");
            }
            Event::SimplePay(it) => assert_eq!(it.reference_id.unwrap(), "test-reference123"),
            other => panic!("{other:?}"),
        }
    }
}

/// A form of FPS with some values replaced, signed anew.
fn signed_with(form: &str, changes: &[(&str, &str)]) -> String {
    let params: Params = unsigned(form)
        .iter()
        .map(|(name, value)| {
            let change = changes.iter().find(|(given, _)| *given == name);
            (name.to_owned(), change.map_or(value, |(_, value)| value).to_owned())
        })
        .collect();
    signed_form(&params, FPS_CERTIFICATE)
}

#[tokio::test]
async fn only_a_refund_is_observed_and_only_an_end_is_an_end() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    let (pending, refunded, declined) =
        (Some(Observation::Pending), Some(Observation::Refunded), Some(Observation::Declined));
    for (form, changes, observation) in [
        (SUCCESS, &[("transactionStatus", "FAILURE")][..], declined),
        (SUCCESS, &[("transactionStatus", "CANCELLED")], declined),
        (SUCCESS, &[("transactionStatus", "RESERVED")], pending),
        (SUCCESS, &[("transactionStatus", "NEVERSEEN")], pending),
        (SUCCESS, &[("operation", "PAY")], None),
        (SUCCESS, &[("operation", "NEVERSEEN")], None),
        (EARLY, &[("operation", "REFUND")], refunded),
        (EARLY, &[("operation", "REFUND"), ("status", "FAILURE")], declined),
        (EARLY, &[("operation", "REFUND"), ("status", "INITIATED")], pending),
        (SIMPLE_PAY, &[("operation", "refund"), ("status", "RS")], refunded),
        (SIMPLE_PAY, &[("operation", "refund"), ("status", "RF")], declined),
        (SIMPLE_PAY, &[("operation", "refund"), ("status", "PI")], pending),
        (SIMPLE_PAY, &[("operation", "refund"), ("status", "PS")], pending),
        (SIMPLE_PAY, &[("operation", "refund"), ("status", "NEVERSEEN")], pending),
        (SIMPLE_PAY, &[("status", "PF")], None),
    ] {
        let body = signed_with(form, changes);
        let received = receive_form(&notifications, &body).await.unwrap();
        assert_eq!(received.event().observation(), observation, "{changes:?}");
    }
}

#[tokio::test]
async fn nothing_that_was_changed_on_the_way_is_believed() {
    let host = Host::serving(&amazons_certificate());
    let notifications = Notifications::new(ADDRESS, sandbox(), host.fetcher());
    let sent = Params::parse(SUCCESS.as_bytes()).unwrap();
    let pairs: Vec<_> =
        sent.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut refused = 0;
    for index in 0..pairs.len() {
        let (name, value) = pairs[index].clone();
        let mut changed = vec![pairs.clone(); 5];
        changed[0][index].1.push('0');
        changed[1][index].1 = value.chars().skip(1).collect();
        changed[2].remove(index);
        changed[3].push((name.clone(), value.clone()));
        changed[4].insert(0, (name.clone(), "0".to_owned()));
        for params in changed {
            let form = params.into_iter().collect::<Params>().to_form();
            let error = receive_form(&notifications, &form).await.unwrap_err();
            let is_refused =
                matches!(error, NotificationError::Unproved(_) | NotificationError::Foreign(_));
            assert!(is_refused && error.status() == 403, "{name}: {error:?}");
            refused += 1;
        }
    }
    assert_eq!(refused, 5 * 20);
    let more = format!("{SUCCESS}&sessionId=1");
    receive_form(&notifications, &more).await.unwrap_err();
    receive_form(&notifications, SUCCESS).await.unwrap();

    // Signed for this address only, and by the key of that certificate only.
    let elsewhere = format!("{ADDRESS}/");
    let elsewhere = Notifications::new(elsewhere, sandbox(), host.fetcher());
    let error = receive_form(&elsewhere, SUCCESS).await.unwrap_err();
    assert!(matches!(error, NotificationError::Unproved(fps_sign::Error::Mismatch)), "{error:?}");
    let other = of_both(&Host::serving(TEST_CERTIFICATE));
    let error = receive_form(&other, SUCCESS).await.unwrap_err();
    assert!(matches!(error, NotificationError::Unproved(fps_sign::Error::Mismatch)), "{error:?}");
    let nowhere = Notifications::new("vamsik.desktop.amazon.com", sandbox(), host.fetcher());
    let error = receive_form(&nowhere, SUCCESS).await.unwrap_err();
    assert!(matches!(error, NotificationError::BadAddress) && error.status() == 500, "{error:?}");
}

#[tokio::test]
async fn what_is_signed_and_makes_no_sense_is_not_handed_on() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    let params = |pairs: &[(&str, &str)]| -> Params {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    for unread in [
        params(&[]),
        params(&[("notificationType", "TransactionStatus")]),
        params(&[("notificationType", "NeverSeen"), ("status", "PS")]),
        params(&[("notificationType", ""), ("status", "PS")]),
        params(&[("transactionStatus", "SUCCESS"), ("status", "PS")]),
        params(&[("status", "PS"), ("status", "PF")]),
        params(&[("status", "SUCCESS"), ("status", "PS")]),
        params(&[("notificationType", "TokenCancellation")]),
    ] {
        let body = signed_form(&unread, FPS_CERTIFICATE);
        let error = receive_form(&notifications, &body).await.unwrap_err();
        let is_unreadable = matches!(error, NotificationError::Unreadable(_));
        assert!(is_unreadable && error.status() == 400, "{unread:?}: {error:?}");
    }
}

#[tokio::test]
async fn method_header_and_size_are_looked_at_before_anything_else() {
    let host = Host::serving(&amazons_certificate());
    let notifications = Notifications::new(ADDRESS, sandbox(), host.fetcher());
    let body = SUCCESS.as_bytes();
    for method in ["GET", "PUT", "post", "", "POST "] {
        let error = notifications.receive(&Arrived::new(method, FORM, body)).await.unwrap_err();
        assert!(matches!(error, NotificationError::Method), "{method}: {error:?}");
        assert_eq!(error.status(), 405);
    }
    let types: [&[(&str, &[u8])]; 7] = [
        &[],
        &[("content-type", b"")],
        &[("content-type", b"text/plain")],
        &[("content-type", b"application/x-www-form-urlencodedX")],
        &[("content-type", b"multipart/form-data; boundary=application/x-www-form-urlencoded")],
        &[("content-type", b"application/x-www-form-urlencoded\xff")],
        &[
            ("content-type", b"application/x-www-form-urlencoded"),
            ("Content-Type", b"application/x-www-form-urlencoded"),
        ],
    ];
    for headers in types {
        let arrived = Arrived::new("POST", headers.iter().copied(), body);
        let error = notifications.receive(&arrived).await.unwrap_err();
        assert!(matches!(error, NotificationError::Header("content-type")), "{error:?}");
        assert_eq!(error.status(), 400);
    }
    let large = format!("{SUCCESS}&a={}", "a".repeat(64 * 1024));
    let error = receive_form(&notifications, &large).await.unwrap_err();
    assert!(matches!(error, NotificationError::TooLarge) && error.status() == 413, "{error:?}");
    // One that is as large as can be is read, and then found to be changed.
    let most = format!("{SUCCESS}&a={}", "a".repeat(64 * 1024 - SUCCESS.len() - 3));
    let error = receive_form(&notifications, &most).await.unwrap_err();
    assert!(matches!(error, NotificationError::Unproved(_)), "{error:?}");
    let many = format!("{SUCCESS}{}", "&a=1".repeat(257));
    for unreadable in [many.as_bytes(), b"a=%ff", b"\xff=1"] {
        let arrived = Arrived::new("POST", FORM, unreadable);
        let error = notifications.receive(&arrived).await.unwrap_err();
        assert!(matches!(error, NotificationError::Unreadable(_)), "{error:?}");
    }
    // The one that was as large as can be, and nothing before it.
    assert_eq!(host.asked().len(), 1);
    for media_type in
        ["application/x-www-form-urlencoded", "APPLICATION/X-WWW-Form-Urlencoded ;charset=UTF-8"]
    {
        let arrived = Arrived::new("POST", [("CONTENT-TYPE", media_type)], body);
        notifications.receive(&arrived).await.unwrap();
    }
    assert_eq!(host.asked().len(), 1);
}

#[tokio::test]
async fn one_certificate_is_fetched_for_a_hundred_notifications() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    for number in 0..100 {
        // The service adds an id of the request, which makes no difference.
        let id = number.to_string();
        let url = format!("{FPS_CERTIFICATE}?requestId={id}");
        let mut params = unsigned(SUCCESS);
        params.push("number", id);
        receive_form(&notifications, &signed_form(&params, &url)).await.unwrap();
    }
    assert_eq!(host.asked(), [format!("{FPS_CERTIFICATE}?requestId=0")]);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_had_is_no_verdict() {
    let certificate = amazons_certificate();
    let refused = [301, 302, 303, 307, 308, 404, 500, 503, 204, 206]
        .map(|status| (Step::Answer(status, certificate.clone()), ErrorKind::Refused));
    let failed = [
        (Step::Fail(TransportErrorKind::Connect), ErrorKind::Connect),
        (Step::Fail(TransportErrorKind::Timeout), ErrorKind::Timeout),
        (Step::Fail(TransportErrorKind::Interrupted), ErrorKind::Interrupted),
        (Step::Fail(TransportErrorKind::TooLarge), ErrorKind::TooLarge),
        (Step::Answer(200, "<html>moved</html>".to_owned()), ErrorKind::Decode),
        (Step::Answer(200, format!("{certificate}{certificate}")), ErrorKind::Decode),
    ];
    for (step, kind) in refused.into_iter().chain(failed) {
        let script = ScriptedTransport::new([step, Step::Answer(200, certificate.clone())]);
        let fetcher = CertificateFetcher::with_transport(script.clone());
        let notifications = Notifications::new(ADDRESS, sandbox(), fetcher);
        let error = receive_form(&notifications, SUCCESS).await.unwrap_err();
        let NotificationError::Certificate(why) = &error else { panic!("{error:?}") };
        assert_eq!(why.kind(), kind);
        assert!(error.is_passing() && error.status() == 503, "{error:?}");
        // No redirect was followed and nothing was kept: the next one asks again and is believed.
        receive_form(&notifications, SUCCESS).await.unwrap();
        let asked: Vec<_> = script.sent().into_iter().map(|sent| sent.line).collect();
        assert_eq!(asked, [format!("GET {FPS_CERTIFICATE}"), format!("GET {FPS_CERTIFICATE}")]);
    }
}

#[tokio::test]
async fn a_service_that_is_not_configured_is_not_listened_to() {
    let host = Host::serving(TEST_CERTIFICATE);
    let topics = Notifications::of_topics([], host.fetcher());
    let error = receive_form(&topics, SUCCESS).await.unwrap_err();
    assert!(matches!(error, NotificationError::NotExpected) && error.status() == 403, "{error:?}");
    assert!(host.asked().is_empty());
}

#[tokio::test]
async fn nobody_is_named_in_what_is_printed() {
    let host = Host::serving(&amazons_certificate());
    let notifications = Notifications::new(ADDRESS, sandbox(), host.fetcher());
    let arrived = Arrived::new("POST", FORM, SUCCESS.as_bytes());
    let received = notifications.receive(&arrived).await.unwrap();
    let printed = format!("{arrived:?} {received:?} {notifications:?}");
    for secret in ["Test Business", "new_premium", "test-caller", "MyWish", "sDq9YvW7"] {
        assert!(SUCCESS.contains(secret.split(' ').next().unwrap()), "{secret}");
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}

//! What Amazon Pay publishes through SNS.

use std::path::Path;

use fps::amazon_pay::{ObjectType, SnsEnvelope, SnsMessageType, SnsSignatureVersion};
use fps::{Arrived, CertificateOrigin, Event, NotificationError, Notifications, Proof, Topic};
use fps_sign::sns::SignatureVersion;

use crate::{
    Host, MERCHANT, SNS_CERTIFICATE, TEST_CERTIFICATE, TOPIC, envelope, of_both, receive_sns,
    refund_changed, signed_envelope, sns_headers, us_east_1,
};

const OWN_TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:MyTopic";
const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V1, SignatureVersion::V2];

/// A committed message, and the certificate it was signed by.
fn vector(name: &str) -> (SnsEnvelope, String) {
    let folder = Path::new("../fps-sign/tests/vectors/sns");
    let text = std::fs::read_to_string(folder.join(name).join("request.txt")).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let certificate = folder.join(first.strip_prefix("certificate ").unwrap());
    let fields: Vec<(&str, String)> = rest
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name, value.replace("\\n", "\n")))
        .collect();
    let optional =
        |name| fields.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str());
    let field = |name| optional(name).unwrap();
    let mut read = SnsEnvelope::new(
        SnsMessageType::from(field("Type")),
        field("MessageId"),
        field("TopicArn"),
        field("Message"),
        field("Timestamp"),
    )
    .signature_version(SnsSignatureVersion::from(field("SignatureVersion")))
    .signing_cert_url(field("SigningCertURL"))
    .signature(field("Signature"));
    read.subject = optional("Subject").map(str::to_owned);
    read.token = optional("Token").map(Into::into);
    read.subscribe_url = optional("SubscribeURL").map(Into::into);
    read.unsubscribe_url = optional("UnsubscribeURL").map(Into::into);
    (read, std::fs::read_to_string(certificate).unwrap())
}

#[tokio::test]
async fn committed_messages_are_believed() {
    for name in ["notification-version-1", "notification-version-2-subject"] {
        let (envelope, certificate) = vector(name);
        let host = Host::serving(&certificate);
        let topic = Topic::new(us_east_1(), TOPIC).with_merchant(MERCHANT);
        let notifications = Notifications::of_topics([topic], host.fetcher());
        let received = receive_sns(&notifications, &envelope).await.unwrap();
        assert_eq!(received.id(), "165545c9-2a5c-472c-8df2-7ff2be2b3b1b");
        assert_eq!(received.proof(), Proof::Certificate);
        let refund = received.event().changed_refund().unwrap();
        assert_eq!(refund.as_str(), "S01-5105180-3221187-R022311");
        // That it changed is all that is said.
        assert_eq!(received.event().observation(), None);
        let Event::Changed(changed) = received.into_event() else { panic!("{name}") };
        assert_eq!(changed.object_type(), &ObjectType::Refund);
        assert_eq!(changed.object_id().as_str(), refund.as_str());
        assert_eq!(changed.charge_id(), None);
        let permission = changed.charge_permission_id().unwrap();
        assert_eq!(permission.as_str(), "S01-5105180-3221187");
        assert_eq!(host.asked(), [SNS_CERTIFICATE]);
    }
}

#[tokio::test]
async fn a_subscription_is_proved_and_nobody_is_called() {
    for (name, subscribes) in [
        ("subscription-version-1", true),
        ("subscription-version-2", true),
        ("unsubscribe-version-1", false),
        ("unsubscribe-version-2", false),
    ] {
        let (envelope, certificate) = vector(name);
        let host = Host::serving(&certificate);
        let topic = Topic::new(us_east_1(), OWN_TOPIC).with_merchant(MERCHANT);
        let notifications = Notifications::of_topics([topic], host.fetcher());
        let received = receive_sns(&notifications, &envelope).await.unwrap();
        let confirmation = match received.event() {
            Event::SubscriptionConfirmation(it) if subscribes => it,
            Event::UnsubscribeConfirmation(it) if !subscribes => it,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(confirmation.topic_arn(), OWN_TOPIC);
        assert_eq!(confirmation.token(), "2336412f37fb687f5d51e6e2425e");
        assert_eq!(confirmation.subscribe_url(), envelope.subscribe_url.unwrap().expose());
        assert!(!format!("{received:?}").contains(confirmation.token()));
        // The certificate, and not the address that would subscribe.
        assert_eq!(host.asked(), [envelope.signing_cert_url.unwrap()]);

        // Somebody else's topic must not be subscribed to.
        let (envelope, _) = vector(name);
        let error = receive_sns(&of_both(&host), &envelope).await.unwrap_err();
        assert!(matches!(error, NotificationError::ForeignTopic), "{error:?}");
    }
}

fn changed(kind: &str, object: &str, merchant: Option<&str>) -> SnsEnvelope {
    let merchant = merchant.map_or(String::new(), |id| format!(r#","MerchantID":"{id}""#));
    let inner = format!(
        r#"{{"NotificationType":"STATE_CHANGE","ObjectType":"{kind}","ObjectId":"{object}"{merchant}}}"#
    );
    let sent = envelope(SnsMessageType::Notification, "m", TOPIC, &inner);
    signed_envelope(&sent, SignatureVersion::V2, SNS_CERTIFICATE)
}

#[tokio::test]
async fn an_id_has_the_type_of_its_object() {
    let notifications = of_both(&Host::serving(TEST_CERTIFICATE));
    for (kind, object) in [
        ("REFUND", "S01-5105180-3221187-R022311"),
        ("CHARGE", "S01-5105180-3221187-C056351"),
        ("CHARGE_PERMISSION", "P01-0000000-0000000-000000"),
        ("CHARGEBACK", "S01-5105180-3221187-D000001"),
        ("NEVER_SEEN", "x"),
    ] {
        let envelope = changed(kind, object, Some(MERCHANT));
        let event = receive_sns(&notifications, &envelope).await.unwrap().into_event();
        let refund = event.changed_refund();
        let Event::Changed(changed) = event else { panic!("{kind}") };
        let only = |id: Option<&str>, of: &str| assert_eq!(id, (kind == of).then_some(object));
        only(refund.as_ref().map(|id| id.as_str()), "REFUND");
        only(changed.refund_id().as_ref().map(|id| id.as_str()), "REFUND");
        only(changed.charge_id().as_ref().map(|id| id.as_str()), "CHARGE");
        let permission = changed.charge_permission_id();
        only(permission.as_ref().map(|id| id.as_str()), "CHARGE_PERMISSION");
        assert_eq!(changed.object_type().as_str(), kind);
        assert_eq!(changed.notification().object_id.as_str(), object);
    }
}

#[tokio::test]
async fn another_merchants_message_is_refused() {
    let host = Host::serving(TEST_CERTIFICATE);
    for other in [Some("A2EXAMPLE"), Some(""), None, Some("a1o8civ1a24a6x")] {
        let envelope = changed("REFUND", "S01-5105180-3221187-R022311", other);
        let error = receive_sns(&of_both(&host), &envelope).await.unwrap_err();
        assert!(matches!(error, NotificationError::ForeignMerchant), "{other:?}: {error:?}");
        assert_eq!(error.status(), 403);
        // Where no merchant is configured, the topic decides.
        let any = Notifications::of_topics([Topic::new(us_east_1(), TOPIC)], host.fetcher());
        receive_sns(&any, &envelope).await.unwrap();
    }
}

#[tokio::test]
async fn another_topic_is_refused_and_nothing_fetched_for_it() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    for foreign in [
        OWN_TOPIC,
        "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE:x",
        "arn:aws:sns:us-east-1:291180941288:a1o8civ1a24a6xa2example",
        "arn:aws:sns:us-east-1:291180941289:A1O8CIV1A24A6XA2EXAMPLE",
        "arn:aws:sns:us-west-2:291180941288:A1O8CIV1A24A6XA2EXAMPLE",
        "",
    ] {
        let sent = refund_changed("m");
        let sent = envelope(SnsMessageType::Notification, "m", foreign, sent.message.expose());
        let sent = signed_envelope(&sent, SignatureVersion::V2, SNS_CERTIFICATE);
        let error = receive_sns(&notifications, &sent).await.unwrap_err();
        assert!(matches!(error, NotificationError::ForeignTopic), "{foreign}: {error:?}");
    }
    assert!(host.asked().is_empty(), "{:?}", host.asked());
    let payments = Notifications::new(crate::ADDRESS, crate::sandbox(), host.fetcher());
    let sent = signed_envelope(&refund_changed("m"), SignatureVersion::V2, SNS_CERTIFICATE);
    let error = receive_sns(&payments, &sent).await.unwrap_err();
    assert!(matches!(error, NotificationError::NotExpected), "{error:?}");
}

#[tokio::test]
async fn each_topic_has_its_own_origin_and_merchant() {
    let host = Host::serving(TEST_CERTIFICATE);
    let ireland = "arn:aws:sns:eu-west-1:1:other";
    let origin = CertificateOrigin::sns_region("eu-west-1").unwrap();
    let notifications = Notifications::of_topics(
        [
            Topic::new(us_east_1(), TOPIC).with_merchant(MERCHANT),
            Topic::new(origin, ireland).with_merchant("A2OTHER"),
        ],
        host.fetcher(),
    );
    let theirs = SNS_CERTIFICATE.replace("us-east-1", "eu-west-1");
    let send = |topic: &str, url: &str, merchant: &str| {
        let inner = refund_changed("m").message.expose().replace(MERCHANT, merchant);
        let sent = envelope(SnsMessageType::Notification, "m", topic, &inner);
        signed_envelope(&sent, SignatureVersion::V2, url)
    };
    for (sent, expected) in [
        (send(TOPIC, SNS_CERTIFICATE, MERCHANT), None),
        (send(ireland, &theirs, "A2OTHER"), None),
        (send(ireland, SNS_CERTIFICATE, "A2OTHER"), Some("elsewhere")),
        (send(TOPIC, &theirs, MERCHANT), Some("elsewhere")),
        (send(ireland, &theirs, MERCHANT), Some("merchant")),
        (send(TOPIC, SNS_CERTIFICATE, "A2OTHER"), Some("merchant")),
    ] {
        let answer = receive_sns(&notifications, &sent).await.map(|_| ());
        match expected {
            None => answer.unwrap(),
            Some(word) => assert!(answer.unwrap_err().to_string().contains(word)),
        }
    }
}

#[tokio::test]
async fn headers_say_what_is_signed() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    let sent = signed_envelope(&refund_changed("m"), SignatureVersion::V2, SNS_CERTIFICATE);
    let body = sent.to_json();
    let headers = sns_headers(&sent);
    for name in ["x-amz-sns-message-type", "x-amz-sns-message-id", "x-amz-sns-topic-arn"] {
        for value in ["SubscriptionConfirmation", "", "Notification ", "m2"] {
            let mut changed = headers.clone();
            changed.iter_mut().find(|(given, _)| given == name).unwrap().1 = value.to_owned();
            let arrived = Arrived::new("POST", changed, &body);
            let error = notifications.receive(&arrived).await.unwrap_err();
            let NotificationError::Header(given) = error else { panic!("{error:?}") };
            assert_eq!(given, name);
        }
        let mut doubled = headers.clone();
        let again = headers.iter().find(|(given, _)| given == name).unwrap();
        doubled.push((name.to_uppercase(), again.1.clone()));
        let error = notifications.receive(&Arrived::new("POST", doubled, &body)).await;
        assert!(matches!(error, Err(NotificationError::Header(given)) if given == name));
    }
    // Only the type must be there: without it, nothing says that it comes from SNS.
    let only = [("X-Amz-Sns-Message-Type", "Notification")];
    notifications.receive(&Arrived::new("POST", only, &body)).await.unwrap();
    let without = headers.iter().filter(|(name, _)| !name.starts_with("x-amz")).cloned();
    let error = notifications.receive(&Arrived::new("POST", without, &body)).await.unwrap_err();
    assert!(matches!(error, NotificationError::Header("content-type")), "{error:?}");
    let error = notifications.receive(&Arrived::new("GET", headers, &body)).await.unwrap_err();
    assert!(matches!(error, NotificationError::Method), "{error:?}");
}

#[tokio::test]
async fn nothing_that_was_changed_on_the_way_is_believed() {
    let notifications = of_both(&Host::serving(TEST_CERTIFICATE));
    for version in VERSIONS {
        let mut sent = refund_changed("m").subject("Amazon Pay");
        sent = signed_envelope(&sent, version, SNS_CERTIFICATE);
        receive_sns(&notifications, &sent).await.unwrap();
        let text = String::from_utf8(sent.to_json()).unwrap();
        let receive = async |text: String| {
            let kind = [("x-amz-sns-message-type", "Notification")];
            notifications.receive(&Arrived::new("POST", kind, text.as_bytes())).await
        };
        receive(text.clone()).await.unwrap();
        for (from, to) in [
            (r#""MessageId":"m""#, r#""MessageId":"n""#),
            ("R022311", "R022312"),
            ("REFUND", "CHARGE"),
            ("STATE_CHANGE", "STATE_CHANGe"),
            ("10:21:30.123Z", "10:21:30.124Z"),
            ("10:21:30.123Z", r"10:21:30.123Z\n"),
            (r#""Subject":"Amazon Pay""#, r#""Subject":"Amazon pay""#),
            (r#""Subject":"Amazon Pay""#, r#""Subject":null"#),
            (r#""Type":"Notification""#, r#""Type":"SubscriptionConfirmation""#),
            (r#""Type":"Notification""#, r#""Type":"notification""#),
            (r#""Type":"Notification""#, r#""Type":null"#),
            (r#""SignatureVersion":""#, r#""SignatureVersion":"3"#),
            (r#""Signature":""#, r#""Signature":"AAAA"#),
            (r#""Signature":""#, r#""signature":""#),
            (r#""SigningCertURL""#, r#""SigningCertUrl""#),
            // One of two is believed by one parser, the other by another.
            (r#"{"Type""#, r#"{"MessageId":"m","Type""#),
            (r#"{"Type""#, r#"{"Type":"Notification","Type""#),
            (r#"{"Type""#, r#"{"Signature":"AAAA","Type""#),
            (r#"{"Type""#, r#"[{"Type""#),
            ("}", ""),
        ] {
            assert!(text.contains(from), "{from}");
            let error = receive(text.replacen(from, to, 1)).await.unwrap_err();
            let is_refused =
                matches!(error, NotificationError::Unproved(_) | NotificationError::Unreadable(_));
            assert!(is_refused, "{from} {to}: {error:?}");
        }
        // The other version is another signature.
        let other = if version == SignatureVersion::V1 { "2" } else { "1" };
        let swapped = sent.clone().signature_version(SnsSignatureVersion::from(other));
        let error = receive_sns(&notifications, &swapped).await.unwrap_err();
        assert!(matches!(error, NotificationError::Unproved(fps_sign::Error::Mismatch)));
    }
}

#[tokio::test]
async fn version_1_can_be_refused() {
    let host = Host::serving(TEST_CERTIFICATE);
    let topic = Topic::new(us_east_1(), TOPIC).without_version_1();
    let notifications = Notifications::of_topics([topic], host.fetcher());
    let sent = |version| signed_envelope(&refund_changed("m"), version, SNS_CERTIFICATE);
    let error = receive_sns(&notifications, &sent(SignatureVersion::V1)).await.unwrap_err();
    let unsupported =
        matches!(error, NotificationError::Unproved(fps_sign::Error::Unsupported { .. }));
    assert!(unsupported && host.asked().is_empty(), "{error:?}");
    receive_sns(&notifications, &sent(SignatureVersion::V2)).await.unwrap();
}

#[tokio::test]
async fn what_is_signed_and_makes_no_sense_is_not_handed_on() {
    let notifications = of_both(&Host::serving(TEST_CERTIFICATE));
    for message in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"ObjectType":"REFUND","ObjectId":"x"}"#,
        r#"{"NotificationType":"STATE_CHANGE","ObjectType":"REFUND"}"#,
        r#"{"NotificationType":"STATE_CHANGE","ObjectType":"REFUND","ObjectId":"x","ObjectId":"y"}"#,
        &"[".repeat(10_000),
    ] {
        let sent = envelope(SnsMessageType::Notification, "m", TOPIC, message);
        let sent = signed_envelope(&sent, SignatureVersion::V2, SNS_CERTIFICATE);
        let error = receive_sns(&notifications, &sent).await.unwrap_err();
        assert!(matches!(error, NotificationError::Unreadable(_)), "{message:.40}: {error:?}");
        assert!(!error.to_string().contains(message) || message.is_empty());
    }
}

#[tokio::test]
async fn a_message_is_bounded() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    let sent = signed_envelope(&refund_changed("m"), SignatureVersion::V2, SNS_CERTIFICATE);
    let body = sent.to_json();
    for (bytes, is_read) in [(256 * 1024, true), (256 * 1024 + 1, false)] {
        let mut padded = body.clone();
        padded.resize(bytes, b' ');
        let arrived = Arrived::new("POST", sns_headers(&sent), &padded);
        match notifications.receive(&arrived).await {
            Ok(received) => assert!(is_read && received.id() == "m"),
            Err(error) => assert!(!is_read && matches!(error, NotificationError::TooLarge)),
        }
    }
    assert_eq!(host.asked().len(), 1);
}

#[tokio::test]
async fn one_certificate_is_fetched_for_a_hundred_messages() {
    let host = Host::serving(TEST_CERTIFICATE);
    let notifications = of_both(&host);
    for number in 0..100 {
        let sent = refund_changed(&number.to_string());
        let version = VERSIONS[number % 2];
        let sent = signed_envelope(&sent, version, SNS_CERTIFICATE);
        receive_sns(&notifications, &sent).await.unwrap();
    }
    assert_eq!(host.asked(), [SNS_CERTIFICATE]);
}

#[tokio::test]
async fn a_certificate_host_that_sends_elsewhere_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let host = Host::answering(status, TEST_CERTIFICATE);
        let sent = signed_envelope(&refund_changed("m"), SignatureVersion::V2, SNS_CERTIFICATE);
        let error = receive_sns(&of_both(&host), &sent).await.unwrap_err();
        assert!(matches!(error, NotificationError::Certificate(_)), "{error:?}");
        assert!(error.is_passing() && error.status() == 503);
        assert_eq!(host.asked(), [SNS_CERTIFICATE]);
    }
}

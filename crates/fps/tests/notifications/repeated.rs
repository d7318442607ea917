//! What was dealt with, and what comes again.

use fps::Notifications;
use fps_sign::sns::SignatureVersion;

use crate::{
    FPS_CERTIFICATE, Host, SNS_CERTIFICATE, TEST_CERTIFICATE, of_both, receive_form, receive_sns,
    refund_changed, signed_envelope, signed_form, unsigned,
};

const SUCCESS: &str =
    include_str!("../../../fps-sign/tests/vectors/outbound/seed001-ipn-refund-success/body.form");

async fn is_repeated(notifications: &Notifications, number: usize) -> bool {
    let envelope = refund_changed(&format!("message-{number}"));
    let envelope = signed_envelope(&envelope, SignatureVersion::V2, SNS_CERTIFICATE);
    receive_sns(notifications, &envelope).await.unwrap().is_repeated()
}

#[tokio::test]
async fn only_what_was_acknowledged_is_repeated() {
    let notifications = of_both(&Host::serving(TEST_CERTIFICATE));
    let envelope = signed_envelope(&refund_changed("m"), SignatureVersion::V1, SNS_CERTIFICATE);
    // The first two times, whoever dealt with it failed.
    for _ in 0..2 {
        let received = receive_sns(&notifications, &envelope).await.unwrap();
        assert_eq!((received.id(), received.is_repeated()), ("m", false));
    }
    let received = receive_sns(&notifications, &envelope).await.unwrap();
    notifications.acknowledge(&received);
    // Signed otherwise, and still the same.
    let again = signed_envelope(&refund_changed("m"), SignatureVersion::V2, SNS_CERTIFICATE);
    for envelope in [&envelope, &again] {
        assert!(receive_sns(&notifications, envelope).await.unwrap().is_repeated());
    }
    assert!(!is_repeated(&notifications, 1).await);
}

#[tokio::test]
async fn a_notification_of_fps_is_the_same_however_it_is_signed() {
    let notifications = of_both(&Host::serving(TEST_CERTIFICATE));
    let params = unsigned(SUCCESS);
    let first = signed_form(&params, FPS_CERTIFICATE);
    let received = receive_form(&notifications, &first).await.unwrap();
    notifications.acknowledge(&received);
    let mut pairs: Vec<_> = params.iter().collect();
    pairs.reverse();
    let reversed =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let url = format!("{FPS_CERTIFICATE}?requestId=2");
    for params in [&params, &reversed] {
        let again = receive_form(&notifications, &signed_form(params, &url)).await.unwrap();
        assert_eq!((again.id(), again.is_repeated()), (received.id(), true));
    }
    // One word about the same transaction is other: it is news.
    for (name, other) in [
        ("transactionStatus", "PENDING"),
        ("statusCode", "Other"),
        ("statusMessage", "Other."),
        ("transactionAmount", "USD 2.00"),
    ] {
        let changed = params.iter().map(|(given, value)| {
            (given.to_owned(), if given == name { other } else { value }.to_owned())
        });
        let body = signed_form(&changed.collect(), FPS_CERTIFICATE);
        let other = receive_form(&notifications, &body).await.unwrap();
        assert!(other.id() != received.id() && !other.is_repeated(), "{name}");
    }
}

#[tokio::test]
async fn memory_is_bounded_and_forgets_the_oldest() {
    let notifications = of_both(&Host::serving(TEST_CERTIFICATE)).with_memory(3);
    for number in [0, 1, 2, 2, 1, 3] {
        let envelope = refund_changed(&format!("message-{number}"));
        let envelope = signed_envelope(&envelope, SignatureVersion::V2, SNS_CERTIFICATE);
        let received = receive_sns(&notifications, &envelope).await.unwrap();
        notifications.acknowledge(&received);
    }
    for (number, known) in [(0, false), (1, true), (2, true), (3, true)] {
        assert_eq!(is_repeated(&notifications, number).await, known, "{number}");
    }
    let none = of_both(&Host::serving(TEST_CERTIFICATE)).with_memory(0);
    let envelope = signed_envelope(&refund_changed("m"), SignatureVersion::V2, SNS_CERTIFICATE);
    for _ in 0..2 {
        let received = receive_sns(&none, &envelope).await.unwrap();
        assert!(!received.is_repeated());
        none.acknowledge(&received);
    }
}

//! What SNS posts for Amazon Pay, how often, and what can be made to go wrong with it.

use std::collections::BTreeSet;
use std::time::Duration;

use fps_http::testing::{Inbox, Sent};
use fps_sandbox::{MerchantSpec, NotificationFaults, NotificationRecord};
use fps_sign::sns::{Claim, SignatureVersion};
use fps_sign::{Certificate, CertificateOrigin};
use serde_json::Value;

use crate::pay::{json, text};
use crate::world::{World, reason, refund_id, refund_of, usd};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn told_world(inbox: &Inbox) -> World {
    let spec = MerchantSpec::new("Told").sns_url(inbox.url("/sns"));
    World::with(spec, Duration::ZERO).await
}

/// The fields of an envelope, and of the message in it.
fn envelope(sent: &Sent) -> (Value, Value) {
    let envelope: Value = serde_json::from_str(&sent.body).unwrap();
    let message = serde_json::from_str(text(&envelope, "Message")).unwrap();
    (envelope, message)
}

impl World {
    /// What was or will be told, when as many deliveries were tried.
    async fn tried(&self, count: usize) -> Vec<NotificationRecord> {
        let asking = async {
            loop {
                let all = self.sandbox.notifications(&self.merchant).await.unwrap();
                if all.iter().map(|one| one.deliveries.len()).sum::<usize>() >= count {
                    return all;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap()
    }
}

#[tokio::test]
async fn charges_permissions_and_refunds_are_told_in_signed_envelopes() {
    let inbox = Inbox::bind().await;
    let world = told_world(&inbox).await;
    let charge = world.charge("10.00", "0.30").await;
    let refund = world.create_refund("r", &refund_of(&charge, "1.00")).await;
    let permission = &charge[..19];
    for (kind, id) in
        [("CHARGE_PERMISSION", permission), ("CHARGE", &charge), ("REFUND", refund_id(&refund))]
    {
        let sent = inbox.answer(200, "").await;
        let (envelope, message) = envelope(&sent);
        assert_eq!(text(&message, "NotificationType"), "STATE_CHANGE");
        assert_eq!((text(&message, "ObjectType"), text(&message, "ObjectId")), (kind, id));
        assert_eq!(text(&message, "ChargePermissionId"), permission);
        assert_eq!(text(&message, "MerchantID"), world.merchant.seller_id);
        assert_eq!(text(&envelope, "TopicArn"), world.merchant.topic_arn);
        assert_eq!(text(&envelope, "SignatureVersion"), "1");
        for (header, value) in [
            ("content-type", "text/plain; charset=UTF-8"),
            ("x-amz-sns-message-type", "Notification"),
            ("x-amz-sns-message-id", text(&envelope, "MessageId")),
            ("x-amz-sns-topic-arn", text(&envelope, "TopicArn")),
        ] {
            assert_eq!(sent.header(header), Some(value), "{header}");
        }
        assert!(proved(&world, &envelope).await);
    }
    let all = world.tried(3).await;
    assert_eq!(all.len(), 3, "and nothing besides");
}

/// Is an envelope signed with the key of the certificate that it names?
async fn proved(world: &World, envelope: &Value) -> bool {
    let fields = envelope.as_object().unwrap().iter();
    let fields: Vec<(String, String)> =
        fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    let claim = Claim::read(fields).unwrap();
    assert_eq!(claim.signature_version(), SignatureVersion::V1);
    let origin = CertificateOrigin::new(&format!("{}/", world.sandbox.url())).unwrap();
    let address = claim.certificate_url(&origin).unwrap();
    let request = http::Request::get(address.as_str()).body(bytes::Bytes::new()).unwrap();
    let (status, pem) = world.send(request).await;
    assert_eq!(status, 200);
    let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
    claim.verify(certificate.public_key()).is_ok()
}

#[tokio::test]
async fn a_server_that_fails_is_told_again_hourly_for_three_hours() {
    let inbox = Inbox::bind().await;
    let world = told_world(&inbox).await;
    world.permission("10.00").await;
    let first = envelope(&inbox.answer(500, "").await).0;
    for hour in 1..=3 {
        world.tried(hour).await;
        world.sandbox.advance_clock(HOUR).await.unwrap();
        if hour < 3 {
            let again = envelope(&inbox.answer(503, "").await).0;
            assert_eq!(again, first, "the same id, time and signature");
        }
    }
    let all = world.tried(3).await;
    assert_eq!(all[0].deliveries.len(), 3);
    assert_eq!(all[0].due_at, None, "the next hour would be later than three");
    let statuses: Vec<_> = all[0].deliveries.iter().map(|one| one.status).collect();
    assert_eq!(statuses, [Some(500), Some(503), Some(503)]);
    assert_eq!(all[0].message_id.as_deref(), Some(text(&first, "MessageId")));

    world.sandbox.resend_notification(all[0].id).await.unwrap();
    let again = envelope(&inbox.answer(200, "").await).0;
    assert_eq!(again["MessageId"], first["MessageId"]);
    let all = world.tried(4).await;
    assert!(all[0].delivered_at.is_some());
    world.sandbox.resend_notification(999).await.unwrap_err();
}

#[tokio::test]
async fn a_refusal_ends_the_tries() {
    let inbox = Inbox::bind().await;
    let world = told_world(&inbox).await;
    world.permission("10.00").await;
    inbox.answer(404, "").await;
    let all = world.tried(1).await;
    assert_eq!((all[0].due_at, all[0].delivered_at), (None, None));
    // FPS goes on after the same answer; and where nobody listens, that is written down.
    let world =
        World::with(MerchantSpec::new("Told").notification_url("http://127.0.0.1:1/"), HOUR).await;
    world.paid("1").await;
    let all = world.tried(1).await;
    assert!(all[0].due_at.is_some());
    assert_eq!(all[0].deliveries[0].status, None);
    assert!(all[0].deliveries[0].error.is_some());
}

#[tokio::test]
async fn notifications_get_lost_double_and_late_on_purpose() {
    let inbox = Inbox::bind().await;
    let world = told_world(&inbox).await;
    world.sandbox.set_notification_faults(NotificationFaults::new(1).lose(1000));
    world.permission("10.00").await;
    let all = world.tried(1).await;
    assert_eq!(all[0].deliveries[0].error.as_deref(), Some("lost on purpose"));
    assert_eq!(all[0].due_at, None);

    world.sandbox.set_notification_faults(NotificationFaults::new(1).duplicate(1000));
    world.permission("10.00").await;
    let first = envelope(&inbox.answer(200, "").await).0;
    assert_eq!(envelope(&inbox.answer(200, "").await).0, first);
    world.tried(3).await;

    world.sandbox.set_notification_faults(NotificationFaults::new(1).delay(1000, HOUR));
    world.permission("10.00").await;
    world.permission("20.00").await;
    let waits = async {
        loop {
            let all = world.sandbox.notifications(&world.merchant).await.unwrap();
            if all[2..].iter().all(|one| one.due_at > Some(one.created_at)) {
                return all;
            }
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), waits).await.unwrap();
    assert!(all[2..].iter().all(|one| one.deliveries.is_empty()));
    world.sandbox.advance_clock(HOUR).await.unwrap();
    let mut told = BTreeSet::new();
    for _ in 0..2 {
        told.insert(text(&envelope(&inbox.answer(200, "").await).1, "ObjectId").to_owned());
    }
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn a_change_that_is_refused_is_not_told() {
    let inbox = Inbox::bind().await;
    let world = told_world(&inbox).await;
    let charge = world.authorized("10.00").await;
    for _ in 0..2 {
        inbox.answer(200, "").await;
    }
    let seen = world.capture(&charge, "a", "10.01").await;
    assert_eq!(reason(&seen), (400, "TransactionAmountExceeded"));
    assert_eq!(world.tried(2).await.len(), 2);
    assert_eq!(json(&world.capture(&charge, "b", "10.00").await)["chargeId"], charge.as_str());
    assert_eq!(text(&envelope(&inbox.answer(200, "").await).1, "ObjectId"), charge);
    assert_eq!(world.totals().await[0].captured, usd("10.00"));
}

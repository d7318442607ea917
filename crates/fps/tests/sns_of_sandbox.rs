//! Notifications of Amazon Pay from the sandbox, proved by the client and followed by reading the object.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::time::Duration;

use fps::amazon_pay::CreateRefund;
use fps::{
    AmazonPay, AmazonPayConfig, Arrived, CertificateFetcher, CertificateOrigin, Currency, Event,
    Followed, IdempotencyKey, Money, NotificationError, Notifications, Patience, PrivateKey, Proof,
    Received, RefundState, Region, Settings, Topic, Trust,
};
use fps_http::testing::{Inbox, Sent};
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox};

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn settings(sandbox: &Sandbox) -> Settings {
    Settings::default().with_trust(Trust::Only(sandbox.ca_pem().to_owned()))
}

/// Believes the topic of a merchant, signed by the sandbox.
fn verifier(sandbox: &Sandbox, merchant: &Merchant, seller_id: &str) -> Notifications {
    let origin = CertificateOrigin::new(&format!("{}/", sandbox.url())).unwrap();
    let topic = Topic::new(origin, merchant.topic_arn.as_str()).with_merchant(seller_id);
    Notifications::of_topics([topic], CertificateFetcher::new(&settings(sandbox)).unwrap())
}

async fn receive(
    notifications: &Notifications,
    sent: &Sent,
) -> Result<Received, NotificationError> {
    let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    notifications.receive(&Arrived::new("POST", headers, sent.body.as_bytes())).await
}

fn client(sandbox: &Sandbox, merchant: &Merchant) -> AmazonPay {
    let private_key = PrivateKey::from_pem(merchant.private_key_pem.expose()).unwrap();
    let config = AmazonPayConfig::new(&*merchant.public_key_id, private_key, Region::NorthAmerica);
    let config = config.unwrap().with_endpoint(sandbox.url()).unwrap();
    AmazonPay::new(config, &settings(sandbox)).unwrap()
}

#[tokio::test]
async fn a_refund_is_told_proved_and_read() {
    for version_2 in [false, true] {
        let inbox = Inbox::bind().await;
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path().join("s.db")).sns_version_2(version_2);
        let sandbox = Sandbox::start(config.processing(Duration::ZERO)).await.unwrap();
        let spec = MerchantSpec::new("Test Business").sns_url(inbox.url("/sns"));
        let merchant = sandbox.create_merchant(spec).await.unwrap();
        let notifications = verifier(&sandbox, &merchant, &merchant.seller_id);
        let charge = sandbox.capture_charge(&merchant, usd("100.00")).create().await.unwrap();
        let pay = client(&sandbox, &merchant);
        let key = IdempotencyKey::new("refund").unwrap();
        let refund = CreateRefund::new(key, charge.as_str(), usd("40.00"));
        let refund = pay.submit(&refund).await.unwrap();

        // The permission and the charge come first.
        let mut told = Vec::new();
        for _ in 0..3 {
            // A doubled delivery: the first answer is lost.
            let sent = inbox.answer(200, "").await;
            let received = receive(&notifications, &sent).await.unwrap();
            assert_eq!(received.proof(), Proof::Certificate);
            notifications.acknowledge(&received);
            assert!(receive(&notifications, &sent).await.unwrap().is_repeated());
            let mut forged = sent.clone();
            forged.body = forged.body.replace("STATE_CHANGE", "STATE_CHANGF");
            receive(&notifications, &forged).await.unwrap_err();
            receive(&verifier(&sandbox, &merchant, "SOMEBODY"), &sent).await.unwrap_err();
            told.push(received);
        }
        let Event::Changed(changed) = told[2].event() else { panic!("{:?}", told[2].event()) };
        assert_eq!(changed.refund_id().as_ref().map(|id| id.as_str()), Some(refund.id.as_str()));
        let patience = Patience::short(Duration::from_millis(10), Duration::from_secs(30));
        let end = pay.wait_for_refund(&changed.refund_id().unwrap(), &patience).await.unwrap();
        assert_eq!(end, Followed::Settled(RefundState::Refunded));
    }
}

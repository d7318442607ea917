//! What the audit says of clients that misbehave, each in its own way, and of one that does not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use fps_http::testing::Inbox;
use fps_http::{
    AmazonPayConfig, BoxFuture, Client, HyperTransport, Region, Settings, SystemClock, Transport,
    TransportError, TransportErrorKind, Trust,
};
use fps_model::IdempotencyKey;
use fps_model::amazon_pay::CreateRefund;
use fps_model::flexible_payments::GetTransactionStatus;
use fps_sandbox::MerchantSpec;
use fps_sandbox::audit::{Code, Report, Severity};
use fps_sign::PrivateKey;
use serde_json::Value;
use tower_service::Service;

use crate::world::{LONG, World, encoded, refund, refund_id, refund_of, usd};

impl World {
    async fn audit(&self) -> Report {
        self.sandbox.audit().await.unwrap()
    }

    /// The codes that are found.
    async fn codes(&self) -> Vec<Code> {
        self.audit().await.counts.into_keys().collect()
    }

    /// Carries a request out, and goes away before the answer leaves.
    async fn lose(&self, request: http::Request<Bytes>) {
        let answer = self.sandbox.router().call(request.map(Body::from)).await.unwrap();
        assert!(answer.status().is_success());
    }
}

#[tokio::test]
async fn a_new_key_after_a_lost_answer_may_refund_twice() {
    let world = World::start().await;
    let charge = world.charge("100", "0").await;
    let body = refund_of(&charge, "10");
    let request = world.pay_request("POST", "/v2/refunds", Some("first"), &body);
    world.lose(world.signed_pay(request)).await;
    world.create_refund("second", &body).await;
    let report = world.audit().await;
    assert_eq!(report.worst(), Some(Severity::High));
    let [finding] = &*report.findings else { panic!("{report}") };
    assert_eq!(finding.code, Code::NewKeyAfterLostAnswer);
    let [lost, again] = &*finding.requests else { panic!("{report}") };
    assert_eq!((lost.key.as_deref(), lost.status), (Some("first"), None));
    assert_eq!((again.key.as_deref(), again.status), (Some("second"), Some(201)));
    assert_eq!(again.payment.as_deref(), Some(&*charge));
    // And it did.
    assert_eq!(world.totals().await[0].refunding, usd("20"));
    // The control API says the same.
    let request = http::Request::get(format!("{}/_sandbox/audit", world.sandbox.url()));
    let seen = world.send(request.body(Bytes::new()).unwrap()).await;
    let seen: Value = serde_json::from_str(&seen.1).unwrap();
    assert_eq!(seen["findings"][0]["code"], "new-key-after-lost-answer");
    assert_eq!(seen["counts"]["new-key-after-lost-answer"], 1);
}

#[tokio::test]
async fn whoever_looks_before_a_new_key_knows() {
    let world = World::start().await;
    let charge = world.charge("100", "0").await;
    let body = refund_of(&charge, "10");
    let request = world.pay_request("POST", "/v2/refunds", Some("first"), &body);
    world.lose(world.signed_pay(request)).await;
    world.get(&format!("/v2/charges/{charge}")).await;
    world.create_refund("second", &body).await;
    assert_eq!(world.codes().await, []);
}

#[tokio::test]
async fn a_key_stands_for_one_request_for_seven_days() {
    let world = World::start().await;
    let charge = world.charge("100", "0").await;
    world.create_refund("key", &refund_of(&charge, "10")).await;
    world.create_refund("key", &refund_of(&charge, "11")).await;
    assert_eq!(world.codes().await, [Code::SameKeyOtherBody]);
    let transaction = world.paid("10").await;
    let request = refund("reference", &transaction).refund_amount(usd("1"));
    world.fps(&request).await;
    world.sandbox.advance_clock(Duration::from_secs(7 * 86_400)).await.unwrap();
    world.fps(&request).await;
    assert_eq!(world.codes().await, [Code::SameKeyOtherBody, Code::KeyPastWindow]);
    assert_eq!(world.totals().await[1].refunded, usd("2"), "it was executed twice");
}

#[tokio::test]
async fn old_signatures_and_floats_are_seen_although_they_are_refused() {
    let world = World::start().await;
    let charge = world.charge("100", "0").await;
    world.create_refund("key", &refund_of(&charge, "10.100000001")).await;
    let mut params = encoded(&GetTransactionStatus::new("T"));
    params.push("SignatureVersion", "1");
    params.push("AWSAccessKeyId", world.merchant.access_key_id.clone());
    world.post(&params).await;
    assert_eq!(world.codes().await, [Code::SignatureVersion1, Code::AmountLikeFloat]);
}

#[tokio::test]
async fn impatience_is_seen() {
    let world = World::start().await;
    let charge = world.charge("100", "0").await;
    let created = world.create_refund("key", &refund_of(&charge, "10")).await;
    let path = format!("/v2/refunds/{}", refund_id(&created));
    let asking = async {
        while world.codes().await != [Code::PollingTooFast] {
            world.get(&path).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap();
    world.sandbox.control().reset_audit();
    assert_eq!(world.codes().await, []);
}

#[tokio::test]
async fn a_notification_that_nobody_checked_is_remarked_on() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Notified").notification_url(inbox.url("/ipn"));
    let world = World::with(spec, LONG).await;
    let transaction = world.paid("1").await;
    inbox.answer(200, "").await;
    let minutes = Duration::from_secs(6 * 60);
    let remarked = async {
        while world.codes().await != [Code::NotificationNotChecked] {
            world.sandbox.advance_clock(minutes).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), remarked).await.unwrap();
    assert!(world.audit().await.to_string().contains(&transaction));
    world.fps(&GetTransactionStatus::new(transaction)).await;
    assert_eq!(world.codes().await, []);
}

#[tokio::test]
async fn a_notification_that_nobody_takes_is_remarked_on() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Deaf").notification_url(inbox.url("/ipn"));
    let world = World::with(spec, LONG).await;
    world.paid("1").await;
    for _ in 0..3 {
        inbox.answer(500, "").await;
        world.sandbox.advance_clock(Duration::from_secs(3600)).await.unwrap();
    }
    let remarked = async {
        while world.codes().await != [Code::NotificationNotTaken] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), remarked).await.unwrap();
}

/// The network, which loses the first answers to POST on their way.
struct Lossy {
    network: HyperTransport,
    router: axum::Router,
    to_lose: AtomicU32,
}

impl Transport for Lossy {
    fn call(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let is_post = request.method() == http::Method::POST;
            let one_less = |left: u32| left.checked_sub(1);
            let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
            if is_post && self.to_lose.fetch_update(set, read, one_less).is_ok() {
                let host = request.uri().authority().unwrap().as_str().parse().unwrap();
                let mut request = request.map(Body::from);
                request.headers_mut().insert("host", host);
                drop(self.router.clone().call(request).await);
                return Err(TransportError::new(TransportErrorKind::Timeout));
            }
            self.network.call(request, timeout, body_bytes_max).await
        })
    }
}

#[tokio::test]
async fn a_good_client_through_lost_answers_does_no_harm() {
    let world = World::start().await;
    let charge = world.charge("100", "3").await;
    let trust = Trust::Only(world.sandbox.ca_pem().to_owned());
    let settings = Settings::default().with_trust(trust);
    let network = HyperTransport::new(&settings).unwrap();
    let (router, to_lose) = (world.sandbox.router(), AtomicU32::new(2));
    let lossy = Lossy { network, router, to_lose };
    let key = PrivateKey::from_pem(world.merchant.private_key_pem.expose()).unwrap();
    let config = AmazonPayConfig::new(&*world.merchant.public_key_id, key, Region::NorthAmerica);
    let config = config.unwrap().with_endpoint(world.sandbox.url()).unwrap();
    let client = Client::with_transport(config, settings, lossy, SystemClock::new());
    for (key, amount) in [("one", "10"), ("two", "10"), ("three", "5.55")] {
        let refund = CreateRefund::new(IdempotencyKey::new(key).unwrap(), &*charge, usd(amount));
        client.send(&refund).await.unwrap();
    }
    let report = world.audit().await;
    assert_eq!(report.exchanges, 5, "{report}");
    assert!(report.worst() < Some(Severity::High), "{report}");
    assert_eq!(world.totals().await[0].refunding, usd("25.55"));
}

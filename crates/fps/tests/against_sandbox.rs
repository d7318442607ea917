//! The paved path against the sandbox: decide, send, follow, believe what is proved.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

use std::time::Duration;

use fps::amazon_pay::{ChargeId, CreateRefund, ReasonCode, RefundId};
use fps::flexible_payments::{
    CancelToken, ErrorCode, GetTransaction, GetTransactionStatus, NotifiedStatus, Pay, Refund,
    TransactionId, TransactionNotification, TransactionStatus,
};
use fps::{
    AmazonPay, AmazonPayConfig, Arrived, CallerReference, CertificateFetcher, CertificateOrigin,
    Credentials, Currency, Decision, Event, FlexiblePayments, FlexiblePaymentsConfig, Followed,
    IdempotencyKey, Method, Money, NotificationError, Notifications, Observation, Patience,
    PrivateKey, Received, RefundError, RefundState, Region, Rule, ServiceRefusal, Settings,
    SnapshotError, Trust, Wish,
};
use fps_http::testing::{Inbox, Sent};
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox};
use tempfile::TempDir;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

fn reference(text: &str) -> CallerReference {
    CallerReference::new(text).unwrap()
}

fn patience() -> Patience {
    Patience::short(Duration::from_millis(10), Duration::from_secs(30))
}

struct World {
    _folder: TempDir,
    sandbox: Sandbox,
    merchant: Merchant,
    pay: AmazonPay,
    fps: FlexiblePayments,
}

impl World {
    async fn start(spec: MerchantSpec) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path().join("s.db")).processing(Duration::from_millis(20));
        let sandbox = Sandbox::start(config).await.unwrap();
        let merchant = sandbox.create_merchant(spec).await.unwrap();
        let settings = Settings::default().with_trust(Trust::Only(sandbox.ca_pem().to_owned()));
        let private_key = PrivateKey::from_pem(merchant.private_key_pem.expose()).unwrap();
        let config =
            AmazonPayConfig::new(&*merchant.public_key_id, private_key, Region::NorthAmerica);
        let config = config.unwrap().with_endpoint(sandbox.url()).unwrap();
        let pay = AmazonPay::new(config, &settings).unwrap();
        let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
        let config = FlexiblePaymentsConfig::new(sandbox.url(), credentials).unwrap();
        let fps = FlexiblePayments::new(config, &settings).unwrap();
        Self { _folder: folder, sandbox, merchant, pay, fps }
    }

    async fn charge(&self) -> ChargeId {
        let charge = self.sandbox.capture_charge(&self.merchant, usd("100.00"));
        charge.fee(usd("3.00")).create().await.unwrap()
    }

    /// A payment that has completed.
    async fn paid(&self, method: Method) -> TransactionId {
        let token = self.sandbox.install_token(&self.merchant, method).await.unwrap();
        let request = Pay::new(reference(&token.as_str()[..32]), token.as_str(), usd("100.00"));
        let id = self.fps.client().send(&request).await.unwrap().result.transaction_id;
        let end = self.fps.wait_for_refund(&id, &patience()).await.unwrap();
        assert_eq!(end, Followed::Settled(RefundState::Refunded));
        id
    }
}

#[tokio::test]
async fn a_charge_is_refunded_in_parts_until_nothing_is_left() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let charge = world.charge().await;
    let payment = world.pay.payment(&charge).await.unwrap().with_fee(usd("3.00")).unwrap();
    let half = Wish::amount(usd("50.00"));
    let (plan, refund) = world.pay.refund(key("half"), &charge, &payment, &half).await.unwrap();
    assert_eq!(plan.fee_returned(), usd("1.50"));
    assert_eq!(refund.state, RefundState::Pending);
    assert!(refund.request_id.is_some());
    let again = CreateRefund::new(key("half"), charge.as_str(), plan.amount());
    assert_eq!(world.pay.submit(&again).await.unwrap().id, refund.id);
    let end = world.pay.wait_for_refund(&refund.id, &patience()).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Refunded));

    let payment = world.pay.payment(&charge).await.unwrap().with_fee(usd("3.00")).unwrap();
    assert_eq!(payment.held(), usd("50.00"));
    let rest = world.pay.refund(key("rest"), &charge, &payment, &Wish::rest()).await.unwrap();
    let (plan, rest) = rest;
    assert_eq!(plan.fee_returned(), usd("1.50"));
    let end = world.pay.wait_for_refund(&rest.id, &patience()).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Refunded));

    let totals = world.sandbox.totals(&world.merchant).await.unwrap();
    assert_eq!(totals[0].refunded, usd("100.00"));
    assert_eq!(totals[0].fees_returned, usd("3.00"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_wish_above_the_cap_is_refused_here_and_there() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let charge = world.charge().await;
    let payment = world.pay.payment(&charge).await.unwrap();
    let wish = Wish::amount(usd("115.01"));
    let Decision::Refuse(planned) = world.pay.plan(&payment, &wish) else {
        panic!("above captured and overage");
    };
    let error = world.pay.refund(key("k"), &charge, &payment, &wish).await.unwrap_err();
    let RefundError::Refused(refusal) = error else { panic!("{error:?}") };
    assert_eq!(refusal, planned, "the dry run is the same code");
    assert_eq!(refusal.rule(), Rule::Remaining);

    let request = CreateRefund::new(key("k"), charge.as_str(), usd("115.01"));
    let error = world.pay.client().send(&request).await.unwrap_err();
    assert_eq!(error.status(), Some(400));
    assert!(!error.is_unknown());
    let Some(ServiceRefusal::AmazonPay(refusal)) = error.refusal() else { panic!("{error:?}") };
    assert_eq!(refusal.code, ReasonCode::TransactionAmountExceeded);
    // Exactly the cap is taken.
    let wish = Wish::amount(usd("115.00"));
    world.pay.refund(key("l"), &charge, &payment, &wish).await.unwrap();
}

#[tokio::test]
async fn a_declined_refund_gives_everything_back() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let charge = world.charge().await;
    world.sandbox.decline_refunds(charge.as_str(), "AmazonRejected").await.unwrap();
    let payment = world.pay.payment(&charge).await.unwrap();
    let (_, refund) = world.pay.refund(key("k"), &charge, &payment, &Wish::rest()).await.unwrap();
    let end = world.pay.wait_for_refund(&refund.id, &patience()).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Declined));
    let totals = world.sandbox.totals(&world.merchant).await.unwrap();
    assert_eq!((totals[0].refunded, totals[0].refunding), (usd("0.00"), usd("0.00")));
    assert_eq!(totals[0].fees_returned, usd("0.00"));
    world.sandbox.verify_books().await.unwrap();
    // What was declined may be refunded again.
    assert_eq!(world.pay.payment(&charge).await.unwrap().held(), usd("0.00"));
}

#[tokio::test]
async fn a_refund_that_is_sent_again_is_the_same_refund() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let charge = world.charge().await;
    let payment = world.pay.payment(&charge).await.unwrap();
    let (plan, first) = world.pay.refund(key("k"), &charge, &payment, &Wish::rest()).await.unwrap();
    // By now the charge holds the refund: who decides again is refused, who repeats is answered.
    let fresh = world.pay.payment(&charge).await.unwrap();
    let error = world.pay.refund(key("k"), &charge, &fresh, &Wish::rest()).await.unwrap_err();
    assert!(matches!(error, RefundError::Refused(_)), "{error:?}");
    let request = CreateRefund::new(key("k"), charge.as_str(), plan.amount());
    assert_eq!(world.pay.submit(&request).await.unwrap().id, first.id);
    // The very amount that was decided is the very same request.
    let overage = Wish::amount(usd("15.00"));
    let (_, second) = world.pay.refund(key("l"), &charge, &fresh, &overage).await.unwrap();
    let (_, again) = world.pay.refund(key("l"), &charge, &fresh, &overage).await.unwrap();
    assert_eq!(again.id, second.id);

    let id = world.paid(Method::Balance).await;
    let payment = world.fps.payment(&id).await.unwrap();
    let wish = Wish::amount(usd("30.00"));
    let (_, first) = world.fps.refund(reference("k"), &id, &payment, &wish).await.unwrap();
    let fresh = world.fps.payment(&id).await.unwrap();
    assert_eq!(fresh.held(), usd("30.00"));
    let (_, again) = world.fps.refund(reference("k"), &id, &fresh, &wish).await.unwrap();
    assert_eq!(again.id, first.id);
    let request = Refund::new(reference("k"), id.as_str()).refund_amount(usd("30.00"));
    assert_eq!(world.fps.submit(&request).await.unwrap().id, first.id);

    assert_eq!(world.pay.payment(&charge).await.unwrap().held(), usd("115.00"));
    let payment = world.fps.payment(&id).await.unwrap();
    assert_eq!((payment.held(), payment.refunds()), (usd("30.00"), 1));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_fps_refund_that_is_declined_is_told_by_every_way() {
    // A card refund is declined later, one to the balance at once.
    for (method, answered, notifications) in
        [(Method::Card, RefundState::Pending, 4), (Method::Balance, RefundState::Declined, 2)]
    {
        let inbox = Inbox::bind().await;
        let url = inbox.url("/ipn");
        let world = World::start(MerchantSpec::new("Test Business").notification_url(&url)).await;
        let id = world.paid(method).await;
        world.sandbox.decline_refunds(id.as_str(), "ProcessingFailure").await.unwrap();
        let payment = world.fps.payment(&id).await.unwrap();
        let refund = world.fps.refund(reference("r"), &id, &payment, &Wish::rest()).await;
        let (plan, refund) = refund.unwrap();
        assert_eq!(refund.state, answered, "{method:?}");

        let end = world.fps.wait_for_refund(&refund.id, &patience()).await.unwrap();
        assert_eq!(end, Followed::Settled(RefundState::Declined));
        let status = GetTransactionStatus::new(refund.id.as_str());
        let status = world.fps.client().send(&status).await.unwrap().result;
        assert_eq!(status.transaction_status, TransactionStatus::Failure);
        assert_eq!(status.status_code.as_deref(), Some("TransactionDenied"));
        let detail = GetTransaction::new(refund.id.as_str());
        let detail = world.fps.client().send(&detail).await.unwrap().result.transaction.unwrap();
        assert_eq!(detail.transaction_status, TransactionStatus::Failure);
        assert_eq!(detail.fps_fees, Some(usd("0.00")));
        assert!(detail.date_completed.is_some());

        let trust = Trust::Only(world.sandbox.ca_pem().to_owned());
        let settings = Settings::default().with_trust(trust);
        let origin = CertificateOrigin::new(&format!("{}/", world.sandbox.url())).unwrap();
        let verifier = Notifications::new(url, origin, CertificateFetcher::new(&settings).unwrap());
        let mut last = None;
        for _ in 0..notifications {
            let sent = inbox.answer(200, "").await;
            last = Some(receive(&verifier, &sent, &sent.body).await.unwrap());
        }
        let last = last.unwrap();
        assert_eq!(last.event().observation(), Some(Observation::Declined));
        let last = transaction(&last);
        assert_eq!(last.transaction_id, refund.id);
        assert_eq!(last.transaction_status, NotifiedStatus::Failure);
        assert_eq!(last.parent_transaction_id.as_ref(), Some(&id));

        // It is as if it had never been: the same may be refunded, for the same fee.
        world.sandbox.accept_refunds(id.as_str()).await.unwrap();
        let payment = world.fps.payment(&id).await.unwrap();
        assert_eq!((payment.held(), payment.refunds()), (usd("0.00"), 0));
        let again = world.fps.refund(reference("s"), &id, &payment, &Wish::rest()).await;
        let (again, other) = again.unwrap();
        assert_eq!(again, plan);
        assert_ne!(other.id, refund.id);
        let end = world.fps.wait_for_refund(&other.id, &patience()).await.unwrap();
        assert_eq!(end, Followed::Settled(RefundState::Refunded));
        let totals = world.sandbox.totals(&world.merchant).await.unwrap();
        assert_eq!((totals[0].refunded, totals[0].refunding), (plan.amount(), usd("0.00")));
        assert_eq!(totals[0].fees_returned, plan.fee_returned());
        world.sandbox.verify_books().await.unwrap();
    }
}

#[tokio::test]
async fn a_fps_payment_is_read_with_its_fee_and_its_refunds() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let id = world.paid(Method::Card).await;
    let payment = world.fps.payment(&id).await.unwrap();
    assert_eq!((payment.captured(), payment.fee()), (usd("100.00"), usd("3.00")));
    assert_eq!(payment.method(), Method::Card);
    let wish = Wish::amount(usd("30.00"));
    let (plan, refund) = world.fps.refund(reference("part"), &id, &payment, &wish).await.unwrap();
    assert_eq!(plan.fee_returned(), usd("0.90"));
    let end = world.fps.wait_for_refund(&refund.id, &patience()).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Refunded));
    let payment = world.fps.payment(&id).await.unwrap();
    assert_eq!((payment.refunded(), payment.refunds()), (usd("30.00"), 1));
    let rest = world.fps.refund(reference("rest"), &id, &payment, &Wish::rest()).await.unwrap();
    let (plan, rest) = rest;
    assert_eq!((plan.amount(), plan.fee_returned()), (usd("70.00"), usd("2.10")));
    let end = world.fps.wait_for_refund(&rest.id, &patience()).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Refunded));
    let payment = world.fps.payment(&id).await.unwrap();
    assert!(matches!(world.fps.plan(&payment, &Wish::rest()), Decision::Refuse(_)));
    let totals = world.sandbox.totals(&world.merchant).await.unwrap();
    assert_eq!(totals[0].fees_returned, usd("3.00"));
}

#[tokio::test]
async fn a_balance_payment_is_refunded_at_once() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let id = world.paid(Method::Balance).await;
    let payment = world.fps.payment(&id).await.unwrap();
    let (_, refund) = world.fps.refund(reference("r"), &id, &payment, &Wish::rest()).await.unwrap();
    assert_eq!(refund.state, RefundState::Refunded);
}

#[tokio::test]
async fn a_cancelled_token_cannot_be_charged() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let token = world.sandbox.install_token(&world.merchant, Method::Card).await.unwrap();
    world.fps.client().send(&CancelToken::new(token.as_str())).await.unwrap();
    let pay = Pay::new(reference("after"), token.as_str(), usd("1.00"));
    let error = world.fps.client().send(&pay).await.unwrap_err();
    let Some(ServiceRefusal::FlexiblePayments(refusal)) = error.refusal() else {
        panic!("{error:?}");
    };
    assert_eq!(refusal.code, ErrorCode::TokenNotActiveSender);
    let error = world.fps.client().send(&CancelToken::new(token.as_str())).await.unwrap_err();
    assert_eq!(error.service_code(), Some("TokenNotActive"));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::start(MerchantSpec::new("Test Business")).await;
    let error = world.pay.payment(&ChargeId::new("S01-0000000-0000000-C000000")).await;
    let Err(SnapshotError::Call(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.service_code(), Some("ResourceNotFound"));
    let refund = RefundId::new("S01-0000000-0000000-R000000");
    let error = world.pay.wait_for_refund(&refund, &patience()).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn patience_ends_without_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path().join("s.db")).processing(Duration::from_secs(3600));
    let sandbox = Sandbox::start(config).await.unwrap();
    let merchant = sandbox.create_merchant(MerchantSpec::new("Slow")).await.unwrap();
    let charge = sandbox.capture_charge(&merchant, usd("1.00")).create().await.unwrap();
    let private_key = PrivateKey::from_pem(merchant.private_key_pem.expose()).unwrap();
    let config = AmazonPayConfig::new(&*merchant.public_key_id, private_key, Region::Europe);
    let config = config.unwrap().with_endpoint(sandbox.url()).unwrap();
    let settings = Settings::default().with_trust(Trust::Only(sandbox.ca_pem().to_owned()));
    let pay = AmazonPay::new(config, &settings).unwrap();
    let payment = pay.payment(&charge).await.unwrap();
    let (_, refund) = pay.refund(key("k"), &charge, &payment, &Wish::rest()).await.unwrap();
    let short = Patience::short(Duration::from_millis(1), Duration::from_millis(20));
    assert_eq!(pay.wait_for_refund(&refund.id, &short).await.unwrap(), Followed::StillPending);
}

#[tokio::test]
async fn notifications_are_believed_only_when_proved() {
    let inbox = Inbox::bind().await;
    let url = inbox.url("/ipn");
    let world = World::start(MerchantSpec::new("Test Business").notification_url(&url)).await;
    let id = world.paid(Method::Card).await;
    let payment = world.fps.payment(&id).await.unwrap();
    let wish = Wish::amount(usd("30.00"));
    let (_, refund) = world.fps.refund(reference("r"), &id, &payment, &wish).await.unwrap();

    let trust = Trust::Only(world.sandbox.ca_pem().to_owned());
    let settings = Settings::default().with_trust(trust);
    let origin = |origin: &str| CertificateOrigin::new(origin).unwrap();
    let notifications = |url: &str, from: &str| {
        Notifications::new(url, origin(from), CertificateFetcher::new(&settings).unwrap())
    };
    let here = format!("{}/", world.sandbox.url());
    let verifier = notifications(&url, &here);
    let mut seen = Vec::new();
    let mut sent = Vec::new();
    for _ in 0..4 {
        let request = inbox.answer(200, "").await;
        let received = receive(&verifier, &request, &request.body).await.unwrap();
        let observation = received.event().observation();
        let notified = transaction(&received);
        let (id, status) = (&notified.transaction_id, &notified.transaction_status);
        seen.push((id.clone(), status.clone(), observation));
        sent.push(request);
    }
    assert_eq!(
        seen,
        [
            // The payment itself: nothing about a refund.
            (id.clone(), NotifiedStatus::Pending, None),
            (id, NotifiedStatus::Success, None),
            (refund.id.clone(), NotifiedStatus::Pending, Some(Observation::Pending)),
            (refund.id, NotifiedStatus::Success, Some(Observation::Refunded)),
        ]
    );

    let forged = sent[2].body.replace("transactionStatus=PENDING", "transactionStatus=SUCCESS");
    let error = receive(&verifier, &sent[2], &forged).await.unwrap_err();
    assert!(matches!(error, NotificationError::Unproved(fps_sign::Error::Mismatch)), "{error:?}");
    // Meant for another address.
    let elsewhere = notifications("http://127.0.0.1:1/ipn", &here);
    let error = receive(&elsewhere, &sent[3], &sent[3].body).await.unwrap_err();
    assert!(matches!(error, NotificationError::Unproved(_)), "{error:?}");
    // Signed by a sandbox, while the live service is expected: nothing is fetched.
    let live = notifications(&url, "https://fps.amazonaws.com/");
    let error = receive(&live, &sent[3], &sent[3].body).await.unwrap_err();
    assert!(matches!(error, NotificationError::Foreign(_)), "{error:?}");
    for body in ["", "transactionStatus=SUCCESS", "%ff"] {
        receive(&verifier, &sent[3], body).await.unwrap_err();
    }
}

/// What arrived as this request, with this body.
async fn receive(
    notifications: &Notifications,
    sent: &Sent,
    body: &str,
) -> Result<Received, NotificationError> {
    let method = sent.line.split(' ').next().unwrap();
    let headers = sent.headers.iter().map(|(name, value)| (name, value));
    notifications.receive(&Arrived::new(method, headers, body.as_bytes())).await
}

fn transaction(received: &Received) -> &TransactionNotification {
    match received.event() {
        Event::Transaction(notified) => notified,
        other => panic!("{other:?}"),
    }
}

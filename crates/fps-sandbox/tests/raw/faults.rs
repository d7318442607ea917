//! Faults on demand, over real connections: what the client sees, what the books say was carried out,
//! and what a second try makes of it.

use bytes::Bytes;
use fps_sandbox::{Fault, FaultPlan, FaultRule, Service};
use http::Request;

use crate::door::{exchange_of, raw_get};
use crate::world::{Seen, World, encoded, refund, refund_id, refund_of, transaction_id, usd};

/// A refund of one dollar through each service, ready to be sent, any number of times.
struct Refunds {
    world: World,
    charge: String,
    transaction: String,
}

impl Refunds {
    async fn prepare() -> Self {
        let world = World::start().await;
        let charge = world.charge("100.00", "3.00").await;
        let transaction = world.paid("100.00").await;
        Self { world, charge, transaction }
    }

    fn request(&self, service: Service) -> Request<Bytes> {
        match service {
            Service::AmazonPay => {
                let body = refund_of(&self.charge, "1.00");
                let request = self.world.pay_request("POST", "/v2/refunds", Some("key"), &body);
                self.world.signed_pay(request)
            }
            Service::FlexiblePayments => {
                let refund = refund("key", &self.transaction).refund_amount(usd("1.00"));
                self.world.form(&self.world.signed("POST", &encoded(&refund)))
            }
        }
    }

    async fn send(&self, service: Service) -> Option<Seen> {
        self.world.try_send(self.request(service)).await
    }

    /// How much goes back, or has gone, by the books of a service.
    async fn refunded(&self, service: Service) -> String {
        let totals = self.world.totals().await;
        let totals = totals.iter().find(|totals| totals.service == service).unwrap();
        totals.refunded.checked_add(totals.refunding).unwrap().to_string()
    }
}

const SERVICES: [Service; 2] = [Service::AmazonPay, Service::FlexiblePayments];

/// What a client sees of an answer: its status and whether it reads like one of the service.
fn status_of(service: Service, seen: Option<&Seen>) -> Option<u16> {
    let (status, body) = seen?;
    let (refused, done) = match service {
        Service::AmazonPay => (r#"{"reasonCode":""#, r#"{"refundId":""#),
        Service::FlexiblePayments => ("<Errors><Error><Code>", "<RefundResponse"),
    };
    let expected = if *status < 300 { done } else { refused };
    assert!(body.contains(expected), "{status} {body}");
    Some(*status)
}

#[tokio::test]
async fn each_fault_is_seen_as_it_is_told_and_the_books_say_what_was_carried_out() {
    let (done, nothing) = ("1.00", "0.00");
    for (fault, seen, executed) in [
        (Fault::Delay { millis: 1 }, [Some(201), Some(200)], done),
        (Fault::ErrorBefore { status: 500 }, [Some(500), Some(500)], nothing),
        (Fault::ErrorBefore { status: 503 }, [Some(503), Some(503)], nothing),
        (Fault::ErrorAfter { status: 502 }, [Some(502), Some(502)], done),
        (Fault::DropBefore, [None, None], nothing),
        (Fault::CommitThenDrop, [None, None], done),
        (Fault::Truncate { after: None }, [None, None], done),
        (Fault::Truncate { after: Some(0) }, [None, None], done),
        (Fault::Truncate { after: Some(u32::MAX) }, [None, None], done),
        (Fault::Duplicate, [Some(201), Some(200)], done),
        (Fault::Throttle, [Some(429), Some(503)], nothing),
    ] {
        let refunds = Refunds::prepare().await;
        for (service, expected) in SERVICES.into_iter().zip(seen) {
            let rule = FaultRule::new(fault.clone()).service(service).key("key").times(1);
            refunds.world.sandbox.add_fault(rule).unwrap();
            let first = refunds.send(service).await;
            assert_eq!(status_of(service, first.as_ref()), expected, "{fault:?} {service:?}");
            assert_eq!(refunds.refunded(service).await, executed, "{fault:?} {service:?}");
            let exchange = exchange_of(&refunds.world);
            assert_eq!(exchange.fault, Some(fault.name()));
            assert_eq!(exchange.status.filter(|_| exchange.whole), expected);
            assert_eq!(exchange.created.is_some(), executed == done, "{exchange:?}");

            // The same key again: one refund, whatever became of the first answer.
            let again = refunds.send(service).await.unwrap();
            assert!(again.0 < 300, "{} {}", again.0, again.1);
            assert_eq!(refunds.refunded(service).await, done, "{fault:?} {service:?}");
            let id = match service {
                Service::AmazonPay => refund_id(&again),
                Service::FlexiblePayments => transaction_id(&again),
            };
            if executed == done {
                assert_eq!(exchange.created.as_deref(), Some(id), "{fault:?}");
            }
        }
        refunds.world.sandbox.verify_books().await.unwrap();
    }
}

#[tokio::test]
async fn over_http_1_nothing_is_nothing_and_half_an_answer_is_half_of_one() {
    let refunds = Refunds::plain().await;
    let sandbox = &refunds.world.sandbox;
    let uri = refunds.get_status();
    let whole = raw_get(&refunds.world, &uri).await;
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");

    let rule = FaultRule::new(Fault::CommitThenDrop).object(&*refunds.transaction).times(1);
    sandbox.add_fault(rule).unwrap();
    assert_eq!(raw_get(&refunds.world, &uri).await, "");

    sandbox.add_fault(FaultRule::new(Fault::Truncate { after: Some(40) }).times(1)).unwrap();
    let cut = raw_get(&refunds.world, &uri).await;
    let (cut_head, cut_body) = cut.split_once("\r\n\r\n").unwrap();
    assert!(cut_head.contains(&format!("content-length: {}", body.len())), "{cut_head}");
    assert_eq!(cut_body, &body[..40]);
}

impl Refunds {
    async fn plain() -> Self {
        let spec = fps_sandbox::MerchantSpec::new("Test Business");
        let world = World::configured(spec, |config| config.http()).await;
        let charge = world.charge("100.00", "3.00").await;
        let transaction = world.paid("100.00").await;
        Self { world, charge, transaction }
    }

    /// The path and query of a signed request that reads the transaction.
    fn get_status(&self) -> String {
        let id = self.transaction.as_str();
        let status = fps_model::flexible_payments::GetTransactionStatus::new(id);
        let signed = self.world.signed("GET", &encoded(&status));
        format!("/?{}", signed.to_form())
    }
}

#[tokio::test]
async fn a_plan_can_be_given_at_the_start_replaced_and_looked_at() {
    let plan = FaultPlan::from_json(
        r#"{"seed": 1, "rules": [
            {"operation": "CreateRefund", "nth": 2, "fault": {"kind": "error-before", "status": 503}}]}"#,
    )
    .unwrap();
    let spec = fps_sandbox::MerchantSpec::new("Test Business");
    let world = World::configured(spec, |config| config.faults(plan)).await;
    let charge = world.charge("100.00", "3.00").await;
    let body = refund_of(&charge, "1.00");
    let mut seen = Vec::new();
    for key in ["a", "b", "c"] {
        seen.push(world.create_refund(key, &body).await.0);
    }
    assert_eq!(seen, [201, 503, 201]);
    let states = world.sandbox.faults();
    assert_eq!((states[0].matched, states[0].applied), (3, 1));
    let bad = FaultRule::new(Fault::ErrorBefore { status: 200 });
    assert!(world.sandbox.add_fault(bad.clone()).is_err());
    assert!(world.sandbox.set_faults(FaultPlan { seed: 0, rules: vec![bad] }).is_err());
    assert_eq!(world.sandbox.faults(), states, "what was refused changes nothing");
    let id = world.sandbox.add_fault(FaultRule::new(Fault::Throttle)).unwrap();
    assert_eq!(world.create_refund("d", &body).await.0, 429);
    assert!(world.sandbox.remove_fault(id));
    assert!(!world.sandbox.remove_fault(id));
    assert_eq!(world.create_refund("d", &body).await.0, 201);
    world.sandbox.set_faults(FaultPlan::default()).unwrap();
    assert_eq!(world.sandbox.faults(), []);
}

#[tokio::test]
async fn the_audit_tells_a_client_that_trusts_a_lost_answer_from_one_that_does_not() {
    for (second_key, expected) in [("key", 0), ("another", 1)] {
        let refunds = Refunds::prepare().await;
        let world = &refunds.world;
        let lost = FaultRule::new(Fault::CommitThenDrop).operation("CreateRefund").times(1);
        world.sandbox.add_fault(lost).unwrap();
        let body = refund_of(&refunds.charge, "1.00");
        let send = async |key: &str| {
            let request = world.pay_request("POST", "/v2/refunds", Some(key), &body);
            world.try_send(world.signed_pay(request)).await
        };
        assert!(send("key").await.is_none());
        assert_eq!(send(second_key).await.unwrap().0, 201);
        let report = world.sandbox.audit().await.unwrap();
        let code = fps_sandbox::audit::Code::NewKeyAfterLostAnswer;
        let found = report.findings.iter().filter(|finding| finding.code == code);
        assert_eq!(found.count(), expected, "{report}");
        let paid_back = usd(if expected == 0 { "1.00" } else { "2.00" });
        assert_eq!(world.totals().await[0].refunding, paid_back, "what it cost");
    }
}

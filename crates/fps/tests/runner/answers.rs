//! Answers that are lost, cut, or refused for the moment.

use fps::refund_ledger::Filter;
use fps::refund_runner::{Ended, Gateway, StopRule, Submitted};
use fps::{RefundState, Rule};
use fps_sandbox::{Fault, FaultPlan, FaultRule, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::world::{World, amount, usd};

/// One refund in ten is made and its answer lost; others fail before or after, are cut, or throttled.
fn lossy(service: Service, seed: u64) -> FaultPlan {
    let operation = if service == Service::AmazonPay { "CreateRefund" } else { "Refund" };
    let rule = |fault, per_mille| FaultRule::new(fault).operation(operation).per_mille(per_mille);
    FaultPlan {
        seed,
        rules: vec![
            rule(Fault::CommitThenDrop, 100),
            rule(Fault::ErrorBefore { status: 503 }, 50),
            rule(Fault::ErrorAfter { status: 500 }, 50),
            rule(Fault::Truncate { after: None }, 20),
            rule(Fault::Throttle, 100),
            rule(Fault::DropBefore, 20),
            rule(Fault::Duplicate, 20),
        ],
    }
}

async fn survives_lost_answers(service: Service) {
    let rows = 300;
    let world = World::start(service, rows).await;
    world.sandbox.set_faults(lossy(service, 42)).unwrap();
    let summary = world.run(World::options()).await;
    assert_eq!(summary.ended, Ended::Done);
    world.assert_exactly_once(rows).await;
    // As many tries as faults ask for, and not many more: 34 % of all go wrong.
    let tries: u32 = {
        let all = world.ledger.intents(Filter::new()).await.unwrap();
        all.iter().map(|intent| intent.life.attempts).sum()
    };
    let rows = u32::try_from(rows).unwrap();
    assert!(tries > rows && tries < rows * 2, "{tries} tries for {rows} refunds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_of_amazon_pay_make_no_second_refund() {
    survives_lost_answers(Service::AmazonPay).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_of_fps_make_no_second_refund() {
    survives_lost_answers(Service::FlexiblePayments).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_has_nothing_to_do() {
    let world = World::start(Service::AmazonPay, 5).await;
    assert_eq!(world.run(World::options()).await.ended, Ended::Done);
    let again = world.run(World::options()).await;
    assert_eq!((again.ended, again.worked), (Ended::Done, 0));
    world.assert_exactly_once(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decline_is_an_end_and_can_stop_the_run() {
    let world = World::start(Service::AmazonPay, 20).await;
    let declines = fps_sandbox::control::NextDeclines::new(20, "AmazonRejected");
    world.sandbox.control().decline_next(declines).await.unwrap();
    let mut options = World::options();
    options.concurrency = 1;
    options.stop = vec![StopRule::Declines(1)];
    let summary = world.run(options).await;
    assert_eq!(summary.ended, Ended::Stopped(StopRule::Declines(1)));
    let states = world.states().await;
    assert_eq!(states.get(&RefundState::Declined), Some(&1), "{states:?}");
    assert!(states.contains_key(&RefundState::Prepared), "{states:?}");
    // The rest is declined as well, and the reason is on record.
    let summary = world.run(World::options()).await;
    assert_eq!(summary.ended, Ended::Done);
    assert_eq!(world.states().await, [(RefundState::Declined, 20)].into());
    let declined = world.ledger.intents(Filter::new()).await.unwrap();
    assert!(declined.iter().all(|it| it.life.reason.as_deref() == Some("AmazonRejected")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_total_is_not_passed() {
    let world = World::start(Service::FlexiblePayments, 20).await;
    let most = usd(amount(0).minor() + amount(1).minor() + amount(2).minor());
    let mut options = World::options();
    options.stop = vec![StopRule::Total(most)];
    let summary = world.run(options.clone()).await;
    assert_eq!(summary.ended, Ended::Stopped(StopRule::Total(most)));
    // Nor by another run under the same rule.
    let again = world.run(options).await;
    assert_eq!(again.ended, Ended::Stopped(StopRule::Total(most)));
    let totals = world.ledger.totals(None).await.unwrap();
    let sent = totals.iter().filter(|total| total.state != RefundState::Prepared);
    assert_eq!(sent.map(|total| total.amount.minor()).sum::<i64>(), most.minor());
    assert_eq!(world.run(World::options()).await.ended, Ended::Done);
    world.assert_exactly_once(20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_service_refuses_is_declined_with_its_code() {
    let world = World::start(Service::AmazonPay, 1).await;
    // Somebody else refunds everything, and the overage, behind the ledger's back.
    let intent = world.only().await;
    let key = fps::PrivateKey::from_pem(world.merchant.private_key_pem.expose()).unwrap();
    let config =
        fps::AmazonPayConfig::new(&*world.merchant.public_key_id, key, fps::Region::NorthAmerica);
    let config = config.unwrap().with_endpoint(world.sandbox.url()).unwrap();
    let shop = fps::AmazonPay::new(config, &fps::Settings::default()).unwrap();
    let most = usd(1_000_000 + 7_500);
    let charge = intent.payment.as_str();
    let other = fps::IdempotencyKey::new("behind").unwrap();
    shop.submit(&fps::amazon_pay::CreateRefund::new(other, charge, most)).await.unwrap();
    assert_eq!(world.run(World::options()).await.ended, Ended::Done);
    let intent = world.only().await;
    assert_eq!(intent.life.state, RefundState::Declined);
    assert_eq!(intent.life.reason.as_deref(), Some("TransactionAmountExceeded"));
    // What it held is free again, so that nothing is blocked by a refund that is none.
    let payment = world.ledger.payment("amazon-pay", charge).await.unwrap().unwrap();
    assert!(payment.pending.is_zero() && payment.refunded.is_zero());
    assert_eq!(Rule::NothingLeft.name(), "nothing-left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_believed_ends_the_run() {
    let mut world = World::start(Service::FlexiblePayments, 5).await;
    let wrong = fps::Credentials::new(&*world.merchant.access_key_id, fps::Secret::new("wrong"));
    let config = fps::FlexiblePaymentsConfig::new(world.sandbox.url(), wrong).unwrap();
    let right = std::sync::Arc::clone(&world.gateway);
    let gateway = fps::FlexiblePaymentsGateway::new(
        config,
        fps::Environment::Sandbox,
        &fps::Settings::default(),
    )
    .unwrap();
    world.gateway = std::sync::Arc::new(gateway);
    let summary = world.run(World::options()).await;
    assert!(matches!(summary.ended, Ended::Unauthorized { .. }), "{summary:?}");
    assert_eq!(world.states().await, [(RefundState::Prepared, 5)].into());
    world.gateway = right;
    assert_eq!(world.run(World::options()).await.ended, Ended::Done);
    world.assert_exactly_once(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_away_ends_the_run_and_loses_nothing() {
    let world = World::start(Service::AmazonPay, 5).await;
    let plan = FaultPlan { seed: 1, rules: vec![FaultRule::new(Fault::DropBefore)] };
    world.sandbox.set_faults(plan).unwrap();
    let mut options = World::options();
    options.give_up_after = 200;
    options.tries_max = 1_000;
    let summary = world.run(options).await;
    assert!(matches!(summary.ended, Ended::Unavailable { .. }), "{summary:?}");
    world.sandbox.set_faults(FaultPlan::default()).unwrap();
    assert_eq!(world.run(World::options()).await.ended, Ended::Done);
    world.assert_exactly_once(5).await;
}

/// A gateway to a server that gives this answer to the one request that it takes.
async fn answered(world: &World, answer: &'static str) -> Submitted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = fps::PrivateKey::from_pem(world.merchant.private_key_pem.expose()).unwrap();
    let config =
        fps::AmazonPayConfig::new(&*world.merchant.public_key_id, key, fps::Region::NorthAmerica);
    let config = config.unwrap().with_endpoint(&url).unwrap();
    let gateway = fps::AmazonPayGateway::new(config, &fps::Settings::default()).unwrap();
    let intent = world.only().await;
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    tokio::join!(gateway.submit(&intent), serve).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_to_wait_is_handed_on() {
    let world = World::start(Service::AmazonPay, 1).await;
    let answer = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let submitted = answered(&world, answer).await;
    assert!(matches!(submitted, Submitted::Busy { retry_after: Some(7_000), .. }), "{submitted:?}");
}

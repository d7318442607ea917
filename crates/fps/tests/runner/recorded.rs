//! Notifications of the sandbox, proved and recorded in the ledger, while nobody runs the batch.

use fps::refund_ledger::{Claimed, Filter, IntentId, IntentRecord, Outcome, Report, Wanted};
use fps::refund_runner::Submitted;
use fps::{
    Arrived, CertificateFetcher, CertificateOrigin, Noted, Notifications, RefundState, Topic,
};
use fps_http::testing::Inbox;
use fps_sandbox::{MerchantSpec, Service};

use crate::world::{BATCH, World, settings, usd};

/// Claims all of a batch that is due.
async fn claim(world: &World) -> Vec<Claimed> {
    let wanted = Wanted::new("tester", 10, 3_600_000).batch(BATCH);
    world.ledger.claim(wanted, world.clock.now()).await.unwrap()
}

/// Sends it as a run would; whoever calls this decides what becomes of the answer.
async fn send(world: &World, Claimed { claim, intent, .. }: &Claimed) -> (Report, String) {
    let attempt = world.ledger.sending(claim, world.clock.now(), 0).await.unwrap();
    let refund = match world.gateway.submit(intent).await {
        Submitted::Accepted { refund, .. } => Some(refund),
        _ => None,
    };
    let refund = refund.unwrap();
    let outcome = Outcome::accepted(&*refund, None);
    let in_an_hour = world.clock.now().plus(3_600_000);
    (Report::of_try(&attempt, outcome, world.clock.now()).next_at(in_an_hour), refund)
}

/// Takes the next notification in and records it.
async fn next(world: &World, inbox: &Inbox, notifications: &Notifications) -> Noted {
    let sent = inbox.answer(200, "").await;
    let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let arrived = Arrived::new("POST", headers, sent.body.as_bytes());
    let received = notifications.receive(&arrived).await.unwrap();
    let noted = received.record_in(&world.ledger, world.clock.now()).await.unwrap();
    // A second time changes nothing.
    let again = received.record_in(&world.ledger, world.clock.now()).await.unwrap();
    assert_eq!(noted, again);
    noted
}

async fn by_id(world: &World, id: IntentId) -> IntentRecord {
    let all = world.ledger.intents(Filter::new()).await.unwrap();
    all.into_iter().find(|intent| intent.id == id).unwrap()
}

fn fetcher(world: &World) -> (CertificateOrigin, CertificateFetcher) {
    let origin = CertificateOrigin::new(&format!("{}/", world.sandbox.url())).unwrap();
    (origin, CertificateFetcher::new(&settings(&world.sandbox)).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fps_tells_how_a_refund_is_even_if_its_answer_was_lost() {
    let inbox = Inbox::bind().await;
    let url = inbox.url("/ipn");
    let spec = MerchantSpec::new("Shop").notification_url(&url);
    let world = World::start_told(Service::FlexiblePayments, 3, spec).await;
    let (origin, fetcher) = fetcher(&world);
    let notifications = Notifications::new(url, origin, fetcher);
    let [answered, lost, other] = &claim(&world).await[..] else { panic!("three were planned") };
    let (report, _) = send(&world, answered).await;
    world.ledger.record_one(report).await.unwrap();
    let (_, name_of_lost) = send(&world, lost).await;
    // What was sent under this key is not what is on record.
    let mut changed = other.clone();
    changed.intent.facts.amount = usd(1);
    send(&world, &changed).await;

    let ids = [answered, lost, other].map(|claimed| claimed.intent.id);
    let mut ended = 0;
    let mut unlike = 0;
    while ended < 2 || unlike < 2 {
        match next(&world, &inbox, &notifications).await {
            // Of the payments themselves.
            Noted::Nothing => {}
            Noted::State(id, state) => {
                assert!(ids[..2].contains(&id));
                ended += u32::from(state == RefundState::Refunded);
            }
            Noted::Alarm(id, alarm) => {
                assert_eq!(id, ids[2]);
                assert!(alarm.contains("is of 0.01 USD"), "{alarm}");
                unlike += 1;
            }
            told => panic!("{told:?}"),
        }
    }
    let lost = by_id(&world, ids[1]).await.life;
    assert_eq!((lost.state, lost.refund), (RefundState::Refunded, Some(name_of_lost)));
    assert_eq!(by_id(&world, ids[0]).await.life.state, RefundState::Refunded);
    let other = by_id(&world, ids[2]).await.life;
    assert!(!other.state.is_final() && other.parked.is_some(), "{other:?}");
    world.ledger.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amazon_pay_tells_that_somebody_should_ask() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Shop").sns_url(inbox.url("/sns"));
    let world = World::start_told(Service::AmazonPay, 1, spec).await;
    let (origin, fetcher) = fetcher(&world);
    let topic = Topic::new(origin, world.merchant.topic_arn.as_str());
    let notifications = Notifications::of_topics([topic], fetcher);
    let claimed = claim(&world).await.remove(0);
    let (report, _) = send(&world, &claimed).await;
    world.ledger.record_one(report).await.unwrap();
    let now = world.clock.now();
    assert!(world.ledger.next_due(BATCH).await.unwrap().unwrap() > now.plus(3_000_000));
    loop {
        match next(&world, &inbox, &notifications).await {
            Noted::Nothing => {}
            Noted::Due(id) => {
                assert_eq!(id, claimed.intent.id);
                break;
            }
            told => panic!("{told:?}"),
        }
    }
    // Nothing was said about its state; whoever runs next asks at once.
    assert_eq!(by_id(&world, claimed.intent.id).await.life.state, RefundState::Accepted);
    assert!(world.ledger.next_due(BATCH).await.unwrap().unwrap() <= world.clock.now());
    world.run(World::options()).await;
    world.assert_exactly_once(1).await;
}

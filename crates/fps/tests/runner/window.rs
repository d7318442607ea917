//! A key that the service has forgotten is never sent again.

use std::sync::Arc;

use fps::RefundState;
use fps::refund_runner::Ended;
use fps_sandbox::{Fault, FaultPlan, FaultRule, Service};

use crate::world::{SlowClock, World};

const WEEK: i64 = 7 * 24 * 60 * 60 * 1_000;

/// A refund whose first try got this fault, looked at again so many milliseconds later.
async fn after(millis: i64, fault: Fault) -> World {
    let mut world = World::start(Service::FlexiblePayments, 1).await;
    let clock = Arc::new(SlowClock::default());
    world.clock = Arc::<SlowClock>::clone(&clock);
    let rule = FaultRule::new(fault).operation("Refund").times(1);
    world.sandbox.set_faults(FaultPlan { seed: 1, rules: vec![rule] }).unwrap();
    let mut options = World::options();
    options.give_up_after = 0;
    let ended = world.run(options).await.ended;
    assert!(matches!(ended, Ended::Unavailable { .. }), "{ended:?}");
    let intent = world.only().await;
    assert_eq!(intent.life.state, RefundState::Unknown);
    let expires = intent.life.key_expires_at.unwrap();
    assert_eq!(expires.0, intent.life.sent_at.unwrap().0 + WEEK);
    clock.set(intent.life.sent_at.unwrap().plus(millis));
    assert_eq!(world.run(World::options()).await.ended, Ended::Done);
    world
}

fn refunds_sent(world: &World) -> usize {
    let exchanges = world.sandbox.exchanges();
    exchanges.iter().filter(|it| it.operation.as_deref() == Some("Refund")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_before_its_end_a_key_is_sent_again() {
    let world = after(WEEK - 1_000, Fault::CommitThenDrop).await;
    assert_eq!(refunds_sent(&world), 2);
    world.assert_exactly_once(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_end_the_refund_is_looked_up_by_its_reference() {
    let world = after(WEEK, Fault::CommitThenDrop).await;
    assert_eq!(refunds_sent(&world), 1);
    world.assert_exactly_once(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_end_what_cannot_be_found_waits_for_a_human() {
    let world = after(WEEK, Fault::DropBefore).await;
    assert_eq!(refunds_sent(&world), 1);
    let intent = world.only().await;
    assert_eq!(intent.life.state, RefundState::Unknown);
    let parked = intent.life.parked.unwrap();
    assert_eq!(parked, "its key is too old to be sent again; the provider has no such refund");
    assert!(world.folder().is_dir());
}

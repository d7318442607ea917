//! Many requests at the same time.

use std::sync::Arc;

use crate::world::{World, reason, refund, refund_of, usd};

#[tokio::test]
async fn a_hundred_copies_of_one_request_are_one_refund() {
    let world = Arc::new(World::start().await);
    let body = refund_of(&world.charge("100.00", "3.00").await, "60.00");
    let copies: Vec<_> = (0..100)
        .map(|_| {
            let (world, body) = (Arc::clone(&world), body.clone());
            tokio::spawn(async move { world.create_refund("one", &body).await })
        })
        .collect();
    let mut seen = Vec::new();
    for copy in copies {
        seen.push(copy.await.unwrap());
    }
    assert_eq!(seen[0].0, 201, "{}", seen[0].1);
    assert!(seen.iter().all(|answer| *answer == seen[0]));
    // A blank in the body or the order of its fields make no other request; another amount does.
    assert_eq!(world.create_refund("one", &body.replace(',', ", ")).await, seen[0]);
    let other = world.create_refund("one", &body.replace("60.00", "61.00")).await;
    assert_eq!(reason(&other), (400, "DuplicateIdempotencyKey"));
    let totals = world.totals().await;
    assert_eq!(totals[0].refunding, usd("60.00"));
}

#[tokio::test]
async fn writers_that_race_never_pass_the_cap_and_are_not_refused_needlessly() {
    let world = Arc::new(World::start().await);
    // Money to give back: another payment that nobody touches.
    world.paid("1000").await;
    let payment = world.paid("100").await;
    let writers: Vec<_> = (0..32)
        .map(|number| {
            let (world, payment) = (Arc::clone(&world), payment.clone());
            tokio::spawn(async move {
                let refund = refund(&format!("r{number}"), &payment).refund_amount(usd("9.00"));
                world.fps(&refund).await.0
            })
        })
        .collect();
    let mut taken = 0;
    for writer in writers {
        taken += u32::from(writer.await.unwrap() == 200);
    }
    assert_eq!(taken, 11, "11 × 9.00 is the most that fits into 100.00");
    let totals = world.totals().await;
    assert_eq!(totals[0].refunded, usd("99.00"));
    world.sandbox.verify_books().await.unwrap();
}

//! Many requests at the same time.

use std::sync::Arc;

use crate::world::{World, code, reason, refund, refund_of, usd};

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

const WRITERS: usize = 64;
const PAYMENTS: usize = 50;
const ROUNDS: usize = 200;

/// A payment that everybody wants to refund at once, always by the same amount.
struct Hot {
    id: String,
    is_charge: bool,
    amount: String,
    /// The most refunds of that amount that fit.
    fit: i64,
}

impl Hot {
    /// Of 100.00, by amounts from 7.31 to 98.99: no two the same.
    async fn new(world: &World, number: usize) -> Self {
        let cents = 731 + i64::try_from(number).unwrap() * 187;
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        if number.is_multiple_of(2) {
            let id = world.charge("100.00", "3.00").await;
            // With the overage, and ten at the most.
            Self { id, is_charge: true, amount, fit: (11_500 / cents).min(10) }
        } else {
            Self { id: world.paid("100").await, is_charge: false, amount, fit: 10_000 / cents }
        }
    }

    /// Was it taken?
    async fn refund(&self, world: &World, key: &str) -> bool {
        if self.is_charge {
            let seen = world.create_refund(key, &refund_of(&self.id, &self.amount)).await;
            assert!(seen.0 == 201 || FULL.contains(&reason(&seen).1), "{seen:?}");
            return seen.0 == 201;
        }
        let request = refund(key, &self.id).refund_amount(usd(&self.amount));
        let seen = world.fps(&request).await;
        assert!(seen.0 == 200 || FULL.contains(&code(&seen).1), "{seen:?}");
        seen.0 == 200
    }
}

/// What is said when nothing more fits.
const FULL: [&str; 4] = [
    "RefundAmountExceeded",
    "TransactionAmountExceeded",
    "TransactionCountExceeded",
    "TransactionFullyRefundedAlready",
];

#[tokio::test(flavor = "multi_thread")]
async fn hot_payments_of_both_services_give_what_fits_and_no_more() {
    let world = Arc::new(World::start().await);
    world.paid("9000").await;
    let mut hot = Vec::new();
    for number in 0..PAYMENTS {
        hot.push(Hot::new(&world, number).await);
    }
    let hot = Arc::new(hot);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (world, hot) = (Arc::clone(&world), Arc::clone(&hot));
            tokio::spawn(async move {
                let mut taken = vec![0; PAYMENTS];
                for round in 0..ROUNDS {
                    // Everybody goes round in another order, and comes to each four times.
                    let number = (round * 7 + writer * 13) % PAYMENTS;
                    let key = format!("w{writer}r{round}");
                    taken[number] += i64::from(hot[number].refund(&world, &key).await);
                }
                taken
            })
        })
        .collect();
    let mut taken = vec![0; PAYMENTS];
    for writer in writers {
        for (sum, more) in taken.iter_mut().zip(writer.await.unwrap()) {
            *sum += more;
        }
    }
    for (hot, taken) in hot.iter().zip(taken) {
        assert_eq!(taken, hot.fit, "{} by {}", hot.id, hot.amount);
    }
    world.sandbox.verify_books().await.unwrap();
}

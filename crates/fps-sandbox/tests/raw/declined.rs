//! Refunds that the service took and declined later: as if they had never been.

use std::time::Duration;

use fps_sandbox::MerchantSpec;

use crate::world::{LONG, World, reason, refund_id, refund_of, usd};

impl World {
    /// Asks for a refund and gives its id.
    async fn refunded(&self, key: &str, charge: &str, amount: &str) -> String {
        let seen = self.create_refund(key, &refund_of(charge, amount)).await;
        assert_eq!(seen.0, 201, "{}", seen.1);
        refund_id(&seen).to_owned()
    }

    /// Brings about the end of one refund, and of no other; it is declined.
    async fn decline(self, refund: &str) -> Self {
        let due = format!(
            "UPDATE payment SET decline = 'AmazonRejected';
             UPDATE refund SET due_at = 1 WHERE id = '{refund}'"
        );
        let world = self.restart(LONG, &due).await;
        assert_eq!(world.end_of(refund).await, "Declined");
        world.restart(LONG, "UPDATE payment SET decline = NULL").await
    }
}

#[tokio::test]
async fn declined_refunds_are_not_counted() {
    let spec = MerchantSpec::new("Test Business");
    let world = World::with(spec, Duration::ZERO).await;
    let charge = world.charge("100.00", "3.00").await;
    world.sandbox.decline_refunds(&charge, "AmazonRejected").await.unwrap();
    for number in 0..11 {
        // Each of the whole: what was declined may be refunded again.
        let refund = world.refunded(&format!("declined-{number}"), &charge, "115.00").await;
        assert_eq!(world.end_of(&refund).await, "Declined");
    }
    let world = world.restart(LONG, "UPDATE payment SET decline = NULL").await;
    for number in 0..10 {
        world.refunded(&format!("taken-{number}"), &charge, "1.00").await;
    }
    let seen = world.create_refund("taken-10", &refund_of(&charge, "1.00")).await;
    assert_eq!(reason(&seen), (422, "TransactionCountExceeded"));
    let totals = world.totals().await;
    assert_eq!((totals[0].refunding, totals[0].refunded), (usd("10.00"), usd("0.00")));
    assert_eq!(totals[0].fees_returned, usd("0.30"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn the_fee_closes_after_a_refund_was_declined() {
    let world = World::start().await;
    let charge = world.charge("10.00", "0.05").await;
    let first = world.refunded("first", &charge, "3.00").await;
    world.refunded("second", &charge, "3.00").await;
    // Half of five cents is rounded to the even one.
    assert_eq!(world.totals().await[0].fees_returned, usd("0.03"));
    let world = world.decline(&first).await;
    assert_eq!(world.totals().await[0].fees_returned, usd("0.01"));
    world.sandbox.verify_books().await.unwrap();
    world.refunded("third", &charge, "7.00").await;
    assert_eq!(world.totals().await[0].fees_returned, usd("0.05"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn the_fee_closes_by_the_decline_itself_when_the_others_are_the_whole() {
    let world = World::start().await;
    let charge = world.charge("10.00", "0.05").await;
    let extra = world.refunded("extra", &charge, "1.50").await;
    world.refunded("whole", &charge, "10.00").await;
    assert_eq!(world.totals().await[0].fees_returned, usd("0.05"));
    let world = world.decline(&extra).await;
    let totals = world.totals().await;
    assert_eq!(totals[0].refunding, usd("10.00"));
    assert_eq!(totals[0].fees_returned, usd("0.05"));
    world.sandbox.verify_books().await.unwrap();
}

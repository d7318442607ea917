//! How often a merchant may ask, on the clock of the sandbox.

use std::time::Duration;

use fps_sandbox::{MerchantSpec, Throttle};

use crate::world::{LONG, PayRequest, World, reason, refund_of};

async fn throttled(throttle: Throttle) -> World {
    let spec = MerchantSpec::new("Test Business");
    let start = fps_model::Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
    World::configured(spec, |config| config.throttle(throttle).still_clock(start).processing(LONG))
        .await
}

#[tokio::test]
async fn a_burst_is_served_and_the_next_one_waits() {
    for (throttle, burst) in [(Throttle::Live, 10), (Throttle::Sandbox, 2)] {
        let world = throttled(throttle).await;
        for number in 0..burst {
            let charge = world.charge("100.00", "3.00").await;
            let seen =
                world.create_refund(&format!("k{number}"), &refund_of(&charge, "1.00")).await;
            assert_eq!(seen.0, 201, "{}", seen.1);
        }
        let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
        assert_eq!(reason(&world.create_refund("new", &body).await), (429, "TooManyRequests"));
        // It comes before the key is looked up, and is not remembered for it.
        assert_eq!(world.create_refund("k0", "{}").await.0, 429);
        world.sandbox.advance_clock(Duration::from_secs(1)).await.unwrap();
        assert_eq!(world.create_refund("new", &body).await.0, 201);
    }
}

#[tokio::test]
async fn what_is_not_signed_takes_nothing_from_the_merchant() {
    let world = throttled(Throttle::Sandbox).await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
    let mut forged = world.signed_pay(world.pay_request("POST", "/v2/refunds", Some("k"), &body));
    *forged.body_mut() = body.replace("1.00", "2.00").into();
    for _ in 0..5 {
        assert_eq!(reason(&world.send(forged.clone()).await), (403, "InvalidRequestSignature"));
    }
    assert_eq!(world.create_refund("k", &body).await.0, 201);
}

#[tokio::test]
async fn without_limits_nobody_waits_and_fps_has_none() {
    let world = throttled(Throttle::Off).await;
    for _ in 0..30 {
        let get = PayRequest { ..world.pay_request("GET", "/v2/refunds/R", None, "") };
        assert_eq!(world.pay(get).await.0, 404);
    }
    let world = throttled(Throttle::Sandbox).await;
    for _ in 0..10 {
        world.paid("1.00").await;
    }
}

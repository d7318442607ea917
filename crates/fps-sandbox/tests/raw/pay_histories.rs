//! Histories of Amazon Pay made by chance from a seed: the books balance, and what is refused has changed
//! nothing.

use std::time::Duration;

use fps_sandbox::Totals;

use crate::pay::{charge_of, json, price, text};
use crate::world::{Seen, World, refund_of, usd};

/// The operations of one history; so many take a few seconds.
const OPERATIONS: u32 = 1_500;

/// A stream of numbers that is the same each time. Source: D. E. Knuth's MMIX, the constants.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn of<'a>(&mut self, all: &'a [String]) -> &'a str {
        let sides = u64::try_from(all.len()).unwrap();
        &all[usize::try_from(self.roll(sides)).unwrap()]
    }

    /// Now and then nothing, a fraction too many, or more than there is.
    fn amount(&mut self) -> String {
        match self.roll(20) {
            0 => "0.00".to_owned(),
            1 => "1.001".to_owned(),
            2 => "99999.00".to_owned(),
            _ => format!("{}.{:02}", self.roll(40), self.roll(100)),
        }
    }
}

/// Everything that was made so far.
#[derive(Default)]
struct Made {
    permissions: Vec<String>,
    charges: Vec<String>,
}

impl World {
    async fn act(&self, dice: &mut Dice, made: &mut Made, key: &str) -> Seen {
        let amount = dice.amount();
        let permission = dice.of(&made.permissions).to_owned();
        let charge = dice.of(&made.charges).to_owned();
        match dice.roll(20) {
            0..=6 => {
                let more = ["", r#","captureNow":true"#][usize::try_from(dice.roll(2)).unwrap()];
                let permission = permission.as_str().into();
                let seen = self.create_charge(key, &charge_of(&permission, &amount, more)).await;
                if seen.0 == 201 {
                    made.charges.push(text(&json(&seen), "chargeId").to_owned());
                }
                seen
            }
            7..=10 => self.capture(&charge, key, &amount).await,
            11 | 12 => self.cancel(&charge).await,
            13..=16 => self.create_refund(key, &refund_of(&charge, &amount)).await,
            17 => {
                let body = format!(r#"{{"captureAmount":{}}}"#, price(&amount));
                let path = format!("/v2/charges/{charge}/capture");
                self.simulate("AmazonRejected", "POST", &path, Some(key), &body).await
            }
            18 => {
                let body = refund_of(&charge, &amount);
                let path = "/v2/refunds";
                self.simulate("ProcessingFailure", "POST", path, Some(key), &body).await
            }
            _ if made.permissions.len() > 1 => {
                made.permissions.retain(|kept| *kept != permission);
                let path = format!("/v2/chargePermissions/{permission}/close");
                let body = r#"{"closureReason":"done","cancelPendingCharges":true}"#;
                self.call("DELETE", &path, None, body).await
            }
            _ => {
                let made_one = self.permission("500.00").await;
                made.permissions.push(made_one.as_str().to_owned());
                self.get(&format!("/v2/chargePermissions/{}", made_one.as_str())).await
            }
        }
    }
}

#[tokio::test]
async fn a_history_by_chance_keeps_the_books() {
    // What is under way ends only when the clock is moved: so nothing changes beside a refusal.
    let world = crate::pay::slow_world().await;
    let mut dice = Dice(7);
    let mut made = Made::default();
    for _ in 0..3 {
        made.permissions.push(world.permission("500.00").await.as_str().to_owned());
    }
    made.charges.push(world.authorized("20.00").await);
    let (mut taken, mut refused) = (0, 0);
    let mut before: Vec<Totals> = world.totals().await;
    for number in 0..OPERATIONS {
        let (status, body) = world.act(&mut dice, &mut made, &format!("k{number}")).await;
        let after = world.totals().await;
        match status {
            200..300 => taken += 1,
            400..500 => {
                refused += 1;
                assert_eq!(after, before, "{number}: refused, and something moved: {body}");
            }
            _ => panic!("{number}: {status} {body}"),
        }
        before = after;
        if number % 100 == 99 {
            let books = world.sandbox.verify_books().await;
            books.unwrap_or_else(|error| panic!("{number}: {error:?}"));
            world.sandbox.advance_clock(Duration::from_secs(61)).await.unwrap();
            before = settled(&world).await;
        }
    }
    world.sandbox.verify_books().await.unwrap();
    assert!(taken > OPERATIONS / 4 && refused > OPERATIONS / 4, "{taken} taken, {refused} refused");
}

/// The totals once nothing is under way.
async fn settled(world: &World) -> Vec<Totals> {
    let asking = async {
        loop {
            let totals = world.totals().await;
            if totals.iter().all(|one| one.refunding == usd("0.00")) {
                return totals;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap()
}

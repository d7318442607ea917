//! Notifications that are lost, doubled, late and out of order, while a run asks as well.

use std::sync::Arc;

use refund_ledger::{Filter, Ledger, Outcome, Report};
use refund_rules::{Observation, RefundState};
use refund_runner::{Clock as _, Ended, Options, Runner};

use crate::provider::Provider;
use crate::time::VirtualClock;
use crate::{BATCH, nobody, planned};

const ROWS: u32 = 400;

/// How often a refund is asked for before it has ended.
const PATIENCE: u32 = 5;

/// How many notifications are under way at once.
const UNDER_WAY: usize = 60;

/// Numbers that look random: xorshift64*.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % end
    }
}

/// A post that loses three in ten, doubles one in ten and keeps no order.
struct Post {
    ledger: Ledger,
    clock: Arc<VirtualClock>,
    provider: Arc<Provider>,
    dice: Dice,
    /// How many refunds were heard of.
    heard: usize,
    under_way: Vec<(String, Observation)>,
}

impl Post {
    /// What the provider says about the refunds that it took since.
    fn collect(&mut self) {
        let books = self.provider.books.lock().unwrap();
        for (_, key) in books.taken.iter().skip(self.heard) {
            let end = Provider::end_of(key);
            for state in [Observation::Pending, end, Observation::Pending] {
                let copies = match self.dice.below(10) {
                    0..=2 => 0,
                    3 => 2,
                    _ => 1,
                };
                self.under_way.extend((0..copies).map(|_| (key.clone(), state)));
            }
        }
        self.heard = books.taken.len();
    }

    async fn deliver(&mut self) {
        let place = self.dice.below(self.under_way.len());
        let (key, state) = self.under_way.swap_remove(place);
        let found = self.ledger.intents(Filter::new().key(&*key)).await.unwrap();
        let refund = Some(format!("R-{key}"));
        let outcome = Outcome::Observed { state, refund, reason: None };
        let report = Report::of_refund(found[0].id, outcome, self.clock.now());
        let recorded = self.ledger.record_one(report).await.unwrap();
        assert_eq!(recorded.alarm, None, "{key}");
    }

    async fn go_round(mut self) -> Self {
        loop {
            self.collect();
            while self.under_way.len() > UNDER_WAY {
                self.deliver().await;
            }
            if self.heard == ROWS as usize {
                return self;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn whatever_order_they_come_in_the_end_is_the_provider_s() {
    let (_folder, ledger) = planned(ROWS).await;
    let clock = Arc::new(VirtualClock::default());
    let provider = Provider::new(&clock, None, PATIENCE);
    let post = Post {
        ledger: ledger.clone(),
        clock: Arc::clone(&clock),
        provider: Arc::clone(&provider),
        dice: Dice(7),
        heard: 0,
        under_way: Vec::new(),
    };
    let post = tokio::spawn(post.go_round());
    let runner = Runner::new(
        ledger.clone(),
        Arc::<Provider>::clone(&provider),
        Arc::<VirtualClock>::clone(&clock),
    );
    let options = Options::new("worker");
    let run = async {
        let summary = runner.run(BATCH, options, nobody(), std::future::pending()).await.unwrap();
        (summary, post.await.unwrap())
    };
    let (summary, mut post) = clock.pass(&ledger, usize::MAX, run).await;
    assert_eq!(summary.ended, Ended::Done);
    // The last come when all is over.
    assert!(post.under_way.iter().any(|(_, state)| *state == Observation::Pending));
    while !post.under_way.is_empty() {
        post.deliver().await;
    }
    let all = ledger.intents(Filter::new().most(ROWS)).await.unwrap();
    assert_eq!(all.len(), ROWS as usize);
    for intent in all {
        let end = match Provider::end_of(&intent.facts.key) {
            Observation::Declined => RefundState::Declined,
            _ => RefundState::Refunded,
        };
        assert_eq!(intent.life.state, end, "{intent:?}");
        assert_eq!((&intent.life.parked, &intent.life.alarm), (&None, &None), "{intent:?}");
    }
    ledger.verify().await.unwrap();
    let asked = provider.asked();
    assert!(asked.len() < ROWS as usize || asked.iter().any(|(_, times)| *times < PATIENCE));
    assert!(asked.iter().any(|(_, times)| *times == PATIENCE), "none was lost");
}

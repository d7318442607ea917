//! Turns under a limit that is shared.

use refund_ledger::{Ledger, Millis, Pace};

use super::{Chance, NOW};

/// A bucket of tokens in thousandths, one millisecond after the other: ten at once, then four a second.
struct Bucket {
    tokens: u64,
    now: Millis,
}

impl Bucket {
    fn new() -> Self {
        Self { tokens: 10_000, now: NOW }
    }

    fn take(&mut self, at: Millis) -> bool {
        assert!(at >= self.now, "turns come in their order");
        let passed = u64::try_from(at.0 - self.now.0).unwrap();
        self.tokens = (self.tokens + passed * 4).min(10_000);
        self.now = at;
        let is_enough = self.tokens >= 1_000;
        self.tokens = self.tokens.saturating_sub(1_000);
        is_enough
    }
}

pub async fn turns_are_shared_and_keep_the_limit(ledger: &Ledger, other: &Ledger) {
    let pace = |name: &str| Pace::new(name, 10, 250_000);
    // Ten thousand, two workers in turn: as fast as it may be, and never faster.
    let (mut now, mut bucket, mut chance) = (NOW, Bucket::new(), Chance::new(1));
    let mut taken = 0;
    while taken < 10_000 {
        let wanted = u32::try_from(chance.below(60) + 1).unwrap().min(10_000 - taken);
        let handle = if chance.below(2) == 0 { ledger } else { other };
        let turns = handle.turns(&pace("live"), wanted, now).await.unwrap();
        assert_eq!(turns.len(), usize::try_from(wanted).unwrap());
        for turn in turns {
            assert!(bucket.take(turn), "turn {taken} at {turn:?} is too early");
            now = turn;
            taken += 1;
        }
    }
    assert_eq!(now.0 - NOW.0, (10_000 - 10) * 250);
    // Others have their own, and after a rest there is a burst again, and only one.
    assert_eq!(ledger.turns(&pace("sandbox"), 2, NOW).await.unwrap(), [NOW, NOW]);
    let later = now.plus(3_600_000);
    let turns = ledger.turns(&pace("live"), 12, later).await.unwrap();
    let waits: Vec<i64> = turns.iter().map(|turn| turn.0 - later.0).collect();
    assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 250, 500]);
    // A clock that goes back gets no turn twice.
    let turns = other.turns(&pace("live"), 1, later.plus(-60_000)).await.unwrap();
    assert_eq!(turns, [later.plus(750)]);
    assert_eq!(ledger.turns(&pace("live"), 0, later).await.unwrap(), []);
}

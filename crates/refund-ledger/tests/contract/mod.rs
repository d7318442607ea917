//! What every store must do, through the public interface only. A test program of a store says how a fresh
//! one is made, and has all cases: `contract::cases!(fresh);`

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of this")]
#![allow(clippy::missing_panics_doc, reason = "a case that fails panics")]

pub mod claims;
pub mod guard;
pub mod hot;
pub mod pace;
pub mod prepare;
pub mod queries;
pub mod states;

use std::any::Any;

use refund_ledger::{
    Claim, Claimed, Ledger, Millis, NewBatch, NewIntent, NewPayment, Outcome, Prepared, Wanted,
};
use refund_rules::{Currency, Method, Money, Payment, Policy};

pub const NOW: Millis = Millis(1_764_000_000_000);

/// An empty store.
pub struct Store {
    pub ledger: Ledger,
    /// Another handle on the same.
    pub other: Ledger,
    /// What goes when the case has ended.
    pub keep: Box<dyn Any + Send>,
}

/// Makes each case a test. `fresh` makes an empty store, or says none where that cannot be.
macro_rules! cases {
    ($fresh:path) => {
        $crate::contract::cases! { $fresh:
            prepare: a_payment_is_imported_once,
            prepare: an_intent_is_prepared_once,
            prepare: a_refused_intent_leaves_no_trace,
            prepare: batches_are_filled_taken_back_and_sealed,
            prepare: text_that_no_store_likes_is_kept,
            guard: the_guard_agrees_with_the_rules_on_random_histories,
            hot: many_writers_never_pass_a_cap_and_take_what_fits,
            states: every_sequence_of_outcomes_ends_as_the_rules_say,
            states: two_names_of_a_refund_and_two_ends_raise_an_alarm,
            states: what_is_declined_is_free_again,
            states: what_only_the_sender_knows_is_not_believed_of_a_provider,
            claims: what_is_due_is_claimed_in_its_order_and_once,
            claims: a_lease_ends_on_the_clock_that_is_told,
            claims: a_late_worker_cannot_send_and_is_still_heard,
            claims: claims_are_renewed_and_given_up,
            claims: news_makes_due_what_waits_for_its_time,
            claims: what_waits_for_a_human_is_not_claimed,
            claims: a_key_is_not_sent_after_its_window,
            pace: turns_are_shared_and_keep_the_limit,
            queries: intents_are_found_by_all_that_is_known_of_them,
            queries: totals_are_the_sums_of_the_intents,
            queries: everything_that_happened_can_be_exported,
        }
    };
    ($fresh:path: $($module:ident: $case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(store) = $fresh().await {
                    $crate::contract::$module::$case(&store.ledger, &store.other).await;
                    store.ledger.verify().await.unwrap();
                    store.other.close().await;
                    store.ledger.close().await;
                }
            }
        )*
    };
}
pub(crate) use cases;

pub fn money(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

pub fn completed(captured: Money) -> Payment {
    Payment::completed(captured, Method::Card).unwrap()
}

/// A payment of 100 dollars, all of which can be refunded, and nothing more.
pub fn payment(name: &str) -> NewPayment {
    let policy = Policy::flexible_payments();
    NewPayment::new("pay", name, completed(money(10_000)), &policy).unwrap()
}

pub fn wish(payment: &str, key: &str, minor: i64) -> NewIntent {
    NewIntent::amount("pay", payment, key, money(minor)).unwrap()
}

pub async fn prepare_one(ledger: &Ledger, wish: NewIntent) -> Prepared {
    ledger.prepare(vec![wish], NOW).await.unwrap().pop().unwrap()
}

/// Payments `P0` and so on, and of each an intent of 10 dollars in a sealed batch, keys `K0` and so on.
pub async fn sealed_batch(ledger: &Ledger, batch: &str, rows: u64) {
    let payments = (0..rows).map(|row| payment(&format!("P{row}")));
    ledger.import(payments.collect(), NOW).await.unwrap();
    ledger.open_batch(NewBatch::new(batch, "pay", "here", "test").unwrap(), NOW).await.unwrap();
    let wishes = (0..rows).map(|row| {
        let wish = wish(&format!("P{row}"), &format!("K{row}"), 1_000);
        wish.row_of(batch, row, "-").unwrap()
    });
    let prepared = ledger.prepare(wishes.collect(), NOW).await.unwrap();
    assert!(prepared.iter().all(|prepared| matches!(prepared, Prepared::New { .. })));
    ledger.seal_batch(batch, "test", (rows, 0), NOW).await.unwrap();
}

/// All that is due, for this long.
pub async fn claim_all(ledger: &Ledger, wanted: &Wanted, now: Millis) -> Vec<Claimed> {
    let mut all = Vec::new();
    loop {
        let claimed = ledger.claim(wanted.clone(), now).await.unwrap();
        if claimed.is_empty() {
            return all;
        }
        all.extend(claimed);
    }
}

pub async fn claim_one(ledger: &Ledger, worker: &str, lease: i64, now: Millis) -> Option<Claim> {
    let claimed = ledger.claim(Wanted::new(worker, 1, lease), now).await.unwrap().pop();
    claimed.map(|claimed| claimed.claim)
}

pub fn accepted(refund: &str) -> Outcome {
    Outcome::accepted(refund, None)
}

/// Chance that is the same every time.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    pub fn of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[usize::try_from(self.below(some.len() as u64)).unwrap()]
    }
}

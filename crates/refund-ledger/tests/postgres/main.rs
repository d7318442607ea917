//! One PostgreSQL server, and many who write to it.

#![cfg(all(unix, feature = "postgres"))]
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a case that cannot be built is a failed test; workers speak to who started them"
)]

#[path = "../contract/mod.rs"]
mod contract;
mod damage;
mod hot;
mod outage;
#[path = "../server/mod.rs"]
mod server;
mod stores;
mod twice;
mod workers;

use refund_ledger::{Ledger, Millis, NewBatch, NewIntent, NewPayment, Prepared};
use refund_rules::{Currency, Method, Money, Payment, Policy};

const NOW: Millis = Millis(1_764_000_000_000);

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// Payments of 100 dollars, of which 100 dollars can be refunded, in at most so many refunds.
async fn import(ledger: &Ledger, count: u32, refunds_max: u32) {
    let policy = Policy::flexible_payments().with_refunds_max(refunds_max);
    let payment = |number| {
        let payment = Payment::completed(usd(10_000), Method::Card).unwrap();
        NewPayment::new("pay", format!("P{number}"), payment, &policy).unwrap()
    };
    ledger.import((0..count).map(payment).collect(), NOW).await.unwrap();
}

fn wish(payment: u32, key: &str, minor: i64) -> NewIntent {
    NewIntent::amount("pay", format!("P{payment}"), key, usd(minor)).unwrap()
}

/// A sealed batch of one refund of 10 dollars of each payment.
async fn batch(ledger: &Ledger, payments: u32) {
    ledger.open_batch(NewBatch::new("b", "pay", "here", "test").unwrap(), NOW).await.unwrap();
    let row = |number: u32| {
        let wish = wish(number, &format!("key-{number}"), 1_000);
        wish.row_of("b", number.into(), "-").unwrap()
    };
    let prepared = ledger.prepare((0..payments).map(row).collect(), NOW).await.unwrap();
    assert!(prepared.iter().all(|prepared| matches!(prepared, Prepared::New { .. })));
    ledger.seal_batch("b", "test", (payments.into(), 0), NOW).await.unwrap();
}

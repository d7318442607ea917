//! Runs against a provider that is written down here, in a time that does not pass by itself.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case that cannot be built is a failed test"
)]

mod notified;
mod pacing;
mod provider;
mod time;

use std::sync::Arc;

use refund_ledger::{Ledger, Millis, NewBatch, NewIntent, NewPayment, Prepared};
use refund_rules::{Currency, Method, Money, Payment, Policy};
use tempfile::TempDir;

const BATCH: &str = "recall";
const NOW: Millis = Millis(1_764_000_000_000);

/// A folder in memory where there is such: nobody cuts the power of a test, and it waits for no disk.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A ledger with a sealed batch of one refund of each payment.
async fn planned(rows: u32) -> (TempDir, Ledger) {
    let folder = folder();
    let ledger = Ledger::open(folder.path().join("refunds.db")).await.unwrap();
    let batch = NewBatch::new(BATCH, provider::NAME, provider::TARGET, "a test").unwrap();
    ledger.open_batch(batch, NOW).await.unwrap();
    let policy = Policy::flexible_payments();
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    for from in (0..rows).step_by(1_000) {
        let numbers = from..rows.min(from + 1_000);
        let payment = |number: u32| {
            let payment = Payment::completed(usd(10_000), Method::Card).unwrap();
            NewPayment::new(provider::NAME, format!("P{number}"), payment, &policy).unwrap()
        };
        let intent = |number: u32| {
            let (payment, key) = (format!("P{number}"), format!("K{number}"));
            let amount = usd(100 + i64::from(number % 9_000));
            let intent = NewIntent::amount(provider::NAME, payment, key, amount).unwrap();
            intent.row_of(BATCH, u64::from(number) + 1, "row").unwrap()
        };
        ledger.import(numbers.clone().map(payment).collect(), NOW).await.unwrap();
        let prepared = ledger.prepare(numbers.map(intent).collect(), NOW).await.unwrap();
        assert!(prepared.iter().all(|it| matches!(it, Prepared::New { .. })), "{prepared:?}");
    }
    ledger.seal_batch(BATCH, "a test", (u64::from(rows), 0), NOW).await.unwrap();
    (folder, ledger)
}

fn nobody() -> Arc<()> {
    Arc::new(())
}

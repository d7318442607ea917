//! A ledger in a SQLite file.

#![cfg(feature = "sqlite")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case that cannot be built is a failed test"
)]

#[path = "../contract/mod.rs"]
mod contract;
mod damage;
mod files;
mod killed;

use contract::Store;
use refund_ledger::Ledger;

async fn fresh() -> Option<Store> {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("l.db")).await.unwrap();
    Some(Store { other: ledger.clone(), ledger, keep: Box::new(folder) })
}

contract::cases!(fresh);

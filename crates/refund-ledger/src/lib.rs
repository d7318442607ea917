//! Durable record of refunds: payments, the refunds that are wanted of them, and what became of these.
//!
//! A refund is written down, under its key, before anything is sent ([`Ledger::prepare`]); that a
//! request leaves is written down before its first byte does ([`Ledger::sending`]); what was learned is
//! written down as it is ([`Ledger::record`]), by the state machine of `refund-rules`. So a process may
//! be killed anywhere: what it was about to do is done again under the same key, or looked up.
//!
//! - **The cap holds.** What is prepared, pending and unknown counts; the statement that writes it is
//!   the guard, whoever else writes at the same time.
//! - **Work is leased.** Workers, of one process or of many machines, [claim](Ledger::claim) what is due
//!   for a time; a worker that dies keeps nothing.
//! - **Everything that happened is kept**, payment by payment, on a chain of hashes. [`Ledger::verify`]
//!   derives all the rest from it and says where something is not what was written.
//! - **Two stores**, of one mechanism: a SQLite file (feature `sqlite`, the default) and PostgreSQL, or
//!   what speaks its protocol (feature `postgres`).
//!
//! Providers, targets and details are opaque here; no network is used but to the store, and no clock is
//! read: every moment is told.
//!
//! ```
//! use refund_ledger::{Ledger, Millis, NewBatch, NewIntent, NewPayment, Outcome, Prepared, Report, Wanted};
//! use refund_rules::{Currency, Method, Money, Observation, Payment, Policy, RefundState};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let folder = tempfile::tempdir()?;
//! let ledger = Ledger::open(folder.path().join("refunds.db")).await?;
//! let now = Millis(1_764_000_000_000);
//!
//! let eur = |minor| Money::from_minor(minor, Currency::EUR);
//! let payment = Payment::completed(eur(10_000), Method::Card)?;
//! let policy = Policy::amazon_pay(Currency::EUR);
//! ledger.import(vec![NewPayment::new("amazon-pay", "S01-1", payment, &policy)?], now).await?;
//!
//! ledger.open_batch(NewBatch::new("recall", "amazon-pay", "sandbox", "by hand")?, now).await?;
//! let wish = NewIntent::amount("amazon-pay", "S01-1", "key-1", eur(1_400))?.row_of("recall", 1, "-")?;
//! let prepared = ledger.prepare(vec![wish], now).await?;
//! assert!(matches!(prepared[..], [Prepared::New { .. }]));
//! ledger.seal_batch("recall", "by hand", (1, 0), now).await?;
//!
//! // A worker has it for half a minute.
//! let claimed = ledger.claim(Wanted::new("worker-1", 10, 30_000).batch("recall"), now).await?;
//! let attempt = ledger.sending(&claimed[0].claim, now, 1_000).await?;
//! // Here the request leaves, and this is its answer:
//! let outcome = Outcome::accepted("S01-1-R1", Some(Observation::Refunded));
//! let recorded = ledger.record(vec![Report::of_try(&attempt, outcome, now)]).await?;
//! assert!(matches!(&recorded[..], [Ok(recorded)] if recorded.state == RefundState::Refunded));
//! ledger.verify().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Without a store there are the types, and no way to open a ledger.
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused_imports, reason = "the rest is for the stores")
)]

mod batch;
mod claim;
mod error;
mod event;
mod intent;
mod judge;
mod ledger;
mod ops;
mod outcome;
mod pace;
mod payment;
mod reads;
mod rows;
mod session;
mod time;
mod work;
mod writer;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use batch::{BatchRecord, NewBatch};
pub use claim::{Attempt, Claim, Claimed, Wanted};
pub use error::{Damage, Error, ErrorKind};
pub use intent::{
    Imported, IntentFacts, IntentId, IntentRecord, KeyLife, Life, NewIntent, Prepared,
};
pub use ledger::{Ledger, Pages};
pub use outcome::{Outcome, Recorded, Report};
pub use pace::Pace;
pub use payment::{NewPayment, PaymentFacts, PaymentRecord};
pub use reads::{EventRecord, Filter, Total, Verified};
pub use time::Millis;

//! The command against a disk and a network that fail, and among workers that are killed: every refund is
//! made exactly once, and the exit code tells what to do.

#![cfg(target_os = "linux")]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a case that cannot be built is a failed test, and it says what was tried"
)]

mod calls;
mod ending;
mod power;
#[path = "../../../refund-ledger/tests/server/mod.rs"]
mod server;
mod shim;
mod workers;
mod world;

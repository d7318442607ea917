//! Batches against the sandbox: each refund exactly once, whatever becomes of the answers.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod answers;
mod recorded;
mod window;
mod world;

//! Every message of the spec, both ways: random values, golden texts, and lists that forget nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a message that cannot be read is a failed test"
)]

#[path = "../generated/amazon_pay.rs"]
mod amazon_pay;
mod any;
#[path = "../generated/flexible_payments.rs"]
mod flexible_payments;
mod golden;
mod round_trip;

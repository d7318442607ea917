//! The sandbox as a client sees it on the wire: requests made by hand, answers read as they come.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

mod world;

mod amazon_pay;
mod flexible_payments;
mod ownership;

mod books;
mod declined;
mod durability;
mod notifications;
mod races;
mod seeded;

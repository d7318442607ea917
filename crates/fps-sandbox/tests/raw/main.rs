//! The sandbox as a client sees it on the wire: requests made by hand, answers read as they come.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

mod fps_world;
mod world;

mod amazon_pay;
mod flexible_payments;
mod ownership;

mod fps_activity;
mod fps_charges;
mod fps_credit;
mod fps_histories;
mod fps_marketplace;
mod fps_older_file;
mod fps_subscriptions;
mod fps_tokens;
mod pay;
mod pay_histories;
mod pay_life;
mod pay_notifications;
mod pay_older;
mod pay_permissions;
mod pay_requests;
mod pay_sessions;

mod audit;
mod books;
mod cobranded;
mod control;
mod declined;
mod dialects;
mod door;
mod durability;
mod faults;
mod notifications;
mod races;
mod seeded;
mod simple_pay;
mod soap;
mod throttle;
mod verify_signature;

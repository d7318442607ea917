//! What may be refunded, to the cent.
//!
//! Pure rules: no input or output, no clock, no randomness, no logging, no float, no dependency.
//! A shop, a ledger or an emulator describes a payment ([`Payment`]), somebody asks for some of it
//! back ([`Wish`]), and [`decide`] says what would happen or names the rule that forbids it. A dry
//! run is the same call: nothing here can move money.
//!
//! ```
//! use refund_rules::{Currency, Decision, Method, Money, Payment, Policy, Wish, decide};
//!
//! // A payment of 100.00 USD with a fee of 3.00: returning half returns half the fee.
//! let usd = |text| Money::parse(text, Currency::USD);
//! let payment = Payment::completed(usd("100.00")?, Method::Card)?.with_fee(usd("3.00")?)?;
//! let Decision::Allow(plan) =
//!     decide(&payment, &Wish::amount(usd("50.00")?), &Policy::flexible_payments())
//! else {
//!     panic!("half of a completed payment may be refunded");
//! };
//! assert_eq!(plan.fee_returned(), usd("1.50")?);
//! assert_eq!(plan.remaining(), usd("50.00")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The numbers (the cap, the overage, the largest single refund) are data in a [`Policy`], each
//! with its source; a merchant may tighten them.

#![no_std]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::must_use_candidate
)]

#[cfg(test)]
extern crate std;

mod currency;
mod money;
mod rounding;

mod allocate;

mod authority;
mod payment;
mod policy;
mod wish;

mod legs;
mod plan;
mod refusal;

mod decision;
mod state;

#[cfg(feature = "serde")]
mod serde_forms;

pub use authority::{Asker, Grant, Grants, Operation, Role};
pub use currency::{Currency, UnknownCurrency};
pub use decision::{Decision, decide};
pub use legs::{Leg, Party};
pub use money::{Money, MoneyError, ParseMoneyError};
pub use payment::{Caller, Method, Payment, PaymentError, PaymentKind, PaymentState};
pub use plan::{Destination, Plan, Timing};
pub use policy::{Overage, Policy, Source, Sourced};
pub use refusal::{Limit, Refusal, Rule};
pub use rounding::Rounding;
pub use state::{Contradiction, Observation, RefundState};
pub use wish::{Scope, Wish};

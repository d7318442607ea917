//! What may be refunded, to the cent.
//!
//! Pure rules: no input or output, no clock, no randomness, no logging, no float, no dependency, no
//! standard library. A shop, a ledger or an emulator describes a payment ([`Payment`]), somebody asks
//! for some of it back ([`Wish`]), and [`decide`] says what would happen ([`Plan`]) or names the rule
//! that forbids it ([`Refusal`]). A dry run is the same call: nothing here can move money.
//!
//! A part of a payment returns its part of the fee:
//!
//! ```
//! use refund_rules::{Currency, Decision, Method, Money, Payment, Policy, Wish, decide};
//!
//! // 100.00 USD were paid, with a fee of 3.00; 20.00 went back already, for 0.60 of the fee.
//! let usd = |text| Money::parse(text, Currency::USD);
//! let payment = Payment::completed(usd("100.00")?, Method::Card)?
//!     .with_fee(usd("3.00")?)?
//!     .with_refunded(usd("20.00")?)?;
//! let wish = Wish::amount(usd("50.00")?);
//! let Decision::Allow(plan) = decide(&payment, &wish, &Policy::flexible_payments()) else {
//!     panic!("half of a completed payment may be refunded");
//! };
//! assert_eq!(plan.fee_returned(), usd("1.50")?);
//! assert_eq!(plan.remaining(), usd("30.00")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Amazon Pay lets a merchant give back more than was paid, within limits; yen have no decimals:
//!
//! ```
//! use refund_rules::{Currency, Decision, Limit, Method, Money, Payment, Policy, Rule, Wish, decide};
//!
//! // All of 10,000 yen went back. 15 % more may follow, as goodwill: 1,500 yen, and not one above.
//! let yen = |minor| Money::from_minor(minor, Currency::JPY);
//! let payment = Payment::completed(yen(10_000), Method::Card)?.with_refunded(yen(10_000))?;
//! let policy = Policy::amazon_pay(Currency::JPY);
//! assert!(matches!(decide(&payment, &Wish::amount(yen(1_500)), &policy), Decision::Allow(_)));
//! let Decision::Refuse(refusal) = decide(&payment, &Wish::amount(yen(1_501)), &policy) else {
//!     panic!("one yen too many");
//! };
//! assert_eq!(refusal.rule(), Rule::Remaining);
//! assert_eq!(refusal.limit(), Some(Limit::Amount(yen(1_500))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The numbers are data, each with its source, and a merchant may be stricter:
//!
//! ```
//! use refund_rules::{Currency, Decision, Method, Money, Payment, Policy, Rule, Source, Wish, decide};
//!
//! // The clerks of this shop refund at most 40.00 EUR at once, and never more than was paid.
//! let eur = |minor| Money::from_minor(minor, Currency::EUR);
//! let policy = Policy::amazon_pay(Currency::EUR).with_single_max(eur(4_000))?.without_overage();
//! let payment = Payment::completed(eur(25_000), Method::Card)?;
//! let Decision::Refuse(refusal) = decide(&payment, &Wish::amount(eur(4_001)), &policy) else {
//!     panic!("the shop forbids it, though Amazon would not");
//! };
//! assert_eq!((refusal.rule(), refusal.source()), (Rule::SingleMaximum, Some(Source::Merchant)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What else is here
//!
//! - [`Money`]: minor units of a [`Currency`], every active one of ISO 4217. Strict [`Money::parse`],
//!   checked arithmetic, [`Money::share`] with a named [`Rounding`], [`Money::allocate`] whose parts
//!   sum to the whole.
//! - Marketplaces: which part of a payment goes back ([`Scope`]), who pays whom ([`Plan::legs`]), and
//!   who may ask for it ([`Asker`], [`Grant`]).
//! - [`RefundState`]: the life of a refund, and what an answer, a lookup or a notification may change.
//!
//! # The fee
//!
//! After refunds that total `R` of a payment of `A`, exactly `round_half_even(F · R ÷ A)` of its fee
//! `F` has come back, and all of it from `R = A` on. One refund returns the difference to what came
//! back before it. So a full refund returns the whole fee however it was split, no refund takes fee
//! away, and no part of the way is off by more than half a minor unit.
//!
//! That the fee comes back in proportion is FPS's rule; how a part is rounded no document says, and
//! Amazon Pay's API says nothing of fees. Half to even, by difference, is our choice: the only way of
//! those tried that closes. A refund that is declined takes its part of the fee with it, which can
//! leave a minor unit more or less: see [`Payment::fee_due`].
//!
//! # Features
//!
//! `serde`: amounts as `"14.00 USD"`, payments checked as they are read, decisions written. Nothing
//! else changes.

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
pub use payment::{Executor, Method, Payment, PaymentError, PaymentKind, PaymentState};
pub use plan::{Destination, Plan, Timing};
pub use policy::{Overage, Policy, Source, Sourced};
pub use refusal::{Limit, Refusal, Rule};
pub use rounding::Rounding;
pub use state::{Contradiction, Held, Observation, RefundState};
pub use wish::{Scope, Wish};

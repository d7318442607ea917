//! Refunds over Amazon's two payment services: decided first, sent once, followed to the end.
//!
//! This is the paved path over four crates, each of which can be used alone: `refund-rules` (what may
//! be refunded), `fps-model` (the messages), `fps-sign` (the signatures), `fps-http` (sending one
//! operation). What is here joins them:
//!
//! - [`AmazonPay`] and [`FlexiblePayments`] read a payment into the rules' own words, decide a wish,
//!   and only then send it; `plan` is the dry run of the same code, `submit` repeats a request whose
//!   answer was lost;
//! - both follow a refund to its end and never invent a failure;
//! - [`Notifications`] turns what arrived at a merchant's address into a proof.
//!
//! **Read [the guide](guide) before real money moves**: what a failure means for it, which key a refund has,
//! what a notification proves, and seven examples that run without a network.
//!
//! **Flexible Payments Service ended in 2015.** Nothing here talks to its old hosts: name the
//! endpoint you mean (the sandbox of this project, an archive, a compatible service).
//!
//! ```no_run
//! use fps::{AmazonPay, AmazonPayConfig, Key, Patience, PrivateKey, Region, Settings};
//! use fps::{Currency, Money, Wish};
//! use fps::amazon_pay::ChargeId;
//!
//! # async fn refund(pem: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let key = PrivateKey::from_pem(pem)?;
//! let config = AmazonPayConfig::new("SANDBOX-AFVX7ULWSGBZ5535PCUQOY7B", key, Region::Europe)?;
//! let shop = AmazonPay::new(config, &Settings::default())?;
//! let charge = ChargeId::new("S01-5105180-3221187-C056351");
//! let payment = shop.payment(&charge).await?;
//! let wish = Wish::amount(Money::parse("14.00", Currency::EUR)?);
//! // The key stands for this refund: whoever makes it again, after a crash say, makes the same one.
//! let key = Key::derive(["order-4711", "line-2", "refund-1"]);
//! let (plan, refund) = shop.refund(key.into(), &charge, &payment, &wish).await?;
//! let end = shop.wait_for_refund(&refund.id, &Patience::default()).await?;
//! println!("{:?} with {:?} of the fee: {end:?}", plan.amount(), plan.fee_returned());
//! # Ok(())
//! # }
//! ```

pub mod guide;

mod amazon_pay_client;
mod flexible_payments_client;

mod follow;
#[cfg(feature = "runner")]
mod gateway;
mod key;
mod notifications;
mod refund;

pub use amazon_pay_client::AmazonPay;
pub use flexible_payments_client::FlexiblePayments;
pub use follow::{Followed, Patience};
#[cfg(feature = "runner")]
pub use gateway::{AmazonPayGateway, FlexiblePaymentsGateway};
pub use key::{Key, RandomnessError};
#[cfg(feature = "runner")]
pub use notifications::Noted;
pub use notifications::{
    Arrived, Changed, Confirmation, Event, NotificationError, Notifications, Proof, Received, Topic,
};
pub use refund::{RefundError, SnapshotError, Submitted};

pub use fps_http::{
    AmazonPayConfig, CertificateFetcher, Client, Clock, ConfigError, Connections, Environment,
    Error, ErrorKind, FlexiblePaymentsConfig, Phase, Proxy, Region, RetryPolicy, ServiceRefusal,
    Settings, Trust,
};
pub use fps_model::{
    Answer, CallerReference, IdempotencyKey, InvalidKey, Operation, Sensitive, Timestamp,
    amazon_pay, flexible_payments,
};
pub use fps_sign::query::Credentials;
pub use fps_sign::{
    CertificateOrigin, KeyError, OriginError, PrivateKey, PublicKey, RequestSigner, Secret,
    Verified,
};
pub use refund_rules::{
    Asker, Currency, Decision, Destination, Grant, Grants, Leg, Limit, Method, Money, MoneyError,
    Observation, ParseMoneyError, Party, Payment, PaymentError, PaymentKind, PaymentState, Plan,
    Policy, RefundState, Refusal, Rule, Scope, Timing, Wish, decide,
};
// For the rest of each layer.
pub use {fps_http, fps_model, fps_sign, refund_rules};
#[cfg(feature = "runner")]
pub use {refund_ledger, refund_runner};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

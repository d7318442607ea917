//! Sending one operation of Amazon FPS or Amazon Pay: sign, send, classify, try again, and tell what
//! happened; no rule of refunds and no storage.
//!
//! [`Client::send`] is the whole of it: one typed operation in, its typed answer out. What matters
//! when money moves is what an [`Error`] says about it: [`Error::phase`] answers whether the request
//! left, and [`Error::is_unknown`] whether money may have moved all the same. A timeout is not a
//! failure.
//!
//! ```no_run
//! use fps_http::{AmazonPayConfig, Client, Region, Settings};
//! use fps_model::IdempotencyKey;
//! use fps_model::amazon_pay::CreateRefund;
//! use fps_sign::PrivateKey;
//! use refund_rules::{Currency, Money};
//!
//! # async fn refund(pem: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let key = PrivateKey::from_pem(pem)?;
//! let config = AmazonPayConfig::new("SANDBOX-AFVX7ULWSGBZ5535PCUQOY7B", key, Region::NorthAmerica)?;
//! let client = Client::new(config, &Settings::default())?;
//! let refund = CreateRefund::new(
//!     IdempotencyKey::new("order-4711-refund-1")?,
//!     "S01-5105180-3221187-C056351",
//!     Money::parse("14.00", Currency::USD)?,
//! );
//! let answer = client.send(&refund).await?;
//! println!("{} is {}", answer.result.refund_id.as_str(), answer.result.status_details.state);
//! # Ok(())
//! # }
//! ```
//!
//! Around it:
//!
//! - [`retry`] decides what is tried again, as a table; [`pacing`] keeps all clients of one account to
//!   the published limits;
//! - [`observe`] tells `tracing` and a hook for metrics what happens: names, numbers and durations;
//! - [`RemoteSigner`] is a private key that stays in a KMS, [`Proxy`] the way out of a network;
//! - the feature `testing` brings a transport that follows a script and a clock that does not wait.
//!
//! The rules of what may be refunded are not here (see `refund-rules`), nor is any storage: the key
//! of a request is made and stored by the caller before it is sent.

mod client;
mod config;
mod endpoint;

mod amazon_pay;
mod flexible_payments;
mod signer;
mod wire;

pub mod pacing;
pub mod retry;

mod certificate;

mod clock;
mod hyper;
mod proxy;
mod transport;

mod error;
mod excerpt;
pub mod observe;

#[cfg(feature = "testing")]
pub mod testing;

pub use amazon_pay::{AmazonPayConfig, Environment, Region};
pub use certificate::CertificateFetcher;
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use config::{ConfigError, Connections, Settings, Trust};
pub use endpoint::Endpoint;
pub use error::{Error, ErrorKind, Phase, ServiceRefusal};
pub use excerpt::Excerpt;
pub use flexible_payments::FlexiblePaymentsConfig;
pub use hyper::HyperTransport;
pub use observe::Observer;
pub use pacing::{Limits, Pacing};
pub use proxy::Proxy;
pub use retry::RetryPolicy;
pub use signer::{RemoteSigner, Signer};
pub use transport::{BoxFuture, Transport, TransportError, TransportErrorKind};
pub use wire::Wire;

//! The messages of Amazon's two payment services, as values, encoded and decoded in both directions;
//! nothing here signs, sends or decides.
//!
//! An operation is a value: [`flexible_payments::Refund`] *is* the call. It can be stored, compared,
//! logged and sent again. [`Operation`] is the client's half (encode the request, decode the answer),
//! [`Serve`] the server's (read the request, write the answer); both are generated side by side from
//! the files under `spec/`, so they cannot drift.
//!
//! ```
//! use fps_model::flexible_payments::{Dialect, Refund};
//! use fps_model::{CallerReference, Operation};
//! use refund_rules::{Currency, Money};
//!
//! let refund = Refund::new(
//!     CallerReference::new("CallerReference03")?,
//!     "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD",
//! )
//! .refund_amount(Money::parse("1.00", Currency::USD)?);
//! let params = refund.encode(Dialect::default())?;
//! assert_eq!(params.get("RefundAmount.Value"), Some("1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Amazon's own names and spelling stay inside `fps-*`; only the amounts cross the border, as
//! [`refund_rules::Money`].
//!
//! Clients are tolerant: elements match by local name, unknown fields are skipped, unknown values of
//! an enumeration are kept. Servers are strict: an unknown field is an error with its path.
//!
//! Every message names the source of its facts and how sure they are: (H) a primary source, or
//! recomputed here; (M) one other client, or two sources that differ a little; (L) inferred.

pub mod amazon_pay;
pub mod flexible_payments;
pub mod gatekeeper;
pub mod soap;

mod operation;

mod json;
mod params;
mod xml;

mod decimal;
mod dialect;
mod error;
mod field;
mod key;
mod money;
mod open;
mod scalar;
mod sensitive;
mod service_error;
mod timestamp;

mod generated;

pub use decimal::Decimal;
pub use error::{DecodeError, EncodeError, Expected, Limit, Problem};
pub use json::JsonRequest;
pub use key::{CallerReference, IdempotencyKey, InvalidKey};
pub use open::Unlisted;
pub use operation::{Answer, Operation, Replay, Serve, Service};
pub use params::Params;
pub use sensitive::Sensitive;
pub use service_error::ServiceError;
pub use timestamp::Timestamp;

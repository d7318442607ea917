//! The signatures of Amazon Flexible Payments Service and Amazon Pay, made and verified without I/O
//! and without a clock.
//!
//! The time of a request is a text that the caller passes in, certificates are
//! bytes that the caller fetched. Four schemes:
//!
//! | module | who signs | how |
//! |---|---|---|
//! | [`query`] | an FPS caller, a request | HMAC-SHA256 or HMAC-SHA1, signature version 2 |
//! | [`amazon_pay`] | an Amazon Pay merchant, a request | RSASSA-PSS with SHA-256 |
//! | [`outbound`] | FPS, a notification or return URL | RSA-SHA1, signature version 2 |
//! | [`soap`] | an FPS caller, a SOAP envelope | RSA-SHA1 over canonical XML, WS-Security with X.509 |
//!
//! Each has the same shape. Signing returns instructions (parameters or headers to add) and touches
//! nothing. Verifying has two steps: a `Claim` is read from what arrived and says which key it needs;
//! given that key it becomes [`Verified`], the only proof there is. Every stage in between (canonical
//! form, string to sign) is public, so that a refused signature can be explained.
//!
//! Signature version 1 is not here: it joins names and values without delimiters, so that a signed
//! refund of one dollar carries the same signature as one of the whole payment.

pub mod amazon_pay;
pub mod outbound;
pub mod query;
pub mod soap;

mod certificate;
mod error;
mod key;
mod percent;
mod rsa;
mod secret;
mod target;
mod verified;

pub use certificate::{Certificate, CertificateOrigin, CertificateUrl};
pub use error::{Error, KeyError, OriginError, SignError};
pub use key::{PrivateKey, PublicKey, RequestSigner};
pub use percent::percent_encode;
pub use secret::Secret;
pub use target::{Target, string_to_sign};
pub use verified::Verified;

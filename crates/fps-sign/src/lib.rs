//! The signatures of Amazon Flexible Payments Service and Amazon Pay, made and verified without I/O
//! and without a clock.
//!
//! The time of a request is a text that the caller passes in, certificates are
//! bytes that the caller fetched. The schemes:
//!
//! | module | who signs | how |
//! |---|---|---|
//! | [`query`] | an FPS caller, a request | HMAC-SHA256 or HMAC-SHA1, signature version 2; version 1 by name |
//! | [`amazon_pay`] | an Amazon Pay merchant, a request or a button | RSASSA-PSS with SHA-256 |
//! | [`outbound`] | FPS, a notification or return URL | RSA-SHA1, signature version 2; an HMAC, version 1, by name |
//! | [`sns`] | SNS, a notification of Amazon Pay | RSA-SHA1 or RSA-SHA256, versions 1 and 2 |
//! | [`soap`] | an FPS caller, a SOAP envelope | RSA-SHA1 over canonical XML, WS-Security with X.509 |
//!
//! Each has the same shape. Signing returns instructions (parameters or headers to add) and touches
//! nothing. Verifying has two steps: a `Claim` is read from what arrived and says which key it needs;
//! given that key it becomes [`Verified`], the only proof there is. Every stage in between (canonical
//! form, string to sign) is public, and [`explain`] compares two of them, or reads from Amazon's
//! refusal which stage went wrong.
//!
//! Old and weak schemes are here because records of them are, and say so in the name of the function
//! that reads or writes them: see [`query::sign_forgeable_version_1`] for two refunds that share a
//! signature.

pub mod amazon_pay;
pub mod explain;
pub mod outbound;
pub mod query;
pub mod sns;
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
pub use percent::{parse_form, percent_encode};
pub use secret::Secret;
pub use target::{Target, forgeable_string_to_sign, string_to_sign};
pub use verified::Verified;

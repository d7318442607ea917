//! FPS Query requests, signature version 2, HMAC over method, host, path and sorted parameters; no
//! other version is read here.
//!
//! ```
//! use fps_sign::query::{self, Claim, Credentials, SignatureMethod};
//! use fps_sign::{Secret, Target};
//!
//! let target = Target::new("GET", "localhost:8443", "/");
//! let credentials = Credentials::new("AKEXAMPLE", Secret::new("not a real key"));
//! let mut params = vec![("Action".to_owned(), "Refund".to_owned())];
//!
//! // Signing says what to add …
//! let add = query::sign(
//!     &target,
//!     params.iter().map(|(name, value)| (name.as_str(), value.as_str())),
//!     &credentials,
//!     SignatureMethod::HmacSha256,
//!     "2009-10-06T05:51:49.578Z",
//! );
//! params.extend(add.into_iter().map(|(name, value)| (name.to_owned(), value)));
//!
//! // … and the other side reads the claim, finds the key, and gets the proof.
//! let claim = Claim::read(target, params)?;
//! assert_eq!(claim.access_key_id(), "AKEXAMPLE");
//! let verified = claim.verify(&Secret::new("not a real key"))?;
//! assert_eq!(verified.get()[0].1, "Refund");
//! # Ok::<(), fps_sign::Error>(())
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::error::Error;
use crate::secret::Secret;
use crate::target::{Target, single, string_to_sign, without};
use crate::verified::Verified;

/// An AWS access key: its public id and its secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    access_key_id: String,
    secret_key: Secret,
}

impl Credentials {
    /// Both halves.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_key: Secret) -> Self {
        Self { access_key_id: access_key_id.into(), secret_key }
    }

    /// The half that is sent.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
}

/// Which HMAC; the value of `SignatureMethod`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureMethod {
    /// `HmacSHA256`, preferred.
    #[default]
    HmacSha256,
    /// `HmacSHA1`, for services that know no other.
    HmacSha1,
}

impl SignatureMethod {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HmacSHA256",
            Self::HmacSha1 => "HmacSHA1",
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        [Self::HmacSha256, Self::HmacSha1].into_iter().find(|method| method.as_str() == text).ok_or(
            Error::Unsupported { part: "SignatureMethod", accepted: "HmacSHA256 or HmacSHA1" },
        )
    }
}

/// The parameters that sign a request: `AWSAccessKeyId`, `SignatureMethod`, `SignatureVersion`,
/// `Timestamp` and, last, `Signature`. Add all of them, values not yet encoded, to the query or the
/// form.
///
/// `timestamp` is ISO 8601 in UTC, with or without milliseconds.
#[must_use]
pub fn sign<'a>(
    target: &Target<'_>,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    credentials: &'a Credentials,
    method: SignatureMethod,
    timestamp: &'a str,
) -> Vec<(&'static str, String)> {
    let added = [
        ("AWSAccessKeyId", credentials.access_key_id.as_str()),
        ("SignatureMethod", method.as_str()),
        ("SignatureVersion", "2"),
        ("Timestamp", timestamp),
    ];
    let text = string_to_sign(target, params.into_iter().chain(added));
    let mac = match method {
        SignatureMethod::HmacSha256 => STANDARD
            .encode(mac::<Hmac<Sha256>>(&credentials.secret_key, &text).finalize().into_bytes()),
        SignatureMethod::HmacSha1 => STANDARD
            .encode(mac::<Hmac<Sha1>>(&credentials.secret_key, &text).finalize().into_bytes()),
    };
    let mut instructions: Vec<_> =
        added.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    instructions.push(("Signature", mac));
    instructions
}

/// A request that says who signed it; nothing is proved yet.
#[derive(Clone)]
pub struct Claim<'a, P> {
    target: Target<'a>,
    params: P,
    access_key_id: String,
    timestamp: String,
    method: SignatureMethod,
    signature: Vec<u8>,
}

/// Without parameters and signature, which are nobody's business.
impl<P> fmt::Debug for Claim<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("target", &self.target)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl<'a, P: AsRef<[(String, String)]>> Claim<'a, P> {
    /// Reads what a request claims. `params` are all of its parameters, decoded: `+` and `%20` both
    /// are blanks.
    ///
    /// # Errors
    /// [`Error`] when a part of the signature is missing, doubled, unreadable or not version 2.
    pub fn read(target: Target<'a>, params: P) -> Result<Self, Error> {
        let given = params.as_ref();
        let access_key_id = single(given, "AWSAccessKeyId")?.to_owned();
        if single(given, "SignatureVersion")? != "2" {
            return Err(Error::Unsupported { part: "SignatureVersion", accepted: "2" });
        }
        let method = SignatureMethod::parse(single(given, "SignatureMethod")?)?;
        let timestamp = single(given, "Timestamp")?.to_owned();
        let signature = STANDARD
            .decode(single(given, "Signature")?)
            .map_err(|_| Error::Malformed("Signature"))?;
        Ok(Self { target, access_key_id, timestamp, method, signature, params })
    }

    /// Whose key is needed.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// When it says that it was signed. Whether that is recent is for the caller to judge.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// Proves the claim, in time that does not depend on where the signatures differ.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn verify(self, secret_key: &Secret) -> Result<Verified<P>, Error> {
        let text = string_to_sign(&self.target, without(self.params.as_ref(), "Signature"));
        let checked = match self.method {
            SignatureMethod::HmacSha256 => {
                mac::<Hmac<Sha256>>(secret_key, &text).verify_slice(&self.signature)
            }
            SignatureMethod::HmacSha1 => {
                mac::<Hmac<Sha1>>(secret_key, &text).verify_slice(&self.signature)
            }
        };
        checked.map(|()| Verified::new(self.params)).map_err(|_| Error::Mismatch)
    }
}

fn mac<M: Mac + KeyInit>(key: &Secret, text: &str) -> M {
    #[expect(clippy::expect_used, reason = "an HMAC key may have any length")]
    let keyed = <M as KeyInit>::new_from_slice(key.expose().as_bytes()).expect("any length");
    keyed.chain_update(text)
}

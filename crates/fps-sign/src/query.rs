//! FPS Query requests, an HMAC over their parameters; no operation is known here, and nothing is
//! compared with a clock.
//!
//! Version 2 covers method, host, path and every parameter with its delimiters. Version 1 does not,
//! and is read and written only through functions whose names say so.
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
use crate::target::{Target, forgeable_string_to_sign, single, string_to_sign, without};
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
    instructions(added, signature(&text, &credentials.secret_key, method))
}

/// The same in signature version 1, for a service that knows no other: `AWSAccessKeyId`,
/// `SignatureVersion`, `Timestamp` and, last, `Signature`. **Whoever sees such a request can make
/// others of it.**
///
/// Version 1 joins sorted names and values without a delimiter and signs neither method nor host nor
/// path. A refund of one dollar
///
/// ```text
/// CallerReference=354897217
/// RefundAmount.Amount=1
/// RefundAmount.CurrencyCode=USD
/// ```
///
/// has the same text, and so the same signature, as one without an amount, which is a refund of all
/// that is left:
///
/// ```text
/// CallerReference=354897217RefundAmount.Amount1RefundAmount.CurrencyCodeUSD
/// ```
///
/// Amazon deprecated it on 3 November 2009 and switched it off within two years.
#[must_use]
pub fn sign_forgeable_version_1<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    credentials: &'a Credentials,
    timestamp: &'a str,
) -> Vec<(&'static str, String)> {
    let added = [
        ("AWSAccessKeyId", credentials.access_key_id.as_str()),
        ("SignatureVersion", "1"),
        ("Timestamp", timestamp),
    ];
    let text = forgeable_string_to_sign(params.into_iter().chain(added));
    instructions(added, signature(&text, &credentials.secret_key, SignatureMethod::HmacSha1))
}

/// The last stage: the HMAC of a string to sign, in base64.
#[must_use]
pub fn signature(string_to_sign: &str, secret_key: &Secret, method: SignatureMethod) -> String {
    match method {
        SignatureMethod::HmacSha256 => {
            STANDARD.encode(mac::<Hmac<Sha256>>(secret_key, string_to_sign).finalize().into_bytes())
        }
        SignatureMethod::HmacSha1 => {
            STANDARD.encode(mac::<Hmac<Sha1>>(secret_key, string_to_sign).finalize().into_bytes())
        }
    }
}

fn instructions<const N: usize>(
    added: [(&'static str, &str); N],
    signature: String,
) -> Vec<(&'static str, String)> {
    let mut instructions = Vec::with_capacity(N + 1);
    instructions.extend(added.map(|(name, value)| (name, value.to_owned())));
    instructions.push(("Signature", signature));
    instructions
}

/// A request that says who signed it; nothing is proved yet.
#[derive(Clone)]
pub struct Claim<'a, P> {
    /// `None` in version 1, which signs no target.
    target: Option<Target<'a>>,
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
    /// Reads what a request claims, in signature version 2 and no other. `params` are all of its
    /// parameters, decoded as [`parse_form`](crate::parse_form) does: however a client encoded them,
    /// they are encoded again before anything is compared.
    ///
    /// # Errors
    /// [`Error`] when a part of the signature is missing, doubled, unreadable or not version 2.
    pub fn read(target: Target<'a>, params: P) -> Result<Self, Error> {
        let given = params.as_ref();
        let access_key_id = single(given, "AWSAccessKeyId")?.to_owned();
        version(given, "2")?;
        let method = SignatureMethod::parse(single(given, "SignatureMethod")?)?;
        Self::from_parts(Some(target), method, access_key_id, params)
    }

    /// Reads what a request claims, in signature version 1 and no other. **What is proved by it may
    /// have been composed from another request by somebody without the key**: see
    /// [`sign_forgeable_version_1`]. For records of the time, and for nothing that moves money.
    ///
    /// # Errors
    /// [`Error`] when a part of the signature is missing, doubled, unreadable or not version 1.
    pub fn read_forgeable_version_1(params: P) -> Result<Self, Error> {
        let given = params.as_ref();
        let access_key_id = single(given, "AWSAccessKeyId")?.to_owned();
        version(given, "1")?;
        Self::from_parts(None, SignatureMethod::HmacSha1, access_key_id, params)
    }

    fn from_parts(
        target: Option<Target<'a>>,
        method: SignatureMethod,
        access_key_id: String,
        params: P,
    ) -> Result<Self, Error> {
        let given = params.as_ref();
        let timestamp = single(given, "Timestamp")?.to_owned();
        let signature = STANDARD
            .decode(single(given, "Signature")?)
            .map_err(|_| Error::Malformed("Signature"))?;
        Ok(Self { target, params, access_key_id, timestamp, method, signature })
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

    /// The text that the signature should be over, to be compared with what the other side signed:
    /// see [`explain`](crate::explain).
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        let params = without(self.params.as_ref(), "Signature");
        match &self.target {
            Some(target) => string_to_sign(target, params),
            None => forgeable_string_to_sign(params),
        }
    }

    /// Proves the claim, in time that does not depend on where the signatures differ.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn verify(self, secret_key: &Secret) -> Result<Verified<P>, Error> {
        let text = self.string_to_sign();
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

fn version(params: &[(String, String)], accepted: &'static str) -> Result<(), Error> {
    match single(params, "SignatureVersion")? {
        version if version == accepted => Ok(()),
        _ => Err(Error::Unsupported { part: "SignatureVersion", accepted }),
    }
}

/// The HMAC of a text, to be finished or compared.
pub(crate) fn mac<M: Mac + KeyInit>(key: &Secret, text: &str) -> M {
    #[expect(clippy::expect_used, reason = "an HMAC key may have any length")]
    let keyed = <M as KeyInit>::new_from_slice(key.expose().as_bytes()).expect("any length");
    keyed.chain_update(text)
}

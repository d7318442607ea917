//! Why something could not be signed, verified or read; carries names, never values.

use std::error::Error as StdError;
use std::fmt;

/// Why a signature does not prove what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A part that the scheme needs is absent.
    Missing(&'static str),
    /// A part that may stand once stands more than once.
    Duplicate(String),
    /// A part is there and cannot be read.
    Malformed(&'static str),
    /// The signature names a version or method that is not accepted here.
    Unsupported {
        /// The part that names it.
        part: &'static str,
        /// What is accepted.
        accepted: &'static str,
    },
    /// Everything could be read, and the signature is not that of this message by this key.
    Mismatch,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(part) => write!(f, "{part} is missing from the signed message"),
            Self::Duplicate(part) => write!(f, "{part} stands more than once in the message"),
            Self::Malformed(part) => write!(f, "{part} cannot be read"),
            Self::Unsupported { part, accepted } => {
                write!(f, "{part} is not supported, expected {accepted}")
            }
            Self::Mismatch => f.write_str("the signature does not match the message"),
        }
    }
}

impl StdError for Error {}

/// Why a text is not the key that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no PEM block in the text.
    NotPem,
    /// The key is in OpenSSH's own format.
    OpenSsh,
    /// The key is encrypted with a passphrase.
    Encrypted,
    /// A public key or certificate stands where the private key is needed.
    NotPrivate,
    /// A private key stands where a public key is needed.
    NotPublic,
    /// The key is for another algorithm than RSA.
    NotRsa,
    /// The key has too few bits.
    TooShort {
        /// How many it has.
        bits: usize,
        /// How many it needs.
        least: usize,
    },
    /// The PEM block does not hold what its label promises.
    Malformed,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPem => f.write_str("the key is not PEM text (no `-----BEGIN ...-----` block)"),
            Self::OpenSsh => f.write_str(
                "the key is in OpenSSH format; convert it with `ssh-keygen -p -m PKCS8 -f KEYFILE`",
            ),
            Self::Encrypted => f.write_str(
                "the key is encrypted; decrypt it first with `openssl pkcs8 -in KEYFILE -out PLAIN`",
            ),
            Self::NotPrivate => f.write_str("a private key is needed, and this is a public one"),
            Self::NotPublic => f.write_str("a public key is needed, and this is a private one"),
            Self::NotRsa => f.write_str("the key is not an RSA key"),
            Self::TooShort { bits, least } => {
                write!(f, "the RSA key has {bits} bits, at least {least} are needed")
            }
            Self::Malformed => f.write_str("the PEM block is not a readable key"),
        }
    }
}

impl StdError for KeyError {}

/// Why a certificate address was not admitted; nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginError {
    /// The configured origin is not `https://host[:port]/` with nothing after the slash.
    BadOrigin,
    /// The address does not begin with the configured origin.
    Foreign,
    /// The address begins rightly, but holds characters or segments that a certificate path has not.
    Suspicious,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadOrigin => "a certificate origin is https://host/ with nothing after the slash",
            Self::Foreign => "the certificate address is not under the configured origin",
            Self::Suspicious => "the certificate address is not a plain path",
        })
    }
}

impl StdError for OriginError {}

/// Why a signature could not be made. The source is that of the signer: an HSM, a KMS, a key.
#[derive(Debug)]
pub struct SignError(Box<dyn StdError + Send + Sync>);

impl SignError {
    /// Wraps what the signer said.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request could not be signed")
    }
}

impl StdError for SignError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

//! Reading RSA keys, and signing with one that may live elsewhere; which backend computes is not
//! decided here.

use std::fmt;

use ::rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, RsaPublicKeyRef};
use ::rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, ObjectIdentifier};
use ::rsa::traits::PublicKeyParts;
use ::rsa::{RsaPrivateKey, RsaPublicKey};
use x509_cert::der::Decode;
use x509_cert::spki::{self, SubjectPublicKeyInfoRef};

use crate::error::{KeyError, SignError};
use crate::rsa::{Private, Public, Scheme};

/// The least bits of a key that signs.
const PRIVATE_BITS_MIN: usize = 2048;
/// The least bits of a key that verifies: two of the keys FPS signed notifications with have 1024.
const PUBLIC_BITS_MIN: usize = 1024;

/// The longest text that is read as a key, in bytes.
const PEM_BYTES_MAX: usize = 64 * 1024;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// An RSA private key. It is never printed.
pub struct PrivateKey(Private);

/// An RSA public key.
#[derive(Clone)]
pub struct PublicKey(Public);

/// Signs Amazon Pay requests. A key in memory does ([`PrivateKey`]); so can one in an HSM or KMS.
///
/// The call is synchronous. For a key behind a network, take what is to be signed from
/// [`amazon_pay::ToSign`](crate::amazon_pay::ToSign) and wait for the signature as you like.
pub trait RequestSigner: Send + Sync {
    /// RSASSA-PSS over `message` with SHA-256, MGF1 with SHA-256, and a salt of `salt_len` bytes.
    ///
    /// # Errors
    /// [`SignError`] with the signer's own reason.
    fn sign_pss_sha256(&self, message: &[u8], salt_len: usize) -> Result<Vec<u8>, SignError>;
}

impl PrivateKey {
    /// Reads a PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`) key of at least
    /// 2048 bits; line ends may be CRLF, or the two characters `\n` of a one-line environment
    /// variable.
    ///
    /// # Errors
    /// [`KeyError`] says what the text is instead.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = read_pem(text)?;
        let key = match block.tag() {
            "PRIVATE KEY" => from_pkcs8(block.contents())?,
            "RSA PRIVATE KEY" => {
                RsaPrivateKey::from_pkcs1_der(block.contents()).map_err(|_| KeyError::Malformed)?
            }
            "EC PRIVATE KEY" | "DSA PRIVATE KEY" => return Err(KeyError::NotRsa),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(KeyError::NotPrivate),
            _ => return Err(KeyError::Malformed),
        };
        check_bits(bits_of(&key.n_bytes()), PRIVATE_BITS_MIN)?;
        Private::new(key).map(Self)
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public())
    }

    pub(crate) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.sign(scheme, message)
    }
}

impl RequestSigner for PrivateKey {
    fn sign_pss_sha256(&self, message: &[u8], salt_len: usize) -> Result<Vec<u8>, SignError> {
        self.sign(Scheme::PssSha256 { salt_len }, message)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}

impl PublicKey {
    /// Reads a `BEGIN PUBLIC KEY` or `BEGIN RSA PUBLIC KEY` block of at least 1024 bits.
    ///
    /// # Errors
    /// [`KeyError`] says what the text is instead.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = read_pem(text)?;
        match block.tag() {
            "PUBLIC KEY" => Self::from_spki_der(block.contents()),
            "RSA PUBLIC KEY" => Self::from_pkcs1_der(block.contents()),
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" => {
                Err(KeyError::NotPublic)
            }
            _ => Err(KeyError::Malformed),
        }
    }

    /// Reads a DER `SubjectPublicKeyInfo`, as it stands in a certificate.
    pub(crate) fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| KeyError::Malformed)?;
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(KeyError::NotRsa);
        }
        Self::from_pkcs1_der(info.subject_public_key.raw_bytes())
    }

    /// Reads a DER `RSAPublicKey`. It is measured before it is read, because the reader would call a
    /// short key a broken one.
    fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let parts = RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::Malformed)?;
        check_bits(bits_of(parts.modulus.as_bytes()), PUBLIC_BITS_MIN)?;
        let key = RsaPublicKey::from_pkcs1_der(der).map_err(|_| KeyError::Malformed)?;
        Ok(Self(Public::new(key)))
    }

    /// The key as a `BEGIN PUBLIC KEY` block, for instance to register it with a service.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let encoded = self.0.portable().to_public_key_pem(spki::der::pem::LineEnding::LF);
        encoded.unwrap_or_default()
    }

    /// How many bits it has: fewer than 2048 are weak today, and FPS signed with 1024.
    #[must_use]
    pub fn bits(&self) -> usize {
        bits_of(&self.0.portable().n_bytes())
    }

    pub(crate) fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(scheme, message, signature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits)", self.bits())
    }
}

/// Finds the PEM block, whatever was done to its line ends, and names the formats that are not read.
fn read_pem(text: &str) -> Result<pem::Pem, KeyError> {
    if text.len() > PEM_BYTES_MAX {
        return Err(KeyError::Malformed);
    }
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(KeyError::OpenSsh);
    }
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    if !text.contains("-----BEGIN ") {
        return Err(KeyError::NotPem);
    }
    let text = text.replace("\\r", "").replace("\\n", "\n");
    pem::parse(text).map_err(|_| KeyError::Malformed)
}

fn from_pkcs8(der: &[u8]) -> Result<RsaPrivateKey, KeyError> {
    let info = ::rsa::pkcs8::PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
    if info.algorithm.oid != RSA_ENCRYPTION {
        return Err(KeyError::NotRsa);
    }
    RsaPrivateKey::from_pkcs8_der(der).map_err(|_| KeyError::Malformed)
}

fn check_bits(bits: usize, least: usize) -> Result<(), KeyError> {
    if bits < least { Err(KeyError::TooShort { bits, least }) } else { Ok(()) }
}

/// The bits of a number, from its bytes in the usual order.
fn bits_of(number: &[u8]) -> usize {
    let begin = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let spare = number.get(begin).map_or(0, |first| first.leading_zeros() as usize);
    (number.len() - begin) * 8 - spare
}

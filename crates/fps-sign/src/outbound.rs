//! What FPS sent, notifications (POST) and return URLs (GET), signature version 2 by RSA-SHA1; no
//! parameter is understood here but those of the signature.
//!
//! ```no_run
//! use fps_sign::{Certificate, CertificateOrigin, Target, outbound::Claim};
//!
//! # fn fetch(_: &str) -> Vec<u8> { unimplemented!() }
//! # fn received() -> Vec<(String, String)> { unimplemented!() }
//! // Which environment is believed comes from the configuration, never from the message.
//! let origin = CertificateOrigin::new("https://localhost:8443/")?;
//! let target = Target::from_url("POST", "https://shop.example/ipn").ok_or("no address")?;
//! let claim = Claim::read(target, received())?;
//! let address = claim.certificate_url(&origin)?;
//! let certificate = Certificate::from_pem(&fetch(address.as_str()))?;
//! let proved = claim.verify(certificate.public_key())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{CertificateOrigin, CertificateUrl};
use crate::error::{Error, OriginError, SignError};
use crate::key::{PrivateKey, PublicKey};
use crate::rsa::Scheme;
use crate::target::{Target, single, string_to_sign, without};
use crate::verified::Verified;

/// A notification or return URL that says who signed it; nothing is proved yet.
#[derive(Clone)]
pub struct Claim<'a, P> {
    target: Target<'a>,
    params: P,
    certificate_url: String,
    signatures: Vec<Vec<u8>>,
}

/// Without parameters and signature, which are nobody's business.
impl<P> fmt::Debug for Claim<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("target", &self.target)
            .field("certificate_url", &self.certificate_url)
            .finish_non_exhaustive()
    }
}

impl<'a, P: AsRef<[(String, String)]>> Claim<'a, P> {
    /// Reads what a message claims. `target` is the merchant's own address as Amazon was given it:
    /// behind a proxy that is not what the request says. `params` are all of the message's
    /// parameters, decoded, and nothing that a framework added.
    ///
    /// # Errors
    /// [`Error`] when a part of the signature is missing, doubled, unreadable or not RSA-SHA1 in
    /// version 2.
    pub fn read(target: Target<'a>, params: P) -> Result<Self, Error> {
        let given = params.as_ref();
        if single(given, "signatureVersion")? != "2" {
            return Err(Error::Unsupported { part: "signatureVersion", accepted: "2" });
        }
        if single(given, "signatureMethod")? != "RSA-SHA1" {
            return Err(Error::Unsupported { part: "signatureMethod", accepted: "RSA-SHA1" });
        }
        let certificate_url = single(given, "certificateUrl")?.to_owned();
        let signatures = read_signature(single(given, "signature")?)?;
        Ok(Self { target, certificate_url, signatures, params })
    }

    /// Where the certificate is said to be, if the configured origin admits it. Nothing is fetched.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn certificate_url(
        &self,
        origin: &CertificateOrigin,
    ) -> Result<CertificateUrl, OriginError> {
        origin.admit(&self.certificate_url)
    }

    /// Proves the claim by the key of the certificate.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn verify(self, key: &PublicKey) -> Result<Verified<P>, Error> {
        let text = string_to_sign(&self.target, without(self.params.as_ref(), "signature"));
        let message = text.as_bytes();
        let proved =
            self.signatures.iter().any(|given| key.verify(Scheme::Pkcs1Sha1, message, given));
        if proved { Ok(Verified::new(self.params)) } else { Err(Error::Mismatch) }
    }
}

/// The parameters that sign a message: `signatureVersion`, `signatureMethod`, `certificateUrl` and,
/// last, `signature`. SHA-1 signatures are made by the portable RSA backend only.
///
/// # Errors
/// [`SignError`].
pub fn sign<'a>(
    target: &Target<'_>,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    certificate_url: &'a str,
    key: &PrivateKey,
) -> Result<Vec<(&'static str, String)>, SignError> {
    let added = [
        ("signatureVersion", "2"),
        ("signatureMethod", "RSA-SHA1"),
        ("certificateUrl", certificate_url),
    ];
    let text = string_to_sign(target, params.into_iter().chain(added));
    let signature = key.sign(Scheme::Pkcs1Sha1, text.as_bytes())?;
    let mut instructions: Vec<_> =
        added.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    instructions.push(("signature", STANDARD.encode(signature)));
    Ok(instructions)
}

/// The signature is base64 in lines of 76. A blank in it is a line end that was decoded carelessly,
/// or a `+` that was decoded as a form: both readings are tried.
fn read_signature(text: &str) -> Result<Vec<Vec<u8>>, Error> {
    let lines: String =
        text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    let mut readings = vec![lines.replace(' ', "")];
    if lines.contains(' ') {
        readings.push(lines.replace(' ', "+"));
    }
    let decoded: Vec<_> =
        readings.into_iter().filter_map(|reading| STANDARD.decode(reading).ok()).collect();
    if decoded.is_empty() { Err(Error::Malformed("signature")) } else { Ok(decoded) }
}

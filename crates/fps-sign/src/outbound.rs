//! What FPS sent, notifications (POST) and return URLs (GET), signature version 2 by RSA-SHA1; no
//! parameter is understood here but those of the signature.
//!
//! Version 1, an HMAC by the account's secret key, is for records of before 2011 only, and nothing
//! reads it unasked: see [`ForgeableClaim`].
//!
//! ```
//! use fps_sign::outbound::{self, Claim};
//! use fps_sign::{Certificate, CertificateOrigin, PrivateKey, Target};
//!
//! # let key = PrivateKey::from_pem(include_str!("../tests/keys/rsa-2048.pkcs8.pem"))?;
//! # let fetched = include_bytes!("../tests/keys/rsa-2048.certificate.pem");
//! // Which environment is believed comes from the configuration, never from the message.
//! let origin = CertificateOrigin::new("https://localhost:8443/")?;
//! let target = Target::from_url("POST", "https://shop.example/ipn").ok_or("no address")?;
//!
//! // An emulator signs.
//! let params = [("transactionStatus", "SUCCESS"), ("transactionAmount", "USD 1.00")];
//! let url = "https://localhost:8443/certs/PKICert.pem";
//! let signature = outbound::sign(&target, params, url, &key)?;
//! let params = params.map(|(name, value)| (name, value.to_owned()));
//! let received: Vec<(String, String)> =
//!     params.into_iter().chain(signature).map(|(name, value)| (name.to_owned(), value)).collect();
//!
//! // The shop reads the claim, fetches the certificate from the address if it is admitted, and gets
//! // the proof.
//! let claim = Claim::read(target, received)?;
//! let address = claim.certificate_url(&origin)?;
//! assert_eq!(address.as_str(), url);
//! let proved = claim.verify(Certificate::from_pem(fetched)?.public_key())?;
//! assert_eq!(proved.get()[0].1, "SUCCESS");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::certificate::{CertificateOrigin, CertificateUrl};
use crate::error::{Error, OriginError, SignError};
use crate::key::{PrivateKey, PublicKey};
use crate::percent::{encode_pairs, parse_form};
use crate::query::{SignatureMethod, mac, signature};
use crate::rsa::Scheme;
use crate::secret::Secret;
use crate::target::{Target, forgeable_string_to_sign, single, string_to_sign, without};
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
        let signatures = read_signature(given, "signature")?;
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

impl<'a> Claim<'a, Vec<(String, String)>> {
    /// Reads what a return URL claims. `address` is the return URL as Amazon was given it, `query` is
    /// what arrived after the question mark, not yet decoded: the parameters that the return URL had
    /// of its own are in it and are signed with the rest.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Malformed`] when the address is not `http` or `https` or
    /// the query is not one that [`parse_form`] reads.
    pub fn read_return_url(address: &'a str, query: &str) -> Result<Self, Error> {
        let target = Target::from_url("GET", address).ok_or(Error::Malformed("the return URL"))?;
        Self::read(target, parse_form(query)?)
    }
}

/// A notification or return URL about which the service is asked, by its action `VerifySignature`,
/// instead of a certificate; nothing is proved yet. Nothing is asked here either.
///
/// What is asked is what arrived, byte for byte. The service reads it and so does the caller, each with
/// a parser of its own, so bytes that two parsers could read in two ways are refused: a pair without
/// `=`, a `%` that begins no escape, a `;`, and what no URL holds.
#[derive(Clone)]
pub struct Question<'a> {
    url_end_point: &'a str,
    http_parameters: &'a str,
    params: Vec<(String, String)>,
}

/// Without the parameters, which are nobody's business.
impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("url_end_point", &self.url_end_point)
            .finish_non_exhaustive()
    }
}

impl<'a> Question<'a> {
    /// Reads what arrived: `address` is the merchant's own address as Amazon was given it, `received`
    /// the body of a notification, or what follows the question mark of a return URL, as it came.
    ///
    /// # Errors
    /// [`Error`] when a part of the signature is missing, doubled or not RSA-SHA1 in version 2, the
    /// address is not `http` or `https`, or the parameters could be read in two ways.
    pub fn read(address: &'a str, received: &'a str) -> Result<Self, Error> {
        // The method is part of what the service signed, and not of what it is asked.
        let target =
            Target::from_url("POST", address).ok_or(Error::Malformed("the merchant's address"))?;
        if !reads_one_way(received) {
            return Err(Error::Malformed("the form"));
        }
        let Claim { params, .. } = Claim::read(target, parse_form(received)?)?;
        let url_end_point = address.split(['?', '#']).next().unwrap_or(address);
        Ok(Self { url_end_point, http_parameters: received, params })
    }

    /// The address without its query, as `UrlEndPoint` takes it.
    #[must_use]
    pub const fn url_end_point(&self) -> &'a str {
        self.url_end_point
    }

    /// Every parameter exactly as it arrived, as `HttpParameters` takes it, still to be encoded as the
    /// value of that parameter.
    #[must_use]
    pub const fn http_parameters(&self) -> &'a str {
        self.http_parameters
    }

    /// Says that the service was asked, and answered that it signed this. Whoever calls it answers for
    /// both, and for whom was asked: the service that the configuration names, over TLS, and not one
    /// that the message names.
    #[must_use]
    pub fn vouched_for_by_the_service(self) -> Vouched<Vec<(String, String)>> {
        Vouched(self.params)
    }
}

/// Something that the service is said to have said that it signed: see
/// [`Question::vouched_for_by_the_service`]. It is less than [`Verified`], whose signature was checked
/// here, and cannot become one.
#[derive(Clone, PartialEq, Eq)]
pub struct Vouched<T>(T);

/// Without what was vouched for, which may name buyers.
impl<T> fmt::Debug for Vouched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vouched(..)")
    }
}

impl<T> Vouched<T> {
    /// What was vouched for.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// What was vouched for, without the word for it.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Reads what was vouched for into another form, as [`Verified::try_map`] does.
    ///
    /// # Errors
    /// What `read` answers.
    pub fn try_map<U, E>(self, read: fn(&T) -> Result<U, E>) -> Result<Vouched<U>, E> {
        read(&self.0).map(Vouched)
    }
}

/// Would every parser of forms find the same parameters?
fn reads_one_way(form: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b";#\"<>\\^`{|}".contains(&byte);
    let is_escape = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    form.bytes().all(plain)
        && form.split('%').skip(1).all(is_escape)
        && form.split('&').all(|pair| pair.is_empty() || pair.find('=').is_some_and(|at| at > 0))
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

/// The address that a buyer is sent back to: the merchant's return URL with its own query kept, the
/// parameters added to it, and all of them signed.
///
/// # Errors
/// [`SignError`] from the key, or because the return URL is not an `http` or `https` address.
pub fn sign_return_url<'a>(
    return_url: &'a str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    certificate_url: &'a str,
    key: &PrivateKey,
) -> Result<String, SignError> {
    let bad = || SignError::new(Error::Malformed("the return URL"));
    let target = Target::from_url("GET", return_url).ok_or_else(bad)?;
    let (address, fragment) = return_url.split_at(return_url.find('#').unwrap_or(return_url.len()));
    let own = parse_form(address.split_once('?').map_or("", |(_, query)| query))
        .map_err(SignError::new)?;
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let params: Vec<_> = params.into_iter().collect();
    let added = sign(&target, own.chain(params.iter().copied()), certificate_url, key)?;
    let added = added.iter().map(|(name, value)| (*name, value.as_str()));
    let mut url = address.to_owned();
    match url.split_once('?') {
        None => url.push('?'),
        Some((_, "")) => {}
        Some(_) => url.push('&'),
    }
    encode_pairs(params.into_iter().chain(added), &mut url);
    url.push_str(fragment);
    Ok(url)
}

/// How a blank is written in the text that a return URL of version 1 signs. Clients differed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlankEncoding {
    /// `%20`.
    Percent,
    /// `+`, as in a form.
    Plus,
}

/// A message of signature version 1 that says who signed it; nothing is proved yet, and little will
/// be.
///
/// - **A notification** signs names and values joined without delimiters. Where one ends and the next
///   begins is not signed: parameters can be merged into the value of the one before them, or split
///   off, and the signature still matches. So can a request of the account's own, because requests of
///   version 1 are signed in the same way by the same key. Nor is the address signed.
/// - **A return URL** signs encoded pairs after its path, and cannot be cut otherwise. But neither the
///   method nor the host is signed, and a start of a payment is signed in the same way as its end.
///
/// In both, names are sorted without regard to case. Amazon left the order of names that differ only
/// in case undefined; their bytes decide here.
///
/// Whoever has the secret key can make these signatures, so they prove nothing to a third party. Take
/// what was proved as a hint, and ask the service or the records.
#[derive(Clone)]
pub struct ForgeableClaim<P> {
    params: P,
    /// Of a return URL.
    path: Option<String>,
    signatures: Vec<Vec<u8>>,
}

/// Without parameters and signature, which are nobody's business.
impl<P> fmt::Debug for ForgeableClaim<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgeableClaim").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<P: AsRef<[(String, String)]>> ForgeableClaim<P> {
    /// Reads what a notification of signature version 1 claims. `params` are all of its parameters,
    /// decoded, and nothing that a framework added.
    ///
    /// # Errors
    /// [`Error`] when the signature is missing, doubled or unreadable, or the message says that it is
    /// of another version.
    pub fn read_forgeable_version_1(params: P) -> Result<Self, Error> {
        let given = params.as_ref();
        no_other_version(given)?;
        let signatures = read_signature(given, NOTIFICATION_SIGNATURE)?;
        Ok(Self { path: None, signatures, params })
    }

    /// Reads what a return URL of signature version 1 claims. `path` is that of the return URL as
    /// Amazon was given it, `params` are all parameters after the question mark, decoded.
    ///
    /// # Errors
    /// [`Error`] when `awsSignature` is missing, doubled or unreadable, or the message says that it is
    /// of another version.
    pub fn read_return_url_forgeable_version_1(
        path: impl Into<String>,
        params: P,
    ) -> Result<Self, Error> {
        let given = params.as_ref();
        no_other_version(given)?;
        let signatures = read_signature(given, RETURN_URL_SIGNATURE)?;
        Ok(Self { path: Some(path.into()), signatures, params })
    }

    /// Finds the signature to be that of the account's secret key, in time that does not depend on
    /// where it differs. Read on the type what that is worth.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn verify(self, secret_key: &Secret) -> Result<Verified<P>, Error> {
        let given = self.params.as_ref();
        let texts = match &self.path {
            None => vec![forgeable_string_to_sign(without(given, NOTIFICATION_SIGNATURE))],
            Some(path) => [BlankEncoding::Percent, BlankEncoding::Plus]
                .map(|blank| {
                    let params = without(given, RETURN_URL_SIGNATURE);
                    forgeable_return_url_string_to_sign(path, params, blank)
                })
                .to_vec(),
        };
        let proved = texts.iter().any(|text| {
            let mac = mac::<Hmac<Sha1>>(secret_key, text);
            self.signatures.iter().any(|given| mac.clone().verify_slice(given).is_ok())
        });
        if proved { Ok(Verified::new(self.params)) } else { Err(Error::Mismatch) }
    }
}

/// The parameter that signs a notification in version 1: `signature`. For tests and archives: see
/// [`ForgeableClaim`] for what it is worth. The text is [`forgeable_string_to_sign`].
#[must_use]
pub fn sign_forgeable_version_1<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    secret_key: &Secret,
) -> (&'static str, String) {
    let text = forgeable_string_to_sign(params);
    (NOTIFICATION_SIGNATURE, signature(&text, secret_key, SignatureMethod::HmacSha1))
}

/// The parameter that signs a return URL, or a start of a payment, in version 1: `awsSignature`. For
/// tests and archives: see [`ForgeableClaim`] for what it is worth.
#[must_use]
pub fn sign_return_url_forgeable_version_1<'a>(
    path: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    secret_key: &Secret,
) -> (&'static str, String) {
    let text = forgeable_return_url_string_to_sign(path, params, BlankEncoding::Percent);
    (RETURN_URL_SIGNATURE, signature(&text, secret_key, SignatureMethod::HmacSha1))
}

/// The text that version 1 signs in a return URL: the path, a question mark, and the encoded pairs in
/// the order of their names, compared without regard to case.
///
/// `awsSignature` must not be among `params`.
#[must_use]
pub fn forgeable_return_url_string_to_sign<'a>(
    path: &str,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    blank: BlankEncoding,
) -> String {
    let mut sorted: Vec<(&str, &str)> = params.into_iter().collect();
    sorted.sort_by_cached_key(|(name, value)| (name.to_ascii_lowercase(), *name, *value));
    let mut pairs = String::with_capacity(512);
    encode_pairs(sorted.into_iter(), &mut pairs);
    // A `+` of a value is `%2B` already, so that the two ways to write a blank cannot be confused.
    let pairs = match blank {
        BlankEncoding::Percent => pairs,
        BlankEncoding::Plus => pairs.replace("%20", "+"),
    };
    format!("{path}?{pairs}")
}

const NOTIFICATION_SIGNATURE: &str = "signature";
const RETURN_URL_SIGNATURE: &str = "awsSignature";

/// Version 1 named no version. Whatever names another must not be read as if it did not.
fn no_other_version(params: &[(String, String)]) -> Result<(), Error> {
    match single(params, "signatureVersion") {
        Err(Error::Missing(_)) | Ok("1") => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Unsupported { part: "signatureVersion", accepted: "1 or none" }),
    }
}

/// The signature is base64 in lines of 76. A blank in it is a line end that was decoded carelessly,
/// or a `+` that was decoded as a form: both readings are tried.
fn read_signature(params: &[(String, String)], name: &'static str) -> Result<Vec<Vec<u8>>, Error> {
    let text = single(params, name)?;
    let lines: String =
        text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    let mut readings = vec![lines.replace(' ', "")];
    if lines.contains(' ') {
        readings.push(lines.replace(' ', "+"));
    }
    let decoded: Vec<_> =
        readings.into_iter().filter_map(|reading| STANDARD.decode(reading).ok()).collect();
    if decoded.is_empty() { Err(Error::Malformed(name)) } else { Ok(decoded) }
}

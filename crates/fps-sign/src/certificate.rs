//! Where a certificate may come from, decided before anything is fetched, and what it must say;
//! nothing is fetched here.

use x509_cert::der::{Decode, Encode};

use crate::error::{KeyError, OriginError};
use crate::key::PublicKey;

/// The longest certificate address that is admitted, in bytes.
const URL_BYTES_MAX: usize = 512;
/// The largest certificate that is read, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// The one place that signing certificates of an environment come from. It comes from the
/// configuration, never from a message: a notification signed by the free sandbox must not convince
/// a live shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateOrigin(Rule);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// This origin, to the letter.
    Exact(String),
    /// The SNS endpoint of one region, to the letter.
    SnsRegion(String),
    /// The SNS endpoint of whichever region.
    AnySnsRegion,
}

/// An address that an origin admitted: the caller may fetch it, over TLS and without redirects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateUrl(String);

impl CertificateOrigin {
    /// `https://fps.amazonaws.com/`, the origin in old live notifications. The service is retired:
    /// keep the certificate with the records, do not expect to fetch it.
    #[must_use]
    pub fn retired_live() -> Self {
        Self(Rule::Exact("https://fps.amazonaws.com/".to_owned()))
    }

    /// `https://fps.sandbox.amazonaws.com/`, the origin in old sandbox notifications. Retired too.
    #[must_use]
    pub fn retired_sandbox() -> Self {
        Self(Rule::Exact("https://fps.sandbox.amazonaws.com/".to_owned()))
    }

    /// `https://sns.REGION.amazonaws.com/`, the origin in messages of SNS from one region, such as
    /// `us-east-1`. In the regions of China the host ends in `.cn`. Only `.pem` files are admitted.
    ///
    /// # Errors
    /// [`OriginError::BadOrigin`] when it does not look like a region.
    pub fn sns_region(region: &str) -> Result<Self, OriginError> {
        if !is_region(region) {
            return Err(OriginError::BadOrigin);
        }
        Ok(Self(Rule::SnsRegion(sns_origin(region))))
    }

    /// The same for whichever region the address names. Prefer [`sns_region`](Self::sns_region): a
    /// topic does not change its region.
    ///
    /// Amazon documents the host as `^sns\.[a-zA-Z0-9\-]{3,}\.amazonaws\.com(\.cn)?$`. That also
    /// describes a storage bucket called `sns` in `s3-us-west-2`, so the part in the middle must look
    /// like a region here.
    #[must_use]
    pub const fn sns_any_region() -> Self {
        Self(Rule::AnySnsRegion)
    }

    /// Another origin: an emulator, an archive. `https://host[:port]/` and nothing after the slash.
    ///
    /// # Errors
    /// [`OriginError::BadOrigin`] for any other form.
    pub fn new(origin: &str) -> Result<Self, OriginError> {
        let authority = origin
            .strip_prefix("https://")
            .and_then(|rest| rest.strip_suffix('/'))
            .ok_or(OriginError::BadOrigin)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        if authority.is_empty() || !authority.bytes().all(plain) {
            return Err(OriginError::BadOrigin);
        }
        Ok(Self(Rule::Exact(origin.to_owned())))
    }

    /// Admits an address that begins with exactly this origin and goes on as a plain path, with at
    /// most one plain query. The comparison is literal: no parser stands between what is checked and
    /// what would be fetched.
    ///
    /// # Errors
    /// [`OriginError::Foreign`] or [`OriginError::Suspicious`].
    pub fn admit(&self, url: &str) -> Result<CertificateUrl, OriginError> {
        let rest = self.rest_of(url).ok_or(OriginError::Foreign)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=&".contains(&byte);
        let climbs = rest.split(['/', '?']).any(|segment| matches!(segment, "." | ".."));
        // An escape in the path could be a dot or a slash to whoever fetches it.
        if url.len() > URL_BYTES_MAX
            || path.is_empty()
            || climbs
            || path.starts_with('/')
            || !path.bytes().all(plain)
            || !query.bytes().all(|byte| plain(byte) || byte == b'%')
        {
            return Err(OriginError::Suspicious);
        }
        if !matches!(self.0, Rule::Exact(_)) && !is_pem_file(url) {
            return Err(OriginError::Suspicious);
        }
        Ok(CertificateUrl(url.to_owned()))
    }

    /// [`admit`](Self::admit) by the rules of SNS, whatever the origin: a `.pem` file and no query.
    pub(crate) fn admit_pem(&self, url: &str) -> Result<CertificateUrl, OriginError> {
        let admitted = self.admit(url)?;
        if is_pem_file(url) { Ok(admitted) } else { Err(OriginError::Suspicious) }
    }

    /// What follows the origin in an address that begins with it.
    fn rest_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        match &self.0 {
            Rule::Exact(origin) | Rule::SnsRegion(origin) => url.strip_prefix(origin.as_str()),
            Rule::AnySnsRegion => {
                let (region, _) = url.strip_prefix("https://sns.")?.split_once('.')?;
                // Spelled out from the region again, so that both rules compare the same text.
                is_region(region).then(|| url.strip_prefix(&sns_origin(region)))?
            }
        }
    }
}

/// The name of the file ends in `.pem`, and no query follows that could do so in its place.
fn is_pem_file(url: &str) -> bool {
    url.ends_with(".pem") && !url.contains('?')
}

/// `us-east-1`, `us-gov-west-1`: words and at last a number.
fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_word = |part: &str| part.len() > 1 && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.next().is_some_and(is_number) && parts.clone().count() >= 2 && parts.all(is_word)
}

fn sns_origin(region: &str) -> String {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://sns.{region}.amazonaws.com{end}/")
}

impl CertificateUrl {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An X.509 certificate that signs notifications or SOAP envelopes.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    key: PublicKey,
    not_before: u64,
    not_after: u64,
}

impl Certificate {
    /// Reads one PEM certificate with an RSA key; there may be other text around it, and line ends
    /// may be CRLF. A chain is refused, because nothing says which of its keys signs.
    ///
    /// # Errors
    /// [`KeyError`] when it is something else, or longer than 64 KiB.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        if pem.len() > CERTIFICATE_BYTES_MAX {
            return Err(KeyError::Malformed);
        }
        let text = std::str::from_utf8(pem).map_err(|_| KeyError::NotPem)?;
        if !text.contains("-----BEGIN ") {
            return Err(KeyError::NotPem);
        }
        let blocks = pem::parse_many(text).map_err(|_| KeyError::Malformed)?;
        match blocks.as_slice() {
            [block] if block.tag() == "CERTIFICATE" => Self::from_der(block.contents()),
            _ => Err(KeyError::Malformed),
        }
    }

    /// Reads one DER certificate with an RSA key, and nothing after it.
    ///
    /// # Errors
    /// [`KeyError`] when it is something else, or longer than 64 KiB.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(KeyError::Malformed);
        }
        let certificate = x509_cert::Certificate::from_der(der).map_err(|_| KeyError::Malformed)?;
        let content = certificate.tbs_certificate();
        let key_info =
            content.subject_public_key_info().to_der().map_err(|_| KeyError::Malformed)?;
        let validity = content.validity();
        Ok(Self {
            der: der.to_owned(),
            key: PublicKey::from_spki_der(&key_info)?,
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
        })
    }

    /// The certificate itself, as it was read.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key it certifies.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Is it valid at this time, in seconds since 1970?
    #[must_use]
    pub fn is_valid_at(&self, unix_seconds: u64) -> bool {
        (self.not_before..=self.not_after).contains(&unix_seconds)
    }
}

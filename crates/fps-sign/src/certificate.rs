//! Where a certificate may come from, decided before anything is fetched, and what it must say;
//! nothing is fetched here.

use x509_cert::der::Encode;

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
pub struct CertificateOrigin(String);

/// An address that an origin admitted: the caller may fetch it, over TLS and without redirects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateUrl(String);

impl CertificateOrigin {
    /// `https://fps.amazonaws.com/`, the origin in old live notifications. The service is retired:
    /// keep the certificate with the records, do not expect to fetch it.
    #[must_use]
    pub fn retired_live() -> Self {
        Self("https://fps.amazonaws.com/".to_owned())
    }

    /// `https://fps.sandbox.amazonaws.com/`, the origin in old sandbox notifications. Retired too.
    #[must_use]
    pub fn retired_sandbox() -> Self {
        Self("https://fps.sandbox.amazonaws.com/".to_owned())
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
        Ok(Self(origin.to_owned()))
    }

    /// Admits an address that begins with exactly this origin and goes on as a plain path, with at
    /// most one plain query. The comparison is literal: no parser stands between what is checked and
    /// what would be fetched.
    ///
    /// # Errors
    /// [`OriginError::Foreign`] or [`OriginError::Suspicious`].
    pub fn admit(&self, url: &str) -> Result<CertificateUrl, OriginError> {
        let rest = url.strip_prefix(&self.0).ok_or(OriginError::Foreign)?;
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
        Ok(CertificateUrl(url.to_owned()))
    }
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
    /// Reads one PEM certificate with an RSA key.
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
        let block = pem::parse(text).map_err(|_| KeyError::Malformed)?;
        if block.tag() != "CERTIFICATE" {
            return Err(KeyError::Malformed);
        }
        Self::from_der(block.contents())
    }

    /// Reads one certificate with an RSA key, in DER.
    ///
    /// # Errors
    /// [`KeyError`] when it is something else, or longer than 64 KiB.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(KeyError::Malformed);
        }
        let certificate: x509_cert::Certificate =
            x509_cert::der::Decode::from_der(der).map_err(|_| KeyError::Malformed)?;
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

//! Fetching the certificates that sign notifications, kept once read; which addresses are admitted, and
//! what a certificate proves, is not decided here.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fps_sign::{Certificate, CertificateUrl};

use crate::config::{ConfigError, Settings};
use crate::error::{Error, ErrorKind, Phase};
use crate::hyper::HyperTransport;
use crate::transport::{Transport, TransportErrorKind};

/// How long a fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest certificate that is read, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// How many certificates are kept; the service had a handful in its life.
const CACHED_MAX: usize = 16;

/// Fetches certificates over TLS, without redirects, within three seconds and 64 KiB.
pub struct CertificateFetcher {
    transport: Box<dyn Transport>,
    cache: Mutex<VecDeque<(String, Certificate)>>,
}

impl fmt::Debug for CertificateFetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateFetcher")
    }
}

impl CertificateFetcher {
    /// Over the network, with the trust and the proxy of these settings.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let settings = Settings { attempt_timeout: FETCH_TIMEOUT, ..settings.clone() };
        Ok(Self::with_transport(HyperTransport::new(&settings)?))
    }

    /// Over something else.
    #[must_use]
    pub fn with_transport(transport: impl Transport) -> Self {
        Self { transport: Box::new(transport), cache: Mutex::default() }
    }

    /// The certificate at an address that an origin admitted.
    ///
    /// # Errors
    /// [`Error`] when it cannot be had or is no certificate; no money is involved.
    pub async fn fetch(&self, url: &CertificateUrl) -> Result<Certificate, Error> {
        if let Some(certificate) = self.cached(url) {
            return Ok(certificate);
        }
        let request = http::Request::get(url.as_str())
            .body(Bytes::new())
            .map_err(|error| Error::new(ErrorKind::Encode, Phase::NotSent).with_source(error))?;
        let answer =
            self.transport.call(request, FETCH_TIMEOUT, CERTIFICATE_BYTES_MAX).await.map_err(
                |error| {
                    let kind = match error.kind() {
                        TransportErrorKind::Connect => ErrorKind::Connect,
                        TransportErrorKind::Timeout => ErrorKind::Timeout,
                        TransportErrorKind::Interrupted => ErrorKind::Interrupted,
                        TransportErrorKind::TooLarge => ErrorKind::TooLarge,
                    };
                    // Nothing was asked to move money, so nothing about it is unknown.
                    Error::new(kind, Phase::NotSent).with_source(error).with_attempts(1)
                },
            )?;
        let status = answer.status();
        if status != http::StatusCode::OK {
            let error = Error::new(ErrorKind::Refused, Phase::Answered);
            return Err(error.with_answer(status.as_u16(), None).with_attempts(1));
        }
        let certificate = Certificate::from_pem(answer.body()).map_err(|error| {
            Error::new(ErrorKind::Decode, Phase::Answered).with_source(error).with_attempts(1)
        })?;
        self.keep(url, &certificate);
        Ok(certificate)
    }

    fn cached(&self, url: &CertificateUrl) -> Option<Certificate> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let found = cache.iter().find(|(path, _)| path == without_query(url));
        found.map(|(_, certificate)| certificate.clone())
    }

    fn keep(&self, url: &CertificateUrl, certificate: &Certificate) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        // Several may have asked for it at once; it takes one place all the same.
        cache.retain(|(path, _)| path != without_query(url));
        if cache.len() >= CACHED_MAX {
            cache.pop_front();
        }
        cache.push_back((without_query(url).to_owned(), certificate.clone()));
    }
}

/// The service adds a request id that makes no difference, and anybody may add another.
fn without_query(url: &CertificateUrl) -> &str {
    url.as_str().split('?').next().unwrap_or_default()
}

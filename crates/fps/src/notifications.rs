//! From the body that arrived at a merchant's address to a proof of who sent it.

use std::error::Error as StdError;
use std::fmt;

use fps_http::CertificateFetcher;
use fps_model::flexible_payments::{NotifiedOperation, TransactionNotification};
use fps_model::{DecodeError, Params};
use fps_sign::outbound::Claim;
use fps_sign::{CertificateOrigin, OriginError, Target, Verified};
use refund_rules::Observation;

use crate::flexible_payments_client::observation_of_notified;

/// Proves the notifications of Flexible Payments Service.
///
/// Both the merchant's own address and the origin of certificates come from the configuration: what
/// a message says about itself proves nothing. The certificate's validity dates are not checked, so
/// that notifications of the retired service can still be audited; the origin is.
#[derive(Debug)]
pub struct Notifications {
    url: String,
    origin: CertificateOrigin,
    fetcher: CertificateFetcher,
}

impl Notifications {
    /// For notifications to `url`, the address that the service was given.
    #[must_use]
    pub fn new(
        url: impl Into<String>,
        origin: CertificateOrigin,
        fetcher: CertificateFetcher,
    ) -> Self {
        Self { url: url.into(), origin, fetcher }
    }

    /// Reads and proves the body of a POST.
    ///
    /// # Errors
    /// [`NotificationError`]; nothing of an unproved message is handed on.
    pub async fn verify(
        &self,
        body: &[u8],
    ) -> Result<Verified<TransactionNotification>, NotificationError> {
        let params = Params::parse(body).map_err(NotificationError::Unreadable)?;
        let target = Target::from_url("POST", &self.url).ok_or(NotificationError::BadAddress)?;
        let claim = Claim::read(target, params).map_err(NotificationError::Unproved)?;
        let address = claim.certificate_url(&self.origin).map_err(NotificationError::Foreign)?;
        let certificate =
            self.fetcher.fetch(&address).await.map_err(NotificationError::Certificate)?;
        claim
            .verify(certificate.public_key())
            .map_err(NotificationError::Unproved)?
            .try_map(TransactionNotification::from_params)
            .map_err(NotificationError::Unreadable)
    }

    /// What a proved notification says about a refund; nothing, if it is about something else, such
    /// as the payment itself.
    #[must_use]
    pub fn observation(notified: &Verified<TransactionNotification>) -> Option<Observation> {
        let notified = notified.get();
        (notified.operation == NotifiedOperation::Refund)
            .then(|| observation_of_notified(&notified.transaction_status))
    }
}

/// Why a notification is not believed.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotificationError {
    /// It is no form, or lacks a field.
    Unreadable(DecodeError),
    /// The configured address is no `http` or `https` address.
    BadAddress,
    /// Its signature is missing, of another kind, or wrong.
    Unproved(fps_sign::Error),
    /// Its certificate would come from somewhere else. Nothing was fetched.
    Foreign(OriginError),
    /// Its certificate could not be had.
    Certificate(fps_http::Error),
}

impl fmt::Display for NotificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable(_) => "the notification cannot be read",
            Self::BadAddress => "the configured address of notifications is not an address",
            Self::Unproved(_) => "the notification is not signed by the service",
            Self::Foreign(_) => "the notification names a certificate from elsewhere",
            Self::Certificate(_) => "the certificate of the notification could not be fetched",
        })
    }
}

impl StdError for NotificationError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::BadAddress => None,
            Self::Unproved(error) => Some(error),
            Self::Foreign(error) => Some(error),
            Self::Certificate(error) => Some(error),
        }
    }
}

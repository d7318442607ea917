//! Why a notification is not believed, and what to answer to whoever sent it.

use std::error::Error as StdError;
use std::fmt;

use fps_model::DecodeError;
use fps_sign::OriginError;

/// Why a notification is not believed. Nothing of what it says is handed on.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotificationError {
    /// It is no POST.
    Method,
    /// A header is missing, doubled, or says something else than what is signed.
    Header(&'static str),
    /// It is larger than anything the service sends. It was not read.
    TooLarge,
    /// It comes from a service that was not configured.
    NotExpected,
    /// It is no form or JSON object, or lacks a field.
    Unreadable(DecodeError),
    /// The configured address is no `http` or `https` address.
    BadAddress,
    /// Its signature is missing, of another kind, or wrong.
    Unproved(fps_sign::Error),
    /// Its certificate would come from somewhere else. Nothing was fetched.
    Foreign(OriginError),
    /// Its certificate could not be had. Whether it is true is not known.
    Certificate(fps_http::Error),
    /// It is of a topic that was not configured. SNS signs for everybody who has one.
    ForeignTopic,
    /// It is about another merchant, or does not say about whom.
    ForeignMerchant,
    /// The service was asked, and does not say that it signed it.
    Denied,
    /// The service could not be asked. Whether it is true is not known.
    Unavailable(fps_http::Error),
}

impl NotificationError {
    /// Might the same notification be believed at another time? So it is when nobody said that it is
    /// false: its certificate could not be had, or the service could not be asked.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Certificate(_) | Self::Unavailable(_))
    }

    /// The HTTP status to answer. 503 makes both services send it again later; any status from 400 on
    /// and below 500 makes SNS give it up.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Certificate(_) | Self::Unavailable(_) => 503,
            // It is not the sender's fault.
            Self::BadAddress => 500,
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::Header(_) | Self::Unreadable(_) => 400,
            Self::NotExpected
            | Self::Unproved(_)
            | Self::Foreign(_)
            | Self::ForeignTopic
            | Self::ForeignMerchant
            | Self::Denied => 403,
        }
    }
}

impl fmt::Display for NotificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "a notification comes by POST",
            Self::Header(name) => {
                return write!(f, "the header {name} of the notification is not what it must be");
            }
            Self::TooLarge => "the notification is larger than any that the service sends",
            Self::NotExpected => "the notification comes from a service that is not configured",
            Self::Unreadable(_) => "the notification cannot be read",
            Self::BadAddress => "the configured address of notifications is not an address",
            Self::Unproved(_) => "the notification is not signed by the service",
            Self::Foreign(_) => "the notification names a certificate from elsewhere",
            Self::Certificate(_) => "the certificate of the notification could not be fetched",
            Self::ForeignTopic => "the notification is of a topic that is not configured",
            Self::ForeignMerchant => "the notification is not about the configured merchant",
            Self::Denied => "the service does not say that it signed the notification",
            Self::Unavailable(_) => "the service could not be asked about the notification",
        })
    }
}

impl StdError for NotificationError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::Unproved(error) => Some(error),
            Self::Foreign(error) => Some(error),
            Self::Certificate(error) | Self::Unavailable(error) => Some(error),
            Self::Method
            | Self::Header(_)
            | Self::TooLarge
            | Self::NotExpected
            | Self::BadAddress
            | Self::ForeignTopic
            | Self::ForeignMerchant
            | Self::Denied => None,
        }
    }
}

//! What the two clients answer about a refund, in the same words.

use std::error::Error as StdError;
use std::fmt;

use refund_rules::{Observation, PaymentError, RefundState, Refusal};

/// A refund that the service has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Submitted<Id> {
    /// The service's name for it. Amazon Pay tells it once and cannot be searched: store it.
    pub id: Id,
    /// How far it has come.
    pub state: RefundState,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

impl<Id> Submitted<Id> {
    pub(crate) fn new(id: Id, observation: Observation, request_id: Option<String>) -> Self {
        let state = match observation {
            Observation::Refunded => RefundState::Refunded,
            Observation::Declined => RefundState::Declined,
            _ => RefundState::Pending,
        };
        Self { id, state, request_id }
    }
}

/// Why a refund was not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum RefundError {
    /// The rules forbid it; nothing was sent.
    Refused(Refusal),
    /// The call failed. Ask it whether the outcome [is unknown](fps_http::Error::is_unknown).
    Call(fps_http::Error),
    /// The service answered with a refund that differs from what was asked. It must be looked into:
    /// some refund was made.
    Mismatch {
        /// The service's name for the refund that it answered with.
        refund: String,
        /// What differs.
        field: &'static str,
    },
}

impl RefundError {
    /// May money have moved all the same? So it may for a key that was used before: not by this
    /// request, but by the one that had the key, which may be this refund in other words. Look it up;
    /// another key would be another refund.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Call(error) => error.is_unknown() || is_key_conflict(error),
            Self::Mismatch { .. } => true,
        }
    }
}

fn is_key_conflict(error: &fps_http::Error) -> bool {
    error.refusal().is_some_and(fps_http::ServiceRefusal::is_key_conflict)
}

impl fmt::Display for RefundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_) => f.write_str("the refund breaks a rule and was not sent"),
            Self::Call(error) if error.is_unknown() => {
                f.write_str("the refund was sent, and its outcome is unknown")
            }
            Self::Call(error) if is_key_conflict(error) => f.write_str(
                "the key was used for a request that differs, and what became of that is not known \
                 here",
            ),
            Self::Call(_) => f.write_str("the refund was not made"),
            Self::Mismatch { refund, field } => {
                write!(f, "the service answered with refund {refund}, of another {field}")
            }
        }
    }
}

impl StdError for RefundError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Call(error) => Some(error),
            Self::Mismatch { .. } => None,
        }
    }
}

/// Why a payment cannot be read into the rules' words.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The lookup failed.
    Call(fps_http::Error),
    /// The service knows no such payment.
    NotFound,
    /// The service says something about it that the rules have no word for.
    Unclear(&'static str),
    /// What the service says about it cannot be true.
    Impossible(PaymentError),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(_) => f.write_str("the payment could not be looked up"),
            Self::NotFound => f.write_str("the service knows no such payment"),
            Self::Unclear(what) => write!(f, "the service reports an unknown {what}"),
            Self::Impossible(_) => {
                f.write_str("what the service says of the payment is impossible")
            }
        }
    }
}

impl StdError for SnapshotError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Call(error) => Some(error),
            Self::Impossible(error) => Some(error),
            Self::NotFound | Self::Unclear(_) => None,
        }
    }
}

impl From<PaymentError> for SnapshotError {
    fn from(error: PaymentError) -> Self {
        Self::Impossible(error)
    }
}

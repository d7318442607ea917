//! Why a file cannot be planned.

use std::error::Error as StdError;
use std::fmt;

use crate::input::InputError;

/// A file was not planned to its end. Nothing can be sent of it; plan it again, and what was done is
/// found and continued.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlanError {
    /// The file as a whole cannot be read.
    Input(InputError),
    /// The file is not the same any more as when it was read first.
    SourceChanged,
    /// The ledger failed.
    Ledger(refund_ledger::Error),
    /// The batch is there already, for another provider or another account.
    OtherTarget {
        /// The provider that it is for.
        provider: String,
        /// The account and environment that it is for.
        target: String,
    },
    /// Another batch for the same account was planned from the same file: its refunds would be made
    /// twice.
    SameFile {
        /// That batch.
        batch: String,
    },
    /// Payments were to be looked up with another provider or in another account.
    OtherGateway,
    /// Somebody sealed the batch in the meantime.
    SealedMeanwhile,
    /// A payment could not be looked up: the provider did not answer.
    Unanswered {
        /// Why.
        why: String,
    },
    /// A payment could not be looked up: the provider does not believe who asks.
    Unauthorized {
        /// Its code.
        code: String,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(_) => f.write_str("the rows cannot be read"),
            Self::SourceChanged => f.write_str("the file was changed while it was planned"),
            Self::Ledger(_) => f.write_str("the plan cannot be written to the ledger"),
            Self::OtherTarget { provider, target } => {
                write!(f, "a batch of this name is there already, for {provider} and {target}")
            }
            Self::SameFile { batch } => {
                write!(f, "the batch `{batch}` was planned from the same file")
            }
            Self::OtherGateway => {
                f.write_str("payments cannot be looked up in another account than the batch's")
            }
            Self::SealedMeanwhile => f.write_str("somebody else has sealed the batch"),
            Self::Unanswered { why } => write!(f, "a payment could not be looked up: {why}"),
            Self::Unauthorized { code } => {
                write!(f, "the provider does not believe who looks payments up: {code}")
            }
        }
    }
}

impl StdError for PlanError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Input(error) => Some(error),
            Self::Ledger(error) => Some(error),
            Self::SourceChanged
            | Self::OtherTarget { .. }
            | Self::SameFile { .. }
            | Self::OtherGateway
            | Self::SealedMeanwhile
            | Self::Unanswered { .. }
            | Self::Unauthorized { .. } => None,
        }
    }
}

impl From<InputError> for PlanError {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<refund_ledger::Error> for PlanError {
    fn from(error: refund_ledger::Error) -> Self {
        Self::Ledger(error)
    }
}

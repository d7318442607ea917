//! Why a batch cannot be compared to its end.

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// A reconciliation did not come to its end. What it recorded until then is true.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The ledger failed.
    Ledger(refund_ledger::Error),
    /// There is no such batch.
    NoSuchBatch,
    /// The batch is for another provider or another account.
    OtherTarget {
        /// The provider that it is for.
        provider: String,
        /// The account and environment that it is for.
        target: String,
    },
    /// The provider does not believe who asks.
    Unauthorized {
        /// Its code.
        code: String,
    },
    /// The report cannot be read.
    Unreadable(io::Error),
    /// The file has no line with the names of a settlement report's columns, or lacks this one.
    NotASettlement {
        /// The column.
        column: &'static str,
    },
}

impl fmt::Display for ReconcileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(_) => f.write_str("the ledger cannot be compared"),
            Self::NoSuchBatch => f.write_str("the ledger has no such batch"),
            Self::OtherTarget { provider, target } => {
                write!(f, "the batch is for {provider} and {target}")
            }
            Self::Unauthorized { code } => {
                write!(f, "the provider does not believe who asks: {code}")
            }
            Self::Unreadable(_) => f.write_str("the report cannot be read"),
            Self::NotASettlement { column } => {
                write!(f, "the file is no settlement report: it has no column `{column}`")
            }
        }
    }
}

impl StdError for ReconcileError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Ledger(error) => Some(error),
            Self::Unreadable(error) => Some(error),
            Self::NoSuchBatch
            | Self::OtherTarget { .. }
            | Self::Unauthorized { .. }
            | Self::NotASettlement { .. } => None,
        }
    }
}

impl From<refund_ledger::Error> for ReconcileError {
    fn from(error: refund_ledger::Error) -> Self {
        Self::Ledger(error)
    }
}

impl From<io::Error> for ReconcileError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

//! A batch as the ledger keeps it; its rows are intents.

use serde::Serialize;

use crate::error::Error;
use crate::payment::name;
use crate::time::Millis;

/// A batch to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    pub(crate) name: String,
    pub(crate) provider: String,
    pub(crate) target: String,
    pub(crate) source: String,
}

impl NewBatch {
    /// A batch for one provider. `target` says whose account in which environment its refunds are for,
    /// and `source` what its rows are read from, such as the hash of a file; both are opaque here.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] for a name that is empty or longer than 255 bytes.
    pub fn new(
        batch: impl Into<String>,
        provider: impl Into<String>,
        target: impl Into<String>,
        source: impl Into<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            name: name("batch", batch.into())?,
            provider: name("provider", provider.into())?,
            target: name("target", target.into())?,
            source: name("source", source.into())?,
        })
    }
}

/// A batch as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchRecord {
    /// Its name.
    pub name: String,
    /// Whose refunds they are.
    pub provider: String,
    /// For whose account, in which environment.
    pub target: String,
    /// What its rows were read from.
    pub source: String,
    /// When it was opened.
    pub opened_at: Millis,
    /// When it was sealed: from then on it can be run, and no longer changed.
    pub sealed_at: Option<Millis>,
    /// How many rows it was sealed with.
    pub rows: Option<u64>,
    /// How many more its source had, which were left out.
    pub skipped: Option<u64>,
}

//! Why the ledger cannot do what it was asked.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use refund_rules::RefundState;

/// The ledger did not do what it was asked, and nothing was half done.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file or the server cannot be opened.
    Open,
    /// Another process writes the file.
    InUse,
    /// The file or database belongs to another program; it was left alone.
    Foreign,
    /// A newer version of this crate wrote it.
    Newer,
    /// The disk is full.
    Full,
    /// Reading or writing failed. Whatever was not answered may be asked again.
    Storage,
    /// The server cannot be reached, or went away. Whatever was not answered may be asked again.
    Unavailable,
    /// Others changed the same payments again and again in between.
    Contended,
    /// The ledger was closed.
    Closed,
    /// It was opened for reading only.
    ReadOnly,
    /// What is stored is not what was written.
    Damaged(Damage),
    /// The named part of what was asked cannot be.
    Invalid(&'static str),
    /// There is no such intent.
    NoSuchIntent,
    /// There is no such batch.
    NoSuchBatch,
    /// The batch is sealed: it can be run, and no longer changed.
    BatchSealed,
    /// The batch is not sealed yet: it can be changed, and not run.
    BatchOpen,
    /// The key can no longer be sent: its window is over, or almost. The refund must be looked up.
    KeyExpired,
    /// The claim is over: its time is up, or another worker has taken it.
    LeaseLost,
    /// The refund has ended.
    Ended(RefundState),
    /// The provider has the refund already: there is nothing to send, only to follow.
    Taken(RefundState),
    /// The intent waits for a human.
    Parked,
}

/// Where stored data is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Which row: `payment 17 (amazon-pay P01-…), event 3`.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn with(
        kind: ErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(Arc::from(source.into())) }
    }

    pub(crate) fn damaged(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged(Damage { place: place.into(), what: what.into() }))
    }

    /// What it was.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Is it about the store, and not about what was asked?
    pub(crate) const fn is_of_the_store(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Full
                | ErrorKind::Storage
                | ErrorKind::Unavailable
                | ErrorKind::Contended
                | ErrorKind::Closed
                | ErrorKind::Damaged(_)
        )
    }

    /// May the same be asked again with hope? Nothing that the ledger does twice happens twice.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Contended)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            ErrorKind::Open => "the ledger cannot be opened",
            ErrorKind::InUse => "another process has the ledger open for writing",
            ErrorKind::Foreign => "what was opened is a database, but not a ledger",
            ErrorKind::Newer => "the ledger was written by a newer version",
            ErrorKind::Full => "the disk of the ledger is full",
            ErrorKind::Storage => "the storage of the ledger failed",
            ErrorKind::Unavailable => "the server of the ledger cannot be reached",
            ErrorKind::Contended => "too many others changed the same payments in between",
            ErrorKind::Closed => "the ledger is closed",
            ErrorKind::ReadOnly => "the ledger was opened for reading only",
            ErrorKind::Damaged(damage) => return write!(f, "the ledger is damaged at {damage}"),
            ErrorKind::Invalid(part) => return write!(f, "the ledger cannot take this {part}"),
            ErrorKind::NoSuchIntent => "the ledger has no such intent",
            ErrorKind::NoSuchBatch => "the ledger has no such batch",
            ErrorKind::BatchSealed => "the batch is sealed and takes no more changes",
            ErrorKind::BatchOpen => "the batch is not planned to its end yet",
            ErrorKind::KeyExpired => "the key is too old to be sent: look the refund up",
            ErrorKind::LeaseLost => "the claim on this intent is over",
            ErrorKind::Ended(state) => return write!(f, "the refund has ended as {state:?}"),
            ErrorKind::Taken(state) => {
                return write!(f, "the provider has the refund already, as {state:?}");
            }
            ErrorKind::Parked => "the intent waits for a human",
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

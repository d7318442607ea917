//! Why the sandbox cannot do what its owner asks; what clients do wrong is answered, not raised.

use std::error::Error as StdError;
use std::fmt;

/// The sandbox cannot go on with something.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address cannot be listened on: in use, or not allowed.
    Listen,
    /// The database file cannot be opened.
    OpenDatabase,
    /// The database is open in another process, such as a second sandbox.
    DatabaseInUse,
    /// The file is a database, and not a sandbox's; it was left alone.
    ForeignDatabase,
    /// The database was written by a newer version of the sandbox.
    NewerDatabase,
    /// The database failed.
    Database,
    /// A key or certificate could not be made.
    Key,
    /// The owner asked for something that cannot be.
    Invalid,
    /// The owner named something that is not there.
    NotFound,
    /// The books do not balance.
    Unbalanced,
    /// The server failed.
    Serve,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn with(
        kind: ErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// An amount or text that cannot be.
    pub(crate) fn invalid(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with(ErrorKind::Invalid, source)
    }

    /// What it was.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Listen => "the sandbox cannot listen on this address",
            ErrorKind::OpenDatabase => "the sandbox cannot open its database",
            ErrorKind::DatabaseInUse => "another process has the database open",
            ErrorKind::ForeignDatabase => "the file is a database, but not one of a sandbox",
            ErrorKind::NewerDatabase => {
                "the database was written by a newer version of the sandbox"
            }
            ErrorKind::Database => "the database of the sandbox failed",
            ErrorKind::Key => "the sandbox could not make a key",
            ErrorKind::Invalid => "the sandbox cannot create this",
            ErrorKind::NotFound => "the sandbox has nothing of this name",
            ErrorKind::Unbalanced => "the books of the sandbox do not balance",
            ErrorKind::Serve => "the server of the sandbox failed",
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::with(ErrorKind::Database, error)
    }
}

//! What an error of the server means for the ledger. The server's details are dropped: they quote rows.

use std::error::Error as StdError;
use std::{fmt, io};

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{Error, ErrorKind};

/// What the server said, without the values that it was about.
#[derive(Debug)]
struct Said {
    code: String,
    message: String,
}

impl From<&DbError> for Said {
    fn from(error: &DbError) -> Self {
        Self { code: error.code().code().to_owned(), message: error.message().to_owned() }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server says {} ({})", self.message, self.code)
    }
}

impl StdError for Said {}

/// Of a statement.
pub(super) fn of_statement(error: tokio_postgres::Error) -> Error {
    of(error, ErrorKind::Storage)
}

/// Of making a connection.
pub(super) fn of_connecting(error: tokio_postgres::Error) -> Error {
    of(error, ErrorKind::Open)
}

fn of(error: tokio_postgres::Error, otherwise: ErrorKind) -> Error {
    if let Some(said) = error.as_db_error() {
        return Error::with(kind(said.code()).unwrap_or(otherwise), Said::from(said));
    }
    let is_io = error.source().is_some_and(<dyn StdError>::is::<io::Error>);
    Error::with(if is_io || error.is_closed() { ErrorKind::Unavailable } else { otherwise }, error)
}

/// What a code means wherever it comes.
fn kind(code: &SqlState) -> Option<ErrorKind> {
    // Somebody was in between: the same, asked again, finds what that one did.
    let contended = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::UNIQUE_VIOLATION,
        SqlState::CHECK_VIOLATION,
    ];
    // The connection, the server or its role is not what it was.
    let gone = [
        SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
        SqlState::QUERY_CANCELED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::IDLE_SESSION_TIMEOUT,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    if *code == SqlState::DISK_FULL {
        return Some(ErrorKind::Full);
    }
    if contended.contains(code) {
        return Some(ErrorKind::Contended);
    }
    // Class 08: the connection. Class 53: out of memory, connections or the like.
    let of_class = ["08", "53"].iter().any(|class| code.code().starts_with(class));
    (of_class || gone.contains(code)).then_some(ErrorKind::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_kind() {
        let cases = [
            ("40001", Some(ErrorKind::Contended)),
            ("40P01", Some(ErrorKind::Contended)),
            ("55P03", Some(ErrorKind::Contended)),
            ("23505", Some(ErrorKind::Contended)),
            ("23514", Some(ErrorKind::Contended)),
            ("53100", Some(ErrorKind::Full)),
            ("53200", Some(ErrorKind::Unavailable)),
            ("53300", Some(ErrorKind::Unavailable)),
            ("08006", Some(ErrorKind::Unavailable)),
            ("40003", Some(ErrorKind::Unavailable)),
            ("57P01", Some(ErrorKind::Unavailable)),
            ("57P02", Some(ErrorKind::Unavailable)),
            ("57P03", Some(ErrorKind::Unavailable)),
            ("57P05", Some(ErrorKind::Unavailable)),
            ("57014", Some(ErrorKind::Unavailable)),
            ("25P03", Some(ErrorKind::Unavailable)),
            ("25006", Some(ErrorKind::Unavailable)),
            // What asking again does not change, or not without a statement that is prepared anew.
            ("0A000", None),
            ("26000", None),
            ("23503", None),
            ("25P02", None),
            ("28P01", None),
            ("3D000", None),
            ("42501", None),
            ("42P01", None),
            ("58030", None),
            ("XX001", None),
        ];
        for (code, expected) in cases {
            assert_eq!(kind(&SqlState::from_code(code)), expected, "{code}");
        }
    }
}

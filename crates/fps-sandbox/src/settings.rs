//! What a sandbox remembers of itself between two starts.

use rusqlite::{Connection, OptionalExtension};

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

const CLOCK_AHEAD: &str = "clock-ahead";
const STARTS: &str = "starts";
/// How many of the refunds that come next are declined.
pub(crate) const NEXT_DECLINES: &str = "next-declines";

/// How far the clock is ahead of the machine's.
pub(crate) fn clock_ahead(connection: &Connection) -> Result<Millis, Error> {
    match get(connection, CLOCK_AHEAD)? {
        None => Ok(0),
        Some(text) => text.parse().map_err(|error| Error::with(ErrorKind::Database, error)),
    }
}

pub(crate) fn set_clock_ahead(connection: &Connection, ahead: Millis) -> Result<(), Error> {
    set(connection, CLOCK_AHEAD, &ahead.to_string())
}

/// How often the file was started on before this time.
pub(crate) fn count_start(connection: &Connection) -> Result<u64, Error> {
    let before: u64 = match get(connection, STARTS)? {
        None => 0,
        Some(text) => text.parse().map_err(|error| Error::with(ErrorKind::Database, error))?,
    };
    set(connection, STARTS, &before.saturating_add(1).to_string())?;
    Ok(before)
}

/// Forgets what is of no use without what was in the file; the time stays.
pub(crate) fn reset(connection: &Connection) -> Result<(), Error> {
    remove(connection, NEXT_DECLINES)?;
    // The next start has a stream of its own after the one that began again.
    set(connection, STARTS, "1")
}

pub(crate) fn remove(connection: &Connection, name: &str) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM setting WHERE name = ?")?.execute([name])?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    let value = connection
        .prepare_cached("SELECT value FROM setting WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(value)
}

pub(crate) fn set(connection: &Connection, name: &str, value: &str) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)")?
        .execute([name, value])?;
    Ok(())
}

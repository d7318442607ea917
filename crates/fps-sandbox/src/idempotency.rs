//! What was answered to a key is answered again, to the letter; another request under the same key is
//! told so.

use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Millis;
use crate::error::Error;
use crate::store::in_savepoint;

/// An answer as it was or will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Why an operation ends without success.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The service refuses; nothing has changed. The same request is refused again in the same words.
    Refused(Reply),
    /// The service refuses for now; nothing has changed, and the same request may succeed later.
    NotNow(Reply),
    /// The sandbox itself failed.
    Broken(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// Performs an operation once for its key.
pub(crate) fn once(
    connection: &Connection,
    keyed: Option<&Keyed>,
    now: Millis,
    duplicate: impl FnOnce() -> Reply,
    perform: impl FnOnce(&Connection) -> Result<Reply, Stop>,
) -> Result<Reply, Error> {
    if let Some(keyed) = keyed {
        match keyed.look_up(connection, now)? {
            Known::Same(reply) => return Ok(reply),
            Known::Other => return Ok(duplicate()),
            Known::No => {}
        }
    }
    let reply = match in_savepoint(connection, perform) {
        Ok(reply) | Err(Stop::Refused(reply)) => reply,
        Err(Stop::NotNow(reply)) => return Ok(reply),
        Err(Stop::Broken(error)) => return Err(error),
    };
    if let Some(keyed) = keyed {
        keyed.remember(connection, &reply, now)?;
    }
    Ok(reply)
}

/// A key in its scope, with the request that it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) merchant: i64,
    /// Keys of different scopes do not meet.
    pub(crate) scope: &'static str,
    pub(crate) key: String,
    /// The request in a form in which equal requests are equal texts.
    pub(crate) request: String,
    /// For how long the key is remembered; for ever without.
    pub(crate) window: Option<Millis>,
}

/// What a key is known for.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// Nothing: go on.
    No,
    /// This very request: answer as before.
    Same(Reply),
    /// Another request.
    Other,
}

impl Keyed {
    fn look_up(&self, connection: &Connection, now: Millis) -> Result<Known, Error> {
        let found = connection
            .prepare_cached(
                "SELECT request, status, body, created_at FROM answer
                 WHERE merchant = ? AND scope = ? AND key = ?",
            )?
            .query_row(params![self.merchant, self.scope, self.key], |row| {
                let reply = Reply { status: row.get(1)?, body: row.get(2)? };
                Ok((row.get::<_, String>(0)?, reply, row.get::<_, Millis>(3)?))
            })
            .optional()?;
        let Some((request, reply, created_at)) = found else { return Ok(Known::No) };
        if self.window.is_some_and(|window| now.saturating_sub(created_at) >= window) {
            return Ok(Known::No);
        }
        Ok(if request == self.request { Known::Same(reply) } else { Known::Other })
    }

    /// Remembers an answer, in the place of one whose window has passed.
    fn remember(&self, connection: &Connection, reply: &Reply, now: Millis) -> Result<(), Error> {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO answer
                     (merchant, scope, key, request, status, body, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.merchant,
                self.scope,
                self.key,
                self.request,
                reply.status,
                reply.body,
                now
            ])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;

    #[test]
    fn a_key_is_the_same_inside_its_window_and_new_behind_it() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        for migration in MIGRATIONS {
            connection.execute_batch(migration.sql).unwrap();
        }
        let week = 7 * 24 * 60 * 60 * 1000;
        let keyed = |request: &str, window| Keyed {
            merchant: 1,
            scope: "s",
            key: "k".to_owned(),
            request: request.to_owned(),
            window,
        };
        let reply = Reply { status: 200, body: b"first".to_vec() };
        let look = |request, window, now| keyed(request, window).look_up(&connection, now).unwrap();
        assert_eq!(look("a", Some(week), 0), Known::No);
        keyed("a", Some(week)).remember(&connection, &reply, 0).unwrap();
        assert_eq!(look("a", Some(week), week - 1), Known::Same(reply.clone()));
        assert_eq!(look("b", Some(week), week - 1), Known::Other);
        assert_eq!(look("b", Some(week), week), Known::No);
        assert_eq!(look("a", None, i64::MAX), Known::Same(reply));
    }
}

//! A server that many workers share: PostgreSQL, or what speaks its protocol.
//!
//! Plain statements only: no extension, no advisory lock, no listening.

mod error;
mod migrate;
mod session;
mod target;
mod value;

use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::config::TargetSessionAttrs;

use crate::error::Error;
use crate::postgres::session::PostgresSession;
use crate::postgres::target::Target;
use crate::reads::Read;
use crate::writer::{Queue, Writer, serve};

/// How many connections write. What waits while all are busy is done together by the next.
const WRITERS: usize = 4;

/// How many connections are kept for the next reader.
const IDLE_MAX: usize = 4;

/// Connects for writing, and makes the tables unless they are there.
pub(crate) async fn connect(url: &str) -> Result<(Writer, Readers), Error> {
    let target = Arc::new(Target::parse(url, TargetSessionAttrs::ReadWrite)?);
    let mut first = PostgresSession::new(Arc::clone(&target));
    first.migrate().await?;
    let (writer, queue) = Writer::new();
    let others = (1..WRITERS).map(|_| PostgresSession::new(Arc::clone(&target)));
    for session in std::iter::once(first).chain(others) {
        tokio::spawn(write(session, queue.clone()));
    }
    Ok((writer, Readers::new(target)))
}

/// Connects for reading only; a server that only follows another will do.
pub(crate) async fn connect_to_read(url: &str) -> Result<Readers, Error> {
    let target = Arc::new(Target::parse(url, TargetSessionAttrs::Any)?);
    let mut session = PostgresSession::new(Arc::clone(&target));
    session.check().await?;
    let readers = Readers::new(target);
    readers.put(session);
    Ok(readers)
}

/// Serves until the ledger is closed or dropped.
async fn write(mut session: PostgresSession, queue: Queue) {
    serve(&mut session, &queue).await;
    drop(session);
    // Whoever closes the ledger waits for this.
    drop(queue);
}

/// Connections that only read. As many as are needed at once, and a few are kept.
#[derive(Clone)]
pub(crate) struct Readers {
    target: Arc<Target>,
    idle: Arc<Mutex<Vec<PostgresSession>>>,
}

impl Readers {
    fn new(target: Arc<Target>) -> Self {
        Self { target, idle: Arc::default() }
    }

    pub(crate) async fn run<R: Read>(&self, read: R) -> Result<R::Output, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut session = idle.unwrap_or_else(|| PostgresSession::new(Arc::clone(&self.target)));
        let output = crate::reads::run(&mut session, read).await?;
        self.put(session);
        Ok(output)
    }

    fn put(&self, session: PostgresSession) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(session);
        }
    }

    /// Lets go of the server.
    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;

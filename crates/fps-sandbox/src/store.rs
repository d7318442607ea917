//! SQLite behind one writer: jobs that wait together are committed together, and nobody is answered
//! before the commit is on the disk.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

use crate::books;
use crate::error::{Error, ErrorKind};
use crate::ids::{self, Source};

/// The most jobs in one commit.
const BATCH_MAX: usize = 128;

/// The most statements that are kept ready: more than the sandbox has.
const STATEMENTS_MAX: usize = 512;

/// Marks a file as a sandbox's: the letters `FPSB`.
const APPLICATION_ID: u32 = 0x4650_5342;

/// Each leads from the version before it to its own; the file keeps how far it came.
pub(crate) const MIGRATIONS: [Migration; 6] = [
    Migration { sql: include_str!("../migrations/0001_initial.sql"), then: None },
    Migration { sql: include_str!("../migrations/0002_life.sql"), then: None },
    Migration { sql: include_str!("../migrations/0003_tokens.sql"), then: None },
    Migration { sql: include_str!("../migrations/0004_steps.sql"), then: None },
    Migration {
        sql: include_str!("../migrations/0005_amazon_pay.sql"),
        // Its charges have permissions now, and a seal covers that.
        then: Some(books::seal_all),
    },
    Migration { sql: include_str!("../migrations/0006_certificates.sql"), then: None },
];

/// A step of the schema, and what SQL alone cannot do for it.
pub(crate) struct Migration {
    pub(crate) sql: &'static str,
    pub(crate) then: Option<Then>,
}

type Then = fn(&Connection) -> Result<(), Error>;

/// A database that is written by one thread.
#[derive(Clone)]
pub(crate) struct Store {
    requests: mpsc::Sender<Request>,
}

enum Request {
    Run(Job),
    /// Finish what came before, and close the file.
    Close(oneshot::Sender<()>),
}

/// Runs inside a transaction, or hears why there is none; what it returns is called after the commit,
/// with its outcome.
type Job = Box<dyn FnOnce(Result<&Connection, &str>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), String>) + Send>;

impl Store {
    /// Opens a file, or makes it, and brings it up to date.
    pub(crate) fn open(path: &Path, ids: &Arc<Source>) -> Result<Self, Error> {
        // One thread has it, so that no lock is needed inside.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        create_private(path);
        check_header(path)?;
        let mut connection = Connection::open_with_flags(path, flags).map_err(open_error)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // A plan that looks at what is bound is made again for every value: half the work of a refund.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(open_error)?;
        prepare(&mut connection)?;
        let (requests, queue) = mpsc::channel();
        let ids = Arc::clone(ids);
        thread::Builder::new()
            .name("sandbox-store".to_owned())
            .spawn(move || ids::within_thread(&ids, || write(connection, &queue)))
            .map_err(open_error)?;
        Ok(Self { requests })
    }

    /// Runs a job in a transaction and answers once that is durable. A job that fails leaves nothing
    /// behind.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = match connection {
                Ok(connection) => in_savepoint(connection, work),
                Err(reason) => Err(Error::with(ErrorKind::Database, reason)),
            };
            Box::new(move |committed| {
                let outcome = match committed {
                    Ok(()) => outcome,
                    Err(reason) => Err(Error::with(ErrorKind::Database, reason)),
                };
                // Whoever asked may have gone; the work is done all the same.
                drop(sender.send(outcome));
            })
        });
        let sent = self.requests.send(Request::Run(job));
        sent.map_err(|_| Error::with(ErrorKind::Database, "the database is closed"))?;
        receiver.await.map_err(|_| Error::with(ErrorKind::Database, "the database is closed"))?
    }

    /// Finishes what was asked for before, and closes the file, so that it stands alone without its
    /// log. Whatever is asked afterwards is an error.
    pub(crate) async fn close(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.requests.send(Request::Close(sender)).is_ok() {
            // A writer that is gone has closed the file, too.
            drop(receiver.await);
        }
    }
}

/// Makes a new file for its owner alone, because it will hold keys. That it is there already, or
/// cannot be made, is for SQLite to find out.
fn create_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path));
}

/// Refuses a database of somebody else before SQLite has opened it, for opening alone can change a
/// file: what its log holds is moved into it. What is no database at all is for SQLite to refuse.
///
/// Source: "Database File Format" of SQLite, section 1.3: the text `SQLite format 3`, the user version
/// at byte 60 and the application id at byte 68, big-endian.
fn check_header(path: &Path) -> Result<(), Error> {
    let mut header = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    if read.is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Ok(());
    }
    let number = |at| {
        let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    if number(68) != APPLICATION_ID {
        return Err(Error::new(ErrorKind::ForeignDatabase));
    }
    if u32::try_from(MIGRATIONS.len()).is_ok_and(|newest| number(60) > newest) {
        return Err(Error::new(ErrorKind::NewerDatabase));
    }
    Ok(())
}

fn open_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::with(ErrorKind::OpenDatabase, error)
}

/// Locks the file for this process alone, makes sure that it is a sandbox's or empty, and brings it
/// up to date. A file that is somebody else's is not touched.
fn prepare(connection: &mut Connection) -> Result<(), Error> {
    connection
        .execute_batch(
            "PRAGMA busy_timeout = 1000;
             PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA foreign_keys = OFF;",
        )
        .map_err(open_error)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Error::with(ErrorKind::DatabaseInUse, error)
            }
            _ => open_error(error),
        })?;
    let number = |name: &str| -> Result<u32, Error> {
        transaction.pragma_query_value(None, name, |row| row.get(0)).map_err(open_error)
    };
    let tables: u32 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(open_error)?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
        return Err(Error::new(ErrorKind::ForeignDatabase));
    }
    let version = number("user_version")?;
    let mut reached = 0;
    for migration in MIGRATIONS {
        reached += 1;
        if reached > version {
            transaction.execute_batch(migration.sql).map_err(open_error)?;
            if let Some(then) = migration.then {
                then(&transaction).map_err(open_error)?;
            }
        }
    }
    if version > reached {
        return Err(Error::new(ErrorKind::NewerDatabase));
    }
    if reached > version {
        check_references(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(open_error)?;
    transaction.pragma_update(None, "user_version", reached).map_err(open_error)?;
    transaction.commit().map_err(open_error)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = 10000;",
        )
        .map_err(open_error)
}

/// Migrations rebuild tables, which SQLite allows only while it does not look at references.
fn check_references(connection: &Connection) -> Result<(), Error> {
    let mut check = connection.prepare("PRAGMA foreign_key_check").map_err(open_error)?;
    if check.exists([]).map_err(open_error)? {
        return Err(open_error("a migration left a reference to nothing"));
    }
    Ok(())
}

/// Commits batches until somebody closes the store or every sender is gone.
fn write(mut connection: Connection, queue: &mpsc::Receiver<Request>) {
    let mut next = queue.recv().ok();
    while let Some(request) = next.take() {
        let first = match request {
            Request::Run(job) => job,
            Request::Close(closed) => {
                drop(connection);
                // Whoever waited may have gone; the file is closed all the same.
                let _gone = closed.send(());
                return;
            }
        };
        let mut answers = Vec::new();
        let committed = commit(&mut connection, first, queue, &mut answers, &mut next);
        let committed = committed.map_err(|error| error.to_string());
        for answer in answers {
            answer(committed.clone());
        }
        if next.is_none() {
            next = queue.recv().ok();
        }
    }
}

/// Runs the jobs that wait in one transaction; a request of another kind ends the batch.
fn commit(
    connection: &mut Connection,
    first: Job,
    queue: &mpsc::Receiver<Request>,
    answers: &mut Vec<Answer>,
    next: &mut Option<Request>,
) -> Result<(), rusqlite::Error> {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            answers.push(first(Err(&error.to_string())));
            return Err(error);
        }
    };
    answers.push(first(Ok(&transaction)));
    while answers.len() < BATCH_MAX {
        match queue.try_recv() {
            Ok(Request::Run(job)) => answers.push(job(Ok(&transaction))),
            Ok(other) => {
                *next = Some(other);
                break;
            }
            Err(_) => break,
        }
    }
    transaction.commit()
}

/// Runs work that leaves nothing behind if it fails.
pub(crate) fn in_savepoint<T, E: From<rusqlite::Error>>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let say = |statement: &str| connection.prepare_cached(statement)?.execute([]);
    say("SAVEPOINT job")?;
    match work(connection) {
        Ok(value) => {
            say("RELEASE job")?;
            Ok(value)
        }
        Err(error) => {
            say("ROLLBACK TO job")?;
            say("RELEASE job")?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<Store, Error> {
        Store::open(path, &Source::new(None))
    }

    fn count(connection: &Connection) -> Result<i64, Error> {
        Ok(connection.query_row("SELECT count(*) FROM signing_key", [], |row| row.get(0))?)
    }

    fn insert(connection: &Connection) -> Result<(), Error> {
        connection.execute("INSERT INTO signing_key VALUES (1, 'a', 'b')", [])?;
        Ok(())
    }

    #[tokio::test]
    async fn a_job_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("s.db")).unwrap();
        let failed: Result<(), Error> = store
            .run(|connection| {
                insert(connection)?;
                Err(Error::new(ErrorKind::Invalid))
            })
            .await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(store.run(count).await.unwrap(), 0);
        store.run(insert).await.unwrap();
        assert_eq!(store.run(count).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_file_is_opened_again_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = open(&path).unwrap();
        store.run(insert).await.unwrap();
        store.close().await;
        assert_eq!(store.run(count).await.unwrap_err().kind(), ErrorKind::Database);
        assert!(!folder.path().join("s.db-wal").exists(), "a closed file stands alone");
        let store = open(&path).unwrap();
        assert_eq!(store.run(count).await.unwrap(), 1);
        store
            .run(|connection| Ok(connection.pragma_update(None, "user_version", 99)?))
            .await
            .unwrap();
        drop(store);
        let newer = open(&path).err().unwrap();
        assert_eq!(newer.kind(), ErrorKind::NewerDatabase);
    }

    #[tokio::test]
    async fn a_file_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let first = open(&path).unwrap();
        assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::DatabaseInUse);
        first.run(insert).await.unwrap();
        first.close().await;
        assert_eq!(open(&path).unwrap().run(count).await.unwrap(), 1);
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs.db");
        let theirs = Connection::open(&path).unwrap();
        theirs.execute_batch("CREATE TABLE letter (text TEXT); PRAGMA user_version = 1;").unwrap();
        drop(theirs);
        let before = std::fs::read(&path).unwrap();
        assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::ForeignDatabase);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_is_no_database_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        std::fs::write(&text, "this is a letter to my aunt, not a database".repeat(50)).unwrap();
        for path in [folder.path().to_owned(), folder.path().join("no/such/folder/s.db"), text] {
            assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::OpenDatabase);
        }
    }
}

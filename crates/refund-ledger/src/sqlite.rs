//! A file of this machine, written by one process at a time and read by any number.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use futures_util::FutureExt as _;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, Value as SqliteValue, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior, params_from_iter};

use crate::error::{Error, ErrorKind};
use crate::reads::Read;
use crate::session::{Dialect, Row, Session, Value};
use crate::writer::{Queue, Writer, serve};

/// Marks a file as a ledger: the letters `REFL`.
const APPLICATION_ID: u32 = 0x5245_464C;

/// Each leads from the version before it to its own; the file keeps how far it came.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/sqlite/0001.sql")];

/// The most statements that are kept ready: more than there are.
const STATEMENTS_MAX: usize = 128;

/// Opens a file for writing, or makes it.
pub(crate) async fn open(path: &Path) -> Result<(Writer, Readers), Error> {
    let path = real(path).map_err(open_error)?;
    let (writer, queue) = Writer::new();
    let readers = Readers::new(path.clone());
    let opened = tokio::task::spawn_blocking(move || {
        // First, so that nothing is left beside a folder or a file of somebody else.
        if path.is_dir() {
            return Err(open_error(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        check_header(&path)?;
        let lock = lock(&path)?;
        create_private(&path);
        Ok::<_, Error>((connect(&path)?, lock))
    });
    let (session, lock) = opened.await.map_err(open_error)??;
    thread::Builder::new()
        .name("refund-ledger".to_owned())
        .spawn(move || write(session, &queue, lock))
        .map_err(open_error)?;
    Ok((writer, readers))
}

/// Opens a file for reading only; whoever writes it is not disturbed.
pub(crate) async fn open_to_read(path: &Path) -> Result<Readers, Error> {
    let readers = Readers::new(real(path).map_err(open_error)?);
    let check = readers.clone();
    let checked = tokio::task::spawn_blocking(move || {
        check_header(&check.path)?;
        check.take().map(|session| check.put(session))
    });
    checked.await.map_err(open_error)??;
    Ok(readers)
}

/// The one name of a file that has several: the lock goes by it.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => Ok(folder.join(name)),
        _ => Ok(path),
    }
}

fn open_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::with(ErrorKind::Open, error)
}

/// Takes the right to write the file, until the process ends, however it ends. The lock is a file of its
/// own: SQLite's locks on the database would go with any other handle of this process on it.
fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().write(true).create(true).truncate(false).open(name);
    let file = file.map_err(open_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(ErrorKind::InUse)),
        Err(TryLockError::Error(error)) => Err(open_error(error)),
    }
}

/// Makes a new file for its owner alone. That it is there already, or cannot be made, is for SQLite to
/// find out.
fn create_private(path: &Path) {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path));
}

/// Refuses a database of somebody else before SQLite has opened it, for opening alone can change a
/// file: what its log holds is moved into it.
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
    check_marks(number(68), number(60), true)
}

fn check_marks(application_id: u32, version: u32, is_used: bool) -> Result<(), Error> {
    if is_used && application_id != APPLICATION_ID {
        return Err(Error::new(ErrorKind::Foreign));
    }
    if u32::try_from(MIGRATIONS.len()).is_ok_and(|newest| version > newest) {
        return Err(Error::new(ErrorKind::Newer));
    }
    Ok(())
}

fn connect(path: &Path) -> Result<SqliteSession, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(at_opening)?;
    set_up(&connection)?;
    migrate(&mut connection)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = 10000;
             PRAGMA cache_size = -24000;
             -- Nobody else writes the file, so whoever had a lease before is dead.
             UPDATE intent SET worker = NULL, due_at = 0 WHERE worker IS NOT NULL;",
        )
        .map_err(at_opening)?;
    Ok(SqliteSession { connection })
}

fn set_up(connection: &Connection) -> Result<(), Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan that looks at what is bound is made again for every value.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .and_then(|_| connection.busy_timeout(std::time::Duration::from_secs(5)))
        .map_err(at_opening)
}

/// A disk that fails says nothing against the file: the same may be tried again.
fn at_opening(error: rusqlite::Error) -> Error {
    let is_of_disk = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
    match Error::from(error) {
        error if is_of_disk => error,
        error if matches!(error.kind(), ErrorKind::Storage | ErrorKind::Damaged(_)) => {
            open_error(error)
        }
        error => error,
    }
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(at_opening)?;
    let number = |name: &str| -> Result<u32, Error> {
        transaction.pragma_query_value(None, name, |row| row.get(0)).map_err(at_opening)
    };
    let tables: u32 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(at_opening)?;
    let version = number("user_version")?;
    check_marks(number("application_id")?, version, tables > 0)?;
    let mut reached = 0;
    for migration in MIGRATIONS {
        reached += 1;
        if reached > version {
            transaction.execute_batch(migration).map_err(at_opening)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(at_opening)?;
    transaction.pragma_update(None, "user_version", reached).map_err(at_opening)?;
    transaction.commit().map_err(at_opening)
}

/// Serves on a thread of its own until the ledger is closed or dropped.
fn write(mut session: SqliteSession, queue: &Queue, lock: File) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    // Without a runtime nobody is answered, and everybody hears that the ledger is closed.
    if let Ok(runtime) = runtime {
        runtime.block_on(serve(&mut session, queue));
    }
    drop(session);
    drop(lock);
}

/// A connection that only one thread has.
pub(crate) struct SqliteSession {
    connection: Connection,
}

impl Session for SqliteSession {
    const DIALECT: Dialect = Dialect::Sqlite;

    async fn begin(&mut self) -> Result<(), Error> {
        self.say("BEGIN IMMEDIATE")
    }

    async fn begin_read(&mut self) -> Result<(), Error> {
        self.say("BEGIN DEFERRED")
    }

    async fn commit(&mut self) -> Result<(), Error> {
        self.say("COMMIT")
    }

    async fn rollback(&mut self) -> Result<(), Error> {
        // SQLite takes some failed transactions back by itself.
        if self.connection.is_autocommit() { Ok(()) } else { self.say("ROLLBACK") }
    }

    async fn each(&mut self, text: &str, values: Vec<Vec<Value>>) -> Result<Vec<Vec<Row>>, Error> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(text)?;
        let columns = statement.column_count();
        let mut all = Vec::with_capacity(values.len());
        for values in values {
            let mut found = statement.query(params_from_iter(values))?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                let values = (0..columns).map(|column| Ok(row.get_ref(column)?.into()));
                rows.push(Row::new(values.collect::<Result<_, rusqlite::Error>>()?));
            }
            all.push(rows);
        }
        Ok(all)
    }
}

impl SqliteSession {
    fn say(&self, statement: &str) -> Result<(), Error> {
        self.connection.prepare_cached(statement)?.execute([])?;
        Ok(())
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(SqliteValue::Null),
            Self::Int(value) => ToSqlOutput::Owned(SqliteValue::Integer(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// What is neither is damage, and told by whoever reads the column.
impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Integer(value) => Self::Int(value),
            ValueRef::Text(text) => match str::from_utf8(text) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Bytes(text.to_vec()),
            },
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
            ValueRef::Null | ValueRef::Real(_) => Self::Null,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::with(ErrorKind::Full, error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::with(ErrorKind::InUse, error)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::damaged("the file", error.to_string())
            }
            _ => Self::with(ErrorKind::Storage, error),
        }
    }
}

/// Connections that only read. As many as are needed at once, and a few are kept.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<SqliteSession>>>,
}

impl std::fmt::Debug for SqliteSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteSession")
    }
}

/// How many connections are kept for the next reader.
const IDLE_MAX: usize = 4;

impl Readers {
    fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path), idle: Arc::default() }
    }

    pub(crate) async fn run<R: Read>(&self, read: R) -> Result<R::Output, Error> {
        let readers = self.clone();
        let running = tokio::task::spawn_blocking(move || {
            let mut session = readers.take()?;
            // Nothing in SQLite is waited for without holding the thread, so the first look is the last.
            let outcome = crate::reads::run(&mut session, read).now_or_never();
            let outcome = outcome.unwrap_or_else(|| Err(Error::new(ErrorKind::Closed)));
            if outcome.is_ok() {
                readers.put(session);
            }
            outcome
        });
        running.await.map_err(|error| Error::with(ErrorKind::Closed, error))?
    }

    fn take(&self) -> Result<SqliteSession, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(session) = idle {
            return Ok(session);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&*self.path, flags).map_err(at_opening)?;
        set_up(&connection)?;
        let number = |name: &str| -> Result<u32, Error> {
            connection.pragma_query_value(None, name, |row| row.get(0)).map_err(at_opening)
        };
        check_marks(number("application_id")?, number("user_version")?, true)?;
        Ok(SqliteSession { connection })
    }

    fn put(&self, session: SqliteSession) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(session);
        }
    }

    /// Lets go of the file.
    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

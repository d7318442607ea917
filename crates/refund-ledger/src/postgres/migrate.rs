//! Making the tables, and knowing them again.

use std::cmp::Ordering;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::error::{Error, ErrorKind};
use crate::postgres::error::of_statement;

/// Each makes the next version of the one before.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/postgres/0001.sql")];

/// How often another worker may be in between while the tables are made.
const TRIES: u32 = 20;

const TABLES: &str = "SELECT c.relname::text FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
const SCHEMA: &str = "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname = $1";

/// Makes the tables in the schema, unless they are there.
pub(super) async fn migrate(client: &Client, schema: &str) -> Result<(), Error> {
    let mut tries = 0_u32;
    loop {
        tries = tries.saturating_add(1);
        match attempt(client, schema).await {
            // Another worker makes them at the same time.
            Err(error) if *error.kind() == ErrorKind::Contended && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

/// Fails unless the tables are there, in this version.
pub(super) async fn check(client: &Client, schema: &str) -> Result<(), Error> {
    match version(client, schema).await?.cmp(&MIGRATIONS.len()) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(Error::new(ErrorKind::Newer)),
        Ordering::Less => Err(Error::with(
            ErrorKind::Open,
            "no ledger of this version is in the schema: open it for writing once",
        )),
    }
}

async fn attempt(client: &Client, schema: &str) -> Result<(), Error> {
    let latest = MIGRATIONS.len();
    let version = version(client, schema).await?;
    if version == latest {
        return Ok(());
    }
    if version > latest {
        return Err(Error::new(ErrorKind::Newer));
    }
    client.batch_execute("BEGIN").await.map_err(of_statement)?;
    let made = make(client, schema).await;
    let end = if made.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await.map_err(of_statement);
    made.and(ended)
}

/// Which version is there; none is 0.
async fn version(client: &Client, schema: &str) -> Result<usize, Error> {
    let tables = client.query(TABLES, &[&schema]).await.map_err(of_statement)?;
    let mut names = tables.iter().map(|row| row.try_get::<_, String>(0));
    if tables.is_empty() {
        return Ok(0);
    }
    if !names.any(|name| name.is_ok_and(|name| name == "ledger_version")) {
        return Err(Error::new(ErrorKind::Foreign));
    }
    let text = format!("SELECT version FROM {schema}.ledger_version WHERE id = 1");
    let rows = client.query(&text, &[]).await.map_err(|error| match error.code() {
        Some(&SqlState::UNDEFINED_COLUMN) => Error::new(ErrorKind::Foreign),
        _ => of_statement(error),
    })?;
    number(&rows)
}

async fn make(client: &Client, schema: &str) -> Result<(), Error> {
    // Only where it is needed: whoever may use a schema need not be allowed to make one.
    if client.query(SCHEMA, &[&schema]).await.map_err(of_statement)?.is_empty() {
        let text = format!("CREATE SCHEMA {schema}");
        client.batch_execute(&text).await.map_err(of_making)?;
    }
    // The row is the lock: whoever comes second waits for it, and finds the tables.
    let text = format!(
        "CREATE TABLE IF NOT EXISTS {schema}.ledger_version \
         (id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL); \
         INSERT INTO {schema}.ledger_version VALUES (1, 0) ON CONFLICT DO NOTHING"
    );
    client.batch_execute(&text).await.map_err(of_making)?;
    let text = format!("SELECT version FROM {schema}.ledger_version WHERE id = 1 FOR UPDATE");
    let version = number(&client.query(&text, &[]).await.map_err(of_statement)?)?;
    for text in MIGRATIONS.iter().skip(version) {
        client.batch_execute(text).await.map_err(of_statement)?;
    }
    let text = format!("UPDATE {schema}.ledger_version SET version = {}", MIGRATIONS.len());
    client.batch_execute(&text).await.map_err(of_statement)
}

/// What was not there a moment ago was made by another worker.
fn of_making(error: tokio_postgres::Error) -> Error {
    match error.code() {
        Some(&SqlState::DUPLICATE_SCHEMA | &SqlState::DUPLICATE_TABLE) => {
            Error::with(ErrorKind::Contended, of_statement(error))
        }
        _ => of_statement(error),
    }
}

fn number(rows: &[tokio_postgres::Row]) -> Result<usize, Error> {
    let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Foreign))?;
    let version: i64 = row.try_get(0).map_err(|error| Error::with(ErrorKind::Foreign, error))?;
    usize::try_from(version).map_err(|error| Error::with(ErrorKind::Foreign, error))
}

//! One connection to the server, and its transaction.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{MaybeDone, maybe_done};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use crate::error::{Error, ErrorKind};
use crate::postgres::target::Target;
use crate::postgres::{error, migrate, value};
use crate::session::{Dialect, Row, Session, Value};

/// How many statements a connection keeps prepared: more than there are, but for filters.
const STATEMENTS_MAX: usize = 200;

/// How many executions are on their way at once.
const WINDOW: usize = 256;

/// One connection, which is replaced when it broke.
pub(super) struct PostgresSession {
    target: Arc<Target>,
    connected: Option<Connected>,
    transaction: Transaction,
}

struct Connected {
    client: Client,
    statements: HashMap<Box<str>, Statement>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement failed in it. The server would answer a commit as if it were one.
    Failed,
}

impl PostgresSession {
    /// Connects when it is first used.
    pub(super) const fn new(target: Arc<Target>) -> Self {
        Self { target, connected: None, transaction: Transaction::None }
    }

    /// Makes the tables, unless they are there.
    pub(super) async fn migrate(&mut self) -> Result<(), Error> {
        let target = Arc::clone(&self.target);
        migrate::migrate(&self.connected().await?.client, &target.schema).await
    }

    /// Fails unless the tables are there.
    pub(super) async fn check(&mut self) -> Result<(), Error> {
        let target = Arc::clone(&self.target);
        migrate::check(&self.connected().await?.client, &target.schema).await
    }

    async fn connected(&mut self) -> Result<&mut Connected, Error> {
        if self.connected.as_ref().is_some_and(|connected| connected.client.is_closed()) {
            self.connected = None;
        }
        match &mut self.connected {
            Some(connected) => Ok(connected),
            empty @ None => Ok(empty.insert(Connected::to(&self.target).await?)),
        }
    }

    /// Takes an error down: a connection that broke is not used again, nor are statements that the server
    /// may have forgotten, or made for tables that have changed.
    fn failed(&mut self, error: Error) -> Error {
        self.transaction = Transaction::Failed;
        match (error.kind(), &mut self.connected) {
            (ErrorKind::Contended, _) | (_, None) => {}
            (ErrorKind::Unavailable, connected) => {
                *connected = None;
                self.transaction = Transaction::None;
            }
            (_, Some(connected)) => connected.statements.clear(),
        }
        error
    }

    pub(super) async fn execute(&mut self, text: &str) -> Result<(), Error> {
        let done = self.connected().await?.client.batch_execute(text).await;
        done.map_err(|error| self.failed(error::of_statement(error)))
    }

    async fn begin_as(&mut self, text: &str) -> Result<(), Error> {
        self.rollback().await?;
        let was_connected = self.connected.is_some();
        let mut begun = self.execute(text).await;
        // It may have broken while it was not used, and nothing is lost yet.
        if was_connected && self.connected.is_none() {
            begun = self.execute(text).await;
        }
        begun?;
        self.transaction = Transaction::Open;
        Ok(())
    }
}

impl Connected {
    async fn to(target: &Target) -> Result<Self, Error> {
        let (client, connection) =
            target.config.connect(NoTls).await.map_err(error::of_connecting)?;
        // It ends when the client is dropped; its error reaches whoever waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        let Target { schema, .. } = target;
        // What is committed is on the disk, whatever the server's default. A worker of which nothing is
        // heard lets go of its rows, and nobody waits for a row for ever.
        let text = format!(
            "SET search_path TO {schema}; \
             SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') = 'off'; \
             SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '10s'"
        );
        client.batch_execute(&text).await.map_err(error::of_connecting)?;
        Ok(Self { client, statements: HashMap::new() })
    }

    async fn statement(&mut self, text: &str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        let statement = self.client.prepare(text).await?;
        self.statements.insert(text.into(), statement.clone());
        Ok(statement)
    }

    /// Sends all of it before it waits for the first answer.
    async fn each(
        &mut self,
        text: &str,
        values: &[Vec<Value>],
    ) -> Result<Vec<Vec<tokio_postgres::Row>>, tokio_postgres::Error> {
        let statement = self.statement(text).await?;
        let mut answers = Vec::with_capacity(values.len());
        for values in values.chunks(WINDOW) {
            let run = |values| Box::pin(maybe_done(query(&self.client, &statement, values)));
            let mut running: Vec<_> = values.iter().map(|values| run(values)).collect();
            start(&mut running).await;
            // In this order, so that of several errors the first is the reason.
            for mut query in running {
                query.as_mut().await;
                answers.extend(query.as_mut().take_output().transpose()?);
            }
        }
        Ok(answers)
    }
}

async fn query(
    client: &Client,
    statement: &Statement,
    values: &[Value],
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
    client.query(statement, &values).await
}

/// Polls each once: that sends it.
async fn start<F: Future>(running: &mut [Pin<Box<MaybeDone<F>>>]) {
    poll_fn(|context| {
        for query in &mut *running {
            // What is done already stays to be taken.
            let _ = query.as_mut().poll(context);
        }
        Poll::Ready(())
    })
    .await;
}

impl Session for PostgresSession {
    const DIALECT: Dialect = Dialect::Postgres;

    /// The isolation is the server's default: read committed is enough, and none is too much.
    async fn begin(&mut self) -> Result<(), Error> {
        self.begin_as("BEGIN READ WRITE").await
    }

    async fn begin_read(&mut self) -> Result<(), Error> {
        self.begin_as("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn commit(&mut self) -> Result<(), Error> {
        if self.transaction != Transaction::Open {
            self.rollback().await?;
            return Err(Error::with(ErrorKind::Storage, "nothing is left to be committed"));
        }
        self.execute("COMMIT").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.transaction, Transaction::None);
        if before != Transaction::None && self.execute("ROLLBACK").await.is_err() {
            // With the connection goes whatever was open on it.
            self.connected = None;
            self.transaction = Transaction::None;
        }
        Ok(())
    }

    async fn each(&mut self, text: &str, values: Vec<Vec<Value>>) -> Result<Vec<Vec<Row>>, Error> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        // Outside of a transaction there is no connection that knows what was begun.
        let Some(connected) = &mut self.connected else {
            return Err(Error::new(ErrorKind::Unavailable));
        };
        let answers = connected.each(text, &values).await;
        let answers = answers.map_err(|error| self.failed(error::of_statement(error)))?;
        answers.iter().map(|rows| rows.iter().map(value::row).collect()).collect()
    }
}

//! The session on a server.

#[path = "../../tests/server/mod.rs"]
mod server;

use std::sync::Arc;

use tokio_postgres::config::TargetSessionAttrs;

use crate::error::ErrorKind;
use crate::postgres::session::PostgresSession;
use crate::postgres::target::Target;
use crate::session::{Session as _, Value};
use server::Server;

async fn session(url: &str) -> PostgresSession {
    let mut session =
        PostgresSession::new(Arc::new(Target::parse(url, TargetSessionAttrs::Any).unwrap()));
    session.migrate().await.unwrap();
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_once_by_many_at_once() {
    let Some(server) = Server::shared() else { return };
    for _ in 0..20 {
        let url = server.url();
        let make = |_| {
            let url = url.clone();
            tokio::spawn(async move { session(&url).await })
        };
        for session in futures_util::future::join_all((0..8).map(make)).await {
            let mut session = session.unwrap();
            session.begin_read().await.unwrap();
            let mut rows = session.one("SELECT payments, seal FROM chain", vec![]).await.unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].int().unwrap(), 0);
            assert_eq!(rows[0].seal().unwrap(), [0; 32]);
            session.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let Some(server) = Server::shared() else { return };
    let cases = [
        ("CREATE SCHEMA s; CREATE TABLE s.payment (id INT)", ErrorKind::Foreign),
        ("CREATE SCHEMA s; CREATE TABLE s.ledger_version (v INT)", ErrorKind::Foreign),
        (
            "CREATE SCHEMA s; CREATE TABLE s.ledger_version (id BIGINT, version BIGINT); \
             INSERT INTO s.ledger_version VALUES (1, 1000)",
            ErrorKind::Newer,
        ),
    ];
    for (made, kind) in cases {
        let url = server.url();
        let (_, schema) = url.rsplit_once('=').unwrap();
        let target = Arc::new(Target::parse(&url, TargetSessionAttrs::Any).unwrap());
        let mut session = PostgresSession::new(target);
        let made = made
            .replace("s.", &format!("{schema}."))
            .replace("SCHEMA s", &format!("SCHEMA {schema}"));
        session.execute(&made).await.unwrap();
        assert_eq!(*session.migrate().await.err().unwrap().kind(), kind, "{made}");
    }
}

#[tokio::test]
async fn values_come_back_as_they_were_bound() {
    let Some(server) = Server::shared() else { return };
    let mut session = session(&server.url()).await;
    session.begin().await.unwrap();
    let text = "SELECT $1::bigint, $2::text, $3::bytea";
    let values =
        |n: i64| vec![Value::Int(n), Value::Text(format!("ü{n}")), Value::Bytes(vec![7; 32])];
    let many: Vec<_> = (0..1000).map(values).collect();
    let rows = session.each(text, many).await.unwrap();
    for (n, mut rows) in (0..1000).zip(rows) {
        assert_eq!(rows[0].int().unwrap(), n);
        assert_eq!(rows[0].text().unwrap(), format!("ü{n}"));
        assert_eq!(rows[0].seal().unwrap(), [7; 32]);
    }
    let mut rows = session.one(text, vec![Value::Null, Value::Null, Value::Null]).await.unwrap();
    assert_eq!(rows[0].maybe_int().unwrap(), None);
    assert_eq!(rows[0].maybe_text().unwrap(), None);
    // A value of another type is an error and not a guess.
    let wrong = vec![Value::from("1"), Value::from("1"), Value::Null];
    assert_eq!(*session.one(text, wrong).await.err().unwrap().kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_is_not_committed() {
    let Some(server) = Server::shared() else { return };
    let mut session = session(&server.url()).await;
    session.begin().await.unwrap();
    session.one("UPDATE chain SET payments = $1", vec![5.into()]).await.unwrap();
    // The first of many is the reason, and what follows it is not.
    let twice = vec![vec![2.into()], vec![1.into()], vec![1.into()]];
    let error = session.each("INSERT INTO chain VALUES ($1, 0, '')", twice).await.err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Contended);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("23514") && !source.contains("Failing row"), "{source}");
    assert_eq!(*session.commit().await.err().unwrap().kind(), ErrorKind::Storage);
    session.begin_read().await.unwrap();
    let mut rows = session.one("SELECT payments FROM chain", vec![]).await.unwrap();
    assert_eq!(rows[0].int().unwrap(), 0);
    // It only reads.
    let error = session.one("UPDATE chain SET payments = 5", vec![]).await.err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_connection_that_broke_is_replaced() {
    let Some(server) = Server::start("-c fsync=off") else { return };
    let mut session = session(&server.url()).await;
    session.begin().await.unwrap();
    server.crash();
    let error = session.one("SELECT 1::bigint", vec![]).await.err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::Unavailable);
    session.rollback().await.unwrap();
    session.begin().await.unwrap();
    session.one("UPDATE chain SET payments = 7", vec![]).await.unwrap();
    server.crash();
    // Nobody says that this was committed.
    assert_eq!(*session.commit().await.err().unwrap().kind(), ErrorKind::Unavailable);
    session.begin().await.unwrap();
    session.commit().await.unwrap();
    server.crash();
    // It was not in use: who begins does not notice.
    session.begin_read().await.unwrap();
    let mut rows = session.one("SELECT payments FROM chain", vec![]).await.unwrap();
    assert_eq!(rows[0].int().unwrap(), 0);
}

#[tokio::test]
async fn what_is_committed_is_on_the_disk_whatever_the_default() {
    let Some(server) = Server::shared() else { return };
    for (default, expected) in [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")] {
        let url = format!("{}&options=-c%20synchronous_commit%3D{default}", server.url());
        let mut session = session(&url).await;
        session.begin().await.unwrap();
        let text = "SELECT current_setting('synchronous_commit')";
        let mut rows = session.one(text, vec![]).await.unwrap();
        assert_eq!(rows[0].text().unwrap(), expected, "{default}");
    }
}

#[tokio::test]
async fn a_statement_that_the_server_forgot_is_prepared_again() {
    let Some(server) = Server::shared() else { return };
    let mut session = session(&server.url()).await;
    let text = "SELECT payments FROM chain";
    // The server forgets it, or the table is not what it was made for.
    for change in ["DEALLOCATE ALL", "ALTER TABLE chain ALTER COLUMN payments TYPE TEXT"] {
        session.begin().await.unwrap();
        session.one(text, vec![]).await.unwrap();
        session.commit().await.unwrap();
        session.execute(change).await.unwrap();
        session.begin().await.unwrap();
        let error = session.one(text, vec![]).await.err().unwrap();
        assert_eq!(*error.kind(), ErrorKind::Storage, "{change}: {error:?}");
        session.rollback().await.unwrap();
    }
    session.begin().await.unwrap();
    assert_eq!(session.one(text, vec![]).await.unwrap().len(), 1);
}

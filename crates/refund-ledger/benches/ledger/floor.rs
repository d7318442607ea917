//! The rows of the same refunds, written in the ledger's own schema by the store alone: nothing is read,
//! decided, sealed or answered.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Transaction, params};

use crate::{Rates, refunds};

const PAYMENT: &str = "INSERT INTO payment VALUES ($1, 'fps', $2, NULL, 'USD', 10000, 10000, NULL, \
     NULL, 0, $3, 0, 0, 0, 0, 0, 0, 0, 1, $4)";
const PREPARED: [&str; 3] = [
    "UPDATE payment SET pending = pending + 100, refunds = refunds + 1, intents = 1, events = 2, \
     seal = $1 WHERE id = $2 AND refunded + pending + unknown + 100 <= cap",
    "INSERT INTO intent (id, payment, ordinal, provider, key, amount, is_rest, scope, fee, \
     marketplace_fee, prepared_at, state, attempts, lost, changed_at, fence, due_at) \
     VALUES ($1, $1, 1, 'fps', $2, 100, 0, 'payment', 0, 0, 0, 'prepared', 0, 0, 0, 0, 0)",
    "INSERT INTO event (payment, seq, intent, at, data, seal) VALUES ($1, 2, 1, 0, $2, $3)",
];
const SENT: [&str; 3] = [
    "UPDATE payment SET events = 3, seal = $1 WHERE id = $2",
    "UPDATE intent SET state = 'sent', attempts = 1, sent_at = 1, changed_at = 1 WHERE id = $1",
    "INSERT INTO event (payment, seq, intent, at, data, seal) VALUES ($1, 3, 1, 0, $2, $3)",
];
const ANSWERED: [&str; 3] = [
    "UPDATE payment SET pending = 0, refunded = 100, events = 4, seal = $1 WHERE id = $2",
    "UPDATE intent SET state = 'refunded', refund = 'R-000000001', worker = NULL, due_at = NULL, \
     changed_at = 2 WHERE id = $1",
    "INSERT INTO event (payment, seq, intent, at, data, seal) VALUES ($1, 4, 1, 0, $2, $3)",
];

/// What an event is in JSON, in its length.
const LENGTHS: [usize; 3] = [260, 60, 130];

const SEAL: [u8; 32] = [7; 32];

fn per_second(count: u32, begun: Instant) -> f64 {
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn name(number: i64) -> String {
    format!("P{number:09}")
}

/// So many refunds a commit.
pub(crate) fn sqlite(file: &Path, at_a_time: u32) -> Rates {
    let count = refunds(at_a_time);
    let mut connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
             PRAGMA wal_autocheckpoint = 10000;",
        )
        .unwrap();
    connection.execute_batch(include_str!("../../migrations/sqlite/0001.sql")).unwrap();
    let transaction = connection.transaction().unwrap();
    for number in 1..=i64::from(count) {
        let values = params![number, name(number), "x".repeat(400), SEAL];
        transaction.prepare_cached(PAYMENT).unwrap().execute(values).unwrap();
    }
    transaction.commit().unwrap();
    let mut step = |texts: [&str; 3], length: usize| {
        let data = "x".repeat(length);
        for first in (1..=count).step_by(at_a_time as usize) {
            let transaction = connection.transaction().unwrap();
            for number in first..(first + at_a_time).min(count + 1) {
                write(&transaction, texts, number.into(), &data);
            }
            transaction.commit().unwrap();
        }
    };
    let begun = Instant::now();
    step(PREPARED, LENGTHS[0]);
    let prepared = per_second(count, begun);
    let begun = Instant::now();
    step(SENT, LENGTHS[1]);
    step(ANSWERED, LENGTHS[2]);
    Rates { prepared, sent: per_second(count, begun) }
}

fn write(transaction: &Transaction<'_>, texts: [&str; 3], number: i64, data: &str) {
    let [payment, intent, event] = texts.map(|text| transaction.prepare_cached(text).unwrap());
    let (mut payment, mut intent, mut event) = (payment, intent, event);
    payment.execute(params![SEAL, number]).unwrap();
    match intent.parameter_count() {
        1 => intent.execute(params![number]),
        _ => intent.execute(params![number, format!("key-{number:09}")]),
    }
    .unwrap();
    event.execute(params![number, data, SEAL]).unwrap();
}

#[cfg(unix)]
pub(crate) use on_server::postgres;

#[cfg(unix)]
mod on_server {
    use futures_util::future::{join_all, try_join_all};
    use tokio_postgres::{Client, NoTls, Statement};

    use super::*;

    /// How many connections write at most: as many as the ledger has.
    const CONNECTIONS: u32 = 4;

    /// So many refunds at a time, shared by the connections, each of which commits its part.
    pub(crate) async fn postgres(url: &str, at_a_time: u32) -> Rates {
        let count = refunds(at_a_time);
        let connections = at_a_time.min(CONNECTIONS);
        let clients: Vec<_> = join_all((0..connections).map(|_| connect(url))).await;
        let schema = include_str!("../../migrations/postgres/0001.sql");
        let first = &clients[0];
        first
            .batch_execute("DROP SCHEMA IF EXISTS floor CASCADE; CREATE SCHEMA floor")
            .await
            .unwrap();
        first.batch_execute(schema).await.unwrap();
        let statement = first.prepare(PAYMENT).await.unwrap();
        first.batch_execute("BEGIN").await.unwrap();
        for number in 1..=i64::from(count) {
            let (name, facts) = (name(number), "x".repeat(400));
            first.execute(&statement, &[&number, &name, &facts, &&SEAL[..]]).await.unwrap();
        }
        first.batch_execute("COMMIT").await.unwrap();
        let each = (at_a_time / connections).max(1);
        let step = async |texts: [&str; 3], length: usize| {
            let data = "x".repeat(length);
            let data = &data;
            let work = clients.iter().zip(0..).map(async |(client, part)| {
                let texts = try_join_all(texts.map(|text| client.prepare(text))).await.unwrap();
                let mine: Vec<_> =
                    (1..=count).filter(|number| number % connections == part).collect();
                for numbers in mine.chunks(each as usize) {
                    client.batch_execute("BEGIN").await.unwrap();
                    let writes = numbers.iter();
                    join_all(writes.map(|number| write(client, &texts, (*number).into(), data)))
                        .await;
                    client.batch_execute("COMMIT").await.unwrap();
                }
            });
            join_all(work).await;
        };
        let begun = Instant::now();
        step(PREPARED, LENGTHS[0]).await;
        let prepared = per_second(count, begun);
        let begun = Instant::now();
        step(SENT, LENGTHS[1]).await;
        step(ANSWERED, LENGTHS[2]).await;
        Rates { prepared, sent: per_second(count, begun) }
    }

    async fn connect(url: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("SET search_path TO floor").await.unwrap();
        client
    }

    /// Sends all three before it waits for the first.
    async fn write(client: &Client, texts: &[Statement], number: i64, data: &str) {
        let [payment, intent, event] = texts else { return };
        let key = format!("key-{number:09}");
        let seal = &SEAL[..];
        let intent = async {
            match intent.params().len() {
                1 => client.execute(intent, &[&number]).await,
                _ => client.execute(intent, &[&number, &key]).await,
            }
        };
        tokio::try_join!(
            async { client.execute(payment, &[&seal, &number]).await },
            intent,
            async { client.execute(event, &[&number, &data, &seal]).await },
        )
        .unwrap();
    }
}

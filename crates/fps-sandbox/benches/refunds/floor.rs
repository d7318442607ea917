//! SQLite alone: the rows of a refund that is taken, in the sandbox's own schema, with nothing decided,
//! read or sealed.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};

/// Commits so many refunds, so many at a time, and says how many a second that is.
pub(crate) fn commits_per_second(file: &Path, refunds: usize, at_a_time: usize) -> f64 {
    let mut connection = Connection::open(file).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
             PRAGMA wal_autocheckpoint = 10000;",
        )
        .unwrap();
    for schema in [
        include_str!("../../migrations/0001_initial.sql"),
        include_str!("../../migrations/0002_life.sql"),
    ] {
        connection.execute_batch(schema).unwrap();
    }
    let begun = Instant::now();
    let mut number = 0;
    while number < refunds {
        let transaction = connection.transaction().unwrap();
        for _ in 0..at_a_time.min(refunds - number) {
            write(&transaction, number);
            number += 1;
        }
        transaction.commit().unwrap();
    }
    refunds as f64 / begun.elapsed().as_secs_f64()
}

pub(crate) fn write(connection: &Connection, number: usize) {
    let charge = format!("S01-{:07}-{:07}-C000001", scattered(number / 10), number / 10);
    let id = format!("S01-{:07}-{:07}-R{:06}", scattered(number), number / 10, number % 1_000_000);
    let at = i64::try_from(number).unwrap();
    let body = format!(
        r#"{{"refundId":"{id}","chargeId":"{charge}","refundAmount":{{"amount":"1.00","currencyCode":"USD"}},"softDescriptor":null,"creationTimestamp":"20261125T120000Z","statusDetails":{{"state":"RefundInitiated","reasonCode":null,"reasonDescription":null,"lastUpdatedTimestamp":"20261125T120000Z"}},"releaseEnvironment":"Sandbox"}}"#
    );
    let request = format!(
        r#"{{"chargeId":"{charge}","refundAmount":{{"amount":"1.00","currencyCode":"USD"}}}}"#
    );
    connection
        .prepare_cached(
            "INSERT INTO refund (id, payment, state, amount, fee_returned, reference, created_at,
                 updated_at, due_at)
             VALUES (?, ?, 'pending', 100, 0, ?, ?, ?, 99999999999999)",
        )
        .unwrap()
        .execute(params![id, charge, format!("load{number}"), at, at])
        .unwrap();
    connection
        .prepare_cached(
            "INSERT INTO movement (merchant, service, kind, subject, at, seal)
             VALUES (1, 'amazon-pay', 'refund-begun', ?, ?, zeroblob(32))",
        )
        .unwrap()
        .execute(params![id, at])
        .unwrap();
    let movement = connection.last_insert_rowid();
    for (account, amount) in [("merchant", -100), ("refunding", 100)] {
        connection
            .prepare_cached(
                "INSERT INTO entry (movement, merchant, account, currency, amount)
                 VALUES (?, 1, ?, 'USD', ?)",
            )
            .unwrap()
            .execute(params![movement, account, amount])
            .unwrap();
        connection
            .prepare_cached(
                "INSERT INTO balance VALUES (1, 'amazon-pay', ?, '', 'USD', ?)
                 ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
            )
            .unwrap()
            .execute(params![account, amount])
            .unwrap();
    }
    connection
        .prepare_cached(
            "INSERT INTO answer (merchant, scope, key, request, status, body, created_at)
             VALUES (1, 'CreateRefund', ?, ?, 201, ?, ?)",
        )
        .unwrap()
        .execute(params![
            format!("{:x}load{number}", scattered(number)),
            request,
            body.as_bytes(),
            at
        ])
        .unwrap();
}

/// The same numbers in another order, as ids and keys are.
fn scattered(number: usize) -> usize {
    number.wrapping_mul(7_919_371) % 9_999_991
}

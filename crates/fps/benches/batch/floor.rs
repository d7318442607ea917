//! The least that a durable refund costs: the same client, and a row that is written before it sends and
//! changed after, by one SQLite thread that commits what waits together. No rules, no leases, no chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use fps::amazon_pay::CreateRefund;
use fps::refund_runner::row_key;
use fps::{AmazonPay, IdempotencyKey, RetryPolicy, Settings};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::ours::{amount, charge, config, file, read};
use crate::{AT_ONCE, peak_kilobytes};

/// A row to write, and whom to tell once it is durable.
struct Write {
    row: i64,
    refund: Option<String>,
    done: oneshot::Sender<()>,
}

pub(crate) async fn run(world: &str, rows: usize) {
    let world = Arc::new(read(world));
    let folder = tempfile::tempdir().unwrap();
    let database = Connection::open(file(folder.path())).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000;
             CREATE TABLE refund (row INTEGER PRIMARY KEY, key TEXT, refund TEXT)",
        )
        .unwrap();
    let (writes, queue) = channel();
    let writer = std::thread::spawn(move || write(database, &queue));
    let settings = Settings::default().with_retry(RetryPolicy::once()).without_pacing();
    let shop = AmazonPay::new(config(&world), &settings).unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (world, shop, next) = (Arc::clone(&world), shop.clone(), Arc::clone(&next));
        let writes = writes.clone();
        tasks.spawn(async move {
            loop {
                let row = next.fetch_add(1, Ordering::Relaxed);
                if row >= rows {
                    break;
                }
                store(&writes, row, None).await;
                let key = row_key("bench", u64::try_from(row).unwrap() + 1, "floor");
                let key = IdempotencyKey::new(key).unwrap();
                let request = CreateRefund::new(key, charge(&world, row), amount(row));
                let refund = shop.submit(&request).await.unwrap().id;
                store(&writes, row, Some(refund.as_str().to_owned())).await;
            }
        });
    }
    tasks.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    drop(writes);
    writer.join().unwrap();
    println!("{} {}", rows as f64 / seconds, peak_kilobytes());
}

async fn store(writes: &Sender<Write>, row: usize, refund: Option<String>) {
    let (done, written) = oneshot::channel();
    writes.send(Write { row: i64::try_from(row).unwrap(), refund, done }).unwrap();
    written.await.unwrap();
}

fn write(mut database: Connection, queue: &Receiver<Write>) {
    while let Ok(first) = queue.recv() {
        let transaction = database.transaction().unwrap();
        let mut written = Vec::new();
        let mut next = Some(first);
        while let Some(Write { row, refund, done }) = next {
            match refund {
                None => transaction
                    .prepare_cached("INSERT INTO refund VALUES (?1, ?2, NULL)")
                    .unwrap()
                    .execute(params![row, format!("{row:032}")]),
                Some(refund) => transaction
                    .prepare_cached("UPDATE refund SET refund = ?2 WHERE row = ?1")
                    .unwrap()
                    .execute(params![row, refund]),
            }
            .unwrap();
            written.push(done);
            next = if written.len() < 128 { queue.try_recv().ok() } else { None };
        }
        transaction.commit().unwrap();
        for done in written {
            let _gone = done.send(());
        }
    }
}

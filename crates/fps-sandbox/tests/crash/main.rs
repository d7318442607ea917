//! The sandbox is killed again and again while clients ask it for refunds: whatever it acknowledged is
//! there afterwards, once, and its books balance.
//!
//! The test starts itself as the sandbox, so that there is a process to kill; it has no harness.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a case that cannot be built is a failed test, and processes talk"
)]

mod client;
mod server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fps_sandbox::{Config, Sandbox};
use rusqlite::Connection;
use tokio::sync::watch;

use client::{Acknowledged, Wish};
use server::{Place, Server, World};

const KILLS: usize = 50;
const CLIENTS: usize = 8;
/// Of every so many refunds, one is of Amazon Pay: its signatures take longer.
const PAY_EVERY: usize = 5;
/// A charge takes so many.
const OF_ONE_CHARGE: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.as_slice() {
        [word, database, port] if word == "serve" => {
            runtime.block_on(server::serve(Path::new(database), port.parse().unwrap()));
        }
        // Asked for its tests by name, as some runners do.
        [word, ..] if word == "--list" => println!("kill: test"),
        _ => {
            println!("\nrunning 1 test");
            runtime.block_on(kill_again_and_again());
            println!("test what_was_acknowledged_survives_kills ... ok\n");
            println!(
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
            );
        }
    }
}

async fn kill_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("s.db");
    let mut server = Server::start(&database, 0);
    let world = Arc::new(server.world().clone());
    let mut payments = Vec::new();
    for token in &world.tokens {
        payments.push(client::pay(token, &world, server.place()).await);
    }
    let payments = Arc::new(payments);
    let (places, place) = watch::channel(server.place().clone());
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = Client {
                number,
                world: Arc::clone(&world),
                payments: Arc::clone(&payments),
                place: place.clone(),
                acknowledged: Arc::clone(&acknowledged),
                done: Arc::clone(&done),
            };
            tokio::spawn(client.work())
        })
        .collect();
    let mut chance = 0x9E37_79B9_7F4A_7C15_u64;
    for kill in 0..KILLS {
        // Not by the clock: after so many more answers, a number that changes.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let until = acknowledged.load(Ordering::SeqCst) + usize::try_from(chance % 40).unwrap() + 1;
        while acknowledged.load(Ordering::SeqCst) < until {
            tokio::task::yield_now().await;
        }
        server.kill();
        if kill + 1 == KILLS {
            done.store(true, Ordering::SeqCst);
        }
        server = Server::start(&database, server.place().port);
        places.send(server.place().clone()).unwrap();
    }
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await.unwrap());
    }
    server.kill();
    check(&database, &all).await;
    println!("{KILLS} kills, {} refunds acknowledged, each there once", all.len());
}

struct Client {
    number: usize,
    world: Arc<World>,
    payments: Arc<Vec<String>>,
    place: watch::Receiver<Place>,
    acknowledged: Arc<AtomicUsize>,
    done: Arc<AtomicBool>,
}

impl Client {
    /// Asks for one refund after the other until it is told to stop; the last one is seen through.
    async fn work(mut self) -> Vec<Acknowledged> {
        let mut all = Vec::new();
        while !self.done.load(Ordering::SeqCst) {
            let serial = self.number + CLIENTS * all.len();
            let charge = serial / PAY_EVERY / OF_ONE_CHARGE;
            let wish = match self.world.charges.get(charge) {
                Some(charge) if serial.is_multiple_of(PAY_EVERY) => Wish::charge(serial, charge),
                _ => Wish::payment(serial, &self.payments[serial % self.payments.len()]),
            };
            let id = client::insist(&wish, &self.world, &mut self.place).await;
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
            all.push(Acknowledged { wish, id });
        }
        all
    }
}

async fn check(database: &Path, all: &[Acknowledged]) {
    // Opening the file again finishes what the log holds.
    let sandbox = Sandbox::start(Config::new(database)).await.unwrap();
    sandbox.verify_books().await.unwrap();
    sandbox.stop().await.unwrap();
    let connection = Connection::open(database).unwrap();
    for Acknowledged { wish, id } in all {
        let found: (String, i64) = connection
            .query_row("SELECT payment, amount FROM refund WHERE id = ?", [id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap_or_else(|error| panic!("{id} was acknowledged and is not there: {error}"));
        assert_eq!(found, (wish.payment.clone(), wish.cents));
    }
    let count: i64 =
        connection.query_row("SELECT count(*) FROM refund", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(count).unwrap(), all.len(), "one for every wish");
}

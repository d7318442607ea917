//! What it costs to write refunds down for good, in a file and on a server: beside the same rows written
//! by SQLite and by PostgreSQL alone, in the same run. Prints; fails for no time.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod floor;
mod load;
#[cfg(unix)]
#[path = "../../tests/server/mod.rs"]
mod server;

use std::path::Path;

use refund_ledger::Ledger;

const ROUNDS: usize = 3;
const AT_ONCE: [u32; 3] = [1, 16, 128];

/// Refunds in one measurement, each of a payment of its own: fewer where each waits for the disk.
const fn refunds(at_once: u32) -> u32 {
    if at_once == 1 { 500 } else { 5_000 }
}

/// Refunds a second: written down before anything is sent, and then sent and answered.
#[derive(Clone, Copy)]
struct Rates {
    prepared: f64,
    sent: f64,
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("this is measured by `cargo bench -p refund-ledger --all-features`");
        return;
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores; medians of {ROUNDS} rounds");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    sqlite(&runtime);
    #[cfg(unix)]
    postgres(&runtime);
}

fn sqlite(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    for at_once in AT_ONCE {
        let rounds = (0..ROUNDS).map(|round| {
            let file = |kind| folder.path().join(format!("{kind}-{at_once}-{round}.db"));
            let ours = runtime.block_on(async {
                let ledger = Ledger::open(file("ours")).await.unwrap();
                let rates = load::run(&ledger, at_once).await;
                ledger.close().await;
                rates
            });
            (ours, floor::sqlite(&file("floor"), at_once))
        });
        say("a file", at_once, &rounds.collect::<Vec<_>>());
    }
}

#[cfg(unix)]
fn postgres(runtime: &tokio::runtime::Runtime) {
    // As it comes: it waits for the disk.
    let Some(server) = server::Server::start("") else { return };
    for at_once in AT_ONCE {
        let rounds = (0..ROUNDS).map(|_| {
            runtime.block_on(async {
                let ledger = Ledger::connect(&server.url()).await.unwrap();
                let ours = load::run(&ledger, at_once).await;
                ledger.close().await;
                (ours, floor::postgres(&server.bare_url(), at_once).await)
            })
        });
        say("a server", at_once, &rounds.collect::<Vec<_>>());
    }
    for processes in [1, 4, 16] {
        let rates = (0..ROUNDS).map(|_| runtime.block_on(load::hot(&server.url(), processes)));
        println!(
            "a server, one payment that everybody wants, {processes:2} writers: {:6.0} refunds/s",
            median(rates)
        );
    }
}

fn say(store: &str, at_once: u32, rounds: &[(Rates, Rates)]) {
    let say = |what: &str, rate: fn(&Rates) -> f64| {
        let ours = median(rounds.iter().map(|(ours, _)| rate(ours)));
        let floor = median(rounds.iter().map(|(_, floor)| rate(floor)));
        let ratio = median(rounds.iter().map(|(ours, floor)| rate(ours) / rate(floor)));
        println!(
            "{store}, {at_once:3} at once: {ours:6.0} refunds/s {what}; the same rows alone \
             {floor:6.0}/s; ratio {ratio:.2}"
        );
    };
    say("prepared", |rates| rates.prepared);
    say("sent and answered", |rates| rates.sent);
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

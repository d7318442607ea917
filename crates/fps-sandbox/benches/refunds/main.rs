//! What it costs the sandbox to take a refund for good: beside SQLite alone writing the same rows, beside
//! two emulators of other services, and in a file that holds a million already. Prints; fails for no time.
//!
//! Servers are processes of their own: the benchmark starts itself again as each of them. All requests
//! are signed before the clock runs.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod floor;
mod full_file;
mod load;
mod peers;
#[expect(dead_code, reason = "another benchmark uses the rest")]
#[path = "../../../fps-http/benches/sdk/process.rs"]
mod process;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use load::Run;
use process::Process;
use server::Served;

const REFUNDS: usize = 3_000;
const ROUNDS: usize = 3;
const AT_ONCE: [usize; 3] = [1, 16, 64];
const IN_THE_FILE: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const STARTS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("server") => server::run(Path::new(&arguments[1]), arguments[2].parse().unwrap()),
        _ if arguments.iter().any(|argument| argument == "--bench") => bench(),
        _ => println!("this is measured by `cargo bench -p fps-sandbox`"),
    }
}

fn bench() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fps-sandbox-refunds");
    // What an earlier run left would be another start than the first.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, which client and server share; medians of {ROUNDS} rounds");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    starts(&folder);
    refunds(&folder, &runtime);
    others(&folder, &runtime);
    growth(&folder, &runtime);
    fs::remove_dir_all(&folder).unwrap();
}

/// From a process that is not there to one that listens.
fn starts(folder: &Path) {
    let database = folder.join("start.db");
    let mut times = Vec::new();
    let mut resident = None;
    for number in 0..STARTS {
        let begun = Instant::now();
        let mut server = start(&database, 0);
        server.hear();
        times.push(begun.elapsed());
        if number == 0 {
            println!("start: first, with keys to make: {} ms", times[0].as_millis());
        }
        resident = server.resident();
    }
    let again = median(times.split_off(1).into_iter().map(|time| time.as_secs_f64() * 1e3));
    println!("start: again, on a file that is there: {again:.0} ms (goal: at most 200)");
    if let Some(kilobytes) = resident {
        println!("idle: {} MiB resident (goal: at most 40)", kilobytes / 1024);
    }
}

/// Create Refund of Amazon Pay, beside SQLite alone.
fn refunds(folder: &Path, runtime: &tokio::runtime::Runtime) {
    for at_once in AT_ONCE {
        let mut ours = Vec::new();
        let mut floors = Vec::new();
        for round in 0..ROUNDS {
            let database = folder.join(format!("refunds-{at_once}-{round}.db"));
            let mut server = start(&database, REFUNDS);
            let served = Served::hear(&mut server);
            ours.push(load::run(runtime, &served.transport, served.refunds(REFUNDS), at_once));
            drop(server);
            floors.push(floor::commits_per_second(
                &database.with_extension("floor"),
                REFUNDS,
                at_once,
            ));
        }
        let rate = median(ours.iter().map(Run::per_second));
        let floor = median(floors.iter().copied());
        let ratio = median(ours.iter().zip(&floors).map(|(ours, floor)| ours.per_second() / floor));
        let p99 = median(ours.iter().map(|run| run.percentile(99)));
        println!(
            "{at_once:2} at once: {rate:6.0} durable refunds/s over TLS, p99 {p99:.1} ms; the same rows \
             into SQLite alone, {at_once} a commit: {floor:6.0}/s; ratio {ratio:.2}"
        );
    }
}

/// Other emulators at their closest job, over plain HTTP, with nothing durable.
fn others(folder: &Path, runtime: &tokio::runtime::Runtime) {
    for peer in peers::all(folder) {
        let peer = match peer {
            Ok(peer) => peer,
            Err(why) => {
                println!("{why}");
                continue;
            }
        };
        for at_once in AT_ONCE {
            let run = load::run(runtime, &peer.transport, peer.requests(REFUNDS / 3), at_once);
            println!(
                "{at_once:2} at once: {:6.0} {} a second from {}, p99 {:.1} ms",
                run.per_second(),
                peer.job,
                peer.name,
                run.percentile(99)
            );
        }
    }
}

/// The same work in files that hold more and more.
fn growth(folder: &Path, runtime: &tokio::runtime::Runtime) {
    let mut first = None;
    for count in IN_THE_FILE {
        let database = folder.join(format!("full-{count}.db"));
        drop(start(&database, 0));
        full_file::fill(&database, count);
        let mut server = start(&database, REFUNDS);
        let served = Served::hear(&mut server);
        let cpu = server.cpu();
        let run = load::run(runtime, &served.transport, served.refunds(REFUNDS), 16);
        let spent = server.cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before));
        let each = spent.unwrap_or(Duration::ZERO).as_secs_f64() * 1e6 / REFUNDS as f64;
        let first = *first.get_or_insert((each, run.per_second()));
        println!(
            "{count:7} refunds in the file ({} MB): {:6.0} refunds/s, {each:.0} µs CPU each; beside the \
             smallest file {:.2} and {:.2}",
            fs::metadata(&database).unwrap().len() / 1_000_000,
            run.per_second(),
            run.per_second() / first.1,
            each / first.0
        );
        drop(server);
        fs::remove_file(database).unwrap();
    }
}

/// A sandbox with so many refunds to be made.
fn start(database: &Path, refunds: usize) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("server").arg(PathBuf::from(database)).arg(refunds.to_string());
    Process::start(&mut command)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

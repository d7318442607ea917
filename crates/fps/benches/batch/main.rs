//! What a durable batch costs, end to end: refunds a second through runner, ledger and client, against a
//! server that does nothing but answer and against the sandbox, beside the same client with the same two
//! rows written into SQLite alone; and memory and time by the number of rows. Prints; fails for no time.
//!
//! Each side is a process of its own: the benchmark starts itself again as each of them. `-- --rows N`
//! adds a size.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod floor;
mod ours;
#[expect(dead_code, reason = "another benchmark uses the rest")]
#[path = "../../../fps-http/benches/sdk/process.rs"]
mod process;
mod server;

use std::path::Path;
use std::process::Command;

use process::Process;

const ROUNDS: usize = 3;
const REFUNDS: usize = 5_000;
const ROWS: [usize; 3] = [1_000, 10_000, 100_000];
pub(crate) const AT_ONCE: u32 = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match words[..] {
        ["server"] => runtime().block_on(server::trivial()),
        ["sandbox", payments] => runtime().block_on(server::sandbox(payments.parse().unwrap())),
        ["ours", world, rows] => runtime().block_on(ours::run(world, rows.parse().unwrap())),
        ["floor", world, rows] => runtime().block_on(floor::run(world, rows.parse().unwrap())),
        _ if words.contains(&"--bench") => bench(&words),
        _ => println!("this is measured by `cargo bench -p fps --features runner --bench batch`"),
    }
}

fn bench(words: &[&str]) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{cores} cores, which client and server share; {AT_ONCE} at once, medians of {ROUNDS} rounds"
    );
    println!("a durable refund: on record before it is sent, its outcome on record after it");
    let mut trivial = Process::start(itself().arg("server"));
    let world = trivial.hear();
    let rate = |name: &str, world: &str, rows: usize| side(name, world, rows).per_second;
    let floors: Vec<f64> = (0..ROUNDS).map(|_| rate("floor", &world, REFUNDS)).collect();
    let ours: Vec<f64> = (0..ROUNDS).map(|_| rate("ours", &world, REFUNDS)).collect();
    let sandbox: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let mut sandbox = Process::start(itself().arg("sandbox").arg(REFUNDS.to_string()));
            let world = sandbox.hear();
            rate("ours", &world, REFUNDS)
        })
        .collect();
    let (floor, ours, sandbox) = (median(floors), median(ours), median(sandbox));
    println!("the same client and two rows in SQLite alone: {floor:6.0}/s");
    println!(
        "a batch against a server that only answers:   {ours:6.0}/s, {:.2} of that (goal: 0.8)",
        ours / floor
    );
    println!("a batch against the sandbox:                  {sandbox:6.0}/s, followed to the end");
    let more = words.iter().position(|word| *word == "--rows");
    let more = more.and_then(|at| words.get(at + 1)).map(|rows| rows.parse().unwrap());
    let mut first = None;
    for rows in ROWS.into_iter().chain(more) {
        let Side { per_second, peak_kilobytes } = side("ours", &world, rows);
        let first = *first.get_or_insert(per_second);
        println!(
            "{rows:9} rows: {:8.1} s, {per_second:6.0}/s ({:.2} of the first), peak {} MiB",
            rows as f64 / per_second,
            per_second / first,
            peak_kilobytes / 1024
        );
    }
}

struct Side {
    per_second: f64,
    peak_kilobytes: u64,
}

/// Runs a side in a process of its own, on new files.
fn side(name: &str, world: &str, rows: usize) -> Side {
    let mut process = Process::start(itself().arg(name).arg(world).arg(rows.to_string()));
    let line = process.hear();
    let mut words = line.split(' ');
    let mut next = || words.next().unwrap();
    Side { per_second: next().parse().unwrap(), peak_kilobytes: next().parse().unwrap() }
}

fn itself() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Kilobytes that this process had in memory at its most. Linux only.
pub(crate) fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

//! What it costs to create refunds over TLS: our client beside the official npm SDK, and beside the least
//! that hyper, rustls and aws-lc need for the same. Prints; fails for no time.
//!
//! Server and clients are processes of their own: the benchmark starts itself again as each of them.
//! Clients take turns, so that all see the same machine; each begins anew in every round and warms up
//! before it is measured.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod client;
mod files;
mod npm;
#[expect(dead_code, reason = "another benchmark uses the rest")]
mod process;
mod server;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use client::Job;
use npm::Sdk;
use process::Process;

const ROUNDS: usize = 5;
const CALLS: u32 = 1_500;
const WARM_UP_CALLS: u32 = 300;
const CALLS_AT_ONCE: [u32; 3] = [1, 16, 64];

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fps-http-sdk");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("server") => server::run(&folder),
        Some("ours") => client::ours(&job(&folder, &arguments)),
        Some("floor") => client::floor(&job(&folder, &arguments)),
        _ if arguments.iter().any(|argument| argument == "--bench") => bench(&folder),
        _ => println!("this is measured by `cargo bench -p fps-http`"),
    }
}

fn job(folder: &Path, arguments: &[String]) -> Job {
    let number = |index: usize| arguments[index].parse().unwrap();
    Job {
        folder: folder.to_owned(),
        port: arguments[1].clone(),
        at_once: number(2),
        warm_up_calls: number(3),
        calls: number(4),
    }
}

fn bench(folder: &Path) {
    files::make(folder);
    let sdk = Sdk::install(folder);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{CALLS} create-refund calls over TLS on loopback, {ROUNDS} rounds, medians");
    println!("{cores} cores, which the server shares; each call has a new RSA-2048 PSS signature");
    match &sdk {
        Ok(sdk) => println!("npm: {} on node {}", npm::SDK, sdk.version),
        Err(why) => println!("without the npm SDK: {why}"),
    }
    let sdk = sdk.ok();
    let mut server = Process::start(itself().arg("server"));
    let port = server.hear();
    for at_once in CALLS_AT_ONCE {
        let rounds: Vec<Round> = (0..ROUNDS)
            .map(|_| Round::run(&server, &port, at_once, sdk.as_ref(), folder))
            .collect();
        report(at_once, &rounds);
    }
}

fn itself() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// All clients in one round.
struct Round {
    ours: Figures,
    npm: Option<Figures>,
    floor: Figures,
}

/// What one client did.
#[derive(Clone, Copy)]
struct Figures {
    calls_per_second: f64,
    /// Milliseconds of CPU time for one call, in the client and in the server.
    cpu: Option<f64>,
    server_cpu: Option<f64>,
}

impl Round {
    fn run(server: &Process, port: &str, at_once: u32, sdk: Option<&Sdk>, folder: &Path) -> Self {
        let numbers = [at_once, WARM_UP_CALLS, CALLS].map(|number| number.to_string());
        let ours = |name| {
            let mut command = itself();
            command.args([name, port]).args(&numbers);
            Figures::of(&mut command, server)
        };
        let npm = |sdk: &Sdk| {
            let mut command = sdk.command();
            command.arg(port).arg(folder.join(files::KEY)).arg(files::KEY_ID).args(&numbers);
            Figures::of(&mut command, server)
        };
        Self { ours: ours("ours"), npm: sdk.map(npm), floor: ours("floor") }
    }
}

impl Figures {
    /// Runs a client. Starting and warming up are not measured.
    fn of(command: &mut Command, server: &Process) -> Self {
        let mut client = Process::start(command);
        assert_eq!(client.hear(), "ready");
        let (cpu, server_cpu) = (client.cpu(), server.cpu());
        let begun = Instant::now();
        client.tell("go");
        assert_eq!(client.hear(), "done");
        let seconds = begun.elapsed().as_secs_f64();
        let each = |now: Option<Duration>, then: Option<Duration>| {
            Some(now?.saturating_sub(then?).as_secs_f64() * 1e3 / f64::from(CALLS))
        };
        Self {
            calls_per_second: f64::from(CALLS) / seconds,
            cpu: each(client.cpu(), cpu),
            server_cpu: each(server.cpu(), server_cpu),
        }
    }
}

fn report(at_once: u32, rounds: &[Round]) {
    println!("{at_once} at once");
    let row = |name, figures: fn(&Round) -> Option<Figures>| {
        let of = |figure: fn(Figures) -> Option<f64>| {
            median(rounds.iter().map(|round| figures(round).and_then(figure)))
        };
        let Some(calls) = of(|figures| Some(figures.calls_per_second)) else { return };
        let cpu = text(of(|figures| figures.cpu), "ms");
        let server_cpu = text(of(|figures| figures.server_cpu), "ms");
        println!("  {name:6} {calls:7.0} calls/s, CPU {cpu} a call, in the server {server_cpu}");
    };
    row("ours", |round| Some(round.ours));
    row("npm", |round| round.npm);
    row("floor", |round| Some(round.floor));
    // Of the clients that ran one after the other, round by round.
    let of = |ratio: fn(&Round) -> Option<f64>| text(median(rounds.iter().map(ratio)), "x");
    let faster = |round: &Round| Some(round.ours.calls_per_second / round.npm?.calls_per_second);
    let cheaper = |round: &Round| Some(round.npm?.cpu? / round.ours.cpu?);
    let dearer = |round: &Round| Some(round.ours.cpu? / round.floor.cpu?);
    if rounds.iter().all(|round| round.npm.is_some()) {
        let goal = if at_once == 64 { " (goal: at least 4)" } else { "" };
        println!("  ours / npm in calls per second {}{goal}", of(faster));
        println!("  npm / ours in CPU {}", of(cheaper));
    }
    println!("  ours / floor in CPU {} (goal: at most 1.1)", of(dearer));
}

/// `None` where one of them is not known.
fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect::<Option<_>>()?;
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn text(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.3} {unit}"))
}

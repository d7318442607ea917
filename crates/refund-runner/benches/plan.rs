//! What a plan costs: seconds and memory for a thousand to a million rows, each size in a process of its
//! own. Prints; fails for nothing.
//!
//! `cargo bench -p refund-runner --bench plan -- 1000 100000` plans these sizes only.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be made is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::cast_precision_loss, reason = "a count of rows is small")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use refund_ledger::{Ledger, Millis};
use refund_rules::Policy;
use refund_runner::{Planner, Rows, Sealing};

const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const CHILD: &str = "--one";

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match arguments.next() {
        Some(first) if first == CHILD => {
            let rows: u64 = arguments.next().unwrap().parse().unwrap();
            one(rows, Path::new(&arguments.next().unwrap()));
        }
        first => {
            let named = first.into_iter().chain(arguments).map(|text| text.parse().unwrap());
            let named: Vec<u64> = named.collect();
            all(if named.is_empty() { &SIZES } else { &named });
        }
    }
}

/// What a child measured.
struct Measured {
    read: f64,
    plan: f64,
    again: f64,
    peak: f64,
}

fn all(sizes: &[u64]) {
    println!(
        "     rows   read s    plan s   rows/s   again s   peak MiB   seconds/row, peak: × the first"
    );
    let mut first: Option<(f64, f64)> = None;
    for rows in sizes {
        let Measured { read, plan, again, peak } = measure(*rows);
        let each = plan / *rows as f64;
        let (first_each, first_peak) = *first.get_or_insert((each, peak));
        println!(
            "{rows:9} {read:8.3} {plan:9.3} {:8.0} {again:9.3} {peak:10.1}   {:.2} {:.2}",
            1.0 / each,
            each / first_each,
            peak / first_peak
        );
    }
}

fn measure(rows: u64) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    let mut out = BufWriter::new(File::create(&file).unwrap());
    writeln!(out, "payment,amount,currency,captured,fee,reference,note").unwrap();
    for row in 0..rows {
        let (units, cents) = (row % 90 + 1, row % 100);
        let line =
            format!("S01-{row:07}-0000000-C,{units}.{cents:02},EUR,100.00,2.90,order-{row},");
        writeln!(out, "{line}with apologies").unwrap();
    }
    out.into_inner().unwrap().sync_all().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, &rows.to_string()])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let numbers: Vec<f64> = said.split_whitespace().map(|text| text.parse().unwrap()).collect();
    let [read, plan, again, peak] = numbers[..] else { unreachable_output(&said) };
    Measured { read, plan, again, peak }
}

fn unreachable_output(said: &str) -> ! {
    println!("the child said: {said}");
    std::process::abort()
}

/// Reads the file, plans it into a new ledger, and plans it again.
fn one(rows: u64, folder: &Path) {
    let seconds = |begun: Instant| begun.elapsed().as_secs_f64();
    let open = || File::open(folder.join("rows.csv")).unwrap();
    let begun = Instant::now();
    let mut reading = Rows::new(open()).unwrap();
    while let Some(row) = reading.advance().unwrap() {
        assert!(row.content.is_ok());
    }
    let read = seconds(begun);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (plan, again) = runtime.block_on(async {
        let ledger = Ledger::open(folder.join("refunds.db")).await.unwrap();
        let account = ("amazon-pay", "sandbox");
        let planner = Planner::new(&ledger, "recall", account, Policy::amazon_pay);
        let now = Millis(1_764_000_000_000);
        let begun = Instant::now();
        let first = planner.plan(&mut open(), now, &mut |_| {}).await.unwrap();
        assert_eq!((first.sealing, first.prepared), (Sealing::Now, rows));
        let plan = seconds(begun);
        let begun = Instant::now();
        let second = planner.plan(&mut open(), now, &mut |_| {}).await.unwrap();
        assert_eq!(second.existing, rows);
        (plan, seconds(begun))
    });
    println!("{read} {plan} {again} {}", peak());
}

/// The most memory that this process had, in MiB; nothing where the system does not say.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibi =
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse().ok());
    kibi.map_or(f64::NAN, |kibi: f64| kibi / 1_024.0)
}

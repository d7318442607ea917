//! The n-th call fails, for n = 1, 2, 3 and so on, until a run ends without having met it.

use std::collections::BTreeMap;

use crate::shim::{Count, Fault, library};
use crate::world::{Batch, World, ended, exit, said};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const ECONNRESET: i32 = 104;
const ECONNREFUSED: i32 = 111;

const ROWS: u32 = 6;

/// More than there are.
const NEVER: u64 = 1 << 40;

/// How many are tried one by one before long stretches are stepped over.
const DENSE: u64 = 30;

/// One run with a fault, and then as many without as whoever reads the hints would start.
async fn case(world: &World, fault: Fault) -> (Count, Option<i32>) {
    let batch = world.batch(ROWS, 1).await;
    let name = format!("{fault:?}");
    let (count, code, hint) = run(&batch, fault, &name);
    if code != Some(0) {
        let output = batch.go_on(&hint);
        assert_eq!(exit(&output), Some(0), "{name}, after {hint}: {}", said(&output));
    }
    world.assert_exactly_once(&batch, &name).await;
    (count, code)
}

/// Runs the batch with a fault: it ends with a code that says what to do, and not by a panic.
fn run(batch: &Batch, fault: Fault, name: &str) -> (Count, Option<i32>, String) {
    let mut command = batch.run(3);
    let file = batch.folder.path().join("count");
    fault.load(&mut command, batch.place(), &file);
    let output = ended(&mut command);
    let hint = said(&output);
    let code = exit(&output);
    assert!(matches!(code, Some(0 | 8)), "{name} ended with {code:?}: {hint}");
    assert!(!hint.contains("panicked"), "{name}: {hint}");
    let is_told = hint.contains("error: ") && hint.contains("hint: ");
    assert!(code == Some(0) || is_told, "{name}: {hint}");
    (Count::read(&file), code, hint)
}

/// Lets each call of a kind fail, one a run.
async fn each(call: &'static str, errors: &[i32]) {
    if library().is_none() {
        return;
    }
    let world = World::start(5).await;
    for error in errors {
        let fault = Fault { call, number: NEVER, error: *error, is_lasting: false };
        let (all, code) = case(&world, fault).await;
        assert_eq!((all.failed, code), (0, Some(0)), "{call}");
        assert!(all.seen > 0, "no {call} was seen, so that none can fail");
        let stride = all.seen.saturating_sub(DENSE).div_ceil(DENSE).max(1);
        let (mut codes, mut tried, mut number) = (BTreeMap::<_, u32>::new(), Vec::new(), 1);
        loop {
            let (count, code) = case(&world, Fault { number, ..fault }).await;
            if count.failed == 0 {
                assert_eq!(code, Some(0), "{call} {number}");
                break;
            }
            *codes.entry(code.unwrap()).or_default() += 1;
            tried.push(number);
            number += if number < DENSE { 1 } else { stride };
        }
        assert!(!tried.is_empty());
        println!(
            "{call} with error {error}, of about {}: {tried:?}, exit codes {codes:?}",
            all.seen
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_write_of_the_ledger_may_fail() {
    each("write", &[EIO]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_sync_of_the_ledger_may_fail() {
    each("sync", &[EIO]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_change_of_a_file_s_length_and_any_mapping_may_fail() {
    each("truncate", &[ENOSPC]).await;
    each("map", &[EIO]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_connection_may_be_refused_or_break() {
    each("connect", &[ECONNREFUSED, ECONNRESET]).await;
    each("send", &[ECONNRESET]).await;
    each("receive", &[ECONNRESET]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_ends_the_run_until_there_is_room() {
    if library().is_none() {
        return;
    }
    let world = World::start(5).await;
    let fault = |number| Fault { call: "write", number, error: ENOSPC, is_lasting: true };
    let (all, _) = case(&world, fault(NEVER)).await;
    for part in 0..8 {
        // Not the last of them, which only tidy up what is on record already.
        let number = 1 + all.seen * part / 12;
        let (count, code) = case(&world, fault(number)).await;
        assert!(count.failed > 0, "{number}");
        assert_eq!(code, Some(8), "{number}");
    }
}

//! A process that writes is killed at any moment, or its disk is full: what was answered is there, and
//! nothing is half done. The test program starts itself as that process.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::future::join_all;
use refund_ledger::{ErrorKind, Filter, IntentId, Ledger, Outcome, Prepared, Report, Wanted};
use refund_rules::RefundState;

use crate::contract::{Chance, NOW, payment, wish};

const PATH: &str = "REFUND_LEDGER_TEST_PATH";
const START: &str = "REFUND_LEDGER_TEST_START";
const PAYMENTS: u64 = 40;

/// This program again, as the process that writes; `limit` is the largest file that it may write, in
/// blocks of 512 bytes.
fn process(name: &str, path: &Path, start: u64, limit: Option<u64>) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match limit {
        None => Command::new(&program),
        Some(blocks) => {
            // A file that would be larger is an error then, as a full disk is, and not the end.
            let mut shell = Command::new("dash");
            shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
            shell.arg(&program);
            shell
        }
    };
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(PATH, path).env(START, start.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
    command
}

#[expect(clippy::disallowed_methods, reason = "a process that is started is told by it")]
fn told() -> Option<(String, u64)> {
    let path = std::env::var(PATH).ok()?;
    Some((path, std::env::var(START).ok()?.parse().ok()?))
}

/// One line at once, so that a kill leaves no half of it behind another.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n@{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Not a case: the process that the cases kill. Four tasks prepare, send and record, and say what they
/// are about to do and what was answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_it_is_killed() {
    let Some((path, start)) = told() else { return };
    let ledger = Ledger::open(path).await.unwrap();
    let payments = (0..PAYMENTS).map(|number| payment(&format!("P{number}")));
    ledger.import(payments.collect(), NOW).await.unwrap();
    join_all((0..4).map(|task| write(&ledger, task, start))).await;
}

async fn write(ledger: &Ledger, task: u64, start: u64) {
    for number in 0.. {
        let key = format!("{start}-{task}-{number}");
        let payment = format!("P{}", (number + task) % PAYMENTS);
        let prepared = ledger.prepare(vec![wish(&payment, &key, 1)], NOW).await.unwrap();
        let Prepared::New { id, .. } = prepared[0] else { panic!("{prepared:?}") };
        say(&format!("prepared {} {key}", id.0));
        let worker = format!("{start}-{task}");
        let claimed = ledger.claim(Wanted::new(worker, 2, 1_000), NOW).await.unwrap();
        for claim in claimed.iter().map(|claimed| &claimed.claim) {
            say(&format!("sending {}", claim.intent.0));
            let attempt = ledger.sending(claim, NOW, 0).await.unwrap();
            say(&format!("sent {} {}", claim.intent.0, attempt.number));
            let refund = format!("R{}", claim.intent.0);
            let outcome = Outcome::accepted(refund, Some(refund_rules::Observation::Refunded));
            ledger.record_one(Report::of_try(&attempt, outcome, NOW)).await.unwrap();
            say(&format!("refunded {}", claim.intent.0));
        }
    }
}

/// What the process said before it was killed.
#[derive(Default)]
struct Said {
    prepared: BTreeMap<i64, String>,
    sending: BTreeMap<i64, u32>,
    sent: BTreeMap<i64, u32>,
    refunded: BTreeSet<i64>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let id = || words[1].parse::<i64>().unwrap();
        match words[0] {
            "@prepared" => drop(self.prepared.insert(id(), words[2].to_owned())),
            "@sending" => *self.sending.entry(id()).or_default() += 1,
            "@sent" => drop(self.sent.insert(id(), words[2].parse().unwrap())),
            "@refunded" => drop(self.refunded.insert(id())),
            _ => {}
        }
    }

    async fn compare(&self, ledger: &Ledger) {
        let verified = ledger.verify().await.unwrap();
        let (mut found, mut after) = (BTreeMap::new(), IntentId(0));
        loop {
            let page = ledger.intents(Filter::new().after(after)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id;
            found.extend(page.into_iter().map(|intent| (intent.id.0, intent)));
        }
        assert_eq!(found.len() as u64, verified.intents);
        for (id, key) in &self.prepared {
            assert_eq!(found.get(id).map(|intent| &intent.facts.key), Some(key));
        }
        for (id, attempt) in &self.sent {
            assert!(found[id].life.attempts >= *attempt, "{id} was sent");
        }
        for id in &self.refunded {
            assert_eq!(found[id].life.state, RefundState::Refunded, "{id}");
        }
        for (id, intent) in &found {
            // Nothing is on record as sent that nobody was about to send.
            let asked = self.sending.get(id).copied().unwrap_or_default();
            assert!(intent.life.attempts <= asked, "{id}: {} of {asked}", intent.life.attempts);
        }
    }
}

const KILLS: u64 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_fifty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let (mut chance, mut said) = (Chance::new(11), Said::default());
    let mut kills = 0;
    while kills < KILLS {
        let mut child =
            process("killed::writes_until_it_is_killed", &path, kills, None).spawn().unwrap();
        let child_out = BufReader::new(child.stdout.take().unwrap());
        // So many lines after its start: at any moment of its work, however fast this machine is.
        let mut left = chance.below(160);
        let child = Arc::new(std::sync::Mutex::new(child));
        for line in child_out.lines() {
            let Ok(line) = line else { break };
            said.hear(&line);
            if !line.starts_with('@') {
                continue;
            }
            if left == 0 {
                drop(child.lock().unwrap().kill());
            }
            left = left.saturating_sub(1);
        }
        let status = child.lock().unwrap().wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
        kills += 1;
        // A reader finds it so at once, before anybody has opened it for writing again.
        let ledger = Ledger::open_to_read(&path).await.unwrap();
        said.compare(&ledger).await;
        ledger.close().await;
    }
    let ledger = Ledger::open(&path).await.unwrap();
    said.compare(&ledger).await;
    ledger.close().await;
    assert!(said.refunded.len() > 200, "{}", said.refunded.len());
}

/// Not a case: the process whose disk is full at some moment. Does its work until the first error, which
/// it tells, and then the rest all the same.
#[tokio::test]
async fn works_until_the_disk_is_full() {
    let Some((path, _)) = told() else { return };
    match Ledger::open(path).await {
        Err(error) => say(&format!("failed {:?}", error.kind())),
        Ok(ledger) => {
            if let Err(error) = work(&ledger).await {
                say(&format!("failed {:?}", error.kind()));
                // What failed can be asked for again; nothing panics, whatever happens now.
                drop(work(&ledger).await);
            } else {
                say("done");
            }
            ledger.close().await;
        }
    }
    say("ended");
}

async fn work(ledger: &Ledger) -> Result<(), refund_ledger::Error> {
    for round in 0..4 {
        let name = format!("P{round}");
        ledger.import(vec![payment(&name)], NOW).await?;
        let key = format!("K{round}");
        let details = "x".repeat(3_000);
        let prepared = ledger.prepare(vec![wish(&name, &key, 10).details(details)], NOW).await?;
        if let [Prepared::New { id, .. }] = *prepared {
            say(&format!("prepared {} {key}", id.0));
        }
        for claimed in ledger.claim(Wanted::new("w", 1, 1_000), NOW).await? {
            say(&format!("sending {}", claimed.claim.intent.0));
            let attempt = ledger.sending(&claimed.claim, NOW, 0).await?;
            say(&format!("sent {} {}", attempt.intent.0, attempt.number));
            let refunded = Some(refund_rules::Observation::Refunded);
            let outcome = Outcome::accepted(format!("R{}", attempt.intent.0), refunded);
            ledger.record_one(Report::of_try(&attempt, outcome, NOW)).await?;
            say(&format!("refunded {}", attempt.intent.0));
        }
    }
    Ok(())
}

/// The limit of a file's size makes the first write beyond it fail, and all after it: the n-th write is
/// the first for every n that a block more lets through. It covers the making of the file, the log and
/// the index of the log, but no failing fsync.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_at_any_write_leaves_nothing_half_done() {
    let mut kinds = BTreeSet::new();
    let mut blocks = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        let name = "killed::works_until_the_disk_is_full";
        let output = process(name, &path, 0, Some(blocks)).output().unwrap();
        let (mut said, mut last, mut is_done) = (Said::default(), None, false);
        for line in String::from_utf8(output.stdout.clone()).unwrap().lines() {
            said.hear(line);
            match line {
                "@done" => is_done = true,
                "@ended" => last = Some("ended"),
                _ => kinds.extend(line.strip_prefix("@failed ").map(str::to_owned)),
            }
        }
        assert_eq!(last, Some("ended"), "at {blocks}: {output:?}");
        assert!(output.status.success(), "at {blocks}: {:?}", output.status);
        // Once there is room again, all of what was answered is there, and the rest can be done.
        let ledger = Ledger::open(&path).await.unwrap();
        said.compare(&ledger).await;
        work(&ledger).await.unwrap();
        let left = Filter::new().states([RefundState::Prepared, RefundState::Sent]);
        assert_eq!(ledger.intents(left).await.unwrap(), [], "at {blocks}");
        ledger.verify().await.unwrap();
        ledger.close().await;
        if is_done {
            break;
        }
        blocks += if blocks < 96 { 8 } else { 37 };
    }
    // SQLite calls a file that is too large a failed write, and not a full disk.
    let allowed =
        [ErrorKind::Open, ErrorKind::Storage, ErrorKind::Full].map(|kind| format!("{kind:?}"));
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| allowed.contains(kind)), "{kinds:?}");
}

//! Four workers, each a process of its own; two are killed while they have work.

use std::io::{BufRead, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use refund_ledger::{Claimed, Filter, Ledger, Millis, Outcome, Report, Wanted};
use refund_rules::{Observation, RefundState};
use tokio_postgres::{Client, NoTls};

use crate::server::Server;
use crate::{NOW, batch, import};

const ROWS: u32 = 400;
const LEASE: i64 = 60_000;

/// What tells a process of this program that it is a worker: its address, name and part.
const PART: &str = "REFUND_LEDGER_TEST_WORKER";

/// A worker that was started, and what it says.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(url: &str, name: &str, part: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "workers::as_a_worker", "--nocapture"])
            .env(PART, format!("{url} {name} {part}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    /// Reads on until it says this.
    fn wait_for(&mut self, text: &str) {
        assert!(self.output.any(|line| line.unwrap().contains(text)), "the worker ended");
    }
}

/// The provider: it takes each key once, and answers the same again.
async fn provider(url: &str) -> Client {
    let bare: Vec<_> = url.split('&').filter(|pair| !pair.starts_with("schema=")).collect();
    let (client, connection) = tokio_postgres::connect(&bare.join("&"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_lose_and_double_nothing() {
    let Some(server) = Server::shared() else { return };
    let url = server.url();
    let ledger = Ledger::connect(&url).await.unwrap();
    import(&ledger, ROWS, 10).await;
    batch(&ledger, ROWS).await;
    let provider = provider(&url).await;
    provider
        .batch_execute(
            "CREATE TABLE taken (key TEXT PRIMARY KEY, worker TEXT); \
                        CREATE TABLE request (key TEXT, worker TEXT)",
        )
        .await
        .unwrap();
    // One has said that a request leaves, and one has had it taken; neither will say what became of it.
    let mut early = Worker::start(&url, "early", "dies-before-it-sends");
    let mut late = Worker::start(&url, "late", "dies-before-it-records");
    early.wait_for("stuck");
    late.wait_for("stuck");
    let mut others = ["third", "fourth"].map(|name| Worker::start(&url, name, "lives"));
    for mut worker in [early, late] {
        worker.child.kill().unwrap();
        worker.child.wait().unwrap();
    }
    // What the dead have is theirs until their time is up.
    for worker in &mut others {
        worker.wait_for("idle");
    }
    let states = |states: &[RefundState]| {
        let filter = Filter::new().states(states.iter().copied());
        async { ledger.intents(filter).await.unwrap() }
    };
    assert_eq!(states(&[RefundState::Sent]).await.len(), 2);
    let left = states(&[RefundState::Sent, RefundState::Prepared]).await.len();
    assert_eq!(left, 2 * 20 - 2 * 4);
    for worker in &mut others {
        worker.input.write_all(b"later\n").unwrap();
    }
    for mut worker in others {
        worker.wait_for("idle");
        drop(worker.input);
        assert!(worker.child.wait().unwrap().success());
    }
    let done = states(&[RefundState::Refunded]).await;
    assert_eq!(done.len(), ROWS as usize);
    // Two were taken up again, because nobody knew of them.
    let tries: u32 = done.iter().map(|intent| intent.life.attempts).sum();
    assert_eq!(tries, ROWS + 2);
    let count = async |table: &str| -> i64 {
        let text = format!("SELECT count(*) FROM {table}");
        provider.query_one(&text, &[]).await.unwrap().get(0)
    };
    assert_eq!(count("taken").await, i64::from(ROWS));
    // Only the one that died in between was sent a second time, under its key.
    assert_eq!(count("request").await, i64::from(ROWS) + 1);
    let repeated = provider
        .query(
            "SELECT array_to_string(array_agg(worker ORDER BY worker), ' ') FROM request \
                GROUP BY key HAVING count(*) > 1",
            &[],
        )
        .await
        .unwrap();
    let repeated: String = repeated[0].get(0);
    assert!(repeated.contains("late"), "{repeated}");
    ledger.verify().await.unwrap();
}

/// Not a test, but what the processes that are started above do.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "how a process of this program knows its part")]
async fn as_a_worker() {
    let Ok(told) = std::env::var(PART) else { return };
    let mut told = told.split(' ');
    let mut next = || told.next().unwrap();
    let (url, name, part) = (next(), next(), next());
    let worker = Working {
        ledger: Ledger::connect(url).await.unwrap(),
        provider: provider(url).await,
        name,
        part,
    };
    let mut input = std::io::stdin().lines();
    for now in [NOW, NOW.plus(LEASE)] {
        worker.all(now).await;
        println!("idle");
        if input.next().is_none() {
            break;
        }
    }
}

struct Working<'a> {
    ledger: Ledger,
    provider: Client,
    name: &'a str,
    part: &'a str,
}

impl Working<'_> {
    /// Does what is due, until nothing is.
    async fn all(&self, now: Millis) {
        let mut count = 0_u32;
        loop {
            let wanted = Wanted::new(self.name, 20, LEASE).batch("b");
            let claimed = self.ledger.claim(wanted, now).await.unwrap();
            if claimed.is_empty() {
                return;
            }
            for claimed in claimed {
                count += 1;
                self.one(&claimed, now, count == 5).await;
            }
        }
    }

    async fn one(&self, claimed: &Claimed, now: Millis, is_last: bool) {
        let attempt = self.ledger.sending(&claimed.claim, now, 0).await.unwrap();
        self.stick(is_last, "dies-before-it-sends");
        let key = &claimed.intent.facts.key;
        for text in [
            "INSERT INTO request VALUES ($1, $2)",
            "INSERT INTO taken VALUES ($1, $2) ON CONFLICT DO NOTHING",
        ] {
            self.provider.execute(text, &[key, &self.name]).await.unwrap();
        }
        self.stick(is_last, "dies-before-it-records");
        let outcome = Outcome::accepted(format!("R-{key}"), Some(Observation::Refunded));
        let recorded = self.ledger.record(vec![Report::of_try(&attempt, outcome, now)]).await;
        let recorded = recorded.unwrap();
        assert_eq!(recorded[0].as_ref().unwrap().state, RefundState::Refunded);
    }

    /// Waits to be killed.
    fn stick(&self, is_last: bool, part: &str) {
        if is_last && self.part == part {
            println!("stuck");
            // Nobody ever writes it.
            drop(std::io::stdin().lines().next());
        }
    }
}

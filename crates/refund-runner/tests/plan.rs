//! From files to sealed batches, and from the same and from other files once more.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a plan that fails is a failed test")]

mod scripted;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::io::Cursor;
use std::pin::pin;
use std::task::Poll;

use proptest::prelude::*;
use refund_ledger::{ErrorKind, Filter, Ledger, Millis, NewPayment, Wanted};
use refund_rules::{Currency, Method, Money, Payment, Policy};
use refund_runner::{
    Looked, Objection, Plan, PlanError, PlanEvent, Planner, RowDifference, Sealing, row_key,
};
use scripted::{NoWait, PROVIDER, Scripted, TARGET};

const NOW: Millis = Millis(1_764_000_000_000);
const HEADER: &str = "payment,amount,currency,captured,fee,reference\n";

struct Place {
    _folder: tempfile::TempDir,
    ledger: Ledger,
}

async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("refunds.db")).await.unwrap();
    Place { _folder: folder, ledger }
}

fn planner(ledger: &Ledger) -> Planner<'_> {
    Planner::new(ledger, "recall", (PROVIDER, TARGET), Policy::amazon_pay)
}

async fn run(planner: &Planner<'_>, rows: &str) -> Result<Plan, PlanError> {
    let mut file = Cursor::new(format!("{HEADER}{rows}"));
    planner.plan(&mut file, NOW, &mut |_| {}).await
}

async fn plan(ledger: &Ledger, rows: &str) -> Plan {
    run(&planner(ledger), rows).await.unwrap()
}

/// `n` rows, each of a payment of its own.
fn good(n: u64) -> String {
    let mut rows = String::new();
    for row in 1..=n {
        writeln!(rows, "P{row},{row}.00,USD,2000.00,58.30,").unwrap();
    }
    rows
}

async fn keys(ledger: &Ledger) -> Vec<(u64, String, String)> {
    let intents = ledger.intents(Filter::new().batch("recall")).await.unwrap();
    let key = |intent: refund_ledger::IntentRecord| {
        (intent.facts.row.unwrap(), intent.payment, intent.facts.key)
    };
    intents.into_iter().map(key).collect()
}

fn rules(plan: &Plan) -> Vec<(u64, &'static str)> {
    plan.bad_rows.iter().map(|bad| (bad.line, bad.rule)).collect()
}

#[tokio::test]
async fn good_rows_become_a_sealed_batch_of_intents() {
    let place = place().await;
    let plan = plan(&place.ledger, &good(1_234)).await;
    assert_eq!(plan.sealing, Sealing::Now);
    assert_eq!((plan.rows, plan.prepared, plan.imported, plan.bad), (1_234, 1_234, 1_234, 0));
    let [total] = &plan.totals[..] else { panic!("one currency") };
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    assert_eq!((total.count, total.amount), (1_234, usd(1_234 * 1_235 / 2 * 100)));
    assert!(total.fee.minor() > 0);
    let keys = keys(&place.ledger).await;
    let intents = place.ledger.intents(Filter::new().batch("recall")).await.unwrap();
    assert!(intents.iter().zip(&keys).all(|(intent, (row, _, key))| {
        *key == row_key("recall", *row, intent.facts.content.as_ref().unwrap())
    }));
    place.ledger.verify().await.unwrap();
    let claimed = place.ledger.claim(Wanted::new("w", 10, 1_000).batch("recall"), NOW).await;
    assert_eq!(claimed.unwrap().len(), 10);
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let place = place().await;
    let first = plan(&place.ledger, &good(700)).await;
    let before = keys(&place.ledger).await;
    let second = plan(&place.ledger, &good(700)).await;
    assert_eq!(second.sealing, Sealing::Before);
    assert_eq!((second.existing, second.prepared, second.differing), (700, 0, 0));
    assert_eq!((second.missing, second.imported), (0, 0));
    assert_eq!((second.totals, second.source), (first.totals, first.source));
    assert_eq!(keys(&place.ledger).await, before);
}

/// Made by Python's hashlib: a key that comes out otherwise pays twice.
#[test]
fn keys_are_the_same_for_ever() {
    assert_eq!(row_key("recall", 17, "a hash"), "6cb78ca300000011db0093ce8a4841f5");
}

#[tokio::test]
async fn a_lost_ledger_gets_the_same_keys() {
    let (one, other) = (place().await, place().await);
    plan(&one.ledger, &good(20)).await;
    plan(&other.ledger, &good(20)).await;
    assert_eq!(keys(&one.ledger).await, keys(&other.ledger).await);
    // What is said of payments is not what is asked for.
    let third = place().await;
    plan(&third.ledger, &good(20).replace("58.30", "")).await;
    assert_eq!(keys(&one.ledger).await, keys(&third.ledger).await);
}

#[tokio::test]
async fn a_changed_row_is_a_difference_and_not_a_refund() {
    let place = place().await;
    plan(&place.ledger, &good(30)).await;
    let before = keys(&place.ledger).await;
    let changed = good(30)
        .replace("P7,7.00", "P7,7.01")
        .replace("P9,9.00,USD,2000.00,58.30,", "P9,9.00,USD,2000.00,58.30,order-9")
        .replace("P11,", "P12,");
    let plan = plan(&place.ledger, &format!("{changed}P31,1.00,USD,5.00,,\n")).await;
    let difference = |difference: &RowDifference| (difference.line, difference.fields.clone());
    let differences: Vec<_> = plan.differences.iter().map(difference).collect();
    let expected =
        [(8, vec!["amount"]), (10, vec!["reference"]), (12, vec!["payment"]), (32, vec!["row"])];
    assert_eq!(differences, expected);
    assert_eq!((plan.sealing, plan.existing, plan.differing), (Sealing::Before, 27, 4));
    assert_eq!(keys(&place.ledger).await, before);
    assert!(place.ledger.payment(PROVIDER, "P31").await.unwrap().is_none());
    // And rows that are gone are missed.
    let fewer = run(&planner(&place.ledger), &good(28)).await.unwrap();
    assert_eq!((fewer.existing, fewer.missing), (28, 2));
}

#[tokio::test]
async fn bad_rows_keep_the_batch_from_being_run_until_they_are_corrected() {
    let place = place().await;
    let rows = "P1,10.00,USD,100.00,3.00,\n\
                P2,\"1,0.00\",USD,100.00,,\n\
                P1,10.00,USD,100.00,3.00,\n\
                P3,10.00,USD,,,\n\
                P4,200.00,USD,100.00,,\n\
                P1,5.00,USD,100.00,3.00,a\n\
                P5,6.00,USD,100.00,,a\n\
                P1,5.00,USD,101.00,,b\n\
                P1,5.00,USD,100.00,2.00,c\n\
                P6,5.00,EUR,100.00,2.00,\n";
    let bad = plan(&place.ledger, rows).await;
    let expected = [
        (3, "amount"),
        (4, "repeats"),
        (5, "no-such-payment"),
        (6, "remaining"),
        (8, "repeats"),
        (9, "differs"),
        (10, "differs"),
    ];
    assert_eq!(rules(&bad), expected);
    assert_eq!((bad.sealing, bad.prepared, bad.bad), (Sealing::BadRows, 3, 7));
    let repeats = bad.bad_rows.iter().find(|bad| bad.line == 4).unwrap();
    let sentence = "line 4: the row repeats line 2: give each a `reference` of its own";
    assert_eq!(repeats.to_string(), sentence);
    let above = bad.bad_rows.iter().find(|bad| bad.line == 6).unwrap();
    assert_eq!(
        above.to_string(),
        "line 6: a refund of 200.00 USD is not allowed: it is above what may still be refunded \
         (115.00 USD)"
    );
    let refused = place.ledger.claim(Wanted::new("w", 10, 1_000).batch("recall"), NOW).await;
    assert_eq!(*refused.unwrap_err().kind(), ErrorKind::BatchOpen);
    // The same file again is no better, and nothing is there twice.
    let again = plan(&place.ledger, rows).await;
    assert_eq!((again.sealing, again.prepared, again.existing), (Sealing::BadRows, 0, 3));
    // A corrected file starts over, though rows have moved.
    let corrected =
        plan(&place.ledger, "P6,5.00,EUR,100.00,2.00,\nP1,100.00,USD,100.00,3.00,\n").await;
    assert_eq!((corrected.sealing, corrected.withdrawn, corrected.bad), (Sealing::Now, 3, 0));
    let keys = keys(&place.ledger).await;
    assert_eq!(keys.len(), 2);
    place.ledger.verify().await.unwrap();
}

#[tokio::test]
async fn bad_rows_can_be_left_out() {
    let place = place().await;
    let rows = format!("{}P9,x,USD,100.00,,\nP4,5000.00,USD,2000.00,58.30,\n", good(5));
    let planner = planner(&place.ledger).skip_invalid(true);
    let plan = run(&planner, &rows).await.unwrap();
    assert_eq!((plan.sealing, plan.prepared, plan.bad), (Sealing::Now, 5, 2));
    let batch = place.ledger.batch("recall").await.unwrap().unwrap();
    assert_eq!((batch.rows, batch.skipped), (Some(5), Some(2)));
    let again = run(&planner, &rows).await.unwrap();
    assert_eq!((again.sealing, again.existing, again.differing), (Sealing::Before, 5, 0));
    assert_eq!(rules(&again), [(7, "amount"), (8, "left-out")]);
}

#[tokio::test]
async fn a_row_that_may_hide_others_is_never_left_out() {
    let place = place().await;
    let planner = planner(&place.ledger).skip_invalid(true);
    let rows =
        "P1,1.00,USD,9.00,,\nP2,\"1.00,USD,9.00,,\nP3,1.00,USD,9.00,,\nP4,\"1.00\",USD,9.00,,\n";
    let plan = run(&planner, rows).await.unwrap();
    assert_eq!((plan.sealing, plan.prepared, plan.bad), (Sealing::BadRows, 1, 1));
}

#[tokio::test]
async fn nothing_is_planned_from_no_rows_and_for_another_account() {
    let place = place().await;
    assert_eq!(plan(&place.ledger, "").await.sealing, Sealing::Empty);
    let skipping = planner(&place.ledger).skip_invalid(true);
    assert_eq!(run(&skipping, "P1,x,USD,,,\n").await.unwrap().sealing, Sealing::Empty);
    let other = Planner::new(&place.ledger, "recall", (PROVIDER, "live A2"), Policy::amazon_pay);
    assert!(matches!(run(&other, &good(1)).await, Err(PlanError::OtherTarget { .. })));
    let gateway = Scripted { target: Some("live A2"), ..Scripted::default() };
    let other = planner(&place.ledger).look_up(&gateway, &NoWait);
    assert!(matches!(run(&other, &good(1)).await, Err(PlanError::OtherGateway)));
}

#[tokio::test]
async fn the_provider_of_a_batch_has_a_say() {
    let place = place().await;
    let planner = planner(&place.ledger).check(|row| {
        (row.payment == "P2").then(|| Objection {
            column: "payment",
            rule: "payment-id",
            sentence: "no charge is called P2".to_owned(),
        })
    });
    let plan = run(&planner, &good(3)).await.unwrap();
    assert_eq!(rules(&plan), [(3, "payment-id")]);
}

fn paid(minor: i64) -> Payment {
    Payment::completed(Money::from_minor(minor, Currency::USD), Method::Card).unwrap()
}

#[tokio::test]
async fn payments_that_nobody_knows_are_looked_up() {
    let place = place().await;
    let known = NewPayment::new(PROVIDER, "P1", paid(1_000), &Policy::amazon_pay(Currency::USD));
    place.ledger.import(vec![known.unwrap()], NOW).await.unwrap();
    let mut gateway = Scripted { busy: 3.into(), ..Scripted::default() };
    gateway.payments.insert("P2".to_owned(), Looked::Told(Some(paid(2_000))));
    let code = "TransactionCountExceeded".to_owned();
    gateway.payments.insert("P4".to_owned(), Looked::Refused { code });
    let rows = "P1,1.00,USD,,,\nP2,2.00,USD,,,\nP2,rest,USD,,,\nP3,3.00,USD,,,\nP4,4.00,USD,,,\n";
    let plan = run(&planner_of(&place.ledger, &gateway), rows).await.unwrap();
    assert_eq!((plan.prepared, plan.imported, plan.looked_up), (3, 1, 1));
    assert_eq!(rules(&plan), [(5, "no-such-payment"), (6, "no-such-payment")]);
    assert!(!gateway.asked().contains(&"P1".to_owned()));
    // An account that nobody believes is no bad row.
    let code = "InvalidHeaderValue".to_owned();
    gateway.payments.insert("P3".to_owned(), Looked::Unauthorized { code });
    let planned = run(&planner_of(&place.ledger, &gateway), rows).await;
    assert!(matches!(planned, Err(PlanError::Unauthorized { .. })));
    gateway.busy = 1_000_000.into();
    let planned = run(&planner_of(&place.ledger, &gateway), rows).await;
    assert!(matches!(planned, Err(PlanError::Unanswered { .. })));
}

fn planner_of<'a>(ledger: &'a Ledger, gateway: &'a Scripted) -> Planner<'a> {
    planner(ledger).look_up(gateway, &NoWait)
}

#[tokio::test]
async fn a_rehearsal_says_what_would_happen_and_writes_nothing() {
    let (place, scratch) = (place().await, place().await);
    let planner = planner(&place.ledger).rehearse(&scratch.ledger);
    let rehearsed = run(&planner, &good(600)).await.unwrap();
    assert_eq!((rehearsed.sealing, rehearsed.prepared), (Sealing::Rehearsed, 600));
    assert!(place.ledger.batches().await.unwrap().is_empty());
    assert!(place.ledger.payment(PROVIDER, "P1").await.unwrap().is_none());
    // What an unfinished plan of the same batch holds is not held against it.
    let bad = format!("{}P9,x,USD,,,\n", "P1,80.00,USD,100.00,3.00,\n");
    assert_eq!(plan(&place.ledger, &bad).await.sealing, Sealing::BadRows);
    let again = self::place().await;
    let planner = self::planner(&place.ledger).rehearse(&again.ledger);
    let rows = "P1,90.00,USD,,,\nP1,rest,USD,,,\n";
    let rehearsed = run(&planner, rows).await.unwrap();
    assert_eq!((rehearsed.sealing, rehearsed.bad), (Sealing::Rehearsed, 0));
    assert_eq!(rehearsed.totals[0].amount, Money::from_minor(10_000, Currency::USD));
    // What others hold is.
    let other = Planner::new(&place.ledger, "other", (PROVIDER, TARGET), Policy::amazon_pay);
    let scratch = self::place().await;
    let rehearsed = run(&other.rehearse(&scratch.ledger), "P1,90.00,USD,,,\n").await.unwrap();
    assert_eq!(rules(&rehearsed), [(2, "remaining")]);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_not_sealed() {
    let place = place().await;
    let mut file = Changing { text: format!("{HEADER}{}", good(5)).into_bytes(), at: 0, starts: 0 };
    let planned = planner(&place.ledger).plan(&mut file, NOW, &mut |_| {}).await;
    assert!(matches!(planned, Err(PlanError::SourceChanged)), "{planned:?}");
    let plan = plan(&place.ledger, &good(5)).await;
    assert_eq!((plan.sealing, plan.withdrawn, plan.prepared), (Sealing::Now, 5, 5));
}

/// Another amount at the second reading.
struct Changing {
    text: Vec<u8>,
    at: usize,
    starts: u32,
}

impl std::io::Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = buffer.len().min(self.text.len() - self.at);
        buffer[..size].copy_from_slice(&self.text[self.at..self.at + size]);
        self.at += size;
        Ok(size)
    }
}

impl std::io::Seek for Changing {
    fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
        self.at = 0;
        self.starts += 1;
        if self.starts == 2 {
            let place = self.text.windows(4).position(|four| four == b"3.00").unwrap();
            self.text[place] = b'4';
        }
        Ok(0)
    }
}

/// Drops a plan the n-th time that it waits, as if its process were killed there; had it ended before?
async fn killed_at(ledger: &Ledger, waits: u32, rows: &str) -> bool {
    let mut file = Cursor::new(format!("{HEADER}{rows}"));
    let planner = planner(ledger);
    let mut observer = |_: PlanEvent<'_>| {};
    let mut plan = pin!(planner.plan(&mut file, NOW, &mut observer));
    let mut waited = 0;
    std::future::poll_fn(|context| {
        if plan.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        waited += 1;
        if waited == waits { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

#[tokio::test]
async fn a_plan_that_is_killed_anywhere_is_continued_or_started_over() {
    let whole = place().await;
    plan(&whole.ledger, &good(1_100)).await;
    let expected = keys(&whole.ledger).await;
    // Another file, which cannot be sealed.
    let other = format!("{}P99,x,USD,,,\n", good(40));
    let mut waits = 1;
    loop {
        let place = place().await;
        let is_done = killed_at(&place.ledger, waits, &good(1_100)).await;
        // Another file in between is taken back, killed or not.
        if waits % 2 == 0 && !is_done {
            killed_at(&place.ledger, waits / 2, &other).await;
        }
        let plan = plan(&place.ledger, &good(1_100)).await;
        assert!(matches!(plan.sealing, Sealing::Now | Sealing::Before), "{waits}: {plan:?}");
        let mut keys = keys(&place.ledger).await;
        keys.sort();
        assert!(keys == expected, "other keys after {waits}");
        assert_eq!(plan.totals[0].amount.minor(), 1_100 * 1_101 / 2 * 100);
        place.ledger.verify().await.unwrap();
        if is_done {
            break;
        }
        waits += 1;
    }
    // Each of the eight writes is waited for; a question may be answered at once.
    assert!(waits > 8, "{waits}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any rows, in any order: as many intents, to the cent what an independent sum says.
    #[test]
    fn what_is_planned_is_the_sum_of_the_rows(
        amounts in prop::collection::vec((1_i64..1_000_000, 0_u8..3), 1..200),
        seed in any::<u64>(),
    ) {
        let mut rows: Vec<String> = Vec::new();
        let mut sums: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
        for (row, (minor, currency)) in amounts.iter().enumerate() {
            let (currency, amount) = match currency {
                0 => ("EUR", format!("{}.{:02}", minor / 100, minor % 100)),
                1 => ("JPY", minor.to_string()),
                _ => ("KWD", format!("{}.{:03}", minor / 1_000, minor % 1_000)),
            };
            rows.push(format!("P{row},{amount},{currency},{amount},,\n"));
            let sum = sums.entry(currency).or_default();
            *sum = (sum.0 + 1, sum.1 + minor);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = place().await;
            let planned = plan(&place.ledger, &rows.concat()).await;
            let totals: BTreeMap<String, (u64, i64)> = planned.totals.iter().map(|total| {
                let code = total.amount.currency().code().to_owned();
                (code, (total.count, total.amount.minor()))
            }).collect();
            let sums: BTreeMap<String, (u64, i64)> =
                sums.into_iter().map(|(code, sum)| (code.to_owned(), sum)).collect();
            assert_eq!(totals, sums);
            assert_eq!(planned.sealing, Sealing::Now);
            // In another order, every row that has moved is a difference, and only those.
            let mut moved = rows.clone();
            let turn = usize::try_from(seed % rows.len() as u64).unwrap();
            moved.rotate_left(turn);
            let differing = rows.iter().zip(&moved).filter(|(row, other)| row != other).count();
            let again = plan(&place.ledger, &moved.concat()).await;
            assert_eq!(again.differing, u64::try_from(differing).unwrap());
            assert_eq!(again.existing + again.differing, again.rows);
        });
    }
}

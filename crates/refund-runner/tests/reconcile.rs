//! A batch held against a scripted provider and against settlement reports: each kind of difference, and
//! what is recorded.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails is a failed test")]

mod scripted;

use std::fmt::Write as _;
use std::io::Cursor;

use refund_ledger::{Filter, IntentRecord, Ledger, Millis, Outcome, Report, Wanted};
use refund_rules::{Currency, Method, Money, Observation, Payment, Policy, RefundState};
use refund_runner::{
    Compared, Difference, Found, Listed, Looked, Planner, ReconcileError, Reconciler,
    Reconciliation, Status,
};
use scripted::{NoWait, PROVIDER, Scripted, TARGET};

const NOW: Millis = Millis(1_764_000_000_000);

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// A batch of rows of 1.00, 2.00, … of payments of 100.00, and a provider that has all of it.
struct Place {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    gateway: Scripted,
}

impl Place {
    /// Each row is sent and comes to its outcome; without one it is not sent.
    async fn new(outcomes: &[Option<Outcome>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().join("refunds.db")).await.unwrap();
        let mut file = "payment,amount,currency,captured,fee,reference\n".to_owned();
        for row in 1..=outcomes.len() {
            writeln!(file, "P{row},{row}.00,USD,100.00,3.00,order-{row}").unwrap();
        }
        let planner = Planner::new(&ledger, "recall", (PROVIDER, TARGET), Policy::amazon_pay);
        planner.plan(&mut Cursor::new(file), NOW, &mut |_| {}).await.unwrap();
        drop(planner);
        let wanted = Wanted::new("w", 1_000, 60_000).batch("recall");
        let mut gateway = Scripted::default();
        for claimed in ledger.claim(wanted, NOW).await.unwrap() {
            let row = claimed.intent.facts.row.unwrap();
            let outcome = outcomes[usize::try_from(row).unwrap() - 1].clone();
            let amount = claimed.intent.facts.amount;
            let mut payment = Payment::completed(usd(10_000), Method::Card).unwrap();
            let Some(outcome) = outcome else {
                gateway.payments.insert(format!("P{row}"), Looked::Told(Some(payment)));
                continue;
            };
            if let Outcome::Accepted { refund, state: Some(state), .. } = &outcome {
                let status = Status { state: *state, reason: None, amount: Some(amount) };
                gateway.statuses.insert(refund.clone(), Looked::Told(status));
                if *state != Observation::Declined {
                    payment = payment.with_refunded(amount).unwrap();
                }
            }
            gateway.payments.insert(format!("P{row}"), Looked::Told(Some(payment)));
            let attempt = ledger.sending(&claimed.claim, NOW, 0).await.unwrap();
            let report = Report::of_try(&attempt, outcome, NOW);
            ledger.record(vec![report]).await.unwrap().pop().unwrap().unwrap();
        }
        Self { _folder: folder, ledger, gateway }
    }

    async fn ask(&self) -> Reconciliation {
        let reconciler = Reconciler::new(&self.ledger, "recall", NOW);
        reconciler.with_provider(&self.gateway, &NoWait, &mut |_| {}).await.unwrap()
    }

    async fn read(&self, report: &str) -> Reconciliation {
        let reconciler = Reconciler::new(&self.ledger, "recall", NOW);
        reconciler.with_settlement(report.as_bytes(), &mut |_| {}).await.unwrap()
    }

    async fn row(&self, row: u64) -> IntentRecord {
        let intents = self.ledger.intents(Filter::new().batch("recall")).await.unwrap();
        intents.into_iter().find(|intent| intent.facts.row == Some(row)).unwrap()
    }

    async fn state(&self, row: u64) -> RefundState {
        self.row(row).await.life.state
    }

    fn say(&mut self, refund: &str, state: Observation, amount: Option<Money>) {
        let status = Status { state, reason: None, amount };
        self.gateway.statuses.insert(refund.to_owned(), Looked::Told(status));
    }
}

fn refunded(row: u64) -> Option<Outcome> {
    Some(Outcome::accepted(format!("R{row}"), Some(Observation::Refunded)))
}

fn pending(row: u64) -> Option<Outcome> {
    Some(Outcome::accepted(format!("R{row}"), Some(Observation::Pending)))
}

fn declined(row: u64) -> Option<Outcome> {
    Some(Outcome::accepted(format!("R{row}"), Some(Observation::Declined)))
}

/// Kind, row or line, here and there.
fn short(result: &Reconciliation) -> Vec<String> {
    let one = |difference: &Difference| {
        let place =
            difference.line.or(difference.row).map_or("-".to_owned(), |row| row.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
        let (here, there) = (text(&difference.here), text(&difference.there));
        format!("{} {place}: {here} | {there}", difference.kind.name())
    };
    result.differences.iter().map(one).collect()
}

#[tokio::test]
async fn what_is_the_same_is_reconciled() {
    let place = Place::new(&[refunded(1), declined(2), None, refunded(4)]).await;
    let result = place.ask().await;
    assert!(result.is_reconciled(), "{result:?}");
    let counts = (result.compared, result.unsent, result.payments, result.learned, result.listed);
    assert_eq!(counts, (3, 1, 4, 0, None));
}

#[tokio::test]
async fn what_the_provider_has_otherwise_is_told_by_kind() {
    let mut place = Place::new(&[
        refunded(1),
        refunded(2),
        refunded(3),
        refunded(4),
        declined(5),
        refunded(6),
        refunded(7),
    ])
    .await;
    place.gateway.statuses.remove("R1");
    place.say("R2", Observation::Refunded, Some(usd(201)));
    place.say("R3", Observation::Refunded, Some(Money::from_minor(300, Currency::EUR)));
    place.say("R4", Observation::Declined, Some(usd(400)));
    place.say("R5", Observation::Refunded, None);
    place.say("R6", Observation::Pending, None);
    let less = Payment::completed(usd(10_000), Method::Card).unwrap();
    place.gateway.payments.insert("P7".to_owned(), Looked::Told(Some(less)));
    let expected = [
        "missing-there 1: refunded | ResourceNotFound",
        "amount 2: 2.00 USD | 2.01 USD",
        "currency 3: 3.00 USD | 3.00 EUR",
        "state 4: refunded | declined",
        "state 5: declined | refunded",
        "state 6: refunded | pending",
        "amount 7: 7.00 USD | 0.00 USD",
    ];
    let before = place.ledger.totals(None).await.unwrap();
    let result = place.ask().await;
    assert_eq!(short(&result), expected);
    assert_eq!(result.differences[6].of, Compared::Refunded);
    assert!(!result.is_reconciled());
    assert_eq!((result.learned, place.ledger.totals(None).await.unwrap()), (0, before));
}

#[tokio::test]
async fn what_is_learned_of_refunds_that_had_not_ended_is_recorded() {
    let mut place = Place::new(&[
        pending(1),
        pending(2),
        pending(3),
        Some(Outcome::Unknown),
        Some(Outcome::Unknown),
        Some(Outcome::Unknown),
        pending(7),
    ])
    .await;
    place.say("R1", Observation::Refunded, None);
    place.say("R2", Observation::Declined, Some(usd(200)));
    let status = Status { state: Observation::Refunded, reason: None, amount: Some(usd(400)) };
    let found = Found::Refund { refund: "R4".to_owned(), status };
    let key = place.row(4).await.facts.key;
    place.gateway.found.insert(key, Looked::Told(found));
    let key = place.row(5).await.facts.key;
    let why = "two refunds of this amount".to_owned();
    place.gateway.found.insert(key, Looked::Told(Found::Unclear { why }));
    // Another amount is another refund: nothing is learned from it.
    place.say("R7", Observation::Refunded, Some(usd(1)));
    let result = place.ask().await;
    let expected = [
        "still-pending 3: pending | pending",
        "unknown-outcome 5: unknown | two refunds of this amount",
        "unknown-outcome 6: unknown | it is not there",
        "amount 7: 7.00 USD | 0.01 USD",
    ];
    let of_refunds: Vec<_> = short(&result)
        .into_iter()
        .filter(|text| !text.starts_with("amount") || text.contains("0.01"))
        .collect();
    assert_eq!(of_refunds, expected);
    assert_eq!(result.learned, 3);
    for (row, state) in [
        (1, RefundState::Refunded),
        (2, RefundState::Declined),
        (3, RefundState::Pending),
        (4, RefundState::Refunded),
        (5, RefundState::Unknown),
        (6, RefundState::Unknown),
        (7, RefundState::Pending),
    ] {
        assert_eq!(place.state(row).await, state, "row {row}");
    }
    assert_eq!(place.row(4).await.life.refund.as_deref(), Some("R4"));
    place.ledger.verify().await.unwrap();
}

fn listed(refund: &str, key: Option<String>, minor: i64, state: Observation) -> Listed {
    let payment = Some("P1".to_owned());
    Listed { refund: refund.to_owned(), payment, key, amount: usd(minor), state }
}

#[tokio::test]
async fn what_the_provider_lists_must_be_known_once() {
    let mut place =
        Place::new(&[refunded(1), refunded(2), Some(Outcome::Unknown), None, refunded(5)]).await;
    let key = |intent: IntentRecord| Some(intent.facts.key);
    let keys = [place.row(1).await, place.row(3).await, place.row(4).await].map(key);
    let [first, third, fourth] = keys;
    place.gateway.listed = Some(vec![
        listed("R1", first.clone(), 100, Observation::Refunded),
        listed("R1", first.clone(), 100, Observation::Refunded),
        listed("R1-again", first, 100, Observation::Refunded),
        listed("R2", None, 200, Observation::Refunded),
        listed("R3", third, 300, Observation::Refunded),
        listed("R4", fourth, 400, Observation::Refunded),
        listed("X1", Some("a key of somebody else".to_owned()), 900, Observation::Pending),
    ]);
    let result = place.ask().await;
    let expected = [
        "unknown-outcome 3: unknown | it is not there",
        "duplicate 1: R1 | R1-again",
        "state 4: prepared | refunded",
        "missing-here -: - | 9.00 USD",
    ];
    assert_eq!(short(&result), expected);
    assert_eq!((result.listed, result.learned), (Some(7), 1));
    assert_eq!(place.state(3).await, RefundState::Refunded);
    // What was never sent is not recorded as refunded: a human must look.
    assert_eq!(place.state(4).await, RefundState::Prepared);
}

#[tokio::test]
async fn without_answers_nothing_is_reconciled() {
    let mut place = Place::new(&[refunded(1), refunded(2)]).await;
    let why = "too often".to_owned();
    place.gateway.statuses.insert("R1".to_owned(), Looked::Later { why: why.clone() });
    place.gateway.payments.insert("P2".to_owned(), Looked::Later { why });
    let result = place.ask().await;
    assert_eq!((result.compared, result.payments, result.uncompared), (1, 1, 2));
    assert!(result.by_kind.is_empty() && !result.is_reconciled());
    let code = "InvalidSignature".to_owned();
    place.gateway.statuses.insert("R2".to_owned(), Looked::Unauthorized { code });
    let reconciler = Reconciler::new(&place.ledger, "recall", NOW);
    let asked = reconciler.with_provider(&place.gateway, &NoWait, &mut |_| {}).await;
    assert!(matches!(asked, Err(ReconcileError::Unauthorized { .. })));
    place.gateway.target = Some("live A2");
    let asked = reconciler.with_provider(&place.gateway, &NoWait, &mut |_| {}).await;
    assert!(matches!(asked, Err(ReconcileError::OtherTarget { .. })));
    let other = Reconciler::new(&place.ledger, "other", NOW);
    let read = other.with_settlement(&b""[..], &mut |_| {}).await;
    assert!(matches!(read, Err(ReconcileError::NoSuchBatch)));
}

/// A report as Amazon Pay writes it.
fn report(lines: &[&str]) -> String {
    let mut report = "\"SellerId\",\"SettlementStartDate\",\"SettlementEndDate\"\r\n\
        \"A1XX\",\"2025-11-24T00:00:00-0000\",\"2025-11-25T00:00:00-0000\"\r\n\r\n\
        \"TransactionPostedDate\",\"SettlementId\",\"AmazonTransactionId\",\"SellerReferenceId\",\
        \"TransactionType\",\"AmazonOrderReferenceId\",\"SellerOrderId\",\"StoreName\",\
        \"CurrencyCode\",\"TransactionDescription\",\"TransactionAmount\",\
        \"TransactionPercentageFee\",\"TransactionFixedFee\",\"TotalTransactionFee\",\
        \"NetTransactionAmount\"\r\n"
        .to_owned();
    for line in lines {
        let cells: Vec<&str> = line.split(' ').collect();
        let [id, reference, kind, currency, amount, fee] = cells[..] else { panic!("{line}") };
        let dash = |text: &str| text.replace('_', "");
        writeln!(
            report,
            "\"2025-11-24T12:00:00-0000\",\"5044561311\",\"{}\",\"{}\",\"{kind}\",\"S01\",\"\",\"\",\
             \"{currency}\",\"Refund\",\"{amount}\",\"0.00\",\"0.00\",\"{fee}\",\"{amount}\"\r",
            dash(id),
            dash(reference)
        )
        .unwrap();
    }
    report
}

#[tokio::test]
async fn a_settlement_report_with_the_same_is_reconciled() {
    let place = Place::new(&[refunded(1), refunded(2), pending(3), declined(4), None]).await;
    let key = place.row(3).await.facts.key;
    let lines = [
        "C9 order-9 Capture USD 1,000.00 29.00",
        "R1 order-1 Refund USD -1.00 0.03",
        "R2-of-theirs order-2 Refund USD -2.00 -0.06",
        &format!("R3-of-theirs {key} Refund USD -3.00 0.09"),
    ];
    let result = place.read(&report(&lines)).await;
    assert!(result.is_reconciled(), "{result:?}");
    assert_eq!((result.listed, result.compared, result.learned), (Some(3), 3, 1));
    assert_eq!(place.state(3).await, RefundState::Refunded);
}

#[tokio::test]
async fn what_a_settlement_report_has_otherwise_is_told_by_kind() {
    let place = Place::new(&[
        refunded(1),
        refunded(2),
        refunded(3),
        refunded(4),
        declined(5),
        refunded(6),
        pending(7),
    ])
    .await;
    let lines = [
        "R1 _ Refund USD -1.01 0.03",
        "R2 _ Refund EUR -2.00 0.06",
        "R3 _ Refund USD -3.00 0.90",
        "R4 _ Refund USD -4.00 0.12",
        "R4 _ Refund USD -4.00 0.12",
        "R5 _ Refund USD -5.00 0.15",
        "X1 order-x Refund USD -1,234.50 0.00",
        "R6 _ Refund USD 6.0O 0.18",
        "_ _ Refund USD -1.00 0.18",
    ];
    let result = place.read(&report(&lines)).await;
    let expected = [
        "amount 5: 1.00 USD | 1.01 USD",
        "currency 6: 2.00 USD | 2.00 EUR",
        "fee 7: 0.09 USD | 0.90 USD",
        "duplicate 9: 4.00 USD | 4.00 USD",
        "state 10: declined | refunded",
        "missing-here 11: - | 1234.50 USD",
        "missing-there 6: refunded | -",
    ];
    assert_eq!(short(&result), expected);
    assert_eq!((result.uncompared, result.learned), (2, 0));
    // Another period has nothing to miss.
    let later = report(&[]).replace("2025-11-24T0", "2025-11-24T23").replace("T230:", "T23:");
    let none = place.read(&later).await;
    assert!(none.by_kind.is_empty(), "{none:?}");
}

#[tokio::test]
async fn another_file_is_no_settlement_report() {
    let place = Place::new(&[refunded(1)]).await;
    let reconciler = Reconciler::new(&place.ledger, "recall", NOW);
    for (file, column) in [
        ("", "TransactionType"),
        ("payment,amount\nP1,1.00\n", "TransactionType"),
        ("TransactionType,CurrencyCode\n", "AmazonTransactionId"),
        ("\"open", "TransactionType"),
    ] {
        let read = reconciler.with_settlement(file.as_bytes(), &mut |_| {}).await;
        let Err(ReconcileError::NotASettlement { column: lacks }) = read else { panic!("{file}") };
        assert_eq!(lacks, column);
    }
}

//! Our side: a planned batch, run to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fps::fps_http::Limits;
use fps::refund_ledger::{Ledger, NewBatch, NewIntent, NewPayment};
use fps::refund_runner::{Clock as _, Ended, Gateway, Options, Runner, SystemClock, row_key};
use fps::{
    AmazonPayConfig, AmazonPayGateway, Currency, Method, Money, Payment, Policy, PrivateKey,
    Region, Settings,
};

use crate::server::World;
use crate::{AT_ONCE, peak_kilobytes};

const BATCH: &str = "bench";

/// How many rows are written down at once.
const TOGETHER: usize = 500;

pub(crate) fn read(world: &str) -> World {
    serde_json::from_slice(&std::fs::read(world).unwrap()).unwrap()
}

pub(crate) fn config(world: &World) -> AmazonPayConfig {
    let key = PrivateKey::from_pem(&world.private_key_pem).unwrap();
    let config = AmazonPayConfig::new(&*world.public_key_id, key, Region::NorthAmerica).unwrap();
    config.with_endpoint(&world.url).unwrap()
}

pub(crate) fn charge(world: &World, row: usize) -> String {
    let known = world.charges.get(row).cloned();
    known.unwrap_or_else(|| format!("S01-0000000-{row:07}-C000000"))
}

pub(crate) fn amount(row: usize) -> Money {
    Money::from_minor(100 + i64::try_from(row % 1_000).unwrap(), Currency::USD)
}

pub(crate) async fn run(world: &str, rows: usize) {
    let world = read(world);
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path().join("ledger.db")).await.unwrap();
    let gateway = AmazonPayGateway::new(config(&world), &Settings::default()).unwrap();
    // There is no provider to be polite to.
    let gateway = gateway.with_limits(Limits::none());
    plan(&ledger, &gateway, &world, rows).await;
    let mut options = Options::new("bench");
    options.concurrency = AT_ONCE;
    options.follow_first = 60;
    let runner = Runner::new(ledger.clone(), Arc::new(gateway), Arc::new(SystemClock::default()));
    let begun = Instant::now();
    let never = std::future::pending();
    let summary = runner.run(BATCH, options, Arc::new(()), never).await.unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(summary.ended, Ended::Done);
    let refunded = summary.totals.iter().map(|total| total.count).sum::<u64>();
    assert_eq!(usize::try_from(refunded).unwrap(), rows);
    ledger.close().await;
    println!("{} {}", rows as f64 / seconds, peak_kilobytes());
}

async fn plan(ledger: &Ledger, gateway: &dyn Gateway, world: &World, rows: usize) {
    let now = SystemClock::default().now();
    let provider = gateway.provider();
    let batch = NewBatch::new(BATCH, provider, gateway.target(), "bench").unwrap();
    ledger.open_batch(batch, now).await.unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    let captured = Money::from_minor(100_000, Currency::USD);
    let mut row = 0;
    while row < rows {
        let to = (row + TOGETHER).min(rows);
        let payment = |row| {
            let payment = Payment::completed(captured, Method::Card).unwrap();
            NewPayment::new(provider, charge(world, row), payment, &policy).unwrap()
        };
        ledger.import((row..to).map(payment).collect(), now).await.unwrap();
        let intent = |row: usize| {
            let number = u64::try_from(row).unwrap() + 1;
            let key = row_key(BATCH, number, "bench");
            let intent = NewIntent::amount(provider, charge(world, row), key, amount(row)).unwrap();
            intent.row_of(BATCH, number, "bench").unwrap()
        };
        ledger.prepare((row..to).map(intent).collect(), now).await.unwrap();
        row = to;
    }
    ledger.seal_batch(BATCH, "bench", (u64::try_from(rows).unwrap(), 0), now).await.unwrap();
}

/// A database beside others of the benchmark.
pub(crate) fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("floor.db")
}

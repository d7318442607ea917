//! The batch of the demonstration: many refunds from a ledger, while answers are lost and the run is
//! ended half-way; knows nothing of how they are made.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fps::refund_ledger::{Filter, Ledger, NewBatch, NewIntent, NewPayment};
use fps::refund_runner::{
    Clock as _, Ended, Event, Gateway, Observer, Options, Runner, SystemClock, row_key,
};
use fps::{AmazonPayGateway, Currency, Method, Money, Payment, Policy, RefundState};
use fps_sandbox::control::PaymentSpec;
use fps_sandbox::{Fault, FaultPlan, FaultRule, Service};
use serde::Serialize;
use tokio::sync::Notify;

use super::report::Lane;
use super::{PAID, SANDBOX_FAILED, World, amazon_pay};
use crate::exit::{Exit, Failure, OrFail};
use crate::progress::step;

const NAME: &str = "recall";
const ROWS: u32 = 200;
/// After so many outcomes the run is ended.
const HALF: u32 = 100;
/// Of a thousand requests, the answers of so many are lost after they were carried out.
const LOST: u16 = 100;
const LEDGER: &str = "the ledger of the demonstration failed";

/// What became of the batch.
#[derive(Debug, Default, Serialize)]
pub(super) struct Batch {
    refunds: u32,
    /// How many requests were sent for them.
    tries: u32,
    /// How many runs it took.
    runs: u32,
    amount: String,
    currency: String,
}

impl Batch {
    pub(super) fn row(&self) -> Vec<String> {
        let Self { refunds, tries, runs, amount, currency } = self;
        vec![
            refunds.to_string(),
            format!("{amount} {currency}"),
            tries.to_string(),
            runs.to_string(),
        ]
    }
}

/// Makes the refunds, and counts them in the lane of their service.
pub(super) async fn run(world: &World, lane: &mut Lane) -> Result<Batch, Failure> {
    step(&format!(
        "a batch of {ROWS} refunds: written down, each with its key, before any is sent"
    ));
    let folder = tempfile::tempdir().or_fail("there is no room for temporary files")?;
    let file = folder.path().join("refunds.db");
    let gateway: Arc<dyn Gateway> = Arc::new(
        AmazonPayGateway::new(amazon_pay::config(world)?, &world.settings)
            .or_fail("the gateway cannot be built")?,
    );
    plan(world, &file, &*gateway).await?;
    let lost = FaultRule::new(Fault::CommitThenDrop).operation("CreateRefund").per_mille(LOST);
    let faults = FaultPlan { seed: 1, rules: vec![lost] };
    world.sandbox.set_faults(faults).or_fail(SANDBOX_FAILED)?;

    step("the batch is run, and of every tenth refund the answer is lost; half-way it is ended");
    let first = once(&file, &gateway, HALF).await?;
    if first != Ended::Interrupted {
        return Err(Failure::new(Exit::Internal, "the run was over before it was ended"));
    }
    step("the batch is resumed");
    let second = once(&file, &gateway, u32::MAX).await?;
    world.sandbox.set_faults(FaultPlan::default()).or_fail(SANDBOX_FAILED)?;
    if second != Ended::Done {
        return Err(Failure::new(Exit::Unknown, "the batch was not run to its end"));
    }
    count(&file, lane).await
}

async fn plan(world: &World, file: &Path, gateway: &dyn Gateway) -> Result<(), Failure> {
    let ledger = Ledger::open(file).await.or_fail(LEDGER)?;
    let now = SystemClock::default().now();
    let provider = gateway.provider();
    let batch = NewBatch::new(NAME, provider, gateway.target(), "demo").or_fail(LEDGER)?;
    ledger.open_batch(batch, now).await.or_fail(LEDGER)?;
    let policy = Policy::amazon_pay(Currency::USD);
    let control = world.sandbox.control();
    let (mut payments, mut intents) = (Vec::new(), Vec::new());
    for row in 1..=ROWS {
        let mut spec = PaymentSpec::new(Service::AmazonPay, PAID);
        spec.fee = Some(amazon_pay::FEE);
        spec.merchant = Some(world.merchant.access_key_id.clone());
        let charge = control.create_payment(spec).await.or_fail(SANDBOX_FAILED)?.id;
        let payment = Payment::completed(PAID, Method::Card)
            .and_then(|payment| payment.with_fee(amazon_pay::FEE))
            .or_fail(LEDGER)?;
        payments.push(NewPayment::new(provider, &*charge, payment, &policy).or_fail(LEDGER)?);
        let amount = Money::from_minor(i64::from(row) * 10, Currency::USD);
        let key = row_key(NAME, row.into(), &charge);
        let intent = NewIntent::amount(provider, charge, key, amount);
        intents.push(intent.and_then(|it| it.row_of(NAME, row.into(), "demo")).or_fail(LEDGER)?);
    }
    ledger.import(payments, now).await.or_fail(LEDGER)?;
    ledger.prepare(intents, now).await.or_fail(LEDGER)?;
    ledger.seal_batch(NAME, "demo", (ROWS.into(), 0), now).await.or_fail(LEDGER)?;
    ledger.close().await;
    Ok(())
}

/// Ends a run after so many outcomes.
struct EndAfter {
    left: AtomicU32,
    enough: Notify,
}

impl Observer for EndAfter {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Recorded { .. }) && self.left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            self.enough.notify_one();
        }
    }
}

/// One run, on a ledger that is opened anew, as another process would.
async fn once(file: &Path, gateway: &Arc<dyn Gateway>, outcomes: u32) -> Result<Ended, Failure> {
    let ledger = Ledger::open(file).await.or_fail(LEDGER)?;
    let mut options = Options::new("demo");
    (options.retry_first, options.retry_longest) = (20, 200);
    options.follow_first = 100;
    let watch = Arc::new(EndAfter { left: AtomicU32::new(outcomes), enough: Notify::new() });
    let halt = Arc::<EndAfter>::clone(&watch);
    let halt = async move { halt.enough.notified().await };
    let clock = Arc::new(SystemClock::default());
    let runner = Runner::new(ledger.clone(), Arc::clone(gateway), clock);
    let summary = runner.run(NAME, options, watch, halt).await.or_fail("the batch was not run")?;
    ledger.close().await;
    Ok(summary.ended)
}

/// What the ledger says of it, which must be whole.
async fn count(file: &Path, lane: &mut Lane) -> Result<Batch, Failure> {
    let ledger = Ledger::open(file).await.or_fail(LEDGER)?;
    ledger.verify().await.or_fail(LEDGER)?;
    let intents = ledger.intents(Filter::new()).await.or_fail(LEDGER)?;
    ledger.close().await;
    let mut tries = 0;
    let mut amount = Money::zero(Currency::USD);
    for intent in &intents {
        tries += intent.life.attempts;
        lane.begin(intent.facts.amount)?;
        if intent.life.state == RefundState::Refunded {
            lane.end(intent.facts.amount, intent.facts.fee)?;
            amount = amount.checked_add(intent.facts.amount).or_fail(LEDGER)?;
        }
    }
    Ok(Batch {
        refunds: u32::try_from(intents.len()).unwrap_or(u32::MAX),
        tries,
        runs: 2,
        amount: amount.to_string(),
        currency: amount.currency().to_string(),
    })
}

//! `fps batch status`: how far batches have come; asks nobody but the ledger.

use std::collections::BTreeMap;

use fps::refund_ledger::{BatchRecord, Filter, Ledger, Total};
use fps::refund_runner::{Clock as _, SystemClock};
use fps::{Money, RefundState};
use serde::Serialize;

use super::{LEDGER_FAILED, configuration, known, to_go_on, to_read};
use crate::cli::{BatchCancel, BatchStatus};
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Report, print, table, visible};
use crate::runtime::block_on_or_signal;

pub(crate) fn run(arguments: &BatchStatus) -> Result<(), Failure> {
    block_on_or_signal(async {
        let ledger = to_read(&arguments.kept).await?;
        let batches = match &arguments.batch {
            Some(name) => vec![known(&ledger, name).await?],
            None => ledger.batches().await.or_fail(LEDGER_FAILED)?,
        };
        let totals = ledger.totals(arguments.batch.clone()).await.or_fail(LEDGER_FAILED)?;
        let lines = batches.iter().flat_map(|batch| Line::of(batch, &totals)).collect();
        print(arguments.output, &Status(lines))
    })
}

/// How many rows are taken back at once.
const AT_ONCE: u32 = 500;

/// `fps batch cancel`.
pub(crate) fn cancel(arguments: &BatchCancel) -> Result<(), Failure> {
    block_on_or_signal(async {
        let ledger = to_go_on(configuration(&arguments.kept)?.ledger()).await?;
        let name = &arguments.batch;
        known(&ledger, name).await?;
        let now = SystemClock::default().now();
        while ledger.cancel(&**name, AT_ONCE, now).await.or_fail(LEDGER_FAILED)? > 0 {}
        let batch = known(&ledger, name).await?;
        let totals = ledger.totals(Some(name.clone())).await.or_fail(LEDGER_FAILED)?;
        ledger.close().await;
        print(arguments.output, &Status(Line::of(&batch, &totals)))
    })
}

/// Fails if anything that was said of the batch contradicts what is known.
pub(crate) async fn no_alarm(ledger: &Ledger, batch: &str) -> Result<(), Failure> {
    let filter = Filter::new().batch(batch).alarming().most(1);
    match ledger.intents(filter).await.or_fail(LEDGER_FAILED)?.first() {
        None => Ok(()),
        Some(intent) => {
            let alarm = intent.life.alarm.as_deref().unwrap_or_default();
            let message = format!("of refund {} {}", intent.id.0, visible(alarm));
            Err(Failure::new(Exit::Unknown, message).hint(
                "`fps ledger find --alarming` lists all such; money may have moved against the record",
            ))
        }
    }
}

/// Counts by state in one currency of a batch.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    batch: String,
    is_sealed: bool,
    currency: Option<String>,
    refunds: u64,
    amount: Option<Money>,
    prepared: u64,
    in_flight: u64,
    pending: u64,
    refunded: u64,
    refunded_amount: Option<Money>,
    declined: u64,
    unknown: u64,
    waiting_for_human: u64,
}

impl Line {
    /// One for each currency, and one for a batch without any.
    pub(crate) fn of(batch: &BatchRecord, totals: &[Total]) -> Vec<Self> {
        let empty = |currency| Self {
            batch: batch.name.clone(),
            is_sealed: batch.sealed_at.is_some(),
            currency,
            refunds: 0,
            amount: None,
            prepared: 0,
            in_flight: 0,
            pending: 0,
            refunded: 0,
            refunded_amount: None,
            declined: 0,
            unknown: 0,
            waiting_for_human: 0,
        };
        let mut lines: BTreeMap<String, Self> = BTreeMap::new();
        for total in totals.iter().filter(|total| total.batch.as_ref() == Some(&batch.name)) {
            let code = total.amount.currency().to_string();
            let line = lines.entry(code.clone()).or_insert_with(|| empty(Some(code)));
            line.add(total);
        }
        if lines.is_empty() {
            return vec![empty(None)];
        }
        lines.into_values().collect()
    }

    fn add(&mut self, total: &Total) {
        let sum = |sum: Option<Money>| match sum {
            Some(sum) => sum.checked_add(total.amount).ok(),
            None => Some(total.amount),
        };
        self.refunds += total.count;
        self.amount = sum(self.amount);
        if total.is_parked {
            self.waiting_for_human += total.count;
        }
        match total.state {
            RefundState::Prepared => self.prepared += total.count,
            RefundState::Sent => self.in_flight += total.count,
            RefundState::Unknown => self.unknown += total.count,
            RefundState::Accepted | RefundState::Pending => self.pending += total.count,
            RefundState::Declined => self.declined += total.count,
            RefundState::Refunded => {
                self.refunded += total.count;
                self.refunded_amount = sum(self.refunded_amount);
            }
        }
    }

    /// Has every refund ended?
    const fn is_over(&self) -> bool {
        self.is_sealed && self.refunded + self.declined == self.refunds
    }
}

/// What the state of a batch means for whoever ran it to its end.
pub(crate) fn exit(lines: &[Line]) -> Result<(), Failure> {
    let sum = |count: fn(&Line) -> u64| lines.iter().map(count).sum::<u64>();
    let unknown = sum(|line| line.unknown + line.in_flight);
    let waiting = sum(|line| line.waiting_for_human);
    let unsure = format!("whether {unknown} refunds were made is unknown");
    let message = match (unknown, waiting) {
        (0, 0) => None,
        (0, _) => Some(format!("{waiting} refunds wait for a human")),
        (_, 0) => Some(unsure),
        _ => Some(format!("{unsure}, and {waiting} wait for a human")),
    };
    if let Some(message) = message {
        return Err(Failure::new(Exit::Unknown, message).hint(
            "`fps batch report BATCH --parked` says why; `fps ledger resolve` records what was found \
             out; do not refund them otherwise before",
        ));
    }
    let declined = sum(|line| line.declined);
    if declined > 0 {
        return Err(Failure::new(Exit::Declined, format!("{declined} refunds were declined"))
            .hint("`fps batch report BATCH --state declined` says why"));
    }
    Ok(())
}

/// Batches, a line for each currency.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Status(pub(crate) Vec<Line>);

impl Report for Status {
    fn text(&self) -> String {
        let money = |money: Option<Money>| money.map_or_else(String::new, |it| it.to_string());
        let rows = self.0.iter().map(|line| {
            let state = match (line.is_sealed, line.is_over()) {
                (false, _) => "not planned to its end",
                (true, true) => "over",
                (true, false) => "open",
            };
            vec![
                visible(&line.batch),
                state.to_owned(),
                line.currency.clone().unwrap_or_default(),
                line.refunds.to_string(),
                money(line.amount),
                line.prepared.to_string(),
                (line.in_flight + line.pending).to_string(),
                line.refunded.to_string(),
                money(line.refunded_amount),
                line.declined.to_string(),
                line.unknown.to_string(),
                line.waiting_for_human.to_string(),
            ]
        });
        table(
            &[
                "batch",
                "state",
                "currency",
                "refunds",
                "amount",
                "prepared",
                "under way",
                "refunded",
                "amount refunded",
                "declined",
                "unknown",
                "for a human",
            ],
            rows,
        )
    }
}

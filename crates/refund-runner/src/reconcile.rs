//! Holds what the ledger knows against what others say: the provider itself, or its settlement report.
//! Nothing is sent, and no difference is settled here; but what is learned of a refund that had not
//! ended is recorded.

mod compare;
mod error;
mod provider;
mod settlement;
mod there;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use refund_ledger::{BatchRecord, IntentId, IntentRecord, Ledger, Millis, Outcome, Report};
use refund_rules::RefundState;
use serde::Serialize;

use crate::clock::Clock;
use crate::gateway::Gateway;

pub use error::ReconcileError;

/// How many differences are kept; the observer hears of all of them.
const KEPT: usize = 100;

/// How many intents are read at once.
const PAGE: u32 = 500;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The ledger has it, and the other side does not.
    MissingThere,
    /// The other side has it, and the ledger does not.
    MissingHere,
    /// It is another amount.
    Amount,
    /// It is in another currency.
    Currency,
    /// It has ended in another way, or has ended here and not there.
    State,
    /// Another part of the fee came back.
    Fee,
    /// It is there more than once.
    Duplicate,
    /// It was sent, and nobody can say what became of it.
    UnknownOutcome,
    /// It has not ended yet.
    StillPending,
}

impl DifferenceKind {
    /// Its short stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingThere => "missing-there",
            Self::MissingHere => "missing-here",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::State => "state",
            Self::Fee => "fee",
            Self::Duplicate => "duplicate",
            Self::UnknownOutcome => "unknown-outcome",
            Self::StillPending => "still-pending",
        }
    }
}

/// Of what something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Compared {
    /// One refund.
    Refund,
    /// What was captured of a payment.
    Captured,
    /// What was refunded of a payment in all.
    Refunded,
}

/// Something that is not the same here and there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What kind it is.
    pub kind: DifferenceKind,
    /// Of what.
    pub of: Compared,
    /// The intent here.
    pub intent: Option<IntentId>,
    /// Its row.
    pub row: Option<u64>,
    /// The payment.
    pub payment: Option<String>,
    /// What the provider calls the refund.
    pub refund: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// The line of the report.
    pub line: Option<u64>,
    /// What is known here.
    pub here: Option<String>,
    /// What is said there.
    pub there: Option<String>,
}

impl Difference {
    fn of_intent(kind: DifferenceKind, intent: &IntentRecord) -> Self {
        Self {
            kind,
            of: Compared::Refund,
            intent: Some(intent.id),
            row: intent.facts.row,
            payment: Some(intent.payment.clone()),
            refund: intent.life.refund.clone(),
            key: Some(intent.facts.key.clone()),
            line: None,
            here: None,
            there: None,
        }
    }

    fn missing_here(refund: Option<String>, payment: Option<String>, key: Option<String>) -> Self {
        Self {
            kind: DifferenceKind::MissingHere,
            of: Compared::Refund,
            intent: None,
            row: None,
            payment,
            refund,
            key,
            line: None,
            here: None,
            there: None,
        }
    }

    fn values(mut self, here: impl Into<Option<String>>, there: impl Into<Option<String>>) -> Self {
        self.here = here.into();
        self.there = there.into();
        self
    }
}

/// What a reconciliation tells whoever watches.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ReconcileEvent<'a> {
    /// Something differs.
    Differs(&'a Difference),
    /// Something was learned of a refund that had not ended, and is recorded.
    Learned {
        /// Of which.
        intent: IntentId,
        /// As it was.
        before: RefundState,
        /// As it is.
        state: RefundState,
    },
    /// Something could not be compared.
    Uncompared {
        /// Why, in a sentence without secrets.
        why: &'a str,
    },
    /// So many were compared.
    Progress {
        /// How many.
        compared: u64,
    },
}

/// What was compared, and what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reconciliation {
    /// How many refunds were compared.
    pub compared: u64,
    /// How many intents had nothing that could be compared, because they were never sent.
    pub unsent: u64,
    /// How many payments were compared in what was refunded of them.
    pub payments: u64,
    /// How many refunds the other side listed, if it can list them.
    pub listed: Option<u64>,
    /// How many could not be compared, because there was no answer or a line could not be read.
    pub uncompared: u64,
    /// How many refunds something was learned of, which is recorded.
    pub learned: u64,
    /// How many differences there are, by kind.
    pub by_kind: BTreeMap<DifferenceKind, u64>,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl Reconciliation {
    /// Was everything compared, and is everything the same?
    #[must_use]
    pub fn is_reconciled(&self) -> bool {
        self.by_kind.is_empty() && self.uncompared == 0
    }
}

/// Compares one batch.
#[derive(Clone)]
pub struct Reconciler<'a> {
    ledger: &'a Ledger,
    batch: String,
    now: Millis,
}

impl fmt::Debug for Reconciler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler").field("batch", &self.batch).finish_non_exhaustive()
    }
}

/// Somebody who watches.
type Observer<'o> = &'o mut (dyn FnMut(ReconcileEvent<'_>) + Send);

impl<'a> Reconciler<'a> {
    /// Compares this batch.
    #[must_use]
    pub fn new(ledger: &'a Ledger, batch: impl Into<String>, now: Millis) -> Self {
        Self { ledger, batch: batch.into(), now }
    }

    /// Asks the provider of every refund of the batch and of every payment, and lets it list what it
    /// has, if it can.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn with_provider(
        &self,
        gateway: &dyn Gateway,
        clock: &dyn Clock,
        observer: &mut (dyn FnMut(ReconcileEvent<'_>) + Send),
    ) -> Result<Reconciliation, ReconcileError> {
        let batch = self.batch().await?;
        if (gateway.provider(), gateway.target()) != (&*batch.provider, &*batch.target) {
            let BatchRecord { provider, target, .. } = batch;
            return Err(ReconcileError::OtherTarget { provider, target });
        }
        let mut account = Account::new(self, observer);
        provider::all(&mut account, gateway, clock, &batch).await?;
        Ok(account.result)
    }

    /// Reads a settlement report of Amazon Pay: every refund in it must be known, and every refund of
    /// the batch that ended within its period must be in it.
    ///
    /// # Errors
    /// [`ReconcileError`].
    pub async fn with_settlement(
        &self,
        report: impl Read + Send,
        observer: &mut (dyn FnMut(ReconcileEvent<'_>) + Send),
    ) -> Result<Reconciliation, ReconcileError> {
        let batch = self.batch().await?;
        let mut account = Account::new(self, observer);
        settlement::all(&mut account, report, &batch).await?;
        Ok(account.result)
    }

    async fn batch(&self) -> Result<BatchRecord, ReconcileError> {
        let batch = self.ledger.batch(&*self.batch).await?;
        batch.ok_or(ReconcileError::NoSuchBatch)
    }
}

/// A reconciliation on its way.
struct Account<'r, 'a, 'o> {
    reconciler: &'r Reconciler<'a>,
    observer: Observer<'o>,
    result: Reconciliation,
}

impl<'r, 'a, 'o> Account<'r, 'a, 'o> {
    fn new(reconciler: &'r Reconciler<'a>, observer: Observer<'o>) -> Self {
        Self { reconciler, observer, result: Reconciliation::default() }
    }

    fn ledger(&self) -> &'a Ledger {
        self.reconciler.ledger
    }

    fn differs(&mut self, difference: Difference) {
        let count = self.result.by_kind.entry(difference.kind).or_default();
        *count = count.saturating_add(1);
        (self.observer)(ReconcileEvent::Differs(&difference));
        if self.result.differences.len() < KEPT {
            self.result.differences.push(difference);
        }
    }

    fn uncompared(&mut self, why: &str) {
        self.result.uncompared = self.result.uncompared.saturating_add(1);
        (self.observer)(ReconcileEvent::Uncompared { why });
    }

    /// Records what was learned.
    async fn learned(&mut self, news: Vec<(IntentId, Outcome)>) -> Result<(), ReconcileError> {
        if news.is_empty() {
            return Ok(());
        }
        let ids: Vec<IntentId> = news.iter().map(|(intent, _)| *intent).collect();
        let now = self.reconciler.now;
        let report = |(intent, outcome)| Report::of_refund(intent, outcome, now);
        let answers = self.ledger().record(news.into_iter().map(report).collect()).await?;
        for (intent, answer) in ids.into_iter().zip(answers) {
            let recorded = answer?;
            let (before, state) = (recorded.before, recorded.state);
            if let Some(alarm) = recorded.alarm {
                self.uncompared(&alarm);
            }
            if before != state {
                self.result.learned = self.result.learned.saturating_add(1);
                (self.observer)(ReconcileEvent::Learned { intent, before, state });
            }
        }
        Ok(())
    }

    fn count_compared(&mut self) {
        self.result.compared = self.result.compared.saturating_add(1);
    }

    fn progress(&mut self) {
        let compared = self.result.compared;
        (self.observer)(ReconcileEvent::Progress { compared });
    }
}

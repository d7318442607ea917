//! From a file of rows to a sealed batch of intents. Nothing is ever sent here, and nothing can be sent
//! of a batch that is not sealed.

mod doubles;
mod error;
mod fill;
mod payments;

use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use refund_ledger::{BatchRecord, IntentId, Ledger, Millis, NewBatch};
use refund_rules::{Currency, Money, Policy};
use serde::Serialize;

use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::input::{BadRow, Row, Rows};
use doubles::{Doubles, Numbers};
use fill::Fill;

pub use error::PlanError;

/// How many bad rows and differences a plan keeps; the observer hears of all of them.
const KEPT: usize = 100;

/// How many rows are taken back at once.
const WITHDRAWN_AT_ONCE: u32 = 500;

/// The source of a batch whose file was changed: no hash is this.
const CHANGED: &str = "changed";

/// How many rows are read before others get their turn.
const READ_AT_ONCE: u64 = 2_000;

/// What is wrong with a row for a reason that only its provider has, such as a note that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by whoever knows the provider")]
pub struct Objection {
    /// The column.
    pub column: &'static str,
    /// The rule, by a short stable name.
    pub rule: &'static str,
    /// What is wrong, in one sentence.
    pub sentence: String,
}

type PolicyOf<'a> = Box<dyn Fn(Currency) -> Policy + Send + Sync + 'a>;
type Check<'a> = Box<dyn Fn(&Row) -> Option<Objection> + Send + Sync + 'a>;

/// Reads a file of rows twice, and writes an intent for each row.
///
/// A plan that is killed anywhere is continued by the next one of the same file. While its batch is not
/// sealed, a plan of another file takes back what was planned and starts over; once it is sealed, rows
/// are only compared with it.
pub struct Planner<'a> {
    ledger: &'a Ledger,
    batch: String,
    provider: String,
    target: String,
    policy: PolicyOf<'a>,
    key_window: Option<i64>,
    skip_invalid: bool,
    is_repetition: bool,
    check: Option<Check<'a>>,
    look_up: Option<(&'a dyn Gateway, &'a dyn Clock)>,
    scratch: Option<&'a Ledger>,
}

impl fmt::Debug for Planner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner")
            .field("batch", &self.batch)
            .field("provider", &self.provider)
            .field("target", &self.target)
            .field("skip_invalid", &self.skip_invalid)
            .finish_non_exhaustive()
    }
}

impl<'a> Planner<'a> {
    /// Plans a batch for a provider's account. `policy` says under which limits payments in a currency
    /// are refunded.
    #[must_use]
    pub fn new(
        ledger: &'a Ledger,
        batch: impl Into<String>,
        (provider, target): (impl Into<String>, impl Into<String>),
        policy: impl Fn(Currency) -> Policy + Send + Sync + 'a,
    ) -> Self {
        Self {
            ledger,
            batch: batch.into(),
            provider: provider.into(),
            target: target.into(),
            policy: Box::new(policy),
            key_window: None,
            skip_invalid: false,
            is_repetition: false,
            check: None,
            look_up: None,
            scratch: None,
        }
    }

    /// The provider knows a key again for so many milliseconds after the first try.
    #[must_use]
    pub const fn key_window(mut self, millis: Option<i64>) -> Self {
        self.key_window = millis;
        self
    }

    /// Leaves bad rows out, and seals the batch without them.
    #[must_use]
    pub const fn skip_invalid(mut self, skip: bool) -> Self {
        self.skip_invalid = skip;
        self
    }

    /// Plans a file even if another batch was planned from it: its refunds are to be made once more.
    #[must_use]
    pub const fn repeat(mut self, repeat: bool) -> Self {
        self.is_repetition = repeat;
        self
    }

    /// Asks this of every row that is right in itself.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&Row) -> Option<Objection> + Send + Sync + 'a) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Looks payments up with the provider that neither the row nor the ledger knows.
    #[must_use]
    pub fn look_up(mut self, gateway: &'a dyn Gateway, clock: &'a dyn Clock) -> Self {
        self.look_up = Some((gateway, clock));
        self
    }

    /// Writes to this empty ledger, and only reads the other: what would happen, without its happening.
    #[must_use]
    pub const fn rehearse(mut self, scratch: &'a Ledger) -> Self {
        self.scratch = Some(scratch);
        self
    }

    /// Plans the file.
    ///
    /// # Errors
    /// [`PlanError`]. A bad row is none: it is in the plan.
    pub async fn plan<R: Read + Seek + Send>(
        &self,
        file: &mut R,
        now: Millis,
        observer: &mut (dyn FnMut(PlanEvent<'_>) + Send),
    ) -> Result<Plan, PlanError> {
        let is_other = |gateway: &dyn Gateway| {
            (gateway.provider(), gateway.target()) != (&*self.provider, &*self.target)
        };
        if self.look_up.is_some_and(|(gateway, _)| is_other(gateway)) {
            return Err(PlanError::OtherGateway);
        }
        let (source, doubles) = read(file, observer).await?;
        let there = self.there().await?;
        if there.is_none() && !self.is_repetition {
            self.is_of_no_other(&source).await?;
        }
        let sealed = there.as_ref().filter(|batch| batch.sealed_at.is_some());
        // What is sealed is only compared, and that writes nothing.
        let ledger =
            if sealed.is_some() { self.ledger } else { self.scratch.unwrap_or(self.ledger) };
        let mut plan = Plan::new(&self.batch, &source);
        plan.is_rehearsal = self.scratch.is_some();
        if sealed.is_none() {
            plan.withdrawn = self.open(ledger, &source, now, observer).await?;
        }
        let is_open_elsewhere = there.is_some() && sealed.is_none() && self.scratch.is_some();
        let mut fill = Fill {
            planner: self,
            ledger,
            now,
            doubles,
            plan,
            observer,
            without: is_open_elsewhere.then_some(&*self.batch),
            sealed_from_this: sealed.map(|batch| batch.source == source),
            hides_rows: false,
        };
        let again = fill.all(file).await?;
        if again != source {
            if sealed.is_none() {
                // What was prepared is of neither file: the next plan takes it back.
                ledger.resource_batch(&*self.batch, CHANGED).await?;
            }
            return Err(PlanError::SourceChanged);
        }
        let Fill { mut plan, hides_rows, .. } = fill;
        plan.totals = totals(ledger, &self.batch).await?;
        plan.sealing = match sealed {
            Some(batch) => {
                let there = batch.rows.unwrap_or_default();
                plan.missing = there.saturating_sub(plan.existing.saturating_add(plan.differing));
                Sealing::Before
            }
            None => self.seal(ledger, &plan, hides_rows, now).await?,
        };
        Ok(plan)
    }

    /// The batch, if it was opened before, and was for this account.
    async fn there(&self) -> Result<Option<BatchRecord>, PlanError> {
        let there = self.ledger.batch(&*self.batch).await?;
        match there {
            Some(batch) => self.same_target(batch).map(Some),
            None => Ok(None),
        }
    }

    /// Refuses a file that another batch for this account was planned from.
    async fn is_of_no_other(&self, source: &str) -> Result<(), PlanError> {
        let batches = self.ledger.batches().await?;
        let other = batches.into_iter().find(|batch| {
            batch.sealed_at.is_some()
                && batch.source == source
                && batch.provider == self.provider
                && batch.target == self.target
        });
        other.map_or(Ok(()), |batch| Err(PlanError::SameFile { batch: batch.name }))
    }

    fn same_target(&self, batch: BatchRecord) -> Result<BatchRecord, PlanError> {
        if batch.provider == self.provider && batch.target == self.target {
            return Ok(batch);
        }
        let BatchRecord { provider, target, .. } = batch;
        Err(PlanError::OtherTarget { provider, target })
    }

    /// Opens the batch for this file; gives how many rows of another one were taken back.
    async fn open(
        &self,
        ledger: &Ledger,
        source: &str,
        now: Millis,
        observer: &mut (dyn FnMut(PlanEvent<'_>) + Send),
    ) -> Result<u64, PlanError> {
        let new = NewBatch::new(&*self.batch, &*self.provider, &*self.target, source)?;
        let batch = self.same_target(ledger.open_batch(new, now).await?)?;
        if batch.sealed_at.is_some() {
            return Err(PlanError::SealedMeanwhile);
        }
        let mut withdrawn = 0_u64;
        if batch.source == source {
            return Ok(withdrawn);
        }
        loop {
            let now_withdrawn = ledger.withdraw(&*self.batch, WITHDRAWN_AT_ONCE, now).await?;
            if now_withdrawn == 0 {
                break;
            }
            withdrawn = withdrawn.saturating_add(now_withdrawn);
            observer(PlanEvent::Progress { step: Step::TakingBack, rows: withdrawn, bytes: 0 });
        }
        ledger.resource_batch(&*self.batch, source).await?;
        Ok(withdrawn)
    }

    async fn seal(
        &self,
        ledger: &Ledger,
        plan: &Plan,
        hides_rows: bool,
        now: Millis,
    ) -> Result<Sealing, PlanError> {
        let rows = plan.prepared.saturating_add(plan.existing);
        if plan.differing > 0 {
            return Ok(Sealing::Differences);
        }
        if plan.bad > 0 && (hides_rows || !self.skip_invalid) {
            return Ok(Sealing::BadRows);
        }
        if rows == 0 {
            return Ok(Sealing::Empty);
        }
        if self.scratch.is_some() {
            return Ok(Sealing::Rehearsed);
        }
        ledger.seal_batch(&*self.batch, &*plan.source, (rows, plan.bad), now).await?;
        Ok(Sealing::Now)
    }
}

/// Reads the file once: its hash, and which rows are there twice.
async fn read<R: Read + Seek + Send>(
    file: &mut R,
    observer: &mut (dyn FnMut(PlanEvent<'_>) + Send),
) -> Result<(String, Doubles), PlanError> {
    let mut numbers = Numbers::default();
    let mut rows = rows(file)?;
    while let Some(numbered) = rows.advance()? {
        if let Ok(row) = &numbered.content {
            numbers.add(&row.identity());
        }
        if rows.count().is_multiple_of(READ_AT_ONCE) {
            let (rows, bytes) = (rows.count(), rows.bytes());
            observer(PlanEvent::Progress { step: Step::Reading, rows, bytes });
            tokio::task::yield_now().await;
        }
    }
    let (count, bytes) = (rows.count(), rows.bytes());
    observer(PlanEvent::Progress { step: Step::Reading, rows: count, bytes });
    Ok((rows.finish()?, numbers.doubles()))
}

fn rows<R: Read + Seek>(file: &mut R) -> Result<Rows<&mut R>, PlanError> {
    let at_start = file.seek(SeekFrom::Start(0)).map_err(crate::input::InputError::from);
    at_start.map_err(PlanError::Input)?;
    Ok(Rows::new(file)?)
}

/// By currency, whatever their states are.
async fn totals(ledger: &Ledger, batch: &str) -> Result<Vec<PlanTotal>, PlanError> {
    let mut totals: Vec<PlanTotal> = Vec::new();
    for total in ledger.totals(Some(batch.to_owned())).await? {
        let sum = |left: Money, right| left.checked_add(right).unwrap_or(left);
        let same =
            totals.iter_mut().find(|there| there.amount.currency() == total.amount.currency());
        match same {
            Some(there) => {
                there.count = there.count.saturating_add(total.count);
                there.amount = sum(there.amount, total.amount);
                there.fee = sum(there.fee, total.fee);
            }
            None => {
                totals.push(PlanTotal { count: total.count, amount: total.amount, fee: total.fee })
            }
        }
    }
    Ok(totals)
}

/// What a plan tells whoever watches.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum PlanEvent<'a> {
    /// It has come so far.
    Progress {
        /// With what.
        step: Step,
        /// So many rows.
        rows: u64,
        /// So many bytes of the file.
        bytes: u64,
    },
    /// A row is bad.
    Bad(&'a BadRow),
    /// A row is not what the batch has there.
    Differs(&'a RowDifference),
}

/// What a plan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// It reads the file for the first time.
    Reading,
    /// It takes back what was planned from another file.
    TakingBack,
    /// It prepares the rows, or compares them.
    Preparing,
}

/// A row that is not what the batch has in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowDifference {
    /// The line where it begins.
    pub line: u64,
    /// Which row it is.
    pub row: u64,
    /// What is there, which stands; nothing if there is no such row in the batch.
    pub intent: Option<IntentId>,
    /// The fields that differ.
    pub fields: Vec<&'static str>,
}

/// What a batch refunds in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanTotal {
    /// So many refunds.
    pub count: u64,
    /// So much together.
    pub amount: Money,
    /// So much of the provider's fee should come back.
    pub fee: Money,
}

/// Whether the batch can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Sealing {
    /// It can: it was sealed now.
    Now,
    /// It can: it was sealed before, and rows were only compared with it.
    Before,
    /// It cannot: rows are bad, and are not to be left out or cannot be.
    BadRows,
    /// It cannot: rows are not what is there.
    Differences,
    /// It cannot: there is no row.
    Empty,
    /// It could: this was a rehearsal.
    Rehearsed,
}

/// What was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The batch.
    pub batch: String,
    /// The SHA-256 of the file.
    pub source: String,
    /// Was nothing of it written to the ledger?
    pub is_rehearsal: bool,
    /// Whether the batch can be run.
    pub sealing: Sealing,
    /// How many rows the file has.
    pub rows: u64,
    /// How many of them were prepared now.
    pub prepared: u64,
    /// How many were there before, the same.
    pub existing: u64,
    /// How many are bad.
    pub bad: u64,
    /// The first of these.
    pub bad_rows: Vec<BadRow>,
    /// How many are not what is there.
    pub differing: u64,
    /// The first of these.
    pub differences: Vec<RowDifference>,
    /// How many rows of a sealed batch are not in the file.
    pub missing: u64,
    /// How many rows of another file were taken back.
    pub withdrawn: u64,
    /// How many payments were imported.
    pub imported: u64,
    /// How many of them were looked up.
    pub looked_up: u64,
    /// What the batch refunds, by currency.
    pub totals: Vec<PlanTotal>,
}

impl Plan {
    fn new(batch: &str, source: &str) -> Self {
        Self {
            batch: batch.to_owned(),
            source: source.to_owned(),
            is_rehearsal: false,
            sealing: Sealing::Empty,
            rows: 0,
            prepared: 0,
            existing: 0,
            bad: 0,
            bad_rows: Vec::new(),
            differing: 0,
            differences: Vec::new(),
            missing: 0,
            withdrawn: 0,
            imported: 0,
            looked_up: 0,
            totals: Vec::new(),
        }
    }
}

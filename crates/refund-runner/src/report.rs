//! What has become of a batch, for people and for machines; changes nothing.

use std::fmt;

use refund_ledger::{BatchRecord, Error, Filter, IntentId, IntentRecord, Ledger, Millis, Total};
use refund_rules::{Money, RefundState};
use serde::Serialize;

/// How many rows are read at once.
const PAGE: u32 = 1_000;

/// A batch and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchReport {
    /// The batch.
    #[serde(flatten)]
    pub batch: BatchRecord,
    /// By currency and state.
    pub totals: Vec<Total>,
}

impl BatchReport {
    /// The report of a batch, if there is such a batch.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn of(ledger: &Ledger, batch: &str) -> Result<Option<Self>, Error> {
        let Some(record) = ledger.batch(batch).await? else { return Ok(None) };
        let totals = ledger.totals(Some(batch.to_owned())).await?;
        Ok(Some(Self { batch: record, totals }))
    }

    /// How many refunds are in this state.
    #[must_use]
    pub fn count(&self, state: RefundState) -> u64 {
        self.totals.iter().filter(|total| total.state == state).map(|total| total.count).sum()
    }

    /// How many wait for a human.
    #[must_use]
    pub fn parked(&self) -> u64 {
        self.totals.iter().filter(|total| total.is_parked).map(|total| total.count).sum()
    }

    /// Have all of them ended?
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.batch.sealed_at.is_some() && self.totals.iter().all(|total| total.state.is_final())
    }
}

/// A row and what has become of it. Nothing of it is about the buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowReport {
    /// Which row it is.
    pub row: Option<u64>,
    /// What the provider calls the payment.
    pub payment: String,
    /// What the merchant calls the refund.
    pub reference: Option<String>,
    /// How much.
    pub amount: Money,
    /// What of the provider's fee should come back.
    pub fee: Money,
    /// How far it has come.
    pub state: RefundState,
    /// What the provider calls the refund.
    pub refund: Option<String>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// Why it waits for a human.
    pub parked: Option<String>,
    /// What contradicts what is known.
    pub alarm: Option<String>,
    /// How often it was about to be sent.
    pub attempts: u32,
    /// When it was last.
    pub sent_at: Option<Millis>,
    /// When anything of this changed.
    pub changed_at: Millis,
    /// The key under which it is sent, every time.
    pub key: String,
    /// Its number in the ledger.
    pub intent: IntentId,
}

impl From<IntentRecord> for RowReport {
    fn from(intent: IntentRecord) -> Self {
        let IntentRecord { id, payment, facts, life, .. } = intent;
        Self {
            row: facts.row,
            payment,
            reference: facts.reference,
            amount: facts.amount,
            fee: facts.fee,
            state: life.state,
            refund: life.refund,
            reason: life.reason,
            parked: life.parked,
            alarm: life.alarm,
            attempts: life.attempts,
            sent_at: life.sent_at,
            changed_at: life.changed_at,
            key: facts.key,
            intent: id,
        }
    }
}

/// The rows of a batch, page by page, in the order in which they were written down.
#[derive(Clone)]
pub struct ReportRows<'a> {
    ledger: &'a Ledger,
    filter: Filter,
    after: IntentId,
}

impl fmt::Debug for ReportRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportRows").field("after", &self.after).finish_non_exhaustive()
    }
}

impl<'a> ReportRows<'a> {
    /// All rows of a batch.
    #[must_use]
    pub fn new(ledger: &'a Ledger, batch: &str) -> Self {
        Self::matching(ledger, Filter::new().batch(batch))
    }

    /// Of all intents those that match.
    #[must_use]
    pub const fn matching(ledger: &'a Ledger, filter: Filter) -> Self {
        Self { ledger, filter: filter.most(PAGE), after: IntentId(0) }
    }

    /// The next page; nothing once all were given.
    ///
    /// # Errors
    /// The ledger's. The page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<RowReport>>, Error> {
        let page = self.ledger.intents(self.filter.clone().after(self.after)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.id;
        Ok(Some(page.into_iter().map(RowReport::from).collect()))
    }
}

//! Everything derived again from what happened, and compared with what is stored; changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::event::{Event, NO_SEAL, Seal, Subject, seal};
use crate::intent::{IntentFacts, Life};
use crate::payment::{PaymentFacts, Sums};
use crate::reads::{Answers, Batches, Read};
use crate::rows::{IntentRow, Lease, PaymentRow};
use crate::session::{Dialect, Row, Session, Sql, Value, sql};
use crate::time::Millis;

/// How many payments are compared at once.
const PAGE: i64 = 500;

/// What was found to be as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// How many payments.
    pub payments: u64,
    /// How many intents.
    pub intents: u64,
    /// How many events.
    pub events: u64,
    /// A hash of the last seal of every payment. Kept somewhere else, it shows later that nothing before
    /// it was changed: two ledgers that have the same have the same history.
    pub digest: String,
}

/// Compares all of it, page by page, each as it is in one moment.
pub(crate) async fn all(ledger: &impl Answers) -> Result<Verified, Error> {
    let (payments, head, stray) = ledger.ask(Head).await?;
    let mut sum = Sum { intents: 0, events: 0, digest: Sha256::new() };
    let mut before = NO_SEAL;
    let mut from = 0;
    while from < payments {
        let to = from.saturating_add(PAGE).min(payments);
        let page = ledger.ask(Page { from, to, before, sum }).await?;
        (before, sum) = page;
        from = to;
    }
    if before != head {
        return Err(Error::damaged("the chain of imports", "its end is not what was written"));
    }
    if let Some(stray) = stray {
        return Err(Error::damaged(format!("payment {stray}"), "it was never imported"));
    }
    // Each checks its own seal as it is read.
    ledger.ask(Batches { name: None }).await?;
    ledger.ask(OfBatches).await?;
    // Last, because it cannot name a payment.
    ledger.ask(Integrity).await?;
    let digest = sum.digest.finalize();
    Ok(Verified {
        payments: u64::try_from(payments).unwrap_or_default(),
        intents: sum.intents,
        events: sum.events,
        digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// What was seen so far.
struct Sum {
    intents: u64,
    events: u64,
    digest: Sha256,
}

/// Does the store itself find that its file is whole?
struct Integrity;

impl Read for Integrity {
    type Output = ();

    async fn run<S: Session>(self, session: &mut S) -> Result<(), Error> {
        let checks: &[&str] = match S::DIALECT {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => &["PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"],
            // It checks its pages as it reads them.
            #[cfg(feature = "postgres")]
            Dialect::Postgres => &[],
        };
        for check in checks {
            for mut row in session.one(check, Vec::new()).await? {
                let found = row.text()?;
                if let Ok(number) = row.int() {
                    let place = format!("{found} {number}");
                    return Err(Error::damaged(place, "what it belongs to is not there"));
                }
                if found != "ok" {
                    return Err(Error::damaged("the file", found));
                }
            }
        }
        Ok(())
    }
}

/// Has every sealed batch the rows that it was sealed with, and every row its batch?
struct OfBatches;

const ROWS_OF_BATCHES: Sql = sql!(
    "SELECT i.batch, b.row_count, b.sealed_at, count(*) FROM intent i \
     LEFT JOIN batch b ON b.name = i.batch WHERE i.batch IS NOT NULL \
     GROUP BY i.batch, b.row_count, b.sealed_at"
);
const EMPTY_BATCHES: Sql = sql!(
    "SELECT b.name FROM batch b WHERE b.row_count > 0 \
     AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.batch = b.name) LIMIT 1"
);
const LOST_ROWS: Sql = sql!(
    "SELECT i.batch FROM intent i WHERE i.batch IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.name = i.batch) LIMIT 1"
);

impl Read for OfBatches {
    type Output = ();

    async fn run<S: Session>(self, session: &mut S) -> Result<(), Error> {
        let damaged = |batch: String, what| Err(Error::damaged(format!("batch {batch}"), what));
        for mut row in session.one(ROWS_OF_BATCHES.of(S::DIALECT), Vec::new()).await? {
            let batch = row.text()?;
            let (sealed, is_sealed) = (row.maybe_int()?, row.maybe_int()?.is_some());
            let counted = row.int()?;
            if is_sealed && sealed != Some(counted) {
                return damaged(batch, "it has not the rows that it was sealed with");
            }
        }
        let found = session.one(EMPTY_BATCHES.of(S::DIALECT), Vec::new()).await?;
        if let Some(mut row) = found.into_iter().next() {
            return damaged(row.text()?, "it has not the rows that it was sealed with");
        }
        let found = session.one(LOST_ROWS.of(S::DIALECT), Vec::new()).await?;
        if let Some(mut row) = found.into_iter().next() {
            return damaged(row.text()?, "it is not there, and has rows");
        }
        Ok(())
    }
}

/// How many payments there are, the last seal of the chain that they hang on, and one that does not.
struct Head;

const HEAD: Sql = sql!(
    "SELECT payments, seal, \
     (SELECT min(p.id) FROM payment p WHERE p.id < 1 OR p.id > chain.payments) \
     FROM chain WHERE id = 1"
);

impl Read for Head {
    type Output = (i64, Seal, Option<i64>);

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let rows = session.one(HEAD.of(S::DIALECT), Vec::new()).await?;
        let Some(mut row) = rows.into_iter().next() else {
            return Err(Error::damaged("the chain of imports", "its head is not there"));
        };
        Ok((row.int()?, row.seal()?, row.maybe_int()?))
    }
}

/// The payments from one number to another.
struct Page {
    from: i64,
    to: i64,
    /// The seal of the import before.
    before: Seal,
    sum: Sum,
}

// In the order of `PaymentRow::values` and of `IntentRow::staying` and `changing`.
const PAYMENTS: Sql = sql!(
    "SELECT id, provider, name, caller_reference, currency, captured, cap, refunds_max, \
     completed_at, imported_at, facts, refunded, pending, unknown, refunds, fee_returned, \
     marketplace_held, intents, events, seal FROM payment WHERE id > $1 AND id <= $2 ORDER BY id"
);
const INTENTS: Sql = sql!(
    "SELECT payment, ordinal, provider, key, key_until, key_window, amount, is_rest, scope, fee, \
     marketplace_fee, batch, line, content, reference, details, prepared_at, state, attempts, \
     lost, sent_at, key_expires_at, changed_at, refund, reason, request, parked, alarm \
     FROM intent WHERE payment > $1 AND payment <= $2 ORDER BY payment, ordinal"
);
const EVENTS: Sql = sql!(
    "SELECT payment, seq, intent, at, data, seal FROM event \
     WHERE payment > $1 AND payment <= $2 ORDER BY payment, seq"
);

impl Read for Page {
    type Output = (Seal, Sum);

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let range = || vec![self.from.into(), self.to.into()];
        let payments = session.one(PAYMENTS.of(S::DIALECT), range()).await?;
        let intents = session.one(INTENTS.of(S::DIALECT), range()).await?;
        let events = session.one(EVENTS.of(S::DIALECT), range()).await?;
        let Self { from, to, mut before, mut sum } = self;
        let mut payments = by_payment(payments)?;
        let mut intents = by_payment(intents)?;
        let mut events = by_payment(events)?;
        for id in from.saturating_add(1)..=to {
            let of = |rows: &mut BTreeMap<i64, Vec<Vec<Value>>>| rows.remove(&id);
            let happened = of(&mut events).unwrap_or_default();
            let history = History::of(id, before, happened)?;
            before = history.imported;
            let [stored] = &*of(&mut payments).unwrap_or_default() else {
                return Err(Error::damaged(format!("payment {id}"), "it is not there"));
            };
            sum.events = sum.events.saturating_add(history.count());
            sum.digest.update(history.seal);
            let kept = of(&mut intents).unwrap_or_default();
            sum.intents = sum.intents.saturating_add(u64::try_from(kept.len()).unwrap_or_default());
            history.compare(stored, &kept)?;
        }
        let is_left = !(payments.is_empty() && intents.is_empty() && events.is_empty());
        if is_left {
            return Err(Error::damaged("a payment", "what is of it has no number of any"));
        }
        Ok((before, sum))
    }
}

/// Rows by their first column, which they keep.
fn by_payment(rows: Vec<Row>) -> Result<BTreeMap<i64, Vec<Vec<Value>>>, Error> {
    let mut by_payment: BTreeMap<i64, Vec<Vec<Value>>> = BTreeMap::new();
    for row in rows {
        let values = row.into_values();
        let Some(Value::Int(payment)) = values.first() else {
            return Err(Error::damaged("a payment", "it has no number"));
        };
        by_payment.entry(*payment).or_default().push(values);
    }
    Ok(by_payment)
}

/// What a payment and its intents are, by what happened.
struct History {
    id: i64,
    facts: Arc<PaymentFacts>,
    imported_at: Millis,
    sums: Sums,
    /// The seal of the import.
    imported: Seal,
    seal: Seal,
    events: i64,
    ordinals: i64,
    intents: BTreeMap<i64, (IntentFacts, Life)>,
}

impl History {
    fn of(id: i64, before: Seal, rows: Vec<Vec<Value>>) -> Result<Self, Error> {
        let mut rows = rows.into_iter().map(Row::new);
        let place = |seq: i64| format!("payment {id}, event {seq}");
        let first = rows.next().ok_or_else(|| Error::damaged(place(1), "it is not there"))?;
        let (at, _, event, sealed) = next(&place(1), first, 1, &before)?;
        let Event::Imported(facts) = event else {
            return Err(Error::damaged(place(1), "it is not its import"));
        };
        let mut history = Self {
            id,
            sums: Sums::imported(&facts.payment)
                .map_err(|error| Error::damaged(place(1), error.to_string()))?,
            facts: Arc::new(*facts),
            imported_at: at,
            imported: sealed,
            seal: sealed,
            events: 1,
            ordinals: 0,
            intents: BTreeMap::new(),
        };
        for row in rows {
            let seq = history.events.saturating_add(1);
            let (at, ordinal, event, sealed) = next(&place(seq), row, seq, &history.seal)?;
            history
                .apply(ordinal.unwrap_or_default(), event, at)
                .map_err(|error| Error::damaged(place(seq), error.to_string()))?;
            history.seal = sealed;
            history.events = seq;
        }
        Ok(history)
    }

    fn apply(&mut self, ordinal: i64, event: Event, at: Millis) -> Result<(), Error> {
        let out_of_turn = || Error::damaged("it", "no such intent was prepared");
        if let Event::Prepared(facts) = event {
            if ordinal != self.ordinals.saturating_add(1) {
                return Err(out_of_turn());
            }
            self.ordinals = ordinal;
            self.sums.take(&facts)?;
            let life = Life::new(&facts);
            self.intents.insert(ordinal, (*facts, life));
            return Ok(());
        }
        let (facts, life) = self.intents.get_mut(&ordinal).ok_or_else(out_of_turn)?;
        Subject::new(&mut self.sums, facts, life).apply(&event, at)?;
        if event == Event::Withdrawn {
            self.intents.remove(&ordinal);
        }
        Ok(())
    }

    fn count(&self) -> u64 {
        u64::try_from(self.events).unwrap_or_default()
    }

    /// Are the rows what they would be written as?
    fn compare(self, stored: &[Value], kept: &[Vec<Value>]) -> Result<(), Error> {
        let name = format!("payment {} ({} {})", self.id, self.facts.provider, self.facts.id);
        let (id, provider) = (self.id, self.facts.provider.clone());
        let payment = PaymentRow {
            id,
            facts: self.facts,
            imported_at: self.imported_at,
            sums: self.sums,
            intents: self.ordinals,
            events: self.events,
            seal: self.seal,
        };
        if payment.values()? != stored {
            return Err(Error::damaged(name, "its row is not what happened to it"));
        }
        if kept.len() != self.intents.len() {
            return Err(Error::damaged(name, "it has not the intents that were prepared"));
        }
        for ((ordinal, (facts, life)), kept) in self.intents.into_iter().zip(kept) {
            let intent = IntentRow {
                id: 0,
                payment: id,
                provider: provider.clone(),
                payment_name: String::new(),
                caller_reference: None,
                ordinal,
                facts,
                life,
                lease: Lease::default(),
            };
            let mut values = intent.staying();
            // Who has it is no part of what happened.
            let changing = kept.len().saturating_sub(values.len());
            values.extend(intent.changing().into_iter().take(changing));
            if values != *kept {
                let place = format!("{name}, intent {ordinal}");
                return Err(Error::damaged(place, "its row is not what happened to it"));
            }
        }
        Ok(())
    }
}

/// The next event of a chain, if its seal is right.
fn next(
    place: &str,
    mut row: Row,
    seq: i64,
    before: &Seal,
) -> Result<(Millis, Option<i64>, Event, Seal), Error> {
    let damaged = |what: String| Error::damaged(place, what);
    let mut read =
        || Ok((row.int()?, row.int()?, row.maybe_int()?, row.int()?, row.text()?, row.seal()?));
    let (_, number, ordinal, at, data, stored) =
        read().map_err(|error: Error| damaged(error.to_string()))?;
    if number != seq {
        return Err(damaged("the one before is not there".to_owned()));
    }
    if seal(before, seq, ordinal, Millis(at), &data) != stored {
        return Err(damaged("it is not what was sealed".to_owned()));
    }
    let event = serde_json::from_str(&data).map_err(|error| damaged(error.to_string()))?;
    Ok((Millis(at), ordinal, event, stored))
}

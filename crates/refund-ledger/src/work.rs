//! One transaction's work: load what is to change, change it by events, write each row once.
//!
//! The write of a payment is the guard: it names the state that was read, and the limits, and changes
//! nothing if either does not hold any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::event::{Event, Subject, seal};
use crate::intent::{IntentFacts, Life};
use crate::rows::{IntentRow, Lease, PaymentRow, intent_columns, payment_columns, to_json};
use crate::session::{Session, Sql, Value, sql};
use crate::time::Millis;

const NUMBER_OF_PAYMENT: Sql =
    sql!("SELECT id, provider, name FROM payment WHERE provider = $1 AND name = $2");
const LOAD_PAYMENT: Sql =
    sql!(concat!("SELECT ", payment_columns!(), " FROM payment p WHERE p.id = $1"), " FOR UPDATE");
const LOAD_INTENT: Sql = sql!(
    concat!(
        "SELECT ",
        intent_columns!(),
        " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.id = $1"
    ),
    " FOR UPDATE OF i"
);
const GUARDED_UPDATE: Sql = sql!(
    "UPDATE payment SET refunded = $1, pending = $2, unknown = $3, refunds = $4, \
     fee_returned = $5, marketplace_held = $6, intents = $7, events = $8, seal = $9 \
     WHERE id = $10 AND events = $11 AND $12 <= cap \
     AND (refunds_max IS NULL OR $13 <= refunds_max) RETURNING id"
);
const INSERT_INTENT: Sql = sql!(
    "INSERT INTO intent (payment, ordinal, provider, key, key_until, key_window, amount, is_rest, \
     scope, fee, marketplace_fee, batch, line, content, reference, details, prepared_at, state, \
     attempts, lost, sent_at, key_expires_at, changed_at, refund, reason, request, parked, alarm, \
     worker, fence, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
     $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31) \
     ON CONFLICT DO NOTHING RETURNING id"
);
const UPDATE_INTENT: Sql = sql!(
    "UPDATE intent SET state = $1, attempts = $2, lost = $3, sent_at = $4, key_expires_at = $5, \
     changed_at = $6, refund = $7, reason = $8, request = $9, parked = $10, alarm = $11, \
     worker = $12, fence = $13, due_at = $14 WHERE id = $15"
);
const DELETE_INTENT: Sql = sql!("DELETE FROM intent WHERE id = $1");
const INSERT_EVENT: Sql = sql!(
    "INSERT INTO event (payment, seq, intent, at, data, seal) VALUES ($1, $2, $3, $4, $5, $6)"
);

/// What one transaction has loaded and changed.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) payments: BTreeMap<i64, Loaded>,
    pub(crate) intents: BTreeMap<i64, IntentRow>,
    changed: BTreeSet<i64>,
    /// Withdrawn: their events stay.
    removed: Vec<i64>,
    /// Without a number yet.
    pub(crate) new_intents: Vec<IntentRow>,
    events: Vec<Vec<Value>>,
}

/// A payment, and how many events it had when it was read.
pub(crate) struct Loaded {
    pub(crate) row: PaymentRow,
    seen: i64,
}

impl Loaded {
    fn new(row: PaymentRow) -> Self {
        Self { seen: row.events, row }
    }

    /// Appends to the chain of the payment.
    fn append(
        &mut self,
        ordinal: Option<i64>,
        event: &Event,
        at: Millis,
    ) -> Result<Vec<Value>, Error> {
        let data = to_json(event)?;
        let seq = self.row.events.saturating_add(1);
        self.row.seal = seal(&self.row.seal, seq, ordinal, at, &data);
        self.row.events = seq;
        Ok(vec![
            self.row.id.into(),
            seq.into(),
            ordinal.into(),
            at.0.into(),
            Value::Text(data),
            (&self.row.seal).into(),
        ])
    }
}

impl Work {
    /// Loads payments by name; gives the numbers of those that are there.
    pub(crate) async fn load_by_name<S: Session>(
        &mut self,
        session: &mut S,
        names: &BTreeSet<(&str, &str)>,
    ) -> Result<BTreeMap<(String, String), i64>, Error> {
        let values = names.iter().map(|(provider, name)| vec![(*provider).into(), (*name).into()]);
        let values: Vec<_> = values.collect();
        let mut numbers = BTreeMap::new();
        for mut row in
            session.each(NUMBER_OF_PAYMENT.of(S::DIALECT), values).await?.into_iter().flatten()
        {
            let id = row.int()?;
            numbers.insert((row.text()?, row.text()?), id);
        }
        self.load_payments(session, numbers.values().copied().collect()).await?;
        Ok(numbers)
    }

    /// Loads payments in the order of their numbers, so that two of us never wait for each other.
    async fn load_payments<S: Session>(
        &mut self,
        session: &mut S,
        ids: BTreeSet<i64>,
    ) -> Result<(), Error> {
        let values = ids.into_iter().map(|id| vec![id.into()]).collect();
        for mut row in
            session.each(LOAD_PAYMENT.of(S::DIALECT), values).await?.into_iter().flatten()
        {
            let row = PaymentRow::read(&mut row)?;
            self.payments.insert(row.id, Loaded::new(row));
        }
        Ok(())
    }

    /// Loads intents that others must not change now.
    pub(crate) async fn load_intents<S: Session>(
        &mut self,
        session: &mut S,
        ids: impl Iterator<Item = i64>,
    ) -> Result<(), Error> {
        let ids: BTreeSet<i64> = ids.collect();
        let values = ids.into_iter().map(|id| vec![id.into()]).collect();
        let found = session.each(LOAD_INTENT.of(S::DIALECT), values).await?;
        for mut row in found.into_iter().flatten() {
            let row = IntentRow::read(&mut row)?;
            self.intents.insert(row.id, row);
        }
        Ok(())
    }

    /// Loads the payments of some of the loaded intents.
    pub(crate) async fn load_their_payments<S: Session>(
        &mut self,
        session: &mut S,
        wanted: impl Fn(&IntentRow) -> bool + Send,
    ) -> Result<(), Error> {
        let ids: BTreeSet<i64> =
            self.intents.values().filter(|intent| wanted(intent)).map(|row| row.payment).collect();
        self.load_payments(session, ids).await
    }

    /// Writes a new intent down; gives its place among the new ones.
    pub(crate) fn add(&mut self, payment: i64, facts: IntentFacts) -> Result<usize, Error> {
        let at = facts.prepared_at;
        let loaded = self.payments.get_mut(&payment).ok_or_else(not_loaded)?;
        loaded.row.sums.take(&facts)?;
        loaded.row.intents = loaded.row.intents.saturating_add(1);
        let ordinal = loaded.row.intents;
        let event = Event::Prepared(Box::new(facts.clone()));
        self.events.push(loaded.append(Some(ordinal), &event, at)?);
        let payment_facts = Arc::clone(&loaded.row.facts);
        self.new_intents.push(IntentRow {
            id: 0,
            payment,
            provider: payment_facts.provider.clone(),
            payment_name: payment_facts.id.clone(),
            caller_reference: None,
            ordinal,
            life: Life::new(&facts),
            facts,
            lease: Lease { worker: None, fence: 0, due_at: Some(at.0) },
        });
        Ok(self.new_intents.len().saturating_sub(1))
    }

    /// What an event would do to a loaded intent, and what it contradicts.
    pub(crate) fn foresee(
        &self,
        intent: i64,
        event: &Event,
        at: Millis,
    ) -> Result<(Life, Option<String>), Error> {
        let row = self.intents.get(&intent).ok_or_else(not_loaded)?;
        let loaded = self.payments.get(&row.payment).ok_or_else(not_loaded)?;
        let (mut sums, mut life) = (loaded.row.sums, row.life.clone());
        let alarm = Subject::new(&mut sums, &row.facts, &mut life).apply(event, at)?;
        Ok((life, alarm))
    }

    /// Lets something happen to a loaded intent, and gives it as it is then.
    pub(crate) fn happen(
        &mut self,
        intent: i64,
        event: &Event,
        at: Millis,
    ) -> Result<&mut IntentRow, Error> {
        let row = self.intents.get_mut(&intent).ok_or_else(not_loaded)?;
        let loaded = self.payments.get_mut(&row.payment).ok_or_else(not_loaded)?;
        let sums = &mut loaded.row.sums;
        Subject::new(sums, &row.facts, &mut row.life).apply(event, at)?;
        self.events.push(loaded.append(Some(row.ordinal), event, at)?);
        self.changed.insert(intent);
        Ok(row)
    }

    /// Withdraws a loaded intent, which was never sent: what it holds is free again, and so are its key
    /// and its row. That it was there stays on the chain.
    pub(crate) fn withdraw(&mut self, intent: i64, at: Millis) -> Result<(), Error> {
        self.happen(intent, &Event::Withdrawn, at)?;
        self.changed.remove(&intent);
        self.removed.push(intent);
        Ok(())
    }

    /// Changes who has a loaded intent, which is no event: it says nothing of money.
    pub(crate) fn lease(&mut self, intent: i64) -> Option<&mut IntentRow> {
        self.changed.insert(intent);
        self.intents.get_mut(&intent)
    }

    /// Writes everything, and gives the numbers of the new intents, in their order.
    pub(crate) async fn flush<S: Session>(self, session: &mut S) -> Result<Vec<i64>, Error> {
        let changed = self.payments.values().filter(|loaded| loaded.row.events != loaded.seen);
        let values: Vec<_> = changed.map(guarded).collect();
        for rows in session.each(GUARDED_UPDATE.of(S::DIALECT), values).await? {
            // Somebody was faster, or the limits do not hold: nothing of this is committed.
            if rows.is_empty() {
                return Err(Error::new(ErrorKind::Contended));
            }
        }
        let new = self.new_intents.iter().map(|intent| {
            let mut values = intent.staying();
            values.extend(intent.changing());
            values
        });
        let mut ids = Vec::new();
        for mut rows in session.each(INSERT_INTENT.of(S::DIALECT), new.collect()).await? {
            let row = rows.first_mut().ok_or_else(|| Error::new(ErrorKind::Contended))?;
            ids.push(row.int()?);
        }
        let changed = self.changed.iter().filter_map(|id| self.intents.get(id));
        let values = changed.map(|intent| {
            let mut values = intent.changing();
            values.push(intent.id.into());
            values
        });
        session.each(UPDATE_INTENT.of(S::DIALECT), values.collect()).await?;
        let removed = self.removed.iter().map(|id| vec![(*id).into()]);
        session.each(DELETE_INTENT.of(S::DIALECT), removed.collect()).await?;
        session.each(INSERT_EVENT.of(S::DIALECT), self.events).await?;
        Ok(ids)
    }

    /// Takes a payment that was just made as loaded, with its first event.
    pub(crate) fn import(&mut self, mut row: PaymentRow) -> Result<&PaymentRow, Error> {
        let event = Event::Imported(Box::new((*row.facts).clone()));
        row.events = 0;
        let (id, at) = (row.id, row.imported_at);
        let mut loaded = Loaded::new(row);
        self.events.push(loaded.append(None, &event, at)?);
        // It is inserted as it is, and not updated.
        loaded.seen = loaded.row.events;
        let loaded = self.payments.entry(id).or_insert(loaded);
        Ok(&loaded.row)
    }
}

fn guarded(loaded: &Loaded) -> Vec<Value> {
    let PaymentRow { id, sums, intents, events, seal, .. } = &loaded.row;
    vec![
        sums.refunded.into(),
        sums.pending.into(),
        sums.unknown.into(),
        sums.refunds.into(),
        sums.fee_returned.into(),
        sums.marketplace_held.into(),
        (*intents).into(),
        (*events).into(),
        seal.into(),
        (*id).into(),
        loaded.seen.into(),
        sums.held().into(),
        sums.refunds.into(),
    ]
}

fn not_loaded() -> Error {
    Error::damaged("an intent", "its payment is not there")
}

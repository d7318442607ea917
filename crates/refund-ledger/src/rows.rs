//! Rows of the tables as values, both ways.

use std::sync::Arc;

use refund_rules::{Currency, Money, RefundState, Scope};

use crate::error::Error;
use crate::event::Seal;
use crate::intent::{IntentFacts, IntentId, IntentRecord, KeyLife, Life};
use crate::payment::{PaymentFacts, PaymentRecord, Sums};
use crate::session::{Row, Value};
use crate::time::Millis;

/// A row of `payment`.
#[derive(Clone, Debug)]
pub(crate) struct PaymentRow {
    pub(crate) id: i64,
    pub(crate) facts: Arc<PaymentFacts>,
    pub(crate) imported_at: Millis,
    pub(crate) sums: Sums,
    pub(crate) intents: i64,
    pub(crate) events: i64,
    pub(crate) seal: Seal,
}

/// What `PaymentRow::read` reads.
macro_rules! payment_columns {
    () => {
        "p.id, p.facts, p.imported_at, p.refunded, p.pending, p.unknown, p.refunds, \
         p.fee_returned, p.marketplace_held, p.intents, p.events, p.seal"
    };
}
pub(crate) use payment_columns;

impl PaymentRow {
    pub(crate) fn read(row: &mut Row) -> Result<Self, Error> {
        let id = row.int()?;
        let facts = serde_json::from_str(&row.text()?)
            .map_err(|error| Error::damaged(format!("payment {id}"), error.to_string()))?;
        Ok(Self {
            id,
            facts: Arc::new(facts),
            imported_at: Millis(row.int()?),
            sums: Sums {
                refunded: row.int()?,
                pending: row.int()?,
                unknown: row.int()?,
                refunds: row.int()?,
                fee_returned: row.int()?,
                marketplace_held: row.int()?,
            },
            intents: row.int()?,
            events: row.int()?,
            seal: row.seal()?,
        })
    }

    /// Everything, for an `INSERT`.
    pub(crate) fn values(&self) -> Result<Vec<Value>, Error> {
        let facts = &*self.facts;
        let sums = &self.sums;
        Ok(vec![
            self.id.into(),
            (&facts.provider).into(),
            (&facts.id).into(),
            facts.caller_reference.as_ref().into(),
            facts.payment.captured().currency().code().into(),
            facts.payment.captured().minor().into(),
            facts.cap().map_err(|error| impossible(facts, &error))?.into(),
            facts.refunds_max().map(i64::from).into(),
            facts.completed_at.map(|at| at.0).into(),
            self.imported_at.0.into(),
            Value::Text(to_json(facts)?),
            sums.refunded.into(),
            sums.pending.into(),
            sums.unknown.into(),
            sums.refunds.into(),
            sums.fee_returned.into(),
            sums.marketplace_held.into(),
            self.intents.into(),
            self.events.into(),
            (&self.seal).into(),
        ])
    }

    pub(crate) fn record(&self) -> Result<PaymentRecord, Error> {
        let facts = &self.facts;
        let captured = facts.payment.captured();
        let money = |minor| Money::from_minor(minor, captured.currency());
        let left = |of: Money| money(of.minor().saturating_sub(self.sums.held()).max(0));
        let cap = facts.cap().map_err(|error| impossible(facts, &error))?;
        Ok(PaymentRecord {
            facts: (**facts).clone(),
            imported_at: self.imported_at,
            refunded: money(self.sums.refunded),
            pending: money(self.sums.pending),
            unknown: money(self.sums.unknown),
            remaining: left(captured),
            remaining_with_overage: left(money(cap)),
            refunds: u32::try_from(self.sums.refunds).unwrap_or(u32::MAX),
            fee_returned: money(self.sums.fee_returned),
        })
    }
}

/// What is stored of a payment cannot be.
pub(crate) fn impossible(facts: &PaymentFacts, error: &impl ToString) -> Error {
    Error::damaged(format!("payment {} {}", facts.provider, facts.id), error.to_string())
}

/// A row of `intent`, and what is told of its payment with it.
#[derive(Clone, Debug)]
pub(crate) struct IntentRow {
    /// Zero before it is inserted.
    pub(crate) id: i64,
    pub(crate) payment: i64,
    pub(crate) provider: String,
    pub(crate) payment_name: String,
    pub(crate) caller_reference: Option<String>,
    pub(crate) ordinal: i64,
    pub(crate) facts: IntentFacts,
    pub(crate) life: Life,
    pub(crate) lease: Lease,
}

/// Who has an intent, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) worker: Option<String>,
    /// Counts the claims.
    pub(crate) fence: i64,
    /// When somebody must look at it next.
    pub(crate) due_at: Option<i64>,
}

/// What `IntentRow::read` reads.
macro_rules! intent_columns {
    () => {
        "i.id, i.payment, i.provider, p.name, p.caller_reference, p.currency, i.ordinal, i.key, \
         i.key_until, i.key_window, i.amount, i.is_rest, i.scope, i.fee, i.marketplace_fee, i.batch, \
         i.line, i.content, i.reference, i.details, i.prepared_at, i.state, i.attempts, i.lost, i.sent_at, \
         i.key_expires_at, i.changed_at, i.refund, i.reason, i.request, i.parked, i.alarm, i.worker, \
         i.fence, i.due_at"
    };
}
pub(crate) use intent_columns;

impl IntentRow {
    pub(crate) fn read(row: &mut Row) -> Result<Self, Error> {
        let (id, payment) = (row.int()?, row.int()?);
        let (provider, payment_name) = (row.text()?, row.text()?);
        let caller_reference = row.maybe_text()?;
        let currency = Currency::from_code(&row.text()?)
            .map_err(|error| Error::damaged(format!("payment {payment}"), error.to_string()))?;
        Ok(Self {
            id,
            payment,
            provider,
            payment_name,
            caller_reference,
            ordinal: row.int()?,
            facts: facts(row, currency)?,
            life: life(row)?,
            lease: Lease { worker: row.maybe_text()?, fence: row.int()?, due_at: row.maybe_int()? },
        })
    }

    /// What never changes, for an `INSERT`; [`IntentRow::changing`] follows.
    pub(crate) fn staying(&self) -> Vec<Value> {
        let facts = &self.facts;
        let (until, window) = match facts.key_life {
            KeyLife::Forever => (None, None),
            KeyLife::Until(at) => (Some(at.0), None),
            KeyLife::FromFirstTry(window) => (None, Some(window)),
        };
        vec![
            self.payment.into(),
            self.ordinal.into(),
            (&self.provider).into(),
            (&facts.key).into(),
            until.into(),
            window.into(),
            facts.amount.minor().into(),
            i64::from(facts.is_rest).into(),
            facts.scope.name().into(),
            facts.fee.minor().into(),
            facts.marketplace_fee.minor().into(),
            facts.batch.as_ref().into(),
            facts.row.and_then(|row| i64::try_from(row).ok()).into(),
            facts.content.as_ref().into(),
            facts.reference.as_ref().into(),
            facts.details.as_ref().into(),
            facts.prepared_at.0.into(),
        ]
    }

    /// What changes.
    pub(crate) fn changing(&self) -> Vec<Value> {
        let life = &self.life;
        vec![
            life.state.name().into(),
            i64::from(life.attempts).into(),
            i64::from(life.lost).into(),
            life.sent_at.map(|at| at.0).into(),
            life.key_expires_at.map(|at| at.0).into(),
            life.changed_at.0.into(),
            life.refund.as_ref().into(),
            life.reason.as_ref().into(),
            life.request.as_ref().into(),
            life.parked.as_ref().into(),
            life.alarm.as_ref().into(),
            self.lease.worker.as_ref().into(),
            self.lease.fence.into(),
            self.lease.due_at.into(),
        ]
    }

    pub(crate) fn record(self) -> IntentRecord {
        IntentRecord {
            id: IntentId(self.id),
            provider: self.provider,
            payment: self.payment_name,
            caller_reference: self.caller_reference,
            facts: self.facts,
            life: self.life,
        }
    }
}

fn facts(row: &mut Row, currency: Currency) -> Result<IntentFacts, Error> {
    let money = |minor| Money::from_minor(minor, currency);
    Ok(IntentFacts {
        key: row.text()?,
        key_life: match (row.maybe_int()?, row.maybe_int()?) {
            (Some(until), _) => KeyLife::Until(Millis(until)),
            (None, Some(window)) => KeyLife::FromFirstTry(window),
            (None, None) => KeyLife::Forever,
        },
        amount: money(row.int()?),
        is_rest: row.int()? != 0,
        scope: scope(row)?,
        fee: money(row.int()?),
        marketplace_fee: money(row.int()?),
        batch: row.maybe_text()?,
        row: row.maybe_int()?.and_then(|row| u64::try_from(row).ok()),
        content: row.maybe_text()?,
        reference: row.maybe_text()?,
        details: row.maybe_text()?,
        prepared_at: Millis(row.int()?),
    })
}

pub(crate) fn state(row: &mut Row) -> Result<RefundState, Error> {
    let state = RefundState::from_name(&row.text()?);
    state.ok_or_else(|| Error::damaged("an intent", "it is in no state"))
}

fn scope(row: &mut Row) -> Result<Scope, Error> {
    let scope = Scope::from_name(&row.text()?);
    scope.ok_or_else(|| Error::damaged("an intent", "it has no scope"))
}

fn life(row: &mut Row) -> Result<Life, Error> {
    Ok(Life {
        state: state(row)?,
        attempts: row.count()?,
        lost: row.count()?,
        sent_at: row.maybe_int()?.map(Millis),
        key_expires_at: row.maybe_int()?.map(Millis),
        changed_at: Millis(row.int()?),
        refund: row.maybe_text()?,
        reason: row.maybe_text()?,
        request: row.maybe_text()?,
        parked: row.maybe_text()?,
        alarm: row.maybe_text()?,
    })
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|error| Error::with(crate::error::ErrorKind::Invalid("text"), error))
}

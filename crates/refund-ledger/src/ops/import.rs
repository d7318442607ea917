//! Importing payments: one after the other on the chain of imports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Error;
use crate::event::Seal;
use crate::intent::Imported;
use crate::payment::{NewPayment, PaymentFacts, Sums};
use crate::rows::PaymentRow;
use crate::session::{Session, Sql, Value, sql};
use crate::time::Millis;
use crate::work::Work;

const LOAD_CHAIN: Sql = sql!("SELECT payments, seal FROM chain WHERE id = 1", " FOR UPDATE");
const UPDATE_CHAIN: Sql = sql!("UPDATE chain SET payments = $1, seal = $2 WHERE id = 1");
const INSERT_PAYMENT: Sql = sql!(
    "INSERT INTO payment (id, provider, name, caller_reference, currency, captured, cap, \
     refunds_max, completed_at, imported_at, facts, refunded, pending, unknown, refunds, \
     fee_returned, marketplace_held, intents, events, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
     $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
);

pub(crate) async fn run<S: Session>(
    session: &mut S,
    payments: &[NewPayment],
    at: Millis,
) -> Result<Vec<Imported>, Error> {
    // Imports wait for each other here, so that none can be between the look-up and the insert.
    let head = session.one(LOAD_CHAIN.of(S::DIALECT), Vec::new()).await?;
    let Some(mut head) = head.into_iter().next() else {
        return Err(Error::damaged("the chain of imports", "its head is not there"));
    };
    let (mut count, mut seal) = (head.int()?, head.seal()?);
    let mut work = Work::default();
    let mut known = known(session, &mut work, payments).await?;
    let mut answers = Vec::with_capacity(payments.len());
    let mut rows = Vec::new();
    for payment in payments {
        let facts = &payment.facts;
        let name = (facts.provider.clone(), facts.id.clone());
        if let Some(there) = known.get(&name) {
            let fields = there.differences(facts);
            answers.push(match fields.is_empty() {
                true => Imported::Exists,
                false => Imported::Differs { fields },
            });
            continue;
        }
        count = count.saturating_add(1);
        let row = new(count, facts, at, seal)?;
        let row = work.import(row)?;
        seal = row.seal;
        rows.push(row.values()?);
        known.insert(name, Arc::clone(&row.facts));
        answers.push(Imported::New);
    }
    if !rows.is_empty() {
        session.each(INSERT_PAYMENT.of(S::DIALECT), rows).await?;
        work.flush(session).await?;
        let head: Vec<Value> = vec![count.into(), (&seal).into()];
        session.one(UPDATE_CHAIN.of(S::DIALECT), head).await?;
    }
    Ok(answers)
}

type Known = BTreeMap<(String, String), Arc<PaymentFacts>>;

async fn known<S: Session>(
    session: &mut S,
    work: &mut Work,
    payments: &[NewPayment],
) -> Result<Known, Error> {
    let names = payments.iter().map(|payment| (&*payment.facts.provider, &*payment.facts.id));
    let names: BTreeSet<_> = names.collect();
    let numbers = work.load_by_name(session, &names).await?;
    let facts = |id| work.payments.get(&id).map(|loaded| Arc::clone(&loaded.row.facts));
    Ok(numbers.into_iter().filter_map(|(name, id)| Some((name, facts(id)?))).collect())
}

fn new(id: i64, facts: &PaymentFacts, at: Millis, before: Seal) -> Result<PaymentRow, Error> {
    Ok(PaymentRow {
        id,
        facts: Arc::new(facts.clone()),
        imported_at: at,
        sums: Sums::imported(&facts.payment)?,
        intents: 0,
        events: 0,
        seal: before,
    })
}

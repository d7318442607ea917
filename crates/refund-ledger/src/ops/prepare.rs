//! Preparing intents: what is there already is compared, the rest is judged and written down.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::intent::{IntentId, NewIntent, Prepared};
use crate::judge::judge;
use crate::ops::{Answer, Op, batch};
use crate::rows::{IntentRow, intent_columns};
use crate::session::{Session, Sql, Value, sql};
use crate::time::Millis;
use crate::work::Work;

const BY_KEY: Sql = sql!(concat!(
    "SELECT ",
    intent_columns!(),
    " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.provider = $1 AND i.key = $2"
));
const BY_ROW: Sql = sql!(concat!(
    "SELECT ",
    intent_columns!(),
    " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.batch = $1 AND i.line = $2"
));

// In another batch for the same account. What was declined may be asked for again.
const BY_REFERENCE: Sql = sql!(
    "SELECT i.batch, i.id FROM intent i JOIN batch b ON b.name = i.batch \
     JOIN batch own ON own.name = $1 WHERE i.reference = $2 AND i.batch <> own.name \
     AND i.state <> 'declined' AND b.provider = own.provider AND b.target = own.target \
     ORDER BY i.id LIMIT 1"
);

/// Does all requests of this kind, and gives each answer with its place.
pub(crate) async fn all<S: Session>(
    session: &mut S,
    ops: &[&Op],
) -> Result<Vec<(usize, Answer)>, Error> {
    let mut wishes = Vec::new();
    let mut lengths = Vec::new();
    for (place, op) in ops.iter().enumerate() {
        if let Op::Prepare(intents, at) = op {
            wishes.extend(intents.iter().map(|intent| (intent, *at)));
            lengths.push((place, intents.len()));
        }
    }
    let mut prepared = run(session, &wishes).await?.into_iter();
    let answer = |(place, length)| (place, prepared.by_ref().take(length).collect());
    let answers = lengths.into_iter().map(answer);
    Ok(answers.map(|(place, prepared)| (place, Answer::Prepared(prepared))).collect())
}

type Wishes<'a> = [(&'a NewIntent, Millis)];

async fn run<S: Session>(session: &mut S, wishes: &Wishes<'_>) -> Result<Vec<Prepared>, Error> {
    let mut answers = BTreeMap::new();
    let mut waiting: Vec<usize> = (0..wishes.len()).collect();
    // Two of one key or of one row are not in one wave, so that the second finds the first.
    while !waiting.is_empty() {
        let mut keys = BTreeSet::new();
        let mut rows = BTreeSet::new();
        let (wave, later) = waiting.into_iter().partition::<Vec<_>, _>(|place| {
            wishes.get(*place).is_some_and(|(wish, _)| {
                keys.insert((&wish.provider, &wish.key))
                    && (wish.batch.is_none() || rows.insert((&wish.batch, wish.row)))
            })
        });
        let of_wave: Vec<_> = wave.iter().filter_map(|place| wishes.get(*place).copied()).collect();
        let prepared = wave_of(session, &of_wave).await?;
        answers.extend(wave.into_iter().zip(prepared));
        waiting = later;
    }
    Ok(answers.into_values().collect())
}

async fn wave_of<S: Session>(session: &mut S, wishes: &Wishes<'_>) -> Result<Vec<Prepared>, Error> {
    let there = there(session, wishes).await?;
    let closed = closed_batches(session, wishes).await?;
    let repeated = repeated(session, wishes, &there).await?;
    let mut work = Work::default();
    let new = wishes.iter().zip(&there).filter(|(_, there)| there.is_none());
    let names = new.map(|((wish, _), _)| (&*wish.provider, &*wish.payment)).collect();
    let numbers = work.load_by_name(session, &names).await?;
    let mut answers = Vec::with_capacity(wishes.len());
    // Where among the answers each new one is.
    let mut places = Vec::new();
    for (((wish, at), there), repeated) in wishes.iter().zip(there).zip(repeated) {
        if let Some(there) = there {
            answers.push(compare(&there, wish));
            continue;
        }
        if let Some(closed) =
            wish.batch.as_ref().and_then(|batch| closed.get(&(batch, &wish.provider)))
        {
            answers.push(closed.clone());
            continue;
        }
        if let Some(repeats) = repeated {
            answers.push(repeats);
            continue;
        }
        let number = numbers.get(&(wish.provider.clone(), wish.payment.clone()));
        let Some(loaded) = number.and_then(|number| work.payments.get(number)) else {
            answers.push(Prepared::NoSuchPayment);
            continue;
        };
        let (number, payment) = (loaded.row.id, &loaded.row);
        match judge(&payment.facts, &payment.sums, wish, *at)? {
            Ok(facts) => {
                let amount = facts.amount;
                work.add(number, facts)?;
                places.push((answers.len(), amount));
                answers.push(Prepared::NoSuchPayment);
            }
            Err(refused) => answers.push(Prepared::Refused(refused)),
        }
    }
    let ids = work.flush(session).await?;
    for ((place, amount), id) in places.into_iter().zip(ids) {
        if let Some(answer) = answers.get_mut(place) {
            *answer = Prepared::New { id: IntentId(id), amount };
        }
    }
    Ok(answers)
}

/// Of which batches a provider can have no new row, and why.
async fn closed_batches<'a, S: Session>(
    session: &mut S,
    wishes: &Wishes<'a>,
) -> Result<BTreeMap<(&'a String, &'a String), Prepared>, Error> {
    let names = wishes.iter().filter_map(|(wish, _)| Some((wish.batch.as_ref()?, &wish.provider)));
    let names: BTreeSet<_> = names.collect();
    let mut closed = BTreeMap::new();
    for (name, provider) in names {
        let why = match batch::load(session, name).await? {
            Some(batch) if batch.provider != *provider => Prepared::NoSuchBatch,
            None => Prepared::NoSuchBatch,
            Some(batch) if batch.sealed_at.is_some() => Prepared::BatchSealed,
            Some(_) => continue,
        };
        closed.insert((name, provider), why);
    }
    Ok(closed)
}

/// Which of the new ones have the reference of a refund of another batch.
async fn repeated<S: Session>(
    session: &mut S,
    wishes: &Wishes<'_>,
    there: &[Option<IntentRow>],
) -> Result<Vec<Option<Prepared>>, Error> {
    let mut repeated: Vec<Option<Prepared>> = wishes.iter().map(|_| None).collect();
    let mut places = Vec::new();
    let mut values: Vec<Vec<Value>> = Vec::new();
    for (place, ((wish, _), there)) in wishes.iter().zip(there).enumerate() {
        if let (None, Some(batch), Some(reference)) = (there, &wish.batch, &wish.reference) {
            places.push(place);
            values.push(vec![batch.into(), reference.into()]);
        }
    }
    let found = session.each(BY_REFERENCE.of(S::DIALECT), values).await?;
    for (place, rows) in places.into_iter().zip(found) {
        if let (Some(slot), Some(mut row)) = (repeated.get_mut(place), rows.into_iter().next()) {
            *slot = Some(Prepared::Repeats { batch: row.text()?, id: IntentId(row.int()?) });
        }
    }
    Ok(repeated)
}

/// What is there under the key or in the row of each.
async fn there<S: Session>(
    session: &mut S,
    wishes: &Wishes<'_>,
) -> Result<Vec<Option<IntentRow>>, Error> {
    let keys = wishes.iter().map(|(wish, _)| vec![(&wish.provider).into(), (&wish.key).into()]);
    let mut found = one_each(session.each(BY_KEY.of(S::DIALECT), keys.collect()).await?)?;
    let mut places = Vec::new();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for (place, ((wish, _), found)) in wishes.iter().zip(&found).enumerate() {
        let line = wish.row.and_then(|row| i64::try_from(row).ok());
        if let (None, Some(batch), Some(line)) = (found, &wish.batch, line) {
            places.push(place);
            rows.push(vec![batch.into(), line.into()]);
        }
    }
    let by_row = one_each(session.each(BY_ROW.of(S::DIALECT), rows).await?)?;
    for (place, there) in places.into_iter().zip(by_row) {
        if let Some(slot) = found.get_mut(place) {
            *slot = there;
        }
    }
    Ok(found)
}

fn one_each(found: Vec<Vec<crate::session::Row>>) -> Result<Vec<Option<IntentRow>>, Error> {
    let first = |rows: Vec<_>| rows.into_iter().next();
    let read = |row: Option<_>| row.map(|mut row| IntentRow::read(&mut row)).transpose();
    found.into_iter().map(first).map(read).collect()
}

fn compare(there: &IntentRow, wish: &NewIntent) -> Prepared {
    let mut fields = there.facts.differences(wish);
    if there.provider != wish.provider {
        fields.insert(0, "provider");
    }
    if there.payment_name != wish.payment {
        fields.insert(0, "payment");
    }
    let id = IntentId(there.id);
    if fields.is_empty() {
        Prepared::Exists { id, amount: there.facts.amount, state: there.life.state }
    } else {
        Prepared::Differs { id, fields }
    }
}

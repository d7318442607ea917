//! Batches: opened, filled by [`super::prepare`], taken back, sealed.

use sha2::{Digest, Sha256};

use crate::batch::{BatchRecord, NewBatch};
use crate::error::{Error, ErrorKind};
use crate::event::Seal;
use crate::rows::{IntentRow, intent_columns};
use crate::session::{Row, Session, Sql, Value, sql};
use crate::time::Millis;
use crate::work::Work;

/// What [`read`] reads.
macro_rules! batch_columns {
    () => {
        "name, provider, target, source, opened_at, sealed_at, row_count, skipped, seal"
    };
}
pub(crate) use batch_columns;

const INSERT: Sql = sql!(
    "INSERT INTO batch (name, provider, target, source, opened_at, seal) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT DO NOTHING"
);
const LOAD: Sql =
    sql!(concat!("SELECT ", batch_columns!(), " FROM batch WHERE name = $1"), " FOR UPDATE");
const IS_SEALED: Sql = sql!("SELECT sealed_at FROM batch WHERE name = $1");
const RESOURCE: Sql = sql!("UPDATE batch SET source = $1, seal = $2 WHERE name = $3");
const SEAL: Sql = sql!(
    "UPDATE batch SET sealed_at = $1, row_count = $2, skipped = $3, seal = $4 WHERE name = $5"
);
const COUNT: Sql = sql!("SELECT count(*) FROM intent WHERE batch = $1");
const OF_BATCH: Sql = sql!(concat!(
    "SELECT ",
    intent_columns!(),
    " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.batch = $1 ORDER BY i.line LIMIT $2"
));
const UNTOUCHED: Sql = sql!(
    concat!(
        "SELECT ",
        intent_columns!(),
        " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.batch = $1 AND i.attempts = 0 \
         AND i.state = 'prepared' AND i.refund IS NULL AND i.parked IS NULL AND i.worker IS NULL \
         ORDER BY i.line LIMIT $2"
    ),
    " FOR UPDATE OF i SKIP LOCKED"
);

/// The batch as it is stored.
pub(crate) async fn load<S: Session>(
    session: &mut S,
    name: &str,
) -> Result<Option<BatchRecord>, Error> {
    let rows = session.one(LOAD.of(S::DIALECT), vec![name.into()]).await?;
    rows.into_iter().next().map(|mut row| read(&mut row)).transpose()
}

/// The batch, which must be open.
async fn must_be_open<S: Session>(session: &mut S, name: &str) -> Result<BatchRecord, Error> {
    let batch = load(session, name).await?.ok_or_else(|| Error::new(ErrorKind::NoSuchBatch))?;
    match batch.sealed_at {
        None => Ok(batch),
        Some(_) => Err(Error::new(ErrorKind::BatchSealed)),
    }
}

/// Fails unless the batch is sealed. Nothing is locked, because no seal is ever broken.
pub(crate) async fn must_be_sealed<S: Session>(session: &mut S, name: &str) -> Result<(), Error> {
    let rows = session.one(IS_SEALED.of(S::DIALECT), vec![name.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Err(Error::new(ErrorKind::NoSuchBatch));
    };
    match row.maybe_int()? {
        Some(_) => Ok(()),
        None => Err(Error::new(ErrorKind::BatchOpen)),
    }
}

/// Opens a batch, or gives the one of this name that is there.
pub(crate) async fn open<S: Session>(
    session: &mut S,
    new: &NewBatch,
    at: Millis,
) -> Result<BatchRecord, Error> {
    let batch = BatchRecord {
        name: new.name.clone(),
        provider: new.provider.clone(),
        target: new.target.clone(),
        source: new.source.clone(),
        opened_at: at,
        sealed_at: None,
        rows: None,
        skipped: None,
    };
    let values: Vec<Value> = vec![
        (&new.name).into(),
        (&new.provider).into(),
        (&new.target).into(),
        (&new.source).into(),
        at.0.into(),
        (&seal_of(&batch)).into(),
    ];
    session.one(INSERT.of(S::DIALECT), values).await?;
    load(session, &new.name).await?.ok_or_else(|| Error::new(ErrorKind::NoSuchBatch))
}

/// Says from what an open batch is read now.
pub(crate) async fn resource<S: Session>(
    session: &mut S,
    name: &str,
    source: &str,
) -> Result<BatchRecord, Error> {
    let batch = must_be_open(session, name).await?;
    let batch = BatchRecord { source: source.to_owned(), ..batch };
    let values = vec![source.into(), (&seal_of(&batch)).into(), name.into()];
    session.one(RESOURCE.of(S::DIALECT), values).await?;
    Ok(batch)
}

/// Takes rows of an open batch back, at most so many; gives how many those were.
pub(crate) async fn withdraw<S: Session>(
    session: &mut S,
    name: &str,
    most: u32,
    at: Millis,
) -> Result<u64, Error> {
    must_be_open(session, name).await?;
    let values = vec![name.into(), Value::Int(most.into())];
    let rows = session.one(OF_BATCH.of(S::DIALECT), values).await?;
    take_back(session, rows, at).await
}

/// Takes back at most so many rows of a batch that nobody ever began to send, sealed or not; gives how
/// many those were. A seal then covers the rest.
pub(crate) async fn cancel<S: Session>(
    session: &mut S,
    name: &str,
    most: u32,
    at: Millis,
) -> Result<u64, Error> {
    let batch = load(session, name).await?.ok_or_else(|| Error::new(ErrorKind::NoSuchBatch))?;
    let values = vec![name.into(), Value::Int(most.into())];
    let rows = session.one(UNTOUCHED.of(S::DIALECT), values).await?;
    let taken = take_back(session, rows, at).await?;
    if let (Some(sealed_at), Some(rows), Some(skipped)) =
        (batch.sealed_at, batch.rows, batch.skipped)
    {
        let (rows, skipped) = (rows.saturating_sub(taken), skipped.saturating_add(taken));
        write_seal(
            session,
            BatchRecord { rows: Some(rows), skipped: Some(skipped), ..batch },
            sealed_at,
        )
        .await?;
    }
    Ok(taken)
}

async fn take_back<S: Session>(session: &mut S, rows: Vec<Row>, at: Millis) -> Result<u64, Error> {
    let mut work = Work::default();
    for mut row in rows {
        let row = IntentRow::read(&mut row)?;
        work.intents.insert(row.id, row);
    }
    if let Some(told_of) = work.intents.values().find(|row| !row.life.is_untouched()) {
        return Err(told_of.life.unsendable());
    }
    work.load_their_payments(session, |_| true).await?;
    let ids: Vec<i64> = work.intents.keys().copied().collect();
    for id in &ids {
        work.withdraw(*id, at)?;
    }
    work.flush(session).await?;
    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
}

/// Seals an open batch, if it has so many rows, and of this source; one that is sealed alike is left as
/// it is.
pub(crate) async fn seal<S: Session>(
    session: &mut S,
    name: &str,
    source: &str,
    (rows, skipped): (u64, u64),
    at: Millis,
) -> Result<BatchRecord, Error> {
    let batch = load(session, name).await?.ok_or_else(|| Error::new(ErrorKind::NoSuchBatch))?;
    if batch.source != source {
        return Err(Error::new(ErrorKind::Invalid("source of a batch")));
    }
    if batch.sealed_at.is_some() {
        let is_same = (batch.rows, batch.skipped) == (Some(rows), Some(skipped));
        return if is_same { Ok(batch) } else { Err(Error::new(ErrorKind::BatchSealed)) };
    }
    let counted = session.one(COUNT.of(S::DIALECT), vec![name.into()]).await?.into_iter().next();
    let counted = counted.map(|mut row| row.int()).transpose()?.unwrap_or_default();
    if u64::try_from(counted) != Ok(rows) {
        return Err(Error::new(ErrorKind::Invalid("number of rows")));
    }
    write_seal(session, BatchRecord { rows: Some(rows), skipped: Some(skipped), ..batch }, at).await
}

async fn write_seal<S: Session>(
    session: &mut S,
    batch: BatchRecord,
    at: Millis,
) -> Result<BatchRecord, Error> {
    let batch = BatchRecord { sealed_at: Some(at), ..batch };
    let int = |number: Option<u64>| {
        number.and_then(|number| i64::try_from(number).ok()).map_or(Value::Null, Value::Int)
    };
    let values: Vec<Value> = vec![
        at.0.into(),
        int(batch.rows),
        int(batch.skipped),
        (&seal_of(&batch)).into(),
        (&batch.name).into(),
    ];
    session.one(SEAL.of(S::DIALECT), values).await?;
    Ok(batch)
}

/// A hash of all that is said of a batch.
fn seal_of(batch: &BatchRecord) -> Seal {
    let mut hash = Sha256::new();
    for text in [&batch.name, &batch.provider, &batch.target, &batch.source] {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    hash.update(batch.opened_at.0.to_be_bytes());
    let count = |count: Option<u64>| count.and_then(|count| i64::try_from(count).ok());
    for number in [batch.sealed_at.map(|at| at.0), count(batch.rows), count(batch.skipped)] {
        hash.update([u8::from(number.is_some())]);
        hash.update(number.unwrap_or_default().to_be_bytes());
    }
    hash.finalize().into()
}

pub(crate) fn read(row: &mut Row) -> Result<BatchRecord, Error> {
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let batch = BatchRecord {
        name: row.text()?,
        provider: row.text()?,
        target: row.text()?,
        source: row.text()?,
        opened_at: Millis(row.int()?),
        sealed_at: row.maybe_int()?.map(Millis),
        rows: count(row.maybe_int()?),
        skipped: count(row.maybe_int()?),
    };
    if row.seal().ok() != Some(seal_of(&batch)) {
        return Err(Error::damaged(format!("batch {}", batch.name), "it is not what was written"));
    }
    Ok(batch)
}

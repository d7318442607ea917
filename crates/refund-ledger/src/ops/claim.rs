//! Claiming what is due: for a time, so that a worker that dies keeps nothing.

use crate::claim::{Claim, Claimed, Wanted};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::intent::IntentId;
use crate::ops::batch;
use crate::rows::{IntentRow, intent_columns};
use crate::session::{Row, Session, Sql, Value, sql};
use crate::time::Millis;
use crate::work::Work;

use refund_rules::RefundState;

/// The most in one claim.
const MOST: u32 = 10_000;

/// What is due, in its order.
macro_rules! due {
    ($batch:literal, $which:literal, $most:literal) => {
        sql!(
            concat!(
                "SELECT ",
                intent_columns!(),
                " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.due_at <= $1 AND ",
                $batch,
                " AND i.attempts ",
                $which,
                " ORDER BY i.due_at, i.id LIMIT ",
                $most
            ),
            " FOR UPDATE OF i SKIP LOCKED"
        )
    };
}

/// Never sent, and sent before; of no batch, and of one.
const DUE: [[Sql; 2]; 2] = [
    [due!("i.batch IS NULL", "= 0", "$2"), due!("i.batch IS NULL", "> 0", "$2")],
    [due!("i.batch = $2", "= 0", "$3"), due!("i.batch = $2", "> 0", "$3")],
];

async fn due<S: Session>(
    session: &mut S,
    sql: Sql,
    batch: Option<&String>,
    (now, most): (Millis, u32),
) -> Result<Vec<Row>, Error> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let mut values = vec![now.0.into()];
    values.extend(batch.map(Value::from));
    values.push(Value::Int(most.into()));
    session.one(sql.of(S::DIALECT), values).await
}

pub(crate) async fn run<S: Session>(
    session: &mut S,
    wanted: &Wanted,
    now: Millis,
) -> Result<Vec<Claimed>, Error> {
    if let Some(batch) = &wanted.batch {
        batch::must_be_sealed(session, batch).await?;
    }
    let most = wanted.most.min(MOST);
    let batch = wanted.batch.as_ref();
    let [new, sent] = DUE[usize::from(batch.is_some())];
    // What was sent comes first, so that bad news does; but it leaves half of the room to the rest.
    let mut rows = due(session, sent, batch, (now, most.div_ceil(2))).await?;
    let found = u32::try_from(rows.len()).unwrap_or(most);
    rows.extend(due(session, new, batch, (now, most.saturating_sub(found))).await?);
    let mut work = Work::default();
    let mut ids = Vec::new();
    for mut row in rows {
        let row = IntentRow::read(&mut row)?;
        ids.push(row.id);
        work.intents.insert(row.id, row);
    }
    let is_abandoned = |intent: &IntentRow| intent.life.state == RefundState::Sent;
    work.load_their_payments(session, is_abandoned).await?;
    let until = now.plus(wanted.lease.max(1));
    let mut claimed = Vec::with_capacity(ids.len());
    for id in ids {
        // Whoever was to send it never said what became of it.
        if work.intents.get(&id).is_some_and(is_abandoned) {
            work.happen(id, &Event::Abandoned, now)?;
        }
        let row = work.lease(id).ok_or_else(|| Error::new(ErrorKind::NoSuchIntent))?;
        row.lease.worker = Some(wanted.worker.clone());
        row.lease.fence = row.lease.fence.saturating_add(1);
        row.lease.due_at = Some(until.0);
        let claim = Claim {
            intent: IntentId(id),
            worker: wanted.worker.clone(),
            until,
            fence: row.lease.fence,
        };
        claimed.push(Claimed { claim, intent: row.clone().record() });
    }
    work.flush(session).await?;
    Ok(claimed)
}

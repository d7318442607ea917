//! Claiming what is due: for a time, so that a worker that dies keeps nothing.

use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::intent::{Claim, Claimed, IntentId, Wanted};
use crate::ops::batch;
use crate::rows::{IntentRow, intent_columns};
use crate::session::{Session, Sql, Value, sql};
use crate::time::Millis;
use crate::work::Work;

use refund_rules::RefundState;

/// The most in one claim.
const MOST: u32 = 10_000;

const DUE: Sql = sql!(
    concat!(
        "SELECT ",
        intent_columns!(),
        " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.due_at <= $1 \
         AND i.batch IS NULL ORDER BY i.due_at, i.id LIMIT $2"
    ),
    " FOR UPDATE OF i SKIP LOCKED"
);
const DUE_OF_BATCH: Sql = sql!(
    concat!(
        "SELECT ",
        intent_columns!(),
        " FROM intent i JOIN payment p ON p.id = i.payment WHERE i.due_at <= $1 AND i.batch = $2 \
         ORDER BY i.due_at, i.id LIMIT $3"
    ),
    " FOR UPDATE OF i SKIP LOCKED"
);

pub(crate) async fn run<S: Session>(
    session: &mut S,
    wanted: &Wanted,
    now: Millis,
) -> Result<Vec<Claimed>, Error> {
    let most = Value::Int(wanted.most.min(MOST).into());
    let due = match &wanted.batch {
        None => session.one(DUE.of(S::DIALECT), vec![now.0.into(), most]).await?,
        Some(batch) => {
            batch::must_be_sealed(session, batch).await?;
            let values = vec![now.0.into(), batch.into(), most];
            session.one(DUE_OF_BATCH.of(S::DIALECT), values).await?
        }
    };
    let mut work = Work::default();
    let mut ids = Vec::new();
    for mut row in due {
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

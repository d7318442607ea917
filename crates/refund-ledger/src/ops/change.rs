//! Changing intents that are there: sending, what was learned, leases, parking.

use refund_rules::RefundState;

use crate::claim::{Attempt, Claim};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::intent::IntentId;
use crate::ops::{Answer, Keep, Op, inner};
use crate::outcome::{Recorded, Report};
use crate::payment::storable;
use crate::rows::IntentRow;
use crate::session::Session;
use crate::time::Millis;
use crate::work::Work;

/// Does all requests of these kinds, and gives each answer with its place.
pub(crate) async fn all<S: Session>(
    session: &mut S,
    ops: &[&Op],
) -> Result<Vec<(usize, Answer)>, Error> {
    let mut work = Work::default();
    work.load_intents(session, ops.iter().flat_map(|op| wanted(op))).await?;
    work.load_their_payments(session, |_| true).await?;
    let mut answers = Vec::new();
    for (place, op) in ops.iter().enumerate() {
        let answer = match op {
            Op::Sending(claim, now, margin) => {
                Answer::Sending(inner(sending(&mut work, claim, *now, *margin))?)
            }
            Op::Record(reports) => {
                let recorded = reports.iter().map(|report| inner(record(&mut work, report)));
                Answer::Recorded(recorded.collect::<Result<_, _>>()?)
            }
            Op::Lease(claim, until, keep) => {
                Answer::Done(inner(lease(&mut work, claim, *until, *keep))?)
            }
            Op::Park(intent, reason, at) => {
                Answer::Done(inner(park(&mut work, *intent, reason.as_ref(), *at))?)
            }
            Op::Due(intent, at) => Answer::Done(inner(due(&mut work, *intent, *at))?),
            _ => continue,
        };
        answers.push((place, answer));
    }
    work.flush(session).await?;
    Ok(answers)
}

/// The intents that a request is about.
fn wanted(op: &Op) -> Vec<i64> {
    match op {
        Op::Sending(claim, ..) | Op::Lease(claim, ..) => vec![claim.intent.0],
        Op::Record(reports) => reports.iter().map(|report| report.intent.0).collect(),
        Op::Park(intent, ..) | Op::Due(intent, _) => vec![intent.0],
        _ => Vec::new(),
    }
}

fn row(work: &Work, intent: IntentId) -> Result<&IntentRow, Error> {
    work.intents.get(&intent.0).ok_or_else(|| Error::new(ErrorKind::NoSuchIntent))
}

/// Is the claim still one?
fn held<'a>(work: &'a Work, claim: &Claim, now: Millis) -> Result<&'a IntentRow, Error> {
    let row = row(work, claim.intent)?;
    let is_own = row.lease.worker.as_ref() == Some(&claim.worker) && row.lease.fence == claim.fence;
    if is_own && row.lease.due_at.is_some_and(|until| now.0 < until) {
        return Ok(row);
    }
    Err(Error::new(ErrorKind::LeaseLost))
}

fn sending(work: &mut Work, claim: &Claim, now: Millis, margin: i64) -> Result<Attempt, Error> {
    let row = row(work, claim.intent)?;
    let life = &row.life;
    if !matches!(life.state, RefundState::Prepared | RefundState::Sent | RefundState::Unknown) {
        return Err(life.unsendable());
    }
    if life.parked.is_some() {
        return Err(Error::new(ErrorKind::Parked));
    }
    let row = held(work, claim, now)?;
    let latest = row.life.key_expires_at.map(|at| at.0.saturating_sub(margin));
    if latest.is_some_and(|latest| now.0 >= latest) {
        return Err(Error::new(ErrorKind::KeyExpired));
    }
    let number = row.life.attempts.saturating_add(1);
    let event = Event::Sending { attempt: number, worker: claim.worker.clone() };
    work.happen(claim.intent.0, &event, now)?;
    Ok(Attempt { intent: claim.intent, number, fence: claim.fence })
}

fn record(work: &mut Work, report: &Report) -> Result<Recorded, Error> {
    let Report { intent, attempt, fence, at, next_at, .. } = report;
    let outcome = report.outcome.clone().storable();
    let request = report.request.clone().map(storable);
    let before = row(work, *intent)?.life.clone();
    let event = Event::Reported { attempt: *attempt, outcome, request };
    let (mut after, alarm) = work.foresee(intent.0, &event, *at)?;
    after.changed_at = before.changed_at;
    // Asking again and hearing the same is no event, or following would fill the disk.
    if attempt.is_some() || after != before {
        work.happen(intent.0, &event, *at)?;
    }
    let ends_claim = *fence == Some(row(work, *intent)?.lease.fence);
    let row = work.lease(intent.0).ok_or_else(|| Error::new(ErrorKind::NoSuchIntent))?;
    let state = row.life.state;
    if state.is_final() {
        row.lease.worker = None;
        row.lease.due_at = None;
    } else if row.life.parked.is_none() && (ends_claim || row.lease.worker.is_none()) {
        row.lease.worker = None;
        row.lease.due_at = Some(next_at.unwrap_or(*at).0);
    }
    Ok(Recorded { before: before.state, state, alarm })
}

fn lease(work: &mut Work, claim: &Claim, until: Millis, keep: Keep) -> Result<(), Error> {
    let row = row(work, claim.intent)?;
    let is_own = row.lease.worker.as_ref() == Some(&claim.worker) && row.lease.fence == claim.fence;
    let Some(row) = work.lease(claim.intent.0).filter(|_| is_own) else {
        return Err(Error::new(ErrorKind::LeaseLost));
    };
    row.lease.due_at = Some(until.0);
    if keep == Keep::No {
        row.lease.worker = None;
    }
    Ok(())
}

fn due(work: &mut Work, intent: IntentId, at: Millis) -> Result<(), Error> {
    let IntentRow { life, lease, .. } = row(work, intent)?;
    let is_waiting = lease.worker.is_none() && lease.due_at.is_some_and(|due_at| at.0 < due_at);
    if is_waiting && !life.state.is_final() && life.parked.is_none() {
        let row = work.lease(intent.0).ok_or_else(|| Error::new(ErrorKind::NoSuchIntent))?;
        row.lease.due_at = Some(at.0);
    }
    Ok(())
}

fn park(
    work: &mut Work,
    intent: IntentId,
    reason: Option<&String>,
    at: Millis,
) -> Result<(), Error> {
    let life = &row(work, intent)?.life;
    if life.state.is_final() {
        return Err(Error::new(ErrorKind::Ended(life.state)));
    }
    let event = match reason {
        Some(reason) => Event::Parked { reason: storable(reason.clone()) },
        None if life.parked.is_some() => Event::Unparked,
        None => return Ok(()),
    };
    let row = work.happen(intent.0, &event, at)?;
    row.lease.worker = None;
    row.lease.due_at = reason.is_none().then_some(at.0);
    Ok(())
}

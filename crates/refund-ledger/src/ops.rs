//! What can be asked of the writer, and how what waits together is done together.

pub(crate) mod batch;
pub(crate) mod change;
pub(crate) mod claim;
pub(crate) mod import;
pub(crate) mod pace;
pub(crate) mod prepare;

use crate::batch::{BatchRecord, NewBatch};
use crate::claim::Wanted;
use crate::claim::{Attempt, Claim, Claimed};
use crate::error::{Error, ErrorKind};
use crate::intent::{Imported, IntentId, NewIntent, Prepared};
use crate::outcome::{Recorded, Report};
use crate::pace::Pace;
use crate::payment::NewPayment;
use crate::session::Session;
use crate::time::Millis;

/// One request. It can be done again when it is not known whether it was done.
#[derive(Debug)]
pub(crate) enum Op {
    Import(Vec<NewPayment>, Millis),
    Prepare(Vec<NewIntent>, Millis),
    Claim(Wanted, Millis),
    Sending(Claim, Millis, i64),
    Record(Vec<Report>),
    /// To whom a claim belongs from now on, and until when.
    Lease(Claim, Millis, Keep),
    /// A reason parks an intent, none unparks it.
    Park(IntentId, Option<String>, Millis),
    /// Makes an intent due, unless somebody has it.
    Due(IntentId, Millis),
    Batch(BatchOp),
    /// So many turns under a limit.
    Pace(Pace, u32, Millis),
}

/// What can be done with a batch.
#[derive(Debug)]
pub(crate) enum BatchOp {
    Open(NewBatch, Millis),
    /// From what it is read now.
    Resource {
        name: String,
        source: String,
    },
    /// Takes back at most so many of its rows.
    Withdraw {
        name: String,
        most: u32,
        at: Millis,
    },
    /// The same of rows that nobody began to send, in a sealed batch, too.
    Cancel {
        name: String,
        most: u32,
        at: Millis,
    },
    Seal {
        name: String,
        source: String,
        rows: u64,
        skipped: u64,
        at: Millis,
    },
}

/// Is a claim renewed or given up?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Yes,
    No,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Imported(Vec<Imported>),
    Prepared(Vec<Prepared>),
    Claimed(Result<Vec<Claimed>, Error>),
    Sending(Result<Attempt, Error>),
    Recorded(Vec<Result<Recorded, Error>>),
    Done(Result<(), Error>),
    Batch(Result<BatchRecord, Error>),
    Withdrawn(Result<u64, Error>),
    Turns(Vec<Millis>),
}

/// Does what waits together: requests of one kind in one go. The order of the answers is that of the
/// requests; they wait at the same time, so that no order among them was promised.
pub(crate) async fn run<S: Session>(session: &mut S, ops: &[&Op]) -> Result<Vec<Answer>, Error> {
    let mut answers: Vec<Option<Answer>> = ops.iter().map(|_| None).collect();
    let mut set = |place: usize, answer| {
        if let Some(slot) = answers.get_mut(place) {
            *slot = Some(answer);
        }
    };
    for (place, op) in ops.iter().enumerate() {
        match op {
            Op::Import(payments, at) => {
                let imported = import::run(session, payments, *at).await?;
                set(place, Answer::Imported(imported));
            }
            Op::Claim(wanted, now) => {
                set(place, Answer::Claimed(inner(claim::run(session, wanted, *now).await)?));
            }
            Op::Batch(op) => set(place, run_batch(session, op).await?),
            Op::Pace(pace, turns, now) => {
                set(place, Answer::Turns(pace::run(session, pace, *turns, *now).await?));
            }
            // These come in one go, below.
            Op::Prepare(..)
            | Op::Sending(..)
            | Op::Record(..)
            | Op::Lease(..)
            | Op::Park(..)
            | Op::Due(..) => {}
        }
    }
    for (place, answer) in prepare::all(session, ops).await? {
        set(place, answer);
    }
    for (place, answer) in change::all(session, ops).await? {
        set(place, answer);
    }
    let closed = || Error::new(ErrorKind::Closed);
    answers.into_iter().map(|answer| answer.ok_or_else(closed)).collect()
}

async fn run_batch<S: Session>(session: &mut S, op: &BatchOp) -> Result<Answer, Error> {
    Ok(match op {
        BatchOp::Open(new, at) => Answer::Batch(inner(batch::open(session, new, *at).await)?),
        BatchOp::Resource { name, source } => {
            Answer::Batch(inner(batch::resource(session, name, source).await)?)
        }
        BatchOp::Withdraw { name, most, at } => {
            Answer::Withdrawn(inner(batch::withdraw(session, name, *most, *at).await)?)
        }
        BatchOp::Cancel { name, most, at } => {
            Answer::Withdrawn(inner(batch::cancel(session, name, *most, *at).await)?)
        }
        BatchOp::Seal { name, source, rows, skipped, at } => {
            let counts = (*rows, *skipped);
            Answer::Batch(inner(batch::seal(session, name, source, counts, *at).await)?)
        }
    })
}

/// What is an answer to one request stays its own; what is wrong with the store ends the transaction.
fn inner<T>(outcome: Result<T, Error>) -> Result<Result<T, Error>, Error> {
    match outcome {
        Err(error) if error.is_of_the_store() => Err(error),
        outcome => Ok(outcome),
    }
}

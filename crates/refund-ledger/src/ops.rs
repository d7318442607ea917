//! What can be asked of the writer, and how what waits together is done together.

pub(crate) mod change;
pub(crate) mod claim;
pub(crate) mod import;
pub(crate) mod prepare;

use crate::error::{Error, ErrorKind};
use crate::intent::{Attempt, Claim, Claimed, Imported, IntentId, NewIntent, Prepared};
use crate::intent::{Recorded, Report, Wanted};
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
    Claimed(Vec<Claimed>),
    Sending(Result<Attempt, Error>),
    Recorded(Vec<Result<Recorded, Error>>),
    Done(Result<(), Error>),
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
                set(place, Answer::Claimed(claim::run(session, wanted, *now).await?));
            }
            Op::Prepare(..) | Op::Sending(..) | Op::Record(..) | Op::Lease(..) | Op::Park(..) => {}
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

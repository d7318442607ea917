//! Turns under a limit that all workers of one ledger share: given away in their order, never twice.

use crate::error::Error;
use crate::pace::Pace;
use crate::session::{Session, Sql, Value, sql};
use crate::time::Millis;

const LOAD: Sql = sql!("SELECT free_at FROM pace WHERE name = $1", " FOR UPDATE");
const INSERT: Sql = sql!("INSERT INTO pace (name, free_at) VALUES ($1, 0) ON CONFLICT DO NOTHING");
const UPDATE: Sql = sql!("UPDATE pace SET free_at = $1 WHERE name = $2");

const MICROS: i64 = 1_000;

/// How far turns are given away beyond a burst, in microseconds: an hour is more than any run does.
const AHEAD_MAX: i64 = 3_600_000_000;

/// Gives the next turns, as many as asked for; the first of them may be in the past, which is now.
///
/// It is the generic cell rate algorithm: `free_at` is when the bucket would be full again.
pub(crate) async fn run<S: Session>(
    session: &mut S,
    pace: &Pace,
    turns: u32,
    now: Millis,
) -> Result<Vec<Millis>, Error> {
    session.one(INSERT.of(S::DIALECT), vec![(&pace.name).into()]).await?;
    let row = session.one(LOAD.of(S::DIALECT), vec![(&pace.name).into()]).await?;
    let row = row.into_iter().next();
    let stored = row.map(|mut row| row.int()).transpose()?.unwrap_or_default();
    let now = now.0.saturating_mul(MICROS);
    let ahead = pace.interval_micros.saturating_mul(i64::from(pace.burst.saturating_sub(1)));
    // A bucket that has long been full is full, not fuller; one that was emptied by a clock that was
    // ahead is full as well, or everybody would wait until that time has come.
    let is_of_another_clock = stored > now.saturating_add(ahead).saturating_add(AHEAD_MAX);
    let mut free_at = if is_of_another_clock { now } else { stored.max(now) };
    let mut given = Vec::new();
    for _ in 0..turns {
        let at = free_at.saturating_sub(ahead).max(now);
        // Rounded up, so that nobody goes early.
        given.push(Millis(at.saturating_add(MICROS - 1).div_euclid(MICROS)));
        free_at = free_at.saturating_add(pace.interval_micros);
    }
    let values: Vec<Value> = vec![free_at.into(), (&pace.name).into()];
    session.one(UPDATE.of(S::DIALECT), values).await?;
    Ok(given)
}

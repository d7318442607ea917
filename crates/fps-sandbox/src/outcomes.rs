//! What becomes of payments and refunds that are under way, and of subscriptions, charge permissions and
//! checkout sessions, when their time has come.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use crate::clock::Millis;
use crate::error::Error;
use crate::payments::{self, End};
use crate::sandbox::Shared;
use crate::subscriptions::{self, Charging};
use crate::{charge_permissions, checkout_sessions};

/// Brings about what is due, one after the other, until it is aborted.
pub(crate) async fn bring_about(shared: Arc<Shared>) {
    loop {
        let now = shared.clock.now();
        let subscribed = Charging { fees: shared.fees, processing: shared.processing };
        let step = shared.store.run(move |connection| steps(connection, subscribed, now)).await;
        match step {
            Ok(Step::Done) => shared.notifications_wake.notify_one(),
            Ok(Step::Wait(until)) => {
                tokio::select! {
                    () = shared.clock.sleep_until(until) => {}
                    () = shared.outcomes_wake.notified() => {}
                }
            }
            Ok(Step::Nothing) => shared.outcomes_wake.notified().await,
            // A database that fails now may do so no longer in a moment, when a disk has room again.
            Err(_) => shared.clock.sleep_until(now.saturating_add(AFTER_FAILURE)).await,
        }
    }
}

/// The most that is brought about in one commit.
const STEPS_MAX: u32 = 64;
/// How long the database is left alone when it failed.
const AFTER_FAILURE: Millis = 1_000;

enum Step {
    /// Something was brought about; there may be more.
    Done,
    /// Nothing is due before this.
    Wait(Millis),
    /// Nothing is under way.
    Nothing,
}

/// Brings about what is due, as much as goes into one commit without keeping others waiting.
fn steps(connection: &Connection, subscribed: Charging, now: Millis) -> Result<Step, Error> {
    for done in 0..STEPS_MAX {
        match step(connection, subscribed, now)? {
            Step::Done => {}
            _ if done > 0 => return Ok(Step::Done),
            nothing_due => return Ok(nothing_due),
        }
    }
    Ok(Step::Done)
}

fn step(connection: &Connection, subscribed: Charging, now: Millis) -> Result<Step, Error> {
    let next: Option<(String, Millis, i64)> = connection
        .prepare_cached(
            // Each is asked for its first alone: permissions that end in months are many.
            "SELECT * FROM (SELECT id, due_at, 0 FROM payment
                 WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
             UNION ALL SELECT * FROM (SELECT id, due_at, 1 FROM refund
                 WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
             UNION ALL SELECT * FROM (SELECT id, due_at, 2 FROM subscription
                 WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
             UNION ALL SELECT * FROM (SELECT id, due_at, 3 FROM charge_permission
                 WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
             UNION ALL SELECT * FROM (SELECT id, due_at, 4 FROM checkout_session
                 WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
             ORDER BY 2, 3 LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, due_at, kind)) = next else { return Ok(Step::Nothing) };
    if due_at > now {
        return Ok(Step::Wait(due_at));
    }
    match kind {
        0 => {
            let end = planned_end(connection, &id)?;
            payments::reach(connection, &id, &end, now)?;
        }
        1 => {
            payments::finish_refund(connection, &id, now)?;
        }
        2 => subscriptions::pay(connection, &id, subscribed, due_at)?,
        3 => charge_permissions::expire(connection, &id, now)?,
        _ => checkout_sessions::cancel(connection, &id, "Expired", now)?,
    }
    Ok(Step::Done)
}

fn planned_end(connection: &Connection, payment: &str) -> Result<End, Error> {
    let (name, reason): (String, Option<String>) = connection
        .prepare_cached("SELECT outcome, outcome_reason FROM payment WHERE id = ?")?
        .query_row([payment], |row| Ok((row.get(0)?, row.get(1)?)))?;
    End::from_parts(&name, reason)
}

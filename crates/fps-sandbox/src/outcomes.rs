//! What becomes of payments and refunds that are under way, when their time has come.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use crate::books::Service;
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::sandbox::Shared;
use crate::{notifications, payments};

/// Brings about what is due, one after the other, until it is aborted.
pub(crate) async fn bring_about(shared: Arc<Shared>) {
    loop {
        let step = shared.store.run(|connection| step(connection, clock::now())).await;
        match step {
            Ok(Step::Done) => shared.notifications_wake.notify_one(),
            Ok(Step::Wait(until)) => {
                tokio::select! {
                    () = clock::sleep_until(until) => {}
                    () = shared.outcomes_wake.notified() => {}
                }
            }
            Ok(Step::Nothing) => shared.outcomes_wake.notified().await,
            // A database that fails now may do so no longer in a moment, when a disk has room again.
            Err(_) => clock::sleep_until(clock::now().saturating_add(AFTER_FAILURE)).await,
        }
    }
}

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

fn step(connection: &Connection, now: Millis) -> Result<Step, Error> {
    let next: Option<(String, Millis, bool)> = connection
        .prepare_cached(
            "SELECT id, due_at, 0 FROM payment WHERE due_at IS NOT NULL
             UNION ALL SELECT id, due_at, 1 FROM refund WHERE due_at IS NOT NULL
             ORDER BY 2, 3 LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, due_at, is_refund)) = next else { return Ok(Step::Nothing) };
    if due_at > now {
        return Ok(Step::Wait(due_at));
    }
    if is_refund {
        let (refund, stored) = payments::finish_refund(connection, &id, now)?;
        if stored.service == Service::FlexiblePayments {
            notifications::refund_changed(connection, &refund, &stored, now)?;
        }
    } else {
        payments::complete(connection, &id, now)?;
        let stored = payments::load(connection, &id)?.ok_or(Error::new(ErrorKind::Invalid))?;
        if stored.service == Service::FlexiblePayments {
            notifications::payment_changed(connection, &stored, true, now)?;
        }
    }
    Ok(Step::Done)
}

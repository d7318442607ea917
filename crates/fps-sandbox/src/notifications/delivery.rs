//! Posts what is due until somebody takes it or its time is over, and writes down how it went.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rusqlite::{Connection, params};
use tokio::task::JoinSet;

use super::{fps, sns};
use crate::clock::Millis;
use crate::error::Error;
use crate::sandbox::Shared;

/// How long one delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// The most deliveries at one time.
const DELIVERIES_MAX: usize = 16;
/// How long the database is left alone when it failed.
const AFTER_FAILURE: Millis = 1_000;

const SECOND: Millis = 1_000;
const HOUR: Millis = 60 * 60 * SECOND;
const DAY: Millis = 24 * HOUR;

/// How often a notification is tried.
#[derive(Clone, Copy)]
struct Schedule {
    /// The first wait; it doubles up to the longest.
    first: Millis,
    longest: Millis,
    /// When it is given up.
    lifetime: Millis,
    /// Whether it is tried again after an answer of 4xx, and where nobody listens.
    after_4xx: bool,
    after_unreachable: bool,
}

/// Source: FPS advanced quick start guide, instant payment notifications, which say only that it is
/// tried for a day; the waits are the sandbox's choice.
const FPS: Schedule = Schedule {
    first: SECOND,
    longest: HOUR,
    lifetime: DAY,
    after_4xx: true,
    after_unreachable: true,
};

/// Source: Amazon Pay, instant payment notifications: hourly for three hours after 5xx or silence; that
/// 4xx ends it, as the older page has it, and that where nobody listens is tried again, is the
/// sandbox's choice.
const AMAZON_PAY: Schedule = Schedule {
    first: HOUR,
    longest: HOUR,
    lifetime: 3 * HOUR,
    after_4xx: false,
    after_unreachable: true,
};

/// Source: an older page of the same: hourly for up to 14 days, but not after 4xx or where nobody
/// listens.
const AMAZON_PAY_LEGACY: Schedule =
    Schedule { lifetime: 14 * DAY, after_unreachable: false, ..AMAZON_PAY };

impl Schedule {
    const fn of(due: &Due, shared: &Shared) -> Self {
        match (&due.topic, shared.sns.legacy_retries) {
            (None, _) => FPS,
            (Some(_), false) => AMAZON_PAY,
            (Some(_), true) => AMAZON_PAY_LEGACY,
        }
    }

    /// When it is tried again, if it is.
    fn again(self, due: &Due, outcome: Outcome, now: Millis) -> Option<Millis> {
        let ended = match outcome {
            Outcome::Answered(status) => {
                is_success(status) || ((400..500).contains(&status) && !self.after_4xx)
            }
            Outcome::Unreachable => !self.after_unreachable,
            Outcome::Silent => false,
            Outcome::Lost | Outcome::Unsendable => true,
        };
        let wait = self.first.saturating_mul(1 << due.attempts.min(12)).min(self.longest);
        let again = now.saturating_add(wait);
        let in_time = again.saturating_sub(due.created_at) <= self.lifetime;
        (!ended && in_time).then_some(again)
    }
}

const fn is_success(status: u16) -> bool {
    status >= 200 && status < 300
}

/// What became of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Answered(u16),
    Unreachable,
    Silent,
    /// It was let get lost.
    Lost,
    /// It cannot be signed or addressed.
    Unsendable,
}

impl Outcome {
    const fn status(self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(status),
            _ => None,
        }
    }

    const fn error(self) -> Option<&'static str> {
        match self {
            Self::Answered(_) => None,
            Self::Unreachable => Some("nobody took the connection, or it broke"),
            Self::Silent => Some("no answer came in time"),
            Self::Lost => Some("lost on purpose"),
            Self::Unsendable => Some("it cannot be sent to this address"),
        }
    }
}

/// Posts what is due until it is aborted: a merchant's notifications one after the other, those of
/// different merchants side by side.
pub(crate) async fn deliver(shared: Arc<Shared>) {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let mut deliveries = JoinSet::new();
    let mut busy = BTreeSet::new();
    loop {
        let waiting = shared.store.run(next_of_each_merchant).await.unwrap_or_default();
        let now = shared.clock.now();
        for due in waiting.iter().filter(|due| due.at <= now) {
            if deliveries.len() < DELIVERIES_MAX && busy.insert(due.merchant) {
                deliveries.spawn(deliver_one(Arc::clone(&shared), client.clone(), due.clone()));
            }
        }
        let idle = waiting.iter().filter(|due| !busy.contains(&due.merchant));
        let next = idle.map(|due| due.at).min().unwrap_or(Millis::MAX);
        // With no place left, what is due waits for a delivery to end and not for the clock, which
        // would say at once, again and again, that its time has come.
        let has_place = deliveries.len() < DELIVERIES_MAX;
        tokio::select! {
            Some(Ok(merchant)) = deliveries.join_next() => {
                busy.remove(&merchant);
            }
            () = shared.clock.sleep_until(next), if next < Millis::MAX && has_place => {}
            () = shared.notifications_wake.notified() => {}
        }
    }
}

/// Posts one notification, records how it went, and says whose it was.
async fn deliver_one(
    shared: Arc<Shared>,
    client: Client<HttpConnector, Full<Bytes>>,
    due: Due,
) -> i64 {
    let merchant = due.merchant;
    let faults = *shared.notification_faults.lock().unwrap_or_else(PoisonError::into_inner);
    let fate = faults.fate(due.id);
    let not_before = due.created_at.saturating_add(fate.late_by);
    let entry = if due.attempts == 0 && not_before > shared.clock.now() {
        Entry { tried: None, again: Some(not_before), at: not_before }
    } else {
        let outcome = match request(&due, &shared) {
            _ if fate.lost => Outcome::Lost,
            Some(request) => post(&client, request).await,
            None => Outcome::Unsendable,
        };
        let at = shared.clock.now();
        let taken = outcome.status().is_some_and(is_success);
        let doubled = taken && fate.doubled && !due.taken;
        let again =
            if doubled { Some(at) } else { Schedule::of(&due, &shared).again(&due, outcome, at) };
        Entry { tried: Some(outcome), again, at }
    };
    let now = shared.clock.now();
    if shared.store.run(move |connection| record(connection, &due, entry)).await.is_err() {
        // It stays due: the database is left alone for a moment before it is posted again.
        shared.clock.sleep_until(now.saturating_add(AFTER_FAILURE)).await;
    }
    merchant
}

/// A notification that waits.
#[derive(Clone, Debug)]
pub(super) struct Due {
    id: i64,
    merchant: i64,
    at: Millis,
    pub(super) url: String,
    pub(super) body: String,
    pub(super) created_at: Millis,
    attempts: u32,
    /// Of one through SNS.
    topic: Option<String>,
    pub(super) message_id: Option<String>,
    /// Whether somebody took it before.
    taken: bool,
}

/// The first that is due of each merchant. (SQLite takes the other columns from the row of the least
/// value.)
fn next_of_each_merchant(connection: &Connection) -> Result<Vec<Due>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, merchant, min(due_at * 1000000 + id % 1000000), due_at, url, body, created_at,
                attempts, topic, message_id, delivered_at IS NOT NULL
         FROM notification WHERE due_at IS NOT NULL GROUP BY merchant ORDER BY 3",
    )?;
    let due = statement.query_map([], |row| {
        Ok(Due {
            id: row.get(0)?,
            merchant: row.get(1)?,
            at: row.get(3)?,
            url: row.get(4)?,
            body: row.get(5)?,
            created_at: row.get(6)?,
            attempts: row.get(7)?,
            topic: row.get(8)?,
            message_id: row.get(9)?,
            taken: row.get(10)?,
        })
    })?;
    Ok(due.collect::<Result<_, _>>()?)
}

fn request(due: &Due, shared: &Shared) -> Option<http::Request<Full<Bytes>>> {
    match &due.topic {
        None => fps::request(&due.url, &due.body, shared),
        Some(topic) => sns::request(due, topic, shared),
    }
}

async fn post(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
) -> Outcome {
    let exchange = async {
        let answer = client.request(request).await.ok()?;
        let status = answer.status();
        // The body is read so that the connection can be used again; what it says is of no interest.
        drop(Limited::new(answer.into_body(), 64 * 1024).collect().await);
        Some(status.as_u16())
    };
    match tokio::time::timeout(DELIVERY_TIMEOUT, exchange).await {
        Ok(Some(status)) => Outcome::Answered(status),
        Ok(None) => Outcome::Unreachable,
        Err(_) => Outcome::Silent,
    }
}

/// What is written down: a try, or that it has to wait.
#[derive(Clone, Copy)]
struct Entry {
    tried: Option<Outcome>,
    again: Option<Millis>,
    at: Millis,
}

fn record(connection: &Connection, due: &Due, entry: Entry) -> Result<(), Error> {
    let Some(outcome) = entry.tried else {
        connection
            .prepare_cached("UPDATE notification SET due_at = ? WHERE id = ?")?
            .execute(params![entry.again, due.id])?;
        return Ok(());
    };
    let delivered_at = outcome.status().is_some_and(is_success).then_some(entry.at);
    connection
        .prepare_cached(
            "UPDATE notification SET attempts = attempts + 1, due_at = ?,
                 delivered_at = coalesce(delivered_at, ?)
             WHERE id = ?",
        )?
        .execute(params![entry.again, delivered_at, due.id])?;
    connection
        .prepare_cached(
            "INSERT INTO delivery (notification, attempt, at, status, error)
             SELECT id, attempts, ?, ?, ? FROM notification WHERE id = ?",
        )?
        .execute(params![entry.at, outcome.status(), outcome.error(), due.id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(attempts: u32) -> Due {
        Due {
            id: 1,
            merchant: 1,
            at: 0,
            url: String::new(),
            body: String::new(),
            created_at: 0,
            attempts,
            topic: None,
            message_id: None,
            taken: false,
        }
    }

    #[test]
    fn each_service_has_its_schedule() {
        const NEVER: Option<Millis> = None;
        let failed = Outcome::Answered(500);
        let refused = Outcome::Answered(410);
        for (number, (schedule, outcome, attempts, now, again)) in [
            (FPS, failed, 0, 0, Some(SECOND)),
            (FPS, failed, 5, 0, Some(32 * SECOND)),
            (FPS, refused, 20, 0, Some(HOUR)),
            (FPS, Outcome::Unreachable, 0, 0, Some(SECOND)),
            (FPS, Outcome::Silent, 1, 0, Some(2 * SECOND)),
            (FPS, failed, 20, 23 * HOUR, Some(24 * HOUR)),
            (FPS, failed, 20, 23 * HOUR + 1, NEVER),
            (FPS, Outcome::Answered(204), 0, 0, NEVER),
            (FPS, Outcome::Lost, 0, 0, NEVER),
            (FPS, Outcome::Unsendable, 0, 0, NEVER),
            (AMAZON_PAY, failed, 0, 0, Some(HOUR)),
            (AMAZON_PAY, failed, 2, 2 * HOUR, Some(3 * HOUR)),
            (AMAZON_PAY, failed, 3, 3 * HOUR, NEVER),
            (AMAZON_PAY, refused, 0, 0, NEVER),
            (AMAZON_PAY, Outcome::Unreachable, 0, 0, Some(HOUR)),
            (AMAZON_PAY, Outcome::Answered(302), 0, 0, Some(HOUR)),
            (AMAZON_PAY_LEGACY, failed, 300, 13 * DAY, Some(13 * DAY + HOUR)),
            (AMAZON_PAY_LEGACY, failed, 300, 14 * DAY, NEVER),
            (AMAZON_PAY_LEGACY, Outcome::Unreachable, 0, 0, NEVER),
            (AMAZON_PAY_LEGACY, Outcome::Silent, 0, 0, Some(HOUR)),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(schedule.again(&due(attempts), outcome, now), again, "{number}");
        }
    }
}

//! Notifications: taken, and what they tell of looked at. What a client does on its own side cannot be
//! seen: so these say *not seen*, and no more.

use fps_model::Params;
use rusqlite::Connection;

use super::memory::Memory;
use super::{Code, Found, is_unknown, reads};
use crate::clock::Millis;
use crate::error::Error;
use crate::exchange::Exchange;

/// How long a client may take to look at what it was told of, by the time of the sandbox.
const PATIENCE: Millis = 5 * 60 * 1_000;
/// So many failed deliveries are no accident.
const ATTEMPTS: u32 = 3;
/// The most notifications that are looked at, the newest ones.
const LOOKED_AT_MAX: u32 = 4_096;

/// A notification as it stands.
pub(crate) struct Notice {
    body: String,
    url: String,
    attempts: u32,
    delivered_at: Option<Millis>,
}

/// Those that were tried to deliver.
pub(crate) fn notices(connection: &Connection) -> Result<Vec<Notice>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT body, url, attempts, delivered_at FROM notification WHERE attempts > 0
         ORDER BY id DESC LIMIT ?",
    )?;
    let notices = statement.query_map([LOOKED_AT_MAX], |row| {
        Ok(Notice {
            body: row.get(0)?,
            url: row.get(1)?,
            attempts: row.get(2)?,
            delivered_at: row.get(3)?,
        })
    })?;
    Ok(notices.collect::<Result<_, _>>()?)
}

impl Notice {
    /// What it tells of: a transaction of FPS, or an object of Amazon Pay.
    fn object(&self) -> Option<String> {
        if let Some((_, rest)) = self.body.split_once("ObjectId") {
            return rest.split('"').find(|part| part.contains('-')).map(clean);
        }
        let params = Params::parse(self.body.as_bytes()).ok()?;
        params.get("transactionId").map(str::to_owned)
    }

    fn is_of_fps(&self) -> bool {
        !self.body.starts_with('{')
    }
}

/// Without the strokes of a text inside a text.
fn clean(text: &str) -> String {
    text.trim_end_matches('\\').to_owned()
}

/// When each object was read last.
#[derive(Default)]
pub(super) struct Reads {
    objects: Memory<String, Millis>,
    verified: Option<Millis>,
    /// The certificate of notifications was fetched: signatures are checked at home.
    pub(super) certificate: bool,
}

impl Reads {
    pub(super) fn see(&mut self, exchange: &Exchange) {
        if is_unknown(exchange) {
            return;
        }
        let now = exchange.asked.at_millis;
        if exchange.operation.as_deref() == Some("VerifySignature") {
            self.verified = Some(now);
        }
        if reads(exchange) {
            for object in [&exchange.object, &exchange.payment].into_iter().flatten() {
                self.objects.keep(object.clone(), now);
            }
        }
    }

    pub(super) fn judge(&self, notices: &[Notice], now: Millis, found: &mut Found) {
        for notice in notices {
            match notice.delivered_at {
                None if notice.attempts >= ATTEMPTS => {
                    let sentence = format!(
                        "Notifications to {} were posted {} times and never taken: the merchant does not \
                         learn what became of its refunds.",
                        notice.url, notice.attempts
                    );
                    found.add(Code::NotificationNotTaken, notice.url.clone(), sentence, Vec::new());
                }
                Some(at) if now.saturating_sub(at) >= PATIENCE => {
                    self.judge_taken(notice, at, found)
                }
                _ => {}
            }
        }
    }

    fn judge_taken(&self, notice: &Notice, at: Millis, found: &mut Found) {
        let Some(object) = notice.object() else { return };
        let read = self.objects.get(&object).is_some_and(|read| *read >= at);
        let checked = notice.is_of_fps()
            && (self.certificate || self.verified.is_some_and(|verified| verified >= at));
        if !read && !checked {
            let sentence = format!(
                "A notification about {object} was taken, and nothing was seen that checks it: whoever \
                 finds the address can report refunds that never were."
            );
            found.add(Code::NotificationNotChecked, object, sentence, Vec::new());
        }
    }
}

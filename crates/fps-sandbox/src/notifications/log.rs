//! The log of deliveries: what was told, how often it was tried, and what became of it.

use std::sync::PoisonError;

use fps_model::Timestamp;
use rusqlite::{Connection, params};

use super::NotificationFaults;
use crate::app::App;
use crate::books::Service;
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::merchants::Merchant;

/// A notification and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationRecord {
    /// Its number.
    pub id: i64,
    /// Which service tells it.
    pub service: Service,
    /// Where it is posted.
    pub url: String,
    /// The payment, refund, token or charge permission that it is about.
    pub subject: String,
    /// The name that SNS gives it on every try.
    pub message_id: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next, if it is.
    pub due_at: Option<Timestamp>,
    /// When somebody took it first.
    pub delivered_at: Option<Timestamp>,
    /// Every try, oldest first.
    pub deliveries: Vec<Delivery>,
}

/// One try to deliver a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// When it ended.
    pub at: Timestamp,
    /// What was answered, if anything.
    pub status: Option<u16>,
    /// Why nothing was.
    pub error: Option<String>,
}

impl App {
    /// What a merchant was or will be told, oldest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn notifications(
        &self,
        merchant: &Merchant,
    ) -> Result<Vec<NotificationRecord>, Error> {
        let merchant = merchant.id;
        self.shared.store.run(move |connection| list(connection, merchant)).await
    }

    /// Posts a notification once more, and then as often as a new one.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is no such notification.
    pub async fn resend_notification(&self, id: i64) -> Result<(), Error> {
        let now = self.shared.clock.now();
        // It is given up so long after its beginning.
        let work = move |connection: &Connection| {
            let changed = connection.execute(
                "UPDATE notification SET due_at = ?1, created_at = max(created_at, ?1) WHERE id = ?2",
                params![now, id],
            )?;
            let missing = || Error::with(ErrorKind::Invalid, "there is no such notification");
            (changed == 1).then_some(()).ok_or_else(missing)
        };
        self.shared.store.run(work).await?;
        self.shared.wake();
        Ok(())
    }

    /// Lets deliveries go wrong from now on, or not any more.
    pub fn set_notification_faults(&self, faults: NotificationFaults) {
        let kept = &self.shared.notification_faults;
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = faults;
        self.shared.wake();
    }
}

fn list(connection: &Connection, merchant: i64) -> Result<Vec<NotificationRecord>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, topic IS NOT NULL, url, subject, message_id, created_at, due_at, delivered_at
         FROM notification WHERE merchant = ? ORDER BY id",
    )?;
    let records = statement.query_map([merchant], |row| {
        let through_sns: bool = row.get(1)?;
        let time = |at: Option<i64>| at.map(clock::timestamp);
        Ok(NotificationRecord {
            id: row.get(0)?,
            service: if through_sns { Service::AmazonPay } else { Service::FlexiblePayments },
            url: row.get(2)?,
            subject: row.get(3)?,
            message_id: row.get(4)?,
            created_at: clock::timestamp(row.get(5)?),
            due_at: time(row.get(6)?),
            delivered_at: time(row.get(7)?),
            deliveries: Vec::new(),
        })
    })?;
    let mut records = records.collect::<Result<Vec<_>, _>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT at, status, error FROM delivery WHERE notification = ? ORDER BY attempt",
    )?;
    for record in &mut records {
        let deliveries = statement.query_map([record.id], |row| {
            let at = clock::timestamp(row.get(0)?);
            Ok(Delivery { at, status: row.get(1)?, error: row.get(2)? })
        })?;
        record.deliveries = deliveries.collect::<Result<_, _>>()?;
    }
    Ok(records)
}

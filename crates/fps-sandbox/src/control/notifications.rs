//! The log of deliveries: what is to be told to merchants, how often it was tried, and what became of
//! it.

use axum::extract::{Path, State};
use fps_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::http::{Answered, told};
use super::json::{at, optional_time, time};
use super::list::Asked;
use super::{Control, Filter, Page};
use crate::clock;
use crate::error::{Error, ErrorKind};

/// A notification and how far it has come.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Notification {
    /// Its number.
    pub id: i64,
    /// The access key id of whom it is for.
    pub merchant: String,
    /// Where it goes.
    pub url: String,
    /// What it says; it is signed when it is sent.
    pub body: String,
    /// `waiting`, `delivered` or `given-up`.
    pub state: String,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was written.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// When it is sent next.
    #[serde(with = "optional_time")]
    pub due_at: Option<Timestamp>,
    /// When somebody took it.
    #[serde(with = "optional_time")]
    pub delivered_at: Option<Timestamp>,
}

/// Where one stands that has these columns.
const STATE: &str = "CASE WHEN due_at IS NOT NULL THEN 'waiting'
     WHEN delivered_at IS NOT NULL THEN 'delivered' ELSE 'given-up' END";

fn known(connection: &Connection, id: i64) -> Result<Option<Notification>, Error> {
    let found = connection
        .prepare_cached(&format!(
            "SELECT access_key_id, url, body, {STATE}, attempts, created_at, due_at, delivered_at
             FROM notification JOIN merchant ON merchant.id = merchant WHERE notification.id = ?"
        ))?
        .query_row([id], |row| {
            Ok(Notification {
                id,
                merchant: row.get(0)?,
                url: row.get(1)?,
                body: row.get(2)?,
                state: row.get(3)?,
                attempts: row.get(4)?,
                created_at: clock::timestamp(row.get(5)?),
                due_at: at(row.get(6)?),
                delivered_at: at(row.get(7)?),
            })
        })
        .optional()?;
    Ok(found)
}

fn missing() -> Error {
    Error::with(ErrorKind::NotFound, "there is no such notification")
}

impl Control {
    /// Lists notifications.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn notifications(&self, filter: Filter) -> Result<Page<Notification>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT id, id FROM notification WHERE";
            // Its subject is what its body names.
            let subject = "iif(instr(body, ?4) > 0, ?4, '')";
            let service = "iif(body LIKE '{%', 'amazon-pay', 'flexible-payments')";
            filter.page(connection, query, ["merchant", service, STATE, subject, "id"], known)
        };
        self.run(work).await
    }

    /// Sends a notification once more, and then as often as a new one.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::NotFound`].
    pub async fn resend_notification(&self, id: i64) -> Result<Notification, Error> {
        let now = self.shared.clock.now();
        let work = move |connection: &Connection| {
            // It is given up so long after this time.
            connection.execute(
                "UPDATE notification SET due_at = ?1, created_at = max(created_at, ?1) WHERE id = ?2",
                params![now, id],
            )?;
            known(connection, id)?.ok_or_else(missing)
        };
        self.run(work).await
    }
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<Notification>> {
    Ok(told(control.notifications(filter).await?))
}

pub(super) async fn resend(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Answered<Notification> {
    let id = id.parse().map_err(|_| missing())?;
    Ok(told(control.resend_notification(id).await?))
}

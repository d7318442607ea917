//! What was answered to keys, and is answered again.

use axum::extract::State;
use fps_model::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::http::{Answered, told};
use super::json::time;
use super::list::Asked;
use super::{Control, Filter, Page};
use crate::clock;
use crate::error::Error;

/// A key and what was answered to it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Answer {
    /// The access key id of whose key it is.
    pub merchant: String,
    /// Where the key counts.
    pub scope: String,
    /// The key.
    pub key: String,
    /// The request in the form in which it is compared.
    pub request: String,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub body: String,
    /// When it was given first.
    #[serde(with = "time")]
    pub created_at: Timestamp,
}

fn known(connection: &Connection, id: i64) -> Result<Option<Answer>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT access_key_id, scope, key, request, answer.status, body, created_at
             FROM answer JOIN merchant ON merchant.id = merchant WHERE answer.id = ?",
        )?
        .query_row([id], |row| {
            let body: Vec<u8> = row.get(5)?;
            // Every answer of the services is text.
            let body = String::from_utf8(body).unwrap_or_default();
            Ok(Answer {
                merchant: row.get(0)?,
                scope: row.get(1)?,
                key: row.get(2)?,
                request: row.get(3)?,
                status: row.get(4)?,
                body,
                created_at: clock::timestamp(row.get(6)?),
            })
        })
        .optional()?;
    Ok(found)
}

impl Control {
    /// Lists the keys that are remembered; the state is the status of the answer, the subject a key.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn answers(&self, filter: Filter) -> Result<Page<Answer>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT id, id FROM answer WHERE";
            let service = "iif(scope = 'flexible-payments', scope, 'amazon-pay')";
            let columns = ["merchant", service, "cast(status AS TEXT)", "key", "id"];
            filter.page(connection, query, columns, known)
        };
        self.run(work).await
    }
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<Answer>> {
    Ok(told(control.answers(filter).await?))
}

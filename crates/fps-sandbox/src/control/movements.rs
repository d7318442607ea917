//! The movements of the books with their entries, as they were posted.

use axum::extract::State;
use fps_model::Timestamp;
use refund_rules::{Currency, Money};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::http::{Answered, told};
use super::json::{money, time};
use super::list::Asked;
use super::{Control, Filter, Page};
use crate::books::Service;
use crate::clock;
use crate::error::{Error, ErrorKind};

/// A movement of money: its entries sum to nothing in each currency.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Movement {
    /// Its number.
    pub id: i64,
    /// The access key id of who caused it.
    pub merchant: String,
    /// Its service.
    pub service: Service,
    /// Why money moved.
    pub kind: String,
    /// The payment or refund that it is about.
    pub subject: String,
    /// When.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// What each account gained or lost.
    pub entries: Vec<Entry>,
    /// What binds it to all movements before it, in hexadecimal.
    pub seal: String,
}

/// What an account gained or lost.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Entry {
    /// The access key id of whose account it is.
    pub merchant: String,
    /// Which account.
    pub account: String,
    /// Which instrument of it; nothing where it has none.
    pub instrument: String,
    /// How much; what is lost is negative.
    #[serde(with = "money")]
    pub amount: Money,
}

fn known(connection: &Connection, id: i64) -> Result<Option<Movement>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT access_key_id, service, kind, subject, at, lower(hex(seal))
             FROM movement JOIN merchant ON merchant.id = merchant WHERE movement.id = ?",
        )?
        .query_row([id], |row| {
            let service: String = row.get(1)?;
            let at = clock::timestamp(row.get(4)?);
            Ok((row.get(0)?, service, row.get(2)?, row.get(3)?, at, row.get(5)?))
        })
        .optional()?;
    let Some((merchant, service, kind, subject, at, seal)) = found else { return Ok(None) };
    let service = Service::from_name(&service)?;
    let entries = entries(connection, id)?;
    Ok(Some(Movement { id, merchant, service, kind, subject, at, entries, seal }))
}

fn entries(connection: &Connection, movement: i64) -> Result<Vec<Entry>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT access_key_id, account, instrument, amount, currency
         FROM entry JOIN merchant ON merchant.id = merchant WHERE movement = ?",
    )?;
    let mut rows = statement.query([movement])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let code: String = row.get(4)?;
        let currency =
            Currency::from_code(&code).map_err(|error| Error::with(ErrorKind::Database, error))?;
        entries.push(Entry {
            merchant: row.get(0)?,
            account: row.get(1)?,
            instrument: row.get(2)?,
            amount: Money::from_minor(row.get(3)?, currency),
        });
    }
    Ok(entries)
}

impl Control {
    /// Lists the movements of the books; the state is the kind, the subject a payment or refund.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn movements(&self, filter: Filter) -> Result<Page<Movement>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT id, id FROM movement WHERE";
            let columns = ["merchant", "service", "kind", "subject", "id"];
            filter.page(connection, query, columns, known)
        };
        self.run(work).await
    }
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<Movement>> {
    Ok(told(control.movements(filter).await?))
}

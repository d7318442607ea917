//! Prepaid and postpaid credit of FPS. What is on it is in the books: a payment of the operation
//! `fund-prepaid` adds to it.

use axum::extract::State;
use fps_model::Timestamp;
use refund_rules::{Currency, Money};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::http::{Answered, Body, made, told};
use super::json::{at, money, optional_money, optional_time};
use super::list::Asked;
use super::{Control, Filter, Page, merchants, tokens};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::ids;
use crate::instruments::{self, Kind, NewInstrument};

/// Credit to be opened.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct InstrumentSpec {
    /// Its id; a new one when nothing is said.
    pub id: Option<String>,
    /// The merchant that gives it, by name or key id; the only one there is when nothing is said.
    pub merchant: Option<String>,
    /// `prepaid` or `postpaid`.
    pub kind: String,
    /// How much a postpaid one may be used for.
    #[serde(default, with = "optional_money")]
    pub credit_limit: Option<Money>,
    /// When it ends.
    #[serde(default, with = "optional_time")]
    pub expires_at: Option<Timestamp>,
}

/// Prepaid or postpaid credit.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Instrument {
    /// Its id.
    pub id: String,
    /// The access key id of its merchant.
    pub merchant: String,
    /// `prepaid` or `postpaid`.
    pub kind: String,
    /// `active` or `cancelled`.
    pub state: &'static str,
    /// What is left of a prepaid one; what is owed on a postpaid one.
    #[serde(with = "money")]
    pub balance: Money,
    /// The most that may be owed, or be paid in and not spent.
    #[serde(with = "optional_money")]
    pub limit: Option<Money>,
    /// When it ends.
    #[serde(with = "optional_time")]
    pub expires_at: Option<Timestamp>,
}

/// Stores credit.
pub(crate) fn insert(
    connection: &Connection,
    spec: &InstrumentSpec,
    now: Millis,
) -> Result<Instrument, Error> {
    let kind = [Kind::Prepaid, Kind::Postpaid].into_iter().find(|kind| kind.name() == spec.kind);
    let kind = kind.ok_or_else(|| {
        let reason = format!("`{}` is neither prepaid nor postpaid", spec.kind);
        Error::with(ErrorKind::Invalid, reason)
    })?;
    if spec.credit_limit.is_some_and(|limit| limit.currency() != Currency::USD) {
        return Err(Error::with(ErrorKind::Invalid, "the credit of FPS is in USD"));
    }
    let merchant = merchants::find(connection, spec.merchant.as_deref())?;
    let id = tokens::free_id(connection, "instrument", spec.id.as_deref(), ids::token_id)?;
    let new = NewInstrument {
        id: id.clone(),
        merchant,
        kind,
        limit: spec.credit_limit,
        expires_at: spec.expires_at.map(Timestamp::unix_millis),
    };
    instruments::insert(connection, &new, now)?;
    known(connection, &id)?.ok_or_else(|| Error::new(ErrorKind::NotFound))
}

fn known(connection: &Connection, id: &str) -> Result<Option<Instrument>, Error> {
    let Some(stored) = instruments::load(connection, id)? else { return Ok(None) };
    Ok(Some(Instrument {
        merchant: merchants::name_of(connection, stored.merchant)?,
        kind: stored.kind.name().to_owned(),
        state: if stored.active { "active" } else { "cancelled" },
        balance: instruments::balance(connection, &stored)?,
        limit: stored.limit,
        expires_at: at(stored.expires_at),
        id: stored.id,
    }))
}

impl Control {
    /// Opens prepaid or postpaid credit, as the co-branded pages would have.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_instrument(&self, spec: InstrumentSpec) -> Result<Instrument, Error> {
        let now = self.shared.clock.now();
        self.run(move |connection| insert(connection, &spec, now)).await
    }

    /// Lists prepaid and postpaid credit.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn instruments(&self, filter: Filter) -> Result<Page<Instrument>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT rowid, id FROM instrument WHERE";
            let columns = ["merchant", "'flexible-payments'", "state", "id", "rowid"];
            filter.page(connection, query, columns, |connection, id: String| known(connection, &id))
        };
        self.run(work).await
    }
}

pub(super) async fn create(
    State(control): State<Control>,
    Body(spec): Body<InstrumentSpec>,
) -> Answered<Instrument> {
    Ok(made(control.create_instrument(spec).await?))
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<Instrument>> {
    Ok(told(control.instruments(filter).await?))
}

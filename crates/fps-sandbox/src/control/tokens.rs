//! Tokens of FPS, installed without the co-branded pages.

use axum::extract::State;
use fps_model::Timestamp;
use fps_model::flexible_payments::TokenType;
use refund_rules::{Method, Role};
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::http::{Answered, Body, made, told};
use super::json::{at, optional_time, time};
use super::list::Asked;
use super::{Control, Filter, Page, merchants};
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::tokens::{self, NewToken, Terms};
use crate::{ids, payments};

/// A token to be installed. Everything may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TokenSpec {
    /// Its id; a new one when nothing is said.
    pub id: Option<String>,
    /// The merchant that may use it, by name or key id; the only one there is when nothing is said.
    pub merchant: Option<String>,
    /// How its owner pays: `card`, `bank`, `balance`, `prepaid` or `postpaid`. Default: `card`.
    pub method: Option<String>,
    /// Whose leave it is: `sender`, `recipient` or `caller`. Default: `sender`.
    pub role: Option<String>,
    /// The kind as FPS spells it. Default: `Unrestricted`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The caller's own name for it.
    pub caller_reference: Option<String>,
    /// A name to show.
    pub friendly_name: Option<String>,
    /// What it is for.
    pub payment_reason: Option<String>,
    /// Its limits.
    pub terms: Option<serde_json::Map<String, serde_json::Value>>,
    /// The merchant that a recipient token pays, by name or key id.
    pub owner: Option<String>,
    /// The credit that it pays with.
    pub instrument: Option<String>,
    /// When it ends.
    #[serde(with = "optional_time")]
    pub expires_at: Option<Timestamp>,
}

/// A token.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KnownToken {
    /// Its id.
    pub id: String,
    /// The access key id of its merchant.
    pub merchant: String,
    /// How its owner pays.
    pub method: String,
    /// Whose leave it is.
    pub role: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// May it be used?
    pub active: bool,
    /// The caller's own name for it.
    pub caller_reference: Option<String>,
    /// The credit that it pays with.
    pub instrument: Option<String>,
    /// When it was installed.
    #[serde(with = "time")]
    pub installed_at: Timestamp,
    /// When it ends.
    #[serde(with = "optional_time")]
    pub expires_at: Option<Timestamp>,
}

/// Stores a token.
pub(crate) fn insert(
    connection: &Connection,
    spec: &TokenSpec,
    now: Millis,
) -> Result<KnownToken, Error> {
    let role = match spec.role.as_deref() {
        None | Some("sender") => Role::Sender,
        Some("recipient") => Role::Recipient,
        Some("caller") => Role::Caller,
        Some(other) => {
            let reason = format!("`{other}` is none of the roles sender, recipient and caller");
            return Err(Error::with(ErrorKind::Invalid, reason));
        }
    };
    let owner = match &spec.owner {
        Some(name) => Some(merchants::find(connection, Some(name))?),
        None => None,
    };
    let terms = serde_json::Value::Object(spec.terms.clone().unwrap_or_default()).to_string();
    let terms = Terms::from_json(&terms).map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let reason = format!("the terms are none: {}", source.unwrap_or_default());
        Error::with(ErrorKind::Invalid, reason)
    })?;
    let merchant = merchants::find(connection, spec.merchant.as_deref())?;
    let id = free_id(connection, "token", spec.id.as_deref(), ids::token_id)?;
    let new = NewToken {
        owner,
        role,
        kind: TokenType::from(spec.kind.as_deref().unwrap_or("Unrestricted")),
        instrument: spec.instrument.clone(),
        caller_reference: spec.caller_reference.clone(),
        friendly_name: spec.friendly_name.clone(),
        payment_reason: spec.payment_reason.clone(),
        expires_at: spec.expires_at.map(Timestamp::unix_millis),
        terms,
        ..NewToken::new(id.as_str(), merchant, method(spec.method.as_deref())?)
    };
    tokens::insert(connection, &new, now).map_err(unknown_reference)?;
    known(connection, &id)?.ok_or_else(|| Error::new(ErrorKind::NotFound))
}

/// What an owner names must be there; the database says when it is not.
pub(super) fn unknown_reference(error: Error) -> Error {
    let source = std::error::Error::source(&error);
    let source = source.and_then(|source| source.downcast_ref::<rusqlite::Error>());
    match source.and_then(rusqlite::Error::sqlite_error_code) {
        Some(ErrorCode::ConstraintViolation) => {
            let reason = "a token or instrument that is named is not there";
            Error::with(ErrorKind::Invalid, reason)
        }
        _ => error,
    }
}

/// How it is paid, by its name.
pub(super) fn method(name: Option<&str>) -> Result<Method, Error> {
    let name = name.unwrap_or("card");
    payments::method_of(name).ok_or_else(|| {
        let reason = format!("`{name}` is not one of card, bank, balance, prepaid and postpaid");
        Error::with(ErrorKind::Invalid, reason)
    })
}

/// The id that was asked for, if nothing in the table has it, or a new one.
pub(super) fn free_id(
    connection: &Connection,
    table: &'static str,
    wanted: Option<&str>,
    make: impl FnOnce() -> Result<String, Error>,
) -> Result<String, Error> {
    let Some(id) = wanted else { return make() };
    let mut statement =
        connection.prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?"))?;
    if statement.exists([id])? {
        let reason = format!("there is a {table} with the id `{id}` already");
        return Err(Error::with(ErrorKind::Invalid, reason));
    }
    if id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = "an id has 1 to 128 visible letters, digits and signs";
        return Err(Error::with(ErrorKind::Invalid, reason));
    }
    Ok(id.to_owned())
}

fn known(connection: &Connection, id: &str) -> Result<Option<KnownToken>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT token.id, access_key_id, method, role, type, active, caller_reference,
                    instrument, installed_at, expires_at
             FROM token JOIN merchant ON merchant.id = merchant WHERE token.id = ?",
        )?
        .query_row([id], |row| {
            Ok(KnownToken {
                id: row.get(0)?,
                merchant: row.get(1)?,
                method: row.get(2)?,
                role: row.get(3)?,
                kind: row.get(4)?,
                active: row.get(5)?,
                caller_reference: row.get(6)?,
                instrument: row.get(7)?,
                installed_at: clock::timestamp(row.get(8)?),
                expires_at: at(row.get(9)?),
            })
        })
        .optional()?;
    Ok(found)
}

impl Control {
    /// Installs a token, as the co-branded pages would have.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_token(&self, spec: TokenSpec) -> Result<KnownToken, Error> {
        let now = self.shared.clock.now();
        self.run(move |connection| insert(connection, &spec, now)).await
    }

    /// Lists tokens.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn tokens(&self, filter: Filter) -> Result<Page<KnownToken>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT rowid, id FROM token WHERE";
            let state = "iif(active, 'active', 'inactive')";
            let columns = ["merchant", "'flexible-payments'", state, "id", "rowid"];
            filter.page(connection, query, columns, |connection, id: String| known(connection, &id))
        };
        self.run(work).await
    }
}

pub(super) async fn create(
    State(control): State<Control>,
    Body(spec): Body<TokenSpec>,
) -> Answered<KnownToken> {
    Ok(made(control.create_token(spec).await?))
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<KnownToken>> {
    Ok(told(control.tokens(filter).await?))
}

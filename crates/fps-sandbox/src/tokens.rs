//! Tokens: somebody's leave to be charged, to be paid through a marketplace, or to call; as they are
//! stored. What their terms allow is in `terms`, what they were used for in `usage`.

mod spec;
mod terms;
mod usage;

use fps_model::flexible_payments::TokenType;
use refund_rules::{Method, Role};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::payments::{method_name, method_of};

pub use spec::TokenSpec;
pub(crate) use terms::{AmountTerm, Terms, UsageTerm, percent_of, within};
pub(crate) use usage::{limits, uses};

/// How long a token lives whose installer does not say. Source: the sandbox page of the FPS 2007-01-08
/// developer guide: three hours for a single use, a year for more.
const SINGLE_USE_LIFE: Millis = 3 * 60 * 60 * 1_000;
const MULTI_USE_LIFE: Millis = 365 * 24 * 60 * 60 * 1_000;

/// A token.
#[derive(Clone, Debug)]
pub(crate) struct StoredToken {
    pub(crate) id: String,
    /// Who installed it and may use it.
    pub(crate) merchant: i64,
    /// Whose account it is; nothing for a buyer's.
    pub(crate) owner: Option<i64>,
    pub(crate) role: Role,
    pub(crate) kind: TokenType,
    /// How the owner pays.
    pub(crate) method: Method,
    /// The prepaid or postpaid instrument that it pays from.
    pub(crate) instrument: Option<String>,
    /// It was not cancelled.
    pub(crate) active: bool,
    pub(crate) caller_reference: Option<String>,
    pub(crate) friendly_name: Option<String>,
    pub(crate) payment_reason: Option<String>,
    /// In the words of GateKeeper, if it was installed so.
    pub(crate) instruction: Option<String>,
    pub(crate) installed_at: Millis,
    pub(crate) expires_at: Option<Millis>,
    pub(crate) terms: Terms,
}

impl StoredToken {
    /// Its time is not over.
    pub(crate) fn is_alive(&self, now: Millis) -> bool {
        self.active && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Its time is not over, and there is a use left.
    pub(crate) fn is_usable(&self, connection: &Connection, now: Millis) -> Result<bool, Error> {
        Ok(self.is_alive(now) && !self.is_spent(connection)?)
    }

    /// It was for one use, and that has been made.
    pub(crate) fn is_spent(&self, connection: &Connection) -> Result<bool, Error> {
        Ok(self.kind == TokenType::SingleUse && uses(connection, &self.id, 0)?.count > 0)
    }
}

/// A token to be installed.
#[derive(Clone, Debug)]
pub(crate) struct NewToken {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) owner: Option<i64>,
    pub(crate) role: Role,
    pub(crate) kind: TokenType,
    pub(crate) method: Method,
    pub(crate) instrument: Option<String>,
    pub(crate) caller_reference: Option<String>,
    pub(crate) friendly_name: Option<String>,
    pub(crate) payment_reason: Option<String>,
    pub(crate) instruction: Option<String>,
    /// The default of its kind without.
    pub(crate) expires_at: Option<Millis>,
    pub(crate) terms: Terms,
}

impl NewToken {
    /// Of a buyer who may be charged without limit, unless changed.
    pub(crate) fn new(id: impl Into<String>, merchant: i64, method: Method) -> Self {
        Self {
            id: id.into(),
            merchant,
            owner: None,
            role: Role::Sender,
            kind: TokenType::Unrestricted,
            method,
            instrument: None,
            caller_reference: None,
            friendly_name: None,
            payment_reason: None,
            instruction: None,
            expires_at: None,
            terms: Terms::default(),
        }
    }
}

const ROLES: [(&str, Role); 3] =
    [("sender", Role::Sender), ("recipient", Role::Recipient), ("caller", Role::Caller)];

fn role_name(role: Role) -> &'static str {
    ROLES.into_iter().find(|(_, known)| *known == role).map_or("sender", |(name, _)| name)
}

/// Installs a token.
pub(crate) fn insert(connection: &Connection, new: &NewToken, now: Millis) -> Result<(), Error> {
    let life = match new.kind {
        TokenType::SingleUse => Some(SINGLE_USE_LIFE),
        TokenType::MultiUse | TokenType::Recurring => Some(MULTI_USE_LIFE),
        _ => None,
    };
    let expires_at = new.expires_at.or(life.map(|life| now.saturating_add(life)));
    connection
        .prepare_cached(
            "INSERT INTO token (id, merchant, owner, role, type, method, instrument, active,
                 caller_reference, friendly_name, payment_reason, instruction, installed_at,
                 expires_at, terms)
             VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            new.id,
            new.merchant,
            new.owner,
            role_name(new.role),
            new.kind.as_str(),
            method_name(new.method),
            new.instrument,
            new.caller_reference,
            new.friendly_name,
            new.payment_reason,
            new.instruction,
            now,
            expires_at,
            new.terms.to_json()?,
        ])?;
    Ok(())
}

/// Makes sure that a token cannot be used any more.
pub(crate) fn cancel(connection: &Connection, id: &str) -> Result<(), Error> {
    connection.prepare_cached("UPDATE token SET active = 0 WHERE id = ?")?.execute([id])?;
    Ok(())
}

const COLUMNS: &str = "SELECT id, merchant, owner, role, type, method, instrument, active,
    caller_reference, friendly_name, payment_reason, instruction, installed_at, expires_at, terms
    FROM token";

/// Finds a token.
pub(crate) fn load(connection: &Connection, id: &str) -> Result<Option<StoredToken>, Error> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE id = ?"))?
        .query_row([id], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Changes how its owner pays.
pub(crate) fn set_method(connection: &Connection, id: &str, method: Method) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE token SET method = ? WHERE id = ?")?
        .execute(params![method_name(method), id])?;
    Ok(())
}

/// The newest token that a merchant installed under a reference.
pub(crate) fn by_reference(
    connection: &Connection,
    merchant: i64,
    reference: &str,
) -> Result<Option<StoredToken>, Error> {
    connection
        .prepare_cached(&format!(
            "{COLUMNS} WHERE merchant = ? AND caller_reference = ?
             ORDER BY installed_at DESC, rowid DESC LIMIT 1"
        ))?
        .query_row(params![merchant, reference], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// All tokens that a merchant installed, oldest first.
pub(crate) fn of_merchant(
    connection: &Connection,
    merchant: i64,
) -> Result<Vec<StoredToken>, Error> {
    let query = format!("{COLUMNS} WHERE merchant = ? ORDER BY installed_at, rowid");
    let mut statement = connection.prepare_cached(&query)?;
    statement.query_map([merchant], |row| Ok(read(row)))?.collect::<Result<Result<_, _>, _>>()?
}

/// The tokens that an owner gave a merchant.
pub(crate) fn given_by(
    connection: &Connection,
    merchant: i64,
    owner: i64,
) -> Result<Vec<StoredToken>, Error> {
    let query = format!("{COLUMNS} WHERE merchant = ? AND owner = ? ORDER BY installed_at, rowid");
    let mut statement = connection.prepare_cached(&query)?;
    let rows = statement.query_map([merchant, owner], |row| Ok(read(row)))?;
    rows.collect::<Result<Result<_, _>, _>>()?
}

fn read(row: &Row<'_>) -> Result<StoredToken, Error> {
    let text = |name: &str| -> Result<String, Error> { Ok(row.get(name)?) };
    let bad = |what: &'static str| Error::with(ErrorKind::Database, what);
    let role = text("role")?;
    let role = ROLES.into_iter().find(|(name, _)| *name == role);
    Ok(StoredToken {
        id: row.get("id")?,
        merchant: row.get("merchant")?,
        owner: row.get("owner")?,
        role: role.ok_or_else(|| bad("an unknown role"))?.1,
        kind: TokenType::from(text("type")?.as_str()),
        method: method_of(&text("method")?).ok_or_else(|| bad("an unknown method"))?,
        instrument: row.get("instrument")?,
        active: row.get("active")?,
        caller_reference: row.get("caller_reference")?,
        friendly_name: row.get("friendly_name")?,
        payment_reason: row.get("payment_reason")?,
        instruction: row.get("instruction")?,
        installed_at: row.get("installed_at")?,
        expires_at: row.get("expires_at")?,
        terms: Terms::from_json(&text("terms")?)?,
    })
}

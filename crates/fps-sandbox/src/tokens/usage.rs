//! What a token was used for, counted from the payments themselves: those that failed or were given up
//! do not count.

use fps_model::flexible_payments::UsageLimitType;
use rusqlite::{Connection, params};

use super::{StoredToken, UsageTerm};
use crate::clock::Millis;
use crate::error::Error;

/// So many payments of so many cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) count: i64,
    pub(crate) minor: i64,
}

impl Used {
    /// What a limit counts of it.
    const fn of(self, what: &UsageLimitType) -> i64 {
        match what {
            UsageLimitType::Count => self.count,
            _ => self.minor,
        }
    }
}

/// The uses of a token since a time.
pub(crate) fn uses(connection: &Connection, token: &str, since: Millis) -> Result<Used, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*), coalesce(sum(iif(captured > 0, captured, amount)), 0) FROM payment
         WHERE token = ? AND created_at >= ? AND state NOT IN ('failed', 'cancelled')",
    )?;
    let used = statement.query_row(params![token, since], |row| {
        Ok(Used { count: row.get(0)?, minor: row.get(1)? })
    })?;
    Ok(used)
}

/// A limit of a token, and what of it is used in the period that is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) of: UsageLimitType,
    pub(crate) most: i64,
    pub(crate) used: i64,
    pub(crate) since: Millis,
}

impl Limit {
    /// Is there room for one more payment of so many cents?
    pub(crate) fn has_room(&self, minor: i64) -> bool {
        let more = Used { count: 1, minor }.of(&self.of);
        self.used.saturating_add(more) <= self.most
    }
}

/// The limits of a token that count: that of all payments, and those of each period.
pub(crate) fn limits(
    connection: &Connection,
    token: &StoredToken,
    now: Millis,
) -> Result<Vec<Limit>, Error> {
    let start = token.terms.valid_from.unwrap_or(token.installed_at);
    let total = total(token);
    let mut limits = Vec::new();
    for term in token.terms.usage.iter().chain(&total) {
        let since = term.period.map_or(start, |period| period.beginning(start, now));
        let used = uses(connection, &token.id, since)?.of(&term.of);
        limits.push(Limit { of: term.of.clone(), most: term.most, used, since });
    }
    Ok(limits)
}

/// The limit of all payments together.
fn total(token: &StoredToken) -> Option<UsageTerm> {
    let of = UsageLimitType::Amount;
    token.terms.total.map(|most| UsageTerm { of, most, period: None })
}

//! Lists: which items are wanted, and how many at a time.

use axum::extract::FromRequestParts;
use fps_model::Params;
use http::request::Parts;
use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, ToSql};
use serde::Serialize;

use super::http::Problem;
use super::merchants;
use crate::books::Service;
use crate::error::Error;

/// The items of a list when nothing is said, and at the most.
const LIMIT: u32 = 100;
pub(super) const LIMIT_MAX: u32 = 1_000;

/// Which items of a list are wanted. What a list does not have is not looked at.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Of this merchant: its name, access key id or public key id.
    pub merchant: Option<String>,
    /// Of this service.
    pub service: Option<Service>,
    /// In this state.
    pub state: Option<String>,
    /// About this payment, refund or other object.
    pub subject: Option<String>,
    /// Behind this place: the `next` of the page before.
    pub after: Option<i64>,
    /// At most so many: 100 when nothing is said, and never more than 1,000.
    pub limit: Option<u32>,
}

/// One page of a list, oldest first.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to ask for the next page with; nothing on the last one.
    pub next: Option<i64>,
}

/// The names of the query that fill a [`Filter`].
pub(super) const QUERY: [&str; 6] = ["merchant", "service", "state", "subject", "after", "limit"];

/// What the query of a request asks for.
pub(super) struct Asked(pub(super) Filter);

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(|reason| Problem::bad_query(&reason))
    }
}

fn read(query: &str) -> Result<Filter, String> {
    let params = Params::parse(query.as_bytes()).map_err(|error| error.to_string())?;
    let mut filter = Filter::default();
    for (name, value) in params.iter() {
        let not = |what: &str| format!("`{name}` is not {what}");
        match name {
            "merchant" => filter.merchant = Some(value.to_owned()),
            "service" => {
                let service = Service::from_name(value).map_err(|_| not("one of the services"))?;
                filter.service = Some(service);
            }
            "state" => filter.state = Some(value.to_owned()),
            "subject" => filter.subject = Some(value.to_owned()),
            "after" => filter.after = Some(value.parse().map_err(|_| not("a number"))?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                filter.limit = Some(limit.ok_or_else(|| not("a number from 1 to 1000"))?);
            }
            _ => return Err(format!("`{name}` is not one of {}", QUERY.join(", "))),
        }
    }
    Ok(filter)
}

impl Filter {
    /// The keys of one page, and where the next begins. The query selects the place and a key of each
    /// item from the tables it joins, and ends with its `WHERE`; `columns` say what of an item is
    /// compared: merchant, service, state, subject, place.
    pub(super) fn keys<K: FromSql>(
        &self,
        connection: &Connection,
        query: &str,
        columns: [&str; 5],
    ) -> Result<(Vec<K>, Option<i64>), Error> {
        let merchant = match &self.merchant {
            Some(name) => Some(merchants::find(connection, Some(name))?),
            None => None,
        };
        let limit = self.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
        let [of_merchant, of_service, of_state, of_subject, place] = columns;
        // The names of columns are ours; what was asked for is bound.
        let mut statement: CachedStatement<'_> = connection.prepare_cached(&format!(
            "{query} (?1 IS NULL OR {of_merchant} = ?1) AND (?2 IS NULL OR {of_service} = ?2)
                 AND (?3 IS NULL OR {of_state} = ?3) AND (?4 IS NULL OR {of_subject} = ?4)
                 AND {place} > ?5
             ORDER BY {place} LIMIT ?6"
        ))?;
        let values: [&dyn ToSql; 6] = [
            &merchant,
            &self.service.map(Service::name),
            &self.state,
            &self.subject,
            &self.after.unwrap_or_default(),
            &(i64::from(limit) + 1),
        ];
        let found = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut found: Vec<(i64, K)> = found.collect::<Result<_, _>>()?;
        let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            found.pop();
        }
        let next = found.last().map(|(place, _)| *place).filter(|_| more);
        Ok((found.into_iter().map(|(_, key)| key).collect(), next))
    }

    /// One page of items, each found by its key.
    pub(super) fn page<K: FromSql, T>(
        &self,
        connection: &Connection,
        query: &str,
        columns: [&str; 5],
        find: impl Fn(&Connection, K) -> Result<Option<T>, Error>,
    ) -> Result<Page<T>, Error> {
        let (keys, next) = self.keys(connection, query, columns)?;
        let items = keys.into_iter().filter_map(|key| find(connection, key).transpose());
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }
}

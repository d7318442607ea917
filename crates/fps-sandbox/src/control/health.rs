//! Whether the sandbox is there, and what it is.

use axum::extract::State;
use serde::Serialize;

use super::http::{Answered, told};
use super::{ClockReading, Control};
use crate::error::Error;

/// A sandbox that answers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Health {
    /// `ok`: the database was asked.
    pub status: &'static str,
    /// The version of the sandbox.
    pub version: &'static str,
    /// Where its services are.
    pub url: String,
    /// Its time.
    pub clock: ClockReading,
    /// How many merchants there are.
    pub merchants: u32,
}

impl Control {
    /// Asks the database, too.
    ///
    /// # Errors
    /// [`Error`] when that fails.
    pub async fn health(&self) -> Result<Health, Error> {
        let count = |connection: &rusqlite::Connection| {
            Ok(connection.query_row("SELECT count(*) FROM merchant", [], |row| row.get(0))?)
        };
        Ok(Health {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            url: self.shared.url.clone(),
            clock: self.clock(),
            merchants: self.shared.store.run(count).await?,
        })
    }
}

pub(super) async fn get(State(control): State<Control>) -> Answered<Health> {
    Ok(told(control.health().await?))
}

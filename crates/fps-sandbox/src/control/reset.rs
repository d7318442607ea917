//! An empty sandbox again, without a new file.

use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::Control;
use super::http::{Answered, Body, told};
use crate::error::Error;
use crate::settings;

/// What a reset leaves, or has left.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Reset {
    /// Do merchants keep their keys, and what they sign with?
    pub keep_merchants: bool,
}

impl Reset {
    /// Merchants keep their keys.
    #[must_use]
    pub const fn keeping_merchants() -> Self {
        Self { keep_merchants: true }
    }
}

/// What is never emptied: the sandbox signs its notifications as before. Settings are emptied apart.
const KEPT: [&str; 2] = ["signing_key", "setting"];

/// Empties every table that is not kept, whoever added it.
fn empty(connection: &Connection, reset: Reset) -> Result<(), Error> {
    connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
    let mut tables = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables {
        let kept = KEPT.contains(&&*table) || (table == "merchant" && reset.keep_merchants);
        if !kept {
            connection.execute(&format!("DELETE FROM \"{table}\""), [])?;
        }
    }
    settings::reset(connection)
}

impl Control {
    /// Empties the sandbox, and forgets its audit. Its time stays, and merchants may. One with a seed that keeps nothing
    /// begins its identifiers again, as if it were fresh.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn reset(&self, reset: Reset) -> Result<Reset, Error> {
        let ids = std::sync::Arc::clone(&self.shared.ids);
        let work = move |connection: &Connection| {
            empty(connection, reset)?;
            if !reset.keep_merchants {
                ids.restart(0);
            }
            Ok(reset)
        };
        let reset = self.run(work).await?;
        self.reset_audit();
        Ok(reset)
    }
}

pub(super) async fn reset(
    State(control): State<Control>,
    Body(reset): Body<Reset>,
) -> Answered<Reset> {
    Ok(told(control.reset(reset).await?))
}

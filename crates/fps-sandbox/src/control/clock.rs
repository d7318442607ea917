//! The clock of the sandbox, which goes forward only.

use std::time::Duration;

use axum::extract::State;
use fps_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::http::{Answered, Body, told};
use super::json::{optional_time, time};
use super::{Control, duration};
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::settings;

/// What the clock says.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClockReading {
    /// The time of the sandbox.
    #[serde(with = "time")]
    pub now: Timestamp,
    /// How far it was moved, in milliseconds.
    pub ahead_millis: i64,
    /// Does it move only when it is moved?
    pub stands_still: bool,
}

/// How the clock is to be moved: by a span or to a time, and not both.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClockChange {
    /// `7d`, `90s`, `1h30m`, `P7D`.
    pub advance: Option<String>,
    /// A time that has not come yet.
    #[serde(default, with = "optional_time")]
    pub to: Option<Timestamp>,
}

impl Control {
    /// What the clock says.
    #[must_use]
    pub fn clock(&self) -> ClockReading {
        let clock = &self.shared.clock;
        ClockReading {
            now: clock::timestamp(clock.now()),
            ahead_millis: clock.ahead(),
            stands_still: clock.stands_still(),
        }
    }

    /// Moves the clock forward: what is due by then happens, keys and reservations grow old. Requests
    /// may carry the date of the machine all the same. It stays so after a restart.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn advance_clock(&self, by: Duration) -> Result<ClockReading, Error> {
        self.move_clock(clock::millis(by)).await
    }

    /// The same, as the control API has it.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for a time that has passed.
    pub async fn change_clock(&self, change: &ClockChange) -> Result<ClockReading, Error> {
        let by = match (&change.advance, change.to) {
            (Some(span), None) => duration::parse(span)?,
            (None, Some(to)) => to.unix_millis().saturating_sub(self.shared.clock.now()),
            _ => {
                let reason = "the clock is moved either by `advance` or with `to`";
                return Err(Error::with(ErrorKind::Invalid, reason));
            }
        };
        if by < 0 {
            return Err(Error::with(ErrorKind::Invalid, "the clock goes forward only"));
        }
        self.move_clock(by).await
    }

    async fn move_clock(&self, by: Millis) -> Result<ClockReading, Error> {
        let ahead = self.shared.clock.ahead().saturating_add(by);
        let then = self.shared.clock.now().saturating_add(by);
        if clock::timestamp(then) == clock::timestamp(Millis::MAX) {
            return Err(Error::with(ErrorKind::Invalid, "the clock ends with the year 9999"));
        }
        self.shared
            .store
            .run(move |connection| settings::set_clock_ahead(connection, ahead))
            .await?;
        self.shared.clock.set_ahead(ahead);
        self.shared.wake();
        Ok(self.clock())
    }
}

pub(super) async fn get(State(control): State<Control>) -> Answered<ClockReading> {
    Ok(told(control.clock()))
}

pub(super) async fn change(
    State(control): State<Control>,
    Body(change): Body<ClockChange>,
) -> Answered<ClockReading> {
    Ok(told(control.change_clock(&change).await?))
}

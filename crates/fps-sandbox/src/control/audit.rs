//! What the client did wrong, asked for; how it is found is in `audit`.

use axum::extract::State;

use super::Control;
use super::http::{Answered, told};
use crate::audit::{self, Report};
use crate::error::Error;

impl Control {
    /// What the client did wrong until now, as far as it can be seen.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn audit(&self) -> Result<Report, Error> {
        let notices = self.run(audit::notices).await?;
        Ok(self.shared.exchanges.audit.report(&notices, self.shared.clock.now()))
    }

    /// Forgets what was found, and what the rules remember.
    pub fn reset_audit(&self) {
        self.shared.exchanges.audit.reset();
    }
}

pub(super) async fn get(State(control): State<Control>) -> Answered<Report> {
    Ok(told(control.audit().await?))
}

pub(super) async fn reset(State(control): State<Control>) -> Answered<Report> {
    control.reset_audit();
    Ok(told(control.audit().await?))
}

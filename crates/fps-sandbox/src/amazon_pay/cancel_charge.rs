//! CancelCharge: gives up a charge that was not captured.

use fps_model::amazon_pay::{CancelCharge, ReasonCode};
use rusqlite::params;

use super::refusals::stop;
use super::{Context, Perform, charges};
use crate::idempotency::{Reply, Stop};
use crate::payments::{self, State};

impl Perform for CancelCharge {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let stored = charges::find(context, self.charge_id.as_str())?;
        if !matches!(stored.state, State::Pending | State::Reserved) {
            let message = "Only a charge that is authorized, or about to be, can be cancelled.";
            return Err(stop(ReasonCode::InvalidChargeStatus, message));
        }
        context
            .connection
            .prepare_cached(
                "UPDATE payment SET details = json_set(details, '$.cancellationReason', ?)
                 WHERE id = ?",
            )?
            .execute(params![self.cancellation_reason.expose(), stored.id])?;
        let stored =
            payments::cancel(context.connection, &stored, "MerchantCanceled", context.now)?;
        Ok(Self::reply(charges::wire(&stored)?))
    }
}

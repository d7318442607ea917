//! GetCharge: how far a charge has come, and how much of it was refunded.

use fps_model::amazon_pay::GetCharge;

use super::{Context, Perform, charges};
use crate::idempotency::{Reply, Stop};

impl Perform for GetCharge {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let stored = charges::find(context, self.charge_id.as_str())?;
        Ok(Self::reply(charges::wire(&stored)?))
    }
}

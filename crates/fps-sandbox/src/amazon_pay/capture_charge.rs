//! CaptureCharge: charges what was authorized, or less, once.

use fps_model::amazon_pay::{CaptureCharge, ReasonCode};

use super::refusals::{bad_value, stop};
use super::{Context, Perform, charges, checks};
use crate::clock::Millis;
use crate::idempotency::{Reply, Stop};
use crate::payments::{self, Capture, End, State, StoredPayment};

/// A capture later than this is only begun. Source: Amazon Pay API v2, charge.
const AT_ONCE_WITHIN: Millis = 7 * 24 * 60 * 60 * 1_000;

impl Perform for CaptureCharge {
    /// Source: Amazon Pay, sandbox simulations; the Magento plugin's tests.
    const SIMULATES: &'static [&'static str] = &["CaptureInitiated", "AmazonRejected"];

    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        checks::positive("captureAmount", self.capture_amount)?;
        let stored = charges::find(context, self.charge_id.as_str())?;
        if stored.state != State::Reserved {
            let message = "Only an authorized charge can be captured, and only once.";
            return Err(stop(ReasonCode::InvalidChargeStatus, message));
        }
        if self.capture_amount.currency() != stored.amount.currency() {
            return Err(bad_value("captureAmount", "the currency is not that of the charge"));
        }
        let too_much = ReasonCode::TransactionAmountExceeded;
        checks::within(self.capture_amount, stored.amount, too_much)?;
        let (end, later) = end(context, &stored)?;
        let capture = Capture {
            amount: self.capture_amount,
            fee: context.fee(self.capture_amount)?,
            soft_descriptor: self.soft_descriptor.as_deref(),
            notify_url: None,
            end,
            due_at: later.then(|| context.later()),
        };
        let stored = payments::settle(context.connection, &stored, &capture, context.now)?;
        Ok(Self::reply(charges::wire(&stored)?))
    }
}

/// What becomes of the capture, and whether later.
fn end(context: &Context<'_>, stored: &StoredPayment) -> Result<(End, bool), Stop> {
    let authorized_for = context.now.saturating_sub(stored.updated_at);
    match context.simulated {
        None => Ok((End::Completed, authorized_for > AT_ONCE_WITHIN)),
        Some("CaptureInitiated") => Ok((End::Completed, true)),
        Some(reason) if context.at_once => {
            Err(stop(reason.into(), "Declined, as the request asked to simulate."))
        }
        Some(reason) => Ok((End::Failed(reason.to_owned()), true)),
    }
}

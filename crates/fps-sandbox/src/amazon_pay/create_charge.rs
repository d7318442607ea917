//! CreateCharge: authorizes an amount under a charge permission, and captures it if asked to.

use fps_model::amazon_pay::{Channel, ChargeInitiator, CreateCharge};

use super::charges::{self, ChargeDetails, Wanted};
use super::{Context, Perform, checks, permissions};
use crate::idempotency::{Reply, Stop};

impl Perform for CreateCharge {
    /// Source: Amazon Pay, sandbox simulations. The last two are the sandbox's choice: those that the page
    /// has for later results could not be found.
    const SIMULATES: &'static [&'static str] = &[
        "SoftDeclined",
        "HardDeclined",
        "AmazonRejected",
        "TransactionTimedOut",
        "CaptureInitiated",
        "ProcessingFailure",
        "AuthorizationInitiated",
    ];

    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let capture_now = self.capture_now.unwrap_or(false);
        checks::listed("channel", self.channel.as_ref(), Channel::listed())?;
        let initiators = ChargeInitiator::listed();
        checks::listed("chargeInitiator", self.charge_initiator.as_ref(), initiators)?;
        checks::addresses(self.web_checkout_details.as_ref())?;
        checks::soft_descriptor(self.soft_descriptor.as_deref(), capture_now)?;
        checks::positive("chargeAmount", self.charge_amount)?;
        let id = self.charge_permission_id.as_str();
        let permission = permissions::find(context, id)?;
        checks::charge_amount(context, "chargeAmount", self.charge_amount)?;
        let wanted = Wanted {
            amount: self.charge_amount,
            capture_now,
            may_wait: self.can_handle_pending_authorization.unwrap_or(false),
            soft_descriptor: self.soft_descriptor.as_deref(),
            details: ChargeDetails {
                merchant_metadata: self.merchant_metadata.clone(),
                provider_metadata: self.provider_metadata.clone(),
                charge_initiator: self.charge_initiator.clone(),
                channel: self.channel.clone(),
                platform_id: self.platform_id.clone(),
                web_checkout_details: self.web_checkout_details.clone(),
                cancellation_reason: None,
            },
        };
        let stored = charges::begin(context, &permission, &wanted)?;
        Ok(Self::reply(charges::wire(&stored)?))
    }
}

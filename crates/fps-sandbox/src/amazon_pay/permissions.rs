//! The operations on charge permissions.

use fps_model::amazon_pay::{
    ChargePermission, ChargePermissionLimits, ChargePermissionReason,
    ChargePermissionStatusDetails, CloseChargePermission, GetChargePermission, ReasonCode,
    ReleaseEnvironment, UpdateChargePermission,
};

use super::refusals::stop;
use super::{Context, Perform, buyers, checks};
use crate::charge_permissions::{self, StoredPermission};
use crate::clock;
use crate::error::Error;
use crate::idempotency::{Reply, Stop};
use crate::payments::{self, State};

impl Perform for GetChargePermission {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let stored = find(context, self.charge_permission_id.as_str())?;
        Ok(Self::reply(wire(context, stored)?))
    }
}

impl Perform for UpdateChargePermission {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        checks::recurring(self.recurring_metadata.as_ref())?;
        let stored = find(context, self.charge_permission_id.as_str())?;
        if stored.is_closed() {
            let message = "A charge permission that is closed cannot be changed.";
            return Err(stop(ReasonCode::ChargePermissionNotModifiable, message));
        }
        let mut details = stored.details.clone();
        details.merchant_metadata =
            checks::noted(details.merchant_metadata, self.merchant_metadata.as_ref());
        if self.recurring_metadata.is_some() {
            details.recurring_metadata.clone_from(&self.recurring_metadata);
        }
        charge_permissions::set_details(context.connection, &stored, &details, context.now)?;
        let stored = find(context, &stored.id)?;
        Ok(Self::reply(wire(context, stored)?))
    }
}

impl Perform for CloseChargePermission {
    /// Source: Amazon Pay, sandbox simulations.
    const SIMULATES: &'static [&'static str] = &["AmazonClosed"];

    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let stored = find(context, self.charge_permission_id.as_str())?;
        if stored.is_closed() {
            let message = "The charge permission is closed.";
            return Err(stop(ReasonCode::InvalidChargePermissionStatus, message));
        }
        if self.cancel_pending_charges == Some(true) {
            cancel_pending(context, &stored)?;
        }
        let reason = context.simulated.unwrap_or("MerchantClosed");
        let description = Some(self.closure_reason.expose());
        let connection = context.connection;
        charge_permissions::close(connection, &stored, reason, description, context.now)?;
        let stored = find(context, &stored.id)?;
        Ok(Self::reply(wire(context, stored)?))
    }
}

/// Gives up what was not captured. What is being captured goes on.
fn cancel_pending(context: &Context<'_>, permission: &StoredPermission) -> Result<(), Stop> {
    let mut statement = context.connection.prepare_cached(
        "SELECT id FROM payment WHERE parent = ? AND state IN ('pending', 'reserved')
         ORDER BY created_at, rowid",
    )?;
    let ids = statement.query_map([&permission.id], |row| row.get(0))?;
    for id in ids.collect::<Result<Vec<String>, _>>()? {
        let charge = payments::load(context.connection, &id)?;
        let charge =
            charge.filter(|charge| matches!(charge.state, State::Pending | State::Reserved));
        if let Some(charge) = charge {
            let reason = "ChargePermissionCanceled";
            payments::cancel(context.connection, &charge, reason, context.now)?;
        }
    }
    Ok(())
}

/// A charge permission of the merchant's own.
pub(super) fn find(context: &Context<'_>, id: &str) -> Result<StoredPermission, Stop> {
    let stored = charge_permissions::load(context.connection, id)?;
    let stored = stored.filter(|stored| stored.merchant == context.merchant);
    stored.ok_or_else(|| stop(ReasonCode::ResourceNotFound, "No charge permission has this id."))
}

/// A charge permission in the service's words.
fn wire(context: &Context<'_>, stored: StoredPermission) -> Result<ChargePermission, Error> {
    let mut status = ChargePermissionStatusDetails::new(stored.state.as_str().into())
        .last_updated_timestamp(clock::timestamp(stored.updated_at));
    if let Some(reason) = &stored.reason {
        let mut told = ChargePermissionReason::new().reason_code(reason.as_str().into());
        told.reason_description.clone_from(&stored.reason_description);
        status = status.reasons(told);
    }
    let mut limits = ChargePermissionLimits::new();
    limits.amount_limit = stored.limit;
    limits.amount_balance = stored.balance(context.connection, context.now)?;
    let mut permission = ChargePermission::new(stored.id.as_str(), status)
        .creation_timestamp(clock::timestamp(stored.created_at))
        .release_environment(ReleaseEnvironment::Sandbox)
        .limits(limits)
        .charge_permission_type(stored.kind)
        .presentment_currency(stored.currency.code().into());
    permission.expiration_timestamp = stored.due_at.map(clock::timestamp);
    if buyers::is_told(stored.created_at, context.now) {
        permission = permission
            .buyer(buyers::buyer())
            .shipping_address(buyers::address())
            .billing_address(buyers::address())
            .payment_preferences(buyers::payment_preference());
    }
    let said = stored.details;
    permission.merchant_metadata = Some(said.merchant_metadata.unwrap_or_default());
    permission.recurring_metadata = Some(said.recurring_metadata.unwrap_or_default());
    permission.payment_method_on_file_metadata = said.payment_method_on_file_metadata;
    permission.platform_id = said.platform_id;
    Ok(permission)
}

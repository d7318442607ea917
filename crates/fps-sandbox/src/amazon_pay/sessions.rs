//! The operations on checkout sessions. Signing in and agreeing is up to the buyer: see
//! [`App::approve_checkout`](crate::App::approve_checkout).

use fps_model::amazon_pay::{
    ChargePermissionType, CheckoutSession, CheckoutSessionConstraint, CheckoutSessionStatusDetails,
    ConstraintId, CreateCheckoutSession, GetCheckoutSession, PaymentDetails, ProductType,
    ReasonCode, ReleaseEnvironment, SpecialRestriction, UpdateCheckoutSession, WebCheckoutDetails,
};

use super::refusals::stop;
use super::{Context, Perform, buyers, checks};
use crate::checkout_sessions::{self, SessionDetails, SessionState, StoredSession};
use crate::clock;
use crate::idempotency::{Reply, Stop};
use crate::ids;

impl Perform for CreateCheckoutSession {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let kinds = ChargePermissionType::listed();
        checks::listed("chargePermissionType", self.charge_permission_type.as_ref(), kinds)?;
        let delivery = self.delivery_specifications.as_ref();
        for restriction in delivery.iter().flat_map(|delivery| &delivery.special_restrictions) {
            let field = "deliverySpecifications.specialRestrictions";
            checks::listed(field, Some(restriction), SpecialRestriction::listed())?;
        }
        checks::addresses(self.web_checkout_details.as_ref())?;
        checks::recurring(self.recurring_metadata.as_ref())?;
        checks::payment_details(context, self.payment_details.as_ref())?;
        let id = ids::request_id();
        let details = SessionDetails {
            web_checkout_details: self.web_checkout_details.clone(),
            payment_details: self.payment_details.clone(),
            store_id: self.store_id.clone(),
            charge_permission_type: self.charge_permission_type.clone(),
            recurring_metadata: self.recurring_metadata.clone(),
            payment_method_on_file_metadata: self.payment_method_on_file_metadata.clone(),
            delivery_specifications: self.delivery_specifications.clone(),
            merchant_metadata: self.merchant_metadata.clone(),
            provider_metadata: self.provider_metadata.clone(),
            platform_id: self.platform_id.clone(),
        };
        let connection = context.connection;
        checkout_sessions::insert(connection, &id, context.merchant, &details, context.now)?;
        Ok(Self::reply(wire(context, find(context, &id)?)))
    }
}

impl Perform for GetCheckoutSession {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        let stored = find(context, self.checkout_session_id.as_str())?;
        Ok(Self::reply(wire(context, stored)))
    }
}

impl Perform for UpdateCheckoutSession {
    fn perform(&self, context: &Context<'_>) -> Result<Reply, Stop> {
        checks::addresses(self.web_checkout_details.as_ref())?;
        checks::recurring(self.recurring_metadata.as_ref())?;
        let stored = find(context, self.checkout_session_id.as_str())?;
        still_open(&stored)?;
        let mut details = stored.details;
        if let Some(addresses) = &self.web_checkout_details {
            replace_addresses(&mut details.web_checkout_details, addresses);
        }
        if let Some(payment) = &self.payment_details {
            replace_payment(&mut details.payment_details, payment);
        }
        checks::payment_details(context, details.payment_details.as_ref())?;
        if self.recurring_metadata.is_some() {
            details.recurring_metadata.clone_from(&self.recurring_metadata);
        }
        details.merchant_metadata =
            checks::noted(details.merchant_metadata, self.merchant_metadata.as_ref());
        details.provider_metadata = self.provider_metadata.clone().or(details.provider_metadata);
        details.platform_id = self.platform_id.clone().or(details.platform_id);
        checkout_sessions::set_details(context.connection, &stored.id, &details, context.now)?;
        Ok(Self::reply(wire(context, find(context, &stored.id)?)))
    }
}

/// What is left out stays as it is.
fn replace_addresses(kept: &mut Option<WebCheckoutDetails>, new: &WebCheckoutDetails) {
    let kept = kept.get_or_insert_default();
    for (kept, new) in [
        (&mut kept.checkout_review_return_url, &new.checkout_review_return_url),
        (&mut kept.checkout_result_return_url, &new.checkout_result_return_url),
        (&mut kept.checkout_cancel_url, &new.checkout_cancel_url),
    ] {
        if new.is_some() {
            kept.clone_from(new);
        }
    }
}

fn replace_payment(kept: &mut Option<PaymentDetails>, new: &PaymentDetails) {
    let kept = kept.get_or_insert_default();
    let new = new.clone();
    kept.payment_intent = new.payment_intent.or(kept.payment_intent.take());
    kept.can_handle_pending_authorization =
        new.can_handle_pending_authorization.or(kept.can_handle_pending_authorization);
    kept.charge_amount = new.charge_amount.or(kept.charge_amount);
    kept.total_order_amount = new.total_order_amount.or(kept.total_order_amount);
    kept.soft_descriptor = new.soft_descriptor.or(kept.soft_descriptor.take());
    kept.presentment_currency = new.presentment_currency.or(kept.presentment_currency.take());
    kept.allow_overcharge = new.allow_overcharge.or(kept.allow_overcharge);
    kept.extend_expiration = new.extend_expiration.or(kept.extend_expiration);
}

/// A session of the merchant's own.
pub(super) fn find(context: &Context<'_>, id: &str) -> Result<StoredSession, Stop> {
    let stored = checkout_sessions::load(context.connection, id, context.now)?;
    let stored = stored.filter(|stored| stored.merchant == context.merchant);
    stored.ok_or_else(|| stop(ReasonCode::ResourceNotFound, "No checkout session has this id."))
}

/// Refuses what can be done with an open session only.
pub(super) fn still_open(stored: &StoredSession) -> Result<(), Stop> {
    match stored.state {
        SessionState::Open => Ok(()),
        SessionState::Canceled => {
            let message = "The checkout session was cancelled.";
            Err(stop(ReasonCode::CheckoutSessionCanceled, message))
        }
        SessionState::Completed => {
            let message = "The checkout session is completed.";
            Err(stop(ReasonCode::InvalidCheckoutSessionStatus, message))
        }
    }
}

/// What a session lacks. Source: Amazon Pay API v2, checkout session.
pub(super) fn missing(stored: &StoredSession) -> Vec<ConstraintId> {
    let addresses = stored.details.web_checkout_details.as_ref();
    let payment = stored.details.payment_details.as_ref();
    let result_url = addresses.and_then(|it| it.checkout_result_return_url.as_ref());
    let lacks = [
        (ConstraintId::BuyerNotAssociated, !stored.approved),
        (
            ConstraintId::ChargeAmountNotSet,
            payment.is_none_or(|payment| payment.charge_amount.is_none()),
        ),
        (ConstraintId::CheckoutResultReturnUrlNotSet, result_url.is_none()),
        (
            ConstraintId::PaymentIntentNotSet,
            payment.is_none_or(|payment| payment.payment_intent.is_none()),
        ),
    ];
    lacks.into_iter().filter(|(_, lacks)| *lacks).map(|(id, _)| id).collect()
}

/// A session in the service's words.
pub(super) fn wire(context: &Context<'_>, stored: StoredSession) -> CheckoutSession {
    let mut status = CheckoutSessionStatusDetails::new(stored.state.name().into())
        .last_updated_timestamp(clock::timestamp(stored.updated_at));
    status.reason_code = stored.reason.as_deref().map(Into::into);
    let mut session = CheckoutSession::new(stored.id.as_str(), status)
        .product_type(ProductType::PayAndShip)
        .creation_timestamp(clock::timestamp(stored.created_at))
        .expiration_timestamp(clock::timestamp(stored.expires_at()))
        .release_environment(ReleaseEnvironment::Sandbox);
    let missing = match stored.state {
        SessionState::Open => missing(&stored),
        SessionState::Completed | SessionState::Canceled => Vec::new(),
    };
    let complete = stored.state == SessionState::Open && missing.is_empty();
    for lack in missing {
        let description = format!("{lack}.");
        let constraint = CheckoutSessionConstraint::new().constraint_id(lack);
        session = session.constraints(constraint.description(description));
    }
    if stored.approved && buyers::is_told(stored.created_at, context.now) {
        session = session
            .buyer(buyers::buyer())
            .billing_address(buyers::address())
            .shipping_address(buyers::address())
            .payment_preferences(buyers::payment_preference());
    }
    let said = stored.details;
    let mut addresses = said.web_checkout_details.unwrap_or_default();
    // The buyer agrees by another way; the address is there because clients look for it.
    addresses.amazon_pay_redirect_url = complete.then(|| {
        let url = &context.shared.url;
        format!("{url}/checkout/processing?amazonCheckoutSessionId={}", stored.id)
    });
    session.web_checkout_details = Some(addresses);
    session.payment_details = Some(said.payment_details.unwrap_or_default());
    let kind = said.charge_permission_type.unwrap_or(ChargePermissionType::OneTime);
    session.charge_permission_type = Some(kind);
    session.recurring_metadata = said.recurring_metadata;
    session.payment_method_on_file_metadata = said.payment_method_on_file_metadata;
    session.merchant_metadata = Some(said.merchant_metadata.unwrap_or_default());
    session.provider_metadata = Some(said.provider_metadata.unwrap_or_default());
    session.delivery_specifications = said.delivery_specifications;
    session.platform_id = said.platform_id;
    session.store_id = said.store_id;
    session.charge_permission_id = stored.charge_permission.map(Into::into);
    session.charge_id = stored.charge.map(Into::into);
    session
}

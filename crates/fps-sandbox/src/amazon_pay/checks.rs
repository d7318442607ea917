//! What the reader of a message does not judge: ranges of amounts, values of enumerations, addresses.

use fps_model::amazon_pay::{
    MerchantMetadata, PaymentDetails, PaymentIntent, ReasonCode, RecurringMetadata,
    WebCheckoutDetails,
};
use refund_rules::{Currency, Money};

use super::Context;
use super::refusals::{bad_value, stop};
use crate::error::Error;
use crate::idempotency::Stop;
use crate::merchants;

/// The most of one charge, in whole units. Source: Amazon Pay API v2, charge; of other currencies no
/// limit is documented.
fn charge_max(currency: Currency) -> Option<Money> {
    let most = match currency.code() {
        "USD" | "GBP" | "EUR" => 150_000,
        "JPY" => 10_000_000,
        _ => return None,
    };
    Some(Money::from_minor(most * currency.minor_per_major(), currency))
}

/// An amount that the merchant may charge.
pub(super) fn charge_amount(context: &Context<'_>, field: &str, amount: Money) -> Result<(), Stop> {
    positive(field, amount)?;
    let region = merchants::seller(context.connection, context.merchant)?.region;
    if !region.takes(amount.currency()) {
        return Err(bad_value(field, "the currency is not one of the merchant's region"));
    }
    if let Some(most) = charge_max(amount.currency()) {
        within(amount, most, ReasonCode::TransactionAmountExceeded)?;
    }
    Ok(())
}

pub(super) fn positive(field: &str, amount: Money) -> Result<(), Stop> {
    if amount.is_zero() || amount.is_negative() {
        return Err(bad_value(field, "the amount has to be greater than zero"));
    }
    Ok(())
}

/// No more than that, in the same currency.
pub(super) fn within(amount: Money, most: Money, code: ReasonCode) -> Result<(), Stop> {
    if amount.try_cmp(most).map_err(Error::invalid)?.is_gt() {
        let message = format!("The amount {amount} is greater than {most}, which is what is left.");
        return Err(stop(code, message));
    }
    Ok(())
}

/// A value of an enumeration that the service knows.
pub(super) fn listed<T: PartialEq>(
    field: &str,
    value: Option<&T>,
    listed: &[T],
) -> Result<(), Stop> {
    match value {
        Some(value) if !listed.contains(value) => {
            Err(bad_value(field, "it is none of the known values"))
        }
        _ => Ok(()),
    }
}

/// Addresses that a browser can be sent to.
pub(super) fn addresses(details: Option<&WebCheckoutDetails>) -> Result<(), Stop> {
    let Some(details) = details else { return Ok(()) };
    for (field, url) in [
        ("checkoutReviewReturnUrl", &details.checkout_review_return_url),
        ("checkoutResultReturnUrl", &details.checkout_result_return_url),
        ("checkoutCancelUrl", &details.checkout_cancel_url),
    ] {
        let Some(url) = url else { continue };
        let uri = url.parse::<http::Uri>().ok();
        let good = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
        });
        if !good {
            return Err(bad_value(field, "it has to be an address of the web"));
        }
    }
    Ok(())
}

/// A frequency that can be counted, and an amount that can be paid.
pub(super) fn recurring(metadata: Option<&RecurringMetadata>) -> Result<(), Stop> {
    let Some(metadata) = metadata else { return Ok(()) };
    if let Some(amount) = metadata.amount {
        positive("recurringMetadata.amount", amount)?;
    }
    let Some(frequency) = &metadata.frequency else { return Ok(()) };
    let units = fps_model::amazon_pay::FrequencyUnit::listed();
    listed("recurringMetadata.frequency.unit", frequency.unit.as_ref(), units)?;
    let value = frequency.value.as_deref().unwrap_or("1");
    if value.parse::<u16>().is_ok() {
        return Ok(());
    }
    Err(bad_value("recurringMetadata.frequency.value", "it has to be a whole number"))
}

/// What is paid at the end of a checkout, as far as it is known.
pub(super) fn payment_details(
    context: &Context<'_>,
    details: Option<&PaymentDetails>,
) -> Result<(), Stop> {
    let Some(details) = details else { return Ok(()) };
    let intents = PaymentIntent::listed();
    listed("paymentDetails.paymentIntent", details.payment_intent.as_ref(), intents)?;
    let currencies = fps_model::amazon_pay::PresentmentCurrency::listed();
    let presentment = details.presentment_currency.as_ref();
    listed("paymentDetails.presentmentCurrency", presentment, currencies)?;
    for (field, amount) in [
        ("paymentDetails.chargeAmount", details.charge_amount),
        ("paymentDetails.totalOrderAmount", details.total_order_amount),
    ] {
        let Some(amount) = amount else { continue };
        charge_amount(context, field, amount)?;
        if presentment.is_some_and(|presentment| presentment.as_str() != amount.currency().code()) {
            let message = format!("The currency of [{field}] is not the presentment currency.");
            return Err(stop(ReasonCode::CurrencyMismatch, message));
        }
    }
    soft_descriptor(
        details.soft_descriptor.as_deref(),
        details.payment_intent == Some(PaymentIntent::AuthorizeWithCapture),
    )
}

/// What the buyer reads belongs to what is captured at once. Source: Amazon Pay API v2, charge.
pub(super) fn soft_descriptor(descriptor: Option<&str>, captured: bool) -> Result<(), Stop> {
    if descriptor.is_some() && !captured {
        let message = "The soft descriptor is for charges that are captured at once.";
        return Err(stop(ReasonCode::InvalidParameterCombination, message));
    }
    Ok(())
}

/// What was noted before, with what is noted now in its place.
pub(super) fn noted(
    before: Option<MerchantMetadata>,
    now: Option<&MerchantMetadata>,
) -> Option<MerchantMetadata> {
    let Some(now) = now else { return before };
    let mut noted = before.unwrap_or_default();
    let replace = |old: &mut Option<String>, new: &Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    replace(&mut noted.merchant_reference_id, &now.merchant_reference_id);
    replace(&mut noted.merchant_store_name, &now.merchant_store_name);
    noted.note_to_buyer = now.note_to_buyer.clone().or(noted.note_to_buyer);
    noted.custom_information = now.custom_information.clone().or(noted.custom_information);
    Some(noted)
}

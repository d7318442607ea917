//! Instant payment notifications of FPS: forms that say what happened, written and signed.

use bytes::Bytes;
use fps_model::Params;
use fps_model::flexible_payments::{
    NotifiedOperation, NotifiedStatus, TokenCancellationNotification, TransactionNotification,
};
use fps_sign::{Target, outbound};
use http_body_util::Full;
use refund_rules::RefundState;
use rusqlite::Connection;

use super::{BUYER_EMAIL, BUYER_NAME, New, write};
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::flexible_payments::{describe_payment, describe_refund, wire_method};
use crate::merchants;
use crate::payments::{Operation, State, StoredPayment, StoredRefund};
use crate::sandbox::Shared;
use crate::tokens::StoredToken;

/// Tells the merchant how a payment stands.
pub(super) fn payment_changed(
    connection: &Connection,
    stored: &StoredPayment,
    now: Millis,
) -> Result<(), Error> {
    let status = match stored.state {
        State::Pending | State::Capturing => NotifiedStatus::Pending,
        State::Reserved => NotifiedStatus::Reserved,
        State::Completed => NotifiedStatus::Success,
        State::Failed => NotifiedStatus::Failure,
        State::Cancelled => NotifiedStatus::Cancelled,
    };
    let (code, message) = describe_payment(stored);
    let amount = if stored.captured.is_zero() { stored.amount } else { stored.captured };
    let notification = TransactionNotification::new(
        stored.id.as_str(),
        clock::timestamp(stored.created_at),
        status,
        notified_operation(stored),
        amount,
    )
    .status_code(code)
    .status_message(message);
    let about = About {
        id: &stored.id,
        url: stored.notify_url.as_deref(),
        reference: stored.reference.as_ref(),
        description: stored.description.as_ref(),
    };
    tell(connection, stored, notification, &about, now)
}

/// Of the last two no sample survives; they follow the others.
fn notified_operation(stored: &StoredPayment) -> NotifiedOperation {
    match stored.operation {
        Operation::Charge | Operation::Pay => NotifiedOperation::Pay,
        Operation::Reserve if matches!(stored.state, State::Capturing | State::Completed) => {
            NotifiedOperation::Settle
        }
        Operation::Reserve => NotifiedOperation::Reserve,
        Operation::SettleDebt => NotifiedOperation::SettleDebt,
        Operation::FundPrepaid => "FUNDPREPAID".into(),
        Operation::WriteOffDebt => "WRITEOFFDEBT".into(),
    }
}

/// Tells the merchant how a refund stands.
pub(super) fn refund_changed(
    connection: &Connection,
    refund: &StoredRefund,
    stored: &StoredPayment,
    now: Millis,
) -> Result<(), Error> {
    let status = match refund.state {
        RefundState::Refunded => NotifiedStatus::Success,
        RefundState::Declined => NotifiedStatus::Failure,
        _ => NotifiedStatus::Pending,
    };
    let (code, message) = describe_refund(refund);
    let notification = TransactionNotification::new(
        refund.id.as_str(),
        clock::timestamp(refund.created_at),
        status,
        NotifiedOperation::Refund,
        refund.amount,
    )
    .parent_transaction_id(stored.id.as_str())
    .status_code(code)
    .status_message(message);
    let about = About {
        id: &refund.id,
        url: refund.notify_url.as_deref(),
        reference: refund.reference.as_ref(),
        description: refund.description.as_ref(),
    };
    tell(connection, stored, notification, &about, now)
}

/// What a payment and a refund both have.
struct About<'a> {
    id: &'a str,
    url: Option<&'a str>,
    reference: Option<&'a String>,
    description: Option<&'a String>,
}

/// Writes a notification to be posted, if the merchant wants any.
fn tell(
    connection: &Connection,
    stored: &StoredPayment,
    mut notification: TransactionNotification,
    about: &About<'_>,
    now: Millis,
) -> Result<(), Error> {
    let Some(url) = address(connection, stored.merchant, about.url.map(str::to_owned))? else {
        return Ok(());
    };
    let recipient = merchants::profile(connection, stored.recipient)?;
    notification.caller_reference = about.reference.cloned();
    notification.payment_reason = about.description.cloned().map(Into::into);
    let notification = notification
        .payment_method(wire_method(stored.payment.method()))
        .buyer_name(BUYER_NAME)
        .buyer_email(BUYER_EMAIL)
        .recipient_name(recipient.name)
        .recipient_email(recipient.email);
    let params =
        notification.to_params().map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    let new = New::form(stored.merchant, &url, about.id, params.to_form());
    write(connection, &new, now)
}

/// Tells the merchant that a token was cancelled, at this address if one is given.
pub(crate) fn token_cancelled(
    connection: &Connection,
    token: &StoredToken,
    url: Option<String>,
    now: Millis,
) -> Result<(), Error> {
    let Some(url) = address(connection, token.merchant, url)? else { return Ok(()) };
    let (name, email) = match token.owner {
        None => (BUYER_NAME.to_owned(), BUYER_EMAIL.to_owned()),
        Some(owner) => {
            let profile = merchants::profile(connection, owner)?;
            (profile.name, profile.email)
        }
    };
    let mut notification = TokenCancellationNotification::new(token.id.as_str())
        .token_type(token.kind.clone())
        .customer_name(name)
        .customer_email(email)
        .date_installed(clock::timestamp(token.installed_at).to_extended());
    notification.caller_reference.clone_from(&token.caller_reference);
    notification.payment_reason = token.payment_reason.clone().map(Into::into);
    let params =
        notification.to_params().map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    let new = New::form(token.merchant, &url, &token.id, params.to_form());
    write(connection, &new, now)
}

/// Where a merchant is told something, if it wants to be.
fn address(
    connection: &Connection,
    merchant: i64,
    url: Option<String>,
) -> Result<Option<String>, Error> {
    match url {
        Some(url) => Ok(Some(url)),
        None => Ok(merchants::profile(connection, merchant)?.notification_url),
    }
}

/// The signed form as it is posted.
pub(super) fn request(
    url: &str,
    form: &str,
    shared: &Shared,
) -> Option<http::Request<Full<Bytes>>> {
    let mut params = Params::parse(form.as_bytes()).ok()?;
    let target = Target::from_url("POST", url)?;
    let certificate_url = shared.certificate_url();
    let key = &shared.notification_key;
    let added = outbound::sign(&target, params.iter(), &certificate_url, key).ok()?;
    for (name, value) in added {
        params.push(name, value);
    }
    http::Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Full::new(Bytes::from(params.to_form())))
        .ok()
}

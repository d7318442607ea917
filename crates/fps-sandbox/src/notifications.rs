//! Notifications of FPS: written with what they tell, signed and posted until somebody takes them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fps_model::Params;
use fps_model::flexible_payments::{
    NotifiedOperation, NotifiedStatus, TokenCancellationNotification, TransactionNotification,
};
use fps_sign::{PrivateKey, Target, outbound};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use refund_rules::RefundState;
use rusqlite::{Connection, params};
use tokio::task::JoinSet;

use crate::books::Service;
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::flexible_payments::{describe_payment, describe_refund, wire_method};
use crate::merchants;
use crate::payments::{Operation, State, StoredPayment, StoredRefund};
use crate::sandbox::Shared;
use crate::tokens::StoredToken;

/// How long one delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// The first wait before a notification is posted again; it doubles up to an hour. The documents say
/// only that it is tried for a day.
const RETRY_FIRST: Millis = 1_000;
const RETRY_MAX: Millis = 60 * 60 * 1_000;
/// The most deliveries at one time.
const DELIVERIES_MAX: usize = 16;
/// When a notification is given up.
const GIVE_UP_AFTER: Millis = 24 * 60 * 60 * 1_000;

/// The buyer in every transaction of the sandbox.
pub(crate) const BUYER_NAME: &str = "Test Buyer";
pub(crate) const BUYER_EMAIL: &str = "buyer@sandbox.example";

/// Tells the merchant how a payment stands.
pub(crate) fn payment_changed(
    connection: &Connection,
    stored: &StoredPayment,
    now: Millis,
) -> Result<(), Error> {
    if stored.service != Service::FlexiblePayments {
        return Ok(());
    }
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
    let url = stored.notify_url.as_deref();
    write(connection, stored, notification, url, &stored.reference, &stored.description, now)
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
pub(crate) fn refund_changed(
    connection: &Connection,
    refund: &StoredRefund,
    stored: &StoredPayment,
    now: Millis,
) -> Result<(), Error> {
    if stored.service != Service::FlexiblePayments {
        return Ok(());
    }
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
    let url = refund.notify_url.as_deref();
    write(connection, stored, notification, url, &refund.reference, &refund.description, now)
}

/// Writes a notification to be posted, if the merchant wants any.
fn write(
    connection: &Connection,
    stored: &StoredPayment,
    mut notification: TransactionNotification,
    url: Option<&str>,
    reference: &Option<String>,
    description: &Option<String>,
    now: Millis,
) -> Result<(), Error> {
    let Some(url) = address(connection, stored.merchant, url.map(str::to_owned))? else {
        return Ok(());
    };
    let recipient = merchants::profile(connection, stored.recipient)?;
    notification.caller_reference = reference.clone();
    notification.payment_reason = description.clone().map(Into::into);
    let notification = notification
        .payment_method(wire_method(stored.payment.method()))
        .buyer_name(BUYER_NAME)
        .buyer_email(BUYER_EMAIL)
        .recipient_name(recipient.name)
        .recipient_email(recipient.email);
    let params =
        notification.to_params().map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    keep(connection, stored.merchant, &url, &params, now)
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
    keep(connection, token.merchant, &url, &params, now)
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

/// Keeps a notification until it was posted.
fn keep(
    connection: &Connection,
    merchant: i64,
    url: &str,
    params: &Params,
    now: Millis,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO notification (merchant, url, body, created_at, due_at)
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![merchant, url, params.to_form(), now, now])?;
    Ok(())
}

/// Posts what is due until it is aborted: a merchant's notifications one after the other, those of
/// different merchants side by side.
pub(crate) async fn deliver(shared: Arc<Shared>) {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let mut deliveries = JoinSet::new();
    let mut busy = BTreeSet::new();
    loop {
        let waiting = shared.store.run(next_of_each_merchant).await.unwrap_or_default();
        let now = shared.clock.now();
        for due in waiting.iter().filter(|due| due.at <= now) {
            if deliveries.len() < DELIVERIES_MAX && busy.insert(due.merchant) {
                deliveries.spawn(deliver_one(Arc::clone(&shared), client.clone(), due.clone()));
            }
        }
        let idle = waiting.iter().filter(|due| !busy.contains(&due.merchant));
        let next = idle.map(|due| due.at).min().unwrap_or(Millis::MAX);
        // With no place left, what is due waits for a delivery to end and not for the clock, which
        // would say at once, again and again, that its time has come.
        let has_place = deliveries.len() < DELIVERIES_MAX;
        tokio::select! {
            Some(Ok(merchant)) = deliveries.join_next() => {
                busy.remove(&merchant);
            }
            () = shared.clock.sleep_until(next), if next < Millis::MAX && has_place => {}
            () = shared.notifications_wake.notified() => {}
        }
    }
}

/// Posts one notification, records how it went, and says whose it was.
async fn deliver_one(
    shared: Arc<Shared>,
    client: Client<HttpConnector, Full<Bytes>>,
    due: Due,
) -> i64 {
    let merchant = due.merchant;
    let taken = match sign(&due, &shared) {
        Some(request) => post(&client, request).await,
        None => false,
    };
    let now = shared.clock.now();
    let work = move |connection: &Connection| record(connection, &due, taken, now);
    if shared.store.run(work).await.is_err() {
        // It stays due: the database is left alone for a moment before it is posted again.
        shared.clock.sleep_until(now.saturating_add(RETRY_FIRST)).await;
    }
    merchant
}

/// A notification that waits.
#[derive(Clone, Debug)]
struct Due {
    id: i64,
    merchant: i64,
    at: Millis,
    url: String,
    form: String,
    created_at: Millis,
    attempts: u32,
}

/// The first that is due of each merchant. (SQLite takes the other columns from the row of the least
/// value.)
fn next_of_each_merchant(connection: &Connection) -> Result<Vec<Due>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, merchant, min(due_at * 1000000 + id % 1000000), due_at, url, body, created_at,
                attempts
         FROM notification WHERE due_at IS NOT NULL GROUP BY merchant ORDER BY 3",
    )?;
    let due = statement.query_map([], |row| {
        Ok(Due {
            id: row.get(0)?,
            merchant: row.get(1)?,
            at: row.get(3)?,
            url: row.get(4)?,
            form: row.get(5)?,
            created_at: row.get(6)?,
            attempts: row.get(7)?,
        })
    })?;
    Ok(due.collect::<Result<_, _>>()?)
}

fn sign(due: &Due, shared: &Shared) -> Option<http::Request<Full<Bytes>>> {
    let mut params = Params::parse(due.form.as_bytes()).ok()?;
    let target = Target::from_url("POST", &due.url)?;
    let key: &PrivateKey = &shared.notification_key;
    let certificate_url = shared.certificate_url();
    let added = outbound::sign(&target, params.iter(), &certificate_url, key).ok()?;
    for (name, value) in added {
        params.push(name, value);
    }
    http::Request::post(&due.url)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Full::new(Bytes::from(params.to_form())))
        .ok()
}

/// Did somebody take it?
async fn post(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
) -> bool {
    let exchange = async {
        let answer = client.request(request).await.ok()?;
        let status = answer.status();
        // The body is read so that the connection can be used again; what it says is of no interest.
        drop(Limited::new(answer.into_body(), 64 * 1024).collect().await);
        Some(status)
    };
    match tokio::time::timeout(DELIVERY_TIMEOUT, exchange).await {
        Ok(Some(status)) => status.is_success(),
        Ok(None) | Err(_) => false,
    }
}

fn record(connection: &Connection, due: &Due, taken: bool, now: Millis) -> Result<(), Error> {
    let wait = RETRY_FIRST.saturating_mul(1 << due.attempts.min(12)).min(RETRY_MAX);
    let again = now.saturating_add(wait);
    let given_up = again.saturating_sub(due.created_at) > GIVE_UP_AFTER;
    let due_at = if taken || given_up { None } else { Some(again) };
    let delivered_at = taken.then_some(now);
    connection
        .prepare_cached(
            "UPDATE notification SET attempts = attempts + 1, due_at = ?, delivered_at = ?
             WHERE id = ?",
        )?
        .execute(params![due_at, delivered_at, due.id])?;
    Ok(())
}

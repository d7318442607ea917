//! What merchants are told: written in one transaction with what it tells, and posted later. What is
//! said is in `fps` and `sns`, how it gets there in `delivery`.

mod delivery;
mod faults;
mod fps;
mod log;
mod sns;

use fps_model::amazon_pay::ObjectType;
use refund_rules::RefundState;
use rusqlite::{Connection, params};

use crate::books::Service;
use crate::clock::Millis;
use crate::error::Error;
use crate::ids;
use crate::payments::{StoredPayment, StoredRefund};

pub(crate) use delivery::deliver;
pub use faults::NotificationFaults;
pub(crate) use fps::token_cancelled;
pub use log::{Delivery, NotificationRecord};
pub(crate) use sns::{CERTIFICATE_PATH as SNS_CERTIFICATE_PATH, Sns};

/// The buyer in every transaction of the sandbox.
pub(crate) const BUYER_NAME: &str = "Test Buyer";
pub(crate) const BUYER_EMAIL: &str = "buyer@sandbox.example";

/// Tells the merchant how a payment stands.
pub(crate) fn payment_changed(
    connection: &Connection,
    stored: &StoredPayment,
    now: Millis,
) -> Result<(), Error> {
    match stored.service {
        Service::FlexiblePayments => fps::payment_changed(connection, stored, now),
        Service::AmazonPay => {
            let object = (ObjectType::Charge, stored.id.as_str());
            sns::state_changed(connection, stored.merchant, object, permission_of(stored), now)
        }
    }
}

/// Tells the merchant how a refund stands. Amazon Pay sends one notification for a refund, when it has
/// ended. Source: Amazon Pay, instant payment notifications.
pub(crate) fn refund_changed(
    connection: &Connection,
    refund: &StoredRefund,
    stored: &StoredPayment,
    now: Millis,
) -> Result<(), Error> {
    match stored.service {
        Service::FlexiblePayments => fps::refund_changed(connection, refund, stored, now),
        Service::AmazonPay if refund.state == RefundState::Pending => Ok(()),
        Service::AmazonPay => {
            let object = (ObjectType::Refund, refund.id.as_str());
            sns::state_changed(connection, stored.merchant, object, permission_of(stored), now)
        }
    }
}

/// Tells the merchant that a charge permission stands otherwise.
pub(crate) fn permission_changed(
    connection: &Connection,
    merchant: i64,
    permission: &str,
    now: Millis,
) -> Result<(), Error> {
    let object = (ObjectType::ChargePermission, permission);
    sns::state_changed(connection, merchant, object, permission, now)
}

fn permission_of(stored: &StoredPayment) -> &str {
    stored.parent.as_deref().unwrap_or_else(|| ids::charge_permission_of(&stored.id))
}

/// A notification to be written.
struct New<'a> {
    merchant: i64,
    url: &'a str,
    /// What it is about.
    subject: &'a str,
    body: String,
    /// Both of one through SNS.
    topic: Option<String>,
    message_id: Option<String>,
}

impl<'a> New<'a> {
    const fn form(merchant: i64, url: &'a str, subject: &'a str, body: String) -> Self {
        Self { merchant, url, subject, body, topic: None, message_id: None }
    }
}

fn write(connection: &Connection, new: &New<'_>, now: Millis) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO notification (merchant, url, subject, body, topic, message_id, created_at,
                 due_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            new.merchant,
            new.url,
            new.subject,
            new.body,
            new.topic,
            new.message_id,
            now,
            now
        ])?;
    Ok(())
}

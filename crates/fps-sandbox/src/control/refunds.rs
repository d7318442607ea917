//! Refunds of both services, as they stand.

use axum::extract::State;
use fps_model::Timestamp;
use refund_rules::{Money, RefundState};
use rusqlite::Connection;
use serde::Serialize;

use super::http::{Answered, told};
use super::json::{money, time};
use super::list::Asked;
use super::{Control, Filter, Page, merchants};
use crate::books::Service;
use crate::clock;
use crate::error::Error;
use crate::payments;

/// A refund.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KnownRefund {
    /// Its id.
    pub id: String,
    /// The payment that it is of.
    pub payment: String,
    /// The access key id of the merchant.
    pub merchant: String,
    /// Its service.
    pub service: Service,
    /// `pending`, `refunded` or `declined`.
    pub state: &'static str,
    /// Why it was declined.
    pub reason: Option<String>,
    /// What goes back to the buyer.
    #[serde(with = "money")]
    pub amount: Money,
    /// What came back of the fee.
    #[serde(with = "money")]
    pub fee_returned: Money,
    /// The key that it was asked for with.
    pub reference: Option<String>,
    /// Why it will be declined.
    pub decline: Option<String>,
    /// When it was taken.
    #[serde(with = "time")]
    pub created_at: Timestamp,
    /// When it changed last.
    #[serde(with = "time")]
    pub updated_at: Timestamp,
}

pub(super) fn known(connection: &Connection, id: &str) -> Result<Option<KnownRefund>, Error> {
    let Some((refund, stored)) = payments::load_refund(connection, id)? else { return Ok(None) };
    Ok(Some(KnownRefund {
        merchant: merchants::name_of(connection, stored.merchant)?,
        service: stored.service,
        state: match refund.state {
            RefundState::Refunded => "refunded",
            RefundState::Declined => "declined",
            _ => "pending",
        },
        created_at: clock::timestamp(refund.created_at),
        updated_at: clock::timestamp(refund.updated_at),
        amount: refund.amount,
        fee_returned: refund.fee_returned,
        id: refund.id,
        payment: refund.payment,
        reason: refund.reason,
        reference: refund.reference,
        decline: refund.decline,
    }))
}

impl Control {
    /// Lists refunds; the subject is a payment or a refund.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn refunds(&self, filter: Filter) -> Result<Page<KnownRefund>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT refund.rowid, refund.id FROM refund
                 JOIN payment ON payment.id = payment WHERE";
            let subject = "iif(?4 = refund.id, refund.id, payment)";
            let columns = ["payment.merchant", "service", "refund.state", subject, "refund.rowid"];
            filter.page(connection, query, columns, |connection, id: String| known(connection, &id))
        };
        self.run(work).await
    }
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<KnownRefund>> {
    Ok(told(control.refunds(filter).await?))
}

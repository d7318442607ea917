//! What the books say, and whether they can be believed.

use axum::extract::State;
use refund_rules::Money;
use rusqlite::Connection;
use serde::Serialize;

use super::http::{Answered, told};
use super::json::money;
use super::{Control, merchants};
use crate::books::{self, Service};
use crate::error::Error;

/// What the books say about one merchant, one service and one currency.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MerchantTotals {
    /// The access key id of the merchant.
    pub merchant: String,
    /// The service.
    pub service: Service,
    /// What buyers paid.
    #[serde(with = "money")]
    pub captured: Money,
    /// What buyers have got back.
    #[serde(with = "money")]
    pub refunded: Money,
    /// What is on its way back to them.
    #[serde(with = "money")]
    pub refunding: Money,
    /// What the service took in fees.
    #[serde(with = "money")]
    pub fees_taken: Money,
    /// What it gave back of them.
    #[serde(with = "money")]
    pub fees_returned: Money,
}

/// The proof of the books.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Verified {
    verified: bool,
}

/// The totals of everybody.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AllTotals {
    items: Vec<MerchantTotals>,
}

fn totals(connection: &Connection) -> Result<Vec<MerchantTotals>, Error> {
    let mut ids = connection.prepare_cached("SELECT id FROM merchant ORDER BY id")?;
    let ids: Vec<i64> = ids.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for id in ids {
        let merchant = merchants::name_of(connection, id)?;
        let of_merchant = books::totals(connection, id)?;
        all.extend(of_merchant.into_iter().map(|totals| MerchantTotals {
            merchant: merchant.clone(),
            service: totals.service,
            captured: totals.captured,
            refunded: totals.refunded,
            refunding: totals.refunding,
            fees_taken: totals.fees_taken,
            fees_returned: totals.fees_returned,
        }));
    }
    Ok(all)
}

impl Control {
    /// What the books say about every merchant, by service and currency.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn totals(&self) -> Result<Vec<MerchantTotals>, Error> {
        self.run(totals).await
    }

    /// Checks that every movement balances, that payments, refunds and books agree, and every seal.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Unbalanced`](crate::ErrorKind::Unbalanced).
    pub async fn verify_books(&self) -> Result<(), Error> {
        self.run(books::verify).await
    }
}

pub(super) async fn list(State(control): State<Control>) -> Answered<AllTotals> {
    Ok(told(AllTotals { items: control.totals().await? }))
}

pub(super) async fn verify(State(control): State<Control>) -> Answered<Verified> {
    control.verify_books().await?;
    Ok(told(Verified { verified: true }))
}

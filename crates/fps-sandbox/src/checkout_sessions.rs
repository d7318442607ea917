//! Checkout sessions: what the merchant said of a visit to the checkout, whether the buyer agreed, and how
//! it ended.

use fps_model::amazon_pay::{
    ChargePermissionType, CheckoutSessionId, DeliverySpecifications, MerchantMetadata,
    PaymentDetails, PaymentMethodOnFileMetadata, PlatformId, ProviderMetadata, RecurringMetadata,
    StoreId, WebCheckoutDetails,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

const DAY: Millis = 24 * 60 * 60 * 1_000;
/// Source: Amazon Pay API v2, checkout session.
const OPEN_FOR: Millis = DAY;
const KEPT_FOR: Millis = 30 * DAY;

/// What was said about a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SessionDetails {
    pub(crate) web_checkout_details: Option<WebCheckoutDetails>,
    pub(crate) payment_details: Option<PaymentDetails>,
    pub(crate) store_id: Option<StoreId>,
    pub(crate) charge_permission_type: Option<ChargePermissionType>,
    pub(crate) recurring_metadata: Option<RecurringMetadata>,
    pub(crate) payment_method_on_file_metadata: Option<PaymentMethodOnFileMetadata>,
    pub(crate) delivery_specifications: Option<DeliverySpecifications>,
    pub(crate) merchant_metadata: Option<MerchantMetadata>,
    pub(crate) provider_metadata: Option<ProviderMetadata>,
    pub(crate) platform_id: Option<PlatformId>,
}

/// A session as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredSession {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) state: SessionState,
    /// Why it was cancelled.
    pub(crate) reason: Option<String>,
    /// Whether the buyer has signed in and agreed.
    pub(crate) approved: bool,
    pub(crate) details: SessionDetails,
    pub(crate) charge_permission: Option<String>,
    pub(crate) charge: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

impl StoredSession {
    pub(crate) const fn expires_at(&self) -> Millis {
        self.created_at.saturating_add(OPEN_FOR)
    }
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionState {
    Open,
    Completed,
    Canceled,
}

impl SessionState {
    /// As the service and the database spell it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Completed => "Completed",
            Self::Canceled => "Canceled",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Completed, Self::Canceled].into_iter().find(|state| state.name() == name)
    }
}

impl App {
    /// Lets the buyer sign in and agree to a checkout session that is open.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is none.
    pub async fn approve_checkout(&self, session: &CheckoutSessionId) -> Result<(), Error> {
        self.visit(session, |connection, session, now| {
            connection.execute(
                "UPDATE checkout_session SET approved = 1, updated_at = ? WHERE id = ?",
                params![now, session.id],
            )?;
            Ok(())
        })
        .await
    }

    /// Lets the buyer give up a checkout session that is open.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is none.
    pub async fn abandon_checkout(&self, session: &CheckoutSessionId) -> Result<(), Error> {
        self.visit(session, |connection, session, now| {
            cancel(connection, &session.id, "BuyerCanceled", now)
        })
        .await
    }

    async fn visit(
        &self,
        session: &CheckoutSessionId,
        act: fn(&Connection, &StoredSession, Millis) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (id, now) = (session.as_str().to_owned(), self.shared.clock.now());
        let work = move |connection: &Connection| {
            let found = load(connection, &id, now)?;
            let found = found.filter(|session| session.state == SessionState::Open);
            let missing = || Error::invalid("there is no such checkout session that is open");
            act(connection, &found.ok_or_else(missing)?, now)
        };
        self.shared.store.run(work).await
    }
}

/// Stores a session that begins.
pub(crate) fn insert(
    connection: &Connection,
    id: &str,
    merchant: i64,
    details: &SessionDetails,
    now: Millis,
) -> Result<(), Error> {
    let details = serde_json::to_string(details).map_err(Error::invalid)?;
    connection
        .prepare_cached(
            "INSERT INTO checkout_session (id, merchant, state, details, created_at, updated_at, due_at)
             VALUES (?, ?, 'Open', ?, ?, ?, ?)",
        )?
        .execute(params![id, merchant, details, now, now, now.saturating_add(OPEN_FOR)])?;
    Ok(())
}

/// Finds a session that is still kept.
pub(crate) fn load(
    connection: &Connection,
    id: &str,
    now: Millis,
) -> Result<Option<StoredSession>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT id, merchant, state, reason, approved, details, charge_permission, charge,
                    created_at, updated_at
             FROM checkout_session WHERE id = ? AND created_at > ?",
        )?
        .query_row(params![id, now.saturating_sub(KEPT_FOR)], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

fn read(row: &Row<'_>) -> Result<StoredSession, Error> {
    let state: String = row.get("state")?;
    let details: String = row.get("details")?;
    Ok(StoredSession {
        id: row.get("id")?,
        merchant: row.get("merchant")?,
        state: SessionState::from_name(&state)
            .ok_or_else(|| Error::with(ErrorKind::Database, "an unknown state"))?,
        reason: row.get("reason")?,
        approved: row.get("approved")?,
        details: serde_json::from_str(&details)
            .map_err(|error| Error::with(ErrorKind::Database, error))?,
        charge_permission: row.get("charge_permission")?,
        charge: row.get("charge")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// Keeps what the merchant says of a session.
pub(crate) fn set_details(
    connection: &Connection,
    id: &str,
    details: &SessionDetails,
    now: Millis,
) -> Result<(), Error> {
    let details = serde_json::to_string(details).map_err(Error::invalid)?;
    connection
        .prepare_cached("UPDATE checkout_session SET details = ?, updated_at = ? WHERE id = ?")?
        .execute(params![details, now, id])?;
    Ok(())
}

/// Ends a session with what it led to.
pub(crate) fn complete(
    connection: &Connection,
    id: &str,
    permission: &str,
    charge: Option<&str>,
    now: Millis,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE checkout_session SET state = 'Completed', charge_permission = ?, charge = ?,
                 updated_at = ?, due_at = NULL
             WHERE id = ?",
        )?
        .execute(params![permission, charge, now, id])?;
    Ok(())
}

/// Ends a session without a payment.
pub(crate) fn cancel(
    connection: &Connection,
    id: &str,
    reason: &str,
    now: Millis,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE checkout_session SET state = 'Canceled', reason = ?, updated_at = ?, due_at = NULL
             WHERE id = ?",
        )?
        .execute(params![reason, now, id])?;
    Ok(())
}

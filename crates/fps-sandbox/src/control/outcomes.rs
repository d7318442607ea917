//! What becomes of refunds, arranged beforehand: those of a payment, one that is under way, or the
//! next that are asked for.

use axum::extract::{Path, State};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::http::{Answered, Body, told};
use super::{Control, KnownPayment, KnownRefund, refunds};
use crate::error::{Error, ErrorKind};
use crate::{payments, settings};

/// Why refunds are to be declined.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Decline {
    /// `AmazonRejected` or `ProcessingFailure` of Amazon Pay; any word of FPS. Default:
    /// `AmazonRejected`.
    #[serde(default = "rejected")]
    pub reason: String,
}

fn rejected() -> String {
    "AmazonRejected".to_owned()
}

/// How many of the refunds that come next are declined, whosever they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct NextDeclines {
    /// So many.
    pub count: u32,
    /// For this reason. Default: `AmazonRejected`.
    #[serde(default = "rejected")]
    pub reason: String,
}

impl NextDeclines {
    /// So many, for a reason.
    #[must_use]
    pub fn new(count: u32, reason: impl Into<String>) -> Self {
        Self { count, reason: reason.into() }
    }
}

/// A refund begins: is it one of those that are to be declined, and why?
pub(crate) fn take_decline(connection: &Connection) -> Result<Option<String>, Error> {
    let Some(next) = next(connection)? else { return Ok(None) };
    let left = NextDeclines { count: next.count.saturating_sub(1), reason: next.reason.clone() };
    set_next(connection, &left)?;
    Ok(Some(next.reason))
}

fn next(connection: &Connection) -> Result<Option<NextDeclines>, Error> {
    let Some(text) = settings::get(connection, settings::NEXT_DECLINES)? else { return Ok(None) };
    let next = serde_json::from_str(&text);
    next.map(Some).map_err(|error| Error::with(ErrorKind::Database, error))
}

pub(crate) fn set_next(connection: &Connection, next: &NextDeclines) -> Result<(), Error> {
    if next.count == 0 {
        return settings::remove(connection, settings::NEXT_DECLINES);
    }
    let text =
        serde_json::to_string(next).map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    settings::set(connection, settings::NEXT_DECLINES, &text)
}

impl Control {
    /// Lets the services take refunds of a payment and decline them later; or not any more, without a
    /// reason: also those succeed then that have not ended yet. Bank and balance refunds end at once:
    /// so do these.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::NotFound`].
    pub async fn decline_refunds(
        &self,
        payment: &str,
        reason: Option<&str>,
    ) -> Result<KnownPayment, Error> {
        let (id, reason) = (payment.to_owned(), reason.map(str::to_owned));
        self.payment(payment).await?;
        self.run(move |connection| payments::set_decline(connection, &id, reason.as_deref()))
            .await?;
        self.payment(payment).await
    }

    /// Lets one refund be declined that is under way; or not any more, without a reason.
    ///
    /// # Errors
    /// [`Error`] when there is none under way with this id.
    pub async fn decline_refund(
        &self,
        refund: &str,
        reason: Option<&str>,
    ) -> Result<KnownRefund, Error> {
        let (id, reason) = (refund.to_owned(), reason.map(str::to_owned));
        let work = move |connection: &Connection| {
            let missing = || Error::with(ErrorKind::NotFound, "there is no such refund");
            refunds::known(connection, &id)?.ok_or_else(missing)?;
            payments::set_refund_decline(connection, &id, reason.as_deref())?;
            refunds::known(connection, &id)?.ok_or_else(missing)
        };
        self.run(work).await
    }

    /// Lets the next refunds be declined that are asked for, whosever they are; none with a count of 0.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn decline_next(&self, next: NextDeclines) -> Result<NextDeclines, Error> {
        let told = next.clone();
        self.run(move |connection| set_next(connection, &next)).await?;
        Ok(told)
    }

    /// How many of the next refunds will be declined.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn next_declines(&self) -> Result<NextDeclines, Error> {
        let found = self.run(next).await?;
        Ok(found.unwrap_or_else(|| NextDeclines::new(0, rejected())))
    }
}

pub(super) async fn decline_payment(
    State(control): State<Control>,
    Path(id): Path<String>,
    Body(decline): Body<Decline>,
) -> Answered<KnownPayment> {
    Ok(told(control.decline_refunds(&id, Some(&decline.reason)).await?))
}

pub(super) async fn accept_payment(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Answered<KnownPayment> {
    Ok(told(control.decline_refunds(&id, None).await?))
}

pub(super) async fn decline_refund(
    State(control): State<Control>,
    Path(id): Path<String>,
    Body(decline): Body<Decline>,
) -> Answered<KnownRefund> {
    Ok(told(control.decline_refund(&id, Some(&decline.reason)).await?))
}

pub(super) async fn accept_refund(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Answered<KnownRefund> {
    Ok(told(control.decline_refund(&id, None).await?))
}

pub(super) async fn decline_next(
    State(control): State<Control>,
    Body(next): Body<NextDeclines>,
) -> Answered<NextDeclines> {
    Ok(told(control.decline_next(next).await?))
}

pub(super) async fn get_next(State(control): State<Control>) -> Answered<NextDeclines> {
    Ok(told(control.next_declines().await?))
}

pub(super) async fn accept_next(State(control): State<Control>) -> Answered<NextDeclines> {
    Ok(told(control.decline_next(NextDeclines::new(0, rejected())).await?))
}

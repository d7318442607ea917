//! Merchants: made with their keys, which are told once, and listed without them.

use axum::extract::State;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::http::{Answered, Body, Told, made, told};
use super::list::Asked;
use super::{Control, Filter, Page};
use crate::error::{Error, ErrorKind};
use crate::merchants::{Merchant, MerchantSpec};

/// A merchant that was made, with its keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MadeMerchant {
    /// What everybody may know.
    #[serde(flatten)]
    pub known: KnownMerchant,
    /// The FPS secret.
    pub secret_key: String,
    /// The private half of the Amazon Pay key, as PKCS#8 PEM.
    pub private_key_pem: String,
    /// The certificate that signs SOAP requests, of the same private key unless it came with its own.
    pub certificate_pem: String,
}

impl std::fmt::Debug for MadeMerchant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeMerchant").field("known", &self.known).finish_non_exhaustive()
    }
}

/// A merchant without its secrets.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KnownMerchant {
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// The FPS access key, which also names the merchant here.
    pub access_key_id: String,
    /// The Amazon Pay key.
    pub public_key_id: String,
    /// `active`, or why it can take no part.
    pub status: String,
    /// Where its notifications go.
    pub notification_url: Option<String>,
}

/// Who is meant: by name or key id, or without either the only one there is.
pub(super) fn find(connection: &Connection, name: Option<&str>) -> Result<i64, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM merchant
         WHERE ?1 IS NULL OR access_key_id = ?1 OR public_key_id = ?1 OR name = ?1 LIMIT 2",
    )?;
    let found: Vec<i64> =
        statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
    match (&*found, name) {
        ([id], _) => Ok(*id),
        ([], _) => Err(Error::with(ErrorKind::NotFound, "there is no such merchant")),
        (_, None) => Err(Error::with(ErrorKind::Invalid, "there are several merchants: name one")),
        (_, Some(_)) => {
            let reason = "several merchants have this name: give an access key id";
            Err(Error::with(ErrorKind::Invalid, reason))
        }
    }
}

/// How a merchant is named in answers.
pub(super) fn name_of(connection: &Connection, id: i64) -> Result<String, Error> {
    let mut statement =
        connection.prepare_cached("SELECT access_key_id FROM merchant WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

fn known(connection: &Connection, id: i64) -> Result<Option<KnownMerchant>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT name, email, access_key_id, public_key_id, status, notification_url
             FROM merchant WHERE id = ?",
        )?
        .query_row([id], |row| {
            Ok(KnownMerchant {
                name: row.get(0)?,
                email: row.get(1)?,
                access_key_id: row.get(2)?,
                public_key_id: row.get(3)?,
                status: row.get(4)?,
                notification_url: row.get(5)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Stores a merchant whose keys are made, and tells them.
pub(crate) fn tell(connection: &Connection, merchant: &Merchant) -> Result<MadeMerchant, Error> {
    let known = known(connection, merchant.id)?;
    Ok(MadeMerchant {
        known: known.ok_or_else(|| Error::new(ErrorKind::NotFound))?,
        secret_key: merchant.secret_key.expose().to_owned(),
        private_key_pem: merchant.private_key_pem.expose().to_owned(),
        certificate_pem: merchant.certificate_pem.clone(),
    })
}

impl Control {
    /// Makes a merchant with fresh keys for both services.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_merchant(&self, spec: MerchantSpec) -> Result<Merchant, Error> {
        let source = std::sync::Arc::clone(&self.shared.ids);
        let new = tokio::task::spawn_blocking(move || spec.generate(&source))
            .await
            .map_err(|error| Error::with(ErrorKind::Key, error))??;
        self.run(move |connection| new.insert(connection)).await
    }

    /// Lists merchants.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn merchants(&self, filter: Filter) -> Result<Page<KnownMerchant>, Error> {
        let work = move |connection: &Connection| {
            let query = "SELECT id, id FROM merchant WHERE";
            let columns = ["id", "''", "status", "access_key_id", "id"];
            filter.page(connection, query, columns, known)
        };
        self.run(work).await
    }
}

pub(super) async fn create(
    State(control): State<Control>,
    Body(spec): Body<MerchantSpec>,
) -> Answered<MadeMerchant> {
    let merchant = control.create_merchant(spec).await?;
    let merchant: Told<_> = made(control.run(move |connection| tell(connection, &merchant)).await?);
    Ok(merchant)
}

pub(super) async fn list(
    State(control): State<Control>,
    Asked(filter): Asked,
) -> Answered<Page<KnownMerchant>> {
    Ok(told(control.merchants(filter).await?))
}

//! Merchants of the sandbox: who they are, what they sign with, and how they are recognised.

use std::fmt;
use std::sync::Arc;

use fps_sign::{Certificate, PublicKey, Secret};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use crate::amazon_pay::Region;
use crate::error::{Error, ErrorKind};
use crate::ids::Source;
use crate::{ids, tls};

/// A merchant to be made.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MerchantSpec {
    name: String,
    #[serde(default = "usual_email")]
    email: String,
    notification_url: Option<String>,
    sns_url: Option<String>,
    #[serde(default)]
    region: Region,
    certificate_pem: Option<String>,
}

fn usual_email() -> String {
    "merchant@sandbox.example".to_owned()
}

impl MerchantSpec {
    /// With a name, and nowhere to send notifications.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            email: usual_email(),
            notification_url: None,
            sns_url: None,
            region: Region::default(),
            certificate_pem: None,
        }
    }

    /// With the address that FPS notifications are posted to: `http` on this machine.
    #[must_use]
    pub fn notification_url(mut self, url: impl Into<String>) -> Self {
        self.notification_url = Some(url.into());
        self
    }

    /// With the address that notifications of Amazon Pay are posted to, through SNS: `http` on this
    /// machine.
    #[must_use]
    pub fn sns_url(mut self, url: impl Into<String>) -> Self {
        self.sns_url = Some(url.into());
        self
    }

    /// With an Amazon Pay account elsewhere than in North America.
    #[must_use]
    pub const fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// With an X.509 certificate of its own for SOAP, as PEM: the sandbox makes none then. It may be
    /// signed by itself; as at AWS, its dates are not looked at.
    #[must_use]
    pub fn certificate_pem(mut self, pem: impl Into<String>) -> Self {
        self.certificate_pem = Some(pem.into());
        self
    }
}

/// A merchant and both of its keys. The private halves are told once, here, and the private RSA key
/// is not kept.
#[derive(Clone)]
#[non_exhaustive]
pub struct Merchant {
    pub(crate) id: i64,
    /// The FPS access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_key: Secret,
    /// The Amazon Pay key: `SANDBOX-…`.
    pub public_key_id: String,
    /// Its private half as PKCS#8 PEM.
    pub private_key_pem: Secret,
    /// The name of its Amazon Pay account, which notifications tell.
    pub seller_id: String,
    /// The topic that these come through.
    pub topic_arn: String,
    /// The X.509 certificate that signs SOAP requests, as PEM. It is that of the same private key,
    /// unless the merchant came with its own.
    pub certificate_pem: String,
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant")
            .field("access_key_id", &self.access_key_id)
            .field("public_key_id", &self.public_key_id)
            .finish_non_exhaustive()
    }
}

impl MerchantSpec {
    /// Makes the keys. Slow: an RSA key is searched for.
    pub(crate) fn generate(self, source: &Arc<Source>) -> Result<NewMerchant, Error> {
        for url in [&self.notification_url, &self.sns_url].into_iter().flatten() {
            check_address(url)?;
        }
        let (private_key_pem, public_key_pem) = tls::rsa_key(source)?;
        let certificate_pem = match &self.certificate_pem {
            Some(pem) => pem.clone(),
            None => tls::merchant_certificate(&private_key_pem)?,
        };
        let certificate =
            Certificate::from_pem(certificate_pem.as_bytes()).map_err(Error::invalid)?;
        ids::within_thread(source, || {
            let seller_id = ids::seller_id()?;
            Ok(NewMerchant {
                merchant: Merchant {
                    id: 0,
                    access_key_id: ids::access_key_id()?,
                    secret_key: Secret::new(ids::secret_key()?),
                    public_key_id: ids::public_key_id()?,
                    private_key_pem: Secret::new(private_key_pem),
                    certificate_pem,
                    topic_arn: topic_arn(&seller_id, self.region),
                    seller_id,
                },
                spec: self,
                public_key_pem,
                certificate: certificate.der().to_vec(),
            })
        })
    }
}

/// The sandbox signs with a key that nobody should trust, and so speaks to this machine only.
fn check_address(url: &str) -> Result<(), Error> {
    let uri: http::Uri = url.parse().map_err(Error::invalid)?;
    if uri.scheme_str() == Some("http") && uri.host().is_some_and(is_loopback) {
        return Ok(());
    }
    let reason = "the sandbox posts notifications over http on this machine only";
    Err(Error::with(ErrorKind::Invalid, reason))
}

/// The topic of a merchant's notifications. Source: the form is that of AWS; no account has the number,
/// and that the name is that of the merchant is the sandbox's choice.
pub(crate) fn topic_arn(seller_id: &str, region: Region) -> String {
    format!("arn:aws:sns:{}:000000000000:{seller_id}", region.of_aws())
}

/// Is it an address on this machine?
pub(crate) fn is_here(url: &str) -> bool {
    let uri: Option<http::Uri> = url.parse().ok();
    uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(is_loopback)
    })
}

/// Another merchant than this one, the newest, if there is one.
pub(crate) fn another(connection: &Connection, than: i64) -> Result<Option<i64>, Error> {
    let found = connection
        .prepare_cached("SELECT id FROM merchant WHERE id <> ? ORDER BY id DESC LIMIT 1")?
        .query_row([than], |row| row.get(0))
        .optional()?;
    Ok(found)
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A merchant whose keys are made, to be stored.
pub(crate) struct NewMerchant {
    merchant: Merchant,
    spec: MerchantSpec,
    public_key_pem: String,
    certificate: Vec<u8>,
}

impl NewMerchant {
    pub(crate) fn insert(mut self, connection: &Connection) -> Result<Merchant, Error> {
        connection.execute(
            "INSERT INTO merchant (name, email, access_key_id, secret_key, public_key_id,
                 public_key_pem, notification_url, seller_id, region, sns_url, certificate)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                self.spec.name,
                self.spec.email,
                self.merchant.access_key_id,
                self.merchant.secret_key.expose(),
                self.merchant.public_key_id,
                self.public_key_pem,
                self.spec.notification_url,
                self.merchant.seller_id,
                self.spec.region.name(),
                self.spec.sns_url,
                self.certificate,
            ],
        )?;
        self.merchant.id = connection.last_insert_rowid();
        Ok(self.merchant)
    }
}

/// Who has this FPS access key, and its secret.
pub(crate) fn by_access_key(
    connection: &Connection,
    access_key_id: &str,
) -> Result<Option<(i64, Secret)>, Error> {
    let found = connection
        .prepare_cached("SELECT id, secret_key FROM merchant WHERE access_key_id = ?")?
        .query_row([access_key_id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(found.map(|(id, secret)| (id, Secret::new(secret))))
}

/// Who registered this X.509 certificate, and the certificate.
pub(crate) fn by_certificate(
    connection: &Connection,
    der: &[u8],
) -> Result<Option<(i64, Certificate)>, Error> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT id FROM merchant WHERE certificate = ?")?
        .query_row([der], |row| row.get(0))
        .optional()?;
    let Some(id) = found else { return Ok(None) };
    let certificate =
        Certificate::from_der(der).map_err(|error| Error::with(ErrorKind::Database, error))?;
    Ok(Some((id, certificate)))
}

/// Who has this Amazon Pay key, its public half, and whether the account is active.
pub(crate) fn by_public_key(
    connection: &Connection,
    public_key_id: &str,
) -> Result<Option<(i64, PublicKey, bool)>, Error> {
    let found: Option<(i64, String, bool)> = connection
        .prepare_cached(
            "SELECT id, public_key_pem, status = 'active' FROM merchant WHERE public_key_id = ?",
        )?
        .query_row([public_key_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, pem, active)) = found else { return Ok(None) };
    let key = PublicKey::from_pem(&pem).map_err(|error| Error::with(ErrorKind::Database, error))?;
    Ok(Some((id, key, active)))
}

/// What others are told about a merchant.
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) notification_url: Option<String>,
}

pub(crate) fn profile(connection: &Connection, id: i64) -> Result<Profile, Error> {
    let mut statement = connection
        .prepare_cached("SELECT name, email, notification_url FROM merchant WHERE id = ?")?;
    Ok(statement.query_row([id], |row| {
        Ok(Profile { name: row.get(0)?, email: row.get(1)?, notification_url: row.get(2)? })
    })?)
}

/// May a merchant's account take part in transactions?
pub(crate) fn is_active(connection: &Connection, id: i64) -> Result<bool, Error> {
    let mut statement =
        connection.prepare_cached("SELECT status = 'active' FROM merchant WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

/// A merchant's account with Amazon Pay.
pub(crate) struct Seller {
    pub(crate) seller_id: String,
    pub(crate) region: Region,
    pub(crate) sns_url: Option<String>,
}

pub(crate) fn seller(connection: &Connection, id: i64) -> Result<Seller, Error> {
    let mut statement = connection
        .prepare_cached("SELECT seller_id, region, sns_url FROM merchant WHERE id = ?")?;
    let (seller_id, region, sns_url): (_, String, _) =
        statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let region = Region::from_name(&region)
        .ok_or_else(|| Error::with(ErrorKind::Database, "an unknown region"))?;
    Ok(Seller { seller_id, region, sns_url })
}

//! Whose key is believed: a file's, or that of a certificate fetched from a configured place; never one
//! that only the message names.

use std::path::Path;

use fps::fps_sign::{Certificate, CertificateUrl};
use fps::{
    CertificateFetcher, CertificateOrigin, KeyError, OriginError, PublicKey, Secret, Settings,
    Timestamp, Trust,
};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use super::checked::Unproved;
use crate::cli::{Certificates, SecretKey};
use crate::exit::{Exit, Failure, OrFail};
use crate::message;

/// A public key, and the certificate that it stands in, if it does.
#[derive(Clone)]
pub(crate) struct Public {
    pub(crate) key: PublicKey,
    pub(crate) certificate: Option<Certificate>,
    name: String,
}

impl Public {
    /// Reads a PEM file with either.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = message::read(path)?;
        let unusable = |error: KeyError| {
            let message = format!("{} holds no public key or certificate", path.display());
            Failure::new(Exit::Usage, message).because(error)
        };
        if bytes.windows(17).any(|window| window == b"BEGIN CERTIFICATE") {
            return Certificate::from_pem(&bytes).map(Self::of).map_err(unusable);
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| unusable(KeyError::NotPem))?;
        let key = PublicKey::from_pem(text).map_err(unusable)?;
        Ok(Self { name: format!("public key {}", path.display()), key, certificate: None })
    }

    fn of(certificate: Certificate) -> Self {
        let name = format!("certificate {}", fingerprint(certificate.der()));
        Self { key: certificate.public_key().clone(), certificate: Some(certificate), name }
    }

    /// Which it is, for people.
    pub(crate) fn name(&self) -> String {
        format!("{}, RSA {} bits", self.name, self.key.bits())
    }

    /// Why a proof by it is worth less.
    pub(super) fn weakness(&self) -> Option<&'static str> {
        (self.key.bits() < 2048).then_some("the key: RSA of fewer than 2048 bits")
    }

    /// Was it in force then? Unknown of a key without a certificate.
    pub(super) fn in_force_at(&self, time: Option<Timestamp>) -> Option<bool> {
        let seconds = u64::try_from(time?.unix_millis() / 1000).ok()?;
        Some(self.certificate.as_ref()?.is_valid_at(seconds))
    }
}

/// As `openssl x509 -fingerprint -sha256` has it, without the colons.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let digits = Sha256::digest(der);
    let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Where the key of a notification comes from.
pub(super) enum Source {
    Nowhere,
    File(Box<Public>, Option<CertificateOrigin>),
    Fetched { origin: CertificateOrigin, fetcher: CertificateFetcher, runtime: Runtime },
}

impl Source {
    /// FPS is no more, so that nobody can be asked unless it is said who.
    pub(super) fn of_ipn(arguments: &Certificates) -> Result<Self, Failure> {
        Self::new(arguments, || {
            Err(Failure::new(Exit::Usage, "--fetch needs --origin")
                .hint("the hosts of FPS are retired: name the one that has its certificates now"))
        })
    }

    pub(super) fn of_sns(arguments: &Certificates) -> Result<Self, Failure> {
        Self::new(arguments, || Ok(CertificateOrigin::sns_any_region()))
    }

    fn new(
        arguments: &Certificates,
        default: fn() -> Result<CertificateOrigin, Failure>,
    ) -> Result<Self, Failure> {
        let unusable = |error| {
            Failure::new(Exit::Usage, "--origin is no origin of certificates").because(error)
        };
        let origin = arguments.origin.as_deref().map(CertificateOrigin::new);
        let origin = origin.transpose().map_err(unusable)?;
        if let Some(path) = &arguments.certificate {
            return Ok(Self::File(Box::new(Public::read(path)?), origin));
        }
        if !arguments.fetch {
            return Ok(Self::Nowhere);
        }
        let mut settings = Settings::default();
        if let Some(path) = &arguments.ca {
            settings = settings.with_trust(Trust::Only(message::read_text(path)?));
        }
        let fetcher = CertificateFetcher::new(&settings).map_err(|error| {
            Failure::new(Exit::Usage, "no certificate can be fetched").because(error)
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.or_fail("the threads of this command cannot be started")?;
        Ok(Self::Fetched { origin: origin.map_or_else(default, Ok)?, fetcher, runtime })
    }

    /// The key for a message, whose certificate's address the origin must admit.
    pub(super) fn public(
        &self,
        admit: impl Fn(&CertificateOrigin) -> Result<CertificateUrl, OriginError>,
    ) -> Result<Public, Unproved> {
        match self {
            Self::Nowhere => Err(Unproved::new("there is no key to prove it by")
                .hint("name one with --certificate, or let it be fetched with --fetch")),
            Self::File(public, origin) => {
                if let Some(origin) = origin {
                    admit(origin)?;
                }
                Ok((**public).clone())
            }
            Self::Fetched { origin, fetcher, runtime } => {
                let address = admit(origin)?;
                let certificate = runtime.block_on(fetcher.fetch(&address)).map_err(|error| {
                    let why = Unproved::from(error);
                    why.hint("whether the message is true is not known; try again later")
                })?;
                Ok(Public::of(certificate))
            }
        }
    }
}

/// The secret key of the arguments or, without, of the environment.
#[expect(clippy::disallowed_methods, reason = "a secret is not to stand on the command line")]
pub(crate) fn secret_key(arguments: &SecretKey) -> Result<Option<Secret>, Failure> {
    const VARIABLE: &str = "FPS_SECRET_KEY";
    let text = match &arguments.secret_file {
        Some(path) => Some(message::read_text(path)?),
        None => match std::env::var(VARIABLE) {
            Ok(text) => Some(text),
            Err(std::env::VarError::NotPresent) => None,
            // The text must not be printed, and it would be in the error.
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::new(Exit::Usage, format!("{VARIABLE} is no text")));
            }
        },
    };
    match text.as_deref().map(str::trim) {
        Some("") => Err(Failure::new(Exit::Usage, "the secret key is empty")),
        text => Ok(text.map(Secret::new)),
    }
}

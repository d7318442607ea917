//! The keys of the merchants in a sandbox, told once when they are made, and kept in a file beside the
//! database for its owner alone: they open nothing but this sandbox.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use fps::{Currency, Money};
use fps_sandbox::control::{Control, Filter, PaymentSpec};
use fps_sandbox::{Merchant, MerchantSpec, Sandbox, Seeded, Service};
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure, OrFail};
use crate::place::{SANDBOX_FAILED, beside};

/// What is paid, on either service, so that there is something to refund.
const PAID: Money = Money::from_minor(10_000, Currency::USD);

/// What a client needs.
#[derive(Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) merchants: Vec<MerchantKeys>,
    /// A completed FPS transaction of the first merchant.
    pub(super) transaction_id: Option<String>,
    /// A captured Amazon Pay charge of the first merchant.
    pub(super) charge_id: Option<String>,
}

/// Both keys of a merchant. The secret halves are missing where nobody kept them.
#[derive(Serialize, Deserialize)]
pub(super) struct MerchantKeys {
    pub(super) name: String,
    pub(super) access_key_id: String,
    pub(super) secret_key: Option<String>,
    pub(super) public_key_id: String,
    pub(super) private_key_file: Option<PathBuf>,
    /// Of the same private key, for SOAP.
    #[serde(default)]
    pub(super) certificate_file: Option<PathBuf>,
    #[serde(skip)]
    private_key_pem: Option<String>,
    #[serde(skip)]
    certificate_pem: Option<String>,
}

impl Keys {
    /// Makes a merchant with a payment on either service.
    pub(super) async fn make(sandbox: &Sandbox, spec: MerchantSpec) -> Result<Self, Failure> {
        let usage = |error| {
            Failure::new(Exit::Usage, "the merchant cannot be made as it is told").because(error)
        };
        let merchant = sandbox.create_merchant(spec).await.map_err(usage)?;
        let mut ids = Vec::new();
        for service in [Service::FlexiblePayments, Service::AmazonPay] {
            let payment = sandbox.control().create_payment(PaymentSpec::new(service, PAID)).await;
            ids.push(payment.or_fail(SANDBOX_FAILED)?.id);
        }
        let charge_id = ids.pop();
        Ok(Self {
            merchants: vec![MerchantKeys::of("Test Business", &merchant)],
            transaction_id: ids.pop(),
            charge_id,
        })
    }

    /// Those of a seed.
    pub(super) fn of(seeded: Seeded) -> Self {
        let payment = |service: Service| {
            let first = seeded.merchants.first().map(|made| &made.known.access_key_id);
            let mut payments = seeded.payments.iter();
            let found = payments.find(|payment| {
                payment.service == service
                    && payment.state == "completed"
                    && Some(&payment.merchant) == first
            });
            found.map(|payment| payment.id.clone())
        };
        let (transaction_id, charge_id) =
            (payment(Service::FlexiblePayments), payment(Service::AmazonPay));
        let merchants = seeded.merchants.into_iter().map(|made| MerchantKeys {
            name: made.known.name,
            access_key_id: made.known.access_key_id,
            secret_key: Some(made.secret_key),
            public_key_id: made.known.public_key_id,
            private_key_file: None,
            certificate_file: None,
            private_key_pem: Some(made.private_key_pem),
            certificate_pem: Some(made.certificate_pem),
        });
        Self { merchants: merchants.collect(), transaction_id, charge_id }
    }

    /// Those that an earlier start kept, or what can be told without them.
    pub(super) async fn kept(control: &Control, database: &Path) -> Result<Self, Failure> {
        let file = keys_file(database);
        match std::fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| not_kept(&file, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let known = control.merchants(Filter::default()).await.or_fail(SANDBOX_FAILED)?;
                let merchants = known.items.into_iter().map(|known| MerchantKeys {
                    name: known.name,
                    access_key_id: known.access_key_id,
                    secret_key: None,
                    public_key_id: known.public_key_id,
                    private_key_file: None,
                    certificate_file: None,
                    private_key_pem: None,
                    certificate_pem: None,
                });
                let merchants = merchants.collect();
                Ok(Self { merchants, transaction_id: None, charge_id: None })
            }
            Err(error) => Err(not_kept(&file, error)),
        }
    }

    /// Keeps them for the next start, and each private key in a file of its own, as clients want it.
    pub(super) fn keep(&mut self, database: &Path) -> Result<(), Failure> {
        for merchant in &mut self.merchants {
            if let Some(pem) = merchant.private_key_pem.take() {
                let file = beside(database, &format!(".{}.pem", merchant.public_key_id));
                write_private(&file, &pem)?;
                merchant.private_key_file = Some(file);
            }
            if let Some(pem) = merchant.certificate_pem.take() {
                let file = beside(database, &format!(".{}.crt", merchant.public_key_id));
                write_private(&file, &pem)?;
                merchant.certificate_file = Some(file);
            }
        }
        let file = keys_file(database);
        let text = serde_json::to_string_pretty(self).map_err(|error| not_kept(&file, error))?;
        write_private(&file, &text)
    }
}

impl MerchantKeys {
    fn of(name: &str, merchant: &Merchant) -> Self {
        Self {
            name: name.to_owned(),
            access_key_id: merchant.access_key_id.clone(),
            secret_key: Some(merchant.secret_key.expose().to_owned()),
            public_key_id: merchant.public_key_id.clone(),
            private_key_file: None,
            certificate_file: None,
            private_key_pem: Some(merchant.private_key_pem.expose().to_owned()),
            certificate_pem: Some(merchant.certificate_pem.clone()),
        }
    }
}

fn keys_file(database: &Path) -> PathBuf {
    beside(database, ".keys.json")
}

fn not_kept(file: &Path, error: impl Into<Box<dyn std::error::Error>>) -> Failure {
    let message = format!("the file {} cannot be read or written", file.display());
    Failure::new(Exit::Usage, message).because(error)
}

/// Writes a file for its owner alone, in the place of one that is there.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(text.as_bytes())
    };
    write().map_err(|error| not_kept(path, error))
}

//! What the examples stand on: a sandbox of both services in this process, on loopback, and a merchant
//! with a client of each. Nothing that an example is about.

#![allow(dead_code, reason = "each example uses a part of it")]

use std::error::Error;
use std::time::Duration;

use fps::amazon_pay::ChargeId;
use fps::{
    AmazonPay, AmazonPayConfig, Credentials, Currency, FlexiblePayments, FlexiblePaymentsConfig,
    Money, MoneyError, ParseMoneyError, Patience, PrivateKey, Region, Settings, Trust,
};
use fps_http::Signer;
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox, Service};
use tempfile::TempDir;

/// What an example ends with; an error makes it exit with one.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A sandbox and a merchant in it.
pub(crate) struct World {
    _folder: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) merchant: Merchant,
}

impl World {
    /// Starts the sandbox; it ends with this. A card refund takes it a twentieth of a second.
    pub(crate) async fn start() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let config = Config::new(folder.path().join("sandbox.db"));
        let sandbox = Sandbox::start(config.processing(Duration::from_millis(50))).await?;
        let merchant = sandbox.create_merchant(MerchantSpec::new("Example Shop")).await?;
        Ok(Self { _folder: folder, sandbox, merchant })
    }

    /// The defaults, trusting the sandbox and nobody else.
    pub(crate) fn settings(&self) -> Settings {
        Settings::default().with_trust(Trust::Only(self.sandbox.ca_pem().to_owned()))
    }

    /// The merchant's private key of Amazon Pay.
    pub(crate) fn private_key(&self) -> Outcome<PrivateKey> {
        Ok(PrivateKey::from_pem(self.merchant.private_key_pem.expose())?)
    }

    /// Amazon Pay at the sandbox, signed by `signer`.
    pub(crate) fn amazon_pay_config(&self, signer: impl Into<Signer>) -> Outcome<AmazonPayConfig> {
        let id = &*self.merchant.public_key_id;
        let config = AmazonPayConfig::new(id, signer, Region::NorthAmerica)?;
        Ok(config.with_endpoint(self.sandbox.url())?)
    }

    /// A client of Amazon Pay.
    pub(crate) fn amazon_pay(&self, settings: &Settings) -> Outcome<AmazonPay> {
        Ok(AmazonPay::new(self.amazon_pay_config(self.private_key()?)?, settings)?)
    }

    /// A client of Flexible Payments Service.
    pub(crate) fn flexible_payments(&self) -> Outcome<FlexiblePayments> {
        let merchant = &self.merchant;
        let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
        let config = FlexiblePaymentsConfig::new(self.sandbox.url(), credentials)?;
        Ok(FlexiblePayments::new(config, &self.settings())?)
    }

    /// A buyer has paid 100.00 USD through Amazon Pay, which took 3.00.
    pub(crate) async fn charge(&self) -> Outcome<ChargeId> {
        let charge = self.sandbox.capture_charge(&self.merchant, usd("100.00")?);
        Ok(charge.fee(usd("3.00")?).create().await?)
    }

    /// What the books say that buyers got back or will, once they were found to balance.
    pub(crate) async fn refunded(&self, service: Service) -> Outcome<Money> {
        self.sandbox.verify_books().await?;
        let totals = self.sandbox.totals(&self.merchant).await?;
        let mut of_service = totals.iter().filter(|totals| totals.service == service);
        let zero = Money::zero(Currency::USD);
        let sum: Result<Money, MoneyError> = of_service.try_fold(zero, |sum, totals| {
            sum.checked_add(totals.refunded)?.checked_add(totals.refunding)
        });
        Ok(sum?)
    }
}

/// How long an example waits for the end of a refund.
pub(crate) fn patience() -> Patience {
    Patience::short(Duration::from_millis(10), Duration::from_secs(10))
}

/// An amount in US dollars.
pub(crate) fn usd(text: &str) -> Result<Money, ParseMoneyError> {
    Money::parse(text, Currency::USD)
}

/// An error, unless it holds.
pub(crate) fn check(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}

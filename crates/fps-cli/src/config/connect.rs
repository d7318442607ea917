//! From settings to a client, and from a failed call to what its user should know; what is sent is not
//! known here.

use std::error::Error;
use std::sync::Arc;

use fps::fps_http::{HyperTransport, SystemClock};
use fps::refund_runner::Gateway;
use fps::{
    AmazonPay, AmazonPayConfig, AmazonPayGateway, CertificateFetcher, CertificateOrigin, Client,
    ConfigError, Credentials, FlexiblePayments, FlexiblePaymentsConfig, FlexiblePaymentsGateway,
    PrivateKey, PublicKey, Settings, Trust,
};

use super::recorder::Recorder;
use super::setting::{Setting, word};
use super::{Configuration, missing, secret, word_of};
use crate::cli::{Environment, Region, Service};
use crate::exit::{Exit, Failure};

/// A client of one of the services.
#[derive(Debug)]
pub(crate) enum Shop {
    AmazonPay(AmazonPay),
    FlexiblePayments(FlexiblePayments),
}

/// A client that was configured, and what is known about where it sends.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) shop: Shop,
    is_live: bool,
    recorder: Recorder,
    public_key: Option<PublicKey>,
}

impl Connected {
    /// Does real money move?
    pub(crate) const fn is_live(&self) -> bool {
        self.is_live
    }

    /// The service, as it is spelled on the command line.
    pub(crate) fn service_name(&self) -> String {
        let service = match self.shop {
            Shop::AmazonPay(_) => Service::AmazonPay,
            Shop::FlexiblePayments(_) => Service::FlexiblePayments,
        };
        word(&service).unwrap_or_default()
    }

    /// A call that failed. If its signature was refused, with what was signed.
    pub(crate) fn failure(
        &self,
        error: impl Into<Box<dyn Error>>,
        what: impl Into<String>,
    ) -> Failure {
        let error = error.into();
        let told = self.recorder.explain(&*error, self.public_key.as_ref());
        let failure = Failure::from_error(error, what);
        match told {
            Some(told) => failure.detail(told).hint(
                "the key that signs and the id that names it belong together; see \
                 `fps config show --origin`",
            ),
            None => failure,
        }
    }
}

impl Configuration {
    /// A client of the service that is meant: as configured, or as the form of an id tells.
    pub(crate) fn connect(&self, id: Option<&str>) -> Result<Connected, Failure> {
        match self.service(id)? {
            Service::AmazonPay => self.amazon_pay(),
            Service::FlexiblePayments => self.flexible_payments(),
        }
    }

    /// What every request is sent with.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let Some(found) = self.get(Setting::Ca) else { return Ok(Settings::default()) };
        let pem = std::fs::read_to_string(found.text()).map_err(|error| {
            Failure::new(Exit::Usage, format!("{found} cannot be read")).because(error)
        })?;
        // Whoever names an authority means it alone: what is for a sandbox then reaches nothing else.
        Ok(Settings::default().with_trust(Trust::Only(pem)))
    }

    /// Where the certificates of notifications come from, if that is configured.
    pub(crate) fn certificate_origin(&self) -> Result<Option<CertificateOrigin>, Failure> {
        let origin = self.get(Setting::CertificateOrigin).map(|found| {
            CertificateOrigin::new(found.text()).map_err(|error| {
                Failure::new(Exit::Usage, format!("{found} is none")).because(error)
            })
        });
        origin.transpose()
    }

    /// What fetches them.
    pub(crate) fn certificate_fetcher(&self) -> Result<CertificateFetcher, Failure> {
        CertificateFetcher::new(&self.settings()?).map_err(unusable)
    }

    fn amazon_pay(&self) -> Result<Connected, Failure> {
        let (config, public_key) = self.amazon_pay_config()?;
        let is_live = config.environment() == fps::Environment::Live;
        let (settings, recorder) = self.transport()?;
        let client = Client::with_transport(config, settings, recorder.clone(), SystemClock::new());
        let shop = Shop::AmazonPay(AmazonPay::over(client));
        Ok(Connected { shop, is_live, recorder, public_key: Some(public_key) })
    }

    fn amazon_pay_config(&self) -> Result<(AmazonPayConfig, PublicKey), Failure> {
        let id = self.require(Setting::PublicKeyId)?;
        let pem = self.layers.secret(Setting::PrivateKey, Setting::PrivateKeyFile)?;
        let pem = pem.ok_or_else(|| missing(Setting::PrivateKeyFile))?;
        let region = match word_of(self.require(Setting::Region)?) {
            Region::Na => fps::Region::NorthAmerica,
            Region::Eu => fps::Region::Europe,
            Region::Jp => fps::Region::Japan,
        };
        let private_key = PrivateKey::from_pem(secret::read(pem)?.expose()).map_err(|error| {
            Failure::new(Exit::Usage, format!("the private key ({}) is none", pem.origin()))
                .because(error)
        })?;
        let public_key = private_key.public_key();
        let config = match self.environment() {
            Some(environment) => {
                AmazonPayConfig::in_environment(environment, id.text(), private_key, region)
            }
            None => AmazonPayConfig::new(id.text(), private_key, region),
        };
        let config = match self.get(Setting::Endpoint) {
            Some(endpoint) => config.and_then(|config| config.with_endpoint(endpoint.text())),
            None => config,
        };
        Ok((config.map_err(unusable)?, public_key))
    }

    fn flexible_payments(&self) -> Result<Connected, Failure> {
        let (config, is_live) = self.flexible_payments_config()?;
        let (settings, recorder) = self.transport()?;
        let client = Client::with_transport(config, settings, recorder.clone(), SystemClock::new());
        let shop = Shop::FlexiblePayments(FlexiblePayments::over(client));
        Ok(Connected { shop, is_live, recorder, public_key: None })
    }

    fn flexible_payments_config(&self) -> Result<(FlexiblePaymentsConfig, bool), Failure> {
        let endpoint = self.require(Setting::Endpoint)?;
        let id = self.require(Setting::AccessKeyId)?;
        let secret = self.layers.secret(Setting::SecretKey, Setting::SecretKeyFile)?;
        let secret = secret::read(secret.ok_or_else(|| missing(Setting::SecretKeyFile))?)?;
        let credentials = Credentials::new(id.text(), secret);
        let config = FlexiblePaymentsConfig::new(endpoint.text(), credentials).map_err(unusable)?;
        // A key of FPS does not tell. On this machine there is no real money.
        let is_live = match self.environment() {
            Some(environment) => environment == fps::Environment::Live,
            None => !config.endpoint().is_loopback(),
        };
        Ok((config, is_live))
    }

    /// A gateway to a service for many refunds, and whether real money moves through it.
    pub(crate) fn gateway(&self, service: Service) -> Result<(Arc<dyn Gateway>, bool), Failure> {
        let settings = self.settings()?;
        Ok(match service {
            Service::AmazonPay => {
                let (config, _) = self.amazon_pay_config()?;
                let is_live = config.environment() == fps::Environment::Live;
                let gateway = AmazonPayGateway::new(config, &settings).map_err(unusable)?;
                (Arc::new(gateway), is_live)
            }
            Service::FlexiblePayments => {
                let (config, is_live) = self.flexible_payments_config()?;
                let environment = match is_live {
                    true => fps::Environment::Live,
                    false => fps::Environment::Sandbox,
                };
                let gateway = FlexiblePaymentsGateway::new(config, environment, &settings);
                let gateway = gateway.map_err(unusable)?;
                (Arc::new(gateway), is_live)
            }
        })
    }

    fn environment(&self) -> Option<fps::Environment> {
        self.get(Setting::Environment).map(|found| match word_of(found) {
            Environment::Sandbox => fps::Environment::Sandbox,
            Environment::Live => fps::Environment::Live,
        })
    }

    fn transport(&self) -> Result<(Settings, Recorder), Failure> {
        let settings = self.settings()?;
        let transport = HyperTransport::new(&settings).map_err(unusable)?;
        Ok((settings, Recorder::new(transport)))
    }
}

fn unusable(error: ConfigError) -> Failure {
    Failure::new(Exit::Usage, "nothing can be sent with these settings")
        .because(error)
        .hint("`fps config show --origin` says where each comes from")
}

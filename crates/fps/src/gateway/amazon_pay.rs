//! Amazon Pay behind a runner.

use fps_http::pacing::Limits;
use fps_http::{AmazonPayConfig, Client, ConfigError, Environment, Settings, Wire};
use fps_model::amazon_pay::{
    ChargeId, CreateRefund, GetCharge, GetRefund, Refund, RefundStatusDetails,
};
use fps_model::{IdempotencyKey, Operation};
use refund_ledger::{IntentRecord, Millis};
use refund_rules::Payment;
use refund_runner::{
    BoxFuture, Call, Details, Found, Gateway, Limit, Listed, Looked, Status, Submitted,
};

use super::{failed, limit, not_told, once};
use crate::amazon_pay_client::{AmazonPay, observation_of};
use crate::refund::SnapshotError;

/// One account of Amazon Pay.
#[derive(Clone, Debug)]
pub struct AmazonPayGateway {
    shop: AmazonPay,
    target: String,
    limits: Limits,
}

impl AmazonPayGateway {
    /// The name of the service in a ledger.
    pub const PROVIDER: &'static str = "amazon-pay";

    /// Over the network. Of the settings, those for tries and limits do not count: the runner keeps
    /// both. The limits are those that the service publishes for where the configuration sends.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: AmazonPayConfig, settings: &Settings) -> Result<Self, ConfigError> {
        let environment = match config.environment() {
            Environment::Live => "live",
            Environment::Sandbox => "sandbox",
        };
        let (region, endpoint) = (config.region().code(), config.endpoint());
        let target = format!(
            "{environment} {region} {}{} {}",
            endpoint.authority(),
            endpoint.path(),
            config.public_key_id()
        );
        let limits = config.limits();
        Ok(Self { shop: AmazonPay::new(config, &once(settings))?, target, limits })
    }

    /// With other limits: those of an account that has its own, or of a gateway in between.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    const fn client(&self) -> &Client<AmazonPayConfig> {
        self.shop.client()
    }

    async fn send(&self, intent: &IntentRecord) -> Submitted {
        let request = match request(intent) {
            Ok(request) => request,
            Err(why) => return Submitted::Unsendable { why },
        };
        match self.shop.submit_with_reason(&request).await {
            Ok((submitted, details)) => Submitted::Accepted {
                refund: submitted.id.as_str().to_owned(),
                state: observation_of(&details.state),
                reason: reason(&details),
                request: submitted.request_id,
            },
            Err(error) => failed(&error),
        }
    }

    async fn ask(&self, id: &str) -> Looked<Status> {
        match self.client().send(&GetRefund::new(id)).await {
            Ok(answer) if answer.result.refund_id.as_str() == id => {
                Looked::Told(status(&answer.result))
            }
            Ok(_) => Looked::Refused { code: "an answer about another refund".to_owned() },
            Err(error) => not_told(&error),
        }
    }

    /// A key of Amazon Pay lives for ever, so that sending again is the look-up. Where that did not
    /// help, all that can be asked is how much of the charge was refunded.
    async fn look_for(&self, intent: &IntentRecord) -> Looked<Found> {
        match self.client().send(&GetCharge::new(intent.payment.as_str())).await {
            Ok(answer) => {
                let refunded = answer.result.refunded_amount.map_or_else(
                    || "nothing".to_owned(),
                    |refunded| format!("{refunded} {}", refunded.currency()),
                );
                let why = format!(
                    "the provider says that {refunded} of charge {} was refunded",
                    intent.payment
                );
                Looked::Told(Found::Unclear { why })
            }
            Err(error) => not_told(&error),
        }
    }

    async fn snapshot(&self, id: &str) -> Looked<Option<Payment>> {
        match self.shop.payment(&ChargeId::new(id)).await {
            Ok(payment) => Looked::Told(Some(payment)),
            Err(SnapshotError::NotFound) => Looked::Told(None),
            // The service has no such charge.
            Err(SnapshotError::Call(error))
                if error.status() == Some(404) && error.refusal().is_some() =>
            {
                Looked::Told(None)
            }
            Err(SnapshotError::Call(error)) => not_told(&error),
            Err(error) => Looked::Refused { code: error.to_string() },
        }
    }
}

/// The request of an intent: the same for the same intent, every time.
fn request(intent: &IntentRecord) -> Result<CreateRefund, String> {
    let facts = &intent.facts;
    let key = IdempotencyKey::new(facts.key.as_str()).map_err(|error| error.to_string())?;
    let details =
        Details::from_text(facts.details.as_deref()).map_err(|error| error.to_string())?;
    let mut request = CreateRefund::new(key, intent.payment.as_str(), facts.amount);
    request.soft_descriptor = details.soft_descriptor;
    Ok(request)
}

fn status(refund: &Refund) -> Status {
    Status {
        state: observation_of(&refund.status_details.state),
        reason: reason(&refund.status_details),
        amount: Some(refund.refund_amount),
    }
}

fn reason(details: &RefundStatusDetails) -> Option<String> {
    details.reason_code.as_ref().map(|code| code.as_str().to_owned())
}

impl Gateway for AmazonPayGateway {
    fn provider(&self) -> &str {
        Self::PROVIDER
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn key_window(&self) -> Option<i64> {
        None
    }

    fn limit(&self, call: Call) -> Option<Limit> {
        match call {
            Call::Submit => limit(&self.limits, CreateRefund::ACTION),
            Call::Status => limit(&self.limits, GetRefund::ACTION),
        }
    }

    fn submit<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Submitted> {
        Box::pin(self.send(intent))
    }

    fn status<'a>(&'a self, refund: &'a str) -> BoxFuture<'a, Looked<Status>> {
        Box::pin(self.ask(refund))
    }

    fn search<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Looked<Found>> {
        Box::pin(self.look_for(intent))
    }

    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Looked<Option<Payment>>> {
        Box::pin(self.snapshot(id))
    }

    /// Amazon Pay lists no refunds.
    fn activity<'a>(&'a self, _: Millis, _: Millis) -> BoxFuture<'a, Looked<Option<Vec<Listed>>>> {
        Box::pin(std::future::ready(Looked::Told(None)))
    }
}

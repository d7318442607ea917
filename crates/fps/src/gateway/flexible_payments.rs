//! FPS behind a runner.

use fps_http::{Client, ConfigError, Environment, FlexiblePaymentsConfig, Settings};
use fps_model::flexible_payments::{
    FpsOperation, GetAccountActivity, GetTransaction, GetTransactionStatus, Refund, RelationType,
    TransactionId,
};
use fps_model::{CallerReference, Sensitive, Timestamp};
use refund_ledger::{IntentRecord, Millis};
use refund_rules::Payment;
use refund_runner::{
    BoxFuture, Call, Details, Found, Gateway, Limit, Listed, Looked, Status, Submitted,
};

use super::{failed, not_told, once};
use crate::flexible_payments_client::{FlexiblePayments, marketplace_policy, observation_of};
use crate::refund::SnapshotError;

/// For how long FPS knows a caller reference again: seven days. Source: FPS basic guide, "Important
/// Values to Store in Your Database".
const KEY_WINDOW: i64 = 7 * 24 * 60 * 60 * 1_000;

/// One account of FPS.
#[derive(Clone, Debug)]
pub struct FlexiblePaymentsGateway {
    shop: FlexiblePayments,
    target: String,
}

impl FlexiblePaymentsGateway {
    /// The name of the service in a ledger.
    pub const PROVIDER: &'static str = "flexible-payments";

    /// Over the network. Of the settings, those for tries and limits do not count: the runner keeps
    /// both, and FPS published no limits. A key of FPS does not tell its environment: say which it is.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(
        config: FlexiblePaymentsConfig,
        environment: Environment,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        let environment = match environment {
            Environment::Live => "live",
            Environment::Sandbox => "sandbox",
        };
        let endpoint = config.endpoint();
        let (authority, path) = (endpoint.authority(), endpoint.path());
        let target = format!("{environment} {authority}{path} {}", config.access_key_id());
        Ok(Self { shop: FlexiblePayments::new(config, &once(settings))?, target })
    }

    const fn client(&self) -> &Client<FlexiblePaymentsConfig> {
        self.shop.client()
    }

    async fn send(&self, intent: &IntentRecord) -> Submitted {
        let request = match request(intent) {
            Ok(request) => request,
            Err(why) => return Submitted::Unsendable { why },
        };
        match self.shop.submit_with_reason(&request).await {
            Ok((submitted, observation, reason)) => Submitted::Accepted {
                refund: submitted.id.as_str().to_owned(),
                state: observation,
                reason,
                request: submitted.request_id,
            },
            Err(error) => failed(&error),
        }
    }

    async fn ask(&self, id: &str) -> Looked<Status> {
        match self.status_and_reference(id).await {
            Looked::Told((status, _)) => Looked::Told(status),
            Looked::Later { why } => Looked::Later { why },
            Looked::Refused { code } => Looked::Refused { code },
            Looked::Unauthorized { code } => Looked::Unauthorized { code },
        }
    }

    async fn status_and_reference(&self, id: &str) -> Looked<(Status, Option<String>)> {
        let status = match self.client().send(&GetTransactionStatus::new(id)).await {
            Ok(answer) => answer.result,
            Err(error) => return not_told(&error),
        };
        if status.transaction_id.as_str() != id {
            return Looked::Refused { code: "an answer about another transaction".to_owned() };
        }
        let state = observation_of(&status.transaction_status);
        let reason = status.status_code.or(status.status_message);
        Looked::Told((Status { state, reason, amount: None }, status.caller_reference))
    }

    /// Each refund of a payment knows the reference that it was asked for under.
    async fn look_for(&self, intent: &IntentRecord) -> Looked<Found> {
        let detail = match self.client().send(&GetTransaction::new(intent.payment.as_str())).await {
            Ok(answer) => answer.result.transaction,
            Err(error) => return not_told(&error),
        };
        let Some(detail) = detail.filter(|it| it.transaction_id.as_str() == intent.payment) else {
            let why = "the provider tells nothing of the payment".to_owned();
            return Looked::Told(Found::Unclear { why });
        };
        for related in detail.related_transaction {
            if matches!(
                related.relation_type,
                Some(RelationType::Parent | RelationType::MarketplaceFee)
            ) {
                continue;
            }
            let refund = related.transaction_id.as_str().to_owned();
            match self.status_and_reference(&refund).await {
                Looked::Told((status, Some(reference))) if reference == intent.facts.key => {
                    return Looked::Told(Found::Refund { refund, status });
                }
                Looked::Told((_, Some(_))) => {}
                Looked::Told((_, None)) => {
                    let why = format!("refund {refund} does not tell its reference");
                    return Looked::Told(Found::Unclear { why });
                }
                Looked::Later { why } => return Looked::Later { why },
                Looked::Refused { code } => return Looked::Refused { code },
                Looked::Unauthorized { code } => return Looked::Unauthorized { code },
            }
        }
        Looked::Told(Found::Nothing)
    }

    async fn snapshot(&self, id: &str) -> Looked<Option<Payment>> {
        match self.shop.payment(&TransactionId::new(id)).await {
            Ok(payment) => Looked::Told(Some(payment)),
            Err(SnapshotError::NotFound) => Looked::Told(None),
            Err(SnapshotError::Call(error)) => not_told(&error),
            Err(error) => Looked::Refused { code: error.to_string() },
        }
    }

    async fn list(&self, since: Millis, until: Millis) -> Looked<Option<Vec<Listed>>> {
        let time = |at: Millis| Timestamp::from_unix_millis(at.0);
        let (Some(mut start), Some(end)) = (time(since), time(until)) else {
            return Looked::Refused { code: "a date beyond any calendar".to_owned() };
        };
        let mut listed: Vec<Listed> = Vec::new();
        loop {
            let mut request = GetAccountActivity::new(start);
            request.end_date = Some(end);
            request.fps_operation = Some(FpsOperation::Refund);
            let page = match self.client().send(&request).await {
                Ok(answer) => answer.result,
                Err(error) => return not_told(&error),
            };
            for transaction in page.transaction {
                let refund = transaction.transaction_id.as_str().to_owned();
                // The next page begins where this one ended, and may say the same again.
                if listed.iter().rev().take(200).any(|known| known.refund == refund) {
                    continue;
                }
                let payment = transaction.original_transaction_id;
                listed.push(Listed {
                    refund,
                    payment: payment.map(|id| id.as_str().to_owned()),
                    key: None,
                    amount: transaction.transaction_amount,
                    state: observation_of(&transaction.transaction_status),
                });
            }
            match page.start_time_for_next_transaction {
                Some(next) if next > start => start = next,
                _ => return Looked::Told(Some(listed)),
            }
        }
    }
}

/// The request of an intent: the same for the same intent, every time.
fn request(intent: &IntentRecord) -> Result<Refund, String> {
    let facts = &intent.facts;
    let key = CallerReference::new(facts.key.as_str()).map_err(|error| error.to_string())?;
    let details =
        Details::from_text(facts.details.as_deref()).map_err(|error| error.to_string())?;
    let mut request = Refund::new(key, intent.payment.as_str()).refund_amount(facts.amount);
    request.caller_description = details.note.map(Sensitive::new);
    request.marketplace_refund_policy = marketplace_policy(facts.scope);
    Ok(request)
}

impl Gateway for FlexiblePaymentsGateway {
    fn provider(&self) -> &str {
        Self::PROVIDER
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn key_window(&self) -> Option<i64> {
        Some(KEY_WINDOW)
    }

    fn limit(&self, _: Call) -> Option<Limit> {
        None
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

    fn activity<'a>(
        &'a self,
        since: Millis,
        until: Millis,
    ) -> BoxFuture<'a, Looked<Option<Vec<Listed>>>> {
        Box::pin(self.list(since, until))
    }
}

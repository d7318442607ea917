//! Amazon Pay: charges and refunds in the rules' words.

use fps_http::{AmazonPayConfig, Client, ConfigError, Error, Settings};
use fps_model::IdempotencyKey;
use fps_model::amazon_pay::{
    ChargeId, ChargeState, CreateRefund, GetCharge, GetRefund, RefundId,
    RefundState as WireRefundState,
};
use refund_rules::{
    Decision, Method, Observation, Payment, PaymentState, Policy, RefundState, Wish, decide,
};

use crate::follow::{Followed, Patience, follow};
use crate::refund::{RefundError, SnapshotError, Submitted};

/// A client of Amazon Pay that decides before it sends.
#[derive(Clone, Debug)]
pub struct AmazonPay {
    client: Client<AmazonPayConfig>,
    policy: Option<Policy>,
}

impl AmazonPay {
    /// Over the network.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: AmazonPayConfig, settings: &Settings) -> Result<Self, ConfigError> {
        Client::new(config, settings).map(Self::over)
    }

    /// Over a client that was built otherwise.
    #[must_use]
    pub const fn over(client: Client<AmazonPayConfig>) -> Self {
        Self { client, policy: None }
    }

    /// With a policy of the merchant's own, for charges in its currency.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The client below, for operations that have no method here.
    #[must_use]
    pub const fn client(&self) -> &Client<AmazonPayConfig> {
        &self.client
    }

    /// Reads a charge into the rules' words.
    ///
    /// Amazon Pay reports neither its fee nor how many refunds there were: add the fee from your own
    /// records with [`Payment::with_fee`], and the number with [`Payment::with_refunds`].
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub async fn payment(&self, id: &ChargeId) -> Result<Payment, SnapshotError> {
        let answer = self.client.send(&GetCharge::new(id.as_str())).await;
        let charge = answer.map_err(SnapshotError::Call)?.result;
        let state = match charge.status_details.state {
            ChargeState::Captured => PaymentState::Completed,
            ChargeState::Authorized => PaymentState::Reserved,
            ChargeState::AuthorizationInitiated | ChargeState::CaptureInitiated => {
                PaymentState::Pending
            }
            ChargeState::Canceled => PaymentState::Cancelled,
            ChargeState::Declined => PaymentState::Failed,
            _ => return Err(SnapshotError::Unclear("charge state")),
        };
        let captured = charge.capture_amount.unwrap_or(charge.charge_amount);
        let payment = Payment::completed(captured, Method::Card)?.with_state(state);
        match charge.refunded_amount {
            Some(refunded) => Ok(payment.with_refunded(refunded)?),
            None => Ok(payment),
        }
    }

    /// Decides a wish; sends nothing.
    pub fn plan(&self, payment: &Payment, wish: &Wish) -> Decision {
        match &self.policy {
            Some(policy) => decide(payment, wish, policy),
            None => decide(payment, wish, &Policy::amazon_pay(payment.captured().currency())),
        }
    }

    /// Decides a wish and sends it if it is allowed.
    ///
    /// # Errors
    /// [`RefundError::Refused`] before anything is sent, [`RefundError::Call`] afterwards.
    pub async fn refund(
        &self,
        key: IdempotencyKey,
        id: &ChargeId,
        payment: &Payment,
        wish: &Wish,
    ) -> Result<Submitted<RefundId>, RefundError> {
        let plan = self.plan(payment, wish).into_result().map_err(RefundError::Refused)?;
        let request = CreateRefund::new(key, id.as_str(), plan.amount());
        let answer = self.client.send(&request).await.map_err(RefundError::Call)?;
        let state = state_of(&answer.result.status_details.state);
        Ok(Submitted::new(answer.result.refund_id, state, plan, answer.request_id))
    }

    /// Asks about a refund until it has ended or patience has.
    ///
    /// # Errors
    /// [`Error`] when the service refuses to tell; a question that fails in passing is asked again.
    pub async fn follow(&self, id: &RefundId, patience: &Patience) -> Result<Followed, Error> {
        let request = GetRefund::new(id.as_str());
        follow(self.client.clock(), patience, || async {
            let refund = self.client.send(&request).await?.result;
            Ok(observation_of(&refund.status_details.state))
        })
        .await
    }
}

/// A state that this version does not know is no end, so it is asked again.
fn observation_of(state: &WireRefundState) -> Observation {
    match state {
        WireRefundState::Refunded => Observation::Refunded,
        WireRefundState::Declined => Observation::Declined,
        _ => Observation::Pending,
    }
}

fn state_of(state: &WireRefundState) -> RefundState {
    match observation_of(state) {
        Observation::Refunded => RefundState::Refunded,
        Observation::Declined => RefundState::Declined,
        _ => RefundState::Pending,
    }
}

//! Amazon Pay: charges and refunds in the rules' words.

use fps_http::{AmazonPayConfig, Client, ConfigError, Error, Settings};
use fps_model::IdempotencyKey;
use fps_model::amazon_pay::{
    ChargeId, ChargeState, CreateRefund, GetCharge, GetRefund, RefundId,
    RefundState as WireRefundState, RefundStatusDetails,
};
use refund_rules::{
    Decision, Method, Observation, Payment, PaymentState, Plan, Policy, Wish, decide,
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
        if charge.charge_id != *id {
            return Err(SnapshotError::Unclear("charge id"));
        }
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
        let captured = match charge.capture_amount {
            Some(captured) => captured,
            // The amount that was authorised is not what was taken: never refund against it.
            None if state == PaymentState::Completed => {
                return Err(SnapshotError::Unclear("captured amount"));
            }
            None => charge.charge_amount,
        };
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

    /// Decides a wish and sends it if it is allowed: [`AmazonPay::plan`], then [`AmazonPay::submit`].
    ///
    /// For a refund that must survive a crash, take the two steps yourself and store the request in
    /// between.
    ///
    /// # Errors
    /// [`RefundError::Refused`] before anything is sent; afterwards as [`AmazonPay::submit`].
    pub async fn refund(
        &self,
        key: IdempotencyKey,
        id: &ChargeId,
        payment: &Payment,
        wish: &Wish,
    ) -> Result<(Plan, Submitted<RefundId>), RefundError> {
        let plan = self.plan(payment, wish).into_result().map_err(RefundError::Refused)?;
        let request = CreateRefund::new(key, id.as_str(), plan.amount());
        Ok((plan, self.submit(&request).await?))
    }

    /// Sends a refund that was decided before, or whose answer was lost: the same request gives the
    /// same refund, however often it is sent.
    ///
    /// Do not decide again before a repetition. The payment as the service reports it by then holds
    /// the lost refund already, so the rules may refuse a second one that nobody asked for.
    ///
    /// # Errors
    /// [`RefundError::Call`], or [`RefundError::Mismatch`] when the answer is about another charge or
    /// another amount than was asked.
    pub async fn submit(&self, request: &CreateRefund) -> Result<Submitted<RefundId>, RefundError> {
        Ok(self.submit_with_reason(request).await?.0)
    }

    /// The same, with all that the service says of the state.
    pub(crate) async fn submit_with_reason(
        &self,
        request: &CreateRefund,
    ) -> Result<(Submitted<RefundId>, RefundStatusDetails), RefundError> {
        let answer = self.client.send(request).await.map_err(RefundError::Call)?;
        let refund = answer.result;
        let field = if refund.charge_id.as_str() != request.charge_id.as_str() {
            Some("charge")
        } else if refund.refund_amount != request.refund_amount {
            Some("amount")
        } else {
            None
        };
        if let Some(field) = field {
            let refund = refund.refund_id.as_str().to_owned();
            return Err(RefundError::Mismatch { refund, field });
        }
        let observation = observation_of(&refund.status_details.state);
        let submitted = Submitted::new(refund.refund_id, observation, answer.request_id);
        Ok((submitted, refund.status_details))
    }

    /// Asks about a refund until it has ended or patience has.
    ///
    /// # Errors
    /// [`Error`] when the service refuses to tell, or when no question was ever answered. A question
    /// that fails in passing is asked again.
    pub async fn wait_for_refund(
        &self,
        id: &RefundId,
        patience: &Patience,
    ) -> Result<Followed, Error> {
        let request = GetRefund::new(id.as_str());
        follow(self.client.clock(), patience, || async {
            let refund = self.client.send(&request).await?.result;
            // What is about another refund says nothing about this one.
            Ok(match refund.refund_id == *id {
                true => observation_of(&refund.status_details.state),
                false => Observation::Pending,
            })
        })
        .await
    }
}

/// A state that this version does not know is no end, so it is asked again.
pub(crate) fn observation_of(state: &WireRefundState) -> Observation {
    match state {
        WireRefundState::Refunded => Observation::Refunded,
        WireRefundState::Declined => Observation::Declined,
        _ => Observation::Pending,
    }
}

//! Flexible Payments Service: transactions and refunds in the rules' words.

use fps_http::{Client, ConfigError, Error, FlexiblePaymentsConfig, Settings};
use fps_model::CallerReference;
use fps_model::flexible_payments::{
    FpsOperation, GetTransaction, GetTransactionStatus, NotifiedStatus, PaymentMethod, Refund,
    RelationType, TransactionDetail, TransactionId, TransactionStatus,
};
use refund_rules::{
    Decision, Kind, Method, Money, Observation, Payment, PaymentState, Policy, RefundState, Wish,
    decide,
};

use crate::follow::{Followed, Patience, follow};
use crate::refund::{RefundError, SnapshotError, Submitted};

/// A client of Flexible Payments Service that decides before it sends.
#[derive(Clone, Debug)]
pub struct FlexiblePayments {
    client: Client<FlexiblePaymentsConfig>,
    policy: Policy,
}

impl FlexiblePayments {
    /// Over the network, to the endpoint that the configuration names.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: FlexiblePaymentsConfig, settings: &Settings) -> Result<Self, ConfigError> {
        Client::new(config, settings).map(Self::over)
    }

    /// Over a client that was built otherwise.
    #[must_use]
    pub const fn over(client: Client<FlexiblePaymentsConfig>) -> Self {
        Self { client, policy: Policy::flexible_payments() }
    }

    /// With a policy of the merchant's own.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The client below, for operations that have no method here.
    #[must_use]
    pub const fn client(&self) -> &Client<FlexiblePaymentsConfig> {
        &self.client
    }

    /// Reads a transaction and its refunds into the rules' words: one lookup for it and one for each
    /// refund.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub async fn payment(&self, id: &TransactionId) -> Result<Payment, SnapshotError> {
        let detail = self.detail(id).await?;
        let payment = Payment::completed(detail.transaction_amount, method_of(&detail)?)?
            .with_kind(kind_of(&detail)?)
            .with_state(state_of(&detail)?);
        let payment = match detail.fps_fees {
            Some(fee) => payment.with_fee(fee)?,
            None => payment,
        };
        let zero = Money::zero(detail.transaction_amount.currency());
        let (mut refunded, mut pending, mut refunds) = (zero, zero, 0);
        for related in &detail.related_transaction {
            if related.relation_type != Some(RelationType::Refund) {
                continue;
            }
            let refund = self.detail(&related.transaction_id).await?;
            let sum = match observation_of(&refund.transaction_status) {
                Observation::Declined => continue,
                Observation::Refunded => &mut refunded,
                _ => &mut pending,
            };
            *sum = sum
                .checked_add(refund.transaction_amount)
                .map_err(|error| SnapshotError::Impossible(error.into()))?;
            refunds += 1;
        }
        Ok(payment.with_refunded(refunded)?.with_pending(pending)?.with_refunds(refunds)?)
    }

    /// Decides a wish; sends nothing.
    pub fn plan(&self, payment: &Payment, wish: &Wish) -> Decision {
        decide(payment, wish, &self.policy)
    }

    /// Decides a wish and sends it if it is allowed. A wish for the rest is sent without an amount,
    /// so that the service decides what remains.
    ///
    /// # Errors
    /// [`RefundError::Refused`] before anything is sent, [`RefundError::Call`] afterwards.
    pub async fn refund(
        &self,
        key: CallerReference,
        id: &TransactionId,
        payment: &Payment,
        wish: &Wish,
    ) -> Result<Submitted<TransactionId>, RefundError> {
        let plan = self.plan(payment, wish).into_result().map_err(RefundError::Refused)?;
        let mut request = Refund::new(key, id.as_str());
        request.refund_amount = wish.asked();
        let answer = self.client.send(&request).await.map_err(RefundError::Call)?;
        let state = match observation_of(&answer.result.transaction_status) {
            Observation::Refunded => RefundState::Refunded,
            Observation::Declined => RefundState::Declined,
            _ => RefundState::Pending,
        };
        Ok(Submitted::new(answer.result.transaction_id, state, plan, answer.request_id))
    }

    /// Asks about a refund until it has ended or patience has.
    ///
    /// # Errors
    /// [`Error`] when the service refuses to tell; a question that fails in passing is asked again.
    pub async fn follow(&self, id: &TransactionId, patience: &Patience) -> Result<Followed, Error> {
        let request = GetTransactionStatus::new(id.as_str());
        follow(self.client.clock(), patience, || async {
            let status = self.client.send(&request).await?.result.transaction_status;
            Ok(observation_of(&status))
        })
        .await
    }

    async fn detail(&self, id: &TransactionId) -> Result<TransactionDetail, SnapshotError> {
        let answer = self.client.send(&GetTransaction::new(id.as_str())).await;
        let result = answer.map_err(SnapshotError::Call)?.result;
        result.transaction.ok_or(SnapshotError::NotFound)
    }
}

/// A status that this version does not know is no end, so it is asked again.
fn observation_of(status: &TransactionStatus) -> Observation {
    match status {
        TransactionStatus::Success => Observation::Refunded,
        TransactionStatus::Failure | TransactionStatus::Cancelled => Observation::Declined,
        _ => Observation::Pending,
    }
}

/// What a notified status says about a refund.
pub(crate) fn observation_of_notified(status: &NotifiedStatus) -> Observation {
    match status {
        NotifiedStatus::Success => Observation::Refunded,
        NotifiedStatus::Failure | NotifiedStatus::Cancelled => Observation::Declined,
        _ => Observation::Pending,
    }
}

fn method_of(detail: &TransactionDetail) -> Result<Method, SnapshotError> {
    Ok(match detail.payment_method {
        PaymentMethod::CreditCard => Method::Card,
        PaymentMethod::BankAccount => Method::Bank,
        PaymentMethod::AccountBalance => Method::Balance,
        PaymentMethod::Prepaid => Method::Prepaid,
        PaymentMethod::Debt => Method::Postpaid,
        _ => return Err(SnapshotError::Unclear("payment method")),
    })
}

fn kind_of(detail: &TransactionDetail) -> Result<Kind, SnapshotError> {
    Ok(match detail.fps_operation {
        FpsOperation::Pay => Kind::Pay,
        FpsOperation::Reserve | FpsOperation::Settle => Kind::SettledReserve,
        FpsOperation::FundPrepaid => Kind::FundPrepaid,
        FpsOperation::SettleDebt | FpsOperation::WriteOffDebt => Kind::SettleDebt,
        FpsOperation::Refund => Kind::Refund,
        _ => return Err(SnapshotError::Unclear("operation")),
    })
}

fn state_of(detail: &TransactionDetail) -> Result<PaymentState, SnapshotError> {
    Ok(match detail.transaction_status {
        TransactionStatus::Success => PaymentState::Completed,
        TransactionStatus::Pending => PaymentState::Pending,
        TransactionStatus::Reserved => PaymentState::Reserved,
        TransactionStatus::Failure => PaymentState::Failed,
        TransactionStatus::Cancelled => PaymentState::Cancelled,
        _ => return Err(SnapshotError::Unclear("transaction status")),
    })
}

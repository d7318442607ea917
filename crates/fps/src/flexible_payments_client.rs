//! Flexible Payments Service: transactions and refunds in the rules' words.

use fps_http::{Client, ConfigError, Error, FlexiblePaymentsConfig, Settings};
use fps_model::flexible_payments::{
    FpsOperation, GetTransaction, GetTransactionStatus, MarketplaceRefundPolicy, NotifiedStatus,
    PaymentMethod, Refund, RelationType, TransactionDetail, TransactionId, TransactionStatus,
    TransactionalRole,
};
use fps_model::{Answer, CallerReference};
use refund_rules::{
    Decision, Method, Money, Observation, Payment, PaymentError, PaymentKind, PaymentState, Plan,
    Policy, Role, Scope, Wish, decide,
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
    /// Of a marketplace's payment, the service does not tell how much of the marketplace fee went
    /// back: add that from your own records with [`Payment::with_marketplace_fee_held`], or none of
    /// it can be refunded. A refund of that fee alone counts as one of the payment here, because it
    /// cannot be told from one. The wish must say that the recipient has granted the refund: see
    /// [`refund_rules::Grant::REFUND`].
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub async fn payment(&self, id: &TransactionId) -> Result<Payment, SnapshotError> {
        let detail = self.detail(id).await?;
        let payment = Payment::completed(detail.transaction_amount, method_of(&detail)?)?
            .with_kind(kind_of(&detail)?)
            .with_state(state_of(&detail)?);
        let payment = match detail.fps_fees {
            Some(fee) => payment.with_fee(fee)?.with_fee_payer(payer_of(&detail)?)?,
            None => payment,
        };
        // Without a marketplace there is no such fee, not even one of nothing.
        let payment = match detail.marketplace_fees.filter(|fee| !fee.is_zero()) {
            Some(fee) => payment.with_marketplace_fee(fee)?,
            None => payment,
        };
        let zero = Money::zero(detail.transaction_amount.currency());
        let (mut refunded, mut pending, mut refunds) = (zero, zero, 0);
        let mut fees = detail.fps_fees.map(|_| zero);
        for related in &detail.related_transaction {
            // What is not known to be something else must say itself what it is: a refund that is
            // overlooked could be made again.
            if matches!(
                related.relation_type,
                Some(
                    RelationType::Parent
                        | RelationType::MarketplaceFee
                        | RelationType::RefundReversal
                )
            ) {
                continue;
            }
            let refund = self.detail(&related.transaction_id).await?;
            if refund.fps_operation != FpsOperation::Refund {
                match related.relation_type {
                    Some(RelationType::Refund) => {
                        return Err(SnapshotError::Unclear("operation of a refund"));
                    }
                    _ => continue,
                }
            }
            let sum = match observation_of(&refund.transaction_status) {
                Observation::Declined => continue,
                Observation::Refunded => &mut refunded,
                _ => &mut pending,
            };
            *sum = sum.checked_add(refund.transaction_amount).map_err(PaymentError::from)?;
            // The fee of a refund is what came back, and so below zero.
            fees = match (fees, refund.fps_fees) {
                (Some(sum), Some(fee)) => Some(sum.checked_sub(fee).map_err(PaymentError::from)?),
                _ => None,
            };
            refunds += 1;
        }
        let payment = payment.with_refunded(refunded)?.with_pending(pending)?;
        let payment = payment.with_refunds(refunds)?;
        match fees {
            Some(returned) if !returned.is_negative() => Ok(payment.with_fee_returned(returned)?),
            // Then the rules calculate it.
            _ => Ok(payment),
        }
    }

    /// Decides a wish; sends nothing.
    pub fn plan(&self, payment: &Payment, wish: &Wish) -> Decision {
        decide(payment, wish, &self.policy)
    }

    /// Decides a wish and sends it if it is allowed: [`FlexiblePayments::plan`], then
    /// [`FlexiblePayments::submit`]. The amount that was decided is sent, for the rest too, so that
    /// what moves is what the plan says. To let the service decide what remains, submit a request
    /// without an amount.
    ///
    /// For a refund that must survive a crash, take the two steps yourself and store the request in
    /// between.
    ///
    /// # Errors
    /// [`RefundError::Refused`] before anything is sent; afterwards as
    /// [`FlexiblePayments::submit`].
    pub async fn refund(
        &self,
        key: CallerReference,
        id: &TransactionId,
        payment: &Payment,
        wish: &Wish,
    ) -> Result<(Plan, Submitted<TransactionId>), RefundError> {
        let plan = self.plan(payment, wish).into_result().map_err(RefundError::Refused)?;
        let mut request = Refund::new(key, id.as_str()).refund_amount(plan.amount());
        request.marketplace_refund_policy = marketplace_policy(wish.scope());
        Ok((plan, self.submit(&request).await?))
    }

    /// Sends a refund that was decided before, or whose answer was lost: the same request gives the
    /// same refund, for the seven days that the service remembers its reference. Later it would be a
    /// new refund: look the lost one up instead.
    ///
    /// Do not decide again before a repetition. The payment as the service reports it by then holds
    /// the lost refund already, so the rules may refuse a second one that nobody asked for.
    ///
    /// # Errors
    /// [`RefundError::Call`], or [`RefundError::Mismatch`] when the answer names the payment instead
    /// of a refund, or the reference of another request.
    pub async fn submit(&self, request: &Refund) -> Result<Submitted<TransactionId>, RefundError> {
        Ok(self.submit_with_reason(request).await?.0)
    }

    /// The same, with what the service says of the state, and why.
    pub(crate) async fn submit_with_reason(
        &self,
        request: &Refund,
    ) -> Result<(Submitted<TransactionId>, Observation, Option<String>), RefundError> {
        let answer = self.client.send(request).await.map_err(RefundError::Call)?;
        // The payment's own id would be followed to the end of the payment, which is long over.
        if answer.result.transaction_id == request.transaction_id {
            let refund = answer.result.transaction_id.as_str().to_owned();
            return Err(RefundError::Mismatch { refund, field: "transaction" });
        }
        let told = &answer.result.refund_transaction_reference;
        if told.as_ref().is_some_and(|told| told != request.caller_reference.as_str()) {
            let refund = answer.result.transaction_id.as_str().to_owned();
            return Err(RefundError::Mismatch { refund, field: "reference" });
        }
        let observation = observation_of(&answer.result.transaction_status);
        let Answer { result, request_id, .. } = answer;
        let reason = result.status_detail.or(result.pending_reason);
        Ok((Submitted::new(result.transaction_id, observation, request_id), observation, reason))
    }

    /// Asks about a refund until it has ended or patience has.
    ///
    /// # Errors
    /// [`Error`] when the service refuses to tell, or when no question was ever answered. A question
    /// that fails in passing is asked again.
    pub async fn wait_for_refund(
        &self,
        id: &TransactionId,
        patience: &Patience,
    ) -> Result<Followed, Error> {
        let request = GetTransactionStatus::new(id.as_str());
        follow(self.client.clock(), patience, || async {
            let status = self.client.send(&request).await?.result;
            // What is about another transaction says nothing about this one.
            Ok(match status.transaction_id == *id {
                true => observation_of(&status.transaction_status),
                false => Observation::Pending,
            })
        })
        .await
    }

    async fn detail(&self, id: &TransactionId) -> Result<TransactionDetail, SnapshotError> {
        let answer = self.client.send(&GetTransaction::new(id.as_str())).await;
        let result = answer.map_err(SnapshotError::Call)?.result;
        match result.transaction {
            Some(detail) if detail.transaction_id == *id => Ok(detail),
            Some(_) => Err(SnapshotError::Unclear("transaction id")),
            None => Err(SnapshotError::NotFound),
        }
    }
}

/// Which part of a marketplace payment goes back, in the service's words; it need not be told of the whole.
pub(crate) const fn marketplace_policy(scope: Scope) -> Option<MarketplaceRefundPolicy> {
    match scope {
        Scope::Payment => None,
        Scope::MarketplaceFee => Some(MarketplaceRefundPolicy::MarketplaceTxnOnly),
        Scope::PaymentAndMarketplaceFee => Some(MarketplaceRefundPolicy::MasterAndMarketplaceTxn),
    }
}

/// A status that this version does not know is no end, so it is asked again.
pub(crate) fn observation_of(status: &TransactionStatus) -> Observation {
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

/// Who paid the fee; not told, it is the recipient, whom the service charges by default.
fn payer_of(detail: &TransactionDetail) -> Result<Role, SnapshotError> {
    Ok(match detail.fps_fees_paid_by {
        None | Some(TransactionalRole::Recipient) => Role::Recipient,
        Some(TransactionalRole::Caller) => Role::Caller,
        Some(TransactionalRole::Sender) => Role::Sender,
        Some(_) => return Err(SnapshotError::Unclear("payer of the fee")),
    })
}

fn kind_of(detail: &TransactionDetail) -> Result<PaymentKind, SnapshotError> {
    Ok(match detail.fps_operation {
        FpsOperation::Pay => PaymentKind::Pay,
        FpsOperation::Reserve | FpsOperation::Settle => PaymentKind::SettledReserve,
        FpsOperation::FundPrepaid => PaymentKind::FundPrepaid,
        FpsOperation::SettleDebt | FpsOperation::WriteOffDebt => PaymentKind::SettleDebt,
        FpsOperation::Refund => PaymentKind::Refund,
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

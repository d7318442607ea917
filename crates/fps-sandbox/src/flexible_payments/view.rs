//! A payment or a refund as the messages tell it: what GetTransaction and GetAccountActivity have in
//! common.

use fps_model::flexible_payments::{
    Dialect, FpsOperation, PaymentMethod, TransactionPart, TransactionStatus, TransactionalRole,
};
use refund_rules::{Money, RefundState, Role, Scope};

use super::details::Details;
use super::get_tokens::account_id;
use super::status;
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::merchants::Profile;
use crate::payments::{State, StoredPayment, StoredRefund};

/// A transaction as it is told.
pub(super) struct View {
    pub(super) id: String,
    pub(super) operation: FpsOperation,
    pub(super) method: PaymentMethod,
    pub(super) status: TransactionStatus,
    pub(super) code: String,
    pub(super) message: &'static str,
    pub(super) amount: Money,
    /// What the service took; below zero what came back of it.
    pub(super) fee: Money,
    pub(super) fee_payer: TransactionalRole,
    pub(super) marketplace_fee: Option<Money>,
    pub(super) received: Millis,
    pub(super) completed: Option<Millis>,
    pub(super) reference: Option<String>,
    pub(super) description: Option<String>,
    /// The payment that a refund goes back to.
    pub(super) parent: Option<String>,
    pub(super) details: Details,
}

impl View {
    pub(super) fn of_payment(stored: &StoredPayment, dialect: Dialect) -> Result<Self, Error> {
        let (code, message) = status::describe_payment(stored);
        let amount = if stored.captured.is_zero() { stored.amount } else { stored.captured };
        let is_over = matches!(stored.state, State::Failed | State::Cancelled);
        let zero = Money::zero(amount.currency());
        let has_marketplace = stored.merchant != stored.recipient;
        Ok(Self {
            id: stored.id.clone(),
            operation: status::operation(stored),
            method: status::method(stored),
            status: status::payment_status(stored, dialect),
            code,
            message,
            amount,
            fee: if is_over { zero } else { stored.payment.fee() },
            fee_payer: fee_payer(stored),
            marketplace_fee: has_marketplace.then(|| stored.payment.marketplace_fee()),
            received: stored.created_at,
            completed: stored.completed_at.or(is_over.then_some(stored.updated_at)),
            reference: stored.reference.clone(),
            description: stored.description.clone(),
            parent: None,
            details: Details::read(&stored.details)?,
        })
    }

    /// Of a refund, the fee is what came back, and so below zero; nothing of a declined one.
    pub(super) fn of_refund(
        refund: &StoredRefund,
        stored: &StoredPayment,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        let (code, message) = status::describe_refund(refund);
        let is_declined = refund.state == RefundState::Declined;
        let zero = Money::zero(refund.amount.currency());
        let negative = |amount: Money| amount.checked_neg();
        let fee = if is_declined { Ok(zero) } else { negative(refund.fee_returned) };
        let share = (refund.scope != Scope::Payment && !is_declined)
            .then(|| negative(refund.marketplace_returned))
            .transpose();
        let invalid = |error| Error::with(ErrorKind::Invalid, error);
        Ok(Self {
            id: refund.id.clone(),
            operation: FpsOperation::Refund,
            method: status::method(stored),
            status: status::refund_status(refund.state, dialect),
            code,
            message,
            amount: refund.amount,
            fee: fee.map_err(invalid)?,
            fee_payer: fee_payer(stored),
            marketplace_fee: share.map_err(invalid)?,
            received: refund.created_at,
            completed: (refund.state != RefundState::Pending).then_some(refund.updated_at),
            reference: refund.reference.clone(),
            description: refund.description.clone(),
            parent: Some(refund.payment.clone()),
            details: Details::read(&refund.details)?,
        })
    }

    /// What the transaction is to whom. Of a refund, who was paid is the sender. Source: the samples of
    /// GetAccountActivity and of GetTransaction in 2007-01-08.
    pub(super) fn parts(&self, stored: &StoredPayment, people: &People) -> [TransactionPart; 2] {
        let zero = Money::zero(self.amount.currency());
        let by_caller = self.fee_payer == TransactionalRole::Caller;
        let (caller_fee, owner_fee) = if by_caller { (self.fee, zero) } else { (zero, self.fee) };
        let mut owner = TransactionPart::new(self.owner_role())
            .account_id(account_id(stored.recipient))
            .name(people.recipient.name.as_str())
            .fees_paid(owner_fee);
        owner.reference.clone_from(&self.details.recipient_reference);
        owner.description.clone_from(&self.details.recipient_description);
        let mut caller = TransactionPart::new(TransactionalRole::Caller)
            .account_id(account_id(stored.merchant))
            .name(people.caller.name.as_str())
            .fees_paid(caller_fee);
        caller.reference.clone_from(&self.reference);
        caller.description = self.description.clone().map(Into::into);
        [owner, caller]
    }

    /// What the owner of the money is in it.
    pub(super) fn owner_role(&self) -> TransactionalRole {
        match self.parent {
            Some(_) => TransactionalRole::Sender,
            None => TransactionalRole::Recipient,
        }
    }
}

/// The merchants in a transaction.
pub(super) struct People {
    pub(super) caller: Profile,
    pub(super) recipient: Profile,
}

fn fee_payer(stored: &StoredPayment) -> TransactionalRole {
    match stored.payment.fee_payer() {
        Role::Caller => TransactionalRole::Caller,
        Role::Recipient | Role::Sender => TransactionalRole::Recipient,
    }
}

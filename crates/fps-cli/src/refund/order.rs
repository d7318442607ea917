//! A refund as it goes to one of the services, without its amount: the two services in the same words;
//! what is printed and asked is not known here.

use fps::amazon_pay::{ChargeId, CreateRefund, RefundId};
use fps::flexible_payments::{Refund, TransactionId};
use fps::{
    AmazonPay, CallerReference, Decision, FlexiblePayments, Followed, IdempotencyKey, Money,
    Patience, Payment, RefundError, RefundState, SnapshotError, Wish,
};

use crate::cli;
use crate::config::{Connected, Shop};
use crate::decision::{bad_key, key};
use crate::exit::{Exit, Failure};

/// Everything but the amount.
pub(super) enum Order<'a> {
    AmazonPay {
        shop: &'a AmazonPay,
        charge: ChargeId,
        key: IdempotencyKey,
        soft_descriptor: Option<String>,
    },
    FlexiblePayments {
        shop: &'a FlexiblePayments,
        transaction: TransactionId,
        key: CallerReference,
        note: Option<String>,
    },
}

/// A refund that the service has taken.
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) state: RefundState,
    pub(super) request_id: Option<String>,
}

impl<'a> Order<'a> {
    pub(super) fn new(arguments: &cli::Refund, connected: &'a Connected) -> Result<Self, Failure> {
        let key = key(&arguments.decision).unwrap_or_default();
        let unknown = |flag: &str, service: &str| {
            Failure::new(Exit::Usage, format!("a refund of {service} has no {flag}"))
        };
        match &connected.shop {
            Shop::AmazonPay(_) if arguments.note.is_some() => Err(unknown("--note", "Amazon Pay")),
            Shop::AmazonPay(shop) => Ok(Self::AmazonPay {
                shop,
                charge: ChargeId::new(&*arguments.payment),
                key: IdempotencyKey::new(key).map_err(bad_key)?,
                soft_descriptor: arguments.soft_descriptor.clone(),
            }),
            Shop::FlexiblePayments(_) if arguments.soft_descriptor.is_some() => {
                Err(unknown("--soft-descriptor", "FPS"))
            }
            Shop::FlexiblePayments(shop) => Ok(Self::FlexiblePayments {
                shop,
                transaction: TransactionId::new(&*arguments.payment),
                key: CallerReference::new(key).map_err(bad_key)?,
                note: arguments.note.clone(),
            }),
        }
    }

    pub(super) fn key(&self) -> &str {
        match self {
            Self::AmazonPay { key, .. } => key.as_str(),
            Self::FlexiblePayments { key, .. } => key.as_str(),
        }
    }

    /// The payment as the service reports it.
    pub(super) async fn payment(&self) -> Result<Payment, SnapshotError> {
        match self {
            Self::AmazonPay { shop, charge, .. } => shop.payment(charge).await,
            Self::FlexiblePayments { shop, transaction, .. } => shop.payment(transaction).await,
        }
    }

    pub(super) fn plan(&self, payment: &Payment, wish: &Wish) -> Decision {
        match self {
            Self::AmazonPay { shop, .. } => shop.plan(payment, wish),
            Self::FlexiblePayments { shop, .. } => shop.plan(payment, wish),
        }
    }

    /// Sends it.
    pub(super) async fn submit(&self, amount: Money) -> Result<Taken, RefundError> {
        match self {
            Self::AmazonPay { shop, charge, key, soft_descriptor } => {
                let mut request = CreateRefund::new(key.clone(), charge.as_str(), amount);
                request.soft_descriptor.clone_from(soft_descriptor);
                let taken = shop.submit(&request).await?;
                let id = taken.id.as_str().to_owned();
                Ok(Taken { id, state: taken.state, request_id: taken.request_id })
            }
            Self::FlexiblePayments { shop, transaction, key, note } => {
                let mut request =
                    Refund::new(key.clone(), transaction.as_str()).refund_amount(amount);
                if let Some(note) = note {
                    request = request.caller_description(note.as_str());
                }
                let taken = shop.submit(&request).await?;
                let id = taken.id.as_str().to_owned();
                Ok(Taken { id, state: taken.state, request_id: taken.request_id })
            }
        }
    }

    /// Asks until the refund has ended, or patience has.
    pub(super) async fn follow(
        &self,
        refund: &str,
        patience: &Patience,
    ) -> Result<Followed, fps::Error> {
        match self {
            Self::AmazonPay { shop, .. } => {
                shop.wait_for_refund(&RefundId::new(refund), patience).await
            }
            Self::FlexiblePayments { shop, .. } => {
                shop.wait_for_refund(&TransactionId::new(refund), patience).await
            }
        }
    }
}

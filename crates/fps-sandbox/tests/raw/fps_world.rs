//! Shorthand for the actions of FPS: what they are asked, and what is read from their answers.

use std::sync::atomic::{AtomicU32, Ordering};

use fps_model::flexible_payments::{
    Dialect, FlexiblePaymentsApi, GetTransactionStatus, Pay, TokenId,
};
use fps_model::{CallerReference, Operation, Serve};
use fps_sandbox::{Merchant, TokenSpec};

use crate::world::{Seen, World, between, transaction_id, usd};

/// A reference that nobody has used.
pub(crate) fn fresh() -> CallerReference {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    CallerReference::new(format!("fresh-{}", NEXT.fetch_add(1, Ordering::Relaxed))).unwrap()
}

pub(crate) fn pay(token: &TokenId, amount: &str) -> Pay {
    Pay::new(fresh(), token.as_str(), usd(amount))
}

/// The state that a transaction is answered to be in, or the code that it was refused with.
pub(crate) fn outcome((status, body): &Seen) -> &str {
    let (from, to) = [
        ("<Code>", "</Code>"),
        ("<ErrorCode>", "</ErrorCode>"),
        ("<TransactionStatus>", "</TransactionStatus>"),
        ("<Status>", "</Status>"),
    ]
    .into_iter()
    .find(|(from, _)| body.contains(from))
    .unwrap_or_else(|| panic!("{status} {body}"));
    between(body, from, to)
}

/// The amount in an element.
pub(crate) fn amount_in<'a>(seen: &'a Seen, element: &str) -> &'a str {
    let inner = between(&seen.1, &format!("<{element}>"), &format!("</{element}>"));
    between(inner, "<Value>", "</Value>").strip_suffix("0000").unwrap()
}

impl World {
    pub(crate) async fn token(&self, spec: TokenSpec) -> TokenId {
        self.sandbox.create_token(&self.merchant, spec).await.unwrap()
    }

    /// An operation of another merchant's.
    pub(crate) async fn fps_as<O>(&mut self, merchant: &Merchant, operation: &O) -> Seen
    where
        O: Operation<Service = FlexiblePaymentsApi>,
    {
        let own = std::mem::replace(&mut self.merchant, merchant.clone());
        let seen = self.fps(operation).await;
        self.merchant = own;
        seen
    }

    /// An operation in another revision.
    pub(crate) async fn fps_in<O>(&self, dialect: Dialect, operation: &O) -> Seen
    where
        O: Operation<Service = FlexiblePaymentsApi>,
    {
        self.post(&self.signed("POST", &operation.encode(dialect).unwrap())).await
    }

    /// What an operation answers, which it must.
    pub(crate) async fn ask<O>(&self, operation: &O) -> O::Response
    where
        O: Serve<Service = FlexiblePaymentsApi>,
    {
        let (status, body) = self.fps(operation).await;
        assert_eq!(status, 200, "{body}");
        O::decode(body.as_bytes(), Dialect::default()).unwrap().result
    }

    /// Performs an operation that begins a transaction, and gives its id.
    pub(crate) async fn begun<O>(&self, operation: &O) -> String
    where
        O: Operation<Service = FlexiblePaymentsApi>,
    {
        let seen = self.fps(operation).await;
        assert_eq!(seen.0, 200, "{}", seen.1);
        transaction_id(&seen).to_owned()
    }

    /// Waits until a transaction is no longer pending, and says how it stands.
    pub(crate) async fn standing(&self, transaction: &str) -> String {
        let ask = async || self.fps(&GetTransactionStatus::new(transaction)).await;
        let seen = self.until(ask, |body| !body.contains(">Pending<")).await;
        outcome(&seen).to_owned()
    }

    /// The same by its code.
    pub(crate) async fn status_code(&self, transaction: &str) -> String {
        let seen = self.fps(&GetTransactionStatus::new(transaction)).await;
        between(&seen.1, "<StatusCode>", "</StatusCode>").to_owned()
    }
}

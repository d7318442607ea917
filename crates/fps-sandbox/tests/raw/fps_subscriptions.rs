//! Subscriptions: paid by the clock, ended, and refunded of their last payment.

use std::time::Duration;

use fps_model::flexible_payments::{
    CancelSubscriptionAndRefund, Dialect, GetSubscriptionDetails, GetTransactionsForSubscription,
    SubscriptionId, SubscriptionStatus,
};
use fps_model::{CallerReference, Operation as _};
use fps_sandbox::{ErrorKind, MerchantSpec, SubscriptionSpec};
use refund_rules::Method;

use crate::fps_world::fresh;
use crate::world::{LONG, World, between, code, usd};

const NEW: Dialect = Dialect::V2010_08_28;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl World {
    async fn subscribed(&self, spec: SubscriptionSpec) -> SubscriptionId {
        self.sandbox.create_subscription(&self.merchant, spec).await.unwrap()
    }

    /// The ids and amounts of its payments, when there are so many.
    async fn payments(&self, subscription: &SubscriptionId, count: usize) -> Vec<(String, i64)> {
        let request = GetTransactionsForSubscription::new(subscription.as_str());
        let asking = async {
            loop {
                let (_, body) = self.fps_in(NEW, &request).await;
                let answer = numbered(&body);
                if answer.len() >= count {
                    return answer;
                }
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap();
        assert_eq!(seen.len(), count);
        seen
    }
}

fn numbered(body: &str) -> Vec<(String, i64)> {
    let answer = GetTransactionsForSubscription::decode(body.as_bytes(), NEW).unwrap();
    let told = answer.result.subscription_transaction;
    let numbers: Vec<i64> = told.iter().map(|it| it.transaction_serial_number).collect();
    assert!(numbers.iter().copied().eq(1..=i64::try_from(told.len()).unwrap()));
    told.into_iter()
        .map(|it| (it.transaction_id.as_str().to_owned(), it.transaction_amount.minor()))
        .collect()
}

fn monthly() -> SubscriptionSpec {
    SubscriptionSpec::new(Method::Balance, usd("10"), "1 month").unwrap()
}

fn cancel(subscription: &SubscriptionId) -> CancelSubscriptionAndRefund {
    CancelSubscriptionAndRefund::new(subscription.as_str())
}

fn with_refund(subscription: &SubscriptionId, amount: &str) -> CancelSubscriptionAndRefund {
    cancel(subscription).refund_amount(usd(amount)).caller_reference(fresh())
}

#[tokio::test]
async fn a_subscription_is_paid_by_the_clock_until_it_ends() {
    let world = World::with(MerchantSpec::new("Magazine"), LONG).await;
    let spec = monthly().description("News").promotion(usd("1"), 1).lasting("3 months").unwrap();
    let subscription = world.subscribed(spec).await;
    assert_eq!(world.payments(&subscription, 1).await[0].1, 100);
    world.sandbox.advance_clock(DAY * 62).await.unwrap();
    let paid: Vec<i64> =
        world.payments(&subscription, 3).await.into_iter().map(|(_, amount)| amount).collect();
    assert_eq!(paid, [100, 1000, 1000]);
    world.sandbox.advance_clock(DAY * 400).await.unwrap();
    world.payments(&subscription, 3).await;
    let request = GetSubscriptionDetails::new(subscription.as_str());
    let (_, body) = world.fps_in(NEW, &request).await;
    let details = decode(&body);
    assert_eq!(details.subscription_status, SubscriptionStatus::Completed);
    assert_eq!(details.number_of_transactions_processed, Some(3));
    assert_eq!(details.promotional_amount, Some(usd("1")));
    assert_eq!(details.next_transaction_date, None);
    let seen = world.fps(&cancel(&subscription)).await;
    assert_eq!(code(&seen), (400, "InvalidSubscriptionState"));
    world.sandbox.verify_books().await.unwrap();
}

fn decode(body: &str) -> fps_model::flexible_payments::SubscriptionDetails {
    let answer = GetSubscriptionDetails::decode(body.as_bytes(), NEW).unwrap();
    answer.result.subscription_details.unwrap()
}

#[tokio::test]
async fn the_last_payment_of_a_subscription_is_refunded() {
    let mut world = World::start().await;
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    let subscription = world.subscribed(monthly()).await;
    world.sandbox.advance_clock(DAY * 31).await.unwrap();
    world.payments(&subscription, 2).await;
    let above = with_refund(&subscription, "10.01");
    assert_eq!(code(&world.fps(&above).await), (400, "RefundAmountExceeded"));
    let (_, body) = world.fps_in(NEW, &GetSubscriptionDetails::new(subscription.as_str())).await;
    let details = decode(&body);
    assert_eq!(details.subscription_status, SubscriptionStatus::Active, "nothing has changed");
    assert_eq!(details.next_transaction_amount, Some(usd("10")));
    assert_eq!(code(&world.fps_as(&other, &cancel(&subscription)).await), (400, "InvalidParams"));
    let part = with_refund(&subscription, "4");
    let seen = world.fps(&part).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    assert!(between(&seen.1, "<RefundTransactionId>", "<").len() == 35);
    assert_eq!(world.fps(&part).await, seen, "the same request is answered to the letter");
    // It has ended: of the same payment there may be more, and nothing to cancel.
    assert_eq!(world.fps(&with_refund(&subscription, "6")).await.0, 200);
    let seen = world.fps(&with_refund(&subscription, "1")).await;
    assert_eq!(code(&seen), (400, "TransactionFullyRefundedAlready"));
    assert_eq!(code(&world.fps(&cancel(&subscription)).await).1, "InvalidSubscriptionState");
    world.sandbox.advance_clock(DAY * 400).await.unwrap();
    world.payments(&subscription, 2).await;
    let totals = world.totals().await;
    assert_eq!((totals[0].captured, totals[0].refunded), (usd("20"), usd("10")));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_subscription_that_cannot_be_is_refused() {
    for (amount, frequency) in [("10", "often"), ("10", "0 month"), ("0", "1 month")] {
        let error = SubscriptionSpec::new(Method::Card, usd(amount), frequency).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let world = World::start().await;
    let nobody = SubscriptionId::new("X");
    assert_eq!(code(&world.fps(&cancel(&nobody)).await), (400, "InvalidParams"));
    let reference = CallerReference::new("r").unwrap();
    let lost = cancel(&nobody).refund_amount(usd("1")).caller_reference(reference);
    assert_eq!(code(&world.fps(&lost).await), (400, "InvalidParams"));
}

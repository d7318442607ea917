//! Payments and reservations: from the request to an end, by the clock of the sandbox.

use std::time::Duration;

use fps_http::testing::Inbox;
use fps_model::flexible_payments::{
    Cancel, DescriptorPolicy, Dialect, GetTransaction, Reserve, Settle, SoftDescriptorType, TokenId,
};
use fps_sandbox::{MerchantSpec, TokenSpec};
use refund_rules::Method;

use crate::fps_world::{amount_in, fresh, outcome, pay};
use crate::world::{LONG, World, code, refund, usd};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl World {
    async fn card(&self) -> TokenId {
        self.token(TokenSpec::sender(Method::Card)).await
    }

    /// A reservation that stands.
    async fn reserved(&self, amount: &str) -> String {
        let token = self.card().await;
        let id = self.begun(&Reserve::new(fresh(), token.as_str(), usd(amount))).await;
        self.sandbox.advance_clock(LONG).await.unwrap();
        assert_eq!(self.standing(&id).await, "Reserved");
        id
    }
}

#[tokio::test]
async fn a_reservation_is_settled_once_and_then_refunded() {
    let world = World::start().await;
    let id = world.reserved("19.95").await;
    assert_eq!(code(&world.fps(&refund("early", &id)).await), (400, "InvalidTransactionState"));
    let above = world.fps(&Settle::new(id.as_str()).transaction_amount(usd("100"))).await;
    assert_eq!(code(&above), (400, "SettleAmountGreaterThanReserveAmount"));
    let sentence = "is greater than the Reserve Amount";
    assert!(above.1.contains("$100.000000") && above.1.contains(sentence), "{}", above.1);
    let part = Settle::new(id.as_str()).transaction_amount(usd("10"));
    assert_eq!(world.begun(&part).await, id, "the id stays");
    // It is being charged: too late for all else.
    for seen in [world.fps(&part).await, world.fps(&Cancel::new(id.as_str())).await] {
        assert_eq!(code(&seen), (400, "InvalidTransactionState"));
    }
    assert_eq!(code(&world.fps(&refund("soon", &id)).await).1, "OriginalTransactionIncomplete");
    world.sandbox.advance_clock(LONG).await.unwrap();
    assert_eq!(world.standing(&id).await, "Success");
    assert_eq!(code(&world.fps(&part).await), (400, "InvalidTransactionState"));
    let seen = world.fps(&GetTransaction::new(id.as_str())).await;
    assert!(seen.1.contains("<FPSOperation>Settle</FPSOperation>"), "{}", seen.1);
    assert_eq!(amount_in(&seen, "TransactionAmount"), "10.00");
    let told = world.ask(&GetTransaction::new(id.as_str())).await.transaction.unwrap();
    let history: Vec<_> = told
        .status_history
        .iter()
        .map(|step| (step.transaction_status.as_str(), step.amount.unwrap()))
        .collect();
    let (all, part_of_it) = (usd("19.95"), usd("10"));
    let steps =
        [("Pending", all), ("Reserved", all), ("Pending", part_of_it), ("Success", part_of_it)];
    assert_eq!(history, steps);
    // The fee is that of what was charged.
    assert_eq!(amount_in(&seen, "FPSFees"), "0.30");
    let totals = world.totals().await;
    assert_eq!((totals[0].captured, totals[0].fees_taken), (usd("10"), usd("0.30")));
    let more = refund("more", &id).refund_amount(usd("10.01"));
    assert_eq!(code(&world.fps(&more).await), (400, "RefundAmountExceeded"));
    assert_eq!(outcome(&world.fps(&refund("all", &id)).await), "Pending");
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn what_is_not_charged_is_given_up() {
    let world = World::start().await;
    let cancelled = world.reserved("5").await;
    assert_eq!(outcome(&world.fps(&Cancel::new(cancelled.as_str())).await), "Cancelled");
    assert_eq!(world.status_code(&cancelled).await, "Canceled");
    let expired = world.reserved("5").await;
    world.sandbox.advance_clock(DAY * 7).await.unwrap();
    world
        .until(
            async || {
                world
                    .fps(&fps_model::flexible_payments::GetTransactionStatus::new(expired.as_str()))
                    .await
            },
            |body| body.contains("<StatusCode>Expired<"),
        )
        .await;
    for id in [&cancelled, &expired] {
        assert_eq!(
            code(&world.fps(&Settle::new(id.as_str())).await),
            (400, "InvalidTransactionState")
        );
        assert_eq!(
            code(&world.fps(&Cancel::new(id.as_str())).await),
            (400, "InvalidTransactionState")
        );
        assert_eq!(code(&world.fps(&refund(id, id)).await), (400, "OriginalTransactionFailed"));
    }
    let pending = world.begun(&pay(&world.card().await, "5")).await;
    assert_eq!(outcome(&world.fps(&Cancel::new(pending.as_str())).await), "Cancelled");
    let slow = pay(&world.card().await, "5").transaction_timeout_in_mins(30);
    let slow = world.begun(&slow).await;
    world.sandbox.advance_clock(Duration::from_secs(31 * 60)).await.unwrap();
    assert_eq!(world.standing(&slow).await, "Cancelled");
    assert_eq!(world.status_code(&slow).await, "Expired");
    let paid = world.paid("5").await;
    assert_eq!(
        code(&world.fps(&Cancel::new(paid.as_str())).await),
        (400, "InvalidTransactionState")
    );
    let back = world.begun(&refund("back", &paid)).await;
    assert_eq!(
        code(&world.fps(&Cancel::new(back.as_str())).await),
        (400, "InvalidTransactionState")
    );
    let totals = world.totals().await;
    assert_eq!(totals[0].captured, usd("5"), "only what was paid");
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn requests_that_no_sender_can_be_charged_by_are_refused() {
    let world = World::start().await;
    let card = world.card().await;
    let balance = world.token(TokenSpec::sender(Method::Balance)).await;
    let bank = world.token(TokenSpec::sender(Method::Bank)).await;
    let prepaid = world.token(TokenSpec::sender(Method::Prepaid)).await;
    let reserve = |token: &TokenId| Reserve::new(fresh(), token.as_str(), usd("5"));
    for token in [&balance, &bank, &prepaid] {
        let seen = world.fps(&reserve(token)).await;
        assert_eq!(code(&seen), (400, "PaymentInstrumentNotCC"));
    }
    let unknown = "16".to_owned() + &"X".repeat(33);
    let rows = [
        (world.fps(&pay(&card, "0.01")).await, "AmountOutOfRange"),
        (world.fps(&pay(&bank, "0.01")).await, "AmountOutOfRange"),
        (world.fps(&pay(&card, "5").transaction_timeout_in_mins(0)).await, "InvalidParams"),
        (world.fps(&pay(&prepaid, "5")).await, "InvalidPaymentInstrument"),
        (world.fps(&pay(&TokenId::new("X"), "5")).await, "InvalidTokenId_Sender"),
        (world.fps(&pay(&balance, "5").marketplace_fixed_fee(usd("1"))).await, "NotMarketplaceApp"),
        (world.fps(&Settle::new("X")).await, "InvalidParams"),
        (world.fps(&Settle::new(unknown.as_str())).await, "InvalidTransactionId"),
        (world.fps(&Cancel::new(unknown.as_str())).await, "InvalidTransactionId"),
        (world.fps(&Settle::new(world.paid("1").await)).await, "InvalidTransactionId"),
    ];
    for (number, (seen, expected)) in rows.into_iter().enumerate() {
        assert_eq!(code(&seen), (400, expected), "row {number}: {}", seen.1);
    }
    let elsewhere = pay(&balance, "5").override_ipn_url("http://merchant.example/ipn");
    let seen = world.fps_in(Dialect::V2010_08_28, &elsewhere).await;
    assert_eq!(code(&seen), (400, "InvalidParams"));
}

#[tokio::test]
async fn amounts_that_are_declined_move_no_money() {
    let world = World::with(MerchantSpec::new("Declined"), Duration::ZERO).await;
    for (method, amount) in
        [(Method::Card, "100.60"), (Method::Balance, "0.61"), (Method::Bank, "3.69")]
    {
        let token = world.token(TokenSpec::sender(method)).await;
        let id = world.begun(&pay(&token, amount)).await;
        assert_eq!(world.standing(&id).await, "Failure");
        assert_eq!(world.status_code(&id).await, "TransactionDenied");
        assert_eq!(code(&world.fps(&refund(&id, &id)).await), (400, "OriginalTransactionFailed"));
    }
    assert_eq!(world.totals().await, []);
}

#[tokio::test]
async fn a_transaction_may_be_told_of_elsewhere() {
    let (account, other) = (Inbox::bind().await, Inbox::bind().await);
    let spec = MerchantSpec::new("Notified").notification_url(account.url("/ipn"));
    let world = World::with(spec, LONG).await;
    let token = world.token(TokenSpec::sender(Method::Balance)).await;
    let request = pay(&token, "5").override_ipn_url(other.url("/here")).caller_description("Shoes");
    let seen = world.fps_in(Dialect::V2010_08_28, &request).await;
    assert_eq!(outcome(&seen), "Success");
    let told = other.answer(200, "").await.body;
    assert!(
        told.contains("transactionStatus=SUCCESS") && told.contains("paymentReason=Shoes"),
        "{told}"
    );
    // The account's own address hears of the next.
    let next = world.paid("1").await;
    assert!(account.answer(200, "").await.body.contains(&next));
}

#[tokio::test]
async fn a_transaction_is_told_in_full() {
    let world =
        World::configured(MerchantSpec::new("Shop"), |config| config.fees(2, usd("0.30"))).await;
    let token = world.token(TokenSpec::sender(Method::Balance)).await;
    let policy = DescriptorPolicy::new().soft_descriptor_type(SoftDescriptorType::Dynamic);
    let request = pay(&token, "100")
        .caller_description("Shoes")
        .sender_description("A very long description")
        .descriptor_policy(policy);
    let id = world.begun(&request).await;
    let told = world.ask(&GetTransaction::new(id.as_str())).await.transaction.unwrap();
    assert_eq!(told.fps_fees, Some(usd("2.30")));
    assert_eq!(told.caller_reference.as_deref(), Some(request.caller_reference.as_str()));
    assert_eq!(told.sender_description.unwrap().expose(), "A very long description");
    assert_eq!(told.sender_token_id, Some(token));
    assert_eq!(told.status_history.len(), 2);
    // A fee is never more than what was paid.
    let small = world.paid("0.20").await;
    let told = world.ask(&GetTransaction::new(small)).await.transaction.unwrap();
    assert_eq!(told.fps_fees, Some(usd("0.20")));
    let part = world.begun(&refund("part", &id).refund_amount(usd("50"))).await;
    let told = world.ask(&GetTransaction::new(part)).await.transaction.unwrap();
    assert_eq!(told.fps_fees.map(|fee| fee.minor()), Some(-115));
}

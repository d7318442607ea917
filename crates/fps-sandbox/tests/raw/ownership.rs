//! Whose it is: nobody sees, refunds or cancels what belongs to another merchant, and neither service
//! knows the other's ids.

use fps_model::CallerReference;
use fps_model::flexible_payments::{CancelToken, GetTransaction, GetTransactionStatus, Pay};
use fps_sandbox::MerchantSpec;
use refund_rules::Method;

use crate::world::{
    World, between, code, reason, refund, refund_id, refund_of, transaction_id, usd,
};

/// The four ids that a merchant has, and a token.
struct Ids {
    transaction: String,
    transaction_refund: String,
    charge: String,
    charge_refund: String,
    token: String,
}

async fn ids_of(world: &World) -> Ids {
    let transaction = world.paid("100").await;
    let part = refund("part", &transaction).refund_amount(usd("1.00"));
    let transaction_refund = transaction_id(&world.fps(&part).await).to_owned();
    let charge = world.charge("100.00", "3.00").await;
    // The same key as on the other service: they do not meet.
    let charge_refund = world.create_refund("part", &refund_of(&charge, "1.00")).await;
    let token = world.sandbox.install_token(&world.merchant, Method::Balance).await.unwrap();
    Ids {
        transaction,
        transaction_refund,
        charge,
        charge_refund: refund_id(&charge_refund).to_owned(),
        token: token.as_str().to_owned(),
    }
}

/// What each way to ask about a transaction is answered with: status and code, or nothing.
async fn ask_fps(world: &World, id: &str, key: &str) -> [(u16, String); 3] {
    let seen = [
        world.fps(&GetTransaction::new(id)).await,
        world.fps(&GetTransactionStatus::new(id)).await,
        world.fps(&refund(key, id).refund_amount(usd("1.00"))).await,
    ];
    seen.map(|seen| match seen.0 {
        200 => (200, String::new()),
        _ => (seen.0, code(&seen).1.to_owned()),
    })
}

/// The same for charges and refunds.
async fn ask_amazon_pay(world: &World, id: &str, key: &str) -> [(u16, String); 3] {
    let seen = [
        world.get(&format!("/v2/charges/{id}")).await,
        world.get(&format!("/v2/refunds/{id}")).await,
        world.create_refund(key, &refund_of(id, "1.00")).await,
    ];
    seen.map(|seen| match seen.0 {
        200 | 201 => (seen.0, String::new()),
        _ => (seen.0, reason(&seen).1.to_owned()),
    })
}

#[tokio::test]
async fn ids_are_known_to_their_merchant_and_service_alone() {
    let mut world = World::start().await;
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    let ids = ids_of(&world).await;
    let found = (200, String::new());
    let created = (201, String::new());
    let unknown = (400, "InvalidTransactionId".to_owned());
    let no_id = (400, "InvalidParams".to_owned());
    let missing = (404, "ResourceNotFound".to_owned());
    let no_refund_of_refunds = (400, "TransactionTypeNotRefundable".to_owned());

    // Their own merchant finds them, each through its own service.
    let seen = ask_fps(&world, &ids.transaction, "own-1").await;
    assert_eq!(seen, [found.clone(), found.clone(), found.clone()]);
    let seen = ask_fps(&world, &ids.transaction_refund, "own-2").await;
    assert_eq!(seen, [found.clone(), found.clone(), no_refund_of_refunds]);
    let seen = ask_amazon_pay(&world, &ids.charge, "own-1").await;
    assert_eq!(seen, [found.clone(), missing.clone(), created]);
    let seen = ask_amazon_pay(&world, &ids.charge_refund, "own-2").await;
    assert_eq!(seen, [missing.clone(), found, missing.clone()]);
    for (number, id) in [&ids.charge, &ids.charge_refund].into_iter().enumerate() {
        let seen = ask_fps(&world, id, &format!("crossed-{number}")).await;
        assert_eq!(seen, [no_id.clone(), no_id.clone(), no_id.clone()], "{id}");
    }
    for (number, id) in [&ids.transaction, &ids.transaction_refund].into_iter().enumerate() {
        let seen = ask_amazon_pay(&world, id, &format!("crossed-{number}")).await;
        assert_eq!(seen, [missing.clone(), missing.clone(), missing.clone()], "{id}");
    }
    let before = world.totals().await;

    let owner = std::mem::replace(&mut world.merchant, other);
    for (number, id) in [&ids.transaction, &ids.transaction_refund].into_iter().enumerate() {
        let seen = ask_fps(&world, id, &format!("foreign-{number}")).await;
        assert_eq!(seen, [unknown.clone(), unknown.clone(), unknown.clone()], "{id}");
    }
    for (number, id) in [&ids.charge, &ids.charge_refund].into_iter().enumerate() {
        let seen = ask_amazon_pay(&world, id, &format!("foreign-{number}")).await;
        assert_eq!(seen, [missing.clone(), missing.clone(), missing.clone()], "{id}");
    }
    let seen = world.fps(&CancelToken::new(&*ids.token)).await;
    assert_eq!(code(&seen), (400, "InvalidTokenId"));
    let pay = Pay::new(CallerReference::new("pay").unwrap(), &*ids.token, usd("1.00"));
    assert_eq!(code(&world.fps(&pay).await), (400, "InvalidTokenId_Sender"));
    assert_eq!(world.totals().await, [], "nothing moved to the other one");

    world.merchant = owner;
    assert_eq!(world.totals().await, before, "nor away from the owner");
    assert_eq!(world.fps(&pay).await.0, 200, "the token was not cancelled");
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn two_merchants_may_use_the_same_key() {
    let mut world = World::start().await;
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    let (mine, theirs) = (ids_of(&world).await, {
        let owner = std::mem::replace(&mut world.merchant, other);
        let ids = ids_of(&world).await;
        world.merchant = owner;
        ids
    });
    assert_ne!(mine.charge_refund, theirs.charge_refund);
    assert_ne!(mine.transaction_refund, theirs.transaction_refund);
    let seen = world.get(&format!("/v2/refunds/{}", mine.charge_refund)).await;
    assert_eq!(between(&seen.1, r#""chargeId":""#, "\""), mine.charge);
}

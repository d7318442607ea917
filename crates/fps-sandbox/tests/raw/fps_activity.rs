//! The activity of an account: the ledger of the documents' sample, filters and batches.

use std::time::Duration;

use fps_model::Timestamp;
use fps_model::flexible_payments::{
    Dialect, FpsOperation, FundPrepaid, GetAccountActivity, GetAccountActivityResult,
    PaymentMethod, SortOrder, TransactionStatus, TransactionalRole,
};
use fps_sandbox::{MerchantSpec, TokenSpec};
use refund_rules::Method;

use crate::fps_world::{fresh, pay};
use crate::world::{World, code, in_minutes, refund, usd};

fn activity() -> GetAccountActivity {
    GetAccountActivity::new(in_minutes(-60))
}

/// Source: the sample answer of GetAccountActivity in the FPS 2008-09-17 API reference, whose fees are
/// 5 % and five cents: 1.80 before, and 7.40 at last.
#[tokio::test]
async fn the_ledger_of_the_sample_comes_out_to_the_cent() {
    let spec = MerchantSpec::new("Test Business");
    let fees = |config: fps_sandbox::Config| config.fees(5, usd("0.05")).processing(Duration::ZERO);
    let world = World::configured(spec, fees).await;
    let cash = world.token(TokenSpec::sender(Method::Card)).await;
    let paid = async |amount| {
        let id = world.begun(&pay(&cash, amount)).await;
        assert_eq!(world.standing(&id).await, "Success");
        id
    };
    paid("1.00").await;
    paid("1.00").await;
    let instrument = world.sandbox.create_prepaid_instrument(&world.merchant, None).await.unwrap();
    let spec = TokenSpec::sender(Method::Prepaid).instrument(instrument.as_str());
    let credit = world.token(spec).await;
    let fund = async |amount| {
        let (token, instrument) = (cash.as_str(), instrument.as_str());
        let id = world.begun(&FundPrepaid::new(fresh(), token, instrument, usd(amount))).await;
        assert_eq!(world.standing(&id).await, "Success");
    };
    let payment = paid("1.00").await;
    let back = world.begun(&refund("CallerReference09", &payment)).await;
    assert_eq!(world.standing(&back).await, "Success");
    fund("5.00").await;
    world.begun(&pay(&credit, "4.00")).await;
    fund("1.00").await;

    let told = world.ask(&activity()).await;
    let rows: Vec<_> = told
        .transaction
        .iter()
        .map(|row| {
            (row.fps_operation.as_str(), row.fps_fees.unwrap().minor(), row.balance.unwrap())
        })
        .collect();
    let expected = [
        ("FundPrepaid", 10, usd("7.40")),
        ("Pay", 0, usd("6.50")),
        ("FundPrepaid", 30, usd("6.50")),
        ("Refund", -10, usd("1.80")),
        ("Pay", 10, usd("2.70")),
        ("Pay", 10, usd("1.80")),
        ("Pay", 10, usd("0.90")),
    ];
    assert_eq!(rows, expected);
    let row = &told.transaction[3];
    assert_eq!(row.original_transaction_id.as_ref().unwrap().as_str(), payment);
    let part = row.transaction_part.iter().find(|it| it.role == TransactionalRole::Sender).unwrap();
    assert_eq!(part.fees_paid.unwrap().minor(), -10);
    let part = row.transaction_part.iter().find(|it| it.role == TransactionalRole::Caller).unwrap();
    assert_eq!(part.reference.as_deref(), Some("CallerReference09"));
    assert_eq!(told.batch_size, Some(7));
    assert_eq!(told.start_time_for_next_transaction, None);
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn rows_are_chosen_by_what_they_are() {
    let mut world = World::start().await;
    let seller = world.sandbox.create_merchant(MerchantSpec::new("Seller")).await.unwrap();
    let payment = world.paid("10").await;
    world.begun(&refund("r", &payment).refund_amount(usd("1"))).await;
    world.pay_by(Method::Card, "5").await;
    let sender = world.token(TokenSpec::sender(Method::Balance)).await;
    let free = fps_model::Decimal::parse("0").unwrap();
    let recipient = world.token(TokenSpec::recipient(&seller, usd("0"), free)).await;
    world.begun(&pay(&sender, "7").recipient_token_id(recipient.as_str())).await;
    let count = async |request: GetAccountActivity| world.ask(&request).await.transaction.len();
    for (request, expected) in [
        (activity(), 4),
        (activity().fps_operation(FpsOperation::Refund), 1),
        (activity().fps_operation(FpsOperation::Pay), 3),
        (activity().payment_method(PaymentMethod::CreditCard), 1),
        (activity().transaction_status(TransactionStatus::Pending), 1),
        (activity().transaction_status(TransactionStatus::Success), 3),
        (activity().role(TransactionalRole::Caller), 4),
        (activity().role(TransactionalRole::Recipient), 2),
        (activity().role(TransactionalRole::Sender), 1),
        (activity().role(TransactionalRole::Sender).role(TransactionalRole::Recipient), 3),
        (activity().end_date(in_minutes(-30)), 0),
    ] {
        assert_eq!(count(request.clone()).await, expected, "{request:?}");
    }
    let seen = world.fps_as(&seller, &activity().role(TransactionalRole::Recipient)).await;
    assert_eq!(seen.1.matches("<TransactionId>").count(), 1, "{}", seen.1);
    // The first revision has a row for each change: three have ended, and one has only begun.
    let old = Dialect::V2007_01_08;
    for (request, expected) in [
        (activity(), 7),
        (activity().transaction_status(TransactionStatus::Initiated), 4),
        (activity().transaction_status(TransactionStatus::Success), 3),
    ] {
        let seen = world.fps_in(old, &request.max_batch_size(20)).await;
        assert_eq!(seen.1.matches("<TransactionId>").count(), expected, "{}", seen.1);
    }
    for (request, expected) in [
        (GetAccountActivity::new(in_minutes(5)), "InvalidDateRange"),
        (activity().end_date(in_minutes(-61)), "InvalidDateRange"),
        (activity().max_batch_size(0), "InvalidParams"),
        (activity().max_batch_size(201), "InvalidParams"),
    ] {
        assert_eq!(code(&world.fps(&request).await), (400, expected));
    }
}

#[tokio::test]
async fn batches_tell_every_row_once() {
    let world = World::start().await;
    for _ in 0..25 {
        world.paid("1").await;
    }
    // Two of one millisecond stay together.
    let change = "UPDATE payment SET created_at = 1000 WHERE rowid IN (10, 11)";
    let world = world.restart(crate::world::LONG, change).await;
    for ascending in [true, false] {
        let mut from = Timestamp::from_unix_millis(0).unwrap();
        let mut until = in_minutes(1);
        let mut seen = Vec::new();
        loop {
            let order = if ascending { SortOrder::Ascending } else { SortOrder::Descending };
            let request = GetAccountActivity::new(from).end_date(until);
            let request = request.max_batch_size(4).sort_order_by_date(order);
            let told: GetAccountActivityResult = world.ask(&request).await;
            assert!(told.transaction.len() <= 4);
            seen.extend(told.transaction.into_iter().map(|row| row.transaction_id));
            let Some(next) = told.start_time_for_next_transaction else { break };
            if ascending {
                from = next;
            } else {
                until = next;
            }
        }
        assert_eq!(seen.len(), 25, "ascending: {ascending}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25);
    }
}

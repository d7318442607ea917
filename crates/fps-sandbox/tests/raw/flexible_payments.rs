//! Flexible Payments Service: what is checked, what is refused, and for how long it remembers.

use bytes::Bytes;
use fps_model::Params;
use refund_rules::Method;

use fps_sandbox::Service;

use crate::world::{LONG, World, code, encoded, in_minutes, refund, transaction_id, usd};

#[tokio::test]
async fn a_query_request_is_checked_before_it_is_read() {
    let world = World::start().await;
    let params = encoded(&refund("r", "T"));
    let changed = |name: &str, value: &str| -> Params {
        let signed = world.signed("POST", &params);
        let pairs = signed.iter().map(|(given, old)| {
            (given.to_owned(), if given == name { value.to_owned() } else { old.to_owned() })
        });
        pairs.collect()
    };
    let unsigned = world.post(&params).await;
    assert_eq!(code(&unsigned), (401, "AuthFailure"));
    let seen = world.post(&changed("AWSAccessKeyId", "AKIANOBODY")).await;
    assert_eq!(code(&seen), (403, "InvalidClientTokenId"));
    let seen = world.post(&changed("TransactionId", "U")).await;
    assert_eq!(code(&seen), (403, "SignatureDoesNotMatch"));
    let seen = world.post(&changed("SignatureVersion", "1")).await;
    assert_eq!(code(&seen), (403, "InvalidSignature"));
    let seen = world.post(&world.signed_at("POST", &params, "2010-02-26T19:48:05.000Z")).await;
    assert_eq!(code(&seen), (403, "RequestExpired"));
    assert!(seen.1.contains("Request has expired. Timestamp date is 2010-02-26T19:48:05.000Z"));
    let seen = world.post(&world.signed_at("POST", &params, "2010-02-26 T19:48:05.000Z")).await;
    assert_eq!(code(&seen), (400, "InvalidParameterValue"));
    let mut doubled = world.signed("POST", &params);
    doubled.push("TransactionId", "T");
    assert_eq!(code(&world.post(&doubled).await), (403, "SignatureDoesNotMatch"));
    let seen = world.post(&world.signed("POST", &params)).await;
    assert_eq!(code(&seen), (400, "InvalidParams"));
    assert!(seen.1.contains("transactionId has to be a valid transaction ID. Specified value: T"));
    let mut odd = params.clone();
    odd.push("Note", "1");
    assert_eq!(code(&world.post(&world.signed("POST", &odd)).await), (400, "InvalidParams"));
}

#[tokio::test]
async fn a_query_is_dated_within_a_quarter_of_an_hour() {
    let world = World::start().await;
    let params = encoded(&refund("r", "T"));
    // Dated well, it comes as far as the transaction that does not exist.
    let (refused, passed) = ((403, "RequestExpired"), (400, "InvalidParams"));
    for (minutes, expected) in [(-16, refused), (-14, passed), (14, passed), (16, refused)] {
        let date = in_minutes(minutes).to_extended();
        let seen = world.post(&world.signed_at("POST", &params, &date)).await;
        assert_eq!(code(&seen), expected, "{minutes} minutes");
    }
}

#[tokio::test]
async fn a_query_may_be_a_get_and_begin_with_an_ampersand() {
    let world = World::start().await;
    let payment = world.paid("1").await;
    let form = world.signed("GET", &encoded(&refund("get", &payment))).to_form();
    let uri = format!("{}/?&{form}", world.sandbox.url());
    let seen = world.send(http::Request::get(uri).body(Bytes::new()).unwrap()).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    assert!(seen.1.contains("<TransactionStatus>Success</TransactionStatus>"), "{}", seen.1);
}

#[tokio::test]
async fn fps_refuses_by_its_own_codes() {
    let world = World::start().await;
    let payment = world.paid("100").await;
    let part = refund("part", &payment).refund_amount(usd("30.00"));
    let seen = world.fps(&part).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    let refund_id = transaction_id(&seen).to_owned();
    assert_eq!(world.fps(&part).await, seen, "the same request is answered to the letter");
    let other = refund("part", &payment).refund_amount(usd("30.01"));
    assert_eq!(code(&world.fps(&other).await), (400, "DuplicateRequest"));
    let above = refund("above", &payment).refund_amount(usd("70.01"));
    let refused = world.fps(&above).await;
    assert_eq!(code(&refused), (400, "RefundAmountExceeded"));
    assert_eq!(world.fps(&above).await, refused, "a refusal is repeated to the letter, too");
    assert_eq!(world.fps(&refund("rest", &payment)).await.0, 200);
    let seen = world.fps(&refund("more", &payment)).await;
    assert_eq!(code(&seen), (400, "TransactionFullyRefundedAlready"));
    let seen = world.fps(&refund("refund-of-refund", &refund_id)).await;
    assert_eq!(code(&seen), (400, "TransactionTypeNotRefundable"));
    let unknown = "16".to_owned() + &"X".repeat(33);
    assert_eq!(code(&world.fps(&refund("unknown", &unknown)).await), (400, "InvalidTransactionId"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_pending_payment_cannot_be_refunded() {
    let world = World::start().await;
    let seen = world.pay_by(Method::Card, "5").await;
    assert!(seen.1.contains("<TransactionStatus>Pending</TransactionStatus>"), "{}", seen.1);
    let seen = world.fps(&refund("r", transaction_id(&seen))).await;
    assert_eq!(code(&seen), (400, "OriginalTransactionIncomplete"));
}

#[tokio::test]
async fn a_caller_reference_is_new_again_after_a_week() {
    let world = World::start().await;
    let payment = world.paid("100").await;
    let request = refund("r", &payment).refund_amount(usd("10.00"));
    let first = world.fps(&request).await;
    // An hour is left for the test itself.
    let hours =
        |hours: i64| format!("UPDATE answer SET created_at = created_at - {hours} * 3600000");
    let world = world.restart(LONG, &hours(7 * 24 - 1)).await;
    assert_eq!(world.fps(&request).await, first);
    let world = world.restart(LONG, &hours(1)).await;
    let second = world.fps(&request).await;
    assert_eq!(second.0, 200, "{}", second.1);
    assert_ne!(transaction_id(&second), transaction_id(&first));
    // The new answer is the one that is remembered now.
    assert_eq!(world.fps(&request).await, second);
    assert_eq!(world.totals().await[0].refunded, usd("20.00"));
}

#[tokio::test]
async fn a_refund_waits_until_the_balance_is_there() {
    let world = World::start().await;
    let payment = world.paid("100").await;
    // The merchant takes its money out: 97.00 after the fee, of which a cent stays.
    let fps = Service::FlexiblePayments;
    world.sandbox.withdraw(&world.merchant, fps, usd("97.01")).await.unwrap_err();
    world.sandbox.withdraw(&world.merchant, fps, usd("96.99")).await.unwrap();
    // Of 1.00, three cents are returned fee, and 0.97 are needed.
    let request = refund("r", &payment).refund_amount(usd("1.00"));
    let short = (400, "InsufficientBalance");
    assert_eq!(code(&world.fps(&request).await), short);
    // Of 0.98, three cents are fee: now it is 0.96.
    world.paid("0.98").await;
    assert_eq!(code(&world.fps(&request).await), short);
    world.paid("0.01").await;
    let seen = world.fps(&request).await;
    assert_eq!(seen.0, 200, "the same request is decided anew: {}", seen.1);
    assert_eq!(world.fps(&request).await, seen);
}

//! Amazon Pay: what is checked, in which order, and what a key is.

use fps_sandbox::MerchantSpec;

use crate::world::{LONG, PayRequest, World, in_minutes, reason, refund_of, usd};

#[tokio::test]
async fn amazon_pay_requests_are_checked_in_the_documented_order() {
    let world = World::start().await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
    let base = world.pay_request("POST", "/v2/refunds", Some("key"), &body);

    let nowhere = PayRequest { path: "/v2/nothing".to_owned(), ..base.clone() };
    assert_eq!(reason(&world.pay(nowhere).await), (404, "ResourceNotFound"));
    let patch = PayRequest { method: "PATCH".to_owned(), ..base.clone() };
    assert_eq!(reason(&world.pay(patch).await), (405, "RequestNotSupported"));
    let mut no_host = base.clone();
    no_host.headers.retain(|(name, _)| name != "x-amz-pay-host");
    assert_eq!(reason(&world.pay(no_host).await), (400, "MissingHeader"));
    let stranger = PayRequest { key_id: "SANDBOX-NOBODY".to_owned(), ..base.clone() };
    assert_eq!(reason(&world.pay(stranger).await), (403, "InvalidAuthentication"));
    let live = PayRequest { path: "/live/v2/refunds".to_owned(), ..base.clone() };
    assert_eq!(reason(&world.pay(live).await), (403, "InvalidAuthentication"));
    let mut old = base.clone();
    old.headers[2].1 = "20190714T155300Z".to_owned();
    assert_eq!(reason(&world.pay(old).await), (400, "InvalidHeaderValue"));
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    let foreign = PayRequest { key_id: other.public_key_id, ..base.clone() };
    let seen = world.pay(foreign).await;
    assert_eq!(reason(&seen), (403, "InvalidRequestSignature"));
    assert!(seen.1.contains("Unable to verify signature, signing String [AMZN-PAY-RSASSA-PSS-V2"));

    for (key, body, expected) in [
        (None, body.as_str(), (400, "MissingHeader")),
        (Some(""), &body, (400, "MissingHeaderValue")),
        (Some("1a146b9a-b37b-4f5f-bda6-012a5b9e45c3"), &body, (400, "InvalidHeaderValue")),
        (Some("k1"), "not json", (400, "InvalidRequestFormat")),
        (Some("k2"), "{}", (400, "MissingParameterValue")),
        (
            Some("k3"),
            &body.replace("{\"chargeId", "{\"x\":1,\"chargeId"),
            (400, "UnrecognizedField"),
        ),
        (Some("k4"), &body.replace("1.00", "1,00"), (400, "InvalidParameterValue")),
        (Some("k5"), &body.replace("1.00", "0.00"), (400, "InvalidParameterValue")),
        (Some("k6"), &body.replace("USD", "EUR"), (400, "CurrencyMismatch")),
        (Some("k7"), &body.replace("1.00", "115.01"), (400, "TransactionAmountExceeded")),
        (Some("k8"), &body.replace("S01-", "S02-"), (404, "ResourceNotFound")),
    ] {
        let request = world.pay_request("POST", "/v2/refunds", key, body);
        let seen = world.pay(request).await;
        assert_eq!(reason(&seen), expected, "{key:?} {body}");
    }
    // With and without a slash at the end, with the environment in the path or without: one place.
    for (key, path) in [("a", "/v2/refunds"), ("b", "/v2/refunds/"), ("c", "/sandbox/v2/refunds/")]
    {
        let seen = world.pay(world.pay_request("POST", path, Some(key), &body)).await;
        assert_eq!(seen.0, 201, "{}", seen.1);
    }
}

#[tokio::test]
async fn the_eleventh_refund_of_a_charge_is_refused() {
    let world = World::start().await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
    for number in 0..10 {
        assert_eq!(world.create_refund(&format!("k{number}"), &body).await.0, 201);
    }
    let seen = world.create_refund("k10", &body).await;
    assert_eq!(reason(&seen), (422, "TransactionCountExceeded"));
}

#[tokio::test]
async fn a_request_is_dated_within_a_quarter_of_an_hour() {
    let world = World::start().await;
    let refused = (400, "InvalidHeaderValue");
    let passed = (404, "ResourceNotFound");
    for (minutes, expected) in [(-16, refused), (-14, passed), (14, passed), (16, refused)] {
        let mut request = world.pay_request("GET", "/v2/refunds/R", None, "");
        request.headers[2].1 = in_minutes(minutes).to_basic();
        assert_eq!(reason(&world.pay(request).await), expected, "{minutes} minutes");
    }
}

#[tokio::test]
async fn a_key_that_is_not_signed_is_no_key() {
    let world = World::start().await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
    let mut request = world.pay_request("POST", "/v2/refunds", None, &body);
    request.unsigned = vec![("x-amz-pay-idempotency-key", "key")];
    assert_eq!(reason(&world.pay(request).await), (400, "MissingHeader"));
    assert_eq!(world.totals().await[0].refunding, usd("0.00"));
}

#[tokio::test]
async fn a_key_is_remembered_for_ever() {
    let world = World::start().await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
    let first = world.create_refund("key", &body).await;
    let world = world.restart(LONG, "UPDATE answer SET created_at = 0").await;
    assert_eq!(world.create_refund("key", &body).await, first);
}

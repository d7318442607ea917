//! The life of a charge on the clock of the sandbox: authorized, captured, expired, refunded.

use std::time::Duration;

use crate::pay::{DAY, charge_of, json, price, slow_world, status, text};
use crate::world::{World, reason, refund_of, usd};

#[tokio::test]
async fn a_charge_is_authorized_captured_in_part_and_refunded() {
    let world = World::start().await;
    let permission = world.permission("100.00").await;
    let more = r#","merchantMetadata":{"merchantReferenceId":"M1"},"channel":"Web","chargeInitiator":"CITU""#;
    let seen = world.create_charge("k", &charge_of(&permission, "60.00", more)).await;
    assert_eq!(seen.0, 201, "{}", seen.1);
    let charge = json(&seen);
    let id = text(&charge, "chargeId");
    assert!(id.starts_with(&format!("{}-C", permission.as_str())), "{id}");
    assert_eq!(charge["captureAmount"], serde_json::Value::Null);
    assert_eq!(charge["merchantMetadata"]["merchantReferenceId"], "M1");
    assert_eq!(charge["channel"], "Web");
    assert!(world.totals().await.is_empty(), "nothing has moved");
    let refund = refund_of(id, "1.00");
    assert_eq!(reason(&world.create_refund("r", &refund).await), (422, "InvalidChargeStatus"));

    let seen = world.capture(id, "c", "50.00").await;
    assert_eq!((seen.0, status(&seen).0.as_str()), (200, "Captured"), "{}", seen.1);
    assert_eq!(json(&seen)["captureAmount"]["amount"], "50.00");
    let totals = world.totals().await;
    assert_eq!((totals[0].captured, totals[0].fees_taken), (usd("50.00"), usd("1.50")));
    let seen = world.create_refund("s", &refund_of(id, "57.51")).await;
    assert_eq!(reason(&seen), (400, "TransactionAmountExceeded"), "of what was captured");
    assert_eq!(world.create_refund("t", &refund_of(id, "57.50")).await.0, 201);
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn every_field_that_the_official_suite_looks_for_is_there() {
    let world = World::start().await;
    let permission = world.permission("100.00").await;
    let seen = world.create_charge("k", &charge_of(&permission, "60.00", "")).await;
    // Source: the test suite of the official Node SDK.
    let names = [
        "chargeId",
        "chargeAmount",
        "chargePermissionId",
        "captureAmount",
        "refundedAmount",
        "softDescriptor",
        "providerMetadata",
        "convertedAmount",
        "conversionRate",
        "channel",
        "chargeInitiator",
        "statusDetails",
        "creationTimestamp",
        "expirationTimestamp",
        "releaseEnvironment",
        "merchantMetadata",
        "platformId",
        "webCheckoutDetails",
    ];
    let mut after = 0;
    for name in names {
        let at = seen.1.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("no {name}"));
        assert!(at > after || after == 0, "{name} is out of order");
        after = at;
    }
    let charge = world.charge("10.00", "0.30").await;
    let seen = world.create_refund("r", &refund_of(&charge, "1.00")).await;
    for name in [
        "refundId",
        "chargeId",
        "creationTimestamp",
        "refundAmount",
        "statusDetails",
        "softDescriptor",
        "releaseEnvironment",
    ] {
        assert!(seen.1.contains(&format!("\"{name}\":")), "no {name}");
    }
}

#[tokio::test]
async fn a_descriptor_beyond_ascii_is_told_by_its_bytes() {
    let world = World::start().await;
    let permission = world.permission("100.00").await;
    for (key, given, told) in
        [("a", "Shop", "Shop"), ("b", "mora \u{97f3}", "mora [0xe9][0x9f][0xb3]")]
    {
        let more = format!(r#","captureNow":true,"softDescriptor":"{given}""#);
        let seen = world.create_charge(key, &charge_of(&permission, "1.00", &more)).await;
        assert_eq!(text(&json(&seen), "softDescriptor"), told, "{}", seen.1);
    }
}

#[tokio::test]
async fn an_authorization_ends_after_thirty_days() {
    let world = World::start().await;
    let charge = world.authorized("10.00").await;
    let path = format!("/v2/charges/{charge}");
    world.sandbox.advance_clock(30 * DAY - Duration::from_secs(60)).await.unwrap();
    assert_eq!(world.status_of(&path).await.0, "Authorized");
    world.sandbox.advance_clock(Duration::from_secs(61)).await.unwrap();
    assert_eq!(world.reaches(&path, "Canceled").await.1, "ExpiredUnused");
    let seen = world.capture(&charge, "late", "10.00").await;
    assert_eq!(reason(&seen), (422, "InvalidChargeStatus"));
}

#[tokio::test]
async fn a_capture_after_seven_days_is_only_begun() {
    let world = slow_world().await;
    let (early, late) = (world.authorized("10.00").await, world.authorized("10.00").await);
    world.sandbox.advance_clock(7 * DAY - Duration::from_secs(600)).await.unwrap();
    assert_eq!(status(&world.capture(&early, "early", "1.00").await).0, "Captured");
    world.sandbox.advance_clock(Duration::from_secs(601)).await.unwrap();
    let seen = world.capture(&late, "late", "9.00").await;
    assert_eq!((seen.0, status(&seen).0.as_str()), (200, "CaptureInitiated"));
    assert_eq!(world.totals().await[0].captured, usd("1.00"));
    world.sandbox.advance_clock(Duration::from_secs(61)).await.unwrap();
    world.reaches(&format!("/v2/charges/{late}"), "Captured").await;
    assert_eq!(world.totals().await[0].captured, usd("10.00"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn simulated_results_come_when_things_under_way_end() {
    let world = slow_world().await;
    let permission = world.permission("1000.00").await;
    let pending = r#","canHandlePendingAuthorization":true"#;
    let captured = r#","captureNow":true"#;
    for (code, more, first, end, why) in [
        ("AuthorizationInitiated", pending, "AuthorizationInitiated", "Authorized", ""),
        ("HardDeclined", pending, "AuthorizationInitiated", "Declined", "HardDeclined"),
        (
            "TransactionTimedOut",
            pending,
            "AuthorizationInitiated",
            "Declined",
            "TransactionTimedOut",
        ),
        ("CaptureInitiated", captured, "CaptureInitiated", "Captured", ""),
    ] {
        let body = charge_of(&permission, "10.00", more);
        let seen = world.simulate(code, "POST", "/v2/charges", Some(code), &body).await;
        assert_eq!((seen.0, status(&seen).0.as_str()), (201, first), "{code}: {}", seen.1);
        let path = format!("/v2/charges/{}", text(&json(&seen), "chargeId"));
        world.sandbox.advance_clock(Duration::from_secs(61)).await.unwrap();
        assert_eq!(world.reaches(&path, end).await.1, why, "{code}");
    }
    for (code, end, why) in
        [("CaptureInitiated", "Captured", ""), ("AmazonRejected", "Declined", "AmazonRejected")]
    {
        let charge = world.authorized("10.00").await;
        let path = format!("/v2/charges/{charge}/capture");
        let body = format!(r#"{{"captureAmount":{}}}"#, price("10.00"));
        let seen = world.simulate(code, "POST", &path, Some(code), &body).await;
        assert_eq!((seen.0, status(&seen).0.as_str()), (200, "CaptureInitiated"), "{}", seen.1);
        world.sandbox.advance_clock(Duration::from_secs(61)).await.unwrap();
        assert_eq!(world.reaches(&format!("/v2/charges/{charge}"), end).await.1, why);
    }
    assert_eq!(world.totals().await[0].captured, usd("20.00"));
    world.sandbox.verify_books().await.unwrap();
}

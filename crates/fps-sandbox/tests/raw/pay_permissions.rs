//! Charge permissions: limits, counts, states, and their end.

use std::time::Duration;

use fps_model::amazon_pay::{Frequency, FrequencyUnit, RecurringMetadata};
use fps_sandbox::ChargePermissionSpec;
use refund_rules::Currency;

use crate::pay::{DAY, charge_of, json, slow_world, status, text};
use crate::world::{World, reason, usd};

fn balance(json: &serde_json::Value) -> &str {
    text(&json["limits"]["amountBalance"], "amount")
}

#[tokio::test]
async fn a_permission_has_an_amount_and_what_is_left_of_it() {
    let world = World::start().await;
    let permission = world.permission("100.00").await;
    let path = format!("/v2/chargePermissions/{}", permission.as_str());
    let first = world.create_charge("a", &charge_of(&permission, "60.00", "")).await;
    assert_eq!(balance(&json(&world.get(&path).await)), "40.00");
    let too_much = charge_of(&permission, "40.01", "");
    let seen = world.create_charge("b", &too_much).await;
    assert_eq!(reason(&seen), (400, "TransactionAmountExceeded"));
    // What is captured of a charge is what it takes.
    let charge = text(&json(&first), "chargeId").to_owned();
    world.capture(&charge, "c", "50.00").await;
    assert_eq!(balance(&json(&world.get(&path).await)), "50.00");
    let second = world.create_charge("d", &charge_of(&permission, "50.00", "")).await;
    assert_eq!(second.0, 201);
    world.cancel(text(&json(&second), "chargeId")).await;
    let told = json(&world.get(&path).await);
    assert_eq!(balance(&told), "50.00", "what was cancelled is there again");
    assert_eq!(told["limits"]["amountLimit"]["amount"], "100.00");
    assert_eq!(told["chargePermissionType"], "OneTime");
    assert_eq!(told["buyer"]["name"], "Test Buyer");
    world.sandbox.advance_clock(30 * DAY).await.unwrap();
    let told = json(&world.get(&path).await);
    assert_eq!(told["buyer"], serde_json::Value::Null, "for thirty days");
}

#[tokio::test]
async fn a_one_time_permission_has_twenty_five_charges() {
    let world = World::start().await;
    let permission = world.permission("1000.00").await;
    let body = charge_of(&permission, "1.00", "");
    for number in 0..25 {
        assert_eq!(world.create_charge(&format!("k{number}"), &body).await.0, 201);
    }
    let seen = world.create_charge("k25", &body).await;
    assert_eq!(reason(&seen), (422, "TransactionCountExceeded"));
}

#[tokio::test]
async fn a_recurring_permission_has_a_limit_for_each_period_and_ends_unused() {
    let world = World::start().await;
    let monthly = Frequency::new().unit(FrequencyUnit::Month).value("1");
    let metadata = RecurringMetadata::new().frequency(monthly).amount(usd("10.00"));
    let spec = ChargePermissionSpec::recurring(Currency::USD, metadata).limit(usd("15.00"));
    let permission = world.sandbox.create_charge_permission(&world.merchant, spec).await.unwrap();
    assert!(permission.as_str().starts_with("C01-"));
    let body = charge_of(&permission, "10.00", r#","captureNow":true"#);
    let seen = world.create_charge("a", &body).await;
    assert_eq!(seen.0, 201);
    // Source: sandbox answers of 2023: the charge has a base of its own.
    assert!(text(&json(&seen), "chargeId").starts_with("S01-"));
    assert_eq!(text(&json(&seen), "chargePermissionId"), permission.as_str());
    let seen = world.create_charge("b", &body).await;
    assert_eq!(reason(&seen), (400, "PeriodicAmountExceeded"));
    world.sandbox.advance_clock(30 * DAY).await.unwrap();
    assert_eq!(world.create_charge("c", &body).await.0, 201);
    let path = format!("/v2/chargePermissions/{}", permission.as_str());
    world.sandbox.advance_clock(394 * DAY).await.unwrap();
    let told = json(&world.get(&path).await);
    assert_eq!(told["statusDetails"]["state"], "Chargeable", "thirteen months from the last use");
    world.sandbox.advance_clock(DAY).await.unwrap();
    world.reaches(&path, "Closed").await;
    let told = json(&world.get(&path).await);
    assert_eq!(told["statusDetails"]["reasons"][0]["reasonCode"], "Expired");
}

#[tokio::test]
async fn a_closed_permission_ends_with_its_pending_charges_if_asked() {
    let world = slow_world().await;
    for (cancel, charge_after) in [(false, "Authorized"), (true, "Canceled")] {
        let permission = world.permission("100.00").await;
        let path = format!("/v2/chargePermissions/{}", permission.as_str());
        let seen =
            world.create_charge(&format!("k{cancel}"), &charge_of(&permission, "60.00", "")).await;
        let charge = text(&json(&seen), "chargeId").to_owned();
        let captured = world.sandbox.capture_charge(&world.merchant, usd("5.00"));
        let captured = captured.permission(&permission).create().await.unwrap();
        let body = format!(r#"{{"closureReason":"all sent","cancelPendingCharges":{cancel}}}"#);
        let close = format!("{path}/close");
        let seen = world.call("DELETE", &close, None, &body).await;
        assert_eq!((seen.0, status(&seen).0.as_str()), (200, "Closed"), "{}", seen.1);
        let why = &json(&seen)["statusDetails"]["reasons"][0];
        assert_eq!(
            (&why["reasonCode"], &why["reasonDescription"]),
            (&"MerchantClosed".into(), &"all sent".into())
        );
        let (state, reason_code) = world.status_of(&format!("/v2/charges/{charge}")).await;
        assert_eq!(state, charge_after);
        assert_eq!(reason_code, if cancel { "ChargePermissionCanceled" } else { "" });
        // What was captured stays, and can be refunded.
        assert_eq!(
            world.status_of(&format!("/v2/charges/{}", captured.as_str())).await.0,
            "Captured"
        );
        let refund = crate::world::refund_of(captured.as_str(), "5.00");
        assert_eq!(world.create_refund(&format!("r{cancel}"), &refund).await.0, 201);

        let seen = world
            .create_charge(&format!("late{cancel}"), &charge_of(&permission, "1.00", ""))
            .await;
        assert_eq!(reason(&seen), (422, "InvalidChargePermissionStatus"));
        let seen = world.call("DELETE", &close, None, &body).await;
        assert_eq!(reason(&seen), (422, "InvalidChargePermissionStatus"));
        let update = r#"{"merchantMetadata":{"merchantReferenceId":"M2"}}"#;
        let seen = world.call("PATCH", &path, None, update).await;
        assert_eq!(reason(&seen), (422, "ChargePermissionNotModifiable"));
    }
    let permission = world.permission("1.00").await;
    let path = format!("/v2/chargePermissions/{}/close", permission.as_str());
    let body = r#"{"closureReason":"fraud"}"#;
    let seen = world.simulate("AmazonClosed", "DELETE", &path, None, body).await;
    assert_eq!(json(&seen)["statusDetails"]["reasons"][0]["reasonCode"], "AmazonClosed");
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_permission_is_updated_in_parts_and_not_chargeable_for_a_while() {
    let world = World::start().await;
    let permission = world.permission("100.00").await;
    let path = format!("/v2/chargePermissions/{}", permission.as_str());
    for body in [
        r#"{"merchantMetadata":{"merchantReferenceId":"M1","noteToBuyer":"thanks"}}"#,
        r#"{"merchantMetadata":{"merchantReferenceId":"M2"}}"#,
    ] {
        assert_eq!(world.call("PATCH", &path, None, body).await.0, 200);
    }
    let told = json(&world.get(&path).await);
    assert_eq!(told["merchantMetadata"]["merchantReferenceId"], "M2");
    assert_eq!(told["merchantMetadata"]["noteToBuyer"], "thanks");
    let bad = r#"{"recurringMetadata":{"frequency":{"unit":"Fortnight","value":"1"}}}"#;
    assert_eq!(world.call("PATCH", &path, None, bad).await.0, 400);

    world.sandbox.set_chargeable(&permission, Some("PaymentMethodInvalid")).await.unwrap();
    let body = charge_of(&permission, "1.00", "");
    let seen = world.create_charge("a", &body).await;
    assert_eq!(reason(&seen), (422, "InvalidChargePermissionStatus"));
    world.sandbox.set_chargeable(&permission, None).await.unwrap();
    assert_eq!(world.create_charge("b", &body).await.0, 201);
    world.sandbox.advance_clock(180 * DAY + Duration::from_secs(1)).await.unwrap();
    world.reaches(&path, "Closed").await;
    world.sandbox.set_chargeable(&permission, None).await.unwrap_err();
}

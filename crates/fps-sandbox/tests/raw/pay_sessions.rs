//! Checkout sessions: begun, described, agreed to by the buyer, completed or not.

use std::time::Duration;

use fps_model::amazon_pay::CheckoutSessionId;

use crate::pay::{DAY, json, price, slow_world, status, text};
use crate::world::{Seen, World, reason, usd};

const BEGIN: &str = r#"{"webCheckoutDetails":{"checkoutReviewReturnUrl":"https://shop.example/review"},
    "storeId":"amzn1.application-oa2-client.example"}"#;

fn described(intent: &str, more: &str) -> String {
    let price = price("14.00");
    format!(
        r#"{{"webCheckoutDetails":{{"checkoutResultReturnUrl":"https://shop.example/result"}},
            "paymentDetails":{{"paymentIntent":"{intent}","chargeAmount":{price}{more}}}}}"#
    )
}

impl World {
    async fn session(&self, key: &str) -> String {
        let seen = self.call("POST", "/v2/checkoutSessions", Some(key), BEGIN).await;
        assert_eq!(seen.0, 201, "{}", seen.1);
        text(&json(&seen), "checkoutSessionId").to_owned()
    }

    /// One that can be completed.
    async fn ready(&self, key: &str, body: &str) -> String {
        let id = self.session(key).await;
        let seen = self.call("PATCH", &format!("/v2/checkoutSessions/{id}"), None, body).await;
        assert_eq!(seen.0, 200, "{}", seen.1);
        self.sandbox.approve_checkout(&CheckoutSessionId::new(id.as_str())).await.unwrap();
        id
    }

    async fn complete(&self, id: &str, amount: &str) -> Seen {
        let body = format!(r#"{{"chargeAmount":{}}}"#, price(amount));
        self.call("POST", &format!("/v2/checkoutSessions/{id}/complete"), None, &body).await
    }
}

fn constraints(seen: &Seen) -> Vec<String> {
    let json = json(seen);
    let all = json["constraints"].as_array().unwrap().iter();
    all.map(|one| text(one, "constraintId").to_owned()).collect()
}

#[tokio::test]
async fn a_session_says_what_it_lacks_and_leads_to_a_charge() {
    let world = World::start().await;
    let id = world.session("k").await;
    let path = format!("/v2/checkoutSessions/{id}");
    let all = [
        "BuyerNotAssociated",
        "ChargeAmountNotSet",
        "CheckoutResultReturnUrlNotSet",
        "PaymentIntentNotSet",
    ];
    assert_eq!(constraints(&world.get(&path).await), all);
    assert_eq!(reason(&world.complete(&id, "14.00").await), (422, "InvalidCheckoutSessionStatus"));
    let seen = world.call("PATCH", &path, None, &described("AuthorizeWithCapture", "")).await;
    assert_eq!(constraints(&seen), ["BuyerNotAssociated"]);
    assert_eq!(
        json(&seen)["webCheckoutDetails"]["checkoutReviewReturnUrl"],
        "https://shop.example/review"
    );
    assert_eq!(json(&seen)["webCheckoutDetails"]["amazonPayRedirectUrl"], serde_json::Value::Null);
    assert_eq!(json(&seen)["buyer"], serde_json::Value::Null);
    let session = CheckoutSessionId::new(id.as_str());
    world.sandbox.approve_checkout(&session).await.unwrap();
    let seen = world.get(&path).await;
    assert!(constraints(&seen).is_empty());
    assert!(text(&json(&seen)["webCheckoutDetails"], "amazonPayRedirectUrl").contains(&id));
    assert_eq!(json(&seen)["buyer"]["name"], "Test Buyer");

    assert_eq!(reason(&world.complete(&id, "14.01").await), (409, "AmountMismatch"));
    let seen = world.complete(&id, "14.00").await;
    assert_eq!((seen.0, status(&seen).0.as_str()), (200, "Completed"), "{}", seen.1);
    let (permission, charge) =
        (json(&seen)["chargePermissionId"].clone(), json(&seen)["chargeId"].clone());
    let charge = json(&world.get(&format!("/v2/charges/{}", charge.as_str().unwrap())).await);
    assert_eq!(
        (&charge["chargePermissionId"], &charge["statusDetails"]["state"]),
        (&permission, &"Captured".into())
    );
    assert_eq!(world.totals().await[0].captured, usd("14.00"));
    assert_eq!(reason(&world.complete(&id, "14.00").await), (422, "InvalidCheckoutSessionStatus"));
    world.sandbox.approve_checkout(&session).await.unwrap_err();
    // A session is kept for thirty days.
    world.sandbox.advance_clock(30 * DAY).await.unwrap();
    assert_eq!(reason(&world.get(&path).await), (404, "ResourceNotFound"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn an_intent_decides_what_is_made() {
    let world = slow_world().await;
    let pending = r#","canHandlePendingAuthorization":true"#;
    for (key, intent, more, code, answered, charge) in [
        ("a", "Confirm", "", "", 200, None),
        ("b", "Authorize", "", "", 200, Some("Authorized")),
        ("c", "AuthorizeWithCapture", r#","softDescriptor":"Shop""#, "", 200, Some("Captured")),
        ("d", "Authorize", pending, "AuthorizationInitiated", 202, Some("AuthorizationInitiated")),
    ] {
        let id = world.ready(key, &described(intent, more)).await;
        let path = format!("/v2/checkoutSessions/{id}/complete");
        let mut request = world.pay_request(
            "POST",
            &path,
            None,
            &format!(r#"{{"chargeAmount":{}}}"#, price("14.00")),
        );
        if !code.is_empty() {
            request.unsigned = vec![("x-amz-pay-simulation-code", code)];
        }
        let seen = world.pay(request).await;
        assert_eq!(seen.0, answered, "{intent}: {}", seen.1);
        assert!(!text(&json(&seen), "chargePermissionId").is_empty());
        let made = json(&seen)["chargeId"].as_str().map(str::to_owned);
        assert_eq!(made.is_some(), charge.is_some());
        if let (Some(made), Some(state)) = (made, charge) {
            assert_eq!(world.status_of(&format!("/v2/charges/{made}")).await.0, state);
        }
    }
}

/// Some of the official SDKs send a key here, and others do not.
#[tokio::test]
async fn a_session_is_completed_once_for_its_key() {
    let world = World::start().await;
    let id = world.ready("k", &described("AuthorizeWithCapture", "")).await;
    let path = format!("/v2/checkoutSessions/{id}/complete");
    let body = format!(r#"{{"chargeAmount":{}}}"#, price("14.00"));
    let first = world.call("POST", &path, Some("complete"), &body).await;
    assert_eq!(first.0, 200, "{}", first.1);
    assert_eq!(world.call("POST", &path, Some("complete"), &body).await, first);
    let seen = world.call("POST", &path, None, &body).await;
    assert_eq!(reason(&seen), (422, "InvalidCheckoutSessionStatus"));
    assert_eq!(world.totals().await[0].captured, usd("14.00"));
}

#[tokio::test]
async fn a_session_ends_without_a_payment() {
    let world = World::start().await;
    let body = format!(r#"{{"chargeAmount":{}}}"#, price("14.00"));
    for code in ["BuyerCanceled", "AmazonCanceled", "Declined"] {
        let id = world.ready(code, &described("Authorize", "")).await;
        let path = format!("/v2/checkoutSessions/{id}");
        let seen = world.simulate(code, "POST", &format!("{path}/complete"), None, &body).await;
        assert_eq!(reason(&seen), (422, "CheckoutSessionCanceled"));
        assert_eq!(world.status_of(&path).await, ("Canceled".to_owned(), code.to_owned()));
        assert_eq!(reason(&world.complete(&id, "14.00").await), (422, "CheckoutSessionCanceled"));
    }
    let abandoned = world.session("abandoned").await;
    world.sandbox.abandon_checkout(&CheckoutSessionId::new(abandoned.as_str())).await.unwrap();
    let path = format!("/v2/checkoutSessions/{abandoned}");
    assert_eq!(world.status_of(&path).await.1, "BuyerCanceled");
    let seen = world.call("PATCH", &path, None, &described("Confirm", "")).await;
    assert_eq!(reason(&seen), (422, "CheckoutSessionCanceled"));
    let forgotten = format!("/v2/checkoutSessions/{}", world.session("forgotten").await);
    world.sandbox.advance_clock(DAY + Duration::from_secs(1)).await.unwrap();
    assert_eq!(world.reaches(&forgotten, "Canceled").await.1, "Expired");
    assert!(world.totals().await.is_empty());
}

#[tokio::test]
async fn what_is_said_of_a_session_is_judged() {
    let world = World::start().await;
    let bad = (400, "InvalidParameterValue");
    let euros = r#"{"paymentDetails":{"chargeAmount":{"amount":"1.00","currencyCode":"EUR"}}}"#;
    for (number, (body, expected)) in [
        (r#"{"webCheckoutDetails":{"checkoutCancelUrl":"ftp://shop.example/"}}"#, bad),
        (r#"{"chargePermissionType":"Forever"}"#, bad),
        (r#"{"deliverySpecifications":{"specialRestrictions":["RestrictMoon"]}}"#, bad),
        (r#"{"recurringMetadata":{"frequency":{"unit":"Month","value":"often"}}}"#, bad),
        (r#"{"paymentDetails":{"paymentIntent":"Maybe"}}"#, bad),
        (r#"{"paymentDetails":{"presentmentCurrency":"XAU"}}"#, bad),
        (euros, bad),
        (r#"{"paymentDetails":{"softDescriptor":"Shop"}}"#, (400, "InvalidParameterCombination")),
        (
            r#"{"paymentDetails":{"presentmentCurrency":"EUR","chargeAmount":{"amount":"1.00","currencyCode":"USD"}}}"#,
            (400, "CurrencyMismatch"),
        ),
        (
            r#"{"webCheckoutDetails":{"amazonPayRedirectUrl":"https://shop.example/"}}"#,
            (400, "UnrecognizedField"),
        ),
        (r#"{"scopes":[]}"#, (400, "UnrecognizedField")),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("k{number}");
        let seen = world.call("POST", "/v2/checkoutSessions", Some(&key), body).await;
        assert_eq!(reason(&seen), expected, "{body}");
    }
}

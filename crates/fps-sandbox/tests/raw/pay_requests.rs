//! Amazon Pay, request by request: what is refused, and with which status and reason.

use fps_sandbox::{ChargePermissionSpec, MerchantSpec, Region};
use refund_rules::{Currency, Money};

use crate::pay::{also, charge_of, json, price, status};
use crate::world::{World, between, reason, refund_of, usd};

#[tokio::test]
async fn charges_are_judged_field_by_field() {
    let world = World::start().await;
    let permission = world.permission("200000.00").await;
    let with = |more: &str| charge_of(&permission, "10.00", more);
    let amount = |amount: &str| charge_of(&permission, amount, "");
    let bad = (400, "InvalidParameterValue");
    for (number, (body, expected)) in [
        (with(r#","captureNow":"yes""#), bad),
        (with(r#","channel":"Telex""#), bad),
        (with(r#","chargeInitiator":"XXXX""#), bad),
        (with(r#","webCheckoutDetails":{"checkoutResultReturnUrl":"no address"}"#), bad),
        (with(r#","captureNow":true,"softDescriptor":"a text of 17 bytes""#), bad),
        (with(r#","softDescriptor":"Shop""#), (400, "InvalidParameterCombination")),
        (
            with(r#","captureNow":false,"softDescriptor":"Shop""#),
            (400, "InvalidParameterCombination"),
        ),
        (with(r#","unknown":1"#), (400, "UnrecognizedField")),
        (amount("0.00"), bad),
        (amount("-1.00"), bad),
        (amount("1.001"), bad),
        (amount("150000.01"), (400, "TransactionAmountExceeded")),
        (amount("1.00").replace("USD", "EUR"), bad),
        (amount("1.00").replace("USD", "XXX"), bad),
        (
            amount("1.00").replace(permission.as_str(), "S01-0000000-0000000"),
            (404, "ResourceNotFound"),
        ),
        ("[]".to_owned(), (400, "InvalidRequestFormat")),
        (String::new(), (400, "InvalidRequestFormat")),
        ("{}".to_owned(), (400, "MissingParameterValue")),
    ]
    .into_iter()
    .enumerate()
    {
        let seen = world.create_charge(&format!("k{number}"), &body).await;
        assert_eq!(reason(&seen), expected, "{body}: {}", seen.1);
    }
    assert_eq!(world.create_charge("most", &amount("150000.00")).await.0, 201);
    // What could not be read has left its key free.
    assert_eq!(world.create_charge("k0", &amount("1.00")).await.0, 201);
}

#[tokio::test]
async fn captures_and_cancellations_are_judged_by_amount_and_state() {
    let world = World::start().await;
    let give = |amount: &'static str| world.sandbox.capture_charge(&world.merchant, usd(amount));
    let id = |charge: fps_model::amazon_pay::ChargeId| charge.as_str().to_owned();
    let pending = id(give("10.00").pending().create().await.unwrap());
    let capturing = id(give("10.00").capturing().create().await.unwrap());
    let captured = id(give("10.00").create().await.unwrap());
    let declined = id(give("10.00").declined("HardDeclined").create().await.unwrap());
    let canceled = id(give("10.00").canceled("AmazonCanceled").create().await.unwrap());
    let authorized = world.authorized("10.00").await;
    let wrong = (422, "InvalidChargeStatus");
    for (charge, amount, expected) in [
        (pending.as_str(), "1.00", wrong),
        (&capturing, "1.00", wrong),
        (&captured, "1.00", wrong),
        (&declined, "1.00", wrong),
        (&canceled, "1.00", wrong),
        (&authorized, "10.01", (400, "TransactionAmountExceeded")),
        (&authorized, "0.00", (400, "InvalidParameterValue")),
        ("S01-0000000-0000000-C000000", "1.00", (404, "ResourceNotFound")),
    ] {
        let key = format!("{}-{}", &charge[20..], amount.replace('.', "-"));
        let seen = world.capture(charge, &key, amount).await;
        assert_eq!(reason(&seen), expected, "{charge} {amount}");
    }
    for charge in [&capturing, &captured, &declined, &canceled] {
        assert_eq!(reason(&world.cancel(charge).await), wrong, "{charge}");
    }
    for charge in [&pending, &authorized] {
        let seen = world.cancel(charge).await;
        assert_eq!(seen.0, 200, "{}", seen.1);
        assert_eq!(status(&seen), ("Canceled".to_owned(), "MerchantCanceled".to_owned()));
        assert_eq!(json(&seen)["statusDetails"]["reasonDescription"], "out of stock");
        assert_eq!(reason(&world.cancel(charge).await), wrong, "only once");
    }
    let path = format!("/v2/charges/{authorized}/cancel");
    let seen = world.call("DELETE", &path, None, "").await;
    assert_eq!(seen.0, 400, "a reason is needed: {}", seen.1);
}

#[tokio::test]
async fn methods_paths_and_regions_are_known() {
    let world = World::start().await;
    for (method, path, expected) in [
        ("GET", "/v2/charges", (405, "RequestNotSupported")),
        ("PATCH", "/v2/charges/C", (405, "RequestNotSupported")),
        ("POST", "/v2/charges/C/cancel", (405, "RequestNotSupported")),
        ("DELETE", "/v2/charges/C/capture", (405, "RequestNotSupported")),
        ("POST", "/v2/chargePermissions/P", (405, "RequestNotSupported")),
        ("GET", "/v2/buyers/B", (404, "ResourceNotFound")),
        ("GET", "/v1/charges/C", (404, "ResourceNotFound")),
        ("GET", "/live/v2/charges/C", (403, "InvalidAuthentication")),
        ("GET", "/sandbox/v2/charges/C/", (404, "ResourceNotFound")),
        ("GET", "/v2/chargePermissions/P", (404, "ResourceNotFound")),
        ("GET", "/v2/checkoutSessions/S", (404, "ResourceNotFound")),
        ("GET", "/v2/charges/a%2Fb", (400, "InvalidParameterValue")),
    ] {
        let seen = world.call(method, path, None, "").await;
        assert_eq!(reason(&seen), expected, "{method} {path}");
    }
    let mut request = world.pay_request("GET", "/v2/charges/C", None, "");
    for (region, expected) in [("NA", 404), ("de", 404), ("xx", 400)] {
        request.headers[4].1 = region.to_owned();
        assert_eq!(world.pay(request.clone()).await.0, expected, "{region}");
    }
}

#[tokio::test]
async fn yen_have_no_decimals_and_regions_have_their_currencies() {
    let spec = MerchantSpec::new("Tokyo").region(Region::Japan);
    let world = World::with(spec, crate::world::LONG).await;
    let yen = Money::parse("20000000", Currency::JPY).unwrap();
    let made = ChargePermissionSpec::one_time(yen);
    let permission = world.sandbox.create_charge_permission(&world.merchant, made).await.unwrap();
    assert!(permission.as_str().starts_with("S03-"));
    let dollars = ChargePermissionSpec::one_time(usd("1.00"));
    world.sandbox.create_charge_permission(&world.merchant, dollars).await.unwrap_err();
    for (amount, expected) in [
        ("100.50", (400, "InvalidParameterValue")),
        ("10000001", (400, "TransactionAmountExceeded")),
    ] {
        let body = charge_of(&permission, amount, "").replace("USD", "JPY");
        assert_eq!(reason(&world.create_charge(amount, &body).await).0, expected.0);
    }
    let body = charge_of(&permission, "10000000", r#","captureNow":true"#).replace("USD", "JPY");
    let seen = world.create_charge("k", &body).await;
    assert_eq!(seen.0, 201, "{}", seen.1);
    let json = json(&seen);
    assert_eq!(json["captureAmount"]["amount"], "10000000");
    assert_eq!(json["refundedAmount"]["amount"], "0");
}

#[tokio::test]
async fn simulation_codes_belong_to_operations() {
    let world = World::start().await;
    let permission = world.permission("1000.00").await;
    let charge = world.authorized("10.00").await;
    let refund = refund_of(&world.charge("10.00", "0.30").await, "1.00");
    let body = charge_of(&permission, "1.00", "");
    let capture = format!("/v2/charges/{charge}/capture");
    let captured = format!(r#"{{"captureAmount":{}}}"#, price("1.00"));
    let wrong = (400, "InvalidSandboxSimulationSpecified");
    for (code, path, body, expected) in [
        ("SoftDeclined", "/v2/charges", &body, (422, "SoftDeclined")),
        ("HardDeclined", "/v2/charges", &body, (422, "HardDeclined")),
        ("AmazonRejected", "/v2/charges", &body, (422, "AmazonRejected")),
        ("TransactionTimedOut", "/v2/charges", &body, (422, "TransactionTimedOut")),
        ("ProcessingFailure", "/v2/charges", &body, (500, "ProcessingFailure")),
        ("AuthorizationInitiated", "/v2/charges", &body, wrong),
        ("CaptureInitiated", "/v2/charges", &body, wrong),
        ("AmazonClosed", "/v2/charges", &body, wrong),
        ("HardDeclined", &capture, &captured, wrong),
        ("SoftDeclined", "/v2/refunds", &refund, wrong),
        ("BuyerCanceled", "/v2/checkoutSessions", &"{}".to_owned(), wrong),
    ] {
        let seen = world.simulate(code, "POST", path, Some(code), body).await;
        assert_eq!(reason(&seen), expected, "{code} {path}");
    }
    let path = format!("/v2/charges/{charge}");
    let seen = world.simulate("SoftDeclined", "GET", &path, None, "").await;
    assert_eq!(reason(&seen), wrong);
    // 5xx is not remembered: the same request succeeds without the code.
    assert_eq!(world.create_charge("ProcessingFailure", &body).await.0, 201);
    assert_eq!(reason(&world.create_charge("SoftDeclined", &body).await), (422, "SoftDeclined"));
}

#[tokio::test]
async fn a_simulated_decline_of_a_refund_comes_later_or_at_once() {
    let world = crate::pay::slow_world().await;
    let charge = world.charge("100.00", "3.00").await;
    let body = refund_of(&charge, "10.00");
    for code in ["AmazonRejected", "ProcessingFailure"] {
        let seen = world.simulate(code, "POST", "/v2/refunds", Some(code), &body).await;
        assert_eq!(seen.0, 201, "{}", seen.1);
        let path = format!("/v2/refunds/{}", between(&seen.1, r#""refundId":""#, "\""));
        assert_eq!(world.status_of(&path).await.0, "RefundInitiated");
        world.sandbox.advance_clock(std::time::Duration::from_secs(61)).await.unwrap();
        assert_eq!(world.reaches(&path, "Declined").await.1, code);
    }
    for (code, expected) in [("AmazonRejected", 422), ("ProcessingFailure", 500)] {
        let mut request = world.pay_request("POST", "/v2/refunds", Some("at-once"), &body);
        request.unsigned =
            vec![("x-amz-pay-simulation-code", code), ("x-fps-sandbox-timing", "at-once")];
        request.headers[5].1 = format!("at-once-{code}")[..20].to_owned();
        assert_eq!(reason(&world.pay(request).await), (expected, code));
    }
    assert_eq!(world.totals().await[0].refunding, usd("0.00"));
    world.sandbox.verify_books().await.unwrap();
}

/// What is done with a key again, and what comes of it.
enum Again {
    /// The first answer, to the letter.
    Same,
    /// 400 `DuplicateIdempotencyKey`.
    Duplicate,
    /// Something new is done.
    New,
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    use Again::{Duplicate, New, Same};
    let world = World::start().await;
    let permission = world.permission("100000.00").await;
    let charge = charge_of(&permission, "10.00", r#","captureNow":true"#);
    let refund = refund_of(&world.charge("1000.00", "3.00").await, "10.00");
    let authorized = [world.authorized("10.00").await, world.authorized("10.00").await];
    let capture = format!(r#"{{"captureAmount":{}}}"#, price("4.00"));
    let session = r#"{"storeId":"amzn1.application-oa2-client.example"}"#.to_owned();
    let paths = [
        "/v2/charges".to_owned(),
        "/v2/refunds".to_owned(),
        format!("/v2/charges/{}/capture", authorized[0]),
        "/v2/checkoutSessions".to_owned(),
    ];
    let spaced = |body: &str| body.replace(':', " : ").replace(',', " ,\n");
    for (number, (path, body)) in
        paths.iter().zip([&charge, &refund, &capture, &session]).enumerate()
    {
        let key = format!("key{number}");
        let first = world.pay_request("POST", path, Some(&key), body);
        let answer = world.pay(first.clone()).await;
        assert!(answer.0 < 300, "{}", answer.1);
        let mut later = first.clone();
        later.headers[2].1 = crate::world::in_minutes(5).to_basic();
        let other_key = world.pay_request("POST", path, Some(&format!("other{number}")), body);
        let slashed = world.pay_request("POST", &format!("{path}/"), Some(&key), body);
        let in_sandbox = world.pay_request("POST", &format!("/sandbox{path}"), Some(&key), body);
        let reordered = reordered(body);
        let cases = [
            (first.clone(), Same),
            (later, Same),
            (also(&first, &spaced(body)), Same),
            (also(&first, &reordered), Same),
            (slashed, Same),
            (in_sandbox, Same),
            (
                also(
                    &first,
                    &body
                        .replace("10.00", "11.00")
                        .replace("4.00", "5.00")
                        .replace("amzn1", "amzn2"),
                ),
                Duplicate,
            ),
            (also(&first, &body.replacen('}', r#","unknown":1}"#, 1)), Duplicate),
            (also(&first, "{}"), Duplicate),
            (also(&first, "not json"), Duplicate),
            (other_key, New),
        ];
        for (at, (request, expected)) in cases.into_iter().enumerate() {
            let seen = world.pay(request).await;
            match expected {
                Same => assert_eq!(seen, answer, "{path} {at}"),
                Duplicate => {
                    assert_eq!(reason(&seen), (400, "DuplicateIdempotencyKey"), "{path} {at}");
                }
                New => assert_ne!(seen, answer, "{path} {at}"),
            }
        }
        assert_eq!(world.pay(first).await, answer, "{path}: after all that");
    }
    // A key of a capture does not serve another charge, and keys of different operations do not meet.
    let elsewhere = format!("/v2/charges/{}/capture", authorized[1]);
    let seen = world.call("POST", &elsewhere, Some("key2"), &capture).await;
    assert_eq!(reason(&seen), (400, "DuplicateIdempotencyKey"));
    assert_eq!(world.call("POST", &elsewhere, Some("key0"), &capture).await.0, 200);
    // Keys are a merchant's own.
    world.sandbox.verify_books().await.unwrap();
}

/// The same object with its fields in another order.
fn reordered(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let fields = value.as_object().unwrap().iter().rev();
    let fields: Vec<String> = fields.map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", fields.join(","))
}

#[tokio::test]
async fn keys_have_a_form_and_are_for_posts() {
    let world = World::start().await;
    let permission = world.permission("1000.00").await;
    let body = charge_of(&permission, "1.00", "");
    for (key, expected) in [
        (None, (400, "MissingHeader")),
        (Some(""), (400, "MissingHeaderValue")),
        (Some("with space"), (400, "InvalidHeaderValue")),
        (Some("dots.are.not"), (400, "InvalidHeaderValue")),
        (Some("abcdefghijklmnopqrstuvwxyz1234567"), (400, "InvalidHeaderValue")),
    ] {
        let seen = world.call("POST", "/v2/charges", key, &body).await;
        assert_eq!(reason(&seen), expected, "{key:?}");
    }
    let longest = "abcdefghijklmnopqrstuvwxyz_-3456";
    let first = world.create_charge(longest, &body).await;
    assert_eq!(first.0, 201);
    // A key on a GET says nothing: what is read is what is there now.
    let path = format!("/v2/charges/{}", between(&first.1, r#""chargeId":""#, "\""));
    let read = world.call("GET", &path, Some("read"), "").await;
    assert_eq!(status(&read).0, "Authorized");
    world.cancel(between(&first.1, r#""chargeId":""#, "\"")).await;
    assert_eq!(status(&world.call("GET", &path, Some("read"), "").await).0, "Canceled");
}

#[tokio::test]
async fn a_suspended_account_is_refused_after_its_signature() {
    let world = World::start().await;
    let charge = world.charge("10.00", "0.30").await;
    let world = world.restart(crate::world::LONG, "UPDATE merchant SET status = 'suspended'").await;
    let path = format!("/v2/charges/{charge}");
    assert_eq!(reason(&world.get(&path).await), (403, "InvalidAccountStatus"));
    let world = world.restart(crate::world::LONG, "UPDATE merchant SET status = 'active'").await;
    assert_eq!(world.get(&path).await.0, 200);
}

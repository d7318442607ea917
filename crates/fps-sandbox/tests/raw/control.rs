//! The control API: what it makes is what the services serve, and its document tells the truth.

mod hostile;
mod schema;

use std::collections::BTreeSet;

use bytes::Bytes;
use fps_http::testing::Inbox;
use fps_model::Timestamp;
use fps_sandbox::{MerchantSpec, Seed};
use serde_json::{Value, json};

use crate::world::{LONG, World, between, refund, refund_id, refund_of};

/// The control API of a world.
trait Client {
    async fn control(&self, method: &str, path: &str, body: &str) -> (u16, String);
    async fn make(&self, method: &str, path: &str, body: Value) -> Value;
    async fn look(&self, path: &str) -> Value;
}

impl Client for World {
    async fn control(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}/_sandbox/{path}", self.sandbox.url()))
            .header("content-type", "application/json");
        self.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
    }

    async fn make(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.control(method, path, &body.to_string()).await;
        assert!(matches!(status, 200 | 201), "{method} {path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn look(&self, path: &str) -> Value {
        let (status, body) = self.control("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

fn usd_of(amount: &str) -> Value {
    json!({"amount": amount, "currencyCode": "USD"})
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Every operation once: its method, its route, the id or the query, and the body.
fn walk<'a>(
    payment: &'a str,
    refund: &'a str,
    mine: &'a str,
    pay: Value,
    seed: Value,
) -> Vec<(&'static str, &'static str, &'a str, Value)> {
    vec![
        ("get", "/health", "", json!(null)),
        ("get", "/openapi.json", "", json!(null)),
        ("post", "/instruments", "", json!({"kind": "prepaid", "id": "credit"})),
        ("get", "/instruments", "", json!(null)),
        ("post", "/tokens", "", json!({"method": "prepaid", "instrument": "credit"})),
        ("get", "/tokens", "state=active", json!(null)),
        ("post", "/payments", "", pay),
        ("get", "/payments", "service=amazon-pay&limit=1", json!(null)),
        ("get", "/payments/{id}", payment, json!(null)),
        ("put", "/outcomes/payments/{id}", payment, json!({"reason": "ProcessingFailure"})),
        ("delete", "/outcomes/payments/{id}", payment, json!(null)),
        ("put", "/outcomes/refunds/{id}", refund, json!({})),
        ("delete", "/outcomes/refunds/{id}", refund, json!(null)),
        ("put", "/outcomes/next", "", json!({"count": 2})),
        ("get", "/outcomes/next", "", json!(null)),
        ("delete", "/outcomes/next", "", json!(null)),
        (
            "put",
            "/faults",
            "",
            json!({"seed": 7, "rules": [{"operation": "None", "perMille": 5,
                "fault": {"kind": "error-after", "status": 503}}]}),
        ),
        (
            "post",
            "/faults",
            "",
            json!({"service": "amazon-pay", "key": "k", "nth": 2, "times": 1,
                "fault": {"kind": "truncate", "after": 9}}),
        ),
        ("get", "/faults", "", json!(null)),
        ("delete", "/faults/{id}", "1", json!(null)),
        ("get", "/refunds", mine, json!(null)),
        ("get", "/movements", "limit=2", json!(null)),
        ("get", "/answers", "", json!(null)),
        ("get", "/notifications", "", json!(null)),
        ("post", "/notifications/{id}/resend", "1", json!({})),
        ("get", "/totals", "", json!(null)),
        ("get", "/verify", "", json!(null)),
        ("get", "/clock", "", json!(null)),
        ("post", "/clock", "", json!({"advance": "1s"})),
        ("post", "/seed", "", seed),
        ("post", "/merchants", "", json!({"name": "Third"})),
        ("get", "/merchants", "", json!(null)),
        ("get", "/audit", "", json!(null)),
        ("delete", "/audit", "", json!(null)),
        ("post", "/reset", "", json!({"keepMerchants": true})),
    ]
}

#[tokio::test]
async fn each_route_is_documented_and_answers_as_documented() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Documented").notification_url(inbox.url("/ipn"));
    let world = World::with(spec, LONG).await;
    let document = world.look("openapi.json").await;
    let pay = json!({"service": "flexible-payments", "amount": usd_of("5")});
    let charge = json!({"service": "amazon-pay", "amount": usd_of("100"), "state": "completed"});
    let payment = text(&world.make("POST", "payments", charge.clone()).await["id"]);
    world.make("POST", "payments", pay.clone()).await;
    let refund = world.create_refund("key", &refund_of(&payment, "1")).await;
    let refund = refund_id(&refund).to_owned();
    let seed = json!({"merchants": [{"name": "Other"}], "payments": [{
        "service": "amazon-pay", "amount": usd_of("1"), "merchant": "Other"}]});
    let mine = format!("merchant={}", world.merchant.access_key_id);
    let walk = walk(&payment, &refund, &mine, pay, seed);
    let mut walked = BTreeSet::new();
    for (method, route, detail, body) in walk {
        let path = match route.contains("{id}") {
            true => route.replace("{id}", detail),
            false => format!("{route}?{detail}"),
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = world.control(&method.to_uppercase(), &path[1..], &body).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let operation = &document["paths"][format!("/_sandbox{route}")][method];
        let told = &operation["responses"][status.to_string()];
        assert!(told.is_object(), "{method} {route}: undocumented {status}: {answer}");
        let shape = &told["content"]["application/json"]["schema"];
        assert_eq!(schema::misfit(&document, shape, &answer, route), None);
        if !body.is_empty() {
            let shape = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body: Value = serde_json::from_str(&body).unwrap();
            if shape.is_object() {
                assert_eq!(schema::misfit(&document, shape, &body, route), None);
            }
        }
        assert!(walked.insert((format!("/_sandbox{route}"), method.to_owned())));
    }
    let documented = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))
    });
    assert_eq!(walked, documented.collect(), "every operation, and nothing else");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "whoever changes a route writes the document anew")]
async fn the_document_in_the_repository_is_the_one_that_is_served() {
    let world = World::start().await;
    let served = serde_json::to_string_pretty(&world.look("openapi.json").await).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sandbox-control.openapi.json");
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(kept == served, "run this test with WRITE_REFERENCE=1 to write the document anew");
}

#[tokio::test]
async fn faults_are_told_over_http_and_met() {
    let world = World::start().await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "1.00");
    let rule = json!({"operation": "CreateRefund", "times": 1, "fault": {"kind": "throttle"}});
    let made = world.make("POST", "faults", rule.clone()).await;
    assert_eq!(made["rule"], rule);
    assert_eq!(world.create_refund("key", &body).await.0, 429);
    assert_eq!(world.create_refund("key", &body).await.0, 201);
    let met = &world.look("faults").await["items"][0];
    assert_eq!((&met["matched"], &met["applied"]), (&json!(2), &json!(1)));
    world.make("PUT", "faults", json!({"rules": []})).await;
    assert_eq!(world.look("faults").await["items"], json!([]));
}

#[tokio::test]
async fn problems_say_what_is_wrong() {
    let world = World::start().await;
    for (method, path, body, status, part) in [
        ("GET", "nothing", "", 404, "nothing at this address"),
        ("PUT", "clock", "{}", 405, "does not take that method"),
        ("GET", "payments/none", "", 404, "There is no such payment."),
        ("GET", "payments?limit=0", "", 400, "`limit` is not a number from 1 to 1000"),
        ("GET", "payments?colour=red", "", 400, "`colour` is not one of merchant"),
        ("GET", "payments?merchant=Nobody", "", 404, "There is no such merchant."),
        ("POST", "payments", "{", 400, "The body cannot be read"),
        ("POST", "merchants", r#"{"nam":"x"}"#, 400, "unknown field `nam`"),
        (
            "POST",
            "merchants",
            r#"{"name":"x","notificationUrl":"https://a.example"}"#,
            422,
            "http on this machine",
        ),
        (
            "POST",
            "faults",
            r#"{"fault":{"kind":"error-after","status":200}}"#,
            422,
            "one from 500 to 599",
        ),
        ("PUT", "faults", r#"{"rules":[{"fault":{"kind":"explode"}}]}"#, 400, "explode"),
        ("DELETE", "faults/9", "", 404, "There is no such fault rule."),
        ("POST", "clock", r#"{"advance":"1y"}"#, 422, "`1y` is not a span of time"),
        ("POST", "clock", r#"{"to":"2001-01-01T00:00:00Z"}"#, 422, "The clock goes forward only."),
        ("POST", "clock", "{}", 422, "either by `advance` or with `to`"),
        ("POST", "clock", r#"{"advance":"9999999d"}"#, 422, "the year 9999"),
        ("POST", "tokens", r#"{"method":"cash"}"#, 422, "`cash` is not one of card"),
        ("POST", "tokens", r#"{"instrument":"none"}"#, 422, "is not there"),
        ("PUT", "outcomes/refunds/none", "{}", 404, "There is no such refund."),
        ("POST", "notifications/7/resend", "{}", 404, "There is no such notification."),
        (
            "POST",
            "payments",
            r#"{"service":"amazon-pay","operation":"pay","amount":{"amount":"1","currencyCode":"USD"}}"#,
            422,
            "Charges are of Amazon Pay",
        ),
        (
            "POST",
            "payments",
            r#"{"service":"amazon-pay","amount":{"amount":"1.005","currencyCode":"USD"}}"#,
            400,
            "The body cannot be read",
        ),
    ] {
        let (seen, answer) = world.control(method, path, body).await;
        assert_eq!(seen, status, "{method} {path}: {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(text(&answer["error"]).contains(part), "{method} {path}: {answer}");
    }
    assert_eq!(world.look("payments").await["items"], json!([]));
}

#[tokio::test]
async fn payments_are_made_in_every_state_of_both_services() {
    let world = World::start().await;
    for (state, charge, transaction) in [
        ("pending", "AuthorizationInitiated", "Pending"),
        ("reserved", "Authorized", "Reserved"),
        ("capturing", "CaptureInitiated", "Pending"),
        ("completed", "Captured", "Success"),
        ("failed", "Declined", "Failure"),
        ("cancelled", "Canceled", "Cancelled"),
    ] {
        let spec = |service: &str, operation: &str| {
            json!({"service": service, "operation": operation, "state": state, "reason": "Why",
                "amount": usd_of("20")})
        };
        let made = world.make("POST", "payments", spec("amazon-pay", "charge")).await;
        assert_eq!(made["state"], state);
        let seen = world.get(&format!("/v2/charges/{}", text(&made["id"]))).await;
        assert_eq!(between(&seen.1, r#""state":""#, "\""), charge, "{seen:?}");
        let made = world.make("POST", "payments", spec("flexible-payments", "reserve")).await;
        assert_eq!(made["state"], state);
        let status = fps_model::flexible_payments::GetTransactionStatus::new(text(&made["id"]));
        let seen = world.fps(&status).await;
        let seen = between(&seen.1, "<TransactionStatus>", "</TransactionStatus>");
        assert_eq!(seen, transaction, "{state}");
    }
    let part = json!({"service": "amazon-pay", "amount": usd_of("20"), "captured": usd_of("5"),
        "fee": usd_of("1"), "id": "S01-0000000-0000000-C000000"});
    let made = world.make("POST", "payments", part).await;
    assert_eq!(made["captured"], usd_of("5.00"));
    assert_eq!(world.look("payments?state=completed").await["items"].as_array().unwrap().len(), 3);
    world.look("verify").await;
}

#[tokio::test]
async fn the_clock_goes_forward_and_takes_what_is_due_with_it() {
    let world = World::start().await;
    let spec = json!({"service": "amazon-pay", "amount": usd_of("20"), "state": "reserved"});
    let charge = text(&world.make("POST", "payments", spec).await["id"]);
    let transaction = world.paid("10").await;
    let one = fps_model::flexible_payments::Refund::refund_amount;
    let first = world.fps(&one(refund("reference", &transaction), crate::world::usd("1"))).await;
    world.make("POST", "clock", json!({"advance": "P6D"})).await;
    let again = world.fps(&one(refund("reference", &transaction), crate::world::usd("1"))).await;
    assert_eq!(again, first, "six days later it is the same refund");
    world.make("POST", "clock", json!({"advance": "1d1s"})).await;
    let late = world.fps(&one(refund("reference", &transaction), crate::world::usd("1"))).await;
    assert_ne!(late, first, "seven days later it is another one");
    world.make("POST", "clock", json!({"advance": "30d"})).await;
    let path = format!("payments/{charge}");
    let expired = |body: &str| body.contains("ExpiredUnused");
    world.until(async || world.control("GET", &path, "").await, expired).await;
    assert_eq!(world.look("clock").await["aheadMillis"], json!((37 * 86_400 + 1) * 1_000_i64));
}

#[tokio::test]
async fn refunds_are_declined_as_arranged() {
    let world = World::start().await;
    let charge = world.charge("100", "0").await;
    let mut refunds = Vec::new();
    world.make("PUT", "outcomes/next", json!({"count": 2, "reason": "ProcessingFailure"})).await;
    for key in ["a", "b", "c", "d"] {
        let seen = world.create_refund(key, &refund_of(&charge, "1")).await;
        refunds.push(refund_id(&seen).to_owned());
    }
    world.make("PUT", &format!("outcomes/refunds/{}", refunds[3]), json!({})).await;
    world.make("DELETE", &format!("outcomes/refunds/{}", refunds[1]), json!({})).await;
    assert_eq!(world.look("outcomes/next").await["count"], 0);
    world.make("POST", "clock", json!({"advance": "2h"})).await;
    let mut ends = Vec::new();
    for refund in &refunds {
        ends.push(world.end_of(refund).await);
    }
    assert_eq!(ends, ["Declined", "Refunded", "Refunded", "Declined"]);
    let listed = world.look(&format!("refunds?subject={charge}&state=declined")).await;
    let reasons = listed["items"].as_array().unwrap().iter().map(|item| text(&item["reason"]));
    assert_eq!(reasons.collect::<Vec<_>>(), ["ProcessingFailure", "AmazonRejected"]);
    world.look("verify").await;
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let world = World::start().await;
    for _ in 0..5 {
        world.charge("1", "0").await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.look(&format!("payments?limit=2{after}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])));
        match page["next"].as_i64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 5);
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn a_notification_is_sent_once_more_when_it_is_asked_for() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Notified").notification_url(inbox.url("/ipn"));
    let world = World::with(spec, LONG).await;
    let transaction = world.paid("1").await;
    let first = inbox.answer(200, "").await;
    let path = format!("notifications?subject={transaction}&state=delivered");
    let delivered = |body: &str| body.contains(r#""state":"delivered""#);
    let (_, body) = world.until(async || world.control("GET", &path, "").await, delivered).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let id = body["items"][0]["id"].as_i64().unwrap();
    assert_eq!(body["items"][0]["attempts"], 1);
    world.make("POST", &format!("notifications/{id}/resend"), json!({})).await;
    assert_eq!(inbox.answer(200, "").await.body, first.body);
}

const SEED: &str = r#"{
    "merchants": [{"name": "Shop"}, {"name": "Second"}],
    "instruments": [{"merchant": "Shop", "kind": "prepaid", "id": "credit"}],
    "tokens": [{"merchant": "Shop", "method": "balance", "callerReference": "T"}],
    "payments": [
        {"merchant": "Shop", "service": "amazon-pay", "amount": {"amount": "100.00", "currencyCode": "USD"}},
        {"merchant": "Second", "service": "flexible-payments", "amount": {"amount": "7", "currencyCode": "USD"},
         "state": "pending", "dueIn": "1h"},
        {"merchant": "Shop", "service": "flexible-payments", "operation": "fund-prepaid", "instrument": "credit",
         "amount": {"amount": "25", "currencyCode": "USD"}}],
    "declineNext": {"count": 1}
}"#;

async fn still(seed: u64) -> World {
    World::configured(MerchantSpec::new("First"), |config| {
        let start = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        config.seed(seed).still_clock(start).processing(LONG)
    })
    .await
}

#[tokio::test]
async fn a_seed_file_gives_the_same_bytes_twice() {
    let (one, two) = (still(42).await, still(42).await);
    let first = one.control("POST", "seed", SEED).await;
    assert_eq!(first.0, 201, "{}", first.1);
    assert_eq!(first, two.control("POST", "seed", SEED).await);
    assert_eq!(one.look("payments").await, two.look("payments").await);
    assert_eq!(one.look("movements").await, two.look("movements").await);
    assert_eq!(one.look("instruments").await["items"][0]["balance"], usd_of("25.00"));
    one.look("verify").await;
    // Emptied, it begins again.
    for world in [&one, &two] {
        world.make("POST", "reset", json!({})).await;
        assert_eq!(world.look("merchants").await["items"], json!([]));
    }
    let again = one.control("POST", "seed", SEED).await;
    assert_eq!(again.0, 201);
    one.make("POST", "reset", json!({})).await;
    assert_eq!(again, one.control("POST", "seed", SEED).await);
    assert_eq!(again, two.control("POST", "seed", SEED).await);
    one.look("verify").await;
}

#[tokio::test]
async fn a_seed_that_fails_leaves_nothing_behind() {
    let world = World::start().await;
    let before = world.look("merchants").await;
    let bad = SEED.replace("fund-prepaid", "steal");
    let (status, answer) = world.control("POST", "seed", &bad).await;
    assert_eq!(status, 422);
    assert!(answer.contains("`steal` is no operation of a payment"), "{answer}");
    assert_eq!(world.look("merchants").await, before);
    assert_eq!(world.look("payments").await["items"], json!([]));
    assert!(Seed::from_json(b"{\"merchant\": []}").is_err());
}

#[tokio::test]
async fn a_reset_may_leave_merchants_with_their_keys() {
    let world = World::start().await;
    let charge = world.charge("10", "0").await;
    world.create_refund("key", &refund_of(&charge, "1")).await;
    world.make("POST", "reset", json!({"keepMerchants": true})).await;
    assert_eq!(world.get(&format!("/v2/charges/{charge}")).await.0, 404);
    let fresh = world.charge("10", "0").await;
    // The key of before is forgotten with the rest.
    assert_eq!(world.create_refund("key", &refund_of(&fresh, "2")).await.0, 201);
    world.look("verify").await;
    assert_eq!(world.totals().await.len(), 1);
}

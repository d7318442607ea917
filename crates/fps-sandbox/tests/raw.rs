//! The sandbox as a client sees it on the wire: requests made by hand, answers read as they come.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

use std::time::Duration;

use bytes::Bytes;
use fps_http::{HyperTransport, Transport, Trust};
use fps_model::flexible_payments::{Dialect, Refund};
use fps_model::{CallerReference, Operation, Params, Timestamp};
use fps_sandbox::{Config, ErrorKind, Merchant, MerchantSpec, Sandbox};
use fps_sign::query::{Credentials, SignatureMethod};
use fps_sign::{PrivateKey, Target, amazon_pay, query};
use refund_rules::{Currency, Method, Money};
use tempfile::TempDir;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a request made by hand needs a date")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

/// A sandbox with one merchant and a way to talk to it.
struct World {
    folder: TempDir,
    sandbox: Sandbox,
    merchant: Merchant,
    transport: HyperTransport,
}

/// Status and body of an answer.
type Seen = (u16, String);

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path().join("s.db")).processing(Duration::from_secs(3600));
        let sandbox = Sandbox::start(config).await.unwrap();
        let merchant = sandbox.create_merchant(MerchantSpec::new("Test Business")).await.unwrap();
        let transport = transport(&sandbox);
        Self { folder, sandbox, merchant, transport }
    }

    fn host(&self) -> &str {
        self.sandbox.url().strip_prefix("https://").unwrap()
    }

    async fn send(&self, request: http::Request<Bytes>) -> Seen {
        let answer = self.transport.call(request, Duration::from_secs(30), 1 << 20).await.unwrap();
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        (answer.status().as_u16(), body)
    }

    /// A completed payment by balance, which takes no time.
    async fn paid(&self, amount: &str) -> String {
        let token = self.sandbox.install_token(&self.merchant, Method::Balance).await.unwrap();
        let mut params = Params::new();
        for (name, value) in [
            ("Action", "Pay"),
            ("Version", "2008-09-17"),
            ("SenderTokenId", token.as_str()),
            ("TransactionAmount.CurrencyCode", "USD"),
            ("TransactionAmount.Value", amount),
            ("CallerReference", token.as_str()),
        ] {
            params.push(name, value);
        }
        let (status, body) = self.post(&self.signed("POST", &params)).await;
        assert_eq!(status, 200, "{body}");
        between(&body, "<TransactionId>", "</TransactionId>").to_owned()
    }

    fn signed(&self, method: &str, params: &Params) -> Params {
        self.signed_at(method, params, &now().to_extended())
    }

    fn signed_at(&self, method: &str, params: &Params, timestamp: &str) -> Params {
        let target = Target::new(method, self.host(), "/");
        let credentials =
            Credentials::new(&*self.merchant.access_key_id, self.merchant.secret_key.clone());
        let hmac = SignatureMethod::HmacSha256;
        let mut signed = params.clone();
        for (name, value) in query::sign(&target, params.iter(), &credentials, hmac, timestamp) {
            signed.push(name, value);
        }
        signed
    }

    async fn post(&self, params: &Params) -> Seen {
        let request = http::Request::post(format!("{}/", self.sandbox.url()));
        self.send(request.body(params.to_form().into()).unwrap()).await
    }

    fn pay_request(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> PayRequest {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-amz-pay-date".to_owned(), now().to_basic()),
            ("x-amz-pay-host".to_owned(), self.host().to_owned()),
            ("x-amz-pay-region".to_owned(), "na".to_owned()),
        ];
        if let Some(key) = key {
            headers.push(("x-amz-pay-idempotency-key".to_owned(), key.to_owned()));
        }
        PayRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: body.to_owned(),
            key_id: self.merchant.public_key_id.clone(),
        }
    }

    async fn pay(&self, request: PayRequest) -> Seen {
        let key = PrivateKey::from_pem(self.merchant.private_key_pem.expose()).unwrap();
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let signed = amazon_pay::Request {
            method: &request.method,
            path: &request.path,
            query: &[],
            headers: &headers,
            body: request.body.as_bytes(),
        };
        let algorithm = amazon_pay::Algorithm::V2;
        let authorization =
            amazon_pay::authorization(&signed, algorithm, &request.key_id, &key).unwrap();
        let mut builder = http::Request::builder()
            .method(&*request.method)
            .uri(format!("{}{}", self.sandbox.url(), request.path))
            .header("authorization", authorization);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        self.send(builder.body(request.body.into()).unwrap()).await
    }

    async fn create_refund(&self, key: &str, body: &str) -> Seen {
        self.pay(self.pay_request("POST", "/v2/refunds", Some(key), body)).await
    }
}

#[derive(Clone)]
struct PayRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    key_id: String,
}

fn transport(sandbox: &Sandbox) -> HyperTransport {
    let trust = Trust::Only(sandbox.ca_pem().to_owned());
    HyperTransport::new(&trust, Duration::from_secs(5)).unwrap()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before} in {text}")).0
}

fn refund(reference: &str, transaction: &str) -> Refund {
    Refund::new(CallerReference::new(reference).unwrap(), transaction)
}

fn encoded(refund: &Refund) -> Params {
    refund.encode(Dialect::default()).unwrap()
}

fn code((status, body): &Seen) -> (u16, &str) {
    (*status, between(body, "<Code>", "</Code>"))
}

fn reason((status, body): &Seen) -> (u16, &str) {
    (*status, between(body, r#""reasonCode":""#, "\""))
}

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
    let send = async |refund: &Refund| world.post(&world.signed("POST", &encoded(refund))).await;
    let part = refund("part", &payment).refund_amount(usd("30.00"));
    let seen = send(&part).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    let refund_id = between(&seen.1, "<TransactionId>", "</TransactionId>").to_owned();
    assert_eq!(send(&part).await, seen, "the same request is answered to the letter");
    let other = refund("part", &payment).refund_amount(usd("30.01"));
    assert_eq!(code(&send(&other).await), (400, "DuplicateRequest"));
    let above = refund("above", &payment).refund_amount(usd("70.01"));
    let refused = send(&above).await;
    assert_eq!(code(&refused), (400, "RefundAmountExceeded"));
    assert_eq!(send(&above).await, refused, "a refusal is repeated to the letter, too");
    assert_eq!(send(&refund("rest", &payment)).await.0, 200);
    let seen = send(&refund("more", &payment)).await;
    assert_eq!(code(&seen), (400, "TransactionFullyRefundedAlready"));
    let seen = send(&refund("refund-of-refund", &refund_id)).await;
    assert_eq!(code(&seen), (400, "TransactionTypeNotRefundable"));
    let unknown = "16".to_owned() + &"X".repeat(33);
    assert_eq!(code(&send(&refund("unknown", &unknown)).await), (400, "InvalidTransactionId"));

    // Another merchant sees nothing of it.
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    let mut world = world;
    world.merchant = other;
    let seen = world.post(&world.signed("POST", &encoded(&refund("r", &payment)))).await;
    assert_eq!(code(&seen), (400, "InvalidTransactionId"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_pending_payment_cannot_be_refunded() {
    let world = World::start().await;
    let token = world.sandbox.install_token(&world.merchant, Method::Card).await.unwrap();
    let mut params = Params::new();
    for (name, value) in [
        ("Action", "Pay"),
        ("Version", "2008-09-17"),
        ("SenderTokenId", token.as_str()),
        ("TransactionAmount.CurrencyCode", "USD"),
        ("TransactionAmount.Value", "5"),
        ("CallerReference", "pay"),
    ] {
        params.push(name, value);
    }
    let seen = world.post(&world.signed("POST", &params)).await;
    assert!(seen.1.contains("<TransactionStatus>Pending</TransactionStatus>"), "{}", seen.1);
    let payment = between(&seen.1, "<TransactionId>", "</TransactionId>");
    let seen = world.post(&world.signed("POST", &encoded(&refund("r", payment)))).await;
    assert_eq!(code(&seen), (400, "OriginalTransactionIncomplete"));
}

#[tokio::test]
async fn amazon_pay_requests_are_checked_in_the_documented_order() {
    let world = World::start().await;
    let charge = world.sandbox.capture_charge(&world.merchant, usd("100.00")).create().await;
    let charge = charge.unwrap();
    let body = format!(
        r#"{{"chargeId":"{}","refundAmount":{{"amount":"1.00","currencyCode":"USD"}}}}"#,
        charge.as_str()
    );
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
    let charge = world.sandbox.capture_charge(&world.merchant, usd("100.00")).create().await;
    let charge = charge.unwrap();
    let body = format!(
        r#"{{"chargeId":"{}","refundAmount":{{"amount":"1.00","currencyCode":"USD"}}}}"#,
        charge.as_str()
    );
    for number in 0..10 {
        assert_eq!(world.create_refund(&format!("k{number}"), &body).await.0, 201);
    }
    let seen = world.create_refund("k10", &body).await;
    assert_eq!(reason(&seen), (422, "TransactionCountExceeded"));
}

#[tokio::test]
async fn a_hundred_copies_of_one_request_are_one_refund() {
    let world = std::sync::Arc::new(World::start().await);
    let charge = world.sandbox.capture_charge(&world.merchant, usd("100.00")).create().await;
    let body = format!(
        r#"{{"chargeId":"{}","refundAmount":{{"amount":"60.00","currencyCode":"USD"}}}}"#,
        charge.unwrap().as_str()
    );
    let copies: Vec<_> = (0..100)
        .map(|_| {
            let (world, body) = (std::sync::Arc::clone(&world), body.clone());
            tokio::spawn(async move { world.create_refund("one", &body).await })
        })
        .collect();
    let mut seen = Vec::new();
    for copy in copies {
        seen.push(copy.await.unwrap());
    }
    assert_eq!(seen[0].0, 201, "{}", seen[0].1);
    assert!(seen.iter().all(|answer| *answer == seen[0]));
    // A blank in the body or the order of its fields make no other request; another amount does.
    assert_eq!(world.create_refund("one", &body.replace(',', ", ")).await, seen[0]);
    let other = world.create_refund("one", &body.replace("60.00", "61.00")).await;
    assert_eq!(reason(&other), (400, "DuplicateIdempotencyKey"));
    let totals = world.sandbox.totals(&world.merchant).await.unwrap();
    assert_eq!(totals[0].refunding, usd("60.00"));
}

#[tokio::test]
async fn writers_that_race_never_pass_the_cap_and_are_not_refused_needlessly() {
    let world = std::sync::Arc::new(World::start().await);
    // Money to give back: another payment that nobody touches.
    world.paid("1000").await;
    let payment = world.paid("100").await;
    let writers: Vec<_> = (0..32)
        .map(|number| {
            let (world, payment) = (std::sync::Arc::clone(&world), payment.clone());
            tokio::spawn(async move {
                let refund = refund(&format!("r{number}"), &payment).refund_amount(usd("9.00"));
                world.post(&world.signed("POST", &encoded(&refund))).await.0
            })
        })
        .collect();
    let mut taken = 0;
    for writer in writers {
        taken += u32::from(writer.await.unwrap() == 200);
    }
    assert_eq!(taken, 11, "11 × 9.00 is the most that fits into 100.00");
    let totals = world.sandbox.totals(&world.merchant).await.unwrap();
    assert_eq!(totals[0].refunded, usd("99.00"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn what_was_answered_is_still_there_after_a_restart() {
    let World { folder, sandbox, merchant, transport: _ } = World::start().await;
    let charge = sandbox.capture_charge(&merchant, usd("100.00")).fee(usd("3.00")).create().await;
    let charge = charge.unwrap();
    let transport = transport(&sandbox);
    let world = World { folder, sandbox, merchant, transport };
    let body = format!(
        r#"{{"chargeId":"{}","refundAmount":{{"amount":"50.00","currencyCode":"USD"}}}}"#,
        charge.as_str()
    );
    let first = world.create_refund("key", &body).await;
    assert_eq!(first.0, 201, "{}", first.1);
    let World { folder, sandbox, merchant, .. } = world;
    sandbox.stop().await.unwrap();

    let config = Config::new(folder.path().join("s.db"));
    let sandbox = Sandbox::start(config).await.unwrap();
    let transport = self::transport(&sandbox);
    let world = World { folder, sandbox, merchant, transport };
    assert_eq!(world.create_refund("key", &body).await, first);
    let totals = world.sandbox.totals(&world.merchant).await.unwrap();
    assert_eq!(totals[0].captured, usd("100.00"));
    assert_eq!(totals[0].refunding, usd("50.00"));
    assert_eq!(totals[0].fees_returned, usd("1.50"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_itself() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("s.db");
    let error = Sandbox::start(Config::new(&database).port(port)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
    assert!(!database.exists(), "nothing is left behind");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_is_not_served() {
    let world = World::start().await;
    let other = World::start().await;
    let request = http::Request::get(world.sandbox.url()).body(Bytes::new()).unwrap();
    let error = other.transport.call(request, Duration::from_secs(5), 1 << 20).await.unwrap_err();
    assert_eq!(error.kind(), fps_http::TransportErrorKind::Connect);
}

#[tokio::test]
async fn notifications_are_posted_until_somebody_takes_them() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let world = World::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/ipn", listener.local_addr().unwrap().port());
    let spec = MerchantSpec::new("Notified").notification_url(url);
    let merchant = world.sandbox.create_merchant(spec).await.unwrap();
    let world = World { merchant, ..world };
    world.paid("1").await;
    let mut bodies = Vec::new();
    for status in ["500 No", "200 OK"] {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        let body = loop {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.unwrap();
            assert_ne!(count, 0, "the request ended early");
            bytes.extend_from_slice(&chunk[..count]);
            let text = std::str::from_utf8(&bytes).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = format!("{}\r\n", head.to_lowercase());
            let length: usize = between(&head, "content-length: ", "\r\n").parse().unwrap();
            if body.len() == length {
                break body.to_owned();
            }
        };
        bodies.push(body);
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    assert_eq!(bodies[0], bodies[1], "the second try says the same");
    assert!(bodies[0].contains("transactionStatus=SUCCESS"), "{}", bodies[0]);
    assert!(bodies[0].contains("signatureMethod=RSA-SHA1"));
}

#[tokio::test]
async fn an_address_for_notifications_is_checked_at_once() {
    let world = World::start().await;
    for url in ["https://shop.example/ipn", "not an address", "ftp://127.0.0.1/"] {
        let spec = MerchantSpec::new("Bad").notification_url(url);
        let error = world.sandbox.create_merchant(spec).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
    }
}

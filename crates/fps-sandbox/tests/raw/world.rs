//! A sandbox with one merchant, and requests to it that are made by hand.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use fps_http::{HyperTransport, Settings, Transport, Trust};
use fps_model::flexible_payments::{Dialect, FlexiblePaymentsApi, Pay, Refund};
use fps_model::{CallerReference, Operation, Params, Timestamp};
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox, Totals};
use fps_sign::query::{Credentials, SignatureMethod};
use fps_sign::{PrivateKey, Target, amazon_pay, query};
use refund_rules::{Currency, Method, Money};
use rusqlite::Connection;
use tempfile::TempDir;

/// So long that nothing ends by itself while a test runs.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

pub(crate) fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

/// The time so many minutes from now.
#[expect(clippy::disallowed_methods, reason = "a request made by hand needs a date")]
pub(crate) fn in_minutes(minutes: i64) -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let millis = i64::try_from(since.as_millis()).unwrap() + minutes * 60_000;
    Timestamp::from_unix_millis(millis).unwrap()
}

/// A sandbox with one merchant and a way to talk to it.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) merchant: Merchant,
    pub(crate) transport: HyperTransport,
}

/// Status and body of an answer.
pub(crate) type Seen = (u16, String);

impl World {
    /// Where nothing that is under way ends.
    pub(crate) async fn start() -> Self {
        Self::with(MerchantSpec::new("Test Business"), LONG).await
    }

    pub(crate) async fn with(spec: MerchantSpec, processing: Duration) -> Self {
        Self::configured(spec, |config| config.processing(processing)).await
    }

    pub(crate) async fn configured(
        spec: MerchantSpec,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = change(Config::new(folder.path().join("s.db")));
        let sandbox = Sandbox::start(config).await.unwrap();
        let merchant = sandbox.create_merchant(spec).await.unwrap();
        let transport = transport(&sandbox);
        Self { folder, sandbox, merchant, transport }
    }

    /// Another sandbox in a folder, with a merchant that it knows.
    pub(crate) fn of(folder: TempDir, sandbox: Sandbox, merchant: Merchant) -> Self {
        let transport = transport(&sandbox);
        Self { folder, sandbox, merchant, transport }
    }

    /// Stops the sandbox, changes its file, and starts another one on it.
    pub(crate) async fn restart(self, processing: Duration, change: &str) -> Self {
        let Self { folder, sandbox, merchant, transport: _ } = self;
        sandbox.stop().await.unwrap();
        let file = folder.path().join("s.db");
        change_file(&file, change);
        Self::on(folder, merchant, processing).await
    }

    /// On a file that is there, with a merchant that is in it.
    pub(crate) async fn on(folder: TempDir, merchant: Merchant, processing: Duration) -> Self {
        let sandbox = start(&folder.path().join("s.db"), processing).await;
        let transport = transport(&sandbox);
        Self { folder, sandbox, merchant, transport }
    }

    /// Stops the sandbox and leaves its file.
    pub(crate) async fn stop(self) -> (TempDir, PathBuf) {
        self.sandbox.stop().await.unwrap();
        let file = self.folder.path().join("s.db");
        (self.folder, file)
    }

    pub(crate) fn host(&self) -> &str {
        self.sandbox.url().split_once("://").unwrap().1
    }

    pub(crate) async fn totals(&self) -> Vec<Totals> {
        self.sandbox.totals(&self.merchant).await.unwrap()
    }

    pub(crate) async fn transport_call(
        &self,
        request: http::Request<Bytes>,
    ) -> http::Response<Bytes> {
        self.transport.call(request, Duration::from_secs(30), 1 << 20).await.unwrap()
    }

    pub(crate) async fn send(&self, request: http::Request<Bytes>) -> Seen {
        self.try_send(request).await.unwrap()
    }

    /// Nothing if no whole answer came.
    pub(crate) async fn try_send(&self, request: http::Request<Bytes>) -> Option<Seen> {
        let answer = self.transport.call(request, Duration::from_secs(30), 1 << 20).await.ok()?;
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        Some((answer.status().as_u16(), body))
    }

    /// Asks until the answer is such a one.
    pub(crate) async fn until(&self, ask: impl AsyncFn() -> Seen, is_it: fn(&str) -> bool) -> Seen {
        let asking = async {
            loop {
                let seen = ask().await;
                if is_it(&seen.1) {
                    return seen;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap()
    }
}

/// Flexible Payments Service.
impl World {
    /// A token and the transaction it paid for, from the balance: that takes no time.
    pub(crate) async fn paid(&self, amount: &str) -> String {
        let seen = self.pay_by(Method::Balance, amount).await;
        assert_eq!(seen.0, 200, "{}", seen.1);
        transaction_id(&seen).to_owned()
    }

    /// Charges a new token.
    pub(crate) async fn pay_by(&self, method: Method, amount: &str) -> Seen {
        let token = self.sandbox.install_token(&self.merchant, method).await.unwrap();
        let reference = CallerReference::new(token.as_str()).unwrap();
        self.fps(&Pay::new(reference, token.as_str(), usd(amount))).await
    }

    pub(crate) fn signed(&self, method: &str, params: &Params) -> Params {
        self.signed_at(method, params, &in_minutes(0).to_extended())
    }

    pub(crate) fn signed_at(&self, method: &str, params: &Params, timestamp: &str) -> Params {
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

    pub(crate) fn form(&self, params: &Params) -> http::Request<Bytes> {
        let request = http::Request::post(format!("{}/", self.sandbox.url()));
        request.body(params.to_form().into()).unwrap()
    }

    pub(crate) async fn post(&self, params: &Params) -> Seen {
        self.send(self.form(params)).await
    }

    /// Signs an operation and posts it.
    pub(crate) async fn fps<O>(&self, operation: &O) -> Seen
    where
        O: Operation<Service = FlexiblePaymentsApi>,
    {
        self.post(&self.signed("POST", &encoded(operation))).await
    }
}

/// Amazon Pay.
impl World {
    pub(crate) async fn charge(&self, captured: &str, fee: &str) -> String {
        let charge = self.sandbox.capture_charge(&self.merchant, usd(captured)).fee(usd(fee));
        charge.create().await.unwrap().as_str().to_owned()
    }

    pub(crate) fn pay_request(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &str,
    ) -> PayRequest {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-amz-pay-date".to_owned(), in_minutes(0).to_basic()),
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
            unsigned: Vec::new(),
            body: body.to_owned(),
            key_id: self.merchant.public_key_id.clone(),
        }
    }

    pub(crate) async fn pay(&self, request: PayRequest) -> Seen {
        self.send(self.signed_pay(request)).await
    }

    pub(crate) fn signed_pay(&self, request: PayRequest) -> http::Request<Bytes> {
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
        for (name, value) in headers.into_iter().chain(request.unsigned) {
            builder = builder.header(name, value);
        }
        builder.body(request.body.into()).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.pay(self.pay_request("GET", path, None, "")).await
    }

    pub(crate) async fn create_refund(&self, key: &str, body: &str) -> Seen {
        self.pay(self.pay_request("POST", "/v2/refunds", Some(key), body)).await
    }

    /// The state of a refund that has ended.
    pub(crate) async fn end_of(&self, refund_id: &str) -> String {
        let path = format!("/v2/refunds/{refund_id}");
        let ended = |body: &str| !body.contains("RefundInitiated");
        let seen = self.until(async || self.get(&path).await, ended).await;
        between(&seen.1, r#""state":""#, "\"").to_owned()
    }
}

#[derive(Clone)]
pub(crate) struct PayRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Sent, and not in the list of signed headers.
    pub(crate) unsigned: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
    pub(crate) key_id: String,
}

async fn start(file: &Path, processing: Duration) -> Sandbox {
    Sandbox::start(Config::new(file).processing(processing)).await.unwrap()
}

fn transport(sandbox: &Sandbox) -> HyperTransport {
    let settings = match sandbox.ca_pem() {
        "" => Settings::default(),
        authority => Settings::default().with_trust(Trust::Only(authority.to_owned())),
    };
    HyperTransport::new(&settings).unwrap()
}

/// Changes the file of a sandbox that was stopped: forges it, or lets time pass in it.
pub(crate) fn change_file(file: &Path, change: &str) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.execute_batch(change).unwrap();
}

pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before} in {text}")).0
}

pub(crate) fn refund(reference: &str, transaction: &str) -> Refund {
    Refund::new(CallerReference::new(reference).unwrap(), transaction)
}

/// The body that asks Amazon Pay for a refund.
pub(crate) fn refund_of(charge: &str, amount: &str) -> String {
    format!(
        r#"{{"chargeId":"{charge}","refundAmount":{{"amount":"{amount}","currencyCode":"USD"}}}}"#
    )
}

pub(crate) fn encoded(operation: &impl Operation<Service = FlexiblePaymentsApi>) -> Params {
    operation.encode(Dialect::default()).unwrap()
}

pub(crate) fn code((status, body): &Seen) -> (u16, &str) {
    (*status, between(body, "<Code>", "</Code>"))
}

pub(crate) fn reason((status, body): &Seen) -> (u16, &str) {
    (*status, between(body, r#""reasonCode":""#, "\""))
}

pub(crate) fn transaction_id((_, body): &Seen) -> &str {
    between(body, "<TransactionId>", "</TransactionId>")
}

pub(crate) fn refund_id((_, body): &Seen) -> &str {
    between(body, r#""refundId":""#, "\"")
}

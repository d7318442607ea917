//! A sandbox in a process of its own, and what its clients must know; sends nothing.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use fps_http::{HyperTransport, Settings, Trust};
use fps_model::Timestamp;
use fps_sandbox::{Config, MerchantSpec, Sandbox};
use fps_sign::PrivateKey;
use fps_sign::amazon_pay::{self, Algorithm};
use refund_rules::{Currency, Money};

use crate::process::Process;

/// A charge takes so many refunds.
const OF_ONE_CHARGE: usize = 10;

/// Serves until its input is closed. Says on one line what a client must know, as JSON.
pub(crate) fn run(database: &Path, refunds: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = Config::new(database).processing(Duration::from_secs(3_600));
        let sandbox = Sandbox::start(config).await.unwrap();
        let mut charges = Vec::new();
        let mut keys = serde_json::Value::Null;
        if refunds > 0 {
            let merchant = sandbox.create_merchant(MerchantSpec::new("Load")).await.unwrap();
            let captured = Money::parse("1000.00", Currency::USD).unwrap();
            for _ in 0..refunds.div_ceil(OF_ONE_CHARGE) {
                let charge = sandbox.capture_charge(&merchant, captured).create().await.unwrap();
                charges.push(charge.as_str().to_owned());
            }
            keys = serde_json::json!({
                "id": merchant.public_key_id, "pem": merchant.private_key_pem.expose(),
            });
        }
        let said = serde_json::json!({
            "url": sandbox.url(), "ca": sandbox.ca_pem(), "key": keys, "charges": charges,
        });
        println!("{said}");
        let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        closed.await.unwrap().unwrap();
        sandbox.stop().await.unwrap();
    });
}

/// A sandbox that runs, as its clients see it.
pub(crate) struct Served {
    pub(crate) transport: HyperTransport,
    said: serde_json::Value,
}

impl Served {
    pub(crate) fn hear(server: &mut Process) -> Self {
        let said: serde_json::Value = serde_json::from_str(&server.hear()).unwrap();
        let trust = Trust::Only(said["ca"].as_str().unwrap().to_owned());
        let transport = HyperTransport::new(&Settings::default().with_trust(trust)).unwrap();
        Self { transport, said }
    }

    /// Signed requests for so many refunds of 1.00, each of its own.
    pub(crate) fn refunds(&self, count: usize) -> Vec<http::Request<Bytes>> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let url = text(&self.said["url"]);
        let key = PrivateKey::from_pem(&text(&self.said["key"]["pem"])).unwrap();
        let key_id = text(&self.said["key"]["id"]);
        let charges = self.said["charges"].as_array().unwrap();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let date = Timestamp::from_unix_millis(i64::try_from(since).unwrap()).unwrap().to_basic();
        let request = |number: usize| {
            let charge = charges[number % charges.len()].as_str().unwrap();
            let body = format!(
                r#"{{"chargeId":"{charge}","refundAmount":{{"amount":"1.00","currencyCode":"USD"}}}}"#
            );
            let idempotency_key = format!("load{number}");
            let headers = [
                ("accept", "application/json"),
                ("content-type", "application/json"),
                ("x-amz-pay-date", &*date),
                ("x-amz-pay-host", url.strip_prefix("https://").unwrap()),
                ("x-amz-pay-idempotency-key", &*idempotency_key),
                ("x-amz-pay-region", "na"),
            ];
            let signed = amazon_pay::Request {
                method: "POST",
                path: "/v2/refunds",
                query: &[],
                headers: &headers,
                body: body.as_bytes(),
            };
            let authorization =
                amazon_pay::authorization(&signed, Algorithm::V2, &key_id, &key).unwrap();
            let mut request = http::Request::post(format!("{url}/v2/refunds"))
                .header("authorization", authorization);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            request.body(Bytes::from(body)).unwrap()
        };
        (0..count).map(request).collect()
    }
}

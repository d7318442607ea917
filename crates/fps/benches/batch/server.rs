//! The other side: a server that only answers, or the sandbox. Each says first how to reach it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::routing::post;
use fps::{Currency, Money};
use fps_sandbox::control::PaymentSpec;
use fps_sandbox::{Config, MerchantSpec, Sandbox, Service};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// What a client needs, and the charges that it may refund: as many as there are rows, or any.
#[derive(Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) public_key_id: String,
    pub(crate) private_key_pem: String,
    pub(crate) charges: Vec<String>,
}

const KEY: &str = include_str!("../../../fps-sign/tests/keys/rsa-2048.pkcs8.pem");

fn say(world: &World) {
    // A file, because a line of a command has an end.
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, world).unwrap();
    println!("{}", file.into_temp_path().keep().unwrap().display());
}

/// Ends when whoever started it closes its input.
async fn until_closed() {
    let mut input = tokio::io::stdin();
    drop(tokio::io::copy(&mut input, &mut tokio::io::sink()).await);
}

/// Takes every refund, and calls it refunded.
pub(crate) async fn trivial() {
    static REFUNDS: AtomicU64 = AtomicU64::new(0);
    let refund = async |body: Bytes| {
        let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let number = REFUNDS.fetch_add(1, Ordering::Relaxed);
        let answer = serde_json::json!({
            "refundId": format!("S01-0000000-0000000-R{number:06}"),
            "chargeId": asked["chargeId"],
            "creationTimestamp": "20261125T000000Z",
            "refundAmount": asked["refundAmount"],
            "statusDetails": { "state": "Refunded", "lastUpdatedTimestamp": "20261125T000000Z" },
            "releaseEnvironment": "Sandbox",
        });
        (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], answer.to_string())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/v2/refunds", post(refund))).await.unwrap();
    });
    say(&World {
        url,
        public_key_id: "SANDBOX-BENCH".to_owned(),
        private_key_pem: KEY.to_owned(),
        charges: Vec::new(),
    });
    until_closed().await;
    serving.abort();
}

pub(crate) async fn sandbox(payments: usize) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path().join("s.db")).processing(Duration::from_millis(50));
    let sandbox = Sandbox::start(config.http()).await.unwrap();
    let merchant = sandbox.create_merchant(MerchantSpec::new("Bench")).await.unwrap();
    let mut making = JoinSet::new();
    for _ in 0..payments {
        let control = sandbox.control();
        let amount = Money::from_minor(100_000, Currency::USD);
        making.spawn(async move {
            control.create_payment(PaymentSpec::new(Service::AmazonPay, amount)).await.unwrap().id
        });
    }
    say(&World {
        url: sandbox.url().to_owned(),
        public_key_id: merchant.public_key_id.clone(),
        private_key_pem: merchant.private_key_pem.expose().to_owned(),
        charges: making.join_all().await,
    });
    until_closed().await;
}

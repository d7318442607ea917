//! Everything that this client and what lies below it tell `tracing`, down to TRACE, while real refunds are
//! made over TLS: no key, signature, token or buyer is in it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

#[path = "../../fps-http/tests/capture/mod.rs"]
mod capture;

use std::time::Duration;

use capture::Capture;
use fps::amazon_pay::ChargeId;
use fps::flexible_payments::{Pay, Refund};
use fps::{
    AmazonPay, AmazonPayConfig, CallerReference, Credentials, Currency, FlexiblePayments,
    FlexiblePaymentsConfig, Followed, IdempotencyKey, Method, Money, Patience, PrivateKey,
    RefundState, Region, Settings, Trust, Wish,
};
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox};

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

/// What the sandbox gave out, and what was made in it.
struct World {
    _folder: tempfile::TempDir,
    sandbox: Sandbox,
    merchant: Merchant,
    charge: ChargeId,
    token: String,
}

async fn start() -> World {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(folder.path().join("s.db")).processing(Duration::from_millis(20));
    let sandbox = Sandbox::start(config).await.unwrap();
    let merchant = sandbox.create_merchant(MerchantSpec::new("canary-merchant")).await.unwrap();
    let charge = sandbox.capture_charge(&merchant, usd("100.00")).create().await.unwrap();
    let token = sandbox.install_token(&merchant, Method::Card).await.unwrap();
    World { _folder: folder, charge, token: token.as_str().to_owned(), sandbox, merchant }
}

async fn refund_in_both_services(world: &World) {
    let World { sandbox, merchant, .. } = world;
    let settings = Settings::default().with_trust(Trust::Only(sandbox.ca_pem().to_owned()));
    let key = PrivateKey::from_pem(merchant.private_key_pem.expose()).unwrap();
    let config = AmazonPayConfig::new(&*merchant.public_key_id, key, Region::NorthAmerica);
    let config = config.unwrap().with_endpoint(sandbox.url()).unwrap();
    let pay = AmazonPay::new(config, &settings).unwrap();
    let payment = pay.payment(&world.charge).await.unwrap();
    let key = IdempotencyKey::new("canary-key-of-amazon-pay").unwrap();
    let wish = Wish::amount(usd("14.00"));
    let (_, refund) = pay.refund(key, &world.charge, &payment, &wish).await.unwrap();
    let patience = Patience::short(Duration::from_millis(10), Duration::from_secs(30));
    let end = pay.wait_for_refund(&refund.id, &patience).await.unwrap();
    assert_eq!(end, Followed::Settled(RefundState::Refunded));

    let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
    let config = FlexiblePaymentsConfig::new(sandbox.url(), credentials).unwrap();
    let fps = FlexiblePayments::new(config, &settings).unwrap();
    let reference = CallerReference::new("canary-reference-of-pay").unwrap();
    let request = Pay::new(reference, &*world.token, usd("10.00"));
    let paid = fps.client().send(&request).await.unwrap().result.transaction_id;
    // Whether it can be refunded yet or is refused: both are told.
    let reference = CallerReference::new("canary-reference-of-refund").unwrap();
    let request = Refund::new(reference, paid.as_str()).caller_description("canary-note");
    let _ = fps.submit(&request).await;
}

#[test]
fn nothing_secret_is_traced_while_refunds_are_made() {
    // The sandbox has threads of its own: what is captured is this client's.
    let server = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = server.block_on(start());
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let capture = Capture::everything();
    client.block_on(refund_in_both_services(&world));

    let text = capture.text();
    // The layers below speak too, or silence would prove nothing.
    for told in ["operation=CreateRefund", "operation=Pay", "operation=Refund", "event h2"] {
        assert!(text.contains(told), "{told} is not told");
    }
    let merchant = &world.merchant;
    let pem = merchant.private_key_pem.expose();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).take(1).collect();
    let secrets = [
        body.as_str(),
        merchant.secret_key.expose(),
        world.token.as_str(),
        "canary",
        "Signature=",
        "signature=",
        "14.00",
        "%2F",
    ];
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "a secret is traced");
    }
}

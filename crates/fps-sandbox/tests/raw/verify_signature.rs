//! VerifySignature: the service says of what it signed that it did, and of nothing else.

use fps_http::testing::Inbox;
use fps_model::Operation;
use fps_model::Params;
use fps_model::flexible_payments::{Dialect, VerifySignature};
use fps_sandbox::MerchantSpec;
use fps_sign::{PrivateKey, Target, outbound};

use crate::world::{LONG, Seen, World, code};

/// Asks without credentials, as clients do.
async fn ask(world: &World, address: &str, form: &str) -> Seen {
    let question = VerifySignature::new(address, form);
    world.post(&question.encode(Dialect::default()).unwrap()).await
}

async fn is_ours(world: &World, address: &str, form: &str) -> bool {
    let (status, body) = ask(world, address, form).await;
    assert_eq!(status, 200, "{body}");
    let answer = VerifySignature::decode(body.as_bytes(), Dialect::default()).unwrap();
    answer.result.verification_status.as_str() == "Success"
}

/// A world, where its notifications go, and the first of them.
async fn notified() -> (World, String, String) {
    let inbox = Inbox::bind().await;
    let address = inbox.url("/ipn");
    let spec = MerchantSpec::new("Notified").notification_url(&*address);
    let world = World::with(spec, LONG).await;
    world.paid("1").await;
    let form = inbox.answer(200, "").await.body;
    (world, address, form)
}

#[tokio::test]
async fn a_notification_is_the_services_own_as_it_was_sent_and_not_changed() {
    let (world, address, form) = notified().await;
    assert!(is_ours(&world, &address, &form).await, "{form}");
    let backwards: Vec<&str> = form.rsplit('&').collect();
    assert!(is_ours(&world, &address, &backwards.join("&")).await, "their order is no matter");
    let other_host = address.replace("127.0.0.1", "localhost");
    let cases = [
        ("a slash too many", format!("{address}/"), form.clone()),
        ("another host", other_host, form.clone()),
        ("no address", "shop".to_owned(), form.clone()),
        ("one more", address.clone(), format!("{form}&action=ipn")),
        ("changed", address.clone(), form.replace("SUCCESS", "FAILURE")),
        ("twice", address.clone(), format!("{form}&transactionStatus=SUCCESS")),
        ("no form", address.clone(), form.replace("SUCCESS", "%FF")),
    ];
    for (name, address, form) in cases {
        assert!(!is_ours(&world, &address, &form).await, "{name}");
    }
    for missing in ["signature", "signatureVersion", "signatureMethod", "certificateUrl"] {
        let without: Params = Params::parse(form.as_bytes())
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != missing)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let seen = ask(&world, &address, &without.to_form()).await;
        assert_eq!(code(&seen), (400, "InvalidParams"), "{missing}");
        // Recorded for certificateUrl.
        assert!(seen.1.contains(&format!("{missing} is missing in ")), "{}", seen.1);
    }
}

/// Whoever has a key of his own and names the service's certificate proves nothing.
#[tokio::test]
async fn another_key_is_not_the_services() {
    let (world, address, form) = notified().await;
    let own = Params::parse(form.as_bytes()).unwrap();
    let certificate = own.get("certificateUrl").unwrap().to_owned();
    let key = PrivateKey::from_pem(world.merchant.private_key_pem.expose()).unwrap();
    for method in ["POST", "GET"] {
        let mut forged = Params::new();
        forged.push("transactionStatus", "SUCCESS");
        let target = Target::from_url(method, &address).unwrap();
        let added = outbound::sign(&target, forged.iter(), &certificate, &key).unwrap();
        for (name, value) in added {
            forged.push(name, value);
        }
        assert!(!is_ours(&world, &address, &forged.to_form()).await, "{method}");
    }
}

#[tokio::test]
async fn who_says_who_he_is_must_prove_it_here_too() {
    let (world, address, form) = notified().await;
    let question = VerifySignature::new(&*address, &*form);
    let params = question.encode(Dialect::default()).unwrap();
    let signed = world.signed("POST", &params);
    let (status, body) = world.post(&signed).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("<VerificationStatus>Success</VerificationStatus>"), "{body}");
    let mut changed = signed;
    changed.push("Note", "1");
    assert_eq!(code(&world.post(&changed).await), (403, "SignatureDoesNotMatch"));
}

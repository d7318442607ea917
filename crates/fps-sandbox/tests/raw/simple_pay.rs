//! Simple Pay buttons: a form on a merchant's page leads here, the visitor decides, comes back with a signed
//! address, and what was paid is refunded as any other payment.

use bytes::Bytes;
use fps_http::Transport;
use fps_model::Params;
use fps_model::flexible_payments::{GetTransactionStatus, SimplePayReturn};
use fps_sign::query::{SignatureMethod, signature};
use fps_sign::{Certificate, Target, outbound, string_to_sign};

use crate::world::{LONG, World, refund, usd};

const BUTTON: &str = "/pba/paypipeline";
const DECISION: &str = "/cobranded-ui/actions/pay";

/// The signed form of a button.
fn button(world: &World, more: &[(&str, &str)]) -> Params {
    let rest = [
        ("accessKey", &*world.merchant.access_key_id),
        ("amount", "USD 10"),
        ("description", "<i>Shoes</i>"),
        ("referenceId", "order 7"),
        ("returnUrl", "http://localhost:9/thanks"),
        ("abandonUrl", "http://localhost:9/sorry"),
        ("signatureVersion", "2"),
        ("signatureMethod", "HmacSHA256"),
    ];
    let pairs =
        rest.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut params: Params = pairs.collect();
    let text = string_to_sign(&Target::new("POST", world.host(), BUTTON), params.iter());
    let made = signature(&text, &world.merchant.secret_key, SignatureMethod::HmacSha256);
    params.push("signature", made);
    params
}

fn post(world: &World, path: &str, form: &Params) -> http::Request<Bytes> {
    let uri = format!("{}{path}", world.sandbox.url());
    http::Request::post(uri).body(form.to_form().into()).unwrap()
}

fn decide(world: &World, button: &Params, decision: &str, method: &str) -> http::Request<Bytes> {
    let mut form = Params::default();
    form.push("request", button.to_form());
    form.push("decision", decision);
    form.push("method", method);
    post(world, DECISION, &form)
}

/// What came back to which page, after its signature was checked.
async fn back(world: &World, request: http::Request<Bytes>) -> (String, SimplePayReturn) {
    let answer = world.transport.call(request, LONG, 1 << 20).await.unwrap();
    assert_eq!(answer.status(), 303);
    let location = answer.headers()["location"].to_str().unwrap();
    let (address, query) = location.split_once('?').unwrap();
    let params = Params::parse(query.as_bytes()).unwrap();
    let url = params.get("certificateUrl").unwrap();
    let (_, pem) = world.send(http::Request::get(url).body(Bytes::new()).unwrap()).await;
    let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
    let claim = outbound::Claim::read_return_url(address, query).unwrap();
    claim.verify(certificate.public_key()).unwrap();
    (address.to_owned(), SimplePayReturn::from_params(&params).unwrap())
}

#[tokio::test]
async fn a_button_is_paid_and_the_payment_refunded() {
    let world = World::start().await;
    let button = button(&world, &[]);
    let (status, page) = world.send(post(&world, BUTTON, &button)).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("&lt;i&gt;Shoes") && page.contains("10.00 USD"), "{page}");
    let (address, told) = back(&world, decide(&world, &button, "abandon", "CC")).await;
    assert_eq!((&*address, told.status.as_str()), ("http://localhost:9/sorry", "A"));
    let (address, told) = back(&world, decide(&world, &button, "approve", "ABT")).await;
    assert_eq!((&*address, told.status.as_str()), ("http://localhost:9/thanks", "PS"));
    assert_eq!(told.reference_id.as_deref(), Some("order 7"));
    assert_eq!(told.transaction_amount, Some(usd("10")));
    let payment = told.transaction_id.unwrap();
    let part = refund("part", payment.as_str()).refund_amount(usd("4"));
    assert_eq!(world.fps(&part).await.0, 200);
    assert_eq!(world.totals().await[0].refunded, usd("4.00"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_button_may_reserve_and_a_card_takes_its_time() {
    let world = World::start().await;
    let reserve = button(&world, &[("processImmediate", "0")]);
    let (_, told) = back(&world, decide(&world, &reserve, "approve", "ABT")).await;
    assert_eq!(told.status.as_str(), "PR");
    let id = told.transaction_id.unwrap();
    let seen = world.fps(&GetTransactionStatus::new(id.as_str())).await.1;
    assert!(seen.contains("<TransactionStatus>Reserved</TransactionStatus>"), "{seen}");
    let (_, told) = back(&world, decide(&world, &button(&world, &[]), "approve", "CC")).await;
    assert_eq!(told.status.as_str(), "PI");
}

#[tokio::test]
async fn a_button_leads_here_from_anywhere_and_the_decision_only_from_the_page() {
    let world = World::start().await;
    let button_form = button(&world, &[]);
    let from = |mut request: http::Request<Bytes>, origin: &str, site: &str| {
        let headers = request.headers_mut();
        for (name, value) in [
            ("origin", origin),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        request
    };
    let evil = ("https://shop.example", "cross-site");
    let shown = from(post(&world, BUTTON, &button_form), evil.0, evil.1);
    assert_eq!(world.send(shown).await.0, 200);
    let decided = || decide(&world, &button_form, "approve", "ABT");
    assert_eq!(world.send(from(decided(), evil.0, evil.1)).await.0, 403);
    assert!(world.totals().await.is_empty());
    assert_eq!(world.send(from(decided(), world.sandbox.url(), "same-origin")).await.0, 303);
    // What is changed, or is no button for one payment, is not shown.
    let cheap: Params = button_form
        .iter()
        .map(|(name, value)| {
            (name.to_owned(), if name == "amount" { "USD 1" } else { value }.to_owned())
        })
        .collect();
    for (form, expected) in [
        (cheap, 403),
        (button(&world, &[("recipientEmail", "a@b.example")]), 400),
        (button(&world, &[("ipnUrl", "https://elsewhere.example/")]), 400),
    ] {
        assert_eq!(world.send(post(&world, BUTTON, &form)).await.0, expected);
        assert_eq!(world.send(decide(&world, &form, "approve", "ABT")).await.0, expected);
    }
}

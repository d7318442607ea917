//! The co-branded pages: a visitor is sent there, approves or abandons, and comes back with a signed
//! address; what was approved can be charged.

use bytes::Bytes;
use fps_http::Transport;
use fps_model::flexible_payments::{Dialect, Pay, PipelineReturn, VerifySignature};
use fps_model::{Operation, Params};
use fps_sandbox::MerchantSpec;
use fps_sign::query::{SignatureMethod, signature};
use fps_sign::{Certificate, Target, outbound, string_to_sign};

use crate::world::{LONG, World, code, transaction_id, usd};

const RETURN: &str = "http://localhost:9/back?shop=1";

type Row = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// The pipelines that install something, with what each has beyond the rest, and what comes back.
const PIPELINES: [Row; 6] = [
    ("SingleUse", &[("transactionAmount", "10"), ("paymentReason", "<b>Shoes</b>")], &["tokenID"]),
    (
        "MultiUse",
        &[
            ("globalAmountLimit", "50"),
            ("amountType", "Maximum"),
            ("transactionAmount", "10"),
            ("usageLimitType1", "Count"),
            ("usageLimitValue1", "2"),
            ("usageLimitPeriod1", "1 Month"),
        ],
        &["tokenID"],
    ),
    ("Recurring", &[("transactionAmount", "10"), ("recurringPeriod", "1 Month")], &["tokenID"]),
    (
        "Recipient",
        &[("recipientPaysFee", "True"), ("maxFixedFee", "1"), ("maxVariableFee", "5")],
        &["tokenID", "refundTokenID"],
    ),
    (
        "SetupPrepaid",
        &[("fundingAmount", "20")],
        &["prepaidInstrumentID", "prepaidSenderTokenID", "fundingTokenID"],
    ),
    (
        "SetupPostpaid",
        &[("creditLimit", "20"), ("globalAmountLimit", "100")],
        &["creditInstrumentID", "creditSenderTokenID", "settlementTokenID"],
    ),
];

/// The signed request of a merchant.
fn request(world: &World, pipeline: &str, reference: &str, more: &[(&str, &str)]) -> Params {
    let mut params: Params = [
        ("callerKey", &*world.merchant.access_key_id),
        ("pipelineName", pipeline),
        ("returnURL", RETURN),
        ("version", "2009-01-09"),
        ("signatureVersion", "2"),
        ("signatureMethod", "HmacSHA256"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    match pipeline {
        "SetupPrepaid" => {
            params.push("callerReferenceSender", reference);
            params.push("callerReferenceFunding", format!("{reference}-f"));
        }
        "SetupPostpaid" => {
            params.push("callerReferenceSender", reference);
            params.push("callerReferenceSettlement", format!("{reference}-s"));
        }
        _ => params.push("callerReference", reference),
    }
    for (name, value) in more {
        params.push(*name, *value);
    }
    let target = Target::new("GET", world.host(), "/cobranded-ui/actions/start");
    let text = string_to_sign(&target, params.iter());
    let made = signature(&text, &world.merchant.secret_key, SignatureMethod::HmacSha256);
    params.push("signature", made);
    params
}

/// Status, page, and where it leads.
async fn ask(world: &World, request: http::Request<Bytes>) -> (u16, String, Option<String>) {
    let answer = world.transport.call(request, LONG, 1 << 20).await.unwrap();
    let headers = answer.headers();
    assert_eq!(headers["x-frame-options"], "DENY");
    assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let location = headers.get("location").map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(answer.body().to_vec()).unwrap();
    (answer.status().as_u16(), body, location)
}

fn get(world: &World, params: &Params) -> http::Request<Bytes> {
    let path = format!("/cobranded-ui/actions/start?{}", params.to_form());
    http::Request::get(format!("{}{path}", world.sandbox.url())).body(Bytes::new()).unwrap()
}

fn post(world: &World, request: &Params, decision: &str, method: &str) -> http::Request<Bytes> {
    let form: Params = [
        ("request", request.to_form()),
        ("decision", decision.to_owned()),
        ("method", method.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let uri = format!("{}/cobranded-ui/actions/start", world.sandbox.url());
    http::Request::post(uri).body(form.to_form().into()).unwrap()
}

/// What came back, after its signature was checked with the certificate that the sandbox serves.
async fn proved(world: &World, location: &str) -> PipelineReturn {
    let (address, query) = location.split_once('?').unwrap();
    let claim = outbound::Claim::read_return_url(address, query).unwrap();
    let params = Params::parse(query.as_bytes()).unwrap();
    let url = params.get("certificateUrl").unwrap();
    let (_, pem) = world.send(http::Request::get(url).body(Bytes::new()).unwrap()).await;
    let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
    claim.verify(certificate.public_key()).unwrap();
    // The service says the same of it.
    let question = VerifySignature::new(address, query).encode(Dialect::default()).unwrap();
    let (_, answer) = world.post(&question).await;
    assert!(answer.contains("<VerificationStatus>Success</VerificationStatus>"), "{answer}");
    assert_eq!(params.get("shop"), Some("1"), "the merchant's own query is kept");
    PipelineReturn::from_params(&params).unwrap()
}

#[tokio::test]
async fn each_pipeline_is_shown_approved_and_abandoned() {
    let world = World::start().await;
    for (pipeline, more, ids) in PIPELINES {
        let request = request(&world, pipeline, pipeline, more);
        let (status, page, _) = ask(&world, get(&world, &request)).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("value=\"approve\"") && !page.contains("<b>"), "{page}");
        let (status, _, location) = ask(&world, post(&world, &request, "abandon", "CC")).await;
        assert_eq!(status, 303);
        let back = proved(&world, &location.unwrap()).await;
        assert_eq!((back.status.as_str(), back.caller_reference.as_deref()), ("A", Some(pipeline)));
        let (_, _, location) = ask(&world, post(&world, &request, "approve", "ABT")).await;
        let location = location.unwrap();
        let back = proved(&world, &location).await;
        let success = if pipeline == "Recipient" { "SR" } else { "SA" };
        assert_eq!(back.status.as_str(), success, "{location}");
        for id in ids {
            assert!(location.contains(&format!("{id}=")), "{id} {location}");
        }
        // The same reference installs nothing more.
        let (_, _, location) = ask(&world, post(&world, &request, "approve", "ABT")).await;
        assert_eq!(proved(&world, &location.unwrap()).await.status.as_str(), "CE");
    }
}

#[tokio::test]
async fn a_token_that_was_approved_is_charged_as_far_as_it_goes() {
    let world =
        World::configured(MerchantSpec::new("Auto"), |config| config.auto_approve(true)).await;
    let (pipeline, more, _) = PIPELINES[0];
    let asked = request(&world, pipeline, "once", more);
    let (status, _, location) = ask(&world, get(&world, &asked)).await;
    assert_eq!(status, 303);
    let back = proved(&world, &location.unwrap()).await;
    assert_eq!(back.status.as_str(), "SC");
    let token = back.token_id.unwrap();
    let pay = |reference: &str, amount| {
        Pay::new(fps_model::CallerReference::new(reference).unwrap(), token.as_str(), usd(amount))
    };
    assert_eq!(code(&world.fps(&pay("a", "11")).await).0, 400, "10.00 was approved");
    let paid = world.fps(&pay("b", "10")).await;
    assert_eq!(transaction_id(&paid).len(), 35);
    assert_eq!(code(&world.fps(&pay("c", "10")).await), (400, "SameTokenIdUsedMultipleTimes"));
}

#[tokio::test]
async fn the_form_is_sent_by_the_page_itself_and_by_no_other() {
    let world = World::start().await;
    let (pipeline, more, _) = PIPELINES[0];
    let asked = request(&world, pipeline, "browser", more);
    let send = async |origin: &str, site: &str| {
        let mut request = post(&world, &asked, "abandon", "CC");
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        world.send(request).await.0
    };
    assert_eq!(send(world.sandbox.url(), "same-origin").await, 303);
    assert_eq!(send("https://evil.example", "cross-site").await, 403);
    assert_eq!(send("null", "cross-site").await, 403);
}

#[tokio::test]
async fn a_mistake_of_the_merchant_is_told_before_anybody_agrees() {
    let world = World::start().await;
    for (pipeline, more) in [
        ("Recurring", [("transactionAmount", "10"), ("recurringPeriod", "often")]),
        ("SingleUse", [("transactionAmount", "10"), ("paymentMethod", "Cash")]),
        ("SingleUse", [("transactionAmount", "EUR 10"), ("paymentMethod", "CC")]),
    ] {
        let (status, _, location) =
            ask(&world, get(&world, &request(&world, pipeline, "m", &more))).await;
        assert_eq!(status, 303, "{more:?}");
        assert_eq!(proved(&world, &location.unwrap()).await.status.as_str(), "CE", "{more:?}");
    }
}

#[tokio::test]
async fn a_token_is_edited_by_its_owner() {
    let world = World::start().await;
    let (pipeline, more, _) = PIPELINES[1];
    let asked = request(&world, pipeline, "multi", more);
    let (_, _, location) = ask(&world, post(&world, &asked, "approve", "ABT")).await;
    let token = proved(&world, &location.unwrap()).await.token_id.unwrap();
    let edit = |token: &str, key: &str| request(&world, "EditToken", key, &[("tokenId", token)]);
    for (token, method, expected) in [
        (token.as_str(), "ABT", "SU"),
        (token.as_str(), "CC", "SC"),
        (token.as_str(), "CC", "SU"),
        (&"A".repeat(64), "CC", "IT"),
    ] {
        let visit = post(&world, &edit(token, "edit"), "approve", method);
        let (_, _, location) = ask(&world, visit).await;
        assert_eq!(proved(&world, &location.unwrap()).await.status.as_str(), expected);
    }
}

#[tokio::test]
async fn what_is_not_the_merchants_is_not_shown() {
    let world = World::start().await;
    let (pipeline, more, _) = PIPELINES[0];
    let good = request(&world, pipeline, "r", more);
    let change = |name: &str, value: &str| -> Params {
        let pairs = good.iter().map(|(given, old)| {
            (given.to_owned(), if given == name { value.to_owned() } else { old.to_owned() })
        });
        pairs.collect()
    };
    for (name, value, expected) in [
        ("transactionAmount", "1", 403),
        ("returnURL", "http://localhost:9/evil", 403),
        ("callerKey", "AKIASTRANGER", 403),
        ("signature", "AAAA", 403),
        ("signatureVersion", "1", 403),
    ] {
        let changed = change(name, value);
        assert_eq!(ask(&world, get(&world, &changed)).await.0, expected, "{name}");
        let (status, _, location) = ask(&world, post(&world, &changed, "approve", "CC")).await;
        assert_eq!((status, location), (expected, None), "{name}");
    }
    // Signed, and wrong: the merchant hears of it.
    let unknown = request(&world, "Everything", "r", more);
    let (_, _, location) = ask(&world, get(&world, &unknown)).await;
    assert_eq!(proved(&world, &location.unwrap()).await.status.as_str(), "CE");
    let (_, _, location) = ask(&world, post(&world, &good, "approve", "CC")).await;
    assert_eq!(proved(&world, &location.unwrap()).await.status.as_str(), "SC");
}

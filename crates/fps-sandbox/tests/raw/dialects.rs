//! The four revisions of Flexible Payments Service over Query: which actions each has, and how each
//! answers and refuses.

use fps_model::flexible_payments::{Dialect, FlexiblePaymentsApi, TokenId};
use fps_model::{Params, Service};
use fps_sandbox::MerchantSpec;
use fps_sign::Secret;
use fps_sign::query::{Credentials, sign_forgeable_version_1};

use crate::fps_tokens::install;
use crate::world::{Seen, World, between, code, encoded, in_minutes, refund};

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The token that the first revision wants of a caller.
async fn caller(world: &World) -> TokenId {
    world.ask(&install("MyRole == 'Caller';")).await.token_id
}

/// A refund in each revision, as its documents spell it.
fn refund_in(dialect: Dialect, payment: &str, reference: &str, caller: &TokenId) -> Params {
    let mut refund =
        params(&[("Action", "Refund"), ("Version", dialect.version()), ("TransactionId", payment)]);
    match dialect {
        Dialect::V2008_05_01 => refund.push("RefundTransactionReference", reference),
        _ => refund.push("CallerReference", reference),
    }
    if dialect == Dialect::V2007_01_08 {
        refund.push("CallerTokenId", caller.as_str());
    }
    refund
}

#[tokio::test]
async fn each_revision_answers_in_its_own_shape() {
    let world = World::start().await;
    let caller = caller(&world).await;
    for dialect in Dialect::ALL {
        let payment = world.paid("5").await;
        let request = refund_in(dialect, &payment, dialect.version(), &caller);
        let (status, body) = world.post(&world.signed("POST", &request)).await;
        assert_eq!(status, 200, "{dialect:?}: {body}");
        assert!(body.contains(dialect.namespace()), "{body}");
        let is_first = dialect == Dialect::V2007_01_08;
        assert_eq!(body.contains("<ns3:TransactionResponse>"), is_first, "{body}");
        assert_eq!(body.contains("<ResponseMetadata><RequestId>"), !is_first, "{body}");
        assert!(between(&body, "<RequestId>", "</RequestId>").ends_with(":0"), "{body}");
    }
}

#[tokio::test]
async fn a_refusal_of_2007_looks_like_an_answer_and_later_ones_do_not() {
    let world = World::start().await;
    let caller = caller(&world).await;
    for dialect in Dialect::ALL {
        for payment in ["T", &"16".repeat(17)] {
            let request =
                refund_in(dialect, payment, &format!("{payment} {}", dialect.version()), &caller);
            let seen = world.post(&world.signed("POST", &request)).await;
            let error = FlexiblePaymentsApi::read_refusal(seen.1.as_bytes()).unwrap();
            assert_eq!(error.code.as_str(), "InvalidParams", "{}", seen.1);
            if dialect == Dialect::V2007_01_08 {
                assert_eq!(seen.0, 200);
                assert!(seen.1.contains("<Status>Failure</Status><Errors><Errors>"), "{}", seen.1);
            } else {
                assert_eq!(seen.0, 400);
                assert!(seen.1.contains("<Response><Errors><Error><Code>"), "{}", seen.1);
            }
            assert_eq!(world.post(&world.signed("POST", &request)).await, seen, "repeated");
        }
        // Who asks is refused in the same words everywhere.
        let unsigned = world.post(&refund_in(dialect, "T", "r", &caller)).await;
        assert_eq!(code(&unsigned), (401, "AuthFailure"));
    }
}

#[tokio::test]
async fn an_action_exists_in_the_revisions_that_have_it() {
    let world = World::start().await;
    let all = Dialect::ALL;
    let later = [Dialect::V2008_09_17, Dialect::V2010_08_28];
    let most = [Dialect::V2007_01_08, Dialect::V2008_09_17, Dialect::V2010_08_28];
    let table: [(&str, &[Dialect]); 6] = [
        ("Refund", &all),
        ("Pay", &most),
        ("GetTransaction", &most),
        ("CancelToken", &most),
        ("GetTransactionStatus", &later),
        ("VerifySignature", &later),
    ];
    for (action, known_to) in table {
        for dialect in all {
            let request = params(&[("Action", action), ("Version", dialect.version())]);
            let (_, body) = world.post(&world.signed("POST", &request)).await;
            let unknown = body.contains("action is not supported in version");
            assert_eq!(unknown, !known_to.contains(&dialect), "{action} in {dialect:?}: {body}");
        }
    }
}

#[tokio::test]
async fn a_request_names_a_version_that_is_served_and_an_action() {
    let world = World::start().await;
    let cases = [
        (params(&[("Action", "Refund")]), "version is missing"),
        (params(&[("Action", "Refund"), ("Version", "2011-09-20")]), "version is not supported"),
        (params(&[("Version", "2008-09-17")]), "action is missing"),
        (params(&[("Action", "Rob"), ("Version", "2008-09-17")]), "action is not supported"),
        (params(&[("Action", "Refund"), ("Action", "Pay"), ("Version", "2008-09-17")]), "action"),
    ];
    for (request, message) in cases {
        let seen = world.post(&world.signed("POST", &request)).await;
        assert_eq!(code(&seen), (400, "InvalidParams"));
        assert!(seen.1.contains(message), "{}", seen.1);
    }
}

fn signed_as_before(world: &World, params: &Params) -> Params {
    let key = Secret::new(world.merchant.secret_key.expose());
    let credentials = Credentials::new(&*world.merchant.access_key_id, key);
    let mut signed = params.clone();
    let timestamp = in_minutes(0).to_extended();
    for (name, value) in sign_forgeable_version_1(params.iter(), &credentials, &timestamp) {
        signed.push(name, value);
    }
    signed
}

#[tokio::test]
async fn signature_version_1_is_refused_with_advice() {
    let world = World::start().await;
    let seen = world.post(&signed_as_before(&world, &encoded(&refund("r", "T")))).await;
    assert_eq!(code(&seen), (403, "InvalidSignature"));
    assert!(seen.1.contains("Signature version 1 is no longer accepted"), "{}", seen.1);
}

/// Seed 000, as printed but for the ids and the date: both requests, in signature version 1.
#[tokio::test]
async fn seed_000_is_served_where_version_1_is_allowed() {
    let world = World::configured(MerchantSpec::new("Old"), |config| config.legacy_v1(true)).await;
    let payment = world.paid("100").await;
    let refund = params(&[
        ("Action", "Refund"),
        ("CallerReference", "354897217"),
        ("TransactionId", &payment),
        ("Version", "2008-09-17"),
    ]);
    let seen = get(&world, "/?", &signed_as_before(&world, &refund)).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    let method = refund_rules::Method::Prepaid;
    let token = world.sandbox.install_token(&world.merchant, method).await.unwrap();
    let cancel = params(&[
        ("Action", "CancelToken"),
        ("TokenId", token.as_str()),
        ("Version", "2008-09-17"),
    ]);
    let seen = get(&world, "/?", &signed_as_before(&world, &cancel)).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    let mut forged = signed_as_before(&world, &refund);
    forged.push("CallerDescription", "x");
    assert_eq!(code(&get(&world, "/?", &forged).await), (403, "SignatureDoesNotMatch"));
}

/// Seed 001, as printed but for the ids and the date: a GET without a slash before its query.
#[tokio::test]
async fn seed_001_is_served() {
    let world = World::start().await;
    let payment = world.paid("1").await;
    let request = params(&[
        ("Action", "Refund"),
        ("CallerDescription", "MyWish"),
        ("CallerReference", "CallerReference03"),
        ("RefundAmount.CurrencyCode", "USD"),
        ("RefundAmount.Value", "1"),
        ("TransactionId", &payment),
        ("Version", "2008-09-17"),
    ]);
    let seen = get(&world, "?", &world.signed("GET", &request)).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    assert!(seen.1.contains("<RefundResponse xmlns=\"http://fps.amazonaws.com/doc/2008-09-17/\">"));
}

/// Seed 002, as printed but for the ids and the date: an ampersand at the start, and the reference that
/// comes back.
#[tokio::test]
async fn seed_002_is_served() {
    let world = World::start().await;
    let payment = world.paid("1").await;
    let request = params(&[
        ("Action", "Refund"),
        ("TransactionId", &payment),
        ("RefundTransactionReference", "w908dnwf092987"),
        ("Version", "2008-05-01"),
    ]);
    let seen = get(&world, "/?&", &world.signed("GET", &request)).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    assert!(seen.1.contains("<TransactionStatus>Success</TransactionStatus>"), "{}", seen.1);
    let echoed = "<RefundTransactionReference>w908dnwf092987</RefundTransactionReference>";
    assert!(seen.1.contains(echoed), "{}", seen.1);
}

async fn get(world: &World, before: &str, params: &Params) -> Seen {
    let uri = format!("{}{before}{}", world.sandbox.url(), params.to_form());
    world.send(http::Request::get(uri).body(bytes::Bytes::new()).unwrap()).await
}

//! Why a signature does not match: what Amazon's refusal gives away, for every change that is known to
//! happen to a request.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use fps_sign::amazon_pay::{self, Algorithm, Request, canonical_request, string_to_sign};
use fps_sign::explain::{Explanation, Mismatch, Refusal, Stage};
use fps_sign::{Error, PrivateKey, PublicKey, RequestSigner};

const HEADERS: [(&str, &str); 6] = [
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("x-amz-pay-date", "20261121T092408Z"),
    ("x-amz-pay-host", "pay-api.amazon.eu"),
    ("x-amz-pay-idempotency-key", "AVLo5tI10BHgEk2jEXAMPLEKEY"),
    ("x-amz-pay-region", "eu"),
];
const BODY: &str = "{\"chargeId\":\"S01-1\",\"softDescriptor\":\"caf\u{e9}/bar, \\\"x\\\"\"}";

fn key() -> PrivateKey {
    PrivateKey::from_pem(include_str!("keys/rsa-2048.pkcs8.pem")).unwrap()
}

fn another_key() -> PublicKey {
    PublicKey::from_pem(include_str!("vectors/amazon-pay/php-unit-test-key.pem")).unwrap()
}

fn sent<'a>(headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request {
        method: "POST",
        path: "/sandbox/v2/refunds",
        query: &[],
        headers,
        body: BODY.as_bytes(),
    }
}

/// The refusal of a service that saw `seen` signed by `signature`.
fn message(algorithm: Algorithm, seen: &Request<'_>, list: &str, signature: &str) -> String {
    let text = string_to_sign(algorithm, &canonical_request(seen, list).unwrap());
    format!("Unable to verify signature, signing String [{text}] , signature [{signature}]")
}

/// Signs and sends `ours`, lets the service see `theirs`, and explains its refusal.
fn explained(theirs: &Request<'_>) -> Explanation {
    let value = amazon_pay::authorization(&sent(&HEADERS), Algorithm::V2, "KEY", &key()).unwrap();
    let all = [&HEADERS[..], &[("authorization", &value)]].concat();
    let claim = amazon_pay::Claim::read(sent(&all)).unwrap();
    let list = claim.signed_headers();
    let message = message(Algorithm::V2, theirs, list, &claim.signature());
    let refusal = Refusal::read(&message).unwrap();
    refusal.explain(&sent(&all), &key().public_key()).unwrap()
}

#[test]
fn every_known_change_of_a_request_is_found() {
    let with = |name: &str, value: &'static str| {
        let mut headers = HEADERS;
        headers.iter_mut().find(|(given, _)| *given == name).unwrap().1 = value;
        headers
    };
    let good = sent(&HEADERS);
    for (path, line) in [
        ("/v2/refunds", 2),
        ("/live/v2/refunds", 2),
        ("/sandbox/v2/refunds/", 2),
        ("/sandbox/sandbox/v2/refunds", 2),
    ] {
        let explanation = explained(&Request { path, ..good });
        assert_eq!(explanation.stages(), [Stage::Path], "{path}");
        let mismatch = explanation.mismatch().unwrap();
        assert_eq!((mismatch.line(), mismatch.theirs()), (line, Some(path)));
        assert_eq!(mismatch.ours(), Some("/sandbox/v2/refunds"));
    }
    for method in ["GET", "PATCH", "DELETE"] {
        let explanation = explained(&Request { method, ..good });
        assert_eq!(explanation.stages(), [Stage::Method], "{method}");
    }
    for (name, value, line) in [
        ("x-amz-pay-host", "pay-api.amazon.com", "x-amz-pay-host:pay-api.amazon.com"),
        ("x-amz-pay-host", "pay-api.amazon.eu:443", "x-amz-pay-host:pay-api.amazon.eu:443"),
        ("x-amz-pay-region", "EU", "x-amz-pay-region:EU"),
        ("x-amz-pay-region", "na", "x-amz-pay-region:na"),
        ("accept", "*/*", "accept:*/*"),
        (
            "content-type",
            "application/json; charset=utf-8",
            "content-type:application/json; charset=utf-8",
        ),
        ("x-amz-pay-idempotency-key", "", "x-amz-pay-idempotency-key:"),
    ] {
        let explanation = explained(&Request { headers: &with(name, value), ..good });
        assert_eq!(explanation.stages(), [Stage::Header], "{name}: {value}");
        assert_eq!(explanation.mismatch().unwrap().theirs(), Some(line));
    }
    for body in [
        String::new(),
        "{}".to_owned(),
        format!("{BODY}\n"),
        format!("{BODY}\r\n"),
        format!("\u{feff}{BODY}"),
        BODY.replace('/', "\\/"),
        BODY.replace('\u{e9}', "\\u00e9"),
        "{\"chargeId\": \"S01-1\", \"softDescriptor\": \"caf\u{e9}/bar, \\\"x\\\"\"}".to_owned(),
    ] {
        let explanation = explained(&Request { body: body.as_bytes(), ..good });
        assert_eq!(explanation.stages(), [Stage::Body], "{body}");
        assert_eq!(explanation.mismatch().unwrap().line(), 12, "the last line");
    }
}

#[test]
fn two_changes_are_found_together_and_a_third_is_unknown() {
    let mut headers = HEADERS;
    headers[5].1 = "EU";
    let two = Request { path: "/v2/refunds", headers: &headers, ..sent(&HEADERS) };
    let explanation = explained(&two);
    assert_eq!(explanation.stages(), [Stage::Path, Stage::Header]);
    assert_eq!(explanation.mismatch().unwrap().line(), 2);
    assert_eq!(
        explanation.to_string(),
        "the path differs and a signed header differs: line 2 differs: \
         here `/sandbox/v2/refunds`, there `/v2/refunds`"
    );
    let three = explained(&Request { body: b"", ..two });
    assert_eq!((three.stages(), three.mismatch()), (&[Stage::Canonical][..], None));
    let other = explained(&Request { body: b"something else", ..sent(&HEADERS) });
    assert_eq!(other.stages(), [Stage::Canonical]);
    assert_eq!(other.to_string(), "the canonical request differs in an unknown way");
}

#[test]
fn a_long_body_is_hashed_once_and_not_for_every_guess() {
    // Thousands of guesses over eight megabytes would be felt; the test only says that they end.
    let body = vec![b'x'; 8 << 20];
    let ours = Request { body: &body, ..sent(&HEADERS) };
    let value = amazon_pay::authorization(&ours, Algorithm::V2, "KEY", &key()).unwrap();
    let all = [&HEADERS[..], &[("authorization", &value)]].concat();
    let sent = Request { headers: &all, ..ours };
    let claim = amazon_pay::Claim::read(sent).unwrap();
    let seen = Request { path: "/elsewhere", ..ours };
    let text = message(Algorithm::V2, &seen, claim.signed_headers(), &claim.signature());
    let explanation = Refusal::read(&text).unwrap().explain(&sent, &key().public_key()).unwrap();
    assert_eq!(explanation.stages(), [Stage::Canonical]);
}

#[test]
fn a_query_that_was_lost_or_decoded_otherwise_is_found() {
    let query = [("a", "1 2"), ("b", "3")];
    let ours =
        Request { method: "GET", path: "/v2/reports", query: &query, headers: &HEADERS, body: b"" };
    let value = amazon_pay::authorization(&ours, Algorithm::V2, "KEY", &key()).unwrap();
    let all = [&HEADERS[..], &[("authorization", &value)]].concat();
    let sent = Request { headers: &all, ..ours };
    let claim = amazon_pay::Claim::read(sent).unwrap();
    for (theirs, here, there) in [
        (&[][..], "a=1%202&b=3", ""),
        (&[("a", "1+2"), ("b", "3")], "a=1%202", "a=1%2B2"),
        (&[("a", "1 2")], "b=3", ""),
    ] {
        let seen = Request { query: theirs, ..ours };
        let text = message(Algorithm::V2, &seen, claim.signed_headers(), &claim.signature());
        let refusal = Refusal::read(&text).unwrap();
        let explanation = refusal.explain(&sent, &key().public_key()).unwrap();
        assert_eq!(explanation.stages(), [Stage::Query], "{theirs:?}");
        let mismatch = explanation.mismatch().unwrap();
        let shown = (mismatch.ours().unwrap_or(""), mismatch.theirs().unwrap_or(""));
        assert_eq!((mismatch.line(), shown), (3, (here, there)));
    }
}

#[test]
fn when_the_text_is_the_same_it_is_the_salt_the_signature_or_the_key() {
    let list = "accept;content-type;x-amz-pay-date;x-amz-pay-host;x-amz-pay-idempotency-key;\
                x-amz-pay-region";
    let signed = |algorithm: Algorithm, salt_len: usize| {
        use base64::Engine;
        let text = string_to_sign(algorithm, &canonical_request(&sent(&HEADERS), list).unwrap());
        let signature = key().sign_pss_sha256(text.as_bytes(), salt_len).unwrap();
        base64::engine::general_purpose::STANDARD.encode(signature)
    };
    let explain = |sent_as: Algorithm, seen_as: Algorithm, ours: &str, theirs: &str, key| {
        let name = sent_as.as_str();
        let value = format!("{name} PublicKeyId=KEY, SignedHeaders={list}, Signature={ours}");
        let all = [&HEADERS[..], &[("authorization", &value)]].concat();
        let refusal = Refusal::read(&message(seen_as, &sent(&HEADERS), list, theirs)).unwrap();
        refusal.explain(&sent(&all), key).unwrap().stages().to_vec()
    };
    let (old, new) = (Algorithm::V1, Algorithm::V2);
    let (ours, other) = (key().public_key(), another_key());
    for (sent_as, wrong, right) in [(old, 32, 20), (new, 20, 32)] {
        let good = signed(sent_as, right);
        assert_eq!(explain(sent_as, sent_as, &good, &good, &ours), [Stage::Key]);
        assert_eq!(explain(sent_as, sent_as, &good, &good, &other), [Stage::Signature]);
        assert_eq!(explain(sent_as, sent_as, &good, &good[..8], &ours), [Stage::Signature]);
        let salted = signed(sent_as, wrong);
        assert_eq!(explain(sent_as, sent_as, &salted, &salted, &ours), [Stage::Salt]);
        let seen_as = if sent_as == old { new } else { old };
        assert_eq!(explain(sent_as, seen_as, &good, &good, &ours), [Stage::Salt]);
    }
}

#[test]
fn the_refusal_is_found_in_a_message_in_json_and_in_nothing_else() {
    let hash = "0123456789abcdef".repeat(4);
    let plain = format!("signing String [AMZN-PAY-RSASSA-PSS-V2\n{hash}] , signature [a/b==]");
    let json = format!(
        "{{\"reasonCode\":\"InvalidRequestSignature\",\"message\":\"Unable to verify signature, {}\"}}",
        plain.replace('\n', "\\n").replace('/', "\\/")
    );
    let expected = Refusal::read(&plain).unwrap();
    for same in [json, plain.replace('\n', "\r\n"), plain.replace(&hash, &hash.to_uppercase())] {
        assert_eq!(Refusal::read(&same).unwrap(), expected, "{same}");
    }
    let part = "signing String [...]";
    for (text, error) in [
        (String::new(), Error::Missing(part)),
        ("Unable to verify signature".to_owned(), Error::Missing(part)),
        (plain.replace(']', ""), Error::Missing(part)),
        (plain.replace('\n', ""), Error::Malformed(part)),
        (plain.replace("-V2", "-V3"), Error::Malformed(part)),
        (plain.replace(&hash, &hash[1..]), Error::Malformed(part)),
        (plain.replace(&hash, &"g".repeat(64)), Error::Malformed(part)),
    ] {
        assert_eq!(Refusal::read(&text).unwrap_err(), error, "{text}");
    }
    let unsigned = expected.explain(&sent(&HEADERS), &key().public_key());
    assert_eq!(unsigned.unwrap_err(), Error::Missing("authorization"));
}

#[test]
fn a_mismatch_shows_the_first_difference_with_both_sides() {
    for (ours, theirs, expected) in [
        ("", "a", (1, Some(""), Some("a"))),
        ("a\nb", "a", (2, Some("b"), None)),
        ("a", "a\n", (2, None, Some(""))),
        ("GET\nh\n/\na=1&b=2&c=3", "GET\nh\n/\na=1&b=3&c=3", (4, Some("b=2"), Some("b=3"))),
        ("a=1&b=2", "a=1", (1, Some("b=2"), None)),
        ("a=1&b=2", "a=1&b=2&c=3", (1, None, Some("c=3"))),
        ("a=1&b=2", "x", (1, Some("a=1&b=2"), Some("x"))),
        ("POST\nb", "GET\nb", (1, Some("POST"), Some("GET"))),
    ] {
        let mismatch = Mismatch::between(ours, theirs).unwrap();
        assert_eq!((mismatch.line(), mismatch.ours(), mismatch.theirs()), expected, "{ours:?}");
        let turned = Mismatch::between(theirs, ours).unwrap();
        assert_eq!((turned.line(), turned.theirs(), turned.ours()), expected, "{theirs:?}");
    }
    for text in ["", "a", "a\nb=1&c=2\n"] {
        assert_eq!(Mismatch::between(text, text), None);
    }
    let mismatch = Mismatch::between("a\nbuyer", "a").unwrap();
    assert_eq!(mismatch.to_string(), "line 2 differs: here `buyer`, there nothing");
    assert!(!format!("{mismatch:?}").contains("buyer"));
}

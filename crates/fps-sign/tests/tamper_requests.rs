//! No request verifies after anything in it was changed, whatever the scheme: every bit of what is on
//! the wire, every parameter dropped, doubled, renamed or given another's value; and every request
//! that was signed does verify, however it was encoded.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod tamper;

use fps_sign::amazon_pay::{self, Algorithm};
use fps_sign::query::{self, Claim, Credentials, SignatureMethod};
use fps_sign::{PrivateKey, PublicKey, Secret, Target, parse_form, percent_encode};
use proptest::prelude::*;
use tamper::{Change, Params, Tally, variants};

const TARGET: Target<'_> = Target::new("GET", "fps.sandbox.amazonaws.com", "/");
const TIMESTAMP: &str = "2009-10-06T05:51:49.578Z";

fn secret() -> Secret {
    Secret::new("not a real key")
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scheme {
    Version2(SignatureMethod),
    Version1,
}

const SCHEMES: [Scheme; 3] = [
    Scheme::Version2(SignatureMethod::HmacSha256),
    Scheme::Version2(SignatureMethod::HmacSha1),
    Scheme::Version1,
];

fn signed(scheme: Scheme, target: &Target<'_>, own: &Params) -> Params {
    let credentials = Credentials::new("AKEXAMPLE", secret());
    let pairs = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let added = match scheme {
        Scheme::Version2(method) => query::sign(target, pairs, &credentials, method, TIMESTAMP),
        Scheme::Version1 => query::sign_forgeable_version_1(pairs, &credentials, TIMESTAMP),
    };
    let added = added.into_iter().map(|(name, value)| (name.to_owned(), value));
    own.iter().cloned().chain(added).collect()
}

fn is_proved(scheme: Scheme, target: Target<'_>, params: &Params) -> bool {
    let claim = match scheme {
        Scheme::Version2(_) => Claim::read(target, params),
        Scheme::Version1 => Claim::read_forgeable_version_1(params),
    };
    claim.and_then(|claim| claim.verify(&secret())).is_ok()
}

fn refund() -> Params {
    [
        ("Action", "Refund"),
        ("CallerDescription", "50% off + tea ~ caf\u{e9}"),
        ("CallerReference", "CallerReference03"),
        ("RefundAmount.CurrencyCode", "USD"),
        ("RefundAmount.Value", "1"),
        ("Role", "Caller"),
        ("Role", ""),
        ("TransactionId", "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD"),
        ("Version", "2008-09-17"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn to_form(params: &Params) -> String {
    let mut form = String::new();
    for (name, value) in params {
        if !form.is_empty() {
            form.push('&');
        }
        percent_encode(name, &mut form);
        form.push('=');
        percent_encode(value, &mut form);
    }
    form
}

fn sorted(params: &Params) -> Params {
    let mut sorted = params.clone();
    sorted.sort();
    sorted
}

#[test]
fn no_bit_of_a_query_request_can_change() {
    for scheme in SCHEMES {
        let sent = signed(scheme, &TARGET, &refund());
        let form = to_form(&sent);
        let (mut refused, mut same) = (0, 0);
        let mut bytes = form.clone().into_bytes();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                bytes[position] ^= 1 << bit;
                let params = std::str::from_utf8(&bytes).ok().and_then(|f| parse_form(f).ok());
                match params {
                    // Another spelling of the same parameters, such as an escape in small letters.
                    Some(params) if params == sent => {
                        assert!(is_proved(scheme, TARGET, &params));
                        same += 1;
                    }
                    Some(params) => {
                        let place = &form[position.saturating_sub(12)..=position];
                        assert!(
                            !is_proved(scheme, TARGET, &params),
                            "{scheme:?}: bit {bit} at {position}, {place}"
                        );
                        refused += 1;
                    }
                    None => refused += 1,
                }
                bytes[position] ^= 1 << bit;
            }
        }
        println!("{scheme:?}: {refused} changed requests refused, {same} spelt otherwise");
        assert!(refused > 2_900 && same < 20, "{refused} {same}");
    }
}

#[test]
fn no_parameter_can_be_dropped_doubled_renamed_or_given_the_value_of_another() {
    for scheme in SCHEMES {
        let sent = signed(scheme, &TARGET, &refund());
        let mut tally = Tally::default();
        for variant in variants(&sent) {
            let passed = is_proved(scheme, TARGET, &variant.params);
            tally.count(variant.change, passed);
            // That version 1 lets text move from one parameter to another is why it is forgeable.
            if scheme == Scheme::Version1 && variant.change == Change::Shifted {
                continue;
            }
            // The order on the wire is not signed, in either version.
            let harmless = sorted(&variant.params) == sorted(&sent);
            assert_eq!(passed, harmless, "{scheme:?}: {variant:?}");
        }
        println!("{scheme:?}: {} tried, passed {:?}", tally.tried, tally.passed);
        assert!(tally.tried > 3_000, "{}", tally.tried);
        let shifted = tally.passed.contains_key(&Change::Shifted);
        assert_eq!(shifted, scheme == Scheme::Version1, "{scheme:?}");
    }
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(include_str!("keys/rsa-2048.pkcs8.pem")).unwrap()
}

/// An Amazon Pay request on the wire: a request line, header lines, an empty line, the body.
fn pay_request(algorithm: Algorithm) -> String {
    let headers = [
        ("accept", "application/json"),
        ("x-amz-pay-date", "20261121T092408Z"),
        ("x-amz-pay-host", "localhost:8443"),
        ("x-amz-pay-idempotency-key", "AVLo5tI10BHgEk2jEXAMPLEKEY"),
        ("x-amz-pay-region", "na"),
    ];
    let body = "{\"chargeId\":\"S01-1\",\"refundAmount\":{\"amount\":\"14.00\"}}";
    let request = amazon_pay::Request {
        method: "POST",
        path: "/v2/refunds",
        query: &[("a", "b c")],
        headers: &headers,
        body: body.as_bytes(),
    };
    let value = amazon_pay::authorization(&request, algorithm, "SANDBOX-KEY", &key()).unwrap();
    let lines: Vec<_> = headers
        .iter()
        .chain(&[("authorization", value.as_str())])
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    format!("POST /v2/refunds?a=b%20c\n{}\n{body}", lines.concat())
}

/// What a service would take from such a request, if it believed it.
#[derive(Debug, PartialEq)]
struct Proved {
    method: String,
    path: String,
    query: Params,
    headers: Vec<Option<String>>,
    body: Vec<u8>,
}

fn serve(wire: &[u8], public: &PublicKey) -> Option<Proved> {
    let wire = std::str::from_utf8(wire).ok()?;
    let (head, body) = wire.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let (method, url) = lines.next()?.split_once(' ')?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let query = parse_form(query).ok()?;
    let query: Vec<_> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    let headers: Option<Vec<_>> = lines.map(|line| line.split_once(':')).collect();
    let headers = headers?;
    let request = amazon_pay::Request {
        method,
        path,
        query: &query,
        headers: &headers,
        body: body.as_bytes(),
    };
    let claim = amazon_pay::Claim::read(request).ok()?;
    // Any other name is that of another key, or of none.
    if claim.public_key_id() != "SANDBOX-KEY" {
        return None;
    }
    let proved = claim.verify(public).ok()?.into_inner();
    let header = |name| proved.header(name).map(str::to_owned);
    Some(Proved {
        method: proved.method().to_owned(),
        path: proved.path().to_owned(),
        query: proved.query().iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        headers: [
            "accept",
            "x-amz-pay-date",
            "x-amz-pay-host",
            "x-amz-pay-idempotency-key",
            "x-amz-pay-region",
        ]
        .map(header)
        .to_vec(),
        body: proved.body().to_vec(),
    })
}

#[test]
fn no_bit_of_an_amazon_pay_request_can_change() {
    let public = key().public_key();
    for algorithm in [Algorithm::V1, Algorithm::V2] {
        let wire = pay_request(algorithm);
        let good = serve(wire.as_bytes(), &public).unwrap();
        let (mut refused, mut same) = (0, 0);
        let mut bytes = wire.clone().into_bytes();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                bytes[position] ^= 1 << bit;
                match serve(&bytes, &public) {
                    None => refused += 1,
                    Some(proved) => {
                        let place = &wire[position.saturating_sub(12)..=position];
                        assert_eq!(proved, good, "{algorithm:?}: bit {bit} at {position}, {place}");
                        same += 1;
                    }
                }
                bytes[position] ^= 1 << bit;
            }
        }
        println!("{algorithm:?}: {refused} changed requests refused, {same} spelt otherwise");
        // The names of headers may be in capitals; nothing else is unsigned.
        assert!(refused > 5_900 && same < 120, "{refused} {same}");
    }
}

/// One way of many to write a text in a form.
fn encode_as(text: &str, style: u8) -> String {
    let mut form = String::new();
    percent_encode(text, &mut form);
    match style % 3 {
        0 => form,
        1 => form.replace("%20", "+"),
        _ => {
            let everything = text.bytes().map(|byte| format!("%{byte:02x}"));
            everything.collect()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_was_signed_verifies_however_it_was_encoded(
        own in proptest::collection::vec(("\\PC{0,12}", "\\PC{0,24}"), 0..8),
        post in any::<bool>(),
        port in proptest::option::of(1..=65535_u16),
        path in "/[a-zA-Z0-9/_.-]{0,20}",
        style in any::<u8>(),
        scheme in 0..3_usize,
        changed in any::<prop::sample::Index>(),
    ) {
        // The five that the signature adds are its own, and an empty pair is left out by every form.
        let reserved =
            ["AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp"];
        prop_assume!(own.iter().all(|(name, _)| !name.is_empty() && !reserved.contains(&&**name)));
        let scheme = SCHEMES[scheme];
        let host = port.map_or("Shop.Example".to_owned(), |port| format!("Shop.Example:{port}"));
        let target = Target::new(if post { "POST" } else { "GET" }, &host, &path);
        let sent = signed(scheme, &target, &own);
        let form: Vec<_> = sent
            .iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let style = style.wrapping_add(u8::try_from(index).unwrap());
                format!("{}={}", encode_as(name, style), encode_as(value, style / 3))
            })
            .collect();
        let received = parse_form(&form.join("&")).unwrap();
        prop_assert_eq!(&received, &sent);
        prop_assert!(is_proved(scheme, target, &received));
        let mut other = received;
        let index = changed.index(other.len());
        other[index].1.push('x');
        prop_assert!(!is_proved(scheme, target, &other));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_an_amazon_pay_client_signs_verifies(
        path in "/[ -~]{0,30}",
        query in proptest::collection::vec(("\\PC{1,8}", "\\PC{0,12}"), 0..4),
        value in "[ -~]{0,30}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        old in any::<bool>(),
    ) {
        let algorithm = if old { Algorithm::V1 } else { Algorithm::V2 };
        let query: Vec<_> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
        let headers = [
            ("X-Amz-Pay-Date", "20261121T092408Z"),
            ("X-Amz-Pay-Host", "localhost"),
            ("X-Amz-Pay-Region", "na"),
            ("X-Other", &value),
        ];
        let request =
            amazon_pay::Request { method: "POST", path: &path, query: &query, headers: &headers, body: &body };
        let key = key();
        let authorization = amazon_pay::authorization(&request, algorithm, "KEY", &key).unwrap();
        let sent = [&headers[..], &[("Authorization", &authorization)]].concat();
        let claim = amazon_pay::Claim::read(amazon_pay::Request { headers: &sent, ..request });
        let proved = claim.unwrap().verify(&key.public_key()).unwrap().into_inner();
        prop_assert_eq!((proved.path(), proved.body()), (&*path, &*body));
        let longer = [&body[..], b" "].concat();
        let other = amazon_pay::Request { headers: &sent, body: &longer, ..request };
        prop_assert!(amazon_pay::Claim::read(other).unwrap().verify(&key.public_key()).is_err());
    }
}

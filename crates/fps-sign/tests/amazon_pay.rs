//! Amazon Pay requests: what is signed and how it is spelled, to the salt and to the blank.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::amazon_pay::{
    self, Algorithm, Claim, Request, SignedRequest, canonical_request, string_to_sign,
};
use fps_sign::{Error, PrivateKey, RequestSigner, SignError, Verified};
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};
use sha2::Sha256;

const KEY_PEM: &str = include_str!("keys/rsa-2048.pkcs8.pem");
const KEY_ID: &str = "SANDBOX-AFVX7ULWSGBZ5535PCUQOY7B";
const HEADERS: [(&str, &str); 4] = [
    ("x-amz-pay-date", "20261121T092408Z"),
    ("x-amz-pay-host", "localhost:8443"),
    ("x-amz-pay-idempotency-key", "AVLo5tI10BHgEk2jEXAMPLEKEY"),
    ("x-amz-pay-region", "na"),
];
const LIST: &str = "x-amz-pay-date;x-amz-pay-host;x-amz-pay-idempotency-key;x-amz-pay-region";

fn key() -> PrivateKey {
    PrivateKey::from_pem(KEY_PEM).unwrap()
}

fn request<'a>(headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "POST", path: "/v2/refunds", query: &[], headers, body: b"{}" }
}

fn verify<'a>(headers: &'a [(&'a str, &'a str)]) -> Result<Verified<SignedRequest<'a>>, Error> {
    Claim::read(request(headers))?.verify(&key().public_key())
}

/// The header that claims a signature over the headers of a list.
fn claiming(algorithm: Algorithm, list: &str, signature: &[u8]) -> String {
    let signature = STANDARD.encode(signature);
    let algorithm = algorithm.as_str();
    format!("{algorithm} PublicKeyId={KEY_ID}, SignedHeaders={list}, Signature={signature}")
}

/// Signs the headers of a list, spelled as it is.
fn signed(headers: &[(&str, &str)], list: &str) -> String {
    let canonical = canonical_request(&request(headers), list).unwrap();
    let text = string_to_sign(Algorithm::V2, &canonical);
    let signature = key().sign_pss_sha256(text.as_bytes(), 32).unwrap();
    claiming(Algorithm::V2, list, &signature)
}

fn and<'a>(headers: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [headers, more].concat()
}

#[test]
fn the_salt_has_exactly_the_length_of_the_algorithm() {
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(KEY_PEM).unwrap();
    let canonical = canonical_request(&request(&HEADERS), LIST).unwrap();
    for (algorithm, right) in [(Algorithm::V1, 20), (Algorithm::V2, 32)] {
        assert_eq!(algorithm.salt_len(), right);
        let text = string_to_sign(algorithm, &canonical);
        for length in [0, 1, 19, 20, 21, 31, 32, 33, 64, 222] {
            let signer = rsa::pss::SigningKey::<Sha256>::new_with_salt_len(key.clone(), length);
            let signature = signer.sign(text.as_bytes()).to_vec();
            let value = claiming(algorithm, LIST, &signature);
            let verdict = verify(&and(&HEADERS, &[("authorization", &value)])).map(|_| ());
            let expected = if length == right { Ok(()) } else { Err(Error::Mismatch) };
            assert_eq!(verdict, expected, "{algorithm:?} with a salt of {length}");
        }
    }
}

#[test]
fn another_padding_proves_nothing() {
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(KEY_PEM).unwrap();
    let canonical = canonical_request(&request(&HEADERS), LIST).unwrap();
    for algorithm in [Algorithm::V1, Algorithm::V2] {
        let text = string_to_sign(algorithm, &canonical);
        let signer = rsa::pkcs1v15::SigningKey::<Sha256>::new(key.clone());
        let value = claiming(algorithm, LIST, &signer.sign(text.as_bytes()).to_vec());
        let verdict = verify(&and(&HEADERS, &[("authorization", &value)])).map(|_| ());
        assert_eq!(verdict, Err(Error::Mismatch));
    }
}

#[test]
fn only_a_signature_of_the_whole_length_verifies() {
    let canonical = canonical_request(&request(&HEADERS), LIST).unwrap();
    let text = string_to_sign(Algorithm::V2, &canonical);
    let whole = key().sign_pss_sha256(text.as_bytes(), 32).unwrap();
    assert_eq!(whole.len(), 256);
    for wrong in [
        Vec::new(),
        vec![0],
        whole[..255].to_vec(),
        whole[1..].to_vec(),
        [&whole[..], &[0]].concat(),
        [&[0], &whole[..]].concat(),
        [&whole[..], &whole[..]].concat(),
        vec![0; 256],
        vec![255; 256],
    ] {
        let value = claiming(Algorithm::V2, LIST, &wrong);
        let verdict = verify(&and(&HEADERS, &[("authorization", &value)])).map(|_| ());
        assert_eq!(verdict, Err(Error::Mismatch), "{} bytes", wrong.len());
    }
}

/// A key that lives elsewhere, and remembers what it was asked for.
#[derive(Debug, Default)]
struct Elsewhere(Mutex<Vec<(Vec<u8>, usize)>>);

impl RequestSigner for Elsewhere {
    fn sign_pss_sha256(&self, message: &[u8], salt_len: usize) -> Result<Vec<u8>, SignError> {
        self.0.lock().unwrap().push((message.to_vec(), salt_len));
        Ok(b"signed".to_vec())
    }
}

#[test]
fn a_signer_is_asked_for_the_salt_of_the_algorithm_over_the_string_to_sign() {
    let canonical = canonical_request(&request(&HEADERS), LIST).unwrap();
    for (algorithm, salt_len) in [(Algorithm::V1, 20), (Algorithm::V2, 32)] {
        let signer = Elsewhere::default();
        let value =
            amazon_pay::authorization(&request(&HEADERS), algorithm, KEY_ID, &signer).unwrap();
        assert_eq!(value, claiming(algorithm, LIST, b"signed"));
        let asked = signer.0.into_inner().unwrap();
        assert_eq!(asked, [(string_to_sign(algorithm, &canonical).into_bytes(), salt_len)]);
    }
}

#[test]
fn the_authorization_header_is_read_to_the_letter() {
    let good = signed(&HEADERS, LIST);
    let claim = |value: &str| Claim::read(request(&[("Authorization", value)])).map(|_| ());
    assert_eq!(claim(&good), Ok(()));
    let unsupported = Err(Error::Unsupported {
        part: "the signature algorithm",
        accepted: "AMZN-PAY-RSASSA-PSS or AMZN-PAY-RSASSA-PSS-V2",
    });
    for (value, expected) in [
        (String::new(), Err(Error::Malformed("authorization"))),
        ("AMZN-PAY-RSASSA-PSS-V2".to_owned(), Err(Error::Malformed("authorization"))),
        (good.replace("-V2", "-V3"), unsupported.clone()),
        (good.replace("-V2", "-v2"), unsupported.clone()),
        (good.replace("AMZN-PAY-RSASSA-PSS-V2", "AWS4-HMAC-SHA256"), unsupported),
        (good.replace("PublicKeyId=", "KeyId="), Err(Error::Missing("PublicKeyId"))),
        (good.replace("SignedHeaders=", "Headers="), Err(Error::Missing("SignedHeaders"))),
        (good.replace(" Signature=", " Signatures="), Err(Error::Missing("Signature"))),
        (format!("{good}, PublicKeyId=X"), Err(Error::Duplicate("PublicKeyId".to_owned()))),
        (format!("{good}, SignedHeaders=a"), Err(Error::Duplicate("SignedHeaders".to_owned()))),
        (format!("{good}, Signature=AAAA"), Err(Error::Duplicate("Signature".to_owned()))),
        (format!("{good}!"), Err(Error::Malformed("Signature"))),
    ] {
        assert_eq!(claim(&value), expected, "{value}");
    }
}

#[test]
fn there_is_one_authorization_header() {
    let good = signed(&HEADERS, LIST);
    assert_eq!(verify(&HEADERS).unwrap_err(), Error::Missing("authorization"));
    for second in ["authorization", "Authorization", "AUTHORIZATION"] {
        for value in [good.as_str(), "", "Basic eA=="] {
            let sent = and(&HEADERS, &[("authorization", &good), (second, value)]);
            let expected = Error::Duplicate("authorization".to_owned());
            assert_eq!(verify(&sent).unwrap_err(), expected, "{second}: {value}");
        }
    }
}

#[test]
fn a_header_that_is_there_and_not_signed_does_not_count() {
    for needed in ["x-amz-pay-date", "x-amz-pay-host", "x-amz-pay-region"] {
        let list: Vec<_> = LIST.split(';').filter(|name| *name != needed).collect();
        let value = signed(&HEADERS, &list.join(";"));
        let verdict = verify(&and(&HEADERS, &[("authorization", &value)])).map(|_| ());
        assert_eq!(verdict, Err(Error::Missing(needed)));
    }
    // A name that only begins or ends as the needed one is another name.
    for lookalike in ["x-amz-pay-date2", "x-x-amz-pay-date", " x-amz-pay-date", ""] {
        let value = claiming(Algorithm::V2, &LIST.replacen("x-amz-pay-date", lookalike, 1), b"");
        let verdict = verify(&and(&HEADERS, &[("authorization", &value)])).map(|_| ());
        assert_eq!(verdict, Err(Error::Missing("x-amz-pay-date")), "{lookalike:?}");
    }
}

#[test]
fn what_is_proved_shows_signed_headers_only() {
    let list = "x-amz-pay-date;x-amz-pay-host;x-amz-pay-region";
    let value = signed(&HEADERS, list);
    let unsigned = [
        ("authorization", value.as_str()),
        ("X-Amz-Pay-Simulation-Code", "ProcessingFailure"),
        ("x-forwarded-host", "evil.example"),
    ];
    let sent = and(&HEADERS, &unsigned);
    let proved = verify(&sent).unwrap().into_inner();
    assert_eq!((proved.method(), proved.path()), ("POST", "/v2/refunds"));
    assert_eq!(proved.body(), b"{}");
    assert_eq!(proved.header("X-Amz-Pay-Region"), Some("na"));
    for name in [
        "x-amz-pay-idempotency-key",
        "x-amz-pay-simulation-code",
        "x-forwarded-host",
        "authorization",
        "",
    ] {
        assert_eq!(proved.header(name), None, "{name}");
    }
}

#[test]
fn a_signed_header_of_amazon_pay_stands_once() {
    for (name, other) in [
        ("x-amz-pay-date", "20261121T092409Z"),
        ("X-Amz-Pay-Host", "evil.example"),
        ("x-amz-pay-idempotency-key", "another"),
        ("x-amz-pay-region", "na"),
    ] {
        let headers = and(&HEADERS, &[(name, other)]);
        // Two values are signed as one text, joined by a comma; a reader would see either.
        let value = signed(&headers, LIST);
        let verdict = verify(&and(&headers, &[("authorization", &value)])).map(|_| ());
        assert_eq!(verdict, Err(Error::Duplicate(name.to_ascii_lowercase())));
    }
    // Elsewhere several values are one list, as HTTP has it.
    let headers = and(&HEADERS, &[("accept", "a/b"), ("Accept", "c/d")]);
    let value = signed(&headers, &format!("accept;{LIST}"));
    verify(&and(&headers, &[("authorization", &value)])).unwrap();
}

#[test]
fn header_values_are_canonical_in_their_blanks_and_in_nothing_else() {
    let line = |values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("X-Name", *value)).collect();
        let canonical = canonical_request(&request(&headers), "x-name").unwrap();
        canonical.lines().nth(3).unwrap().to_owned()
    };
    for (values, expected) in [
        (&["a"][..], "x-name:a"),
        (&[""], "x-name:"),
        (&["  \t"], "x-name:"),
        (&[" a  b\t\tc "], "x-name:a b c"),
        (&["a\r\n b"], "x-name:a b"),
        (&["a\r\n\tb\n c"], "x-name:a b c"),
        (&["\"a  b\""], "x-name:\"a b\""),
        (&["a\u{a0} b"], "x-name:a\u{a0} b"),
        (&["A;B=C"], "x-name:A;B=C"),
        (&["b", "a"], "x-name:b,a"),
        (&[" b ", "", "a"], "x-name:b,,a"),
    ] {
        assert_eq!(line(values), expected, "{values:?}");
    }
}

#[test]
fn blanks_may_change_on_the_way_and_letters_may_not() {
    let signed_as = and(&HEADERS, &[("content-type", "application/json; charset=utf-8")]);
    let value = signed(&signed_as, &format!("content-type;{LIST}"));
    let verdict = |received: &str| {
        let headers = [("Content-Type", received), ("authorization", &value)];
        verify(&and(&HEADERS, &headers)).map(|_| ())
    };
    for same in [
        "application/json; charset=utf-8",
        " application/json;  charset=utf-8\t",
        "application/json;\r\n charset=utf-8",
    ] {
        assert_eq!(verdict(same), Ok(()), "{same:?}");
    }
    for other in ["application/json;charset=utf-8", "Application/json; charset=utf-8", ""] {
        assert_eq!(verdict(other), Err(Error::Mismatch), "{other:?}");
    }
}

#[test]
fn the_list_of_signed_headers_is_taken_to_the_letter() {
    let mixed = "X-Amz-Pay-Region;x-amz-pay-DATE;x-amz-pay-host";
    let value = signed(&HEADERS, mixed);
    verify(&and(&HEADERS, &[("authorization", &value)])).unwrap();
    let canonical = canonical_request(&request(&HEADERS), mixed).unwrap();
    let lines: Vec<_> = canonical.lines().skip(3).take(5).collect();
    let expected = [
        "x-amz-pay-region:na",
        "x-amz-pay-date:20261121T092408Z",
        "x-amz-pay-host:localhost:8443",
        "",
        mixed,
    ];
    assert_eq!(lines, expected);
    for other in [
        mixed.to_ascii_lowercase(),
        "x-amz-pay-DATE;X-Amz-Pay-Region;x-amz-pay-host".to_owned(),
        format!("{mixed};x-amz-pay-host"),
    ] {
        let value = value.replace(mixed, &other);
        let verdict = verify(&and(&HEADERS, &[("authorization", &value)])).map(|_| ());
        assert_eq!(verdict, Err(Error::Mismatch), "{other}");
    }
    let missing = value.replace(mixed, &format!("{mixed};accept"));
    let verdict = verify(&and(&HEADERS, &[("authorization", &missing)])).map(|_| ());
    assert_eq!(verdict, Err(Error::Missing("a header of the SignedHeaders list")));
}

#[test]
fn the_client_signs_every_header_it_is_given_sorted_and_once() {
    let headers = [("b", "1"), ("A", "2"), ("B", "3"), ("a-b", "4")];
    let value =
        amazon_pay::authorization(&request(&headers), Algorithm::V2, KEY_ID, &key()).unwrap();
    assert!(value.contains(" SignedHeaders=a;a-b;b, "), "{value}");
    // Without any header there is nothing that ties the signature to a place and a time.
    let none = amazon_pay::authorization(&request(&[]), Algorithm::V2, KEY_ID, &key());
    assert!(none.is_err());
}

#[test]
fn the_query_is_sorted_and_the_path_is_not_touched() {
    let lines = |path: &str, query: &[(&str, &str)]| {
        let request = Request { method: "GET", path, query, headers: &HEADERS, body: b"" };
        let canonical = canonical_request(&request, LIST).unwrap();
        canonical.lines().take(3).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(lines("", &[]), "GET / ");
    assert_eq!(lines("/a//b/%7e/", &[]), "GET /a//b/%7e/ ");
    assert_eq!(lines("/", &[("b", "2"), ("a b", "~*"), ("b", "1")]), "GET / a%20b=~%2A&b=1&b=2");
}

/// How each official client spells a request for one refund, after its source: which headers it
/// sends, which of them it lists, and how.
#[test]
fn what_the_official_clients_send_is_verified_as_they_send_it() {
    const COMMON: [(&str, &str); 2] =
        [("Accept", "application/json"), ("Content-Type", "application/json")];
    let five = "accept;content-type;x-amz-pay-date;x-amz-pay-host;x-amz-pay-region";
    type Client = (&'static str, &'static [(&'static str, &'static str)], String);
    let clients: [Client; 6] = [
        (
            "php",
            &[
                ("x-amz-pay-date", "20261121T092408Z"),
                ("x-amz-pay-host", "pay-api.amazon.eu"),
                ("x-amz-pay-region", "eu"),
                ("x-amz-pay-sdk-type", "PHP"),
                ("x-amz-pay-simulation-code", "not signed by this client"),
            ],
            five.to_owned(),
        ),
        (
            "java: the region in capitals, every header of the caller signed",
            &[
                ("X-Amz-Pay-Date", "20261121T092408Z"),
                ("X-Amz-Pay-Host", "pay-api.amazon.com"),
                ("X-Amz-Pay-Region", "NA"),
                ("X-Amz-Pay-Authtoken", "amzn.token"),
            ],
            five.replace(";x-amz-pay-date", ";x-amz-pay-authtoken;x-amz-pay-date"),
        ),
        (
            "dotnet",
            &[
                ("x-amz-pay-date", "20261121T092408Z"),
                ("x-amz-pay-host", "pay-api.amazon.jp"),
                ("x-amz-pay-region", "jp"),
            ],
            five.to_owned(),
        ),
        (
            "node: a date with separators, a port, the caller's spelling in the list",
            &[
                ("x-amz-pay-Idempotency-Key", "AVLo5tI10BHgEk2jEXAMPLEKEY"),
                ("x-amz-pay-date", "2026-11-21T09:24:08Z"),
                ("x-amz-pay-host", "localhost:18443"),
                ("x-amz-pay-region", "na"),
                ("user-agent", "amazon-pay-api-sdk-nodejs/2.3.4 (JS/20.20.2; linux)"),
            ],
            "accept;content-type;user-agent;x-amz-pay-date;x-amz-pay-host;\
             x-amz-pay-Idempotency-Key;x-amz-pay-region"
                .to_owned(),
        ),
        (
            "ruby: the length and the telemetry signed too",
            &[
                ("content-length", "2"),
                ("x-amz-pay-date", "20261121T092408Z"),
                ("x-amz-pay-host", "pay-api.amazon.com"),
                ("x-amz-pay-region", "us"),
                ("x-amz-pay-sdk-type", "Ruby"),
            ],
            five.replace(";x-amz-pay-date", ";content-length;x-amz-pay-date")
                + ";x-amz-pay-sdk-type",
        ),
        (
            "salesforce: the simulation code sent and not listed",
            &[
                ("x-amz-pay-date", "20261121T092408Z"),
                ("x-amz-pay-host", "pay-api.amazon.com"),
                ("x-amz-pay-region", "na"),
                ("x-amz-pay-simulation-code", "AmazonRejected"),
            ],
            five.to_owned(),
        ),
    ];
    for (client, headers, list) in &clients {
        let headers = and(&COMMON, headers);
        for algorithm in [Algorithm::V1, Algorithm::V2] {
            for path in ["/v2/refunds", "/v2/refunds/", "/live/v2/refunds"] {
                let request = Request { path, ..request(&headers) };
                let canonical = canonical_request(&request, list).unwrap();
                let text = string_to_sign(algorithm, &canonical);
                let signature =
                    key().sign_pss_sha256(text.as_bytes(), algorithm.salt_len()).unwrap();
                let value = claiming(algorithm, list, &signature);
                let sent = and(&headers, &[("Authorization", &value)]);
                let claim = Claim::read(Request { headers: &sent, ..request }).unwrap();
                assert_eq!((claim.algorithm(), claim.signed_headers()), (algorithm, &**list));
                let proved = claim.verify(&key().public_key());
                let proved = proved.map(|proved| proved.into_inner());
                assert_eq!(proved.as_ref().map(SignedRequest::path), Ok(path), "{client}");
                let proved = proved.unwrap();
                assert_eq!(proved.header("x-amz-pay-simulation-code"), None, "{client}");
            }
        }
    }
}

#[test]
fn the_query_of_the_node_client_is_read_too() {
    // It leaves !'()* as they are, and encodes no name.
    let signed_with = |query_line: &str| {
        let path = "/v2/chargePermissions";
        let plain = Request { method: "GET", path, query: &[], headers: &HEADERS, body: b"" };
        let canonical = canonical_request(&plain, LIST).unwrap();
        let canonical = canonical.replacen("\n\n", &format!("\n{query_line}\n"), 1);
        let text = string_to_sign(Algorithm::V2, &canonical);
        let signature = key().sign_pss_sha256(text.as_bytes(), 32).unwrap();
        claiming(Algorithm::V2, LIST, &signature)
    };
    let verdict = |value: &str, query: &[(&str, &str)]| {
        let sent = and(&HEADERS, &[("authorization", value)]);
        let path = "/v2/chargePermissions";
        let request = Request { method: "GET", path, query, headers: &sent, body: b"" };
        let verdict = Claim::read(request).and_then(|claim| claim.verify(&key().public_key()));
        verdict.map(|proved| proved.get().query().len())
    };
    let query = [("b", "it's (a) *!"), ("a", "&=+ ")];
    let value = signed_with("a=%26%3D%2B%20&b=it's%20(a)%20*!");
    assert_eq!(verdict(&value, &query), Ok(2));
    assert_eq!(verdict(&value, &[query[1], query[0]]), Ok(2));
    for other in [&[("b", "it's (a) *")][..], &[("a", "&=+ ")], &[query[0], ("a", "&=+")]] {
        assert_eq!(verdict(&value, other), Err(Error::Mismatch), "{other:?}");
    }
    // A name that would read as two parameters is not read that way.
    let value = signed_with("a=1&b=(2)");
    assert_eq!(verdict(&value, &[("a", "1"), ("b", "(2)")]), Ok(2));
    assert_eq!(verdict(&value, &[("a=1&b", "(2)")]), Err(Error::Mismatch));
}

#[test]
fn nothing_that_was_sent_is_printed_but_what_it_is_about() {
    let headers = and(&HEADERS, &[("cookie", "canary-cookie")]);
    let value = signed(&headers, &format!("cookie;{LIST}"));
    let sent = and(&headers, &[("authorization", &value)]);
    let request = Request { body: b"canary-body", ..request(&sent) };
    let claim = Claim::read(request).unwrap();
    assert_eq!(claim.public_key_id(), KEY_ID);
    assert!(value.ends_with(&claim.signature()), "as it was sent");
    let printed = format!("{request:?} {claim:?} {:?}", verify(&sent).unwrap().get());
    assert!(printed.contains("POST /v2/refunds") && printed.contains(KEY_ID), "{printed}");
    assert!(!printed.contains("canary") && !printed.contains(&claim.signature()), "{printed}");
}

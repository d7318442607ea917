//! What must not verify, must not be read as a key, and must not be fetched.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

use std::fs;
use std::path::Path;

use fps_sign::amazon_pay::{self, Algorithm};
use fps_sign::query::{Claim, Credentials, SignatureMethod};
use fps_sign::{
    Certificate, CertificateOrigin, Error, KeyError, OriginError, PrivateKey, PublicKey, Secret,
    Target, outbound, query,
};

fn key_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn private_key() -> PrivateKey {
    PrivateKey::from_pem(&key_file("rsa-2048.pkcs8.pem")).unwrap()
}

type Params = Vec<(String, String)>;

fn owned(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn borrowed(params: &Params) -> impl Iterator<Item = (&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn extended(mut params: Params, added: Vec<(&'static str, String)>) -> Params {
    params.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    params
}

#[test]
fn a_query_request_for_another_address_is_refused() {
    let target = Target::new("GET", "localhost:8443", "/");
    let secret = Secret::new("not a real key");
    let params = owned(&[
        ("Action", "Refund"),
        ("CallerReference", "CallerReference03"),
        ("RefundAmount.Value", "1"),
        ("TransactionId", "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD"),
    ]);
    let credentials = Credentials::new("AKEXAMPLE", secret.clone());
    let added = query::sign(
        &target,
        borrowed(&params),
        &credentials,
        SignatureMethod::HmacSha256,
        "2009-10-06T05:51:49.578Z",
    );
    let sent = extended(params, added);
    let verify = |target, sent| Claim::read(target, sent).and_then(|claim| claim.verify(&secret));
    verify(target, sent.clone()).unwrap();

    for other in [
        Target::new("POST", "localhost:8443", "/"),
        Target::new("GET", "localhost", "/"),
        Target::new("GET", "localhost:8443", "/x"),
    ] {
        assert_eq!(verify(other, sent.clone()).unwrap_err(), Error::Mismatch);
    }
}

#[test]
fn a_notification_for_another_address_is_refused() {
    let key = private_key();
    let target = Target::from_url("POST", "http://127.0.0.1:9999/ipn").unwrap();
    let params = owned(&[
        ("transactionId", "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF"),
        ("transactionAmount", "USD 1.00"),
        ("transactionStatus", "SUCCESS"),
    ]);
    let url = "https://localhost:8443/certs/test/PKICert.pem";
    let added = outbound::sign(&target, borrowed(&params), url, &key).unwrap();
    let sent = extended(params, added);
    let public = key.public_key();
    let verify =
        |target, sent| outbound::Claim::read(target, sent).and_then(|claim| claim.verify(&public));
    verify(target, sent.clone()).unwrap();
    for url in ["http://127.0.0.1:9999/ipn/", "http://127.0.0.1:9998/ipn", "http://127.0.0.1/ipn"] {
        let other = Target::from_url("POST", url).unwrap();
        assert_eq!(verify(other, sent.clone()).unwrap_err(), Error::Mismatch);
    }
}

#[test]
fn a_signature_survives_what_transports_do_to_base64() {
    let key = private_key();
    let target = Target::from_url("POST", "http://127.0.0.1:9999/ipn").unwrap();
    let added = outbound::sign(&target, [("a", "b")], "https://x/", &key).unwrap();
    let sent = extended(owned(&[("a", "b")]), added);
    let signature = sent.last().unwrap().1.clone();
    let wrap = |with: &str| {
        let lines: Vec<_> =
            signature.as_bytes().chunks(76).map(|l| l.escape_ascii().to_string()).collect();
        lines.join(with)
    };
    for text in [wrap("\n"), wrap("\r\n"), wrap(" "), signature.replace('+', " ")] {
        let mut sent = sent.clone();
        sent.last_mut().unwrap().1 = text;
        outbound::Claim::read(target, sent).unwrap().verify(&key.public_key()).unwrap();
    }
}

#[test]
fn no_changed_amazon_pay_request_verifies() {
    let key = private_key();
    let public = key.public_key();
    let headers = [
        ("accept", "application/json"),
        ("x-amz-pay-date", "20261121T092408Z"),
        ("x-amz-pay-host", "localhost:8443"),
        ("x-amz-pay-idempotency-key", "AVLo5tI10BHgEk2jEXAMPLEKEY"),
        ("x-amz-pay-region", "na"),
    ];
    let request = amazon_pay::Request {
        method: "POST",
        path: "/v2/refunds",
        query: &[],
        headers: &headers,
        body: br#"{"chargeId":"S01-5105180-3221187-C056351"}"#,
    };
    let verify = |request: amazon_pay::Request<'_>| {
        amazon_pay::Claim::read(request).and_then(|claim| claim.verify(&public).map(|_| ()))
    };
    for algorithm in [Algorithm::V1, Algorithm::V2] {
        let value = amazon_pay::authorization(&request, algorithm, "SANDBOX-X", &key).unwrap();
        let mut sent = headers.to_vec();
        sent.push(("authorization", &value));
        // An unsigned header does no harm.
        sent.push(("user-agent", "test"));
        let good = amazon_pay::Request { headers: &sent, ..request };
        verify(good).unwrap();

        let bad_body = br#"{"chargeId":"S01-5105180-3221187-C056352"}"#;
        for bad in [
            amazon_pay::Request { method: "PATCH", ..good },
            amazon_pay::Request { path: "/v2/refunds/", ..good },
            amazon_pay::Request { query: &[("a", "b")], ..good },
            amazon_pay::Request { body: bad_body, ..good },
        ] {
            assert_eq!(verify(bad).unwrap_err(), Error::Mismatch);
        }
        for index in 0..headers.len() {
            let mut changed = sent.clone();
            changed[index].1 = "changed";
            assert!(verify(amazon_pay::Request { headers: &changed, ..good }).is_err());
            let mut dropped = sent.clone();
            dropped.remove(index);
            assert!(verify(amazon_pay::Request { headers: &dropped, ..good }).is_err());
        }
        // The salt length is part of the algorithm: claiming the other one does not pass.
        let other = match algorithm {
            Algorithm::V1 => value.replace("-PSS ", "-PSS-V2 "),
            _ => value.replace("-PSS-V2 ", "-PSS "),
        };
        let mut relabelled = sent.clone();
        relabelled[headers.len()].1 = &other;
        let relabelled = amazon_pay::Request { headers: &relabelled, ..good };
        assert_eq!(verify(relabelled).unwrap_err(), Error::Mismatch);
    }
}

#[test]
fn a_request_that_does_not_sign_its_host_is_refused() {
    let key = private_key();
    let headers = [("x-amz-pay-date", "20261121T092408Z"), ("x-amz-pay-region", "na")];
    let request =
        amazon_pay::Request { method: "GET", path: "/", query: &[], headers: &headers, body: b"" };
    let value = amazon_pay::authorization(&request, Algorithm::V2, "X", &key).unwrap();
    let sent = [headers[0], headers[1], ("authorization", &value)];
    let claim = amazon_pay::Claim::read(amazon_pay::Request { headers: &sent, ..request });
    assert_eq!(claim.unwrap_err(), Error::Missing("x-amz-pay-host"));
}

#[test]
fn signature_version_one_is_not_accepted() {
    let params = owned(&[
        ("AWSAccessKeyId", "0656Example83G2"),
        ("SignatureVersion", "1"),
        ("Timestamp", "2007-08-06T13:00:01Z"),
        ("Signature", "AZtNujwvP4pBzxOA9X5CXNXxsT0="),
    ]);
    let claim = Claim::read(Target::new("GET", "fps.amazonaws.com", "/"), params);
    assert_eq!(claim.unwrap_err(), Error::Unsupported { part: "SignatureVersion", accepted: "2" });
}

#[test]
fn every_key_that_is_not_the_right_one_says_what_it_is() {
    let private = |name: &str| PrivateKey::from_pem(&key_file(name)).map(|_| ());
    let public = |name: &str| PublicKey::from_pem(&key_file(name)).map(|_| ());
    assert_eq!(private("rsa-2048.pkcs8.pem"), Ok(()));
    assert_eq!(private("rsa-2048.pkcs1.pem"), Ok(()));
    assert_eq!(private("openssh.pem"), Err(KeyError::OpenSsh));
    assert_eq!(private("rsa-2048.encrypted.pem"), Err(KeyError::Encrypted));
    assert_eq!(private("rsa-2048.public.pem"), Err(KeyError::NotPrivate));
    assert_eq!(private("rsa-2048.certificate.pem"), Err(KeyError::NotPrivate));
    assert_eq!(private("ec-p256.pkcs8.pem"), Err(KeyError::NotRsa));
    assert_eq!(private("rsa-1024.pkcs8.pem"), Err(KeyError::TooShort { bits: 1024, least: 2048 }));
    assert_eq!(public("rsa-2048.public.pem"), Ok(()));
    assert_eq!(public("rsa-2048.pkcs8.pem"), Err(KeyError::NotPublic));
    for text in ["", "MIIEvgIBADANBgkqhkiG9w0", "/etc/keys/private.pem"] {
        assert_eq!(PrivateKey::from_pem(text).unwrap_err(), KeyError::NotPem);
    }
    let cut = key_file("rsa-2048.pkcs8.pem").replace("MIIE", "MIIF");
    assert_eq!(PrivateKey::from_pem(&cut).unwrap_err(), KeyError::Malformed);
}

#[test]
fn line_ends_do_not_matter_to_a_key() {
    let pem = key_file("rsa-2048.pkcs8.pem");
    let expected = private_key().public_key().to_pem();
    for text in [pem.replace('\n', "\r\n"), pem.replace('\n', "\\n"), pem.replace('\n', "\\r\\n")] {
        assert_eq!(PrivateKey::from_pem(&text).unwrap().public_key().to_pem(), expected);
    }
    assert_eq!(expected, key_file("rsa-2048.public.pem"));
}

#[test]
fn a_certificate_yields_its_key_and_its_time() {
    let certificate =
        Certificate::from_pem(key_file("rsa-2048.certificate.pem").as_bytes()).unwrap();
    assert_eq!(certificate.public_key().to_pem(), key_file("rsa-2048.public.pem"));
    assert!(certificate.is_valid_at(2_000_000_000));
    assert!(!certificate.is_valid_at(1_000_000_000));
    let key = Certificate::from_pem(key_file("rsa-2048.public.pem").as_bytes());
    assert_eq!(key.unwrap_err(), KeyError::Malformed);
}

#[test]
fn only_plain_addresses_under_the_configured_origin_are_admitted() {
    let origin = CertificateOrigin::retired_sandbox();
    for good in [
        "https://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem",
        "https://fps.sandbox.amazonaws.com/certs/090911/PKICert.pem?requestId=1a146b9a-b37b",
    ] {
        assert_eq!(origin.admit(good).unwrap().as_str(), good);
    }
    // A notification of the other environment must not be believed either.
    for foreign in [
        "",
        "https://fps.amazonaws.com/certs/090909/PKICert.pem",
        "http://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem",
        "HTTPS://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem",
        "https://fps.sandbox.amazonaws.com.evil.example/certs/PKICert.pem",
        "https://fps.sandbox.amazonaws.com@evil.example/certs/PKICert.pem",
        "https://fps.sandbox.amazonaws.com:8443/certs/PKICert.pem",
        "https://fps.sandbox.amazonaws.com",
        "https://evil.example/https://fps.sandbox.amazonaws.com/certs/PKICert.pem",
        " https://fps.sandbox.amazonaws.com/certs/PKICert.pem",
        "//fps.sandbox.amazonaws.com/certs/PKICert.pem",
    ] {
        assert_eq!(origin.admit(foreign).unwrap_err(), OriginError::Foreign, "{foreign}");
    }
    for suspicious in [
        "https://fps.sandbox.amazonaws.com/",
        "https://fps.sandbox.amazonaws.com//evil.example/PKICert.pem",
        "https://fps.sandbox.amazonaws.com/certs/../../evil",
        "https://fps.sandbox.amazonaws.com/certs/./x",
        "https://fps.sandbox.amazonaws.com/certs\\evil",
        "https://fps.sandbox.amazonaws.com/certs/x#y",
        "https://fps.sandbox.amazonaws.com/certs/x y",
        "https://fps.sandbox.amazonaws.com/certs/x\nHost: evil",
        "https://fps.sandbox.amazonaws.com/certs/caf\u{e9}",
        "https://fps.sandbox.amazonaws.com/a?b?c",
        "https://fps.sandbox.amazonaws.com/@evil.example",
    ] {
        assert_eq!(origin.admit(suspicious).unwrap_err(), OriginError::Suspicious, "{suspicious}");
    }
    for origin in
        ["http://localhost/", "https://localhost", "https:///", "https://a@b/", "https://a/b/"]
    {
        assert_eq!(CertificateOrigin::new(origin).unwrap_err(), OriginError::BadOrigin, "{origin}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let secret = Secret::new("canary-secret");
    let credentials = Credentials::new("AKEXAMPLE", secret.clone());
    let printed = format!("{secret:?} {credentials:?} {:?}", private_key());
    assert!(!printed.contains("canary"), "{printed}");
    assert!(!printed.contains("MII"), "{printed}");
}

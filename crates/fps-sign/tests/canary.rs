//! No secret and no signature in anything that this crate prints without being asked: every `Debug`,
//! every `Display`, every error, for every scheme.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::error::Error as StdError;
use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::amazon_pay::{self, Algorithm};
use fps_sign::explain::{Mismatch, Refusal};
use fps_sign::query::{self, Credentials, SignatureMethod};
use fps_sign::{
    Certificate, PrivateKey, PublicKey, RequestSigner, Secret, SignError, Target, outbound, sns,
    soap,
};

const SECRET: &str = "canary-secret-key-4711";
const BUYER: &str = "canary-buyer@example.com";
const PEM: &str = include_str!("keys/rsa-2048.pkcs8.pem");

/// Everything that was printed, and everything that may not be in it.
#[derive(Default)]
struct Watch {
    printed: Vec<String>,
    secret: Vec<String>,
}

impl Watch {
    fn print(&mut self, value: &impl Debug) {
        self.printed.push(format!("{value:?}"));
        self.printed.push(format!("{value:#?}"));
    }

    fn error(&mut self, error: &(dyn StdError + 'static)) {
        self.print(&error);
        let mut next = Some(error);
        while let Some(error) = next {
            self.printed.push(error.to_string());
            next = error.source();
        }
    }

    fn hide(&mut self, secret: &str) {
        self.secret.push(secret.to_owned());
    }

    /// Fails on the first canary that got out.
    fn check(&self) {
        for printed in &self.printed {
            for secret in &self.secret {
                assert!(!printed.contains(secret.as_str()), "{secret} in {printed}");
            }
        }
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn key() -> PrivateKey {
    PrivateKey::from_pem(PEM).unwrap()
}

#[test]
fn the_canary_test_can_fail() {
    let mut watch = Watch::default();
    watch.hide(SECRET);
    watch.print(&Secret::new(SECRET));
    watch.check();
    watch.print(&Secret::new(SECRET).expose());
    assert!(std::panic::catch_unwind(|| watch.check()).is_err());
}

#[test]
fn query_requests_print_no_key_no_signature_and_no_value() {
    let mut watch = Watch::default();
    watch.hide(SECRET);
    watch.hide(BUYER);
    let credentials = Credentials::new("AKEXAMPLE", Secret::new(SECRET));
    watch.print(&credentials);
    let target = Target::new("GET", "localhost", "/");
    let own = [("Action", "Refund"), ("CallerDescription", BUYER)];
    let method = SignatureMethod::HmacSha256;
    let new = query::sign(&target, own, &credentials, method, "2009-10-06T05:51:49Z");
    let old = query::sign_forgeable_version_1(own, &credentials, "2009-10-06T05:51:49Z");
    for added in [new, old] {
        watch.hide(&added.last().unwrap().1);
        let mut sent = owned(&own);
        sent.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let claim = query::Claim::read(target, sent.clone())
            .or_else(|_| query::Claim::read_forgeable_version_1(sent.clone()))
            .unwrap();
        watch.print(&claim);
        watch.error(&claim.verify(&Secret::new("another")).unwrap_err());
        for index in 0..sent.len() {
            for value in ["", "\u{0}", BUYER] {
                let mut wrong = sent.clone();
                value.clone_into(&mut wrong[index].1);
                let verdict = query::Claim::read(target, wrong.clone());
                if let Err(error) = verdict.and_then(|claim| claim.verify(&Secret::new(SECRET))) {
                    watch.error(&error);
                }
                let verdict = query::Claim::read_forgeable_version_1(wrong);
                if let Err(error) = verdict.and_then(|claim| claim.verify(&Secret::new(SECRET))) {
                    watch.error(&error);
                }
            }
        }
    }
    let mismatch = Mismatch::between(BUYER, "").unwrap();
    watch.print(&mismatch);
    assert!(watch.printed.len() > 100, "{}", watch.printed.len());
    watch.check();
}

/// A device that says no, and not why it should.
#[derive(Debug)]
struct Locked;

impl RequestSigner for Locked {
    fn sign_pss_sha256(&self, _: &[u8], _: usize) -> Result<Vec<u8>, SignError> {
        Err(SignError::new("the device is locked"))
    }
}

#[test]
fn amazon_pay_requests_print_no_key_no_signature_no_header_and_no_body() {
    let mut watch = Watch::default();
    watch.hide(BUYER);
    let lines: Vec<_> = PEM.lines().filter(|line| !line.starts_with("-----")).collect();
    lines.iter().for_each(|line| watch.hide(line));
    watch.print(&key());
    let headers = [
        ("x-amz-pay-date", "20261121T092408Z"),
        ("x-amz-pay-host", "localhost"),
        ("x-amz-pay-region", "na"),
        ("x-buyer", BUYER),
    ];
    let request = amazon_pay::Request {
        method: "POST",
        path: "/v2/refunds",
        query: &[("buyer", BUYER)],
        headers: &headers,
        body: BUYER.as_bytes(),
    };
    watch.print(&request);
    let refused = amazon_pay::authorization(&request, Algorithm::V2, "KEY", &Locked).unwrap_err();
    watch.error(&refused);
    let value = amazon_pay::authorization(&request, Algorithm::V2, "KEY", &key()).unwrap();
    watch.hide(value.rsplit_once('=').unwrap().1);
    watch.hide(&value[value.len() - 80..]);
    let sent = [&headers[..], &[("authorization", &value)]].concat();
    let sent = amazon_pay::Request { headers: &sent, ..request };
    let claim = amazon_pay::Claim::read(sent).unwrap();
    watch.print(&claim);
    let text = claim.string_to_sign().unwrap();
    let message = format!("signing String [{text}] , signature [{}]", claim.signature());
    watch.hide(&claim.signature());
    let refusal = Refusal::read(&message).unwrap();
    watch.print(&refusal);
    watch.print(&refusal.explain(&sent, &key().public_key()).unwrap());
    watch.print(claim.verify(&key().public_key()).unwrap().get());
    let other = amazon_pay::Request { body: b"", ..sent };
    let claim = amazon_pay::Claim::read(other).unwrap();
    watch.error(&claim.verify(&key().public_key()).unwrap_err());
    // The last three letters of base64 may be `==`: those are no canary.
    watch.secret.retain(|secret| secret.len() > 8);
    watch.check();
}

#[test]
fn sns_messages_and_envelopes_print_no_signature_and_no_content() {
    let mut watch = Watch::default();
    watch.hide(BUYER);
    let own = [
        ("Type", "Notification"),
        ("MessageId", "1"),
        ("TopicArn", "arn:aws:sns:us-east-1:1:topic"),
        ("Message", BUYER),
        ("Subject", BUYER),
        ("Timestamp", "2026-01-15T10:21:30.123Z"),
    ];
    let version = sns::SignatureVersion::V2;
    let added = sns::sign(own, version, "https://localhost/x.pem", &key()).unwrap();
    watch.hide(&added.last().unwrap().1);
    let mut sent = owned(&own);
    sent.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let claim = sns::Claim::read(&sent).unwrap();
    watch.print(&claim);
    let proved = claim.verify(&key().public_key()).unwrap();
    watch.print(&proved);
    for index in 0..sent.len() {
        let mut wrong = sent.clone();
        wrong[index].1 = format!("{BUYER}\n");
        let verdict = sns::Claim::read(&wrong);
        let verdict = verdict.and_then(|claim| claim.verify(&key().public_key()).map(|_| ()));
        // The address of the certificate is not signed.
        if let Err(error) = verdict {
            watch.error(&error);
        }
    }

    let pem = include_bytes!("keys/rsa-2048.certificate.pem");
    let certificate = Certificate::from_pem(pem).unwrap();
    let body = format!("<Pay xmlns=\"urn:x\"><Buyer>{BUYER}</Buyer></Pay>");
    let message = soap::Message::new(&body, "2009-10-06T05:51:49Z");
    watch.print(&message);
    let envelope = soap::sign(&message, &certificate, &key()).unwrap();
    let signature = envelope.split("SignatureValue").nth(1).unwrap();
    watch.hide(signature[1..].split('<').next().unwrap());
    let claim = soap::Claim::read(envelope.as_bytes()).unwrap();
    watch.print(&claim);
    watch.print(&claim.references());
    watch.print(&claim.verify(&certificate).unwrap());
    let changed = envelope.replace(BUYER, "another");
    let claim = soap::Claim::read(changed.as_bytes()).unwrap();
    watch.error(&claim.verify(&certificate).unwrap_err());
    for broken in [BUYER, "</Buyer", "Pay", "#body", "rsa-sha1"] {
        let wrong = envelope.replacen(broken, &format!("{BUYER}<"), 1);
        watch.error(&soap::Claim::read(wrong.as_bytes()).unwrap_err());
    }
    watch.check();
}

#[test]
fn a_key_that_cannot_be_read_is_not_in_the_error() {
    let mut watch = Watch::default();
    let canary = STANDARD.encode("canary of a private key");
    watch.hide(&canary);
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PUBLIC KEY", "X"] {
        for text in [
            format!("-----BEGIN {label}-----\n{canary}\n-----END {label}-----\n"),
            format!("-----BEGIN {label}-----\n{canary}"),
            canary.clone(),
        ] {
            watch.error(&PrivateKey::from_pem(&text).unwrap_err());
            watch.error(&PublicKey::from_pem(&text).unwrap_err());
            watch.error(&Certificate::from_pem(text.as_bytes()).unwrap_err());
        }
    }
    watch.check();
}

#[test]
fn notifications_print_no_signature_and_no_buyer() {
    let mut watch = Watch::default();
    watch.hide(BUYER);
    let target = Target::from_url("POST", "https://shop.example/ipn").unwrap();
    let own = [("buyerEmail", BUYER), ("transactionStatus", "SUCCESS")];
    let added = outbound::sign(&target, own, "https://localhost/x.pem", &key()).unwrap();
    watch.hide(&added.last().unwrap().1);
    let mut sent = owned(&own);
    sent.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let claim = outbound::Claim::read(target, &sent).unwrap();
    watch.print(&claim);
    let mut changed = sent.clone();
    changed[1].1 = "FAILURE".to_owned();
    let claim = outbound::Claim::read(target, &changed).unwrap();
    watch.error(&claim.verify(&key().public_key()).unwrap_err());
    for index in 0..sent.len() {
        let mut wrong = sent.clone();
        wrong[index].1 = format!("{BUYER}!");
        let verdict = outbound::Claim::read(target, &wrong);
        let verdict = verdict.and_then(|claim| claim.verify(&key().public_key()).map(|_| ()));
        watch.error(&verdict.unwrap_err());
    }
    watch.check();
}

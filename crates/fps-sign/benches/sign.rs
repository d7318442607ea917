//! What a signature costs beside the bare primitive of the same run. Prints; fails for nothing.
//!
//! Without the feature `aws-lc` it measures the portable backend beside `rsa`, and then starts itself
//! again with the feature, beside aws-lc-rs.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::query::{self, Credentials, SignatureMethod};
use fps_sign::{
    PrivateKey, Secret, Target, amazon_pay, outbound, percent_encode, sns, string_to_sign,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PEM: &str = include_str!("../tests/keys/rsa-2048.pkcs8.pem");
const REPEATS: usize = 41;

/// Prints what two pieces of work cost, measured in turns so that both see the same machine; the
/// least of many runs is the one least disturbed.
fn compare(name: &str, goal: &str, rounds: u32, mut floor: impl FnMut(), mut ours: impl FnMut()) {
    let run = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        for _ in 0..rounds {
            work();
        }
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    };
    let (mut least_floor, mut least_ours) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..REPEATS {
        least_floor = least_floor.min(run(&mut floor));
        least_ours = least_ours.min(run(&mut ours));
    }
    let ratio = least_ours / least_floor;
    println!("{name:46} {least_floor:8.2} µs {least_ours:8.2} µs {ratio:6.3} ×  {goal}");
}

fn main() {
    let backend = if cfg!(feature = "aws-lc") { "aws-lc-rs" } else { "rsa" };
    println!("{:46} {:>11} {:>11} {:>8}", format!("backend {backend}"), "floor", "ours", "ratio");
    flexible_payments_request();
    amazon_pay_request();
    notification();
    sns_message();
    #[cfg(not(feature = "aws-lc"))]
    again_with_aws_lc();
}

#[cfg(not(feature = "aws-lc"))]
fn again_with_aws_lc() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["bench", "--quiet", "-p", "fps-sign", "--bench", "sign", "--features", "aws-lc"];
    let status = std::process::Command::new(cargo).args(arguments).status().unwrap();
    assert!(status.success(), "the bench with the feature aws-lc: {status}");
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TIMESTAMP: &str = "2009-10-06T05:51:49.578Z";
/// A refund as it is sent; with the four that the signature adds, 13 parameters.
const PARAMS: [(&str, &str); 9] = [
    ("Action", "Refund"),
    ("CallerDescription", "Order 4711 (returned)"),
    ("CallerReference", "refund-2009-10-06-000042"),
    ("MarketplaceRefundPolicy", "MasterTxnOnly"),
    ("OverrideIPNURL", "https://shop.example/ipn?order=4711"),
    ("RefundAmount.CurrencyCode", "USD"),
    ("RefundAmount.Value", "12.50"),
    ("TransactionId", "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD"),
    ("Version", "2008-09-17"),
];

fn flexible_payments_request() {
    let target = Target::new("GET", "fps.sandbox.amazonaws.com", "/");
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", Secret::new(SECRET));
    let method = SignatureMethod::HmacSha256;
    let ours = || query::sign(&target, PARAMS, &credentials, method, TIMESTAMP);
    let expected = ours().last().unwrap().1.clone();
    assert_eq!(floor_of_query(), expected, "the floor does the same work");
    assert_eq!(usual_way(), expected, "and so does the usual way");
    let work = || drop(black_box(ours()));
    let name = "FPS signature version 2, 13 parameters";
    compare(name, "(goal: 1.3)", 20_000, || drop(black_box(floor_of_query())), work);
    let name = "  beside a BTreeMap and format!";
    compare(name, "", 20_000, || drop(black_box(usual_way())), work);
}

fn all_params() -> [(&'static str, &'static str); 13] {
    let mut all = [("", ""); 13];
    all[..9].copy_from_slice(&PARAMS);
    all[9] = ("AWSAccessKeyId", "AKIAIOSFODNN7EXAMPLE");
    all[10] = ("SignatureMethod", "HmacSHA256");
    all[11] = ("SignatureVersion", "2");
    all[12] = ("Timestamp", TIMESTAMP);
    all
}

/// The least that there is to do, on the stack and by bytes: sort, encode, HMAC, base64; one
/// allocation for the text and one for the signature.
fn floor_of_query() -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut all = black_box(all_params());
    all.sort_unstable();
    let mut text = Vec::with_capacity(640);
    text.extend_from_slice(b"GET\nfps.sandbox.amazonaws.com\n/\n");
    for (index, (name, value)) in all.iter().enumerate() {
        if index > 0 {
            text.push(b'&');
        }
        for (part, end) in [(name, Some(b'=')), (value, None)] {
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                    text.push(byte);
                } else {
                    let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                    text.extend_from_slice(&[b'%', HEX[high], HEX[low]]);
                }
            }
            text.extend(end);
        }
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&text);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn usual_way() -> String {
    let map: BTreeMap<_, _> = black_box(all_params()).into_iter().collect();
    let encode = |text: &str| {
        let mut encoded = String::new();
        percent_encode(text, &mut encoded);
        encoded
    };
    let pairs: Vec<_> =
        map.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let text = format!("GET\nfps.sandbox.amazonaws.com\n/\n{}", pairs.join("&"));
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn amazon_pay_request() {
    let key = PrivateKey::from_pem(PEM).unwrap();
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-amz-pay-date", "20261121T092408Z"),
        ("x-amz-pay-host", "pay-api.amazon.com"),
        ("x-amz-pay-idempotency-key", "AVLo5tI10BHgEk2jEXAMPLEKEY"),
        ("x-amz-pay-region", "na"),
    ];
    let body = br#"{"chargeId":"S01-5105180-3221187-C056351","refundAmount":{"amount":"14.00","currencyCode":"USD"},"softDescriptor":"Descriptor"}"#;
    let request = amazon_pay::Request {
        method: "POST",
        path: "/sandbox/v2/refunds",
        query: &[],
        headers: &headers,
        body,
    };
    let list = "accept;content-type;x-amz-pay-date;x-amz-pay-host;x-amz-pay-idempotency-key;\
                x-amz-pay-region";
    for (name, algorithm) in [
        ("Amazon Pay signature, salt 32", amazon_pay::Algorithm::V2),
        ("Amazon Pay signature, salt 20", amazon_pay::Algorithm::V1),
    ] {
        let canonical = amazon_pay::canonical_request(&request, list).unwrap();
        let text = amazon_pay::string_to_sign(algorithm, &canonical);
        let bare = bare::Pss::new(algorithm.salt_len());
        let work = || {
            drop(black_box(amazon_pay::authorization(&request, algorithm, "KEY", &key).unwrap()));
        };
        let floor = || drop(black_box(bare.sign(black_box(text.as_bytes()))));
        compare(name, "(goal: 1.05)", 20, floor, work);
    }
}

fn notification() {
    let key = PrivateKey::from_pem(PEM).unwrap();
    let public = key.public_key();
    let target = Target::from_url("POST", "https://shop.example:8443/ipn").unwrap();
    let own = [
        ("buyerEmail", "buyer@example.com"),
        ("buyerName", "Test Business"),
        ("callerReference", "CallerReference03"),
        ("notificationType", "TransactionStatus"),
        ("operation", "REFUND"),
        ("parentTransactionId", "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD"),
        ("paymentMethod", "CC"),
        ("paymentReason", "MyWish"),
        ("recipientEmail", "recipient@example.com"),
        ("recipientName", "Test Business"),
        ("statusCode", "Success"),
        ("statusMessage", "The transaction was successful and the payment instrument was charged."),
        ("transactionAmount", "USD 1.00"),
        ("transactionDate", "1254808309"),
        ("transactionId", "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF"),
        ("transactionStatus", "SUCCESS"),
    ];
    let url = "https://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem";
    let added = outbound::sign(&target, own, url, &key).unwrap();
    let mut sent: Vec<(String, String)> =
        own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    sent.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let unsigned = sent.iter().filter(|(name, _)| name != "signature");
    let text = string_to_sign(&target, unsigned.map(|(name, value)| (&**name, &**value)));
    let signature = STANDARD.decode(&added.last().unwrap().1).unwrap();
    let bare = bare::Pkcs1::sha1();
    let floor = || assert!(bare.verify(black_box(text.as_bytes()), black_box(&signature)));
    let work = || {
        let claim = outbound::Claim::read(target, black_box(&sent)).unwrap();
        black_box(claim.verify(&public).unwrap());
    };
    compare("FPS notification verified, 20 parameters", "(goal: 1.2)", 500, floor, work);
}

fn sns_message() {
    let key = PrivateKey::from_pem(PEM).unwrap();
    let public = key.public_key();
    let message = "{\"NotificationVersion\":\"V2\",\"NotificationType\":\"STATE_CHANGE\",\
                   \"ObjectType\":\"REFUND\",\"ObjectId\":\"S01-5105180-3221187-R022311\"}";
    let own = [
        ("Type", "Notification"),
        ("MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"),
        ("TopicArn", "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE"),
        ("Message", message),
        ("Timestamp", "2026-01-15T10:21:30.123Z"),
    ];
    let url = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123.pem";
    for (name, version, bare) in [
        ("SNS message verified, version 1", sns::SignatureVersion::V1, bare::Pkcs1::sha1()),
        ("SNS message verified, version 2", sns::SignatureVersion::V2, bare::Pkcs1::sha256()),
    ] {
        let mut sent: Vec<(String, String)> =
            own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let added = sns::sign(own, version, url, &key).unwrap();
        sent.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let claim = sns::Claim::read(&sent).unwrap();
        let text = claim.string_to_sign();
        let signature = added.iter().find(|(name, _)| *name == "Signature").unwrap();
        let signature = STANDARD.decode(&signature.1).unwrap();
        let floor = || assert!(bare.verify(black_box(text.as_bytes()), black_box(&signature)));
        let work = || {
            let claim = sns::Claim::read(black_box(&sent)).unwrap();
            black_box(claim.verify(&public).unwrap());
        };
        compare(name, "(goal: 1.2)", 500, floor, work);
    }
}

/// The operation itself, on a parsed key, over a text that is ready.
#[cfg(feature = "aws-lc")]
mod bare {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeyPair;
    use aws_lc_rs::signature::{
        KeyPair as _, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_SHA256, RsaPssSaltLength, RsaSignatureEncoding,
    };

    use super::PEM;

    fn pair() -> KeyPair {
        KeyPair::from_pkcs8(pem::parse(PEM).unwrap().contents()).unwrap()
    }

    pub(super) struct Pss(KeyPair, &'static RsaSignatureEncoding);

    impl Pss {
        pub(super) fn new(salt_len: usize) -> Self {
            let length = RsaPssSaltLength::Custom(salt_len.try_into().unwrap());
            Self(pair(), Box::leak(Box::new(RSA_PSS_SHA256.with_pss_salt_length(length))))
        }

        pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
            let mut signature = vec![0; self.0.public_modulus_len()];
            self.0.sign(self.1, &SystemRandom::new(), text, &mut signature).unwrap();
            signature
        }
    }

    pub(super) struct Pkcs1(ParsedPublicKey);

    impl Pkcs1 {
        pub(super) fn sha1() -> Self {
            let parameters = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
            let pair = pair();
            Self(ParsedPublicKey::new(parameters, pair.public_key().as_ref()).unwrap())
        }

        pub(super) fn sha256() -> Self {
            let pair = pair();
            let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
            Self(key.unwrap())
        }

        pub(super) fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
            self.0.verify_sig(text, signature).is_ok()
        }
    }
}

#[cfg(not(feature = "aws-lc"))]
mod bare {
    use rsa::RsaPrivateKey;
    use rsa::pkcs8::DecodePrivateKey;
    use rsa::signature::{SignatureEncoding, Signer, Verifier};
    use rsa::{pkcs1v15, pss};
    use sha1::Sha1;
    use sha2::Sha256;

    use super::PEM;

    pub(super) struct Pss(pss::SigningKey<Sha256>);

    impl Pss {
        pub(super) fn new(salt_len: usize) -> Self {
            let key = RsaPrivateKey::from_pkcs8_pem(PEM).unwrap();
            Self(pss::SigningKey::new_with_salt_len(key, salt_len))
        }

        pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
            self.0.sign(text).to_vec()
        }
    }

    pub(super) enum Pkcs1 {
        Sha1(pkcs1v15::VerifyingKey<Sha1>),
        Sha256(pkcs1v15::VerifyingKey<Sha256>),
    }

    impl Pkcs1 {
        pub(super) fn sha1() -> Self {
            let key = RsaPrivateKey::from_pkcs8_pem(PEM).unwrap();
            Self::Sha1(pkcs1v15::VerifyingKey::new(key.to_public_key()))
        }

        pub(super) fn sha256() -> Self {
            let key = RsaPrivateKey::from_pkcs8_pem(PEM).unwrap();
            Self::Sha256(pkcs1v15::VerifyingKey::new(key.to_public_key()))
        }

        pub(super) fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
            let signature = pkcs1v15::Signature::try_from(signature).unwrap();
            match self {
                Self::Sha1(key) => key.verify(text, &signature).is_ok(),
                Self::Sha256(key) => key.verify(text, &signature).is_ok(),
            }
        }
    }
}

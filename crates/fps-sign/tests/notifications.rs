//! Notifications: every bit of those that Amazon signed, and what a changed one is refused for.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod tamper;

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::outbound::{self, Claim, ForgeableClaim};
use fps_sign::{
    Certificate, CertificateOrigin, Error, KeyError, OriginError, PrivateKey, PublicKey, Secret,
    Target, string_to_sign,
};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use tamper::{Change, Params, Tally, variants};

/// The bodies of the two notifications printed in seed 001.
const BODIES: [&str; 2] = [
    include_str!("vectors/outbound/seed001-ipn-refund-pending/body.form"),
    include_str!("vectors/outbound/seed001-ipn-refund-success/body.form"),
];
const ADDRESS: &str = "http://vamsik.desktop.amazon.com:8080/ipn.jsp";

fn amazons_key() -> PublicKey {
    let pem = include_str!("vectors/outbound/fps-outbound-090909-public.pem");
    PublicKey::from_pem(pem).unwrap()
}

fn test_key() -> PrivateKey {
    PrivateKey::from_pem(include_str!("keys/rsa-2048.pkcs8.pem")).unwrap()
}

/// Decodes a form as a web framework would; `None` where it would answer 400.
fn form(body: &[u8]) -> Option<Params> {
    let body = std::str::from_utf8(body).ok()?;
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(String::from)
    };
    body.split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| Some((decode(name)?, decode(value)?)))
        .collect()
}

fn is_proved(params: Params, key: &PublicKey) -> bool {
    let target = Target::from_url("POST", ADDRESS).unwrap();
    Claim::read(target, params).and_then(|claim| claim.verify(key)).is_ok()
}

/// A notification signed by the key of these tests, the signature last.
fn signed() -> Params {
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let own = [("transactionAmount", "USD 1.00"), ("transactionStatus", "SUCCESS")];
    let url = "https://localhost:8443/certs/PKICert.pem";
    let added = outbound::sign(&target, own, url, &test_key()).unwrap();
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.into_iter().chain(added.into_iter().map(|(name, value)| (name.to_owned(), value))).collect()
}

fn with(mut params: Params, name: &str, value: &str) -> Params {
    params.iter_mut().find(|(given, _)| given == name).unwrap().1 = value.to_owned();
    params
}

#[test]
fn no_bit_of_a_notification_of_amazons_can_change_but_the_case_of_an_escape() {
    let key = amazons_key();
    for body in BODIES {
        assert!(is_proved(form(body.as_bytes()).unwrap(), &key));
        // `%2F` and `%2f` are the same byte: the one thing in the body that is not signed.
        let is_escape_letter = |position: usize| {
            let bytes = body.as_bytes();
            let escaped = [1, 2].iter().any(|back| {
                position.checked_sub(*back).is_some_and(|percent| bytes[percent] == b'%')
            });
            escaped && bytes[position].is_ascii_alphabetic()
        };
        let mut bytes = body.as_bytes().to_vec();
        let mut harmless = 0;
        for position in 0..bytes.len() {
            for bit in 0..8 {
                bytes[position] ^= 1 << bit;
                let proved = form(&bytes).is_some_and(|params| is_proved(params, &key));
                let expected = bit == 5 && is_escape_letter(position);
                let place = &body[position.saturating_sub(8)..=position];
                assert_eq!(proved, expected, "bit {bit} at {position}, {place}");
                harmless += usize::from(proved);
                bytes[position] ^= 1 << bit;
            }
        }
        assert!(harmless < 40, "{harmless}");
    }
}

#[test]
fn a_notification_of_amazons_verifies_in_every_order_and_not_without_a_part() {
    let key = amazons_key();
    for body in BODIES {
        let mut params = form(body.as_bytes()).unwrap();
        for _ in 0..params.len() {
            params.rotate_left(1);
            assert!(is_proved(params.clone(), &key));
            assert!(!is_proved(params[1..].to_vec(), &key), "without {}", params[0].0);
            let mut doubled = params.clone();
            doubled.push(params[0].clone());
            assert!(!is_proved(doubled, &key), "with a second {}", params[0].0);
        }
        params.reverse();
        assert!(is_proved(params.clone(), &key));
        params.push(("sessionId".to_owned(), String::new()));
        assert!(!is_proved(params, &key), "what a framework adds is not signed");
    }
}

#[test]
fn a_notification_proves_nothing_at_another_address() {
    let key = amazons_key();
    let params = form(BODIES[1].as_bytes()).unwrap();
    let verdict = |method, url| {
        let target = Target::from_url(method, url).unwrap();
        Claim::read(target, params.clone()).unwrap().verify(&key).map(|_| ())
    };
    for same in [ADDRESS, "http://VAMSIK.desktop.amazon.com:8080/ipn.jsp?a=b#c"] {
        assert_eq!(verdict("POST", same), Ok(()), "{same}");
    }
    for (method, url) in [
        ("GET", ADDRESS),
        ("POST", "http://vamsik.desktop.amazon.com/ipn.jsp"),
        ("POST", "http://vamsik.desktop.amazon.com:80/ipn.jsp"),
        ("POST", "http://vamsik.desktop.amazon.com:8080/ipn.jsp/"),
        ("POST", "http://vamsik.desktop.amazon.com:8080/IPN.jsp"),
        ("POST", "http://vamsik.desktop.amazon.com:8080/"),
        ("POST", "http://desktop.amazon.com:8080/ipn.jsp"),
    ] {
        assert_eq!(verdict(method, url), Err(Error::Mismatch), "{method} {url}");
    }
}

#[test]
fn only_rsa_sha1_in_version_two_is_read() {
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let read = |params| Claim::read(target, params).map(|_| ());
    for (name, part, accepted, others) in [
        ("signatureVersion", "signatureVersion", "2", ["1", "", "2 ", "3"]),
        ("signatureMethod", "signatureMethod", "RSA-SHA1", ["HmacSHA1", "", "rsa-sha1", "none"]),
    ] {
        for other in others {
            let expected = Err(Error::Unsupported { part, accepted });
            assert_eq!(read(with(signed(), name, other)), expected, "{name}={other}");
        }
    }
    for name in ["signatureVersion", "signatureMethod", "certificateUrl", "signature"] {
        let mut missing = signed();
        missing.retain(|(given, _)| given != name);
        assert_eq!(read(missing), Err(Error::Missing(name)));
        let mut doubled = signed();
        doubled.insert(0, (name.to_owned(), "another".to_owned()));
        assert_eq!(read(doubled), Err(Error::Duplicate(name.to_owned())));
    }
}

#[test]
fn only_a_signature_of_the_whole_length_verifies() {
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let sent = signed();
    let whole = STANDARD.decode(&sent.last().unwrap().1).unwrap();
    assert_eq!(whole.len(), 256);
    for wrong in [
        Vec::new(),
        vec![0],
        whole[..255].to_vec(),
        whole[1..].to_vec(),
        [&whole[..], &[0]].concat(),
        [&[0], &whole[..]].concat(),
        vec![0; 256],
        vec![255; 256],
    ] {
        let params = with(sent.clone(), "signature", &STANDARD.encode(&wrong));
        let verdict = Claim::read(target, params).unwrap().verify(&test_key().public_key());
        assert_eq!(verdict.unwrap_err(), Error::Mismatch, "{} bytes", wrong.len());
    }
    for unreadable in ["=", "a", "not*base64", "A\tAA="] {
        let claim = Claim::read(target, with(sent.clone(), "signature", unreadable));
        assert_eq!(claim.unwrap_err(), Error::Malformed("signature"), "{unreadable}");
    }
}

#[test]
fn the_padding_and_the_hash_are_those_of_the_method() {
    use rsa::pkcs8::DecodePrivateKey;
    use rsa::signature::{SignatureEncoding, Signer};

    let pem = include_str!("keys/rsa-2048.pkcs8.pem");
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let sent = signed();
    let unsigned = sent.iter().filter(|(name, _)| name != "signature");
    let text = string_to_sign(&target, unsigned.map(|(name, value)| (&**name, &**value)));
    let sha1 = rsa::pkcs1v15::SigningKey::<sha1::Sha1>::new(key.clone()).sign(text.as_bytes());
    let sha256 = rsa::pkcs1v15::SigningKey::<sha2::Sha256>::new(key.clone()).sign(text.as_bytes());
    let pss = rsa::pss::SigningKey::<sha1::Sha1>::new(key).sign(text.as_bytes());
    for (signature, expected) in [
        (sha1.to_vec(), Ok(())),
        (sha256.to_vec(), Err(Error::Mismatch)),
        (pss.to_vec(), Err(Error::Mismatch)),
    ] {
        let params = with(sent.clone(), "signature", &STANDARD.encode(signature));
        let claim = Claim::read(target, params).unwrap();
        assert_eq!(claim.verify(&test_key().public_key()).map(|_| ()), expected);
    }
}

#[test]
fn a_certificate_address_is_bounded_and_cannot_climb() {
    let origin = CertificateOrigin::retired_live();
    let of_length = |length: usize| {
        let begin = "https://fps.amazonaws.com/certs/";
        format!("{begin}{}", "a".repeat(length - begin.len()))
    };
    assert_eq!(origin.admit(&of_length(512)).unwrap().as_str(), of_length(512));
    assert_eq!(origin.admit(&of_length(513)), Err(OriginError::Suspicious));
    for (path, admitted) in [
        ("certs/090909/PKICert.pem", true),
        ("certs/PKICert.pem?requestId=bjzj0zgbg2uf2j46a1iq123b9rwzl694mvpstlw1p5il426x7ap", true),
        ("certs/PKICert.pem?id=a%2Fb", true),
        ("certs/..pem", true),
        ("..", false),
        ("certs/..", false),
        ("certs?../..", false),
        ("certs/%2e%2e/evil", false),
        ("certs/%2E./evil", false),
        ("certs%2F..%2Fevil", false),
        ("certs/%", false),
        ("?a", false),
        ("a:b", false),
        ("a;b", false),
        ("a\tb", false),
        ("a\u{0}b", false),
    ] {
        let url = format!("https://fps.amazonaws.com/{path}");
        let expected = if admitted { Ok(()) } else { Err(OriginError::Suspicious) };
        assert_eq!(origin.admit(&url).map(|_| ()), expected, "{path:?}");
    }
}

#[test]
fn an_origin_is_a_host_and_perhaps_a_port() {
    for good in ["https://localhost/", "https://localhost:8443/", "https://[::1]:8443/"] {
        let origin = CertificateOrigin::new(good).unwrap();
        assert!(origin.admit(&format!("{good}PKICert.pem")).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/",
        "https://",
        "https:///",
        "https://localhost",
        "https://localhost/certs/",
        "https://localhost?/",
        "https://user@localhost/",
        "https://local host/",
        "https://localhost\\/",
        "https://localhost\n/",
        "HTTPS://localhost/",
    ] {
        assert_eq!(CertificateOrigin::new(bad).unwrap_err(), OriginError::BadOrigin, "{bad:?}");
    }
    // Neither environment is an origin of the other.
    let (live, sandbox) = (CertificateOrigin::retired_live(), CertificateOrigin::retired_sandbox());
    for (origin, own, other) in [(&live, "fps", "fps.sandbox"), (&sandbox, "fps.sandbox", "fps")] {
        let url = |host: &str| format!("https://{host}.amazonaws.com/certs/090909/PKICert.pem");
        assert!(origin.admit(&url(own)).is_ok());
        assert_eq!(origin.admit(&url(other)), Err(OriginError::Foreign));
    }
}

#[test]
fn a_claim_says_where_its_certificate_is_and_nothing_of_the_buyer() {
    let params = form(BODIES[1].as_bytes()).unwrap();
    let claim = Claim::read(Target::from_url("POST", ADDRESS).unwrap(), params).unwrap();
    let url = claim.certificate_url(&CertificateOrigin::retired_sandbox()).unwrap();
    assert_eq!(url.as_str(), "https://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem");
    let foreign = claim.certificate_url(&CertificateOrigin::retired_live());
    assert_eq!(foreign, Err(OriginError::Foreign));
    let printed = format!("{claim:?}");
    assert!(printed.contains("PKICert.pem"), "{printed}");
    assert!(!printed.contains("new_premium") && !printed.contains("sDq9Yv"), "{printed}");
}

/// A notification as FPS posted it, without its signature.
fn unsigned() -> Params {
    let own = [
        ("transactionId", "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF"),
        ("transactionAmount", "USD 1.00"),
        ("transactionStatus", "SUCCESS"),
        ("buyerName", "Test Business"),
        ("callerReference", "CallerReference03"),
        ("operation", "REFUND"),
    ];
    own.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn borrowed(params: &Params) -> impl Iterator<Item = (&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn secret() -> Secret {
    Secret::new("not a real key")
}

/// A notification of version 1, the signature last.
fn signed_version_1() -> Params {
    let mut sent = unsigned();
    let (name, value) = outbound::sign_forgeable_version_1(borrowed(&sent), &secret());
    sent.push((name.to_owned(), value));
    sent
}

/// A return URL of version 1, the signature last.
fn signed_return_url_version_1() -> Params {
    let mut sent = unsigned();
    sent.push(("order".to_owned(), "a+b c".to_owned()));
    let (name, value) =
        outbound::sign_return_url_forgeable_version_1("/return", borrowed(&sent), &secret());
    sent.push((name.to_owned(), value));
    sent
}

fn is_proved_version_1(params: &Params) -> bool {
    ForgeableClaim::read_forgeable_version_1(params.clone())
        .and_then(|claim| claim.verify(&secret()))
        .is_ok()
}

fn is_return_url_proved_version_1(path: &str, params: &Params) -> bool {
    ForgeableClaim::read_return_url_forgeable_version_1(path, params.clone())
        .and_then(|claim| claim.verify(&secret()))
        .is_ok()
}

fn tally(sent: &Params, is_proved: impl Fn(&Params) -> bool) -> Tally {
    assert!(is_proved(sent));
    let mut tally = Tally::default();
    for variant in variants(sent) {
        tally.count(variant.change, is_proved(&variant.params));
    }
    tally
}

#[test]
fn no_change_passes_but_of_the_order() {
    let key = test_key().public_key();
    let mut sent = unsigned();
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let url = "https://localhost:8443/certs/PKICert.pem";
    let added = outbound::sign(&target, borrowed(&unsigned()), url, &test_key()).unwrap();
    sent.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let version_2 = tally(&sent, |params| is_proved(params.clone(), &key));
    let return_url = tally(&signed_return_url_version_1(), |params| {
        is_return_url_proved_version_1("/return", params)
    });
    for (name, tally, pairs) in [("version 2", version_2, 45), ("return URL", return_url, 28)] {
        println!("{name}: {} tried, passed {:?}", tally.tried, tally.passed);
        assert!(tally.tried > 2_000, "{}", tally.tried);
        let passed: Vec<_> = tally.passed.into_iter().collect();
        assert_eq!(passed, [(Change::Reordered, pairs)], "{name}");
    }
}

#[test]
fn a_notification_of_version_one_can_be_cut_up_and_that_is_why_it_is_called_forgeable() {
    let sent = signed_version_1();
    let tally = tally(&sent, is_proved_version_1);
    println!("version 1: {} tried, passed {:?}", tally.tried, tally.passed);
    assert!(tally.tried > 1_500, "{}", tally.tried);
    // What is left of the protection: no byte of the whole text can change.
    let forged = tally.passed.get(&Change::Shifted).copied().unwrap_or_default();
    assert_eq!(tally.passed.keys().collect::<Vec<_>>(), [&Change::Shifted, &Change::Reordered]);
    assert!(forged >= 10, "{forged}");

    // A buyer who may write one text turns a failure into a success, without the key.
    let owned = |pairs: [(&str, &str); 4]| -> Params {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let mut honest = owned([
        ("paymentReason", "giftstatusSUCCESStransactionAmountUSD 100.00zz"),
        ("recipientName", "Test Business"),
        ("status", "FAILURE"),
        ("transactionAmount", "USD 1.00"),
    ]);
    let (name, signature) = outbound::sign_forgeable_version_1(borrowed(&honest), &secret());
    honest.push((name.to_owned(), signature.clone()));
    let mut forged = owned([
        ("paymentReason", "gift"),
        ("status", "SUCCESS"),
        ("transactionAmount", "USD 100.00"),
        ("zzrecipientNameTest BusinessstatusFAILUREtransactionAmountUSD 1.00", ""),
    ]);
    forged.push((name.to_owned(), signature));
    assert!(is_proved_version_1(&honest) && is_proved_version_1(&forged));
}

#[test]
fn version_one_is_read_only_where_it_is_asked_for_and_of_nothing_newer() {
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let verdict = Claim::read(target, signed_version_1()).map(|_| ());
    assert_eq!(verdict, Err(Error::Missing("signatureVersion")));
    let newer = ForgeableClaim::read_forgeable_version_1(signed()).map(|_| ());
    let accepted = "1 or none";
    assert_eq!(newer, Err(Error::Unsupported { part: "signatureVersion", accepted }));

    let mut named = unsigned();
    named.push(("signatureVersion".to_owned(), "1".to_owned()));
    let (name, value) = outbound::sign_forgeable_version_1(borrowed(&named), &secret());
    named.push((name.to_owned(), value));
    assert!(is_proved_version_1(&named));
    named.insert(0, ("signatureVersion".to_owned(), "1".to_owned()));
    let doubled = ForgeableClaim::read_forgeable_version_1(named).map(|_| ());
    assert_eq!(doubled, Err(Error::Duplicate("signatureVersion".to_owned())));

    for (name, read) in [
        ("signature", ForgeableClaim::read_forgeable_version_1(unsigned())),
        (
            "awsSignature",
            ForgeableClaim::read_return_url_forgeable_version_1("/", signed_version_1()),
        ),
    ] {
        assert_eq!(read.map(|_| ()), Err(Error::Missing(name)));
    }
    // Neither is one the other, and the path is signed.
    let sent = signed_return_url_version_1();
    assert!(is_return_url_proved_version_1("/return", &sent));
    for other in ["/return/", "/", "", "/Return", "/return?"] {
        assert!(!is_return_url_proved_version_1(other, &sent), "{other}");
    }
    let renamed = with_name(sent, "awsSignature", "signature");
    assert!(!is_proved_version_1(&renamed));
    let printed = format!("{:?}", ForgeableClaim::read_forgeable_version_1(renamed).unwrap());
    assert!(!printed.contains("Test Business"), "{printed}");
}

fn with_name(mut params: Params, name: &str, other: &str) -> Params {
    params.iter_mut().find(|(given, _)| given == name).unwrap().0 = other.to_owned();
    params
}

#[test]
fn a_return_url_keeps_its_own_query_and_signs_it() {
    let key = test_key();
    let certificate = "https://localhost:8443/certs/PKICert.pem";
    for (address, begin, end) in [
        ("https://shop.example/return", "https://shop.example/return?status=SC&", ""),
        ("https://shop.example/return?", "https://shop.example/return?status=SC&", ""),
        ("https://shop.example?o=a+b", "https://shop.example?o=a+b&status=SC&", ""),
        (
            "http://s.example:81/r?o=1%202&flag#top",
            "http://s.example:81/r?o=1%202&flag&status=SC&",
            "#top",
        ),
    ] {
        let params = [("status", "SC")];
        let sent = outbound::sign_return_url(address, params, certificate, &key).unwrap();
        assert!(sent.starts_with(begin) && sent.ends_with(end), "{sent}");
        let sent = sent.strip_suffix(end).unwrap();
        let query = sent.split_once('?').unwrap().1;
        let verdict = |query: &str| {
            Claim::read_return_url(address, query)?.verify(&key.public_key()).map(|_| ())
        };
        assert_eq!(verdict(query), Ok(()), "{sent}");
        assert_eq!(verdict(&query.replace("status=SC", "status=SA")), Err(Error::Mismatch));
        assert_eq!(verdict(&format!("{query}&o=2")), Err(Error::Mismatch));
        assert_eq!(verdict(&format!("&{query}&")), Ok(()), "nothing between two signs is nothing");
        if let Some((_, without)) =
            query.split_once("o=").and_then(|(_, rest)| rest.split_once('&'))
        {
            assert_eq!(verdict(without), Err(Error::Mismatch), "{without}");
        }
        assert_eq!(verdict(&format!("{query}&a=%ff")), Err(Error::Malformed("the form")));
    }
    let read = Claim::read_return_url("ftp://shop.example/", "a=b").map(|_| ());
    assert_eq!(read, Err(Error::Malformed("the return URL")));
    assert!(outbound::sign_return_url("shop.example", [], certificate, &key).is_err());
    assert!(outbound::sign_return_url("https://shop.example/?a=%ff", [], "x", &key).is_err());
}

fn pem_of(tag: &str, contents: &[u8]) -> String {
    pem::encode(&pem::Pem::new(tag, contents))
}

#[test]
fn a_certificate_file_holds_one_certificate_and_nothing_hides_in_it() {
    let text = include_str!("keys/rsa-2048.certificate.pem");
    let public = test_key().public_key().to_pem();
    for good in [
        text.to_owned(),
        text.replace('\n', "\r\n"),
        format!("Bag Attributes\n  friendlyName: x\n{text}"),
        format!("{text}\n\nnotes\n"),
        text.trim_end().to_owned(),
    ] {
        let certificate = Certificate::from_pem(good.as_bytes()).unwrap();
        assert_eq!(certificate.public_key().to_pem(), public);
    }
    let der = pem::parse(text).unwrap().into_contents();
    assert_eq!(Certificate::from_der(&der).unwrap().public_key().to_pem(), public);
    let malformed = KeyError::Malformed;
    for bad in [
        format!("{text}{text}"),
        format!("{text}{}", include_str!("vectors/sns/synthetic-certificate.pem")),
        format!("{public}{text}"),
        format!("{text}{public}"),
        text.replace("CERTIFICATE", "X509 CRL"),
        text.replacen("CERTIFICATE", "CERT", 1),
        pem_of("CERTIFICATE", &[&der[..], &[0]].concat()),
        pem_of("CERTIFICATE", &[&der[..], &der[..]].concat()),
        pem_of("CERTIFICATE", &der[..der.len() - 1]),
        pem_of("CERTIFICATE", &[]),
        format!("{text}{}", " ".repeat(64 * 1024)),
    ] {
        assert_eq!(Certificate::from_pem(bad.as_bytes()).unwrap_err(), malformed, "{bad:.80}");
    }
    for no_pem in [&b""[..], b"\xff\xfe", &der, b"certificate"] {
        assert_eq!(Certificate::from_pem(no_pem).unwrap_err(), KeyError::NotPem);
    }
    for length in 0..der.len() {
        assert!(Certificate::from_der(&der[..length]).is_err(), "{length}");
    }
    assert_eq!(Certificate::from_der(&vec![0; 64 * 1024 + 1]).unwrap_err(), malformed);
}

fn any_params() -> impl Strategy<Value = Params> {
    let text = || prop_oneof!["[a-zA-Z.]{1,8}", "[ &=+%~/\n?é☕]{0,6}", "\\PC{0,10}"];
    proptest::collection::vec((text(), text()), 0..8).prop_map(|params| {
        let is_ours = |name: &str| {
            name.starts_with("signature") || name == "certificateUrl" || name == "awsSignature"
        };
        params.into_iter().filter(|(name, _)| !is_ours(name)).collect()
    })
}

/// As a multiset, which is what is signed.
fn sorted(mut params: Params) -> Params {
    params.sort();
    params
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_signed_verifies_and_with_one_change_does_not(
        params in any_params(),
        at in any::<proptest::sample::Index>(),
    ) {
        let key = test_key();
        let target = Target::from_url("POST", ADDRESS).unwrap();
        let mut sent = params.clone();
        let added = outbound::sign(&target, borrowed(&params), "https://x/", &key).unwrap();
        sent.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        prop_assert!(is_proved(sent.clone(), &key.public_key()));
        let mut return_url = params.clone();
        let (name, value) =
            outbound::sign_return_url_forgeable_version_1("/r", borrowed(&params), &secret());
        return_url.push((name.to_owned(), value));
        prop_assert!(is_return_url_proved_version_1("/r", &return_url));

        let all: Vec<_> = variants(&sent).collect();
        let variant = all[at.index(all.len())].params.clone();
        if is_proved(variant.clone(), &key.public_key()) {
            prop_assert_eq!(sorted(variant), sorted(sent));
        }
        let all: Vec<_> = variants(&return_url).collect();
        let variant = all[at.index(all.len())].params.clone();
        if is_return_url_proved_version_1("/r", &variant) {
            prop_assert_eq!(sorted(variant), sorted(return_url));
        }
        let own = format!("https://shop.example/r?{}", "a=1&b");
        let url = outbound::sign_return_url(&own, borrowed(&params), "https://x/", &key).unwrap();
        let query = url.split_once('?').unwrap().1;
        let claim = Claim::read_return_url(&own, query).unwrap();
        prop_assert!(claim.verify(&key.public_key()).is_ok());
    }

    #[test]
    fn nothing_that_arrives_is_a_panic(
        params in any_params(),
        signature in "[A-Za-z0-9+/= \\r\\n]{0,60}",
        text in "\\PC{0,60}",
    ) {
        let mut sent = params;
        for (name, value) in [
            ("signature", signature.as_str()),
            ("awsSignature", &signature),
            ("certificateUrl", &text),
        ] {
            sent.push((name.to_owned(), value.to_owned()));
        }
        prop_assert!(!is_proved_version_1(&sent));
        prop_assert!(!is_return_url_proved_version_1(&text, &sent));
        sent.push(("signatureVersion".to_owned(), "2".to_owned()));
        sent.push(("signatureMethod".to_owned(), "RSA-SHA1".to_owned()));
        prop_assert!(!is_proved(sent, &test_key().public_key()));
        let _ = Claim::read_return_url(&text, &text);
        let _ = outbound::sign_return_url(&text, [("a", "b")], &text, &test_key());
        prop_assert!(CertificateOrigin::retired_live().admit(&text).is_err());
        prop_assert!(Certificate::from_pem(text.as_bytes()).is_err());
        prop_assert!(Certificate::from_der(text.as_bytes()).is_err());
    }
}

#[test]
fn openssl_verifies_what_is_signed_here_and_the_other_way_round() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outbound");
    fs::create_dir_all(&folder).unwrap();
    let at = |folder: &Path, name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (private, public) = (at(&keys, "rsa-2048.pkcs8.pem"), at(&keys, "rsa-2048.public.pem"));
    let (message, ours, theirs) = (at(&folder, "text"), at(&folder, "ours"), at(&folder, "theirs"));

    let sent = signed();
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let text = string_to_sign(&target, borrowed(&sent).filter(|(name, _)| *name != "signature"));
    fs::write(&message, text).unwrap();
    fs::write(&ours, STANDARD.decode(&sent.last().unwrap().1).unwrap()).unwrap();
    let verify = ["dgst", "-sha1", "-verify", &public, "-signature", &ours, &message];
    match Command::new("openssl").args(verify).output() {
        Ok(output) => assert!(output.status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("no `openssl` command here; the committed vectors are Amazon's own");
            return;
        }
        Err(error) => panic!("openssl: {error}"),
    }
    let sign = ["dgst", "-sha1", "-sign", &private, "-out", &theirs, &message];
    assert!(Command::new("openssl").args(sign).output().unwrap().status.success());
    let signature = STANDARD.encode(fs::read(&theirs).unwrap());
    assert!(is_proved(with(sent, "signature", &signature), &test_key().public_key()));
}

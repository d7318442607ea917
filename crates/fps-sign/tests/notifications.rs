//! Notifications: every bit of those that Amazon signed, and what a changed one is refused for.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::outbound::{self, Claim};
use fps_sign::{
    CertificateOrigin, Error, OriginError, PrivateKey, PublicKey, Target, string_to_sign,
};
use percent_encoding::percent_decode_str;

type Params = Vec<(String, String)>;

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

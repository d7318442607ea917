//! FPS Query requests: which signatures are no signatures, and what may differ without harm.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::query::{self, Claim, Credentials, SignatureMethod};
use fps_sign::{
    Error, Secret, Target, Verified, forgeable_string_to_sign, parse_form, string_to_sign,
};

type Params = Vec<(String, String)>;

const TARGET: Target<'_> = Target::new("GET", "localhost:8443", "/");
const TIMESTAMP: &str = "2009-10-06T05:51:49.578Z";

fn secret() -> Secret {
    Secret::new("not a real key")
}

/// A refund as it arrives, signed, the signature last.
fn signed(method: SignatureMethod) -> Params {
    let own = [("Action", "Refund"), ("TransactionId", "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD")];
    let credentials = Credentials::new("AKEXAMPLE", secret());
    let added = query::sign(&TARGET, own, &credentials, method, TIMESTAMP);
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.into_iter().chain(added.into_iter().map(|(name, value)| (name.to_owned(), value))).collect()
}

fn with(mut params: Params, name: &str, value: &str) -> Params {
    params.iter_mut().find(|(given, _)| given == name).unwrap().1 = value.to_owned();
    params
}

fn verify(target: Target<'_>, params: Params) -> Result<Verified<Params>, Error> {
    Claim::read(target, params)?.verify(&secret())
}

#[test]
fn only_a_signature_of_the_whole_length_verifies() {
    for method in [SignatureMethod::HmacSha256, SignatureMethod::HmacSha1] {
        let sent = signed(method);
        verify(TARGET, sent.clone()).unwrap();
        let whole = STANDARD.decode(&sent.last().unwrap().1).unwrap();
        let mut lengths: Vec<Vec<u8>> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
        lengths.extend((1..whole.len()).map(|start| whole[start..].to_vec()));
        lengths.push([&whole[..], &[0]].concat());
        lengths.push([&[0], &whole[..]].concat());
        lengths.push([&whole[..], &whole[..]].concat());
        for wrong in lengths {
            let sent = with(sent.clone(), "Signature", &STANDARD.encode(&wrong));
            let verdict = verify(TARGET, sent);
            assert_eq!(verdict.unwrap_err(), Error::Mismatch, "{} bytes", wrong.len());
        }
    }
}

#[test]
fn a_signature_that_is_not_plain_base64_is_not_read() {
    let sent = signed(SignatureMethod::HmacSha256);
    let good = sent.last().unwrap().1.clone();
    for bad in [
        "=".to_owned(),
        "not base64!".to_owned(),
        good.trim_end_matches('=').to_owned(),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}{good}"),
    ] {
        let claim = Claim::read(TARGET, with(sent.clone(), "Signature", &bad));
        assert_eq!(claim.unwrap_err(), Error::Malformed("Signature"), "{bad:?}");
    }
}

#[test]
fn every_part_of_the_signature_stands_exactly_once() {
    let sent = signed(SignatureMethod::HmacSha256);
    for name in ["AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp"]
    {
        let mut missing = sent.clone();
        missing.retain(|(given, _)| given != name);
        assert_eq!(Claim::read(TARGET, missing).unwrap_err(), Error::Missing(name));

        let mut doubled = sent.clone();
        doubled.insert(0, sent.iter().find(|(given, _)| given == name).unwrap().clone());
        let claim = Claim::read(TARGET, doubled);
        assert_eq!(claim.unwrap_err(), Error::Duplicate(name.to_owned()));
    }
}

#[test]
fn the_method_and_the_version_are_accepted_to_the_letter() {
    let sent = signed(SignatureMethod::HmacSha256);
    for other in ["", "hmacsha256", "HmacSHA256 ", "HmacSHA512", "RSA-SHA1", "none"] {
        let claim = Claim::read(TARGET, with(sent.clone(), "SignatureMethod", other));
        let accepted = "HmacSHA256 or HmacSHA1";
        let expected = Error::Unsupported { part: "SignatureMethod", accepted };
        assert_eq!(claim.unwrap_err(), expected, "{other:?}");
    }
    for other in ["", "0", "1", "02", "2.0", "3"] {
        let claim = Claim::read(TARGET, with(sent.clone(), "SignatureVersion", other));
        let expected = Error::Unsupported { part: "SignatureVersion", accepted: "2" };
        assert_eq!(claim.unwrap_err(), expected, "{other:?}");
    }
}

#[test]
fn a_signature_of_one_method_is_none_of_the_other() {
    for (method, other) in [
        (SignatureMethod::HmacSha256, SignatureMethod::HmacSha1),
        (SignatureMethod::HmacSha1, SignatureMethod::HmacSha256),
    ] {
        let relabelled = with(signed(method), "SignatureMethod", other.as_str());
        assert_eq!(verify(TARGET, relabelled).unwrap_err(), Error::Mismatch);
    }
}

#[test]
fn another_key_proves_nothing() {
    for other in ["", "not a real ke", "not a real key ", "Not a real key"] {
        let claim = Claim::read(TARGET, signed(SignatureMethod::HmacSha256)).unwrap();
        let verdict = claim.verify(&Secret::new(other));
        assert_eq!(verdict.unwrap_err(), Error::Mismatch, "{other:?}");
    }
}

#[test]
fn the_case_of_the_host_is_not_signed_and_that_of_the_path_is() {
    let sent = signed(SignatureMethod::HmacSha256);
    verify(Target::new("GET", "LocalHost:8443", ""), sent.clone()).unwrap();
    for other in [
        Target::new("get", "localhost:8443", "/"),
        Target::new("GET", "localhost:8443", "//"),
        Target::new("GET", "localhost:443", "/"),
    ] {
        assert_eq!(verify(other, sent.clone()).unwrap_err(), Error::Mismatch, "{other:?}");
    }
}

#[test]
fn parameters_verify_in_every_order() {
    let mut sent = signed(SignatureMethod::HmacSha256);
    sent.sort();
    for _ in 0..sent.len() {
        sent.rotate_left(1);
        assert_eq!(verify(TARGET, sent.clone()).unwrap().get(), &sent, "handed over as they came");
        for index in 1..sent.len() {
            let mut swapped = sent.clone();
            swapped.swap(0, index);
            verify(TARGET, swapped).unwrap();
        }
    }
}

#[test]
fn names_are_sorted_by_their_bytes_and_then_by_value() {
    let given = [("b", "2"), ("Action", "x"), ("a", ""), ("AWSAccessKeyId", "y"), ("b", "10")];
    let text = string_to_sign(&TARGET, given);
    assert_eq!(text, "GET\nlocalhost:8443\n/\nAWSAccessKeyId=y&Action=x&a=&b=10&b=2");
}

#[test]
fn a_delimiter_in_a_value_is_not_a_delimiter() {
    let text = |params: &[(&str, &str)]| string_to_sign(&TARGET, params.iter().copied());
    let honest = text(&[("a", "1"), ("b", "2")]);
    for forged in [&[("a", "1&b=2")][..], &[("a=1&b", "2")], &[("a", "1\nb=2")], &[("a", "1b2")]] {
        assert_ne!(text(forged), honest, "{forged:?}");
    }
}

#[test]
fn a_target_is_read_from_an_address() {
    for (url, host, path) in [
        ("https://shop.example/ipn", "shop.example", "/ipn"),
        ("https://shop.example:443/ipn", "shop.example", "/ipn"),
        ("https://shop.example:80/ipn", "shop.example:80", "/ipn"),
        ("https://shop.example:8443/ipn", "shop.example:8443", "/ipn"),
        ("https://shop.example:4430/", "shop.example:4430", "/"),
        ("http://shop.example:80", "shop.example", "/"),
        ("http://shop.example:443/", "shop.example:443", "/"),
        ("http://Shop.Example:8080/a/b?c=/d#e", "Shop.Example:8080", "/a/b"),
        ("http://shop.example?c=d", "shop.example", "/"),
        ("http://shop.example#https://other", "shop.example", "/"),
        ("https://[::1]:443/", "[::1]", "/"),
    ] {
        let target = Target::from_url("POST", url).unwrap();
        assert_eq!(target, Target::new("POST", host, path), "{url}");
        assert_eq!(target.host(), host);
    }
    for url in [
        "",
        "shop.example/ipn",
        "//shop.example/ipn",
        "ftp://shop.example/ipn",
        "HTTPS://shop.example/ipn",
        "https:///ipn",
        "https://:443/ipn",
        "https://user@shop.example/ipn",
    ] {
        assert_eq!(Target::from_url("POST", url), None, "{url}");
    }
}

#[test]
fn each_reader_reads_its_own_version() {
    let credentials = Credentials::new("AKEXAMPLE", secret());
    let added = query::sign_forgeable_version_1([("Action", "Refund")], &credentials, TIMESTAMP);
    let mut old: Params = vec![("Action".to_owned(), "Refund".to_owned())];
    old.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Claim::read_forgeable_version_1(old.clone()).unwrap().verify(&secret()).unwrap();
    let expected = Error::Unsupported { part: "SignatureVersion", accepted: "2" };
    assert_eq!(Claim::read(TARGET, old.clone()).unwrap_err(), expected);
    let expected = Error::Unsupported { part: "SignatureVersion", accepted: "1" };
    let new = signed(SignatureMethod::HmacSha256);
    assert_eq!(Claim::read_forgeable_version_1(new).unwrap_err(), expected);
    // Relabelled, neither is a signature of the other.
    let relabelled = with(old.clone(), "SignatureVersion", "2");
    let missing = Error::Missing("SignatureMethod");
    assert_eq!(Claim::read(TARGET, relabelled.clone()).unwrap_err(), missing);
    let mut with_method = relabelled;
    with_method.push(("SignatureMethod".to_owned(), "HmacSHA1".to_owned()));
    assert_eq!(verify(TARGET, with_method).unwrap_err(), Error::Mismatch);
    let relabelled = with(signed(SignatureMethod::HmacSha1), "SignatureVersion", "1");
    let claim = Claim::read_forgeable_version_1(relabelled).unwrap();
    assert_eq!(claim.verify(&secret()).unwrap_err(), Error::Mismatch);
    let other = Claim::read_forgeable_version_1(old).unwrap().verify(&Secret::new("another"));
    assert_eq!(other.unwrap_err(), Error::Mismatch);
}

#[test]
fn version_1_sorts_without_regard_to_case_and_joins_without_delimiters() {
    let given = [("b", "2"), ("Action", "x"), ("a", ""), ("AWSAccessKeyId", "y"), ("B", "1")];
    assert_eq!(forgeable_string_to_sign(given), "aActionxAWSAccessKeyIdyB1b2");
    let mut turned = given;
    turned.reverse();
    assert_eq!(forgeable_string_to_sign(turned), forgeable_string_to_sign(given));
}

#[test]
fn a_form_is_decoded_however_it_was_encoded() {
    let pairs = |form: &str| {
        parse_form(form).map(|pairs| {
            let shown: Vec<_> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
            shown.join("|")
        })
    };
    for (form, expected) in [
        ("", ""),
        ("&", ""),
        ("&Action=Refund", "Action=Refund"),
        ("a=1&&b=2&", "a=1|b=2"),
        ("a=x+y", "a=x y"),
        ("a=x%20y", "a=x y"),
        ("a=x%2By", "a=x+y"),
        ("a+b=c", "a b=c"),
        ("a=", "a="),
        ("a", "a="),
        ("=a", "=a"),
        ("a=b=c", "a=b=c"),
        ("a=1&a=2&a=1", "a=1|a=2|a=1"),
        ("a=%c3%A9", "a=\u{e9}"),
        ("a=\u{e9}", "a=\u{e9}"),
        ("a=100%", "a=100%"),
        ("a=%zz%4", "a=%zz%4"),
        ("a=%26%3D%25", "a=&=%"),
    ] {
        assert_eq!(pairs(form).as_deref(), Ok(expected), "{form}");
    }
    let malformed = Err(Error::Malformed("the form"));
    assert_eq!(pairs("a=%ff"), malformed);
    assert_eq!(pairs("%c3=a"), malformed);
    assert!(pairs(&"a=1&".repeat(256)).is_ok());
    assert_eq!(pairs(&"a=1&".repeat(257)), malformed);
    assert!(pairs(&format!("a={}", "x".repeat(64 * 1024 - 2))).is_ok());
    assert_eq!(pairs(&format!("a={}", "x".repeat(64 * 1024 - 1))), malformed);
}

#[test]
fn a_claim_tells_whose_key_it_needs_and_nothing_secret() {
    let sent = signed(SignatureMethod::HmacSha256);
    let claim = Claim::read(TARGET, sent.clone()).unwrap();
    assert_eq!(claim.access_key_id(), "AKEXAMPLE");
    assert_eq!(claim.timestamp(), TIMESTAMP);
    let printed = format!("{claim:?}");
    assert!(printed.contains("AKEXAMPLE") && printed.contains("localhost:8443"), "{printed}");
    for (name, value) in sent.iter().filter(|(name, _)| name != "AWSAccessKeyId") {
        assert!(!printed.contains(value.as_str()), "{name}: {printed}");
    }
}

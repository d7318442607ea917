//! Vectors: one folder a case, one file a stage, its origin beside it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "an unreadable vector is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use fps_sign::query::{Credentials, SignatureMethod};
use fps_sign::{
    Certificate, CertificateOrigin, Error, PrivateKey, PublicKey, Secret, Target, Verified,
    amazon_pay, forgeable_string_to_sign, outbound, query, sns, string_to_sign,
};

fn folder(scheme: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(scheme)
}

fn read(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All cases of a scheme; each must say where it comes from.
fn cases(scheme: &str) -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(folder(scheme))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    for case in &cases {
        assert!(!read(case, "origin.txt").trim().is_empty(), "{}", case.display());
    }
    cases
}

fn pairs<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let pairs = lines.map(|line| line.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn borrowed(params: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

#[test]
fn query_requests_are_signed_stage_by_stage() {
    let cases = cases("query");
    assert_eq!(cases.len(), 11);
    for case in cases {
        let name = case.display();
        let request = read(&case, "request.txt");
        let mut lines = request.lines();
        let mut line = lines.next().unwrap().splitn(3, ' ');
        let (method, host, path) =
            (line.next().unwrap(), line.next().unwrap(), line.next().unwrap());
        let target = Target::new(method, host, path);
        let key = lines.next().unwrap().strip_prefix("key ").unwrap();
        let signature_param = lines.next().unwrap().strip_prefix("in ").unwrap();
        let params = pairs(lines);
        let text = string_to_sign(&target, borrowed(&params));
        assert_eq!(text, read(&case, "string-to-sign.txt"), "{name}");

        // The last stage through the front door, for the vectors that spell it as FPS does.
        let get = |wanted: &str| params.iter().find(|(name, _)| name == wanted).map(|(_, v)| v);
        let (Some(access_key), Some(timestamp), "Signature") =
            (get("AWSAccessKeyId"), get("Timestamp"), signature_param)
        else {
            continue;
        };
        let method = match get("SignatureMethod").unwrap().as_str() {
            "HmacSHA1" => SignatureMethod::HmacSha1,
            _ => SignatureMethod::HmacSha256,
        };
        let own: Vec<_> = borrowed(&params)
            .filter(|(name, _)| {
                !["AWSAccessKeyId", "SignatureMethod", "SignatureVersion", "Timestamp"]
                    .contains(name)
            })
            .collect();
        let credentials = Credentials::new(access_key.as_str(), Secret::new(key));
        let added = query::sign(&target, own.iter().copied(), &credentials, method, timestamp);
        assert_eq!(added.last().unwrap().1, read(&case, "signature.txt"), "{name}");

        let mut sent: Vec<(String, String)> =
            own.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        sent.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let claim = query::Claim::read(target, sent).unwrap();
        assert_eq!(claim.access_key_id(), access_key);
        claim.verify(&Secret::new(key)).unwrap();
    }
}

#[test]
fn version_1_is_signed_stage_by_stage_and_two_refunds_share_a_signature() {
    let cases = cases("query-version-1");
    assert_eq!(cases.len(), 4);
    let mut shared = Vec::new();
    for case in cases {
        let name = case.display();
        let request = read(&case, "request.txt");
        let mut lines = request.lines();
        let key = Secret::new(lines.next().unwrap().strip_prefix("key ").unwrap());
        let params = pairs(lines);
        let text = forgeable_string_to_sign(borrowed(&params));
        assert_eq!(text, read(&case, "string-to-sign.txt"), "{name}");
        let expected = read(&case, "signature.txt");
        let signature = query::signature(&text, &key, SignatureMethod::HmacSha1);
        assert_eq!(signature, expected, "{name}");

        // Through the front door.
        let get = |wanted| &params.iter().find(|(name, _)| name == wanted).unwrap().1;
        let credentials = Credentials::new(get("AWSAccessKeyId"), key.clone());
        let own: Vec<_> = borrowed(&params)
            .filter(|(name, _)| !["AWSAccessKeyId", "SignatureVersion", "Timestamp"].contains(name))
            .collect();
        let added =
            query::sign_forgeable_version_1(own.iter().copied(), &credentials, get("Timestamp"));
        assert_eq!(added.last().unwrap(), &("Signature", expected), "{name}");
        let mut sent: Vec<(String, String)> =
            own.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        sent.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let target = Target::new("GET", "fps.amazonaws.com", "/");
        let refused = query::Claim::read(target, sent.clone()).unwrap_err();
        assert_eq!(refused, Error::Unsupported { part: "SignatureVersion", accepted: "2" });
        let claim = query::Claim::read_forgeable_version_1(sent.clone()).unwrap();
        assert_eq!(claim.string_to_sign(), text, "{name}");
        assert_eq!(claim.verify(&key).unwrap().get(), &sent, "{name}");
        if name.to_string().contains("shared-mac") {
            let amount = own.iter().any(|(name, _)| *name == "RefundAmount.Value");
            shared.push((amount, added.last().unwrap().1.clone()));
        }
    }
    // One dollar and everything: different parameters, one signature.
    let [(false, whole), (true, part)] = shared.as_slice() else { panic!("{shared:?}") };
    assert_eq!(whole, part);
}

#[test]
fn a_button_is_signed_as_the_official_clients_sign_it() {
    let folder = folder("amazon-pay-button").join("sdk-tests-payload");
    let payload = read(&folder, "payload.json");
    let pem = include_str!("keys/rsa-2048.pkcs8.pem");
    let key = PrivateKey::from_pem(pem).unwrap();
    for (algorithm, file) in [
        (amazon_pay::Algorithm::V1, "string-to-sign-v1.txt"),
        (amazon_pay::Algorithm::V2, "string-to-sign-v2.txt"),
    ] {
        let text = amazon_pay::string_to_sign(algorithm, &payload);
        assert_eq!(text, read(&folder, file));
        let signature = amazon_pay::button_signature(&payload, algorithm, &key).unwrap();
        let verify = |payload, algorithm, signature: &str| {
            amazon_pay::verify_button(payload, algorithm, signature, &key.public_key())
                .map(Verified::into_inner)
        };
        assert_eq!(verify(&payload, algorithm, &signature), Ok(payload.as_str()));
        let escaped = payload.replace('/', "\\/");
        assert_eq!(verify(&escaped, algorithm, &signature), Err(Error::Mismatch));
        let malformed = Err(Error::Malformed("signature"));
        assert_eq!(verify(&payload, algorithm, "not base64"), malformed);
        let other = match algorithm {
            amazon_pay::Algorithm::V1 => amazon_pay::Algorithm::V2,
            _ => amazon_pay::Algorithm::V1,
        };
        assert_eq!(verify(&payload, other, &signature), Err(Error::Mismatch));
    }
}

#[test]
fn notifications_of_the_retired_service_are_proved_by_its_own_key() {
    let cases = cases("outbound");
    assert_eq!(cases.len(), 14);
    let mut proved = 0;
    for case in cases {
        let name = case.display();
        let request = read(&case, "request.txt");
        let mut lines = request.lines();
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let valid = lines.next().unwrap() == "valid true";
        let params = pairs(lines);
        let target = Target::from_url(method, url).unwrap();
        let unsigned = borrowed(&params).filter(|(name, _)| *name != "signature");
        assert_eq!(string_to_sign(&target, unsigned), read(&case, "string-to-sign.txt"), "{name}");
        let certificate = params.iter().find(|(name, _)| name == "certificateUrl").unwrap();
        let number = ["090909", "090910", "090911"]
            .into_iter()
            .find(|number| certificate.1.contains(number))
            .unwrap_or("090910");
        let key = read(&folder("outbound"), &format!("fps-outbound-{number}-public.pem"));
        let key = PublicKey::from_pem(&key).unwrap();
        let verdict = outbound::Claim::read(target, params).unwrap().verify(&key);
        assert_eq!(verdict.is_ok(), valid, "{name}");
        proved += usize::from(valid);
    }
    assert_eq!(proved, 8);
}

#[test]
fn version_one_of_what_fps_sent_is_signed_stage_by_stage() {
    let cases = cases("outbound-version-1");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case.display();
        let request = read(&case, "request.txt");
        let mut lines = request.lines();
        let kind: Vec<_> = lines.next().unwrap().split(' ').collect();
        let key = Secret::new(lines.next().unwrap().strip_prefix("key ").unwrap());
        let mut params = pairs(lines);
        let signature = read(&case, "signature.txt");
        let expected = read(&case, "string-to-sign.txt");
        let claim = match kind.as_slice() {
            ["notification"] => {
                let text = forgeable_string_to_sign(borrowed(&params));
                assert_eq!(text, expected, "{name}");
                let added = outbound::sign_forgeable_version_1(borrowed(&params), &key);
                assert_eq!(added, ("signature", signature.clone()), "{name}");
                params.push(("signature".to_owned(), signature));
                outbound::ForgeableClaim::read_forgeable_version_1(params)
            }
            ["return-url", path, blank] => {
                let blank = match *blank {
                    "plus" => outbound::BlankEncoding::Plus,
                    _ => outbound::BlankEncoding::Percent,
                };
                let text =
                    outbound::forgeable_return_url_string_to_sign(path, borrowed(&params), blank);
                assert_eq!(text, expected, "{name}");
                if blank == outbound::BlankEncoding::Percent {
                    let added = outbound::sign_return_url_forgeable_version_1(
                        path,
                        borrowed(&params),
                        &key,
                    );
                    assert_eq!(added, ("awsSignature", signature.clone()), "{name}");
                }
                params.push(("awsSignature".to_owned(), signature));
                outbound::ForgeableClaim::read_return_url_forgeable_version_1(*path, params)
            }
            other => panic!("{name}: {other:?}"),
        };
        claim.clone().unwrap().verify(&key).unwrap();
        let verdict = claim.unwrap().verify(&Secret::new("another key"));
        assert_eq!(verdict.unwrap_err(), Error::Mismatch, "{name}");
    }
}

#[test]
fn messages_of_sns_are_proved_by_their_certificate() {
    let cases = cases("sns");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let name = case.display();
        let request = read(&case, "request.txt");
        let mut lines = request.lines();
        let certificate = lines.next().unwrap().strip_prefix("certificate ").unwrap();
        let certificate = read(&folder("sns"), certificate);
        let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
        let mut fields = pairs(lines);
        for (_, value) in &mut fields {
            *value = value.replace("\\n", "\n");
        }
        let claim = sns::Claim::read(&fields).unwrap();
        assert_eq!(claim.string_to_sign(), read(&case, "string-to-sign.txt"), "{name}");
        let get = |wanted: &str| &fields.iter().find(|(name, _)| name == wanted).unwrap().1;
        assert_eq!(get("Signature"), &read(&case, "signature.txt"), "{name}");
        let origin = CertificateOrigin::sns_region("us-east-1").unwrap();
        assert!(claim.certificate_url(&origin).is_ok(), "{name}");
        let proved = claim.verify(certificate.public_key()).unwrap();
        assert_eq!(proved.get().message(), get("Message"), "{name}");
    }
}

/// A request as a vector folder describes it.
struct PayRequest {
    method: String,
    path: String,
    algorithm: amazon_pay::Algorithm,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

fn read_pay_request(case: &Path) -> PayRequest {
    let text = read(case, "request.txt");
    let mut lines = text.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let algorithm = match lines.next().unwrap() {
        "AMZN-PAY-RSASSA-PSS" => amazon_pay::Algorithm::V1,
        _ => amazon_pay::Algorithm::V2,
    };
    let mut request = PayRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        algorithm,
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
    };
    for line in lines {
        let (kind, rest) = line.split_once(' ').unwrap();
        let pair = |separator: &str| {
            let (name, value) = rest.split_once(separator).unwrap();
            (name.to_owned(), value.to_owned())
        };
        match kind {
            "query" => request.query.push(pair("\t")),
            "header" => request.headers.push(pair(": ")),
            _ => request.body = Some(rest.to_owned()),
        }
    }
    request
}

#[test]
fn amazon_pay_requests_are_canonical_stage_by_stage() {
    let cases = cases("amazon-pay");
    assert_eq!(cases.len(), 20);
    let key = read(&folder("amazon-pay"), "php-unit-test-key.pem");
    let key = PublicKey::from_pem(&key).unwrap();
    let mut proved = 0;
    for case in cases {
        let name = case.display();
        let given = read_pay_request(&case);
        let canonical = read(&case, "canonical.txt");
        let text = amazon_pay::string_to_sign(given.algorithm, &canonical);
        assert_eq!(text, read(&case, "string-to-sign.txt"), "{name}");
        let Some(body) = given.body else { continue };
        let query: Vec<_> = borrowed(&given.query).collect();
        let headers: Vec<_> = borrowed(&given.headers).collect();
        let request = amazon_pay::Request {
            method: &given.method,
            path: &given.path,
            query: &query,
            headers: &headers,
            body: body.as_bytes(),
        };
        let signed_headers = canonical.lines().rev().nth(1).unwrap();
        assert_eq!(
            amazon_pay::canonical_request(&request, signed_headers).unwrap(),
            canonical,
            "{name}"
        );
        if case.file_name().unwrap().to_str().unwrap().starts_with("captured") {
            let claim = amazon_pay::Claim::read(request).unwrap();
            claim.verify(&key).unwrap();
            let changed = amazon_pay::Request { body: &body.as_bytes()[1..], ..request };
            let claim = amazon_pay::Claim::read(changed).unwrap();
            assert_eq!(claim.verify(&key).unwrap_err(), Error::Mismatch);
            proved += 1;
        }
    }
    assert_eq!(proved, 3);
}

//! The same signatures by the command `openssl`, which nobody here wrote. Where it is not installed
//! these tests say so; the vectors hold without it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]
#![expect(clippy::print_stderr, reason = "a test that could not compare says so")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fps_sign::amazon_pay::{self, Algorithm};
use fps_sign::query::{self, SignatureMethod};
use fps_sign::{Error, PrivateKey, Secret};

const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/rsa-2048.pkcs8.pem");
const PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/rsa-2048.public.pem");

/// What the command writes, when it succeeds; `None` when there is no such command.
fn openssl(arguments: &[&str], input: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let started = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        eprintln!("the command openssl is not installed: nothing was compared with it");
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = done.stderr.escape_ascii().to_string();
    Some(if done.status.success() { Ok(done.stdout) } else { Err(said) })
}

#[test]
fn an_hmac_is_that_of_openssl() {
    let target = fps_sign::Target::new("POST", "localhost:8443", "/");
    let params = [("Action", "Refund"), ("CallerDescription", "50% off + caf\u{e9} ~*")];
    let text = fps_sign::string_to_sign(&target, params);
    for key in ["k", "not a real key", &"long ".repeat(50)] {
        for (method, digest) in
            [(SignatureMethod::HmacSha256, "-sha256"), (SignatureMethod::HmacSha1, "-sha1")]
        {
            let arguments = ["dgst", digest, "-hmac", key, "-binary"];
            let Some(theirs) = openssl(&arguments, text.as_bytes()) else { return };
            let ours = query::signature(&text, &Secret::new(key), method);
            assert_eq!(ours, STANDARD.encode(theirs.unwrap()), "{method:?}");
        }
    }
}

#[test]
fn a_pss_signature_is_one_for_openssl_and_its_for_us() {
    let key = PrivateKey::from_pem(&fs::read_to_string(KEY).unwrap()).unwrap();
    let payload = "{\"storeId\":\"amzn1\"}";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signature");
    for algorithm in [Algorithm::V1, Algorithm::V2] {
        let text = amazon_pay::string_to_sign(algorithm, payload);
        let ours = amazon_pay::button_signature(payload, algorithm, &key).unwrap();
        fs::write(&file, STANDARD.decode(ours).unwrap()).unwrap();
        for salt_len in [20, 32] {
            let right = salt_len == algorithm.salt_len();
            let salt = format!("rsa_pss_saltlen:{salt_len}");
            let verify = verifying(&salt, &file);
            let Some(verdict) = openssl(&verify, text.as_bytes()) else { return };
            assert_eq!(verdict.is_ok(), right, "{algorithm:?}: {verdict:?}");

            let sign = ["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", &salt];
            let sign = [&sign[..], &["-sign", KEY]].concat();
            let theirs = openssl(&sign, text.as_bytes()).unwrap().unwrap();
            let theirs = STANDARD.encode(theirs);
            let public = key.public_key();
            let verdict = amazon_pay::verify_button(payload, algorithm, &theirs, &public);
            let expected = if right { Ok(()) } else { Err(Error::Mismatch) };
            assert_eq!(verdict.map(|_| ()), expected, "{algorithm:?} by openssl, {salt}");
        }
    }
}

fn verifying<'a>(salt: &'a str, signature: &'a Path) -> Vec<&'a str> {
    let signature = signature.to_str().unwrap();
    let padding = ["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", salt];
    [&padding[..], &["-verify", PUBLIC, "-signature", signature]].concat()
}

//! `fps explain signature`: its stages are those of the vectors, and its answer tells who parts where.

use std::path::Path;

use serde_json::Value;

use crate::{command, exit, schema, text};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fps-sign/tests/vectors");
const MESSAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/messages");

fn explain(arguments: &[&str]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["explain", "signature", "--output", "json"], arguments].concat();
    let output = command(folder.path(), &arguments).env_remove("FPS_SECRET_KEY").output().unwrap();
    schema::check(&arguments, &output.stdout);
    let result = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (exit(&output), result, text(&output.stderr).to_owned())
}

fn stage<'a>(result: &'a Value, name: &str) -> &'a str {
    let mut stages = result["stages"].as_array().unwrap().iter();
    stages.find(|stage| stage["stage"] == name).unwrap()["text"].as_str().unwrap()
}

#[test]
fn the_stages_are_those_of_the_vectors() {
    for (message, folder, canonical) in [
        ("query-post.http", "query/refund-v2-sha256-post-sandbox", false),
        ("query-url.txt", "query/refund-v2-sha256-get-sandbox", false),
        ("query-version-1.form", "query-version-1/refund-v1-2007-01-08", false),
        ("amazon-pay.http", "amazon-pay/captured-node-createrefund-v2-algorithm", true),
    ] {
        let read = |file: &str| {
            std::fs::read_to_string(Path::new(VECTORS).join(folder).join(file)).unwrap()
        };
        let secret = format!("{MESSAGES}/secret.txt");
        let message = format!("{MESSAGES}/{message}");
        let (code, result, errors) = explain(&[&message, "--secret-file", &secret]);
        assert_eq!(code, 0, "{errors}");
        assert_eq!(stage(&result, "string to sign"), read("string-to-sign.txt"));
        if canonical {
            assert_eq!(stage(&result, "canonical request"), read("canonical.txt"));
        } else {
            let signature = read("signature.txt");
            assert_eq!(stage(&result, "signature by this key"), signature);
            assert_eq!(stage(&result, "signature that was sent"), signature);
            assert_eq!(result["is_right"], true);
        }
    }
}

#[test]
fn the_first_line_that_differs_is_told_by_stage_and_number() {
    let message = |name: &str| format!("{MESSAGES}/{name}");
    for (request, theirs, stage, line, here, there) in [
        (
            "query-post.http",
            "query-other-canonical.txt",
            "string to sign",
            4,
            "CallerDescription=MyWish",
            "CallerDescription=My+Wish",
        ),
        (
            "amazon-pay.http",
            "amazon-pay-other-canonical.txt",
            "canonical request",
            10,
            "x-amz-pay-region:na",
            "x-amz-pay-region:us",
        ),
    ] {
        let (code, result, errors) = explain(&[&message(request), "--against", &message(theirs)]);
        assert_eq!(code, 4, "{errors}");
        let difference = &result["difference"];
        assert_eq!((&difference["stage"], &difference["line"]), (&stage.into(), &line.into()));
        assert_eq!((&difference["here"], &difference["there"]), (&here.into(), &there.into()));
    }
    let same = message("query-same-canonical.txt");
    let (code, result, _) = explain(&[&message("query-post.http"), "--against", &same]);
    assert_eq!((code, &result["difference"], &result["compared"]), (0, &Value::Null, &true.into()));
}

/// Amazon Pay tells only a hash; what is known to change on the way is found all the same.
#[test]
fn a_refusal_is_explained_by_what_gives_its_hash() {
    let key = format!("{VECTORS}/amazon-pay/php-unit-test-key.pem");
    let (request, refusal) =
        (format!("{MESSAGES}/amazon-pay.http"), format!("{MESSAGES}/amazon-pay-refusal.json"));
    let (code, result, errors) = explain(&[&request, "--against", &refusal, "--public-key", &key]);
    assert_eq!(code, 4, "{errors}");
    assert_eq!(result["cause"], "the path differs and the hash of the body differs");
    let (code, _, errors) = explain(&[&request, "--against", &refusal]);
    assert_eq!(code, 2);
    assert!(errors.contains("--public-key"), "{errors}");
}

/// An unsigned request is signed, and what comes out is proved by `fps verify`.
#[test]
fn what_is_signed_here_is_proved_here() {
    let folder = tempfile::tempdir().unwrap();
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../fps-sign/tests/keys");
    let request = std::fs::read_to_string(format!("{MESSAGES}/amazon-pay-unsigned.http")).unwrap();
    let private = format!("{keys}/rsa-2048.pkcs8.pem");
    let (code, result, errors) =
        explain(&[&format!("{MESSAGES}/amazon-pay-unsigned.http"), "--private-key", &private]);
    assert_eq!(code, 0, "{errors}");
    let header = stage(&result, "Authorization header, another each time");
    let signed = request.replacen("accept:", &format!("Authorization: {header}\naccept:"), 1);
    let file = folder.path().join("signed.http");
    std::fs::write(&file, signed).unwrap();
    let public = format!("{keys}/rsa-2048.public.pem");
    let output =
        crate::fps(&["verify", "request", file.to_str().unwrap(), "--public-key", &public]);
    assert_eq!(exit(&output), 0, "{}", text(&output.stdout));
}

//! `fps sandbox`: what it prints works as printed, and what it keeps is there again.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{command, exit, names, refused, text};

/// The snippet as it is compiled and run; the command prints it with other constants.
#[expect(dead_code, reason = "the example of a program of its own")]
#[path = "../../examples/sandbox_refund.rs"]
mod example;

/// A sandbox that serves, and what it printed.
pub(crate) struct Serving {
    /// None once it was ended.
    child: Option<Child>,
    pub(crate) told: Value,
}

impl Serving {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let all = [&["sandbox", "--output", "json", "--port", "0"], arguments].concat();
        let mut command = command(folder, &all);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        while !lines.ends_with("\n}\n") {
            let read = output.read_line(&mut lines).unwrap();
            if read == 0 {
                let mut errors = String::new();
                child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                assert_eq!(errors, "", "it does not start");
            }
        }
        crate::schema::check(&all, lines.as_bytes());
        Self { child: Some(child), told: serde_json::from_str(&lines).unwrap() }
    }

    pub(crate) fn told(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    /// Ends it: exit code and standard error.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let child = self.child.take().unwrap();
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        (output.status.code(), text(&output.stderr).to_owned())
    }
}

/// A test that fails leaves no sandbox behind.
impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

pub(crate) fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    assert_eq!(exit(&output), 0, "{script}\n{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

async fn run_example(serving: &Serving) {
    let merchant = &serving.told["merchants"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let values = [
        text(&serving.told["url"]),
        text(&serving.told["authority"]),
        text(&merchant["access_key_id"]),
        text(&merchant["secret_key"]),
        text(&serving.told["transaction_id"]),
    ];
    let [url, authority, key, secret, transaction] = &values;
    example::refund(url, authority, key, secret, transaction).await.unwrap();
    let printed = serving.told("rust");
    for value in &values {
        assert!(printed.contains(&format!(": &str = {value:?};\n")), "{printed}");
    }
    let behind = |text: &str| text.split_once("#[tokio::main]").unwrap().1.to_owned();
    let source = include_str!("../../examples/sandbox_refund.rs").replace("pub(crate) ", "");
    assert_eq!(behind(printed), behind(&source), "what is printed is what was run");
}

#[tokio::test]
async fn what_it_prints_works_as_printed() {
    for arguments in [&[][..], &["--http"]] {
        let folder = tempfile::tempdir().unwrap();
        let serving = Serving::start(folder.path(), arguments);
        let answer = shell(serving.told("curl"));
        assert!(answer.contains("<RefundResponse"), "{answer}");
        run_example(&serving).await;
        let (code, errors) = serving.end("INT");
        // Two refunds, and two requests that read the payment.
        assert_eq!((code, errors.as_str()), (Some(0), "audit: 4 requests, nothing to remark\n"));
        assert_eq!(names(folder.path()), [""; 0], "nothing is left behind");
    }
}

#[test]
fn keys_and_authority_are_there_again_and_nobody_else_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let (file, tls) = (folder.path().join("s.db"), folder.path().join("tls"));
    let arguments = ["--db", file.to_str().unwrap(), "--tls-dir", tls.to_str().unwrap()];
    let first = Serving::start(folder.path(), &arguments);
    shell(first.told("curl"));
    let told = first.told.clone();
    assert_eq!(first.end("TERM").0, Some(0));

    let again = Serving::start(folder.path(), &arguments);
    for name in ["merchants", "authority", "transaction_id", "charge_id"] {
        assert_eq!(again.told[name], told[name], "{name}");
    }
    // The authority that was trusted then.
    let answer = shell(&format!(
        "curl -sS --cacert '{}' {}/_sandbox/health",
        told["authority"].as_str().unwrap(),
        again.told("url")
    ));
    assert!(answer.contains(r#""merchants":1"#), "{answer}");
    again.end("TERM");

    let key = told["merchants"][0]["private_key_file"].as_str().unwrap();
    assert!(std::fs::read_to_string(key).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    for folder in [folder.path(), &tls] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
            assert!(metadata.is_dir() || mode & 0o077 == 0, "{:?} {mode:o}", entry.path());
        }
    }
}

#[test]
fn the_text_names_everything_a_client_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["sandbox", "--port", "0", "--bind", "0.0.0.0"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("Ctrl-C") {
        assert!(output.read_line(&mut printed).unwrap() > 0, "{printed}");
    }
    for name in ["URL", "authority", "control API", "control token", "FPS secret", "curl", "Rust"] {
        assert!(printed.contains(name), "{name} is missing: {printed}");
    }
    assert!(printed.contains("throw-away"), "{printed}");
    let ended = Command::new("kill").args(["-s", "HUP", &child.id().to_string()]).status();
    assert!(ended.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn seeds_faults_and_limits_come_from_files_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let seed = write(
        "seed.json",
        r#"{"merchants": [{"name": "Shop"}],
            "payments": [{"service": "flexible-payments", "amount": {"amount": "20.00", "currencyCode": "USD"}}]}"#,
    );
    let faults = write("faults.json", r#"{"rules": [{"fault": {"kind": "throttle"}, "nth": 1}]}"#);
    let arguments =
        ["--http", "--seed", "7", "--seed-file", &seed, "--faults", &faults, "--throttle", "live"];
    let serving = Serving::start(folder.path(), &arguments);
    assert_eq!(serving.told["merchants"][0]["name"], "Shop");
    assert_eq!(serving.told["authority"], Value::Null);
    let first = shell(serving.told("curl"));
    assert!(first.contains("<Code>ServiceUnavailable</Code>"), "{first}");
    assert!(shell(serving.told("curl")).contains("<RefundResponse"));
    let keys = serving.told["merchants"][0]["access_key_id"].clone();
    let (code, errors) = serving.end("TERM");
    assert_eq!(code, Some(0));
    assert!(errors.starts_with("audit: 2 requests"), "{errors}");
    let same = Serving::start(folder.path(), &["--http", "--seed", "7", "--seed-file", &seed]);
    assert_eq!(same.told["merchants"][0]["access_key_id"], keys);
    same.end("TERM");

    let bad = write("bad.json", r#"{"rules": [{"fault": {"kind": "explode"}}]}"#);
    for arguments in [["--faults", &bad], ["--faults", "/nowhere.json"], ["--seed-file", &bad]] {
        refused(&[&["sandbox", "--port", "0"], &arguments[..]].concat(), 2);
    }
    refused(&["sandbox", "--port", "0", "--merchant-notify", "https://shop.example/"], 2);
    refused(&["sandbox", "--http", "--tls-dir", "x"], 2);
}

//! The command as a shell sees it: what it prints where, and how it exits.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a command that cannot be run is a failed test"
)]

#[cfg(unix)]
mod batch;
#[cfg(unix)]
mod config;
mod database;
mod ending;
mod explain;
mod formats;
#[cfg(unix)]
mod ledger;
#[cfg(unix)]
mod listen;
mod manual;
#[cfg(unix)]
mod plan;
#[cfg(unix)]
mod refund;
#[cfg(unix)]
mod sandbox;
mod schema;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod sessions;
#[cfg(unix)]
mod shop;
mod verify;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The command, with its temporary files in a folder that the test can look into.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps"));
    command.args(arguments).env("TMPDIR", folder).env("TMP", folder);
    // Whoever runs the tests may have settings of their own.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FPS_") {
            command.env_remove(name);
        }
    }
    command.env("XDG_CONFIG_HOME", folder).stdin(Stdio::null());
    command
}

fn fps(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), arguments).output().unwrap();
    assert_eq!(names(folder.path()), [""; 0], "{arguments:?} leaves something behind");
    schema::check(arguments, &output.stdout);
    output
}

/// What is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A failure: nothing on standard output, and on standard error a first line beginning with `error`.
fn refused(arguments: &[&str], code: i32) -> String {
    let output = fps(arguments);
    let errors = text(&output.stderr).to_owned();
    assert_eq!(exit(&output), code, "{arguments:?}: {errors}");
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    let lines: Vec<_> = errors.lines().filter(|line| !line.starts_with('·')).collect();
    assert!(lines[0].starts_with("error: "), "{errors}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("error: ")).count(), 1, "{errors}");
    lines.join("\n")
}

#[test]
fn the_demonstration_refunds_through_both_services_and_the_books_agree() {
    let output = fps(&["demo", "--output", "json"]);
    assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["agree"], true);
    let batch = &result["batch"];
    assert_eq!((&batch["refunds"], &batch["amount"]), (&200.into(), &"2010.00".into()));
    assert!(
        batch["tries"].as_u64().unwrap() > 200,
        "answers were lost, and asked for again: {batch}"
    );

    let steps = result["steps"].as_array().unwrap();
    let column = |name: &str| -> Vec<&str> {
        steps.iter().map(|step| step[name].as_str().unwrap_or("-")).collect()
    };
    assert_eq!(column("asked"), ["50.00", "50.00", "-", "20.00", "20.00", "30.00", "-"]);
    assert_eq!(
        column("amount"),
        ["50.00", "50.00", "50.00", "20.00", "20.00", "30.00", "70.00"],
        "no amount means what remains"
    );
    assert!(column("currency").iter().all(|currency| *currency == "USD"));
    assert_eq!(column("fee_returned"), ["1.50", "-", "1.50", "-", "-", "0.90", "2.10"]);
    assert_eq!(
        column("outcome"),
        ["refunded", "same-refund", "refunded", "not-sent", "refused", "refunded", "refunded"]
    );
    let states: Vec<_> = steps.iter().map(|step| step["states"].to_string()).collect();
    let (pay, notified) = (r#"["Refunded"]"#, r#"["PENDING","SUCCESS"]"#);
    assert_eq!(states, [pay, "[]", pay, "[]", "[]", notified, notified]);
    for step in steps {
        assert_eq!(step["proved"], step["service"] == "flexible-payments", "{step}");
    }
    assert_eq!(
        column("decision"),
        ["allow", "not-asked", "allow", "refuse", "not-asked", "allow", "allow"]
    );
    assert_eq!((&steps[3]["rule"], &steps[3]["limit"]), (&"remaining".into(), &"15.00".into()));
    assert_eq!(
        (&steps[4]["status"], &steps[4]["code"]),
        (&400.into(), &"TransactionAmountExceeded".into())
    );
    assert_eq!(column("refund")[0], column("refund")[1], "one key, one refund");
    let ids = column("request_id");
    assert_eq!(ids.iter().filter(|id| **id == "-").count(), 1, "only what was not sent has none");

    let totals = result["totals"].as_array().unwrap();
    let total = |service: &str, name: &str| -> (&str, &str) {
        let found = totals.iter().find(|t| t["service"] == service && t["total"] == name).unwrap();
        (found["client"].as_str().unwrap(), found["books"].as_str().unwrap())
    };
    // The charge, and a batch of 0.10, 0.20 … 20.00; its fees come back by 3 %, each rounded to even.
    for (service, refunded, fees) in
        [("amazon-pay", "2110.00", "63.30"), ("flexible-payments", "100.00", "3.00")]
    {
        assert_eq!(total(service, "refunded"), (refunded, refunded));
        assert_eq!(total(service, "fees-returned"), (fees, fees));
        assert_eq!(total(service, "under-way"), ("0.00", "0.00"));
    }
}

#[test]
fn the_demonstration_talks_on_standard_error_and_prints_a_table() {
    let output = fps(&["demo"]);
    assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.starts_with(" service"), "{table}");
    assert_eq!(table.matches("agree").count(), 6, "{table}");
    assert!(text(&output.stderr).lines().all(|line| line.starts_with("· ")));
}

#[test]
fn a_database_is_kept_and_can_be_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.db");
    for _ in 0..2 {
        let output = fps(&["demo", "--output", "json", "--db", path.to_str().unwrap()]);
        assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    }
    assert_eq!(names(folder.path()), ["kept.db"], "the closed file stands alone");
}

#[test]
fn what_cannot_be_opened_or_listened_on_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let letter = folder.path().join("letter.txt");
    std::fs::write(&letter, "Dear aunt, ".repeat(500)).unwrap();
    for path in [folder.path(), &folder.path().join("no/such/folder/s.db"), &letter] {
        let path = path.to_str().unwrap();
        let error = refused(&["demo", "--db", path], 2);
        assert!(error.contains(path) && error.contains("caused by") && error.contains("hint"));
    }
    assert_eq!(std::fs::read_to_string(&letter).unwrap(), "Dear aunt, ".repeat(500));

    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let kept = folder.path().join("kept.db");
    let error = refused(&["demo", "--port", &port, "--db", kept.to_str().unwrap()], 2);
    assert!(error.contains(&format!("cannot listen on port {port}")), "{error}");
    assert!(!kept.exists(), "nothing is left behind");
}

#[test]
fn a_wrong_call_is_one_line_and_a_hint() {
    for arguments in [
        &["demo", "--no-such-flag"][..],
        &["demo", "--output", "yaml"],
        &["demo", "--port", "70000"],
        &["demo", "--port", "-1"],
        &["demo", "extra"],
        &["refunds"],
        &["quote"],
        &["quote", "--service", "paypal", "--captured", "1.00"],
    ] {
        let error = refused(arguments, 2);
        assert_eq!(error.lines().count(), 2, "{error}");
        assert!(error.lines().nth(1).unwrap().starts_with("hint: "), "{error}");
    }
    assert_eq!(exit(&fps(&[])), 2);
}

#[test]
fn every_malformed_amount_is_refused_by_the_rule_it_breaks() {
    for (currency, amount, rule) in [
        ("USD", "1,000.00", "no thousands separators"),
        ("USD", "12.345", "at most 2 decimals"),
        ("JPY", "14.00", "no decimals"),
        ("USD", "-5", "no sign"),
        ("USD", "+5", "no sign"),
        ("USD", "1e3", "no exponent"),
        ("USD", "", "is empty"),
        ("USD", " 5", "no blanks"),
        ("USD", "$5", "digits and at most one point"),
        ("USD", "99999999999999999999", "too large"),
    ] {
        let quote = ["quote", "--service", "amazon-pay", "--currency", currency];
        let captured = [&quote[..], &["--captured", amount]].concat();
        let error = refused(&captured, 2);
        assert!(error.contains(rule) && error.contains("--captured"), "{error}");
        let wished = [&quote[..], &["--captured", "1000", amount]].concat();
        assert!(refused(&wished, 2).contains(rule));
    }
    let error =
        refused(&["quote", "--service", "amazon-pay", "--currency", "usd", "--captured", "1"], 2);
    assert!(error.contains("ISO 4217"), "{error}");
}

#[test]
fn a_quote_is_the_rules_answer() {
    let quote = |arguments: &[&str]| -> Value {
        let arguments = [&["quote", "--output", "json"], arguments].concat();
        let output = fps(&arguments);
        assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let pay = ["--service", "amazon-pay", "--captured", "100.00", "--fee", "3.00"];
    let half = quote(&[&pay[..], &["50.00"]].concat());
    assert_eq!(half["fee_returned"], "1.50");
    assert_eq!(half["remaining"], "50.00");
    assert_eq!(half["remaining_with_overage"], "65.00");
    assert_eq!(half["timing"], "later");
    let rest = quote(&[&pay[..], &["--refunded", "60.00"]].concat());
    assert_eq!(rest["amount"], "40.00");

    let error = refused(&[&["quote"], &pay[..], &["115.01"]].concat(), 6);
    assert!(error.contains("rule `remaining`") && error.contains("115.00 USD"), "{error}");
    let error =
        refused(&[&["quote"], &pay[..], &["--refunded", "10.00", "--refunds", "10"]].concat(), 6);
    assert!(error.contains("rule `count`"), "{error}");
    refused(&["quote", "--service", "flexible-payments", "--captured", "0.00"], 2);
}

#[test]
fn help_and_version_are_results() {
    for arguments in [&["--help"][..], &["demo", "--help"], &["quote", "--help"], &["--version"]] {
        let output = fps(arguments);
        assert_eq!(exit(&output), 0);
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    let output = fps(&["--help"]);
    let (_, listed) = text(&output.stdout).split_once("Exit codes:\n").unwrap();
    let codes: Vec<_> =
        listed.lines().map(|line| line.trim().split("  ").next().unwrap()).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "129, 130, 143"]);
}

#[test]
fn a_failure_prints_nothing_where_a_program_expects_json() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let quote = ["quote", "--output", "json", "--service", "amazon-pay", "--captured"];
    for (arguments, code) in [
        ([&quote[..], &["100.00", "115.01"]].concat(), 6),
        ([&quote[..], &["1,00"]].concat(), 2),
        (vec!["demo", "--output", "json", "--db", folder], 2),
        (vec!["demo", "--output", "json", "--port", "x"], 2),
    ] {
        // It looks at standard output.
        refused(&arguments, code);
    }
}

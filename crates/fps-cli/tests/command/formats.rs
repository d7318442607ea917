//! The formats of results: the same values in each.

use serde_json::Value;

use crate::{exit, fps, text};

const QUOTE: [&str; 6] = ["quote", "--service", "amazon-pay", "--captured", "100.00", "40.00"];

fn printed(arguments: &[&str], format: &str) -> String {
    let output = fps(&[arguments, &["--output", format]].concat());
    assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

#[test]
fn one_object_is_one_line_and_one_row() {
    let whole: Value = serde_json::from_str(&printed(&QUOTE, "json")).unwrap();
    let lines = printed(&QUOTE, "ndjson");
    assert_eq!(lines.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&lines).unwrap(), whole);
    let csv = printed(&QUOTE, "csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), header.len()), (1, whole.as_object().unwrap().len()));
    for (name, cell) in header.iter().zip(rows[0].iter()) {
        assert_eq!(whole[name], cell, "{name}");
    }
}

#[test]
fn the_rows_of_a_demonstration_are_its_steps() {
    let lines = printed(&["demo"], "ndjson");
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let amounts: Vec<_> = rows.iter().map(|row| row["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["50.00", "50.00", "50.00", "20.00", "20.00", "30.00", "70.00"]);
    let csv = printed(&["demo"], "csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let at = reader.headers().unwrap().iter().position(|name| name == "states").unwrap();
    let states: Vec<_> = reader.records().map(|row| row.unwrap()[at].to_owned()).collect();
    assert_eq!(states[0], r#"["Refunded"]"#);
    assert_eq!(states.len(), 7);
}

/// The schemas are checked wherever a test calls a verb; these need a service.
#[cfg(unix)]
#[test]
fn what_verbs_of_a_service_print_is_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let serving = crate::sandbox::Serving::start(folder.path(), &[]);
    let file = folder.path().join("sandbox.json");
    std::fs::write(&file, serving.told.to_string()).unwrap();
    let service = ["--sandbox-file", file.to_str().unwrap(), "--service"];
    for (name, payment) in [("amazon-pay", "charge_id"), ("flexible-payments", "transaction_id")] {
        let service = [&service[..], &[name]].concat();
        let payment = serving.told[payment].as_str().unwrap();
        let call = |verb: &[&str]| -> Value {
            serde_json::from_str(&printed(&[verb, &service].concat(), "json")).unwrap()
        };
        call(&["config", "show"]);
        call(&["config", "show", "--origin"]);
        call(&["refund", payment, "1.00", "--key", "dry", "--dry-run"]);
        let refund = call(&["refund", payment, "1.00", "--key", "key", "--wait"]);
        call(&["status", payment]);
        call(&["status", refund["refund"].as_str().unwrap()]);
    }
    serving.end("TERM");
}

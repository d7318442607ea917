//! `fps refund`: once, whatever happens, and each way to fail with a code of its own.

use serde_json::{Value, json};

use crate::service::World;
use crate::{exit, text};

/// A key that no merchant of the sandbox has.
const FOREIGN_KEY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../fps-sign/tests/keys/rsa-2048.pkcs8.pem");

#[test]
fn a_decision_is_refunded_once_however_often_it_is_called() {
    let world = World::start(&["--processing", "0"]);
    for payment in [world.charge(), world.transaction()] {
        let call = ["refund", payment, "14.00", "--for", "order-4711", "line-2", "refund-1"];
        let (planned, said) = world.json(&[&call[..], &["--dry-run"]].concat());
        assert_eq!((&planned["state"], &planned["refund"]), (&"not-sent".into(), &Value::Null));
        assert_eq!((&planned["amount"], &planned["remaining"]), (&"14.00".into(), &"86.00".into()));
        // As `fps::Key::derive` makes it of the same parts.
        assert_eq!(planned["key"], "ffa8c575afc17fa0fa56004c1a65a15f");
        assert_eq!(said, "", "nothing was sent");
        assert_eq!(world.json(&["status", payment]).0["refunded"], "0.00");

        let waiting = [&call[..], &["--wait", "--patience", "30"]].concat();
        let (refunded, said) = world.json(&waiting);
        assert_eq!((&refunded["state"], &refunded["key"]), (&"refunded".into(), &planned["key"]));
        let before_the_answer = said.find("ffa8c575afc17fa0fa56004c1a65a15f").unwrap();
        assert!(said.find("is accepted").is_none_or(|it| it > before_the_answer), "{said}");
        assert!(world.json(&waiting).0["refund"] == refunded["refund"], "the key is known");
        let key = refunded["key"].as_str().unwrap();
        let again = ["refund", payment, "14.00", "--currency", "USD", "--key", key, "--again"];
        assert_eq!(world.json(&again).0["refund"], refunded["refund"]);
        assert_eq!(world.json(&["status", payment]).0["refunded"], "14.00");

        // The same key for something else.
        let other = ["refund", payment, "15.00", "--key", key];
        let error = world.refused(&other, 5);
        assert!(error.contains("the key was used") && !error.contains("hint: send"), "{error}");

        let (rest, _) = world.json(&["refund", payment, "--key", "the-rest", "--wait"]);
        assert_eq!((&rest["amount"], &rest["state"]), (&"86.00".into(), &"refunded".into()));
        let error = world.refused(&["refund", payment, "90.00", "--key", "more"], 6);
        assert!(error.contains("error: the rule `") && error.contains("` forbids it"), "{error}");
        // What holds this very refund already is no reason not to send it again.
        let again =
            ["refund", payment, "86.00", "--currency", "USD", "--key", "the-rest", "--again"];
        assert_eq!(world.json(&again).0["refund"], rest["refund"]);
        assert_eq!(world.json(&["status", payment]).0["refunded"], "100.00");
    }
    let output = world.fps(&["refund", world.charge(), "1.00", "--key", "over", "--dry-run"]);
    let table = text(&output.stdout);
    assert!(table.starts_with(" sandbox") && table.contains("not-sent"), "{table}");
    world.serving.end("INT");
}

#[test]
fn what_is_called_wrongly_is_refused_before_anything_is_sent() {
    let world = World::start(&[]);
    let charge = world.charge();
    for (arguments, what) in [
        (&["refund", charge, "1.00"][..], "--key <KEY>|--for"),
        (&["refund", charge, "1.00", "--key", "k", "--for", "order-1"], "cannot be used with"),
        (&["refund", charge, "1,00", "--key", "k"], "is no amount in USD"),
        (&["refund", charge, "1.001", "--key", "k"], "is no amount in USD"),
        (&["refund", charge, "-1.00", "--key", "k"], "is no amount in USD"),
        (&["refund", charge, "1.00", "--currency", "usd", "--key", "k"], "--currency usd"),
        (&["refund", charge, "1.00", "--key", "no key"], "--key is no key"),
        (&["refund", charge, "1.00", "--key", "k", "--note", "n"], "has no --note"),
        (&["refund", charge, "--key", "k", "--again"], "--currency"),
        (&["refund", world.transaction(), "--key", "k", "--soft-descriptor", "s"], "has no --soft"),
        (&["refund", charge, "--key", "k", "--environment", "live"], "for one environment"),
        (&["refund", charge, "--key", "k", "--public-key-id", "LIVE-K"], "for one environment"),
    ] {
        let error = world.refused(arguments, 2);
        assert!(error.contains(what), "{arguments:?}: {error}");
    }
    let error = world.refused(&["refund", charge, "1.00", "--currency", "EUR", "--key", "k"], 6);
    assert!(error.contains("currency"), "{error}");
    world.refused(&["refund", "S01-0000000-0000000-C000000", "--key", "k"], 6);
    world.refused(&["refund", "NOSUCH", "--key", "k"], 6);
    let totals = world.control("GET", "/totals", "").to_string();
    assert!(!totals.contains("\"refunds\":1"), "{totals}");
    world.serving.end("INT");
}

#[test]
fn real_money_is_asked_about_and_no_terminal_is_no_consent() {
    let world = World::start(&["--processing", "0"]);
    let call = ["refund", world.transaction(), "2.00", "--key", "k", "--environment", "live"];
    let error = world.refused(&call, 2);
    assert!(error.contains("no terminal to ask at") && error.contains("--yes"), "{error}");
    assert_eq!(world.json(&["status", world.transaction()]).0["refunded"], "0.00");
    let (planned, _) = world.json(&[&call[..], &["--dry-run"]].concat());
    assert_eq!((&planned["environment"], &planned["state"]), (&"live".into(), &"not-sent".into()));
    let (refunded, _) = world.json(&[&call[..], &["--yes", "--wait"]].concat());
    assert_eq!(refunded["state"], "refunded");
    world.serving.end("INT");
}

#[test]
fn a_refused_signature_shows_what_was_signed() {
    let world = World::start(&[]);
    let (charge, transaction) = (world.charge(), world.transaction());
    let pay = ["refund", charge, "--key", "k", "--private-key-file", FOREIGN_KEY];
    let error = world.refused(&pay, 4);
    let path = format!("\n  | /v2/charges/{charge}\n");
    assert!(error.contains("this was signed:\n  | GET") && error.contains(&path), "{error}");
    assert!(error.contains("by what the service told: the service holds another key"), "{error}");

    let mut fps = world.command(&["refund", transaction, "--key", "k"]);
    fps.env("FPS_SECRET_KEY", "CANARY");
    let error = world.refused_by(fps, 4);
    assert!(error.contains("this was signed:\n  | POST\n  | localhost:"), "{error}");
    assert!(error.contains("Action=GetTransaction&"), "{error}");
    assert!(error.contains("\nhint: the key that signs") && !error.contains("CANARY"), "{error}");

    // An id that is unknown is no matter of what was signed.
    let id = ["refund", transaction, "--key", "k", "--access-key-id", "AKNOSUCH"];
    let error = world.refused(&id, 4);
    assert!(!error.contains("this was signed"), "{error}");
    world.serving.end("INT");
}

#[test]
fn a_lost_answer_is_unknown_and_the_hint_makes_it_one_refund() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults.json");
    let lost = |operation: &str| json!({"operation": operation, "times": 4, "fault": {"kind": "commit-then-drop"}});
    let rules = json!({"rules": [lost("CreateRefund"), lost("Refund")]});
    std::fs::write(&faults, rules.to_string()).unwrap();
    let world = World::start(&["--processing", "0", "--faults", faults.to_str().unwrap()]);
    for payment in [world.charge(), world.transaction()] {
        let error = world.refused(&["refund", payment, "60.00", "--key", "once"], 7);
        assert!(error.contains("error: whether the refund was made is unknown\n"), "{error}");
        let (_, again) =
            error.split_once("\nhint: send the same again, and no other: fps ").unwrap();
        let again: Vec<_> = again.split_whitespace().collect();
        // The rules alone would take what was lost for another refund.
        world.refused(&["refund", payment, "60.00", "--key", "once"], 6);
        let (refunded, _) = world.json(&[&again[..], &["--wait"]].concat());
        assert_eq!(refunded["state"], "refunded");
        assert_eq!(world.json(&["status", payment]).0["refunded"], "60.00");
    }
    world.serving.end("INT");
}

#[test]
fn how_a_refund_ends_decides_the_exit_code() {
    let world = World::start(&["--processing", "0"]);
    for payment in [world.charge(), world.transaction()] {
        world.control("PUT", "/outcomes/next", r#"{"count": 1}"#);
        let call = ["refund", payment, "5.00", "--key", "declined", "--wait", "--output", "json"];
        let output = world.fps(&call);
        assert_eq!(exit(&output), 3, "{}", text(&output.stderr));
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["state"], "declined");
        assert!(text(&output.stderr).contains(" was declined\nhint: "));

        let nobody = ["refund", payment, "5.00", "--key", "k", "--endpoint", "http://127.0.0.1:1"];
        let error = world.refused(&nobody, 8);
        assert!(error.contains("the service could not be reached"), "{error}");
    }
    world.serving.end("INT");

    let slow = World::start(&["--processing", "600000"]);
    for payment in [slow.charge(), slow.transaction()] {
        let call = ["refund", payment, "5.00", "--key", "slow", "--output", "json"];
        let output = slow.fps(&[&call[..], &["--wait", "--patience", "0"]].concat());
        assert_eq!(exit(&output), 7, "{}", text(&output.stderr));
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["state"], "pending");
        assert!(text(&output.stderr).contains("hint: it is on its way: `fps status "));
        // Nobody who does not wait is told that it failed.
        assert_eq!(exit(&slow.fps(&call)), 0);
    }
    slow.serving.end("INT");
}

#[test]
fn what_is_said_for_a_repetition_is_one_request_to_a_shell() {
    let world = World::start(&["--processing", "0"]);
    let note = "a buyer's wish; $(not a command)";
    let call = ["refund", world.transaction(), "3.00", "--key=-a 'key'", "--note", note];
    let (refunded, said) = world.json(&call);
    let (_, again) = said.split_once("and no other: fps ").unwrap();
    let script = format!(
        "FPS_SANDBOX='{}' '{}' {} --output json",
        world.file.display(),
        env!("CARGO_BIN_EXE_fps"),
        again.lines().next().unwrap()
    );
    let repeated: Value = serde_json::from_str(&crate::sandbox::shell(&script)).unwrap();
    assert_eq!(repeated["refund"], refunded["refund"]);
    assert_eq!(world.json(&["status", world.transaction()]).0["refunded"], "3.00");
    world.serving.end("INT");
}

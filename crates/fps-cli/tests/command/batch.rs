//! `fps batch`: refunds that are made, told and taken up again, against a sandbox of its own.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::ending::Running;
use crate::shop::{Called, Shop};
use crate::{schema, text};

/// A key that no merchant of the sandbox has.
const FOREIGN_KEY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../fps-sign/tests/keys/rsa-2048.pkcs8.pem");

#[test]
fn a_batch_is_made_to_its_end_once() {
    let shop = Shop::start(60, &[]);
    let run = ["batch", "run", shop.rows(), "--follow-after", "20", "--output", "json"];
    let called = shop.call(&run);
    assert_eq!(called.code, 0, "{}", called.errors);
    schema::check(&run, called.out.as_bytes());
    let ran = called.json();
    assert_eq!((&ran["ended"], &ran["resume"]), (&"done".into(), &Value::Null));
    let line = &ran["lines"][0];
    assert_eq!((&line["refunds"], &line["refunded"]), (&60.into(), &60.into()));
    assert_eq!(line["amount"], line["refunded_amount"]);

    let events = called.events();
    let told: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((told[0], told[1], told[2]), ("started", "planned", "running"), "{told:?}");
    assert_eq!(told.last(), Some(&"ended"));
    assert!(told[3..told.len() - 1].iter().all(|it| *it == "progress"), "{told:?}");
    assert_eq!(events.last().unwrap()["counts"]["refunded"], 60);
    for event in events.iter().filter(|event| event["counts"].is_object()) {
        let counts = event["counts"].as_object().unwrap();
        let states = counts.iter().filter(|(name, _)| *name != "waiting_for_human");
        assert_eq!(states.map(|(_, it)| it.as_u64().unwrap()).sum::<u64>(), 60, "{event}");
    }

    // All again is nothing.
    let again = shop.call(&run);
    assert_eq!(again.code, 0, "{}", again.errors);
    let (resumed, _) = shop.json(&["batch", "resume", "recall"], 0);
    assert_eq!(resumed["lines"], ran["lines"]);
    assert_eq!(shop.refunds().len(), 60);

    let (status, _) = shop.json(&["batch", "status"], 0);
    assert_eq!(status[0], *line);
    let table = shop.call(&["batch", "status"]).out;
    assert!(table.contains("recall") && table.contains("over"), "{table}");
    let error = shop.refused(&["batch", "report", "other"], 2);
    assert!(error.contains("hint: `fps batch status` lists those it has"), "{error}");
    let (compared, _) = shop.json(&["batch", "reconcile", "recall"], 0);
    assert_eq!(compared["compared"], 60, "{compared}");
    shop.end();
}

#[test]
fn declines_are_told_with_their_reasons_and_can_stop_a_run() {
    let shop = Shop::start(40, &[]);
    shop.world.control("PUT", "/outcomes/next", r#"{"count": 2}"#);
    let run = ["batch", "run", shop.rows(), "--concurrency", "1", "--follow-after", "1"];
    let (ran, errors) = shop.json(&[&run[..], &["--stop-after-declines", "1"]].concat(), 3);
    assert_eq!(ran["ended"], json!({"stopped": {"declines": 1}}));
    assert!(errors.contains("error: stopped by a rule: a refund was declined"), "{errors}");
    assert!(errors.contains("hint: go on by `fps batch resume recall`"), "{errors}");
    assert!(ran["lines"][0]["prepared"].as_u64() > Some(0), "{ran}");
    assert_eq!(ran["resume"], "fps batch resume recall");

    let called = shop.call(&["batch", "resume", "recall", "--follow-after", "20"]);
    assert_eq!(called.code, 3, "{}", called.errors);
    assert!(called.errors.contains("error: 2 refunds were declined"), "{}", called.errors);
    let (declined, _) = shop.json(&["batch", "report", "recall", "--state", "declined"], 0);
    assert_eq!(declined.as_array().unwrap().len(), 2);
    for refund in declined.as_array().unwrap() {
        assert!(refund["reason"].as_str().is_some_and(|it| !it.is_empty()), "{refund}");
    }
    assert_eq!(shop.refunds().len(), 40);
    shop.refused(&["batch", "report", "recall", "--state", "lost"], 2);
    shop.end();
}

#[test]
fn rules_and_time_stop_a_run_before_too_much_is_sent() {
    let shop = Shop::start(30, &[]);
    let run = ["batch", "run", shop.rows(), "--follow-after", "1"];
    let (ran, errors) = shop.json(&[&run[..], &["--stop-above", "5.10 USD"]].concat(), 6);
    assert_eq!(ran["ended"], json!({"stopped": {"total": "5.10 USD"}}));
    assert!(errors.contains("above 5.10 USD"), "{errors}");
    // 1.01 + 1.02 + 1.03 + 1.04 and no more.
    assert_eq!(shop.refunds().len(), 4);
    assert_eq!(shop.json(&[&run[..], &["--deadline", "0"]].concat(), 8).0["ended"], "deadline");
    assert_eq!(shop.refunds().len(), 4);
    shop.json(&["batch", "resume", "recall", "--stop-above", "900 JPY"], 0);
    assert_eq!(shop.refunds().len(), 30);
    shop.end();
}

#[test]
fn whoever_is_not_believed_and_whoever_is_not_heard_can_go_on_later() {
    let shop = Shop::start(8, &[]);
    let run = ["batch", "run", shop.rows()];
    let foreign = [&run[..], &["--private-key-file", FOREIGN_KEY]].concat();
    let (ran, errors) = shop.json(&foreign, 4);
    assert!(ran["ended"]["unauthorized"].is_object(), "{ran}");
    assert!(errors.contains("error: the provider does not believe who asks"), "{errors}");
    assert!(errors.contains("`fps config show --origin` says which key is used"), "{errors}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = format!("https://localhost:{}", closed.port());
    let (ran, errors) = shop.json(
        &[&run[..], &["--batch", "it's", "--endpoint", &away, "--give-up-after", "1"]].concat(),
        8,
    );
    assert!(ran["ended"]["unavailable"].is_object(), "{ran}");
    let resume = ran["resume"].as_str().unwrap();
    assert_eq!(resume, format!(r"fps batch resume 'it'\''s' --endpoint='{away}'"));
    assert!(errors.contains(&format!("hint: go on by `{resume}`")), "{errors}");
    shop.json(&run, 0);
    assert_eq!(shop.refunds().len(), 8);
    shop.end();
}

/// Refunds by an interrupted run, a killed one, and the one that the first printed.
#[test]
fn an_interrupted_and_a_killed_run_are_taken_up_again_and_every_refund_is_made_once() {
    let shop = Shop::start(300, &[]);
    let run = ["batch", "run", shop.rows(), "--concurrency", "2", "--follow-after", "50"];
    let mut running = Running::start(shop.command(&[&run[..], &["--output", "json"]].concat()));
    running.read_until("\"event\":\"progress\"");

    // Nobody else writes this ledger meanwhile, and everybody may read it.
    let error = shop.refused(&["batch", "resume", "recall"], 2);
    assert!(error.contains("hint: one command at a time writes a ledger in a file"), "{error}");
    let (status, _) = shop.json(&["batch", "status"], 0);
    assert_eq!(status[0]["refunds"], 300);
    shop.json(&["batch", "report", "recall"], 0);

    running.signal("INT");
    let (code, out, errors) = running.end();
    assert_eq!(code, 130, "{errors}");
    let called = Called { code, out, errors };
    let told: Vec<_> = called.events().iter().map(|it| it["event"].clone()).collect();
    assert!(told.contains(&"halting".into()) && told.last() == Some(&"ended".into()), "{told:?}");
    assert!(called.errors.contains("error: interrupted; what was in flight is finished"));
    let ran = called.json();
    assert_eq!((&ran["ended"], &ran["lines"][0]["in_flight"]), (&"interrupted".into(), &0.into()));
    let resume = ran["resume"].as_str().unwrap();
    assert!(called.errors.contains(&format!("hint: go on by `{resume}`")), "{}", called.errors);
    assert!(shop.refunds().len() < 300);

    let mut words = resume.split(' ');
    assert_eq!(words.next(), Some("fps"));
    let resume: Vec<_> = words.chain(["--concurrency", "2", "--follow-after", "50"]).collect();
    for _ in 0..2 {
        let mut running = Running::start(shop.command(&resume));
        running.read_until("\"event\":\"progress\"");
        running.signal("KILL");
        running.killed();
    }
    let resumed = shop.call(&[&resume[..], &["--output", "json"]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.errors);
    let counts = resumed.events().last().unwrap()["counts"].clone();
    let ended: u64 = counts.as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
    assert_eq!((&counts["refunded"], ended), (&300.into(), 300), "{counts}");
    assert_eq!(resumed.json()["lines"][0]["refunded"], 300);
    let made = shop.refunds();
    assert_eq!(made.len(), 300);
    let mut payments: Vec<_> = made.iter().map(|it| it["payment"].as_str().unwrap()).collect();
    payments.sort_unstable();
    payments.dedup();
    assert_eq!(payments.len(), 300, "each once");
    shop.json(&["ledger", "verify"], 0);
    shop.end();
}

#[test]
fn whoever_interrupts_twice_waits_for_nothing() {
    let shop = Shop::start(1, &[]);
    let faults = |rules: Value| {
        shop.world.control("PUT", "/faults", &json!({"rules": rules}).to_string());
    };
    let late = json!({"operation": "CreateRefund", "fault": {"kind": "delay", "millis": 600_000}});
    faults(json!([late]));
    let mut running = Running::start(shop.command(&["batch", "run", shop.rows()]));
    running.read_until("\"event\":\"progress\"");
    running.signal("INT");
    running.read_until("\"event\":\"halting\"");
    running.signal("TERM");
    let (code, out, errors) = running.end();
    assert_eq!((code, &*out), (143, ""), "{errors}");
    assert!(errors.contains("error: ended at once; what was in flight is found out"), "{errors}");
    assert!(errors.contains("hint: go on by `fps batch resume recall`"), "{errors}");
    faults(json!([]));
    let resume = ["batch", "resume", "recall", "--follow-after", "20", "--output", "json"];
    let resumed = shop.call(&resume);
    assert_eq!(resumed.code, 0, "{}", resumed.errors);
    let events = resumed.events();
    let counts =
        |event: &Value| (event["counts"]["unknown"].clone(), event["counts"]["refunded"].clone());
    assert_eq!(counts(&events[1]), (1.into(), 0.into()));
    assert_eq!(counts(events.last().unwrap()), (0.into(), 1.into()));
    assert_eq!(events.last().unwrap()["counts"]["in_flight"], 0);
    assert_eq!(shop.refunds().len(), 1);
    shop.end();
}

#[test]
fn real_money_needs_words_that_name_count_and_total_or_yes() {
    let shop = Shop::start(1, &[]);
    let transaction = shop.world.transaction();
    let rows = format!("payment,amount,currency,captured\n{transaction},3.00,USD,100.00\n");
    let file = shop.file("live.csv", &rows);
    let run = ["batch", "run", &file, "--environment", "live"];
    let error = shop.refused(&run, 2);
    assert!(error.contains("there is no terminal to ask at") && error.contains("--yes"), "{error}");
    assert!(!shop.ledger.exists(), "it is known before anything is begun");
    shop.json(&["batch", "plan", &file, "--environment", "live"], 0);
    shop.refused(&["batch", "resume", "live", "--environment", "live"], 2);

    // Nobody is asked over the network either.
    let counting = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    counting.set_nonblocking(true).unwrap();
    let elsewhere = format!("https://localhost:{}", counting.local_addr().unwrap().port());
    let call = ["batch", "resume", "live", "--environment", "live", "--endpoint", &elsewhere];
    shop.refused(&call, 2);
    assert!(counting.accept().is_err());
    assert_eq!(shop.refunds(), [Value::Null; 0]);

    let (ran, _) = shop.json(&["batch", "resume", "live", "--environment", "live", "--yes"], 0);
    assert_eq!(ran["lines"][0]["refunded"], 1);
    shop.end();
}

/// A terminal, if this machine has a command that makes one.
#[test]
fn at_a_terminal_words_are_asked_for_and_a_bar_is_drawn() {
    if Command::new("script").arg("--version").output().is_err() {
        return;
    }
    let shop = Shop::start(1, &[]);
    let transaction = shop.world.transaction();
    let rows = format!("payment,amount,currency,captured\n{transaction},3.00,USD,100.00\n");
    let file = shop.file("live.csv", &rows);
    let run = format!("{} batch run {file} --environment live", env!("CARGO_BIN_EXE_fps"));
    let at_terminal = |typed: &str| {
        let mut settings = shop.command(&[]);
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &run, "/dev/null"]).env("NO_COLOR", "1");
        script.env("TERM", "xterm").current_dir(shop.folder.path());
        for (name, value) in settings.env("PATH", env!("PATH")).get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = script.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, format!("{typed}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(input);
        (output.status.code(), text(&output.stdout).to_owned())
    };
    let (code, shown) = at_terminal("yes");
    assert_eq!(code, Some(2), "{shown}");
    assert!(shown.contains("Type \"refund 1 payments, 3.00 USD\" to go on"), "{shown}");
    assert!(shown.contains("it was not confirmed, and nothing was sent"), "{shown}");
    assert_eq!(shop.refunds(), [Value::Null; 0]);
    let (code, shown) = at_terminal("refund 1 payments, 3.00 USD");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("] 1/1 ") && shown.contains("1 refunded"), "{shown}");
    assert!(!shown.contains("\"event\"") && !shown.contains("\u{1b}[3"), "{shown:?}");
    assert_eq!(shop.refunds().len(), 1);
    shop.end();
}

#[test]
fn reports_have_every_format_and_pages_and_tell_no_notes() {
    let shop = Shop::start(1, &[]);
    let mut rows = "payment,amount,currency,captured,reference,note\n".to_owned();
    for row in 1..=2_100 {
        // References of others, which a spreadsheet would take for a formula.
        writeln!(rows, "P{row},1.00,USD,100.00,\"=HYPERLINK({row})\",CANARY for Ms Miller")
            .unwrap();
    }
    let file = shop.file("many.csv", &rows);
    shop.json(&["batch", "plan", &file, "--service", "flexible-payments"], 0);
    let report = ["batch", "report", "many"];
    let (listed, _) = shop.json(&report, 0);
    let listed = listed.as_array().unwrap().clone();
    assert_eq!(listed.len(), 2_100);
    assert_eq!(listed[2_099]["reference"], "=HYPERLINK(2100)");
    let printed = |format: &str| {
        let called = shop.call(&[&report[..], &["--output", format]].concat());
        assert_eq!(called.code, 0, "{}", called.errors);
        assert!(!called.out.contains("CANARY") && !called.out.contains("Miller"), "{format}");
        called.out
    };
    let lines = printed("ndjson");
    let lines: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert!(lines == listed);
    let csv = printed("csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let cells: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(cells.len(), 2_100, "one header for all pages");
    let at = |name: &str| header.iter().position(|it| it == name).unwrap();
    assert_eq!(&cells[0][at("reference")], "'=HYPERLINK(1)");
    assert_eq!(&cells[2_099][at("payment")], "P2100");
    let table = printed("table");
    assert_eq!(table.lines().count(), 2_102);
    assert_eq!(table.matches("number").count(), 1, "one header for all pages");
    assert!(!printed("json").contains("CANARY"));

    let find = |more: &[&str]| {
        shop.json(&[&["ledger", "find"], more].concat(), 0).0.as_array().unwrap().len()
    };
    assert_eq!(find(&["--payment", "P7"]), 1);
    assert_eq!(find(&["--reference", "=HYPERLINK(9)"]), 1);
    assert_eq!(find(&["--state", "refunded,declined"]), 0);
    assert_eq!(find(&["--since", "2020-01-01", "--at-most", "1.00 USD"]), 2_100);
    assert_eq!(find(&["--before", "2020-01-01T00:00:00Z"]), 0);
    assert_eq!(find(&["--key", listed[4]["key"].as_str().unwrap()]), 1);
    shop.refused(&["ledger", "find", "--since", "yesterday"], 2);
    shop.refused(&["ledger", "find", "--at-least", "1.00"], 2);
    // Whoever reads only the beginning is no failure.
    crate::sandbox::shell(&format!(
        "{} batch report many --ledger '{}' --output csv | head -n 2 >/dev/null",
        env!("CARGO_BIN_EXE_fps"),
        shop.ledger.display()
    ));
    shop.end();
}

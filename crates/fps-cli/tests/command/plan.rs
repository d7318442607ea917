//! `fps batch plan`: what is good, bad, known already, or not what it was; and that a rehearsal is that.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::names;
use crate::shop::Shop;

const HEADER: &str = "payment,amount,currency,captured,reference\n";

#[test]
fn a_good_file_is_planned_and_sent_nowhere_and_planned_again_it_is_nothing_new() {
    let shop = Shop::start(60, &[]);
    let plan = ["batch", "plan", shop.rows()];
    let dry = [&plan[..], &["--dry-run"]].concat();
    let (rehearsed, _) = shop.json(&dry, 0);
    assert_eq!((&rehearsed["prepared"], &rehearsed["sealing"]), (&60.into(), &"rehearsed".into()));
    assert_eq!(names(shop.folder.path()), ["recall.csv"], "a rehearsal makes no ledger");

    let (planned, errors) = shop.json(&plan, 0);
    assert_eq!((&planned["rows"], &planned["prepared"]), (&60.into(), &60.into()));
    assert_eq!((&planned["sealing"], &planned["batch"]), (&"now".into(), &"recall".into()));
    assert_eq!(planned["totals"], rehearsed["totals"]);
    assert_eq!(planned["totals"][0]["count"], 60);
    assert!(errors.starts_with("· planning the batch `recall`"), "{errors}");

    let before = shop.exported();
    let (again, _) = shop.json(&plan, 0);
    assert_eq!((&again["prepared"], &again["existing"]), (&0.into(), &60.into()));
    assert_eq!(again["sealing"], "before");
    let (rehearsed, _) = shop.json(&dry, 0);
    assert_eq!((&rehearsed["existing"], &rehearsed["sealing"]), (&60.into(), &"before".into()));
    let called = shop.call(&plan);
    assert!(called.out.contains("there before  60"), "{}", called.out);
    assert_eq!(shop.exported(), before, "nothing new was written");

    // A row that is another, and one that is missing.
    let file = std::fs::read_to_string(shop.rows()).unwrap();
    let changed = shop.file("recall.csv", &file.replacen(",1.01,USD", ",1.50,USD", 1));
    for call in [&["batch", "plan", &changed][..], &["batch", "plan", &changed, "--dry-run"]] {
        let (differing, errors) = shop.json(call, 5);
        assert_eq!(differing["differing"], 1, "{differing}");
        assert!(errors.contains("line 2: row 1 is not what was planned in its place: amount"));
        assert!(errors.contains("hint: what was planned stands"), "{errors}");
    }
    let run = shop.call(&["batch", "run", &changed]);
    assert_eq!((run.code, &*run.out), (5, ""), "{}", run.errors);
    let shorter: String = file.split_inclusive('\n').take(60).collect();
    let shorter = shop.file("recall.csv", &shorter);
    let (missing, _) = shop.json(&["batch", "plan", &shorter], 5);
    assert_eq!(missing["missing"], 1);
    assert_eq!(shop.exported(), before);
    assert_eq!(shop.refunds(), [Value::Null; 0]);
    shop.end();
}

#[test]
fn nothing_is_sent_while_rows_are_bad_unless_they_are_left_out() {
    let shop = Shop::start(3, &[]);
    let good = std::fs::read_to_string(shop.rows()).unwrap();
    let payment = good.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let bad = format!(
        "{good}{payment},900.00,USD,100.00,3.20,too-much\n\
         {payment},1.001,USD,100.00,3.20,decimals\n\
         {payment},-1.00,USD,100.00,3.20,sign\n\
         S01-0000000-0000000-C000000,1.00,USD,,,nobody\n"
    );
    let file = shop.file("bad.csv", &bad);
    for call in [&["batch", "plan", &file][..], &["batch", "plan", &file, "--dry-run"]] {
        let (plan, errors) = shop.json(call, 6);
        assert_eq!((&plan["bad"], &plan["sealing"]), (&4.into(), &"bad-rows".into()));
        for line in [5, 6, 7, 8] {
            assert!(errors.contains(&format!("bad row: line {line}")), "{line}: {errors}");
        }
        assert!(errors.contains("error: 4 of 7 rows are bad, and nothing can be sent"), "{errors}");
        assert!(errors.contains("--skip-invalid"), "{errors}");
    }
    let run = shop.call(&["batch", "run", &file]);
    assert_eq!((run.code, &*run.out), (6, ""), "{}", run.errors);
    let told: Vec<_> =
        run.events().iter().map(|it| it["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["started", "bad-row", "bad-row", "bad-row", "bad-row", "planned"]);
    assert_eq!(shop.refunds(), [Value::Null; 0]);

    // What was not planned to its end cannot be run by another way.
    let error = shop.refused(&["batch", "resume", "bad"], 2);
    assert!(error.contains("the batch `bad` was not planned to its end"), "{error}");
    let (status, _) = shop.json(&["batch", "status", "bad"], 0);
    assert_eq!(status[0]["is_sealed"], false);

    let (ran, _) = shop.json(&["batch", "run", &file, "--skip-invalid"], 0);
    assert_eq!(ran["lines"][0]["refunded"], 3);
    assert_eq!(shop.refunds().len(), 3);
    shop.end();
}

#[test]
fn what_cannot_be_planned_is_a_wrong_call_with_a_hint() {
    let shop = Shop::start(1, &[]);
    let error = shop.refused(&["batch", "plan", "/nowhere.csv"], 2);
    assert!(error.contains("/nowhere.csv cannot be read") && error.contains("No such file"));
    shop.refused(&["batch", "run", "/nowhere.csv"], 2);
    shop.refused(&["batch", "plan", "/"], 2);
    assert!(!shop.ledger.exists(), "and no ledger was made");

    let file = shop.file("columns.csv", "payment,amuont,currency\nS01-1,1.00,USD\n");
    for call in
        [&["batch", "plan", &file, "--service", "amazon-pay"][..], &["batch", "plan", &file]]
    {
        let error = shop.refused(call, 2);
        assert!(error.contains("amuont") || error.contains("tells which service"), "{error}");
        assert!(error.contains("hint: "), "{error}");
    }
    let empty = shop.file("empty.csv", HEADER);
    let called = shop.call(&["batch", "plan", &empty, "--service", "amazon-pay"]);
    assert_eq!(called.code, 2, "{}", called.errors);
    assert!(called.errors.contains("there is no row to refund"), "{}", called.errors);

    let letter = shop.file("letter.db", &"Dear aunt, ".repeat(500));
    for call in [
        &["batch", "plan", shop.rows(), "--ledger", &letter][..],
        &["batch", "plan", shop.rows(), "--ledger", &letter, "--dry-run"],
        &["batch", "run", shop.rows(), "--ledger", &letter],
        &["batch", "status", "--ledger", &letter],
    ] {
        let error = shop.refused(call, 2);
        assert!(error.contains("cannot be used\n") && error.contains("hint: "), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&letter).unwrap(), "Dear aunt, ".repeat(500));
    for call in [
        &["batch", "status", "--ledger", "typo.db"][..],
        &["batch", "report", "recall", "--ledger", "typo.db"],
        &["batch", "resume", "recall", "--ledger", "typo.db"],
        &["batch", "reconcile", "recall", "--ledger", "typo.db"],
        &["ledger", "verify", "--ledger", "typo.db"],
        &["ledger", "export", "--ledger", "typo.db"],
        &["ledger", "find", "--ledger", "typo.db"],
        &["ledger", "resolve", "1", "--again", "--ledger", "typo.db"],
    ] {
        let error = shop.refused(call, 2);
        assert!(error.contains("error: there is no ledger typo.db\nhint: "), "{call:?}: {error}");
    }
    assert!(!shop.folder.path().join("typo.db").exists(), "only a plan makes a ledger");
    for call in [
        &["batch", "run", shop.rows(), "--stop-above", "10"][..],
        &["batch", "run", shop.rows(), "--concurrency", "0"],
        &["batch", "run", shop.rows(), "--stop-after-declines", "0"],
    ] {
        shop.refused(call, 2);
    }
    assert!(!shop.ledger.exists() || shop.call(&["batch", "resume", "recall"]).code == 2);
    shop.end();
}

#[test]
fn rows_may_be_json_and_of_fps_and_payments_can_be_looked_up() {
    let shop = Shop::start(1, &[]);
    let (charge, transaction) = (shop.world.charge(), shop.world.transaction());
    let row = json!({"payment": charge, "amount": "2.00", "currency": "USD", "captured": "100.00"});
    let file = shop.file("lines.ndjson", &format!("{row}\n"));
    let (ran, _) = shop.json(&["batch", "run", &file], 0);
    assert_eq!(ran["lines"][0]["refunded_amount"], "2.00 USD");

    let row = format!("payment,amount,currency\n{transaction},3.00,USD\n");
    let file = shop.file("fps.csv", &row);
    let called = shop.call(&["batch", "plan", &file]);
    assert_eq!(called.code, 6, "{}", called.errors);
    assert!(called.errors.contains("let payments be looked up"), "{}", called.errors);
    let (planned, _) = shop.json(&["batch", "plan", &file, "--look-up", "--dry-run"], 0);
    assert_eq!((&planned["looked_up"], &planned["prepared"]), (&1.into(), &1.into()));
    let (ran, _) = shop.json(&["batch", "run", &file, "--look-up"], 0);
    assert_eq!(ran["lines"][0]["refunded_amount"], "3.00 USD");
    let made = shop.refunds();
    let services: Vec<_> = made.iter().map(|it| it["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["amazon-pay", "flexible-payments"]);
    // The batch tells the service, and what was looked up is known.
    shop.json(&["batch", "resume", "fps"], 0);
    shop.end();
}

#[test]
fn what_is_rehearsed_is_what_happens() {
    let shop = Shop::start(40, &[]);
    let known = std::fs::read_to_string(shop.rows()).unwrap();
    let payments: Vec<_> = known.lines().skip(1).map(|it| it.split(',').next().unwrap()).collect();
    // Any row may be right, too much, malformed, doubled, or of a payment that is used up by others.
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut rows = HEADER.to_owned();
    for row in 0..400 {
        let payment = payments[usize::try_from(next(40)).unwrap()];
        let amount = match next(8) {
            0 => "rest".to_owned(),
            1 => format!("{}.001", next(9)),
            2 => format!("{}.00", 100 + next(80)),
            _ => format!("{}.{:02}", next(40), next(100)),
        };
        let captured = if next(9) == 0 { "90.00" } else { "100.00" };
        writeln!(rows, "{payment},{amount},USD,{captured},r-{}", next(380) + row / 50).unwrap();
    }
    let others = rows.replace(",r-", ",s-");
    for (name, rows) in [("first", &rows), ("second", &others)] {
        let file = shop.file(&format!("{name}.csv"), rows);
        let call = |more: &[&str], code: i32| {
            let mut plan = shop.json(&[&["batch", "plan", &file], more].concat(), code).0;
            for field in ["sealing", "is_rehearsal"] {
                plan.as_object_mut().unwrap().remove(field);
            }
            plan
        };
        let rehearsed = call(&["--dry-run"], 6);
        assert_eq!(rehearsed, call(&[], 6), "{name}");
        let count = |field: &str| rehearsed[field].as_u64().unwrap();
        // The first batch leaves little to the second.
        let enough = if name == "first" { 50 } else { 1 };
        assert!(count("bad") > 100 && count("prepared") >= enough, "{rehearsed}");
        // Once more, with an open batch of this name in the ledger.
        let rehearsed = call(&["--dry-run", "--skip-invalid"], 0);
        let planned = call(&["--skip-invalid"], 0);
        for field in ["rows", "bad", "totals"] {
            assert_eq!(rehearsed[field], planned[field], "{name} {field}");
        }
        // What is left of a payment is less now than when its first rows were planned.
        let lines = |plan: &Value| -> Vec<Value> {
            let rows = plan["bad_rows"].as_array().unwrap();
            rows.iter().map(|row| row["line"].clone()).collect()
        };
        assert_eq!(lines(&rehearsed), lines(&planned), "{name}");
    }
    shop.end();
}

#[test]
fn what_another_batch_refunds_is_not_planned_again() {
    let shop = Shop::start(3, &[]);
    let rows = std::fs::read_to_string(shop.rows()).unwrap();
    let first = shop.file("first.csv", &rows);
    shop.json(&["batch", "plan", &first], 0);
    // The same bytes under another name.
    let copy = shop.file("copy.csv", &rows);
    let refused = shop.refused(&["batch", "plan", &copy], 5);
    assert!(refused.contains("the batch `first` was planned from the same file"), "{refused}");
    // Other bytes, the same references.
    let more = shop.file("more.csv", &format!("{rows}\n"));
    for rehearsal in [&[][..], &["--dry-run"]] {
        let (plan, _) = shop.json(&[&["batch", "plan", &more], rehearsal].concat(), 6);
        assert_eq!(plan["bad_rows"][0]["rule"], "repeats", "{plan}");
        assert_eq!(plan["prepared"], 0);
    }
    // What was never sent can be taken back, and is free to be planned again.
    let (status, _) = shop.json(&["batch", "cancel", "first"], 0);
    assert_eq!(status[0]["refunds"], 0, "{status}");
    shop.json(&["batch", "plan", &more], 0);
    shop.json(&["ledger", "verify"], 0);
    shop.end();
}

#[test]
fn what_the_service_would_not_take_is_a_bad_row() {
    let shop = Shop::start(1, &[]);
    let charge = "S01-0000000-0000001-C000001";
    let transaction = "16QHCODNPDBH8FCPH1D2OM00SQKPK41WHRU";
    let seventeen = "ABCDEFGHIJKLMNOPQ";
    for (payment, column, text, rule) in [
        (charge, "soft_descriptor", seventeen, "too-long"),
        (charge, "note", "sorry", "not-taken"),
        (transaction, "soft_descriptor", "SHOP", "not-taken"),
        (transaction, "note", &"x".repeat(161), "too-long"),
    ] {
        let row = format!("{payment},1.00,USD,10.00,{text}");
        let file = format!("payment,amount,currency,captured,{column}\n{row}\n");
        let file = shop.file("refused.csv", &file);
        let (plan, errors) = shop.json(&["batch", "plan", &file, "--dry-run"], 6);
        assert_eq!(plan["bad_rows"][0]["rule"], rule, "{plan}");
        assert_eq!(plan["bad_rows"][0]["column"], column);
        assert!(!errors.contains(text), "what a row says is not repeated: {errors}");
    }
    shop.end();
}

//! `fps ledger`: what waits for a human, what a human decides, and what is damaged.

use serde_json::Value;

use crate::shop::Shop;

/// A batch whose first key was used before for something else: one refund waits for a human.
fn parked() -> (Shop, Value) {
    let shop = Shop::start(4, &[]);
    shop.json(&["batch", "plan", shop.rows()], 0);
    let (listed, _) = shop.json(&["batch", "report", "recall"], 0);
    let (payment, key) =
        (listed[0]["payment"].as_str().unwrap(), listed[0]["key"].as_str().unwrap());
    shop.world.json(&["refund", payment, "7.77", "--key", key, "--wait"]);
    let (ran, errors) = shop.json(&["batch", "resume", "recall", "--follow-after", "20"], 7);
    assert_eq!((&ran["ended"], &ran["lines"][0]["refunded"]), (&"done".into(), &3.into()));
    assert_eq!(ran["lines"][0]["waiting_for_human"], 1);
    assert!(errors.contains("\"event\":\"waits-for-human\""), "{errors}");
    assert!(errors.contains("do not refund them otherwise before"), "{errors}");
    let (waiting, _) = shop.json(&["ledger", "find", "--parked"], 0);
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    let waiting = waiting[0].clone();
    assert!(
        waiting["waits_for_human"].as_str().unwrap().contains("used before for something else")
    );
    (shop, waiting)
}

#[test]
fn somebody_finds_out_that_it_was_never_made() {
    let (shop, waiting) = parked();
    let number = waiting["number"].to_string();
    let (resolved, _) = shop.json(&["ledger", "resolve", &number, "--never-made"], 0);
    assert_eq!(resolved[0]["state"], "declined");
    assert_eq!(resolved[0]["waits_for_human"], Value::Null, "{resolved}");
    let (ended, errors) = shop.json(&["batch", "resume", "recall"], 3);
    assert_eq!((&ended["ended"], &ended["lines"][0]["declined"]), (&"done".into(), &1.into()));
    assert!(errors.contains("1 refunds were declined"), "{errors}");
    let error = shop.refused(&["ledger", "resolve", &number, "--again"], 6);
    assert!(error.contains("what ended stays"), "{error}");
    shop.json(&["ledger", "verify"], 0);
    // The refund by hand, and three of the batch.
    assert_eq!(shop.refunds().len(), 4);
    shop.end();
}

#[test]
fn somebody_lets_it_be_tried_again_or_finds_the_refund() {
    let (shop, waiting) = parked();
    let number = waiting["number"].to_string();
    let (again, _) = shop.json(&["ledger", "resolve", &number, "--again"], 0);
    assert_eq!(again[0]["waits_for_human"], Value::Null, "{again}");
    // It waits for the run now, which must not be told otherwise behind its back.
    let error = shop.refused(&["ledger", "resolve", &number, "--never-made"], 6);
    assert!(error.contains("does not wait for a human"), "{error}");
    shop.json(&["batch", "resume", "recall"], 7);

    let by_hand = shop.refunds();
    let payment = &waiting["payment"];
    let made = by_hand.iter().find(|it| it["payment"] == *payment).unwrap();
    let (resolved, _) =
        shop.json(&["ledger", "resolve", &number, "--made", made["id"].as_str().unwrap()], 0);
    assert_eq!((&resolved[0]["state"], &resolved[0]["refund"]), (&"accepted".into(), &made["id"]));
    // It is of another amount than was asked for, so that a human is asked again.
    let (_, errors) = shop.json(&["batch", "resume", "recall", "--follow-after", "1"], 7);
    assert!(errors.contains("7.77 USD"), "{errors}");
    assert_eq!(shop.refunds().len(), 4);

    for (call, code) in [
        (&["ledger", "resolve", "999", "--again"][..], 2),
        (&["ledger", "resolve", "0", "--again"], 2),
        (&["ledger", "resolve", &number], 2),
        (&["ledger", "resolve", &number, "--again", "--never-made"], 2),
        (&["ledger", "resolve", "1x", "--again"], 2),
    ] {
        shop.refused(call, code);
    }
    shop.end();
}

/// What would keep even a hand from changing what happened.
fn triggers(ledger: &rusqlite::Connection) -> Vec<String> {
    let mut names =
        ledger.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").unwrap();
    names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_was_changed_by_hand_is_found_and_named() {
    let shop = Shop::start(5, &[]);
    shop.json(&["batch", "run", shop.rows()], 0);
    let (whole, _) = shop.json(&["ledger", "verify"], 0);
    assert_eq!((&whole["payments"], &whole["intents"]), (&5.into(), &5.into()));
    let exported = shop.exported();
    let lines: Vec<Value> = exported.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(whole["events"], lines.len());
    for damage in [
        "UPDATE event SET at = at + 1 WHERE payment = 2 AND seq = 2",
        "UPDATE event SET data = replace(data, '1', '2') WHERE payment = 3 AND seq = 2",
        "UPDATE intent SET amount = amount + 1 WHERE id = 2",
        "UPDATE payment SET refunded = refunded + 1 WHERE id = 3",
        "DELETE FROM event WHERE payment = 4 AND seq = (SELECT max(seq) FROM event WHERE payment = 4)",
    ] {
        let kept = std::fs::read(&shop.ledger).unwrap();
        let by_hand = rusqlite::Connection::open(&shop.ledger).unwrap();
        for trigger in triggers(&by_hand) {
            by_hand.execute_batch(&format!("DROP TRIGGER \"{trigger}\"")).unwrap();
        }
        assert_eq!(by_hand.execute(damage, []).unwrap(), 1, "{damage}");
        by_hand.close().unwrap();
        let error = shop.refused(&["ledger", "verify", "--output", "json"], 9);
        assert!(error.starts_with("error: the ledger is not what was written\n"), "{error}");
        assert!(error.contains("caused by: ") && error.contains("hint: "), "{damage}: {error}");
        let place = error.lines().nth(1).unwrap();
        assert!(place.contains("payment") || place.contains("intent"), "{damage}: {error}");
        for name in crate::names(shop.folder.path()) {
            if name.starts_with("refunds.db-") {
                std::fs::remove_file(shop.folder.path().join(name)).unwrap();
            }
        }
        std::fs::write(&shop.ledger, kept).unwrap();
        shop.json(&["ledger", "verify"], 0);
    }
    shop.end();
}

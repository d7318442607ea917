//! Whatever is changed behind the ledger's back is found, and told by its row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use refund_ledger::{
    Error, ErrorKind, KeyLife, Ledger, NewBatch, NewIntent, NewPayment, Outcome, Pace, Prepared,
    Report, Wanted,
};
use refund_rules::{Currency, Money, Observation, Payment, Policy, Scope};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::contract::{Chance, NOW, completed, money};

const PAYMENTS: u64 = 12;

/// A ledger with something in every column, closed and in one file.
async fn filled(path: &Path) {
    let ledger = Ledger::open(path).await.unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    let payment = |number: u64| {
        let payment = completed(money(10_000)).with_fee(money(290)).unwrap();
        let name = format!("P{number}");
        let payment = match number % 3 {
            0 => marketplace(&name, payment),
            _ => NewPayment::new("pay", name, payment, &policy).unwrap(),
        };
        payment.caller_reference(format!("order {number}")).token("T").completed_at(NOW)
    };
    ledger.import((0..PAYMENTS).map(payment).collect(), NOW).await.unwrap();
    for batch in ["a", "b"] {
        let batch = NewBatch::new(batch, "pay", "here", "file").unwrap();
        ledger.open_batch(batch, NOW).await.unwrap();
    }
    let wishes = (0..PAYMENTS * 3).map(wish).collect();
    let prepared = ledger.prepare(wishes, NOW).await.unwrap();
    let rows = PAYMENTS * 3 / 4;
    ledger.seal_batch("a", "file", (rows, 2), NOW).await.unwrap();
    let claimed = ledger.claim(Wanted::new("w", 100, 1_000).batch("a"), NOW).await.unwrap();
    for (number, claim) in claimed.iter().map(|claimed| &claimed.claim).enumerate() {
        let attempt = ledger.sending(claim, NOW.plus(1), 0).await.unwrap();
        let reason = Some("why".to_owned());
        let outcome = match number % 5 {
            0 => continue,
            1 => Outcome::Unknown,
            2 => Outcome::declined("no"),
            3 => Outcome::accepted(format!("R{number}"), None),
            _ => {
                let (refund, state) = (format!("R{number}"), Some(Observation::Refunded));
                Outcome::Accepted { refund, state, reason }
            }
        };
        let report = Report::of_try(&attempt, outcome, NOW.plus(2)).request("Q");
        ledger.record_one(report).await.unwrap();
        if number == 3 {
            let second = Report::of_refund(claim.intent, Outcome::accepted("X", None), NOW.plus(3));
            ledger.record_one(second).await.unwrap();
        }
    }
    let Prepared::New { id, .. } = prepared[0] else { panic!("{prepared:?}") };
    ledger.park(id, "look", NOW).await.unwrap();
    ledger.turns(&Pace::new("live", 1, 1), 1, NOW).await.unwrap();
    ledger.verify().await.unwrap();
    ledger.close().await;
    assert!(!beside(path, "-wal").exists(), "the last to close moves all of it into the file");
}

fn marketplace(name: &str, payment: Payment) -> NewPayment {
    let payment = payment.with_marketplace_fee(money(700)).unwrap();
    let payment = payment.with_marketplace_fee_held(money(0)).unwrap();
    let granted = refund_rules::Grants::NONE.with(refund_rules::Grant::REFUND);
    let asker = refund_rules::Asker::CALLER.with_grants(granted);
    NewPayment::for_asker("pay", name, payment, &Policy::flexible_payments(), asker).unwrap()
}

fn wish(number: u64) -> NewIntent {
    let (payment, key) = (format!("P{}", number % PAYMENTS), format!("K{number}"));
    let amount = Money::from_minor(1_000 + number.cast_signed(), Currency::USD);
    let wish = NewIntent::amount("pay", payment, key, amount).unwrap();
    let wish = match number % 3 {
        0 => wish.scope(Scope::PaymentAndMarketplaceFee).key_life(KeyLife::Until(NOW.plus(9_999))),
        1 => wish.key_life(KeyLife::FromFirstTry(77_777)),
        _ => wish,
    };
    let wish = wish.reference(format!("row {number}")).details("{}");
    match number % 4 {
        0 => wish,
        1 => wish.row_of("a", number, "hash").unwrap(),
        _ => wish.row_of("b", number, "hash").unwrap(),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Without what would stop the hand that changes it.
fn unguarded(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;
             DROP TRIGGER event_stays; DROP TRIGGER event_remains;",
        )
        .unwrap();
    connection
}

async fn verify(path: &Path) -> Result<(), Error> {
    let ledger = Ledger::open_to_read(path).await?;
    let verified = ledger.verify().await.map(drop);
    ledger.close().await;
    verified
}

/// Where the damage was found.
async fn place(path: &Path) -> Option<String> {
    match verify(path).await.map_err(|error| error.kind().clone()) {
        Ok(()) => None,
        Err(ErrorKind::Damaged(damage)) => Some(damage.place),
        Err(other) => panic!("{other:?}"),
    }
}

/// The tables and their columns, but for the numbers of rows that nothing is told by: they say in which
/// order rows were written, and the chain says that better.
fn columns(connection: &Connection) -> Vec<(String, String)> {
    let mut statement = connection
        .prepare(
            "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' ORDER BY 1, c.cid",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let all = rows.map(Result::unwrap);
    all.filter(|(table, column): &(String, String)| {
        !matches!(
            (table.as_str(), column.as_str()),
            ("event" | "intent", "id") | ("intent", "worker" | "fence" | "due_at") | ("pace", _)
        )
    })
    .collect()
}

/// One bit of a number, one byte of a text or of a hash; of nothing, something.
fn changed(value: &Value, column: &str, chance: &mut Chance) -> Value {
    match value {
        Value::Null if matches!(column, "seal" | "mark") => Value::Blob(vec![0; 32]),
        Value::Null => match column {
            "key_until" | "key_window" | "refunds_max" | "completed_at" | "line" | "intent"
            | "sent_at" | "key_expires_at" | "due_at" | "sealed_at" | "row_count" | "skipped" => {
                Value::Integer(0)
            }
            _ => Value::Text("x".to_owned()),
        },
        Value::Integer(number) => Value::Integer(number ^ (1 << chance.below(40))),
        Value::Text(text) => {
            let mut bytes = text.clone().into_bytes();
            match usize::try_from(chance.below(bytes.len() as u64 + 1)).unwrap() {
                at if at < bytes.len() => {
                    bytes[at] = if bytes[at] == b'~' { b'}' } else { bytes[at] + 1 }
                }
                _ => bytes.push(b' '),
            }
            Value::Text(String::from_utf8(bytes).unwrap())
        }
        Value::Blob(bytes) => {
            let mut bytes = bytes.clone();
            let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap();
            bytes[at] ^= 1 << chance.below(8);
            Value::Blob(bytes)
        }
        Value::Real(_) => unreachable!("there is none"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_of_any_cell_is_found_and_its_row_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    filled(&path).await;
    let connection = unguarded(&path);
    let mut chance = Chance::new(3);
    let mut tries = 0;
    for (table, column) in columns(&connection) {
        let rows: Vec<i64> = connection
            .prepare(&format!("SELECT rowid FROM {table}"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(!rows.is_empty(), "{table}");
        for _ in 0..18 {
            let row = *chance.of(&rows);
            let select = format!("SELECT {column} FROM {table} WHERE rowid = {row}");
            let value: Value = connection.query_row(&select, [], |row| row.get(0)).unwrap();
            let other = changed(&value, &column, &mut chance);
            let update = format!("UPDATE {table} SET {column} = ?1 WHERE rowid = {row}");
            let Ok(1) = connection.execute(&update, [&other]) else {
                // It would be a second of its name, which no file can hold.
                continue;
            };
            tries += 1;
            let what = format!("{table}.{column} of {row}: {value:?} became {other:?}");
            let found = place(&path).await.unwrap_or_else(|| panic!("{what} was not found"));
            assert!(names_row(&found, &table), "{what} was found at {found}");
            let back = if column == "id" {
                let back = format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2");
                connection.execute(&back, params![value, other]).unwrap()
            } else {
                connection.execute(&update, [&value]).unwrap()
            };
            assert_eq!(back, 1);
        }
    }
    assert!(tries > 900, "{tries}");
    assert_eq!(place(&path).await, None, "all was put back");
}

/// Does the place say of which row it is?
fn names_row(place: &str, table: &str) -> bool {
    let starts = match table {
        "chain" => &["the chain", "payment"][..],
        "batch" => &["batch"],
        "pace" => &["pace"],
        _ => &["payment", "batch", "intent", "event"],
    };
    let is_numbered = place.starts_with("the chain") || place.contains(' ');
    is_numbered && starts.iter().any(|start| place.starts_with(start))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_gone_doubled_or_swapped_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    filled(&path).await;
    let original = fs::read(&path).unwrap();
    let payment = "INSERT INTO payment SELECT id + 100, provider, name || 'x', caller_reference, \
        currency, captured, cap, refunds_max, completed_at, imported_at, facts, refunded, pending, \
        unknown, refunds, fee_returned, marketplace_held, intents, events, seal FROM payment \
        WHERE id = 2";
    let mut changes = vec![
        "DELETE FROM chain".to_owned(),
        "DELETE FROM batch WHERE name = 'a'".to_owned(),
        "DELETE FROM batch WHERE name = 'b'".to_owned(),
        "UPDATE batch SET name = 'c' WHERE name = 'a'".to_owned(),
        "UPDATE intent SET batch = 'b', line = line + 1000 WHERE batch = 'a'".to_owned(),
        payment.to_owned(),
        payment.replace("id + 100", "-1"),
        payment.replace("id + 100", &format!("{}", PAYMENTS + 1)),
        "DELETE FROM event".to_owned(),
        "DELETE FROM intent".to_owned(),
        "DELETE FROM payment".to_owned(),
        "UPDATE event SET payment = payment + 100; UPDATE event SET payment = 113 - payment"
            .to_owned(),
        // The last import, and everything of it.
        format!(
            "DELETE FROM event WHERE payment = {PAYMENTS}; DELETE FROM intent WHERE payment = \
             {PAYMENTS}; DELETE FROM payment WHERE id = {PAYMENTS}"
        ),
    ];
    for id in [1, 2, 5, PAYMENTS] {
        for table in ["event", "intent", "payment"] {
            let column = if table == "payment" { "id" } else { "payment" };
            changes.push(format!("DELETE FROM {table} WHERE {column} = {id}"));
        }
        // The last, the first and one in between.
        let of = format!("FROM event WHERE payment = {id}");
        for at in ["max(seq)", "min(seq)", "min(seq) + 1"] {
            let one = format!("payment = {id} AND seq = (SELECT {at} {of})");
            changes.push(format!("DELETE FROM event WHERE {one}"));
        }
        changes.push(format!(
            "INSERT INTO event (payment, seq, intent, at, data, seal) SELECT payment, seq + 1, intent, \
             at, data, seal {of} AND seq = (SELECT max(seq) {of})"
        ));
        changes.push(format!(
            "UPDATE event SET seq = -seq WHERE payment = {id} AND seq IN (2, 3); \
             UPDATE event SET seq = 5 + seq WHERE payment = {id} AND seq < 0"
        ));
        changes.push(format!(
            "UPDATE intent SET payment = {} WHERE payment = {id} AND ordinal = 1;",
            PAYMENTS + 7
        ));
        changes.push(format!(
            "INSERT INTO intent SELECT id + 1000, payment, ordinal + 9, provider, key || 'x', \
             key_until, key_window, amount, is_rest, scope, fee, marketplace_fee, NULL, line, content, \
             reference, details, prepared_at, state, attempts, lost, sent_at, key_expires_at, changed_at, \
             refund, reason, request, parked, alarm, worker, fence, due_at FROM intent \
             WHERE payment = {id} AND ordinal = 1"
        ));
    }
    for change in changes {
        fs::write(&path, &original).unwrap();
        let connection = unguarded(&path);
        connection.execute_batch(&change).unwrap_or_else(|error| panic!("{change}: {error}"));
        assert!(connection.total_changes() > 0, "{change}");
        drop(connection);
        assert!(place(&path).await.is_some(), "not found: {change}");
    }
}

const WITHOUT_LEASE: &str = "id, payment, ordinal, provider, key, key_until, key_window, amount, \
    is_rest, scope, fee, marketplace_fee, batch, line, content, reference, details, prepared_at, state, \
    attempts, lost, sent_at, key_expires_at, changed_at, refund, reason, request, parked, alarm";

/// Every value of every row of ours, or what stops whoever reads them.
fn dump(path: &Path) -> Result<BTreeMap<String, Vec<Vec<Value>>>, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut tables = BTreeMap::new();
    for table in ["batch", "chain", "event", "intent", "payment"] {
        let columns = match table {
            // Who has it, and when somebody must look at it, is no part of what happened.
            "intent" => WITHOUT_LEASE,
            _ => "*",
        };
        let select = format!("SELECT {columns} FROM {table} NOT INDEXED");
        let mut statement = connection.prepare(&select)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter([0; 0]), |row| {
            (0..columns).map(|column| row.get(column)).collect()
        })?;
        tables.insert(table.to_owned(), rows.collect::<Result<_, _>>()?);
    }
    Ok(tables)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_the_file_is_found_if_it_changes_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    filled(&path).await;
    let original = fs::read(&path).unwrap();
    let before = dump(&path).unwrap();
    let mut chance = Chance::new(5);
    let mut mattered = 0;
    for _ in 0..400 {
        let at = usize::try_from(chance.below(original.len() as u64)).unwrap();
        let mut bytes = original.clone();
        bytes[at] ^= 1 << chance.below(8);
        fs::write(&path, &bytes).unwrap();
        let is_changed = dump(&path).ok().as_ref() != Some(&before);
        mattered += u32::from(is_changed);
        // A file that cannot be opened is found, too.
        let is_found = verify(&path).await.is_err();
        assert!(is_found || !is_changed, "byte {at} of {} was not found", original.len());
    }
    assert!(mattered > 100, "{mattered}");
}

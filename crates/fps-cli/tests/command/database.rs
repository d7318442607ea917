//! What the command does to the file that `--db` names: its own, somebody else's, one that is in use
//! and one that is damaged.

use std::fs;

use rusqlite::Connection;

use crate::{command, exit, fps, names, refused, text};

#[test]
fn a_database_of_somebody_else_is_refused_untouched() {
    let letter = "CREATE TABLE letter (text TEXT); INSERT INTO letter VALUES ('Dear aunt');";
    let empty = "PRAGMA application_id = 7; PRAGMA user_version = 999;";
    for (journal, content) in [("DELETE", letter), ("WAL", letter), ("DELETE", empty)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs.db");
        let theirs = Connection::open(&path).unwrap();
        theirs.execute_batch(&format!("PRAGMA journal_mode = {journal}; {content}")).unwrap();
        // As a process that was killed leaves it: what is in the log is not in the file.
        let left = tempfile::tempdir().unwrap();
        for name in names(folder.path()) {
            fs::copy(folder.path().join(&name), left.path().join(&name)).unwrap();
        }
        drop(theirs);
        for (folder, path) in [(&folder, path), (&left, left.path().join("theirs.db"))] {
            let content = || -> Vec<(String, Vec<u8>)> {
                let names = names(folder.path()).into_iter();
                names
                    .map(|name| (name.clone(), fs::read(folder.path().join(name)).unwrap()))
                    .collect()
            };
            let before = content();
            let error = refused(&["demo", "--db", path.to_str().unwrap()], 2);
            assert!(error.contains("is left as it is") && error.contains("hint: "), "{error}");
            assert!(content() == before, "{journal}");
        }
    }
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    let path = path.to_str().unwrap();
    // The mark of a sandbox, and a version that nobody has written yet.
    let mark = "CREATE TABLE merchant (id INTEGER); PRAGMA application_id = 0x46505342;";
    let newer = Connection::open(path).unwrap();
    newer.execute_batch(&format!("{mark} PRAGMA user_version = 999;")).unwrap();
    drop(newer);
    let error = refused(&["demo", "--db", path], 2);
    assert!(error.contains("a newer version of the sandbox"), "{error}");
}

/// The service takes a dollar less of fee than the merchant believes. The books balance all the same.
const CHEAP: &str = "CREATE TRIGGER cheap AFTER INSERT ON payment
     WHEN NEW.service = 'amazon-pay'
     BEGIN
         UPDATE payment SET fee = fee - 100 WHERE id = NEW.id;
     END;";
/// A cent from nowhere.
const UNBALANCED: &str = "UPDATE entry SET amount = amount + 1 WHERE movement = 1 AND amount > 0;";

#[test]
fn books_that_differ_from_the_client_or_do_not_balance_have_an_exit_code_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.db");
    let demo = ["demo", "--db", path.to_str().unwrap()];
    let by_hand = |statements| Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    assert_eq!(exit(&fps(&demo)), 0);

    by_hand(CHEAP);
    let output = fps(&demo);
    let errors = text(&output.stderr);
    assert_eq!(exit(&output), 9, "{errors}");
    assert!(
        errors.ends_with("error: the client and the books of the sandbox differ\n"),
        "{errors}"
    );
    let table = text(&output.stdout);
    assert!(table.contains("63.30 USD    42.20 USD"), "{table}");
    assert_eq!(table.matches("DIFFER").count(), 1, "{table}");

    #[cfg(target_os = "linux")]
    {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command(folder.path(), &demo).stdout(full).output().unwrap();
        assert_eq!(exit(&output), 9, "what cannot be printed is the lesser evil");
    }

    by_hand(UNBALANCED);
    assert!(refused(&demo, 9).contains("do not balance"));
}

#[cfg(unix)]
#[test]
fn of_two_commands_on_one_database_the_second_is_refused_and_the_first_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.db");
    let path = path.to_str().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let mut first =
        crate::ending::Running::start(command(temporary.path(), &["demo", "--db", path]));
    first.read_until("the sandbox serves both services");
    // It holds the file and gets no further until the second has been refused.
    first.signal("STOP");
    let error = refused(&["demo", "--db", path], 2);
    first.signal("CONT");
    assert!(error.starts_with(&format!("error: the database {path} cannot be used now\n")));
    assert!(error.contains("another process has the database open"), "{error}");
    assert!(error.contains("hint: wait for the other command"), "{error}");
    let (code, _, errors) = first.end();
    assert_eq!(code, 0, "{errors}");
    assert_eq!(names(folder.path()), ["shared.db"]);
}

//! Files that are not there, not ours, or somebody else's at this moment.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use refund_ledger::{ErrorKind, Filter, Ledger, NewBatch, Outcome, Prepared, Report, Wanted};
use refund_rules::RefundState;
use rusqlite::Connection;

use crate::contract::{NOW, claim_one, payment, prepare_one, sealed_batch, wish};

async fn open_error(path: &Path) -> ErrorKind {
    Ledger::open(path).await.unwrap_err().kind().clone()
}

async fn read_error(path: &Path) -> ErrorKind {
    Ledger::open_to_read(path).await.unwrap_err().kind().clone()
}

/// All files of a folder and what is in them.
fn contents(folder: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<_> =
        files.map(|file| (file.file_name(), fs::read(file.path()).unwrap())).collect();
    files.sort();
    files
}

#[tokio::test]
async fn what_is_not_a_ledger_is_refused_and_left_alone() {
    type Make = fn(&Path);
    let table: [(Make, ErrorKind); 6] = [
        (|path| sql_of(path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)"), ErrorKind::Foreign),
        (|path| sql_of(path, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)"), ErrorKind::Foreign),
        (
            |path| sql_of(path, "PRAGMA application_id = 7; CREATE TABLE payment (x)"),
            ErrorKind::Foreign,
        ),
        (
            |path| {
                let ours = "PRAGMA application_id = 0x5245464C; PRAGMA user_version = 9999";
                sql_of(path, &format!("{ours}; CREATE TABLE t (x)"));
            },
            ErrorKind::Newer,
        ),
        (|path| fs::write(path, "a note, and no database").unwrap(), ErrorKind::Open),
        (|path| fs::write(path, vec![b'x'; 9_000]).unwrap(), ErrorKind::Open),
    ];
    for (number, (make, kind)) in table.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.db");
        make(&path);
        let before = contents(folder.path());
        assert_eq!(open_error(&path).await, kind, "case {number}");
        assert_eq!(read_error(&path).await, kind, "case {number}, to read");
        let mut after = contents(folder.path());
        // Of a file that is no database at all only SQLite can tell, and by then it is locked.
        after.retain(|(name, content)| {
            !(kind == ErrorKind::Open && content.is_empty() && name == "l.db.lock")
        });
        assert_eq!(after, before, "case {number}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_error(&folder.path().join("none.db")).await, ErrorKind::Open);
    assert_eq!(open_error(&folder.path().join("no/folder.db")).await, ErrorKind::Open);
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    assert_eq!(open_error(&inner).await, ErrorKind::Open);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(!folder.path().join("none.db").exists());
}

fn sql_of(path: &Path, text: &str) {
    Connection::open(path).unwrap().execute_batch(text).unwrap();
}

#[tokio::test]
async fn one_writes_and_others_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let ledger = Ledger::open(&path).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "for its owner alone");
    assert_eq!(open_error(&path).await, ErrorKind::InUse);
    // By any name.
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    assert_eq!(open_error(&link).await, ErrorKind::InUse);
    let reader = Ledger::open_to_read(&link).await.unwrap();
    for number in 0..50 {
        let name = format!("P{number}");
        ledger.import(vec![payment(&name)], NOW).await.unwrap();
        prepare_one(&ledger, wish(&name, &format!("K{number}"), 1)).await;
        assert_eq!(reader.intents(Filter::new()).await.unwrap().len(), number + 1);
        assert_eq!(reader.verify().await.unwrap().intents, number as u64 + 1);
    }
    let refused = |error: refund_ledger::Error| assert_eq!(*error.kind(), ErrorKind::ReadOnly);
    refused(reader.import(vec![payment("Q")], NOW).await.unwrap_err());
    refused(reader.claim(Wanted::new("w", 1, 1), NOW).await.unwrap_err());
    let batch = NewBatch::new("b", "pay", "here", "-").unwrap();
    refused(reader.open_batch(batch, NOW).await.unwrap_err());
    ledger.close().await;
    let closed = ledger.import(vec![payment("Q")], NOW).await.unwrap_err();
    assert_eq!(*closed.kind(), ErrorKind::Closed);
    assert_eq!(reader.intents(Filter::new()).await.unwrap().len(), 50, "it still reads");
    reader.close().await;
}

#[tokio::test]
async fn all_is_there_again_and_leases_are_void() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    let ledger = Ledger::open(&path).await.unwrap();
    sealed_batch(&ledger, "b", 3).await;
    ledger.import(vec![payment("P")], NOW).await.unwrap();
    prepare_one(&ledger, wish("P", "K", 1_000)).await;
    let claim = claim_one(&ledger, "w", 1_000_000, NOW).await.unwrap();
    ledger.sending(&claim, NOW, 0).await.unwrap();
    let Prepared::New { id, .. } = prepare_one(&ledger, wish("P", "L", 1_000)).await else {
        panic!()
    };
    let accepted = Report::of_refund(id, Outcome::accepted("R", None), NOW).next_at(NOW.plus(500));
    ledger.record_one(accepted).await.unwrap();
    let before = (ledger.verify().await.unwrap(), ledger.intents(Filter::new()).await.unwrap());
    ledger.close().await;
    assert!(!folder.path().join("l.db-wal").exists(), "one file is all of it");

    let ledger = Ledger::open(&path).await.unwrap();
    let after = (ledger.verify().await.unwrap(), ledger.intents(Filter::new()).await.unwrap());
    assert_eq!(before, after);
    // Whoever had it is dead, and what it sent is unknown; what nobody had is due when it was.
    let claimed = ledger.claim(Wanted::new("v", 9, 1_000), NOW).await.unwrap();
    let states: Vec<_> =
        claimed.iter().map(|one| (one.claim.intent, one.intent.life.state)).collect();
    assert_eq!(states, [(claim.intent, RefundState::Unknown)]);
    let late = ledger.sending(&claim, NOW.plus(1), 0).await.unwrap_err();
    assert_eq!(*late.kind(), ErrorKind::LeaseLost);
    ledger.close().await;
}

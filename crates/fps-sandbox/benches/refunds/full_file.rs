//! A file that holds so many refunds already, written beside the sandbox; its seals are none.

use std::path::Path;

use rusqlite::Connection;

use crate::floor;

pub(crate) fn fill(database: &Path, refunds: usize) {
    let mut connection = Connection::open(database).unwrap();
    let settings =
        "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;";
    connection.execute_batch(settings).unwrap();
    let transaction = connection.transaction().unwrap();
    for number in 0..refunds {
        floor::write(&transaction, number);
    }
    // They ended long ago.
    transaction.execute_batch("UPDATE refund SET state = 'refunded', due_at = NULL").unwrap();
    transaction.commit().unwrap();
}

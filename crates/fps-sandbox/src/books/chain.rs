//! The chain of seals: each movement's seal is a hash of the seal before it, of the movement with its
//! entries, and of what it is about, so that no byte of them can change unnoticed.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};

/// A movement as its seal covers it.
const MOVEMENT: &str = "SELECT id, merchant, service, kind, subject, at FROM movement WHERE id = ?";
const ENTRIES: &str = "SELECT merchant, account, instrument, currency, amount FROM entry
     WHERE movement = ? ORDER BY merchant, account, instrument, currency";
/// What never changes of a payment and of a refund. What does change is compared with the entries.
const PAYMENT: &str = "SELECT id, merchant, recipient, service, operation, method, currency, amount,
         fee_payer, marketplace_fee, reference, description, sender_description, token, recipient_token, instrument,
         parent, created_at
     FROM payment WHERE id = ?";
const REFUND: &str =
    "SELECT id, payment, amount, scope, marketplace_returned, reference, description,
         soft_descriptor, created_at
     FROM refund WHERE id = ?";

/// The statements that reading the books takes.
struct Reader<'a> {
    movement: CachedStatement<'a>,
    entries: CachedStatement<'a>,
    payment: CachedStatement<'a>,
    refund: CachedStatement<'a>,
}

impl<'a> Reader<'a> {
    fn new(connection: &'a Connection) -> Result<Self, Error> {
        Ok(Self {
            movement: connection.prepare_cached(MOVEMENT)?,
            entries: connection.prepare_cached(ENTRIES)?,
            payment: connection.prepare_cached(PAYMENT)?,
            refund: connection.prepare_cached(REFUND)?,
        })
    }

    /// The seal that a movement must have after another.
    fn seal(&mut self, before: &[u8], movement: i64) -> Result<[u8; 32], Error> {
        let mut hash = Sha256::new();
        hash.update(before);
        let (kind, subject): (String, String) = self.movement.query_row([movement], |row| {
            absorb(&mut hash, row)?;
            Ok((row.get(3)?, row.get(4)?))
        })?;
        let mut entries = self.entries.query([movement])?;
        while let Some(row) = entries.next()? {
            absorb(&mut hash, row)?;
        }
        // Once is enough: the chain holds whatever a seal has covered.
        let about = match kind.as_str() {
            "payment" => Some(&mut self.payment),
            "refund-begun" => Some(&mut self.refund),
            _ => None,
        };
        if let Some(statement) = about {
            let found = statement.query_row([subject], |row| absorb(&mut hash, row)).optional()?;
            found.ok_or_else(|| Error::with(ErrorKind::Unbalanced, "a movement of nothing"))?;
        }
        Ok(hash.finalize().into())
    }
}

/// Each value with its type and length, so that no two rows give the same bytes.
fn absorb(hash: &mut Sha256, row: &Row<'_>) -> rusqlite::Result<()> {
    let columns = row.as_ref().column_count();
    hash.update(columns.to_le_bytes());
    for column in 0..columns {
        let (kind, bytes): (u8, &[u8]) = match row.get_ref(column)? {
            ValueRef::Null => (0, &[]),
            ValueRef::Integer(number) => {
                hash.update([1]);
                hash.update(number.to_le_bytes());
                continue;
            }
            ValueRef::Real(_) => (2, &[]),
            ValueRef::Text(text) => (3, text),
            ValueRef::Blob(bytes) => (4, bytes),
        };
        hash.update([kind]);
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    }
    Ok(())
}

/// Seals the newest movement.
pub(super) fn seal(connection: &Connection, movement: i64) -> Result<(), Error> {
    let before: Option<Vec<u8>> = connection
        .prepare_cached("SELECT seal FROM movement WHERE id < ? ORDER BY id DESC LIMIT 1")?
        .query_row([movement], |row| row.get(0))
        .optional()?;
    let seal = Reader::new(connection)?.seal(&before.unwrap_or_default(), movement)?;
    set(connection, movement, &seal)
}

fn set(connection: &Connection, movement: i64, seal: &[u8]) -> Result<(), Error> {
    connection
        .prepare_cached("UPDATE movement SET seal = ? WHERE id = ?")?
        .execute(params![seal, movement])?;
    Ok(())
}

/// Seals everything, in a file from before there were seals.
pub(crate) fn seal_all(connection: &Connection) -> Result<(), Error> {
    let mut before = Vec::new();
    let mut reader = Reader::new(connection)?;
    let mut movements = connection.prepare("SELECT id FROM movement ORDER BY id")?;
    let movements: Vec<i64> =
        movements.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for movement in movements {
        before = reader.seal(&before, movement)?.to_vec();
        set(connection, movement, &before)?;
    }
    Ok(())
}

/// How many movements do not have the seal that follows from them and from all before.
pub(super) fn broken_seals(connection: &Connection) -> Result<i64, Error> {
    let mut reader = Reader::new(connection)?;
    let mut movements = connection.prepare("SELECT id, seal FROM movement ORDER BY id")?;
    let mut rows = movements.query([])?;
    let (mut before, mut broken) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let given: Vec<u8> = row.get(1)?;
        if reader.seal(&before, row.get(0)?)?[..] != given {
            broken += 1;
        }
        before = given;
    }
    Ok(broken)
}

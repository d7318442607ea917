//! The seam between the ledger and its stores: one connection, values and rows. What a statement does
//! is the same on all of them.

use std::future::Future;

use crate::error::Error;
use crate::event::Seal;

/// One value, bound or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&Seal> for Value {
    fn from(value: &Seal) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The columns of a row, taken from the left.
pub(crate) struct Row {
    values: std::vec::IntoIter<Value>,
}

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter() }
    }

    /// Those that are left.
    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values.collect()
    }

    pub(crate) fn int(&mut self) -> Result<i64, Error> {
        self.maybe_int()?.ok_or_else(mistyped)
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, Error> {
        match self.values.next() {
            Some(Value::Int(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(mistyped()),
        }
    }

    pub(crate) fn count(&mut self) -> Result<u32, Error> {
        u32::try_from(self.int()?).map_err(|_| mistyped())
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        self.maybe_text()?.ok_or_else(mistyped)
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, Error> {
        match self.values.next() {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(mistyped()),
        }
    }

    pub(crate) fn seal(&mut self) -> Result<Seal, Error> {
        match self.values.next() {
            Some(Value::Bytes(bytes)) => bytes.try_into().map_err(|_| mistyped()),
            _ => Err(mistyped()),
        }
    }
}

fn mistyped() -> Error {
    Error::damaged("a column", "it does not hold what was written")
}

/// A statement in the words of either store. Parameters are `$1`, `$2` and so on, and each appears for
/// the first time in this order.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "nobody asks for it"))]
    pub(crate) sqlite: &'static str,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "nobody asks for it"))]
    pub(crate) postgres: &'static str,
}

/// The same on both, but for what follows on PostgreSQL, where others may want the same rows.
macro_rules! sql {
    ($text:expr) => {
        $crate::session::Sql { sqlite: $text, postgres: $text }
    };
    ($text:expr, $lock:literal) => {
        $crate::session::Sql { sqlite: $text, postgres: concat!($text, $lock) }
    };
}
pub(crate) use sql;

/// Which words a store understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Sql {
    pub(crate) const fn of(self, dialect: Dialect) -> &'static str {
        match dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => self.sqlite,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => self.postgres,
        }
    }
}

/// One connection, with at most one transaction.
pub(crate) trait Session: Send {
    /// Its words.
    const DIALECT: Dialect;

    /// Begins a transaction that writes.
    fn begin(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Begins one that only reads, and sees the same from its first to its last statement.
    fn begin_read(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes all of it durable.
    fn commit(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Takes all of it back. A connection that cannot is of no more use.
    fn rollback(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Runs one statement with each set of values, in this order, and gives the rows of each.
    fn each(
        &mut self,
        text: &str,
        values: Vec<Vec<Value>>,
    ) -> impl Future<Output = Result<Vec<Vec<Row>>, Error>> + Send;

    /// Runs one statement once.
    fn one(
        &mut self,
        text: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        async move {
            let mut rows = self.each(text, vec![values]).await?;
            Ok(rows.pop().unwrap_or_default())
        }
    }
}

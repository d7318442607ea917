//! Values as the server binds and gives them.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::error::{Error, ErrorKind};
use crate::postgres::error::of_statement;
use crate::session::{Row, Value};

/// Binds to whatever type the server has given the parameter, so that `NULL` is of that type.
impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Bytes(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::VARCHAR | Type::BYTEA)
    }

    to_sql_checked!();
}

/// Reads a row.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, Error> {
    (0..row.len()).map(|place| value(row, place)).collect::<Result<_, _>>().map(Row::new)
}

fn value(row: &tokio_postgres::Row, place: usize) -> Result<Value, Error> {
    let ty = row.columns().get(place).map(|column| column.type_().clone());
    let value = match ty {
        Some(Type::INT8) => row.try_get::<_, Option<i64>>(place).map(|value| value.map(Value::Int)),
        Some(Type::TEXT | Type::VARCHAR) => {
            row.try_get::<_, Option<String>>(place).map(|value| value.map(Value::Text))
        }
        Some(Type::BYTEA) => {
            row.try_get::<_, Option<Vec<u8>>>(place).map(|value| value.map(Value::Bytes))
        }
        other => {
            let name = other.map_or_else(String::new, |ty| ty.name().to_owned());
            return Err(Error::with(ErrorKind::Storage, format!("no column is of type {name}")));
        }
    };
    Ok(value.map_err(of_statement)?.unwrap_or(Value::Null))
}

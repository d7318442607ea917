//! A line of JSON, as the texts of a row.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::input::columns::{Column, nearest};
use crate::input::row::{Cells, Fault};

/// Reads one object whose values are texts.
pub(crate) fn cells(line: &[u8]) -> Result<Cells, Fault> {
    let text = str::from_utf8(line).map_err(|_| Fault::new("not-utf8", "the line is not UTF-8"))?;
    let parsed: Object = serde_json::from_str(text).map_err(|error| {
        // Its own words can repeat what stands there; the place cannot.
        Fault::new("json", format!("the line is not a JSON object (at byte {})", error.column()))
    })?;
    parsed.0
}

struct Object(Result<Cells, Fault>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// The first fault is the verdict; what follows must still be JSON.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut cells = Cells::default();
        let mut seen = [false; crate::input::columns::COLUMNS];
        let mut fault = None;
        while let Some(name) = map.next_key::<String>()? {
            let value: Value = map.next_value()?;
            if fault.is_none() {
                fault = put(&mut cells, &mut seen, &name, value).err();
            }
        }
        Ok(Object(fault.map_or(Ok(cells), Err)))
    }
}

fn put(cells: &mut Cells, seen: &mut [bool], name: &str, value: Value) -> Result<(), Fault> {
    let Some(column) = Column::named(name) else { return Err(unknown(name)) };
    if let Some(seen) = seen.get_mut(column.place())
        && std::mem::replace(seen, true)
    {
        let sentence = format!("`{}` is said twice", column.name());
        return Err(Fault::of(column, "duplicate-column", sentence));
    }
    let text = match value {
        Value::Text(text) => Some(text),
        Value::Null => None,
        Value::Count(count) if column == Column::Refunds => Some(count.to_string()),
        Value::Count(_) | Value::Number => {
            let sentence =
                format!("`{}` is a JSON number: money is written as text", column.name());
            return Err(Fault::of(column, "not-text", sentence));
        }
        Value::Other => {
            let sentence = format!("`{}` is not a text", column.name());
            return Err(Fault::of(column, "not-text", sentence));
        }
    };
    cells.put(column, text);
    Ok(())
}

/// The sentence for a column that there is not.
pub(crate) fn unknown(name: &str) -> Fault {
    let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
    let sentence = match nearest(name) {
        Some(near) => format!("there is no column `{shown}`; did you mean `{near}`?"),
        None => format!("there is no column `{shown}`"),
    };
    Fault { column: Some(shown), rule: "unknown-column", sentence }
}

enum Value {
    Text(String),
    Null,
    Count(u64),
    Number,
    Other,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Value, E> {
        Ok(Value::Count(count))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

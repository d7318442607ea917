//! The rows of a result as lines of JSON and as CSV; what a row means is not known here.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object by its fields, in their order, doubled ones included: whoever reads it decides what a
/// doubled one means.
pub(crate) struct Fields(pub(crate) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A row a line.
pub(super) fn lines(rows: &impl Serialize) -> serde_json::Result<String> {
    let mut text = String::new();
    for row in split(rows)? {
        text.push_str(row.get());
        text.push('\n');
    }
    Ok(text)
}

/// A header with each name that any row has, and a line for each row.
pub(super) fn csv(rows: &impl Serialize) -> serde_json::Result<String> {
    let rows = split(rows)?;
    let rows: Vec<Fields> =
        rows.iter().map(|row| serde_json::from_str(row.get())).collect::<Result<_, _>>()?;
    let mut header: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.0) {
        if !header.contains(&name.as_str()) {
            header.push(name);
        }
    }
    if header.is_empty() {
        return Ok(String::new());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).map_err(not_written)?;
    for row in &rows {
        let found = |name: &&str| row.0.iter().find(|(given, _)| given == name);
        let cells = header.iter().map(|name| found(name).map_or(Ok(String::new()), cell));
        writer.write_record(cells.collect::<Result<Vec<_>, _>>()?).map_err(not_written)?;
    }
    let bytes = writer.into_inner().map_err(|error| not_written(error.into_error().into()))?;
    String::from_utf8(bytes).map_err(|error| serde::ser::Error::custom(error.to_string()))
}

/// A text as it is, nothing for null, and everything else as JSON has it.
fn cell((_, value): &(String, Box<RawValue>)) -> serde_json::Result<String> {
    match value.get() {
        "null" => Ok(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text).map(harmless),
        other => Ok(other.to_owned()),
    }
}

/// A spreadsheet takes a cell for a formula if it begins like one, and what is in it may have come from
/// anybody. With an apostrophe before it, it is a text. A number with its sign is harmless.
fn harmless(text: String) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_number = |text: &str| {
        let digits = text.trim_start_matches(['+', '-']);
        text.len() - digits.len() == 1
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    if is_formula && !is_number(&text) { format!("'{text}") } else { text }
}

fn split(rows: &impl Serialize) -> serde_json::Result<Vec<Box<RawValue>>> {
    let all = serde_json::value::to_raw_value(rows)?;
    if all.get().starts_with('[') { serde_json::from_str(all.get()) } else { Ok(vec![all]) }
}

fn not_written(error: csv::Error) -> serde_json::Error {
    serde::ser::Error::custom(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_a_line_an_item_and_an_object_is_one_line() {
        for (value, printed) in [
            (json!([]), ""),
            (json!([{"a": 1}, {"a": "x\ny"}]), "{\"a\":1}\n{\"a\":\"x\\ny\"}\n"),
            (json!({"a": [1, 2]}), "{\"a\":[1,2]}\n"),
        ] {
            assert_eq!(lines(&value).unwrap(), printed);
        }
    }

    #[test]
    fn columns_are_those_of_all_rows_and_cells_are_quoted_where_they_must_be() {
        for (value, printed) in [
            (json!([]), ""),
            (json!({"a": null, "b": true, "c": -5}), "a,b,c\n,true,-5\n"),
            (json!([{"a": "1"}, {"b": "2"}]), "a,b\n1,\n,2\n"),
            (json!([{"a": "x,\"y\"\n"}]), "a\n\"x,\"\"y\"\"\n\"\n"),
            (
                json!([{"a": ["x", 1], "b": {"c": null}}]),
                "a,b\n\"[\"\"x\"\",1]\",\"{\"\"c\"\":null}\"\n",
            ),
        ] {
            assert_eq!(csv(&value).unwrap(), printed);
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (text, printed) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("--1", "'--1"),
            ("-", "'-"),
            ("-.5", "'-.5"),
            ("-3.50", "-3.50"),
            ("+7", "+7"),
            ("a=b", "a=b"),
            ("S01-1", "S01-1"),
            ("", ""),
        ] {
            assert_eq!(harmless(text.to_owned()), printed);
        }
        assert_eq!(csv(&json!({"a": "\t=1", "b": "\r=1"})).unwrap(), "a,b\n'\t=1,\"'\r=1\"\n");
    }

    #[test]
    fn fields_keep_the_order_in_which_they_are_declared() {
        #[derive(Serialize)]
        struct Row {
            z: u8,
            a: &'static str,
        }
        assert_eq!(csv(&[Row { z: 1, a: "x" }]).unwrap(), "z,a\n1,x\n");
    }
}

//! Holds what the command prints as JSON against `docs/schema`: as much of JSON Schema as is used there.
//! A word that is not understood fails the test, so that nothing stands there unchecked.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Checks what a call printed, if it printed JSON.
pub(crate) fn check(arguments: &[&str], stdout: &[u8]) {
    let is_json = arguments.windows(2).any(|pair| pair == ["--output", "json"]);
    if !is_json || stdout.is_empty() {
        return;
    }
    let value: Value = serde_json::from_slice(stdout).unwrap();
    let schema = of(arguments);
    if let Some(misfit) = misfit(&schema, &schema, &value, "the result") {
        panic!("{arguments:?}: {misfit}");
    }
}

/// Checks a value against the schema of this name.
#[cfg(unix)]
pub(crate) fn check_against(name: &str, value: &Value) {
    let schema = std::fs::read_to_string(folder().join(name.to_owned() + ".json")).unwrap();
    let schema = serde_json::from_str(&schema).unwrap();
    if let Some(misfit) = misfit(&schema, &schema, value, "it") {
        panic!("{value}: {misfit}");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema")
}

/// The schema of a verb, or of the verb above it.
fn of(arguments: &[&str]) -> Value {
    let folder = folder();
    let words = arguments.iter().take_while(|word| !word.starts_with('-'));
    let mut words: Vec<_> = words.copied().collect();
    while !words.is_empty() {
        let file = folder.join(words.join("-") + ".json");
        if file.exists() {
            return serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        }
        words.pop();
    }
    panic!("{arguments:?} has no schema");
}

/// Words that describe and do not demand.
const NOTES: [&str; 5] = ["$schema", "$id", "$defs", "title", "description"];

/// Why a value does not fit a schema, if it does not.
fn misfit(document: &Value, schema: &Value, value: &Value, place: &str) -> Option<String> {
    let words = schema.as_object().unwrap();
    words.iter().filter(|(word, _)| !NOTES.contains(&word.as_str())).find_map(|(word, demand)| {
        match word.as_str() {
            "$ref" => {
                let pointer = demand.as_str().unwrap().strip_prefix('#').unwrap();
                misfit(document, document.pointer(pointer).unwrap(), value, place)
            }
            "type" => {
                let kind = kind(value);
                let fits =
                    demand == kind || demand.as_array().is_some_and(|d| d.contains(&kind.into()));
                (!fits).then(|| format!("{place} is {kind} and not {demand}"))
            }
            "enum" => {
                let fits = demand.as_array().unwrap().contains(value);
                (!fits).then(|| format!("{place} is {value} and not one of {demand}"))
            }
            "oneOf" => {
                let fits = |schema: &&Value| misfit(document, schema, value, place).is_none();
                let fitting = demand.as_array().unwrap().iter().filter(fits).count();
                (fitting != 1).then(|| format!("{place} is {fitting} of what it may be"))
            }
            "items" => value.as_array()?.iter().enumerate().find_map(|(index, item)| {
                misfit(document, demand, item, &format!("{place}[{index}]"))
            }),
            "required" => {
                let fields = value.as_object()?;
                let mut names =
                    demand.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                names
                    .find(|name| !fields.contains_key(*name))
                    .map(|name| format!("{place} lacks {name}"))
            }
            "properties" => value.as_object()?.iter().find_map(|(name, field)| {
                misfit(document, demand.get(name)?, field, &format!("{place}.{name}"))
            }),
            "additionalProperties" => {
                assert_eq!(demand, false);
                let known = schema["properties"].as_object().unwrap();
                let mut fields = value.as_object()?.keys();
                let strange = fields.find(|name| !known.contains_key(*name));
                strange.map(|name| format!("{place} has an undocumented {name}"))
            }
            _ => panic!("the schema says {word}, which nobody checks"),
        }
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[test]
fn what_is_not_as_described_is_found() {
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {"a": {"type": ["string", "null"], "enum": ["x", null]},
            "b": {"type": "array", "items": {"$ref": "#/$defs/c"}},
            "d": {"oneOf": [{"type": "integer"}, {"enum": [7, "x"]}]}},
        "$defs": {"c": {"type": "integer"}},
    });
    let misfit = |value: Value| misfit(&schema, &schema, &value, "it");
    for fits in
        [serde_json::json!({"a": "x"}), serde_json::json!({"a": null, "b": [1, 2], "d": "x"})]
    {
        assert_eq!(misfit(fits), None);
    }
    for (value, why) in [
        (serde_json::json!([]), "it is array and not \"object\""),
        (serde_json::json!({}), "it lacks a"),
        (serde_json::json!({"a": "x", "d": null}), "it.d is 0 of what it may be"),
        (serde_json::json!({"a": "x", "d": 7}), "it.d is 2 of what it may be"),
        (serde_json::json!({"a": "y"}), "it.a is \"y\" and not one of [\"x\",null]"),
        (serde_json::json!({"a": "x", "b": ["1"]}), "it.b[0] is string and not \"integer\""),
        (serde_json::json!({"a": "x", "c": 1}), "it has an undocumented c"),
    ] {
        assert_eq!(misfit(value).as_deref(), Some(why));
    }
}

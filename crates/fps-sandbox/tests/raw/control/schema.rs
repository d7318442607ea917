//! Holds answers against the OpenAPI document: as much of JSON Schema as the document uses.

use serde_json::Value;

/// Why a value does not fit a schema, if it does not.
pub(super) fn misfit(
    document: &Value,
    schema: &Value,
    value: &Value,
    place: &str,
) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.strip_prefix('#').unwrap();
        let schema = document.pointer(pointer).unwrap_or_else(|| panic!("no {name}"));
        return misfit(document, schema, value, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().filter(|one| misfit(document, one, value, place).is_none());
        return (fits.count() != 1).then(|| format!("{place} fits not one choice: {value}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if schema["type"].as_str() != Some(kind) {
        return Some(format!("{place} is {kind} and not {}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        return Some(format!("{place} is {value} and not one of {allowed:?}"));
    }
    if schema["format"] == "date-time" && fps_model::Timestamp::parse(value.as_str()?).is_none() {
        return Some(format!("{place} is no time: {value}"));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .find_map(|item| misfit(document, &schema["items"], item, &format!("{place}[]"))),
        Value::Object(fields) => {
            let properties = schema["properties"].as_object()?;
            let required = schema["required"].as_array().into_iter().flatten();
            let mut missing = required.filter(|name| !fields.contains_key(name.as_str().unwrap()));
            if let Some(name) = missing.next() {
                return Some(format!("{place} lacks {name}"));
            }
            fields.iter().find_map(|(name, field)| match properties.get(name) {
                Some(schema) => misfit(document, schema, field, &format!("{place}.{name}")),
                None => Some(format!("{place} has an undocumented {name}")),
            })
        }
        _ => None,
    }
}

//! Structs of messages: their fields, their constructors, their setters; no wire form.

use super::super::names::snake;
use super::super::spec::{Field, Format, Kind, Service};
use super::field_docs;

/// The Rust type of a field, without `Option` or `Vec`.
fn inner_type(field: &Field) -> &str {
    match field.ty.as_str() {
        "Amount" | "AmountText" | "Price" => "Money",
        "DateTime" | "EpochSeconds" => "Timestamp",
        "Integer" => "i64",
        other => other,
    }
}

fn full_type(field: &Field) -> String {
    let inner = inner_type(field);
    match (field.repeated, field.required) {
        (true, _) => format!("Vec<{inner}>"),
        (false, true) => inner.to_owned(),
        (false, false) => format!("Option<{inner}>"),
    }
}

/// May the constructor take anything that turns into it?
fn converts(service: &Service, field: &Field) -> bool {
    let named = service.shared(&field.ty).is_some_and(|item| item.spec.kind == Kind::Id);
    named || matches!(field.ty.as_str(), "String" | "Sensitive")
}

fn argument(service: &Service, field: &Field) -> (String, String) {
    let (name, inner) = (snake(&field.name), inner_type(field));
    if converts(service, field) {
        (format!("{name}: impl Into<{inner}>"), format!("{name}: {name}.into()"))
    } else {
        (format!("{name}: {inner}"), name)
    }
}

/// What a struct derives.
pub(super) fn derives(fields: &[Field], format: Format) -> String {
    let json = format == Format::Json && !fields.is_empty();
    let more = if json { ", Serialize, Deserialize" } else { "" };
    format!("Clone, Debug, PartialEq, Eq{more}")
}

/// The struct, its constructor from the required fields (a key first), and a setter for each of the
/// others.
pub(super) fn data(
    service: &Service,
    name: &str,
    docs: &str,
    derives: &str,
    fields: &[Field],
    key: Option<&str>,
) -> String {
    let fields: Vec<&Field> = fields.iter().filter(|field| field.fixed.is_none()).collect();
    let no_required = fields.iter().all(|field| !field.required);
    let default = if no_required { ", Default" } else { "" };
    let mut out = format!("{docs}#[derive({derives}{default})]\n");
    let json = derives.contains("Serialize");
    out += &format!("#[non_exhaustive]\npub struct {name} {{\n");
    for field in &fields {
        out += &field_docs(field);
        if json {
            out += &format!("#[serde(rename = {:?})]\n", field.name);
        }
        if json && field.ty == "Price" {
            out += match field.required {
                true => "#[serde(with = \"crate::money::price\")]\n",
                false => "#[serde(with = \"crate::money::optional_price\", default)]\n",
            };
        }
        out += &format!("    pub {}: {},\n", snake(&field.name), full_type(field));
    }
    out += "}\n\n";
    let is_key = |field: &Field| key == Some(field.name.as_str());
    let mut required: Vec<_> = fields.iter().filter(|field| field.required).collect();
    required.sort_by_key(|field| !is_key(field));
    let list: Vec<_> = required.iter().map(|field| argument(service, field).0).collect();
    out += &format!(
        "impl {name} {{\n/// With what it must have.\n#[must_use]\npub fn new({}) -> Self {{\nSelf {{\n",
        list.join(", ")
    );
    for field in &fields {
        out += &match (field.required, field.repeated) {
            (true, _) => format!("{},\n", argument(service, field).1),
            (false, true) => format!("{}: Vec::new(),\n", snake(&field.name)),
            (false, false) => format!("{}: None,\n", snake(&field.name)),
        };
    }
    out += "}\n}\n";
    for field in fields.iter().filter(|field| !field.required) {
        let snake = snake(&field.name);
        let (declared, _) = argument(service, field);
        let value =
            if converts(service, field) { format!("{snake}.into()") } else { snake.clone() };
        let change = match field.repeated {
            true => format!("self.{snake}.push({value});"),
            false => format!("self.{snake} = Some({value});"),
        };
        let verb = if field.repeated { "Adds one of" } else { "Sets" };
        out += &format!(
            "\n/// {verb} `{}`.\n#[must_use]\npub fn {snake}(mut self, {declared}) -> Self {{\n\
             {change}\nself\n}}\n",
            field.name
        );
    }
    out += "}\n\n";
    out
}

//! Structs of messages: their fields, their constructors, their setters; no wire form.

use super::super::spec::{Field, Format, Kind, Service};
use super::field_docs;

/// The Rust type of a field, without `Option` or `Vec`.
fn inner_type(field: &Field) -> &str {
    match field.ty.as_str() {
        "Amount" | "AmountText" | "DollarText" | "Price" => "Money",
        "DateTime" | "EpochSeconds" => "Timestamp",
        "Integer" => "i64",
        "Bool" => "bool",
        other => other,
    }
}

fn full_type(field: &Field) -> String {
    let inner = inner_type(field);
    match (field.repeated, field.always()) {
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
    let (name, inner) = (field.rust_name(), inner_type(field));
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
    let no_required = fields.iter().all(|field| !field.always());
    let default = if no_required { ", Default" } else { "" };
    let mut out = format!("{docs}#[derive({derives}{default})]\n");
    let json = derives.contains("Serialize");
    // A message is written as its sender does, who leaves out what is not there; an answer has nulls.
    let sparse = json && service.shared(name).is_some_and(|item| item.spec.kind == Kind::Message);
    out += &format!("#[non_exhaustive]\npub struct {name} {{\n");
    for field in &fields {
        out += &field_docs(field);
        if json {
            out += &format!("#[serde(rename = {:?})]\n", field.name);
        }
        let part = service.shared(&field.ty).is_some_and(|shared| shared.spec.kind == Kind::Struct);
        if json {
            out += match (field.ty.as_str(), part, field.repeated, field.always()) {
                ("Price", _, _, true) => "#[serde(with = \"crate::money::price\")]\n",
                ("Price", _, _, false) => {
                    "#[serde(with = \"crate::money::optional_price\", default)]\n"
                }
                (_, true, true, _) => {
                    "#[serde(deserialize_with = \"crate::json::objects\", default)]\n"
                }
                (_, false, true, _) => {
                    "#[serde(deserialize_with = \"crate::json::list\", default)]\n"
                }
                (_, true, false, true) => "#[serde(deserialize_with = \"crate::json::object\")]\n",
                (_, true, false, false) => {
                    "#[serde(deserialize_with = \"crate::json::optional_object\", default)]\n"
                }
                (_, false, false, _) => "",
            };
        }
        if sparse && !field.always() {
            let empty = if field.repeated { "Vec::is_empty" } else { "Option::is_none" };
            out += &format!("#[serde(skip_serializing_if = {empty:?})]\n");
        }
        out += &format!("    pub {}: {},\n", field.rust_name(), full_type(field));
    }
    out += "}\n\n";
    let is_key = |field: &Field| key == Some(field.name.as_str());
    let mut required: Vec<_> = fields.iter().filter(|field| field.always()).collect();
    required.sort_by_key(|field| !is_key(field));
    let list: Vec<_> = required.iter().map(|field| argument(service, field).0).collect();
    out += &format!(
        "impl {name} {{\n/// With what it must have.\n#[must_use]\npub fn new({}) -> Self {{\nSelf {{\n",
        list.join(", ")
    );
    for field in &fields {
        out += &match (field.always(), field.repeated) {
            (true, _) => format!("{},\n", argument(service, field).1),
            (false, true) => format!("{}: Vec::new(),\n", field.rust_name()),
            (false, false) => format!("{}: None,\n", field.rust_name()),
        };
    }
    out += "}\n}\n";
    for field in fields.iter().filter(|field| !field.always()) {
        let snake = field.rust_name();
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

//! Fields of requests and messages, in parameters and in JSON alike: the constants that describe them,
//! and the calls that write and read them; no envelope is known here.

use super::super::spec::{Field, Format, Kind, Required, Service, Spec};
use super::{constant, dialect_list};

fn constant_of(field: &Field) -> String {
    constant(&field.rust_name())
}

/// One constant for each field.
pub(super) fn constants(fields: &[Field]) -> String {
    let asked = fields.iter().filter(|field| field.is_asked());
    block(asked.map(|field| definition(field, &constant_of(field), true)))
}

/// Constants of those fields of an answer that are not spelled the same everywhere.
pub(super) fn spelled_constants(fields: &[Field]) -> String {
    let spelled = fields.iter().filter(|field| !field.same_everywhere());
    block(spelled.map(|field| definition(field, &answered(field), false)))
}

/// Constants and, if there are any, an empty line behind them.
fn block(constants: impl Iterator<Item = String>) -> String {
    let constants: String = constants.collect();
    if constants.is_empty() { constants } else { constants + "\n" }
}

/// The name of a constant of an answer, which may have a field called as one of the request.
pub(super) fn answered(field: &Field) -> String {
    format!("ANSWERED_{}", constant_of(field))
}

fn definition(field: &Field, name: &str, request: bool) -> String {
    let mut out = format!("const {name}: Field = Field::new({:?})", field.name);
    if request {
        match &field.required {
            Required::Wherever(true) => out += ".required()",
            Required::Wherever(false) if field.fixed.is_some() => out += ".required()",
            Required::Wherever(false) => {}
            Required::In(list) => out += &format!(".required_in({})", dialect_list(list)),
        }
        match (field.max, field.max_bytes) {
            (Some(most), _) => out += &format!(".characters({most})"),
            (None, Some(most)) => out += &format!(".bytes({most})"),
            (None, None) => {}
        }
    }
    if !field.also.is_empty() {
        out += &format!(".also(&{:?})", field.also);
    }
    if !field.dialects.is_empty() {
        out += &format!(".only_in({})", dialect_list(&field.dialects));
    }
    if !field.names.is_empty() {
        let list: Vec<_> = field
            .names
            .iter()
            .map(|(dialect, name)| format!("(Dialect::{}, {name:?})", dialect.rust()))
            .collect();
        out += &format!(".renamed(&[{}])", list.join(", "));
    }
    out + ";\n"
}

/// Which call of a writer and a reader a field needs.
enum Call<'a> {
    /// A text, taken by reference.
    Text,
    /// A list of texts.
    Texts,
    /// A value that is copied.
    Copied(&'static str),
    /// A part with fields of its own.
    Object(&'a str),
}

fn call<'a>(service: &Service, field: &'a Field) -> Call<'a> {
    let part = service.shared(&field.ty).is_some_and(|shared| shared.spec.kind == Kind::Struct);
    match (field.ty.as_str(), part, field.repeated) {
        ("Amount", ..) => Call::Copied("amount"),
        ("AmountText", ..) => Call::Copied("amount_text"),
        ("DollarText", ..) => Call::Copied("dollars"),
        ("EpochSeconds", ..) => Call::Copied("epoch"),
        ("Price", ..) => Call::Copied("price"),
        ("Bool", ..) => Call::Copied("bool"),
        (ty, true, _) => Call::Object(ty),
        (_, false, true) => Call::Texts,
        (_, false, false) => Call::Text,
    }
}

/// Statements that write fields through a writer of either format.
pub(super) fn write<'a>(
    service: &Service,
    fields: impl Iterator<Item = &'a Field>,
    writer: &str,
) -> String {
    let mut out = String::new();
    for field in fields {
        let constant = constant_of(field);
        let value = format!("self.{}", field.rust_name());
        let by_reference = match field.always() {
            true => format!("Some(&{value})"),
            false => format!("{value}.as_ref()"),
        };
        if let Some(fixed) = &field.fixed {
            out += &format!("{writer}.fixed(&{constant}, {fixed:?});\n");
            continue;
        }
        out += &match (call(service, field), field.always()) {
            (Call::Text, _) => format!("{writer}.text(&{constant}, {by_reference})?;\n"),
            (Call::Texts, _) => format!("{writer}.texts(&{constant}, &{value})?;\n"),
            (Call::Copied(call), true) => {
                format!("{writer}.{call}(&{constant}, Some({value}))?;\n")
            }
            (Call::Copied(call), false) => format!("{writer}.{call}(&{constant}, {value})?;\n"),
            (Call::Object(ty), _) => {
                format!("{writer}.object(&{constant}, {by_reference}, {ty}::write_fields)?;\n")
            }
        };
    }
    out
}

/// The value of a field, taken from the fields of a message in either format.
pub(super) fn read(service: &Service, field: &Field, module: &str, fields: &str) -> String {
    let constant = constant_of(field);
    match (call(service, field), field.always()) {
        (Call::Text, true) => {
            format!("{fields}.required(&{constant}, {module}::Fields::text)?")
        }
        (Call::Text, false) => format!("{fields}.text(&{constant})?"),
        (Call::Texts, _) => format!("{fields}.texts(&{constant})?"),
        (Call::Copied(call), true) => {
            format!("{fields}.required(&{constant}, {module}::Fields::{call})?")
        }
        (Call::Copied(call), false) => format!("{fields}.{call}(&{constant})?"),
        (Call::Object(ty), true) => format!(
            "{fields}.required(&{constant}, |fields, field| fields.object(field, {ty}::read_fields))?"
        ),
        (Call::Object(ty), false) => format!("{fields}.object(&{constant}, {ty}::read_fields)?"),
    }
}

/// Statements that refuse a message without a field that another one demands.
pub(super) fn conditions(fields: &[Field], message: &str, error: &str) -> String {
    let mut out = String::new();
    let there = |name: &str| {
        let other = fields.iter().find(|field| field.name == name);
        other.map_or("true".to_owned(), |other| match (other.always(), other.repeated) {
            (true, _) => "true".to_owned(),
            (false, true) => format!("!{message}.{}.is_empty()", other.rust_name()),
            (false, false) => format!("{message}.{}.is_some()", other.rust_name()),
        })
    };
    let absent = |name: &str| {
        let some = there(name);
        some.replace("is_some", "is_none").replace('!', "")
    };
    for field in fields {
        let demands = [
            field.required_with.as_ref().map(|other| there(other)),
            field.required_without.as_ref().map(|other| absent(other)),
        ];
        for demand in demands.into_iter().flatten() {
            out += &format!(
                "if {} && {demand} {{\nreturn Err({error}::new({:?}, Problem::Missing));\n}}\n",
                absent(&field.name),
                field.name
            );
        }
    }
    out
}

/// How a part of a request is written and read.
pub(super) fn part(service: &Service, spec: &Spec, format: Format) -> String {
    let module = match format {
        Format::Params => "params",
        Format::Json => "json",
    };
    let mut out = format!(
        "\nimpl {} {{\npub(super) fn write_fields(&self, out: &mut {module}::Writer) -> \
         Result<(), EncodeError> {{\n",
        spec.name
    );
    out += &write(service, spec.field.iter().filter(|field| field.is_asked()), "out");
    out += &conditions(&spec.field, "self", "EncodeError");
    out += &format!(
        "Ok(())\n}}\n\npub(super) fn read_fields(fields: &mut {module}::Fields<'_>) -> \
         Result<Self, DecodeError> {{\n"
    );
    let value = |field: &Field| match (field.is_asked(), field.repeated) {
        (true, _) => read(service, field, module, "fields"),
        (false, false) => "None".to_owned(),
        (false, true) => "Vec::new()".to_owned(),
    };
    let values: String = spec
        .field
        .iter()
        .map(|field| format!("{}: {},\n", field.rust_name(), value(field)))
        .collect();
    let conditions = conditions(&spec.field, "part", "DecodeError");
    out += &match conditions.is_empty() {
        true => format!("Ok(Self {{\n{values}}})\n"),
        false => format!("let part = Self {{\n{values}}};\n{conditions}Ok(part)\n"),
    };
    out + "}\n}\n"
}

//! What a spec must be so that the generator cannot write wrong Rust: every mistake is named here, by
//! file and field, and nowhere later.

use std::collections::BTreeSet;

use super::names::{camel, snake};
use super::spec::{Field, Format, Kind, Place, Replay, Response, Service, Spec};
use crate::Outcome;

/// Where fields stand, which decides what types they can have.
#[derive(Clone, Copy)]
enum Position {
    /// Parameters of a request.
    Params,
    /// Parameters of a notification.
    Notification,
    /// Elements of an answer.
    Xml,
    /// The body of a request.
    JsonRequest,
    /// Members of an object.
    Json,
}

impl Position {
    /// The built-in types that can stand there.
    const fn built_in(self) -> &'static [&'static str] {
        match self {
            Self::Params => {
                &["Amount", "CallerReference", "DateTime", "Integer", "Sensitive", "String"]
            }
            Self::Notification => {
                &["AmountText", "DateTime", "EpochSeconds", "Integer", "Sensitive", "String"]
            }
            Self::Xml => &["Amount", "DateTime", "Integer", "Sensitive", "String"],
            Self::JsonRequest => &["IdempotencyKey", "Price", "Sensitive", "String"],
            Self::Json => &["DateTime", "Integer", "Price", "Sensitive", "String"],
        }
    }

    /// Can a struct stand there, and a list of them?
    const fn structs(self) -> (bool, bool) {
        match self {
            Self::Xml => (true, true),
            Self::Json => (true, false),
            Self::Params | Self::Notification | Self::JsonRequest => (false, false),
        }
    }
}

/// Parameters of every signed request, which no action may call its own.
const COMMON: [&str; 7] = [
    "Action",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

#[rustfmt::skip]
const KEYWORDS: [&str; 34] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "type", "use",
];

/// Checks one file of a service.
pub(super) fn check(service: &Service, spec: &Spec) -> Outcome {
    name(&spec.name)?;
    sentence("doc", &spec.doc)?;
    if !["(H)", "(M)", "(L)"].iter().any(|mark| spec.source.contains(mark)) {
        return Err("the source does not say how sure it is: (H), (M) or (L)".into());
    }
    only_what_the_kind_has(spec)?;
    match spec.kind {
        Kind::Operation => operation(service, spec),
        Kind::Notification => fields(service, &spec.field, Position::Notification, None),
        Kind::Struct => {
            let position = match service.format() {
                Format::Params => Position::Xml,
                Format::Json => Position::Json,
            };
            fields(service, &spec.field, position, None)
        }
        Kind::Enum => values(spec),
        Kind::Id => Ok(()),
    }
}

/// Keys that mean nothing for a kind are mistakes, not decoration.
fn only_what_the_kind_has(spec: &Spec) -> Outcome {
    let operation = spec.kind == Kind::Operation;
    let has_fields = matches!(spec.kind, Kind::Struct | Kind::Notification);
    let rows = [
        ("replay", operation, spec.replay.is_some()),
        ("key", operation, spec.key.is_some()),
        ("method", operation, spec.method.is_some()),
        ("path", operation, spec.path.is_some()),
        ("success", operation, spec.success.is_some()),
        ("request", operation, !spec.request.is_empty()),
        ("response", operation, !spec.response.is_empty()),
        ("field", has_fields, !spec.field.is_empty()),
        ("value", spec.kind == Kind::Enum, !spec.value.is_empty()),
        ("sensitive", spec.kind == Kind::Id, spec.sensitive),
    ];
    for (key, allowed, given) in rows {
        if given && !allowed {
            return Err(format!("`{key}` means nothing here").into());
        }
    }
    let needed = [
        ("replay", operation, spec.replay.is_some()),
        ("field", has_fields, !spec.field.is_empty()),
        ("value", spec.kind == Kind::Enum, !spec.value.is_empty()),
    ];
    match needed.into_iter().find(|(_, needed, given)| *needed && !given) {
        Some((key, ..)) => Err(format!("`{key}` is missing").into()),
        None => Ok(()),
    }
}

fn operation(service: &Service, spec: &Spec) -> Outcome {
    if (spec.replay == Some(Replay::ByKey)) != spec.key.is_some() {
        return Err("`replay = \"by-key\"` and `key` go together".into());
    }
    let key_type = match service.format() {
        Format::Params => "CallerReference",
        Format::Json => "IdempotencyKey",
    };
    for field in &spec.request {
        if (field.ty == key_type) != (spec.key.as_ref() == Some(&field.name)) {
            return Err(
                format!("{}: the key is the one field of type {key_type}", field.name).into()
            );
        }
    }
    let key = spec.key.as_deref();
    if let Some(key) = key
        && !spec.request.iter().any(|field| field.name == key && field.required)
    {
        return Err(format!("the key {key} is no required field").into());
    }
    match service.format() {
        Format::Params => query_operation(service, spec, key),
        Format::Json => json_operation(service, spec, key),
    }
}

fn query_operation(service: &Service, spec: &Spec, key: Option<&str>) -> Outcome {
    if spec.method.is_some() || spec.path.is_some() || spec.success.is_some() {
        return Err("every action has the same method, path and status".into());
    }
    for field in &spec.request {
        if COMMON.contains(&field.name.as_str()) || field.place != Place::Body {
            return Err(format!("{} is no parameter of an action", field.name).into());
        }
    }
    fields(service, &spec.request, Position::Params, key)?;
    match &spec.response {
        Response::Own(own) => fields(service, own, Position::Xml, None),
        Response::Shared(_) => Err("an action answers fields of its own".into()),
    }
}

fn json_operation(service: &Service, spec: &Spec, key: Option<&str>) -> Outcome {
    let method = spec.method.as_deref().unwrap_or_default();
    if !["GET", "POST", "PATCH", "DELETE"].contains(&method) {
        return Err("`method` is GET, POST, PATCH or DELETE".into());
    }
    if !spec.success.is_some_and(|status| (200..300).contains(&status)) {
        return Err("`success` is a status from 200 to 299".into());
    }
    let Response::Shared(answer) = &spec.response else {
        return Err("an operation answers a shared struct: `response = \"…\"`".into());
    };
    if service.shared(answer).is_none_or(|item| item.spec.kind != Kind::Struct) {
        return Err(format!("answers {answer}, which is no shared struct").into());
    }
    let path = spec.path.as_deref().unwrap_or_default();
    let holes: Vec<&str> =
        path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default()).collect();
    let in_path: Vec<&str> =
        spec.request.iter().filter(|f| f.place == Place::Path).map(|f| f.name.as_str()).collect();
    if !path.starts_with('/') || holes != in_path || holes.len() > 1 {
        return Err("`path` begins with a slash and names the one field that is in it".into());
    }
    for field in &spec.request {
        let id = service.shared(&field.ty).is_some_and(|item| item.spec.kind == Kind::Id);
        let fits = match field.place {
            Place::Path => id && field.required,
            Place::Header => key == Some(field.name.as_str()),
            Place::Body => key != Some(field.name.as_str()) && method != "GET",
        };
        if !fits {
            return Err(format!("{} cannot stand there", field.name).into());
        }
    }
    fields(service, &spec.request, Position::JsonRequest, key)
}

fn fields(service: &Service, fields: &[Field], position: Position, key: Option<&str>) -> Outcome {
    let mut names = BTreeSet::new();
    let mut required = BTreeSet::new();
    for field in fields {
        field_alone(service, field, position)
            .map_err(|error| format!("{}: {error}", field.name))?;
        if !names.insert(snake(&field.name)) {
            return Err(format!("{} stands twice", field.name).into());
        }
        let named_apart = key == Some(field.name.as_str());
        if field.required && !named_apart && !required.insert(&field.ty) {
            let name = &field.name;
            return Err(format!("{name}: two required fields of one type can be swapped").into());
        }
    }
    Ok(())
}

fn field_alone(service: &Service, field: &Field, position: Position) -> Outcome {
    name(&field.name)?;
    sentence("doc", &field.doc)?;
    if KEYWORDS.contains(&snake(&field.name).as_str()) {
        return Err("is a word of Rust".into());
    }
    let (structs, lists) = position.structs();
    let shared = service.shared(&field.ty).map(|item| item.spec.kind);
    let fits = match shared {
        None => position.built_in().contains(&field.ty.as_str()),
        Some(Kind::Struct) => structs,
        Some(kind) => matches!(kind, Kind::Enum | Kind::Id),
    };
    if !fits {
        return Err(format!("the type {} cannot stand there", field.ty).into());
    }
    if field.repeated && !(lists && shared == Some(Kind::Struct)) {
        return Err("cannot be a list there".into());
    }
    if field.repeated && field.required {
        return Err("a list may be empty".into());
    }
    if field.max.is_some() && field.max_bytes.is_some() {
        return Err("`max` and `max_bytes` exclude each other".into());
    }
    if field.fixed.is_some()
        && (field.required || field.ty != "String" || !matches!(position, Position::Notification))
    {
        return Err("only an optional String of a notification is fixed".into());
    }
    Ok(())
}

fn values(spec: &Spec) -> Outcome {
    let mut texts = BTreeSet::new();
    let mut variants = BTreeSet::new();
    for value in &spec.value {
        sentence("doc", &value.doc)?;
        let variant = value.rust.clone().unwrap_or_else(|| camel(&value.name));
        name(&variant)?;
        if !variant.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            return Err(format!("{variant} is no name of a variant: add `rust`").into());
        }
        if !texts.insert(&value.name) || !variants.insert(variant) {
            return Err(format!("{} stands twice", value.name).into());
        }
    }
    Ok(())
}

fn name(text: &str) -> Outcome {
    let mut letters = text.chars();
    let good = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if good { Ok(()) } else { Err(format!("`{text}` is no name").into()) }
}

fn sentence(key: &str, text: &str) -> Outcome {
    let good = text.ends_with(['.', '!']) && text.len() > 3;
    if good { Ok(()) } else { Err(format!("`{key}` is no sentence: `{text}`").into()) }
}

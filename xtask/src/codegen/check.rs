//! What a spec must be so that the generator cannot write wrong Rust: every mistake is named here, by
//! file and field, and nowhere later.

use std::collections::BTreeSet;

use super::names::camel;
use super::spec::{Dialect, Field, Format, Kind, Place, Replay, Required, Response, Service, Spec};
use crate::Outcome;

/// Where fields stand, which decides what types they can have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Parameters of a request.
    Params,
    /// Parameters that are sent by themselves.
    ParamsMessage,
    /// Elements of an answer, and parts of a request.
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
            Self::Params => &[
                "Amount",
                "CallerReference",
                "DateTime",
                "Decimal",
                "Integer",
                "Sensitive",
                "String",
            ],
            Self::ParamsMessage => &[
                "AmountText",
                "CallerReference",
                "DateTime",
                "Decimal",
                "DollarText",
                "EpochSeconds",
                "Integer",
                "Sensitive",
                "String",
            ],
            Self::Xml => &["Amount", "DateTime", "Decimal", "Integer", "Sensitive", "String"],
            Self::JsonRequest => &["Bool", "IdempotencyKey", "Price", "Sensitive", "String"],
            Self::Json => &["Bool", "DateTime", "Integer", "Price", "Sensitive", "String"],
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
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in",
    "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
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
        Kind::Message => {
            let position = match service.format() {
                Format::Params => Position::ParamsMessage,
                Format::Json => Position::Json,
            };
            fields(service, &spec.field, position, None)
        }
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
    let has_fields = matches!(spec.kind, Kind::Struct | Kind::Message);
    let rows = [
        ("replay", operation, spec.replay.is_some()),
        ("key", operation, spec.key.is_some()),
        ("method", operation, spec.method.is_some()),
        ("path", operation, spec.path.is_some()),
        ("success", operation, !spec.success.is_empty()),
        ("dialects", operation, !spec.dialects.is_empty()),
        ("wrapped", operation, spec.wrapped.is_some()),
        ("errors", operation, !spec.errors.is_empty()),
        ("errors_source", !spec.errors.is_empty(), spec.errors_source.is_some()),
        ("request", operation, !spec.request.is_empty()),
        ("response", operation, !spec.response.is_empty()),
        ("field", has_fields, !spec.field.is_empty()),
        ("value", spec.kind == Kind::Enum, !spec.value.is_empty()),
        ("sensitive", spec.kind == Kind::Id, spec.sensitive),
        ("example", spec.kind == Kind::Id, spec.example.is_some()),
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
        ("example", spec.kind == Kind::Id, spec.example.is_some()),
        ("errors_source", !spec.errors.is_empty(), spec.errors_source.is_some()),
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
    // A request to FPS may have its key only together with what needs one.
    let holds_key = |field: &Field| {
        field.always() || (service.format() == Format::Params && field.required_with.is_some())
    };
    if let Some(key) = key
        && !spec.request.iter().any(|field| field.name == key && holds_key(field))
    {
        return Err(format!("the key {key} is no required field").into());
    }
    let codes = match service.format() {
        Format::Params => "ErrorCode",
        Format::Json => "ReasonCode",
    };
    let codes = service.shared(codes).map(|item| &item.spec.value);
    for error in &spec.errors {
        if !codes.is_some_and(|codes| codes.iter().any(|code| code.name == *error)) {
            return Err(format!("{error} is no listed reason").into());
        }
    }
    match service.format() {
        Format::Params => query_operation(service, spec, key),
        Format::Json => json_operation(service, spec, key),
    }
}

fn query_operation(service: &Service, spec: &Spec, key: Option<&str>) -> Outcome {
    if spec.method.is_some() || spec.path.is_some() || !spec.success.is_empty() {
        return Err("every action has the same method, path and status".into());
    }
    if spec.dialects.is_empty() {
        return Err("`dialects` is missing".into());
    }
    if spec.wrapped.is_some() && !spec.dialects.contains(&Dialect::V2007) {
        return Err("`wrapped` is of revision 2007-01-08".into());
    }
    let odd = |field: &&Field| !field.dialects.iter().all(|it| spec.dialects.contains(it));
    if let Some(field) = spec.request.iter().find(odd) {
        return Err(format!("{} has a revision that the action has not", field.name).into());
    }
    for field in &spec.request {
        if field.spellings().iter().any(|name| COMMON.contains(name)) || field.place != Place::Body
        {
            return Err(format!("{} is no parameter of an action", field.name).into());
        }
    }
    fields(service, &spec.request, Position::Params, key)?;
    if let Response::Own(own) = &spec.response
        && let Some(field) = own.iter().find(|field| is_conditional(field))
    {
        return Err(format!("{}: no answer is checked for that", field.name).into());
    }
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
    if spec.success.is_empty() || !spec.success.iter().all(|status| (200..300).contains(status)) {
        return Err("`success` lists statuses from 200 to 299".into());
    }
    if !spec.dialects.is_empty() || spec.wrapped.is_some() {
        return Err("`dialects` and `wrapped` are of FPS".into());
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
            Place::Path => id && field.always(),
            Place::Header => key == Some(field.name.as_str()),
            Place::Body => key != Some(field.name.as_str()) && method != "GET",
            Place::Answer => false,
        };
        if !fits {
            return Err(format!("{} cannot stand there", field.name).into());
        }
    }
    fields(service, &spec.request, Position::JsonRequest, key)
}

/// Is it demanded, but not always?
fn is_conditional(field: &Field) -> bool {
    field.required_with.is_some()
        || field.required_without.is_some()
        || matches!(field.required, Required::In(_))
}

fn fields(service: &Service, fields: &[Field], position: Position, key: Option<&str>) -> Outcome {
    let mut names = BTreeSet::new();
    let mut spellings = BTreeSet::new();
    let mut required = BTreeSet::new();
    let request = matches!(position, Position::Params | Position::JsonRequest);
    for field in fields {
        field_alone(service, field, position)
            .map_err(|error| format!("{}: {error}", field.name))?;
        if !names.insert(field.rust_name()) {
            return Err(format!("{} stands twice", field.name).into());
        }
        for other in [&field.required_with, &field.required_without].into_iter().flatten() {
            match fields.iter().find(|field| field.name == *other) {
                None => return Err(format!("{}: there is no {other}", field.name).into()),
                Some(other) if other.always() || field.always() => {
                    return Err(
                        format!("{}: no condition on what is always there", field.name).into()
                    );
                }
                Some(_) => {}
            }
        }
        // A request is read in one revision, an answer in whichever it is written.
        let clashes = match request {
            true => Dialect::ALL.into_iter().filter(|dialect| field.exists_in(*dialect)).any(
                |dialect| {
                    let usual = field.name_in(dialect);
                    let others = field.also.iter().map(String::as_str).filter(|it| *it != usual);
                    std::iter::once(usual)
                        .chain(others)
                        .any(|name| !spellings.insert((Some(dialect), name)))
                },
            ),
            false => field.spellings().into_iter().any(|name| !spellings.insert((None, name))),
        };
        if clashes {
            return Err(format!("{} is spelled like another field", field.name).into());
        }
        let named_apart = key == Some(field.name.as_str());
        if request && field.always() && !named_apart && !required.insert(&field.ty) {
            let name = &field.name;
            return Err(format!("{name}: two required fields of one type can be swapped").into());
        }
    }
    Ok(())
}

fn field_alone(service: &Service, field: &Field, position: Position) -> Outcome {
    name(&field.name)?;
    sentence("doc", &field.doc)?;
    if KEYWORDS.contains(&field.rust_name().as_str()) {
        return Err("is a word of Rust".into());
    }
    let shared = service.shared(&field.ty).map(|item| item.spec.kind);
    let fits = match shared {
        None => position.built_in().contains(&field.ty.as_str()),
        Some(Kind::Struct) => position != Position::ParamsMessage,
        Some(kind) => matches!(kind, Kind::Enum | Kind::Id),
    };
    if !fits {
        return Err(format!("the type {} cannot stand there", field.ty).into());
    }
    let built_in_list = matches!(position, Position::Json | Position::JsonRequest)
        && matches!(field.ty.as_str(), "String" | "Sensitive");
    let asked = matches!(position, Position::Params | Position::JsonRequest);
    let listed = match shared {
        Some(Kind::Struct) => !asked,
        Some(_) => true,
        None => built_in_list,
    };
    if field.repeated && !listed {
        return Err("cannot be a list there".into());
    }
    let json = matches!(position, Position::Json | Position::JsonRequest);
    if json && !(field.same_everywhere() && field.also.is_empty()) {
        return Err("Amazon Pay has one revision".into());
    }
    if position == Position::ParamsMessage && !field.same_everywhere() {
        return Err("a message has one revision".into());
    }
    if field.place == Place::Answer && (position != Position::Json || field.always()) {
        return Err("only an optional field of a shared struct is in answers alone".into());
    }
    if field.repeated && field.always() {
        return Err("a list may be empty".into());
    }
    if let Required::In(list) = &field.required
        && !list.iter().all(|dialect| field.exists_in(*dialect))
    {
        return Err("is demanded where it does not exist".into());
    }
    if field.max.is_some() && field.max_bytes.is_some() {
        return Err("`max` and `max_bytes` exclude each other".into());
    }
    if field.fixed.is_some()
        && (field.always() || field.ty != "String" || position != Position::ParamsMessage)
    {
        return Err("only an optional String of a message is fixed".into());
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

//! JSON schemas of fields, shared types and messages. Requests are closed; answers are open: more members
//! may come, optional ones may be null, and values of enumerations may be unknown.

use super::json::{Json, Object};
use crate::codegen::spec::{Field, Kind, Place, Service, Spec, Value};

/// Who writes an object, which decides how strict its schema is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Answer,
    /// Sent by the service by itself.
    Message,
}

/// The message whose JSON is the text `Message` of an SNS envelope.
const INNER: &str = "Notification";

/// Schemas of everything that the folder describes, and of what is built in.
pub(super) fn all(service: &Service) -> Object {
    let mut out = Object::new();
    for item in &service.items {
        let spec = &item.spec;
        out = match spec.kind {
            Kind::Enum => out.with(&spec.name, enumeration(spec)),
            Kind::Id => out.with(&spec.name, identifier(spec)),
            Kind::Message => out.with(&spec.name, described(service, spec, Side::Message)),
            Kind::Operation if body(spec).next().is_some() => {
                let fields: Vec<_> = body(spec).collect();
                let description = format!("The body of {}.", super::spaced(&spec.name));
                let schema = Object::new().with("description", description);
                let schema = schema.and(object(service, &fields, Side::Request));
                out.with(request_name(&spec.name), schema)
            }
            Kind::Operation => out,
            Kind::Struct => shared_struct(service, spec, out),
        };
    }
    out.with("Price", price(Side::Answer))
        .with(input_name("Price"), price(Side::Request))
        .with("Error", error())
}

/// The fields of a request that stand in its body.
pub(super) fn body(spec: &Spec) -> impl Iterator<Item = &Field> {
    spec.request.iter().filter(|field| field.place == Place::Body)
}

/// The schema of a request's body.
pub(super) fn request_name(operation: &str) -> String {
    format!("{operation}Request")
}

fn input_name(name: &str) -> String {
    format!("{name}Input")
}

pub(super) fn reference(name: &str) -> Object {
    Object::new().with("$ref", format!("#/components/schemas/{name}"))
}

/// A struct that both sides write has two schemas.
fn shared_struct(service: &Service, spec: &Spec, out: Object) -> Object {
    let asked = service.is_in_request(&spec.name);
    let answered = !asked || service.is_in_answer(&spec.name);
    let mut out = out;
    if answered {
        out = out.with(&spec.name, described(service, spec, Side::Answer));
    }
    if asked {
        out = out.with(input_name(&spec.name), described(service, spec, Side::Request));
    }
    out
}

fn described(service: &Service, spec: &Spec, side: Side) -> Object {
    let asked = |field: &&Field| side != Side::Request || field.is_asked();
    let fields: Vec<_> = spec.field.iter().filter(asked).collect();
    let description = Object::new().with("description", spec.doc.as_str());
    description.and(object(service, &fields, side))
}

fn object(service: &Service, fields: &[&Field], side: Side) -> Object {
    let always = fields.iter().filter(|field| field.always()).map(|field| field.name.as_str());
    let properties: Object =
        fields.iter().map(|it| (it.name.clone(), property(service, it, side).into())).collect();
    let out = Object::new()
        .with("type", "object")
        .with("properties", properties)
        .with_filled("required", always.collect::<Json>());
    match side {
        Side::Request => out.and(conditions(fields)).with("additionalProperties", false),
        Side::Answer | Side::Message => out.with("additionalProperties", true),
    }
}

/// Fields that are demanded beside or instead of another.
fn conditions(fields: &[&Field]) -> Object {
    let with: Object = fields
        .iter()
        .filter_map(|field| Some((field.required_with.clone()?, [field.name.as_str()].into())))
        .collect();
    let without: Json = fields
        .iter()
        .filter_map(|field| {
            let names = [field.name.as_str(), field.required_without.as_deref()?];
            let either = names.map(|name| Object::new().with("required", [name]));
            Some(Object::new().with("anyOf", either.into_iter().collect::<Json>()))
        })
        .collect();
    Object::new().with_filled("dependentRequired", with).with_filled("allOf", without)
}

fn property(service: &Service, field: &Field, side: Side) -> Object {
    let nullable = side != Side::Request && !field.always();
    let out = Object::new().with("description", description(field));
    if field.repeated {
        let items = value(service, field, side, false);
        return out.and(typed("array", nullable)).with("items", items);
    }
    let mut out = out.and(value(service, field, side, nullable));
    if side == Side::Message && field.name == "Message" && service.shared(INNER).is_some() {
        out = out
            .with("contentMediaType", "application/json")
            .with("contentSchema", reference(INNER));
    }
    match field.default.as_deref() {
        Some("false") if field.ty == "Bool" => out.with("default", false),
        Some("true") if field.ty == "Bool" => out.with("default", true),
        _ => out,
    }
}

fn description(field: &Field) -> String {
    let mut out = field.doc.clone();
    if let Some(max) = field.max_bytes {
        out += &format!(" At most {max} bytes.");
    }
    if let Some(default) = field.default.as_deref().filter(|_| field.ty != "Bool") {
        out += &format!(" Default: {default}.");
    }
    out
}

/// The schema of one value, without its description.
fn value(service: &Service, field: &Field, side: Side, nullable: bool) -> Object {
    let limit = field.max.or(field.max_bytes);
    let examples = field.example.as_deref().map(|example| Json::from([example]));
    let texts = |out: Object| out.with_some("maxLength", limit).with_some("examples", examples);
    let named = |name: &str| match nullable {
        true => {
            let null = Object::new().with("type", "null");
            Object::new().with("anyOf", [reference(name), null].into_iter().collect::<Json>())
        }
        false => reference(name),
    };
    let is_struct = field.ty == "Price"
        || service.shared(&field.ty).is_some_and(|item| item.spec.kind == Kind::Struct);
    match field.ty.as_str() {
        name if is_struct && side == Side::Request => named(&input_name(name)),
        name if is_struct => named(name),
        "Bool" => typed("boolean", nullable),
        "Integer" => typed("integer", nullable),
        "DateTime" if side == Side::Message => {
            texts(typed("string", nullable).with("format", "date-time"))
        }
        "DateTime" => texts(typed("string", nullable).with("pattern", TIMESTAMP)),
        "Sensitive" => texts(typed("string", nullable).with("x-sensitive", true)),
        name if service.shared(name).is_some() => texts(named(name)),
        _ => texts(typed("string", nullable)),
    }
}

/// `20230104T054209Z`.
pub(super) const TIMESTAMP: &str = r"^\d{8}T\d{6}Z$";

fn typed(name: &str, nullable: bool) -> Object {
    match nullable {
        true => Object::new().with("type", [name, "null"]),
        false => Object::new().with("type", name),
    }
}

/// A text whose known values stand beside it: the service may learn new ones, so they do not bind a
/// validator, and a client generator makes a plain text of it.
fn enumeration(spec: &Spec) -> Object {
    let known = spec.value.iter().map(|value| Json::from(value.name.as_str()));
    let meaning = |value: &Value| (value.name.clone(), Json::from(value.doc.as_str()));
    let meanings: Object = spec.value.iter().map(meaning).collect();
    Object::new()
        .with("description", spec.doc.as_str())
        .with("type", "string")
        .with("x-extensible-enum", known.collect::<Json>())
        .with("x-enum-descriptions", meanings)
}

fn identifier(spec: &Spec) -> Object {
    let out = Object::new().with("description", spec.doc.as_str()).with("type", "string");
    let examples = spec.example.as_deref().map(|example| Json::from([example]));
    let out = out.with("minLength", 1).with_some("examples", examples);
    if spec.sensitive { out.with("x-sensitive", true) } else { out }
}

/// In a request the amount may be a number too, as Amazon's client for .NET writes it.
fn price(side: Side) -> Object {
    let amount = Object::new()
        .with("description", "A decimal with a point, without separators of thousands.")
        .and(match side {
            Side::Request => Object::new().with("type", "string"),
            Side::Answer | Side::Message => Object::new().with("type", "string"),
        })
        .with("pattern", r"^\d+(\.\d+)?$")
        .with("examples", ["14.00"]);
    let currency = Object::new()
        .with("description", "The code of ISO 4217.")
        .with("type", "string")
        .with("pattern", "^[A-Z]{3}$")
        .with("examples", ["USD"]);
    Object::new()
        .with("description", "An amount of money.")
        .with("type", "object")
        .with("properties", Object::new().with("amount", amount).with("currencyCode", currency))
        .with("required", ["amount", "currencyCode"])
        .with("additionalProperties", side != Side::Request)
}

fn error() -> Object {
    let message = Object::new().with("description", "The reason in a sentence.");
    let message = message.with("type", ["string", "null"]);
    Object::new()
        .with("description", "A refusal. Some declines come without a body.")
        .with("type", "object")
        .with(
            "properties",
            Object::new().with("reasonCode", reference("ReasonCode")).with("message", message),
        )
        .with("additionalProperties", true)
}

//! The list of everything that is generated, for tests, and how to make a value of each; the tests
//! themselves are not generated.

use super::super::spec::{Dialect, Field, Format, Item, Kind, Place, Response, Service};
use super::{dialect_list, header};

/// `tests/generated/<service>.rs`.
pub(super) fn service(service: &Service) -> String {
    let title = "Everything that the spec describes, and a value of each.";
    let mut out = header(&format!("spec/{}", service.name), title);
    out += &format!("\nuse fps_model::{}::*;\n", service.name);
    out += "use crate::any::{Any, Source};\n";
    out += match service.format() {
        Format::Params => {
            "use crate::any::{VisitActions, VisitEnums, VisitParams};\nuse crate::{enumeration, params_message};\n\n"
        }
        Format::Json => {
            "use crate::any::{VisitDocuments, VisitEnums, VisitRoutes};\nuse crate::{document, enumeration};\n\n"
        }
    };
    let of = |kind: Kind| {
        let names = service.items.iter().filter(move |item| item.spec.kind == kind);
        names.map(|item| item.spec.name.as_str()).collect::<Vec<_>>()
    };
    let (messages, implement, operations) = match service.format() {
        Format::Params => ("VisitParams", "params_message", "VisitActions"),
        Format::Json => ("VisitDocuments", "document", "VisitRoutes"),
    };
    out += &list("every_operation", operations, &of(Kind::Operation));
    out += &list("every_message", messages, &of(Kind::Message));
    out += &list("every_enumeration", "VisitEnums", &of(Kind::Enum));
    for name in of(Kind::Enum) {
        out += &format!("enumeration!({name});\n");
    }
    for name in of(Kind::Message) {
        out += &format!("{implement}!({name});\n");
    }
    out.push('\n');
    for item in &service.items {
        out += &values(service, item);
    }
    out
}

fn list(name: &str, visitor: &str, types: &[&str]) -> String {
    let mut out = format!(
        "/// Visits each, in the order of their files.\npub(crate) fn {name}(visitor: &mut impl {visitor}) {{\n"
    );
    for ty in types {
        out += &format!("visitor.visit::<{ty}>();\n");
    }
    out + "}\n\n"
}

fn values(service: &Service, item: &Item) -> String {
    let spec = &item.spec;
    let request = service.format() == Format::Json || spec.kind != Kind::Struct;
    match spec.kind {
        Kind::Operation => {
            let mut out = value(
                service,
                &spec.name,
                &spec.request,
                spec.key.as_deref(),
                &spec.dialects,
                true,
            );
            if let Response::Own(fields) = &spec.response {
                let name = format!("{}Result", spec.name);
                out += &value(service, &name, fields, None, &[], false);
            }
            out
        }
        Kind::Struct | Kind::Message => value(service, &spec.name, &spec.field, None, &[], request),
        Kind::Enum | Kind::Id => String::new(),
    }
}

/// An `Any` of a struct: its constructor, and those of its setters that the source wants.
fn value(
    service: &Service,
    name: &str,
    fields: &[Field],
    key: Option<&str>,
    dialects: &[Dialect],
    positive: bool,
) -> String {
    let fields: Vec<_> = fields.iter().filter(|field| field.fixed.is_none()).collect();
    let is_key = |field: &Field| key == Some(field.name.as_str());
    let mut required: Vec<_> = fields.iter().filter(|field| field.always()).collect();
    required.sort_by_key(|field| !is_key(field));
    let arguments: Vec<_> = required.iter().map(|field| any(service, field, positive)).collect();
    let optional: Vec<_> = fields.iter().filter(|field| !field.always()).collect();
    let source = if fields.is_empty() { "_source" } else { "source" };
    let made = format!("Self::new({})", arguments.join(", "));
    let mut out = format!("impl Any for {name} {{\nfn any({source}: &mut Source) -> Self {{\n");
    if optional.is_empty() {
        return out + &made + "\n}\n}\n\n";
    }
    out += &format!("let mut value = {made};\n");
    for field in &optional {
        let exists: Vec<_> =
            Dialect::ALL.into_iter().filter(|dialect| field.exists_in(*dialect)).collect();
        let demanded: Vec<_> = exists
            .iter()
            .copied()
            .filter(|dialect| field.required_in(*dialect))
            .filter(|dialect| dialects.is_empty() || dialects.contains(dialect))
            .collect();
        let condition = match (exists.len() == Dialect::ALL.len(), demanded.is_empty()) {
            (true, true) => "source.wants()".to_owned(),
            (false, true) => format!("source.wants_in({})", dialect_list(&exists)),
            (_, false) => format!(
                "source.must_in({}) || source.wants_in({})",
                dialect_list(&demanded),
                dialect_list(&exists)
            ),
        };
        let (keyword, setter) = (if field.repeated { "while" } else { "if" }, field.rust_name());
        let condition =
            if field.repeated { condition.replace("wants", "wants_more") } else { condition };
        let condition = match field.is_asked() {
            true => condition,
            false => format!("source.answers() && {condition}"),
        };
        out += &format!(
            "{keyword} {condition} {{\nvalue = value.{setter}({});\n}}\n",
            any(service, field, positive)
        );
    }
    for field in &optional {
        let slot = field.rust_name();
        let find = |other: &String| fields.iter().find(|field| field.name == *other);
        if let Some(other) = field.required_with.as_ref().and_then(find) {
            out += &demanded(service, field, &slot, &format!("{}.is_some()", other.rust_name()));
        }
        if let Some(other) = field.required_without.as_ref().and_then(find) {
            out += &demanded(service, field, &slot, &format!("{}.is_none()", other.rust_name()));
        }
    }
    out + "value\n}\n}\n\n"
}

fn demanded(service: &Service, field: &Field, slot: &str, other: &str) -> String {
    format!(
        "if value.{slot}.is_none() && value.{other} {{\nvalue = value.{slot}({});\n}}\n",
        any(service, field, true)
    )
}

/// A value of a field's type.
fn any(service: &Service, field: &Field, positive: bool) -> String {
    let json = service.format() == Format::Json;
    let most = field.max.or(field.max_bytes.map(|bytes| bytes / 4)).unwrap_or(40).min(200);
    let shared = service.shared(&field.ty).map(|item| item.spec.kind);
    match (field.ty.as_str(), shared) {
        (ty, Some(Kind::Struct)) if positive => format!("source.full::<{ty}>()"),
        (ty, Some(Kind::Struct)) => format!("{ty}::any(source)"),
        (ty, Some(Kind::Enum)) => format!("source.pick::<{ty}>()"),
        (_, Some(_)) if field.place == Place::Path => format!("source.plain({most})"),
        ("Amount" | "Price", _) if positive && !json => "source.amount()".to_owned(),
        ("Amount" | "Price", _) if json => "source.price()".to_owned(),
        ("Amount" | "Price", _) => "source.signed_amount()".to_owned(),
        ("AmountText", _) => "source.amount()".to_owned(),
        ("DollarText", _) => "source.dollars()".to_owned(),
        ("DateTime", _) if json => "source.second()".to_owned(),
        ("DateTime", _) => "source.time()".to_owned(),
        ("EpochSeconds", _) => "source.second()".to_owned(),
        ("Integer", _) => "source.integer()".to_owned(),
        ("Decimal", _) => "source.decimal()".to_owned(),
        ("Bool", _) => "source.coin()".to_owned(),
        ("CallerReference", _) => "source.caller_reference()".to_owned(),
        ("IdempotencyKey", _) => "source.idempotency_key()".to_owned(),
        _ => format!("source.text({most})"),
    }
}

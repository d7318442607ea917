//! `docs/reference/amazon-pay.openapi.json`: the operations of Amazon Pay in OpenAPI 3.1, written from the
//! spec.

mod json;
mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::json::{Json, Object};
use super::spec::{Field, Kind, Place, Replay, Response, Service, Spec, Value};
use crate::Outcome;

/// A header that requests have.
struct Header {
    /// Its name among the components.
    component: &'static str,
    name: &'static str,
    required: bool,
    doc: &'static str,
    pattern: &'static str,
    max: Option<usize>,
}

/// Headers of every request; `Authorization` is a security scheme in OpenAPI.
const HEADERS: [Header; 4] = [
    Header {
        component: "Date",
        name: "x-amz-pay-date",
        required: true,
        doc: "When the request was signed, in UTC. Signed.",
        pattern: schema::TIMESTAMP,
        max: None,
    },
    Header {
        component: "Host",
        name: "x-amz-pay-host",
        required: true,
        doc: "The host that the request is sent to. Signed.",
        pattern: "^.+$",
        max: None,
    },
    Header {
        component: "Region",
        name: "x-amz-pay-region",
        required: true,
        doc: "The region of the host. Signed.",
        pattern: "^(na|eu|jp)$",
        max: None,
    },
    Header {
        component: "SimulationCode",
        name: "x-amz-pay-simulation-code",
        required: false,
        doc: "In the sandbox only: the outcome that the operation is to have.",
        pattern: "^[A-Za-z]+$",
        max: None,
    },
];

/// The header of an operation that is repeated by its key.
const KEY: Header = Header {
    component: "IdempotencyKey",
    name: "x-amz-pay-idempotency-key",
    required: true,
    doc: "The key of the request: the same content under the same key is done once and answered alike, \
          other content is refused. Signed.",
    pattern: "^[A-Za-z0-9_-]+$",
    max: Some(32),
};

/// The file, by its path under the root.
pub(super) fn file(service: &Service) -> Outcome<(PathBuf, String)> {
    let source = format!("crates/fps-model/spec/{}", service.name);
    let note = format!("By `{}` from {source}. Do not edit.", super::COMMAND);
    let signed = Object::new().with("signature", Json::List(Vec::new()));
    let document = Object::new()
        .with("openapi", "3.1.0")
        .with("x-generated", note)
        .with("info", info())
        .with("servers", servers())
        .with("security", list([signed]))
        .with("paths", paths(service)?)
        .with_filled("webhooks", webhooks(service))
        .with("components", components(service)?);
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok((PathBuf::from("docs/reference/amazon-pay.openapi.json"), text))
}

fn list(values: impl IntoIterator<Item = Object>) -> Json {
    values.into_iter().collect()
}

fn info() -> Object {
    Object::new().with("title", "Amazon Pay API v2").with("version", "2").with(
        "description",
        "Charges and refunds, as this project knows them. \
             What the service writes may have more members than are listed here, members that are \
             not required may be null, and lists of values are not closed.",
    )
}

/// Where the service is; a key without `LIVE` or `SANDBOX` at its start needs the environment in the path.
fn servers() -> Json {
    let regions = [
        ("North America", "https://pay-api.amazon.com"),
        ("Europe", "https://pay-api.amazon.eu"),
        ("Japan", "https://pay-api.amazon.jp"),
    ];
    let environment = || {
        Object::new()
            .with("enum", ["live", "sandbox"])
            .with("default", "live")
            .with("description", "Where the objects live.")
    };
    let plain = regions.map(|(region, url)| {
        let description =
            format!("{region}, for a public key id that begins with LIVE or SANDBOX.");
        Object::new().with("url", url).with("description", description)
    });
    let prefixed = regions.map(|(region, url)| {
        Object::new()
            .with("url", format!("{url}/{{environment}}"))
            .with("description", format!("{region}, for any other public key id."))
            .with("variables", Object::new().with("environment", environment()))
    });
    list(plain.into_iter().chain(prefixed))
}

/// The operations by path, then by method.
fn paths(service: &Service) -> Outcome<Object> {
    let mut paths: BTreeMap<&str, Object> = BTreeMap::new();
    for item in service.items.iter().filter(|item| item.spec.kind == Kind::Operation) {
        let spec = &item.spec;
        let path = spec.path.as_deref().unwrap_or_default();
        let method = spec.method.as_deref().unwrap_or_default().to_lowercase();
        let methods = paths.remove(path).unwrap_or_default();
        paths.insert(path, methods.with(method, operation(service, spec)?));
    }
    Ok(paths.into_iter().map(|(path, methods)| (format!("/v2{path}"), methods.into())).collect())
}

fn operation(service: &Service, spec: &Spec) -> Outcome<Object> {
    let path = spec.path.as_deref().unwrap_or_default();
    let tag = path.split('/').nth(1).unwrap_or_default();
    let replay = match spec.replay {
        Some(Replay::Safe) => "safe",
        Some(Replay::ByKey) => "by-key",
        Some(Replay::Never) | None => "never",
    };
    let mut out = Object::new()
        .with("operationId", lower_first(&spec.name))
        .with("summary", spaced(&spec.name))
        .with("description", spec.doc.as_str())
        .with("tags", [tag])
        .with("x-replay", replay)
        .with("parameters", parameters(spec));
    if schema::body(spec).next().is_some() {
        let name = schema::request_name(&spec.name);
        let body = Object::new().with("required", true);
        out = out.with("requestBody", body.with("content", json(schema::reference(&name))));
    }
    Ok(out.with("responses", responses(service, spec)?))
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// `CreateRefund` to `Create Refund`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(letter);
    }
    out
}

/// The content of a body.
fn json(schema: Object) -> Object {
    Object::new().with("application/json", Object::new().with("schema", schema))
}

fn parameters(spec: &Spec) -> Json {
    let component =
        |name: &str| Object::new().with("$ref", format!("#/components/parameters/{name}"));
    let own = spec.request.iter().filter_map(|field| match field.place {
        Place::Body | Place::Answer => None,
        Place::Path => Some(in_path(field)),
        Place::Header => Some(component(KEY.component)),
    });
    list(own.chain(HEADERS.iter().map(|header| component(header.component))))
}

fn in_path(field: &Field) -> Object {
    Object::new()
        .with("name", field.name.as_str())
        .with("in", "path")
        .with("required", true)
        .with("description", field.doc.as_str())
        .with("schema", schema::reference(&field.ty))
}

/// Every status that is answered, with what it means.
fn responses(service: &Service, spec: &Spec) -> Outcome<Object> {
    let Response::Shared(name) = &spec.response else {
        return Err(format!("{} answers no shared struct", spec.name).into());
    };
    let doc = service.shared(name).map_or("", |item| item.spec.doc.as_str());
    let mut out = Object::new();
    for (index, status) in spec.success.iter().enumerate() {
        let usual = if index == 0 { "" } else { "Not the usual status. " };
        let response = answer(&format!("{usual}{doc}"), schema::reference(name));
        out = out.with(status.to_string(), response);
    }
    let common = reasons(service, |value| value.common)?;
    let own = reasons(service, |value| spec.errors.contains(&value.name))?;
    let both = reasons(service, |value| value.common || spec.errors.contains(&value.name))?;
    for (status, values) in both {
        let response = match common.contains_key(&status) && !own.contains_key(&status) {
            true => Object::new().with("$ref", format!("#/components/responses/Refused{status}")),
            false => refusal(&values),
        };
        out = out.with(status, response);
    }
    let other = Object::new().with("$ref", "#/components/responses/Refused");
    Ok(out.with("default", other))
}

/// Reasons by the status that their description begins with.
fn reasons(
    service: &Service,
    wanted: impl Fn(&Value) -> bool,
) -> Outcome<BTreeMap<&str, Vec<&Value>>> {
    let mut out: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let codes = service.shared("ReasonCode").ok_or("there is no ReasonCode")?;
    for value in codes.spec.value.iter().filter(|value| wanted(value)) {
        let status = value.doc.split(':').next().unwrap_or_default();
        if status.len() != 3 || status.parse::<u16>().is_err() {
            return Err(format!("ReasonCode: {} does not begin with its status", value.name).into());
        }
        out.entry(status).or_default().push(value);
    }
    Ok(out)
}

fn refusal(values: &[&Value]) -> Object {
    let lines = values.iter().map(|value| {
        let meaning = value.doc.split_once(": ").map_or(value.doc.as_str(), |(_, text)| text);
        format!("- `{}`: {meaning}", value.name)
    });
    let description = lines.collect::<Vec<_>>().join("\n");
    let names = values.iter().map(|value| value.name.as_str());
    answer(&description, schema::reference("Error")).with("x-reason-codes", names.collect::<Json>())
}

fn answer(description: &str, schema: Object) -> Object {
    let id = Object::new().with("$ref", "#/components/headers/RequestId");
    Object::new()
        .with("description", description)
        .with("headers", Object::new().with("x-amz-pay-request-id", id))
        .with("content", json(schema))
}

/// What the service sends by itself.
fn webhooks(service: &Service) -> Object {
    let Some(item) = service.shared("SnsEnvelope") else { return Object::new() };
    let content = Object::new().with("schema", schema::reference(&item.spec.name));
    let body = Object::new()
        .with("required", true)
        .with("content", Object::new().with("text/plain; charset=UTF-8", content));
    let taken = "Taken. Answer before the work is done.";
    let post = Object::new()
        .with("operationId", "receiveNotification")
        .with("description", item.spec.doc.as_str())
        .with("security", Json::List(Vec::new()))
        .with("requestBody", body)
        .with("responses", Object::new().with("200", Object::new().with("description", taken)));
    Object::new().with("notification", Object::new().with("post", post))
}

fn header(header: &Header) -> Object {
    let text = Object::new().with("type", "string").with("pattern", header.pattern);
    Object::new()
        .with("name", header.name)
        .with("in", "header")
        .with("required", header.required)
        .with("description", header.doc)
        .with("schema", text.with_some("maxLength", header.max))
}

fn components(service: &Service) -> Outcome<Object> {
    let parameters: Object = HEADERS
        .iter()
        .chain([&KEY])
        .map(|it| (it.component.to_owned(), header(it).into()))
        .collect();
    let mut responses = Object::new()
        .with("Refused", answer("Refused for another reason.", schema::reference("Error")));
    for (status, values) in reasons(service, |value| value.common)? {
        responses = responses.with(format!("Refused{status}"), refusal(&values));
    }
    let request_id = Object::new()
        .with("description", "Names the answer.")
        .with("schema", Object::new().with("type", "string"));
    let signature = Object::new()
        .with("type", "apiKey")
        .with("in", "header")
        .with("name", "Authorization")
        .with(
            "description",
            "`AMZN-PAY-RSASSA-PSS-V2 PublicKeyId=…, SignedHeaders=a;b;c, Signature=…`: the base64 of an \
             RSASSA-PSS signature (SHA-256, 32 bytes of salt) of the canonical request. The older \
             `AMZN-PAY-RSASSA-PSS` has 20 bytes of salt.",
        );
    Ok(Object::new()
        .with("securitySchemes", Object::new().with("signature", signature))
        .with("parameters", parameters)
        .with("headers", Object::new().with("RequestId", request_id))
        .with("responses", responses)
        .with("schemas", schema::all(service)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value as Any;

    use super::file;
    use crate::codegen::spec;

    fn document() -> Any {
        let services = spec::read(&crate::root().join("crates/fps-model/spec")).unwrap();
        let service = services.iter().find(|service| service.name == "amazon_pay").unwrap();
        serde_json::from_str(&file(service).unwrap().1).unwrap()
    }

    /// Every value of the members with this name, however deep.
    fn members<'d>(value: &'d Any, name: &str, found: &mut Vec<&'d Any>) {
        match value {
            Any::Array(list) => list.iter().for_each(|value| members(value, name, found)),
            Any::Object(object) => {
                found.extend(object.get(name));
                object.values().for_each(|value| members(value, name, found));
            }
            _ => {}
        }
    }

    #[test]
    fn every_reference_has_a_target_and_every_schema_is_referred_to() {
        let document = document();
        let mut references = Vec::new();
        members(&document, "$ref", &mut references);
        let references: BTreeSet<&str> =
            references.into_iter().map(|text| text.as_str().unwrap()).collect();
        for reference in &references {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{reference}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let reference = format!("#/components/schemas/{name}");
            assert!(references.contains(reference.as_str()), "{name} is used nowhere");
        }
    }

    #[test]
    fn requests_are_closed_and_answers_are_open() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas {
            let closed = name.ends_with("Request") || name.ends_with("Input");
            let Some(additional) = schema.get("additionalProperties") else { continue };
            assert_eq!(additional, &Any::from(!closed), "{name}");
        }
        let refund = &schemas["Refund"];
        let required = refund["required"].as_array().unwrap();
        assert!(required.contains(&Any::from("refundId")));
        let nullable = &refund["properties"]["softDescriptor"]["type"];
        assert_eq!(nullable, &Any::from(vec!["string", "null"]));
        let state = &schemas["RefundState"];
        assert!(state["x-extensible-enum"].as_array().unwrap().contains(&Any::from("Refunded")));
        assert!(state.get("enum").is_none(), "an unknown state is valid");
    }

    #[test]
    fn refusals_stand_at_their_status() {
        let document = document();
        let responses = &document["paths"]["/v2/refunds"]["post"]["responses"];
        assert!(responses["201"]["content"]["application/json"].is_object());
        let codes = responses["422"]["x-reason-codes"].as_array().unwrap();
        assert!(codes.contains(&Any::from("InvalidChargeStatus")));
        assert!(!codes.contains(&Any::from("TransactionAmountExceeded")));
    }
}

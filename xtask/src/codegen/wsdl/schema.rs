//! The schema inside the WSDL: an element for every request, answer and result, and the types they use.

use std::collections::BTreeSet;

use super::REVISION;
use super::markup::Markup;
use crate::codegen::spec::{Field, Item, Kind, Response, Service, Spec};

/// Types that Amazon spells otherwise than Rust does.
const SPELLED: [(&str, &str); 2] = [("CsOwner", "CSOwner"), ("FpsOperation", "FPSOperation")];

/// Writes the schema of these operations.
pub(super) fn write(xml: &mut Markup, service: &Service, operations: &[&Item]) {
    let namespace = REVISION.namespace();
    // Declared again, because tools take the schema out of the file.
    let attributes = [
        ("targetNamespace", namespace.as_str()),
        ("xmlns:xs", "http://www.w3.org/2001/XMLSchema"),
        ("xmlns:tns", namespace.as_str()),
        ("elementFormDefault", "qualified"),
    ];
    xml.open("xs:schema", &attributes);
    for item in operations {
        request(xml, service, &item.spec);
        response(xml, service, &item.spec);
    }
    built_in(xml);
    let used = used_types(service, operations);
    let shared = service.items.iter().filter(|item| used.contains(item.spec.name.as_str()));
    for item in shared {
        match item.spec.kind {
            Kind::Enum => enumeration(xml, &item.spec),
            Kind::Struct => {
                xml.open("xs:complexType", &[("name", wire_name(&item.spec.name))]);
                annotation(xml, &item.spec.doc);
                sequence(xml, service, &item.spec.field, false);
                xml.close();
            }
            Kind::Operation | Kind::Message | Kind::Id => {}
        }
    }
    envelope(xml);
    xml.close();
}

fn wire_name(name: &str) -> &str {
    SPELLED.iter().find(|(rust, _)| *rust == name).map_or(name, |(_, wire)| wire)
}

/// Names of the shared types that the operations hold, directly or not.
fn used_types<'s>(service: &'s Service, operations: &[&'s Item]) -> BTreeSet<&'s str> {
    let mut used = BTreeSet::new();
    let mut waiting: Vec<&Field> = Vec::new();
    for item in operations {
        waiting.extend(&item.spec.request);
        waiting.extend(answered(&item.spec));
    }
    while let Some(field) = waiting.pop() {
        let shared = service.shared(&field.ty).filter(|_| field.exists_in(REVISION));
        if let Some(item) = shared
            && used.insert(item.spec.name.as_str())
        {
            waiting.extend(&item.spec.field);
        }
    }
    used
}

/// What an action answers; without such fields there is no result.
fn answered(spec: &Spec) -> &[Field] {
    match &spec.response {
        Response::Own(fields) => fields,
        Response::Shared(_) => &[],
    }
}

/// Does the revision have any of the fields?
fn any_exists(fields: &[Field]) -> bool {
    fields.iter().any(|field| field.exists_in(REVISION))
}

fn request(xml: &mut Markup, service: &Service, spec: &Spec) {
    xml.open("xs:element", &[("name", &spec.name)]);
    annotation(xml, &spec.doc);
    if any_exists(&spec.request) {
        xml.open("xs:complexType", &[]);
        sequence(xml, service, &spec.request, true);
        xml.close();
    } else {
        xml.empty("xs:complexType", &[]);
    }
    xml.close();
}

fn response(xml: &mut Markup, service: &Service, spec: &Spec) {
    let has_result = any_exists(answered(spec));
    let result = format!("{}Result", spec.name);
    open_element(xml, &format!("{}Response", spec.name));
    if has_result {
        xml.empty("xs:element", &[("ref", &format!("tns:{result}")), ("minOccurs", "0")]);
    }
    xml.empty("xs:element", &[("ref", "tns:ResponseMetadata")]);
    close_element(xml);
    if has_result {
        xml.open("xs:element", &[("name", &result)]);
        xml.open("xs:complexType", &[]);
        sequence(xml, service, answered(spec), false);
        xml.close();
        xml.close();
    }
}

/// Begins a global element that holds a sequence.
fn open_element(xml: &mut Markup, name: &str) {
    xml.open("xs:element", &[("name", name)]);
    xml.open("xs:complexType", &[]);
    xml.open("xs:sequence", &[]);
}

fn close_element(xml: &mut Markup) {
    xml.close();
    xml.close();
    xml.close();
}

fn annotation(xml: &mut Markup, text: &str) {
    xml.open("xs:annotation", &[]);
    xml.text("xs:documentation", text);
    xml.close();
}

fn sequence(xml: &mut Markup, service: &Service, fields: &[Field], is_request: bool) {
    xml.open("xs:sequence", &[]);
    for it in fields.iter().filter(|field| field.exists_in(REVISION)) {
        field(xml, service, it, is_request);
    }
    xml.close();
}

fn field(xml: &mut Markup, service: &Service, field: &Field, is_request: bool) {
    let ty = type_name(service, field);
    let mut attributes = vec![("name", field.name_in(REVISION)), ("type", &ty)];
    let default = field.default.as_deref().filter(|value| is_value(service, field, value));
    attributes.extend(default.map(|value| ("default", value)));
    if is_request || !field.required_in(REVISION) {
        attributes.push(("minOccurs", "0"));
    }
    if field.repeated {
        attributes.push(("maxOccurs", "unbounded"));
    }
    xml.open("xs:element", &attributes);
    let notes = if is_request { notes(service, field) } else { String::new() };
    annotation(xml, &format!("{}{notes}", field.doc));
    xml.close();
}

/// What the schema cannot say of a parameter.
fn notes(service: &Service, field: &Field) -> String {
    let mut out = String::new();
    if field.required_in(REVISION) {
        out += " Required.";
    }
    if let Some(other) = &field.required_with {
        out += &format!(" Required with {other}.");
    }
    if let Some(other) = &field.required_without {
        out += &format!(" Required without {other}.");
    }
    if let Some(max) = field.max {
        out += &format!(" At most {max} characters.");
    }
    if let Some(max) = field.max_bytes {
        out += &format!(" At most {max} bytes.");
    }
    let default = field.default.as_deref().filter(|value| !is_value(service, field, value));
    if let Some(default) = default {
        out += &format!(" Default: {default}.");
    }
    out
}

/// Is the default one of the values of the field's enumeration?
fn is_value(service: &Service, field: &Field, default: &str) -> bool {
    let shared = service.shared(&field.ty);
    shared.is_some_and(|item| item.spec.value.iter().any(|value| value.name == default))
}

fn type_name(service: &Service, field: &Field) -> String {
    let shared = service.shared(&field.ty).map(|item| item.spec.kind);
    match (shared, field.ty.as_str()) {
        (Some(Kind::Enum | Kind::Struct), name) => format!("tns:{}", wire_name(name)),
        (_, "Amount") => "tns:Amount".to_owned(),
        (_, "DateTime") => "xs:dateTime".to_owned(),
        (_, "Decimal") => "xs:decimal".to_owned(),
        (_, "Integer") => "xs:integer".to_owned(),
        _ => "xs:string".to_owned(),
    }
}

fn enumeration(xml: &mut Markup, spec: &Spec) {
    open_simple(xml, wire_name(&spec.name), &spec.doc);
    for value in spec.value.iter().filter(|value| value.exists_in(REVISION)) {
        xml.open("xs:enumeration", &[("value", &value.name)]);
        annotation(xml, &value.doc);
        xml.close();
    }
    xml.close();
    xml.close();
}

fn open_simple(xml: &mut Markup, name: &str, doc: &str) {
    xml.open("xs:simpleType", &[("name", name)]);
    annotation(xml, doc);
    xml.open("xs:restriction", &[("base", "xs:string")]);
}

/// Types that have no file in the spec.
fn built_in(xml: &mut Markup) {
    open_simple(xml, "CurrencyCode", "US dollars; the service knows no other currency.");
    xml.empty("xs:enumeration", &[("value", "USD")]);
    xml.close();
    xml.close();
    xml.open("xs:complexType", &[("name", "Amount")]);
    annotation(xml, "An amount of money. The value is a decimal with a point: 1.00.");
    xml.open("xs:sequence", &[]);
    xml.empty("xs:element", &[("name", "CurrencyCode"), ("type", "tns:CurrencyCode")]);
    xml.empty("xs:element", &[("name", "Value"), ("type", "xs:string")]);
    xml.close();
    xml.close();
}

/// What stands around every answer.
fn envelope(xml: &mut Markup) {
    open_element(xml, "ResponseMetadata");
    xml.empty("xs:element", &[("name", "RequestId"), ("type", "xs:string")]);
    close_element(xml);
    open_element(xml, "ErrorResponse");
    xml.empty("xs:element", &[("ref", "tns:Error"), ("maxOccurs", "unbounded")]);
    xml.empty("xs:element", &[("name", "RequestId"), ("type", "xs:string")]);
    close_element(xml);
    open_element(xml, "Error");
    xml.open("xs:element", &[("name", "Type")]);
    xml.open("xs:simpleType", &[]);
    xml.open("xs:restriction", &[("base", "xs:string")]);
    xml.empty("xs:enumeration", &[("value", "Receiver")]);
    xml.empty("xs:enumeration", &[("value", "Sender")]);
    close_element(xml);
    xml.empty("xs:element", &[("name", "Code"), ("type", "xs:string")]);
    xml.empty("xs:element", &[("name", "Message"), ("type", "xs:string")]);
    xml.open("xs:element", &[("name", "Detail"), ("minOccurs", "0")]);
    xml.open("xs:complexType", &[]);
    xml.open("xs:sequence", &[]);
    let any = [("namespace", "##any"), ("processContents", "lax")];
    let times = [("minOccurs", "0"), ("maxOccurs", "unbounded")];
    xml.empty("xs:any", &[any, times].concat());
    xml.close();
    xml.empty("xs:anyAttribute", &[("namespace", "##other"), ("processContents", "lax")]);
    xml.close();
    xml.close();
    close_element(xml);
}

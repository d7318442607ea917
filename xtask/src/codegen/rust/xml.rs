//! Elements of FPS answers: how they are read and written; no parameter is known here.

use super::super::spec::{Field, Kind, Service, Spec};
use super::fields::answered;

/// How the fields of an answer are read and written.
pub(super) fn result_element(
    service: &Service,
    spec: &Spec,
    name: &str,
    fields: &[Field],
) -> String {
    let absent = if fields.iter().any(Field::always) { "None" } else { "Some(Self::new())" };
    let wrapped = match &spec.wrapped {
        Some(wrapper) => format!("Some({wrapper:?})"),
        None => "None".to_owned(),
    };
    let write = write(service, "", fields);
    let write = match fields.is_empty() {
        true => write.replace("(&self, xml:", "(&self, _xml:"),
        false => write,
    };
    format!(
        "impl ResultElement for {name} {{\nconst WRAPPED: Option<&'static str> = {wrapped};\n\
         const EMPTY: bool = {empty};\n\n\
         fn absent() -> Option<Self> {{\n{absent}\n}}\n\n{}\n{write}}}\n\n",
        read(service, "", fields),
        empty = fields.is_empty(),
    )
}

/// How a struct inside an answer is read and written.
pub(super) fn shared_struct(service: &Service, spec: &Spec) -> String {
    format!(
        "impl {} {{\n{}\n{}}}\n",
        spec.name,
        read(service, "pub(super) ", &spec.field),
        write(service, "pub(super) ", &spec.field)
    )
}

fn is_struct(service: &Service, field: &Field) -> bool {
    service.shared(&field.ty).is_some_and(|item| item.spec.kind == Kind::Struct)
}

fn read(service: &Service, visibility: &str, fields: &[Field]) -> String {
    let mut out =
        format!("{visibility}fn read(xml: &mut xml::Reader<'_>) -> Result<Self, DecodeError> {{\n");
    if fields.is_empty() {
        out += "while xml.next_child()?.is_some() {\nxml.other()?;\n}\nOk(Self {})\n}\n";
        return out;
    }
    for field in fields {
        let empty = if field.repeated { "Vec::new()" } else { "None" };
        out += &format!("let mut {} = {empty};\n", field.rust_name());
    }
    if fields.iter().any(|field| !field.same_everywhere()) {
        out += "let dialect = xml.dialect();\n";
    }
    out += "while let Some(child) = xml.next_child()? {\nmatch child {\n";
    for field in fields {
        let slot = field.rust_name();
        let call = match (is_struct(service, field), field.repeated, field.ty.as_str()) {
            (true, true, ty) => format!("xml.repeated(&mut {slot}, {ty}::read)"),
            (true, false, ty) => format!("xml.nested(&mut {slot}, {ty}::read)"),
            (false, true, _) => format!("xml.scalars(&mut {slot})"),
            (false, false, "Amount") => format!("xml.amount(&mut {slot})"),
            (false, false, _) => format!("xml.scalar(&mut {slot})"),
        };
        let names: Vec<_> = field.spellings().iter().map(|name| format!("{name:?}")).collect();
        out += &match field.same_everywhere() {
            true => format!("{} => {call}?,\n", names.join(" | ")),
            false => format!("name if {}.is_spelled(name, dialect) => {call}?,\n", answered(field)),
        };
    }
    out += "_ => xml.other()?,\n}\n}\nOk(Self {\n";
    for field in fields {
        let slot = field.rust_name();
        out += &match field.always() {
            true => format!("{slot}: xml.required({slot}, {:?})?,\n", field.name),
            false => format!("{slot},\n"),
        };
    }
    out += "})\n}\n";
    out
}

fn write(service: &Service, visibility: &str, fields: &[Field]) -> String {
    let mut out = format!("{visibility}fn write(&self, xml: &mut xml::Writer) {{\n");
    for field in fields {
        let value = format!("self.{}", field.rust_name());
        if field.same_everywhere() {
            out += &write_field(service, field, &format!("{:?}", field.name), &value);
        } else {
            out += &format!("if let Some(name) = xml.spelling(&{}) {{\n", answered(field));
            out += &write_field(service, field, "name", &value);
            out += "}\n";
        }
    }
    out += "}\n";
    out
}

fn write_field(service: &Service, field: &Field, name: &str, value: &str) -> String {
    match (is_struct(service, field), field.repeated, field.always()) {
        (true, true, _) => {
            format!("for one in &{value} {{\nxml.element({name}, |xml| one.write(xml));\n}}\n")
        }
        (true, false, true) => format!("xml.element({name}, |xml| {value}.write(xml));\n"),
        (true, false, false) => format!(
            "if let Some(one) = &{value} {{\nxml.element({name}, |xml| one.write(xml));\n}}\n"
        ),
        (false, true, _) => format!("for one in &{value} {{\nxml.scalar({name}, one);\n}}\n"),
        (false, false, true) if field.ty == "Amount" => format!("xml.amount({name}, {value});\n"),
        (false, false, false) if field.ty == "Amount" => {
            format!("xml.optional_amount({name}, {value});\n")
        }
        (false, false, true) => format!("xml.scalar({name}, &{value});\n"),
        (false, false, false) => format!("xml.optional({name}, {value}.as_ref());\n"),
    }
}

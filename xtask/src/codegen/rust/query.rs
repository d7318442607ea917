//! Flexible Payments Service: parameters in, XML out, and notifications as parameters.

use super::super::names::snake;
use super::super::spec::{Field, Kind, Service, Spec};
use super::{operation_head, read_field, write_fields};

/// The two halves of an action.
pub(super) fn operation(spec: &Spec, answer: &str) -> String {
    let mutable = if spec.request.is_empty() { "" } else { "mut " };
    let mut out = operation_head(spec, "FlexiblePaymentsApi", answer);
    out += &format!(
        "fn encode(&self, dialect: Dialect) -> Result<Params, EncodeError> {{\n\
         let {mutable}out = params::Writer::action(Self::ACTION, dialect);\n"
    );
    out += &write_fields(spec.request.iter(), "out");
    out += &format!(
        "Ok(out.finish())\n}}\n\n\
         fn decode(body: &[u8]) -> Result<Answer<{answer}>, DecodeError> {{\n\
         read_answer(body, Self::ACTION)\n}}\n}}\n\n\
         impl Serve for {} {{\n\
         fn read(params: &Params, _dialect: Dialect) -> Result<Self, DecodeError> {{\n\
         let {mutable}fields = params.fields();\nlet request = Self {{\n",
        spec.name
    );
    out += &read_fields(&spec.request);
    out += &format!(
        "}};\nfields.finish()?;\nOk(request)\n}}\n\n\
         fn write_answer(answer: &Answer<{answer}>, dialect: Dialect) -> Vec<u8> {{\n\
         write_answer(answer, Self::ACTION, dialect)\n}}\n}}\n"
    );
    out
}

/// How the `…Result` of an answer is read and written.
pub(super) fn result_element(service: &Service, name: &str, fields: &[Field]) -> String {
    let absent = if fields.is_empty() { "Some(Self {})" } else { "None" };
    let write = write_xml(service, "", fields);
    let write = match fields.is_empty() {
        true => write.replace("(&self, xml:", "(&self, _xml:"),
        false => write,
    };
    format!(
        "impl ResultElement for {name} {{\nfn absent() -> Option<Self> {{\n{absent}\n}}\n\n\
         {}\n{write}}}\n\n",
        read_xml(service, "", fields)
    )
}

/// How a struct inside an answer is read and written.
pub(super) fn shared_struct(service: &Service, spec: &Spec) -> String {
    format!(
        "impl {} {{\n{}\n{}}}\n",
        spec.name,
        read_xml(service, "pub(super) ", &spec.field),
        write_xml(service, "pub(super) ", &spec.field)
    )
}

/// How a notification is read and written.
pub(super) fn notification(spec: &Spec) -> String {
    let mut out = format!(
        "impl {} {{\n/// Writes the parameters, without the signature.\n///\n/// # Errors\n\
         /// [`EncodeError`] when a field breaks a limit.\n\
         pub fn to_params(&self) -> Result<Params, EncodeError> {{\n\
         let mut out = params::Writer::default();\n",
        spec.name
    );
    out += &write_fields(spec.field.iter(), "out");
    out += "Ok(out.finish())\n}\n\n/// Reads the parameters, whatever else is among them.\n///\n\
            /// # Errors\n/// [`DecodeError`] names the field.\n\
            pub fn from_params(params: &Params) -> Result<Self, DecodeError> {\n\
            let mut fields = params.fields();\n";
    for field in &spec.field {
        if let Some(fixed) = &field.fixed {
            out += &format!("fields.fixed({:?}, {fixed:?})?;\n", field.name);
        }
    }
    out += "Ok(Self {\n";
    out += &read_fields(&spec.field);
    out += "})\n}\n}\n";
    out
}

fn read_fields(fields: &[Field]) -> String {
    let own = fields.iter().filter(|field| field.fixed.is_none());
    own.map(|field| format!("{}: {},\n", snake(&field.name), read_field(field))).collect()
}

fn is_struct(service: &Service, field: &Field) -> bool {
    service.shared(&field.ty).is_some_and(|item| item.spec.kind == Kind::Struct)
}

fn read_xml(service: &Service, visibility: &str, fields: &[Field]) -> String {
    let mut out =
        format!("{visibility}fn read(xml: &mut xml::Reader<'_>) -> Result<Self, DecodeError> {{\n");
    if fields.is_empty() {
        out += "while xml.next_child()?.is_some() {\nxml.skip()?;\n}\nOk(Self {})\n}\n";
        return out;
    }
    for field in fields {
        let empty = if field.repeated { "Vec::new()" } else { "None" };
        out += &format!("let mut {} = {empty};\n", snake(&field.name));
    }
    out += "while let Some(name) = xml.next_child()? {\nmatch name {\n";
    for field in fields {
        let slot = snake(&field.name);
        let call = match (is_struct(service, field), field.repeated, field.ty.as_str()) {
            (true, true, ty) => format!("xml.repeated(&mut {slot}, {ty}::read)"),
            (true, false, ty) => format!("xml.nested(&mut {slot}, {ty}::read)"),
            (false, _, "Amount") => format!("xml.amount(&mut {slot})"),
            (false, ..) => format!("xml.scalar(&mut {slot})"),
        };
        out += &format!("{:?} => {call}?,\n", field.name);
    }
    out += "_ => xml.skip()?,\n}\n}\nOk(Self {\n";
    for field in fields {
        let slot = snake(&field.name);
        out += &match field.required {
            true => format!("{slot}: xml.required({slot}, {:?})?,\n", field.name),
            false => format!("{slot},\n"),
        };
    }
    out += "})\n}\n";
    out
}

fn write_xml(service: &Service, visibility: &str, fields: &[Field]) -> String {
    let mut out = format!("{visibility}fn write(&self, xml: &mut xml::Writer) {{\n");
    for field in fields {
        let (name, value) = (&field.name, format!("self.{}", snake(&field.name)));
        out += &match (is_struct(service, field), field.repeated, field.required) {
            (true, true, _) => {
                format!(
                    "for one in &{value} {{\nxml.element({name:?}, |xml| one.write(xml));\n}}\n"
                )
            }
            (true, false, true) => format!("xml.element({name:?}, |xml| {value}.write(xml));\n"),
            (true, false, false) => format!(
                "if let Some(one) = &{value} {{\nxml.element({name:?}, |xml| one.write(xml));\n}}\n"
            ),
            (false, _, true) if field.ty == "Amount" => format!("xml.amount({name:?}, {value});\n"),
            (false, _, false) if field.ty == "Amount" => {
                format!("xml.optional_amount({name:?}, {value});\n")
            }
            (false, _, true) => format!("xml.scalar({name:?}, &{value});\n"),
            (false, _, false) => format!("xml.optional({name:?}, {value}.as_ref());\n"),
        };
    }
    out += "}\n";
    out
}

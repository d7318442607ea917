//! Flexible Payments Service: operations as parameters, and messages that are parameters alone; answers
//! are not written here.

use super::super::spec::{Field, Service, Spec};
use super::{dialect_list, fields, operation_head};

/// The two halves of an action.
pub(super) fn operation(service: &Service, spec: &Spec, answer: &str) -> String {
    let mutable = if spec.request.is_empty() { "" } else { "mut " };
    let mut out = format!(
        "impl Action for {} {{\nconst DIALECTS: &'static [Dialect] = {};\n}}\n\n",
        spec.name,
        dialect_list(&spec.dialects)
    );
    out += &operation_head(spec, "FlexiblePaymentsApi", answer);
    out += &format!(
        "fn encode(&self, dialect: Dialect) -> Result<Params, EncodeError> {{\n\
         let {mutable}out = params::Writer::action(Self::ACTION, Self::DIALECTS, dialect)?;\n"
    );
    out += &fields::conditions(&spec.request, "self", "EncodeError");
    out += &fields::write(service, spec.request.iter(), "out");
    out += &format!(
        "Ok(out.finish())\n}}\n\n\
         fn decode(body: &[u8], dialect: Dialect) -> Result<Answer<{answer}>, DecodeError> {{\n\
         read_answer(body, Self::ACTION, Self::DIALECTS, dialect)\n}}\n}}\n\n\
         impl Serve for {} {{\n\
         fn read(params: &Params, dialect: Dialect) -> Result<Self, DecodeError> {{\n\
         let {mutable}fields =\
         params::Fields::of_action(params, Self::ACTION, Self::DIALECTS, dialect)?;\n\
         let request = Self {{\n",
        spec.name
    );
    out += &values(service, &spec.request);
    out += "};\nfields.finish()?;\n";
    out += &fields::conditions(&spec.request, "request", "DecodeError");
    out += &format!(
        "Ok(request)\n}}\n\n\
         fn write_answer(answer: &Answer<{answer}>, dialect: Dialect) -> Vec<u8> {{\n\
         write_answer(answer, Self::ACTION, dialect)\n}}\n}}\n"
    );
    out
}

/// How a message is read and written.
pub(super) fn message(service: &Service, spec: &Spec) -> String {
    let mut out = format!(
        "impl {} {{\n/// Writes the parameters, without the signature.\n///\n/// # Errors\n\
         /// [`EncodeError`] when a field breaks a limit.\n\
         pub fn to_params(&self) -> Result<Params, EncodeError> {{\n\
         let mut out = params::Writer::default();\n",
        spec.name
    );
    out += &fields::conditions(&spec.field, "self", "EncodeError");
    out += &fields::write(service, spec.field.iter(), "out");
    out += "Ok(out.finish())\n}\n\n/// Reads the parameters, whatever else is among them.\n///\n\
            /// # Errors\n/// [`DecodeError`] names the field.\n\
            pub fn from_params(params: &Params) -> Result<Self, DecodeError> {\n\
            let mut fields = params::Fields::of_message(params);\n";
    for field in &spec.field {
        if let Some(fixed) = &field.fixed {
            let constant = super::constant(&field.rust_name());
            out += &format!("fields.fixed(&{constant}, {fixed:?})?;\n");
        }
    }
    let values = values(service, &spec.field);
    let conditions = fields::conditions(&spec.field, "message", "DecodeError");
    out += &match conditions.is_empty() {
        true => format!("Ok(Self {{\n{values}}})\n"),
        false => format!("let message = Self {{\n{values}}};\n{conditions}Ok(message)\n"),
    };
    out += "}\n}\n";
    out
}

fn values(service: &Service, list: &[Field]) -> String {
    let own = list.iter().filter(|field| field.fixed.is_none());
    own.map(|field| {
        format!("{}: {},\n", field.rust_name(), fields::read(service, field, "params", "fields"))
    })
    .collect()
}

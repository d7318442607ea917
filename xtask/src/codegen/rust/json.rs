//! Amazon Pay: JSON both ways, an identifier in the path, a key in a header.

use super::super::spec::{Place, Service, Spec};
use super::{constant, fields, operation_head};

/// The two halves of an operation, and where it lives.
pub(super) fn operation(service: &Service, spec: &Spec, answer: &str) -> String {
    let of = |place| spec.request.iter().filter(move |field| field.place == place);
    let has_body = of(Place::Body).next().is_some();
    let mut out = format!(
        "impl Route for {} {{\nconst METHOD: &'static str = {:?};\n\
         const PATH: &'static str = {:?};\nconst SUCCESS: u16 = {};\n",
        spec.name,
        spec.method.as_deref().unwrap_or_default(),
        spec.path.as_deref().unwrap_or_default(),
        spec.success.first().copied().unwrap_or_default(),
    );
    if let Some((_, others @ [_, ..])) = spec.success.split_first() {
        out += &format!("const ALSO: &'static [u16] = &{others:?};\n");
    }
    out += "}\n\n";
    out += &operation_head(spec, "AmazonPayApi", answer);
    out += "fn encode(&self, _version: ApiVersion) -> Result<JsonRequest, EncodeError> {\n";
    if has_body {
        out += "let mut body = json::Writer::default();\n";
        out += &fields::conditions(&spec.request, "self", "EncodeError");
        out += &fields::write(service, of(Place::Body), "body");
    }
    let target = match of(Place::Path).next() {
        Some(field) => {
            let name = field.rust_name();
            format!("json::fill_path(Self::PATH, &{}, &self.{name})?", constant(&name))
        }
        None => "Self::PATH".to_owned(),
    };
    out += &format!("Ok(JsonRequest::new(Self::METHOD, {target})");
    for field in of(Place::Header) {
        out += &format!(".with_key(self.{}.as_str())", field.rust_name());
    }
    if has_body {
        out += ".with_body(body.finish())";
    }
    out += &format!(
        ")\n}}\n\n\
         fn decode(body: &[u8], _version: ApiVersion) -> Result<Answer<{answer}>, DecodeError> {{\n\
         json::read(body).map(|result| Answer::new(result, None))\n}}\n}}\n\n\
         impl Serve for {} {{\n\
         fn read(request: &JsonRequest, _version: ApiVersion) -> Result<Self, DecodeError> {{\n",
        spec.name
    );
    out += &format!("request.check(Self::METHOD, Self::PATH, {has_body})?;\n");
    if has_body {
        out += "let mut fields = request.fields()?;\n";
    }
    out += if has_body { "let message = Self {\n" } else { "Ok(Self {\n" };
    for field in &spec.request {
        let name = field.rust_name();
        let value = match field.place {
            Place::Body | Place::Answer => fields::read(service, field, "json", "fields"),
            Place::Header => format!("request.idempotency_key(&{})?", constant(&name)),
            Place::Path => {
                format!("request.path_value(Self::PATH, &{})?.into()", constant(&name))
            }
        };
        out += &format!("{name}: {value},\n");
    }
    if has_body {
        out += "};\nfields.finish()?;\n";
        out += &fields::conditions(&spec.request, "message", "DecodeError");
        out += "Ok(message)\n";
    } else {
        out += "})\n";
    }
    out += &format!(
        "}}\n\nfn write_answer(answer: &Answer<{answer}>, _version: ApiVersion) -> Vec<u8> {{\n\
         json::write(&answer.result)\n}}\n}}\n"
    );
    out
}

/// How a message is read and written.
pub(super) fn message(spec: &Spec) -> String {
    format!(
        "impl {} {{\n/// Writes the message.\n#[must_use]\npub fn to_json(&self) -> Vec<u8> {{\n\
         json::write(self)\n}}\n\n/// Reads the message; unknown fields are skipped.\n///\n\
         /// # Errors\n/// [`DecodeError`] names the field.\n\
         pub fn from_json(body: &[u8]) -> Result<Self, DecodeError> {{\njson::read(body)\n}}\n}}\n",
        spec.name
    )
}

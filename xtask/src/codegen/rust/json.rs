//! Amazon Pay: JSON both ways, an identifier in the path, a key in a header.

use super::super::names::snake;
use super::super::spec::{Place, Spec};
use super::{operation_head, read_field, write_fields};

/// The two halves of an operation, and where it lives.
pub(super) fn operation(spec: &Spec, answer: &str) -> String {
    let of = |place| spec.request.iter().filter(move |field| field.place == place);
    let has_body = of(Place::Body).next().is_some();
    let mut out = format!(
        "impl Route for {} {{\nconst METHOD: &'static str = {:?};\n\
         const PATH: &'static str = {:?};\nconst SUCCESS: u16 = {};\n}}\n\n",
        spec.name,
        spec.method.as_deref().unwrap_or_default(),
        spec.path.as_deref().unwrap_or_default(),
        spec.success.unwrap_or_default(),
    );
    out += &operation_head(spec, "AmazonPayApi", answer);
    out += "fn encode(&self, _version: ApiVersion) -> Result<JsonRequest, EncodeError> {\n";
    if has_body {
        out += "let mut body = json::Writer::default();\n";
        out += &write_fields(of(Place::Body), "body");
    }
    let target = match of(Place::Path).next() {
        Some(field) => {
            format!("json::fill_path(Self::PATH, {:?}, &self.{})?", field.name, snake(&field.name))
        }
        None => "Self::PATH".to_owned(),
    };
    out += &format!("Ok(JsonRequest::new(Self::METHOD, {target})");
    for field in of(Place::Header) {
        out += &format!(".with_key(self.{}.as_str())", snake(&field.name));
    }
    if has_body {
        out += ".with_body(body.finish())";
    }
    let request = if spec.request.is_empty() { "_request" } else { "request" };
    out += &format!(
        ")\n}}\n\nfn decode(body: &[u8]) -> Result<Answer<{answer}>, DecodeError> {{\n\
         json::read(body).map(|result| Answer::new(result, None))\n}}\n}}\n\n\
         impl Serve for {} {{\n\
         fn read({request}: &JsonRequest, _version: ApiVersion) -> Result<Self, DecodeError> {{\n",
        spec.name
    );
    if has_body {
        out += "let mut fields = request.fields()?;\n";
    }
    out += if has_body { "let message = Self {\n" } else { "Ok(Self {\n" };
    for field in &spec.request {
        let value = match field.place {
            Place::Body => read_field(field),
            Place::Header => format!("request.idempotency_key({:?})?", field.name),
            Place::Path => format!("request.path_value(Self::PATH, {:?})?.into()", field.name),
        };
        out += &format!("{}: {value},\n", snake(&field.name));
    }
    out += if has_body { "};\nfields.finish()?;\nOk(message)\n" } else { "})\n" };
    out += &format!(
        "}}\n\nfn write_answer(answer: &Answer<{answer}>, _version: ApiVersion) -> Vec<u8> {{\n\
         json::write(&answer.result)\n}}\n}}\n"
    );
    out
}

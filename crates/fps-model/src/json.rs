//! Amazon Pay requests and answers as JSON, read from a bounded text; amounts never become floats, and
//! no single operation is known here.

mod fields;
mod tolerant;
mod writer;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::fields::Fields;
pub(crate) use self::tolerant::{list, object, objects, optional_object};
pub(crate) use self::writer::Writer;
use crate::error::{DecodeError, EncodeError, Expected, Problem};
use crate::field::Field;
use crate::key::IdempotencyKey;
use crate::scalar::Scalar;

/// The most bytes of a message that are read.
const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// The most fields of an object, and entries of an array, in a request.
const ENTRIES_MAX: usize = 256;

/// An Amazon Pay request, encoded and not yet signed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonRequest {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// The path behind the version: `/refunds`.
    pub path: String,
    /// The value of `x-amz-pay-idempotency-key`.
    pub key: Option<String>,
    /// The exact text of the body.
    pub body: Option<String>,
}

impl JsonRequest {
    /// A request with neither key nor body.
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { method: method.into(), path: path.into(), key: None, body: None }
    }

    /// With an idempotency key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Is it a request of an operation that lives there, and without a body if that has none?
    pub(crate) fn check(
        &self,
        method: &'static str,
        path: &'static str,
        has_body: bool,
    ) -> Result<(), DecodeError> {
        let wrong = |name, text| DecodeError::new(name, Problem::Invalid(Expected::Fixed(text)));
        if self.method != method {
            return Err(wrong("method", method));
        }
        if !path.contains('{') && self.path != path {
            return Err(wrong("path", path));
        }
        match !has_body && self.body.as_deref().is_some_and(|body| !body.is_empty()) {
            true => Err(DecodeError::new("body", Problem::Unknown)),
            false => Ok(()),
        }
    }

    /// The fields of the body.
    pub(crate) fn fields(&self) -> Result<Fields<'_>, DecodeError> {
        Fields::parse(self.body.as_deref().unwrap_or(""))
    }

    /// The key of the request.
    pub(crate) fn idempotency_key(&self, field: &Field) -> Result<IdempotencyKey, DecodeError> {
        let fail = |problem| DecodeError::new(field.name(), problem);
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| fail(Problem::Missing))?;
        IdempotencyKey::new(key).map_err(|_| fail(Problem::Invalid(Expected::Key)))
    }

    /// What stands in the path where the template has `{name}`.
    pub(crate) fn path_value(&self, template: &str, field: &Field) -> Result<&str, DecodeError> {
        let name = field.name();
        let missing = || DecodeError::new(name, Problem::Missing);
        let (before, after) = template.split_once('{').ok_or_else(missing)?;
        let (_, after) = after.split_once('}').ok_or_else(missing)?;
        let value = self.path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let value = value.filter(|value| !value.is_empty()).ok_or_else(missing)?;
        match value.bytes().all(is_plain) {
            true => Ok(value),
            false => Err(DecodeError::new(name, Problem::Invalid(Expected::Key))),
        }
    }
}

/// Neither body nor key.
impl fmt::Debug for JsonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonRequest({} {})", self.method, self.path)
    }
}

/// Fills the one `{…}` of a path template. Identifiers of the service need no encoding; anything
/// that would change the path is refused.
pub(crate) fn fill_path(
    template: &str,
    field: &Field,
    value: &impl Scalar,
) -> Result<String, EncodeError> {
    let name = field.name();
    let text = value.to_text();
    if text.is_empty() || !text.bytes().all(is_plain) {
        return Err(EncodeError::new(name, Problem::Invalid(Expected::Key)));
    }
    let (before, after) = template.split_once('{').unwrap_or((template, ""));
    let after = after.split_once('}').map_or("", |(_, after)| after);
    Ok(format!("{before}{text}{after}"))
}

/// Stands for itself in a path, whoever reads it.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Is the text small and flat enough to be read? Whether it is JSON is found out afterwards.
fn check_bounds(text: &[u8]) -> Result<(), DecodeError> {
    if text.len() > JSON_BYTES_MAX {
        return Err(DecodeError::new("", Problem::TooLarge));
    }
    let opened = text.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if opened <= DEPTH_MAX {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(DecodeError::new("", Problem::TooDeep));
        }
    }
    Ok(())
}

/// Reads a whole message into a type that tolerates unknown fields and nulls.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    check_bounds(body)?;
    // A derived reader would take the values of an array for the fields, in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(DecodeError::new("", Problem::Malformed(Expected::Object)));
    }
    serde_json::from_slice(body).or_else(|_| read_again(body))
}

/// Finds out what is wrong and where, which takes twice as long as to read a message that is good.
fn read_again<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let message = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if let Some(field) = missing_field(&error.to_string()) {
            let path = if path == "." { field.to_owned() } else { format!("{path}.{field}") };
            return DecodeError::new(path, Problem::Missing);
        }
        match error.classify() {
            serde_json::error::Category::Data if path == "." => {
                DecodeError::new("", Problem::Invalid(Expected::JsonType))
            }
            serde_json::error::Category::Data => {
                DecodeError::new(path, Problem::Invalid(Expected::JsonType))
            }
            _ => DecodeError::new("", Problem::Malformed(Expected::Json)),
        }
    })?;
    deserializer.end().map_err(|_| DecodeError::new("", Problem::TrailingBytes))?;
    Ok(message)
}

/// The name of a field that is not there, from the sentence in which serde says so: it has no other
/// word for it.
fn missing_field(sentence: &str) -> Option<&str> {
    let (name, _) = sentence.strip_prefix("missing field `")?.split_once('`')?;
    Some(name)
}

/// Writes a whole message. The types of this crate always can be.
pub(crate) fn write(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

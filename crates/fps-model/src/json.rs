//! Amazon Pay requests and answers as JSON, read from a bounded text; amounts never become floats, and
//! no single operation is known here.

use std::collections::BTreeSet;
use std::fmt;

use refund_rules::Money;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError, Expected, Limit, Problem};
use crate::key::IdempotencyKey;
use crate::money::{self, Price, PriceIn};
use crate::params::check_text;
use crate::scalar::Scalar;

/// The most bytes of a message that are read.
const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// The most fields of an object in a request.
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

    /// The fields of the body.
    pub(crate) fn fields(&self) -> Result<Fields<'_>, DecodeError> {
        Fields::parse(self.body.as_deref().unwrap_or(""))
    }

    /// The key of the request.
    pub(crate) fn idempotency_key(&self, name: &str) -> Result<IdempotencyKey, DecodeError> {
        let fail = |problem| DecodeError::new(name, problem);
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| fail(Problem::Missing))?;
        IdempotencyKey::new(key).map_err(|_| fail(Problem::Invalid(Expected::Key)))
    }

    /// What stands in the path where the template has `{name}`.
    pub(crate) fn path_value(
        &self,
        template: &str,
        name: &'static str,
    ) -> Result<&str, DecodeError> {
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
    name: &'static str,
    value: &impl Scalar,
) -> Result<String, EncodeError> {
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
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let message = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        match error.into_inner().classify() {
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

/// Writes a whole message. The types of this crate always can be.
pub(crate) fn write(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

/// Writes the fields of a request body in their order.
#[derive(Debug, Default)]
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn text<T: Scalar + Serialize>(
        &mut self,
        name: &'static str,
        value: &T,
        limit: Limit,
    ) -> Result<(), EncodeError> {
        check_text(&value.to_text(), limit).map_err(|problem| EncodeError::new(name, problem))?;
        self.value(name, value);
        Ok(())
    }

    pub(crate) fn optional_text<T: Scalar + Serialize>(
        &mut self,
        name: &'static str,
        value: Option<&T>,
        limit: Limit,
    ) -> Result<(), EncodeError> {
        value.map_or(Ok(()), |value| self.text(name, value, limit))
    }

    pub(crate) fn price(&mut self, name: &'static str, money: Money) -> Result<(), EncodeError> {
        money::check_positive(money).map_err(|problem| EncodeError::new(name, problem))?;
        self.value(name, &Price(money));
        Ok(())
    }

    fn value(&mut self, name: &'static str, value: &impl Serialize) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(&serde_json::to_string(value).unwrap_or_default());
    }

    pub(crate) fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

/// Takes the fields of a request out of its body, and notices what is left.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    entries: Vec<(String, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    fn parse(body: &'a str) -> Result<Self, DecodeError> {
        check_bounds(body.as_bytes())?;
        let object: Object<'a> = serde_json::from_str(body).map_err(|error| {
            let expected = if error.is_data() { Expected::Object } else { Expected::Json };
            DecodeError::new("", Problem::Malformed(expected))
        })?;
        let mut entries = object.0;
        if entries.len() > ENTRIES_MAX {
            return Err(DecodeError::new("", Problem::TooLarge));
        }
        let mut seen = BTreeSet::new();
        if let Some((name, _)) = entries.iter().find(|(name, _)| !seen.insert(name)) {
            return Err(DecodeError::new(name.as_str(), Problem::Duplicate));
        }
        entries.reverse();
        Ok(Self { entries })
    }

    /// Takes a value; null is the same as absent.
    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let index = self.entries.iter().position(|(given, _)| given == name)?;
        let (_, raw) = self.entries.remove(index);
        Some(raw).filter(|raw| raw.get() != "null")
    }

    /// A text; an empty one is the same as none.
    pub(crate) fn optional<T: Scalar>(
        &mut self,
        name: &'static str,
        limit: Limit,
    ) -> Result<Option<T>, DecodeError> {
        let fail = |problem| DecodeError::new(name, problem);
        let Some(raw) = self.take(name) else { return Ok(None) };
        let text: String =
            serde_json::from_str(raw.get()).map_err(|_| fail(Problem::Invalid(Expected::Text)))?;
        if text.is_empty() {
            return Ok(None);
        }
        check_text(&text, limit).map_err(fail)?;
        T::from_text(&text).map(Some).map_err(|expected| fail(Problem::Invalid(expected)))
    }

    pub(crate) fn required<T: Scalar>(
        &mut self,
        name: &'static str,
        limit: Limit,
    ) -> Result<T, DecodeError> {
        self.optional(name, limit)?.ok_or_else(|| DecodeError::new(name, Problem::Missing))
    }

    pub(crate) fn optional_price(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Money>, DecodeError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        let fail = |problem| DecodeError::new(name, problem);
        let mut inner =
            Fields::parse(raw.get()).map_err(|_| fail(Problem::Invalid(Expected::Object)))?;
        for part in ["amount", "currencyCode"] {
            if inner.take(part).is_none() {
                return Err(DecodeError::new(format!("{name}.{part}"), Problem::Missing));
            }
        }
        inner.finish_under(name)?;
        let price: PriceIn<'_> = serde_json::from_str(raw.get())
            .map_err(|_| fail(Problem::Invalid(Expected::PositiveAmount)))?;
        price.read(money::read_strictly).map(Some).map_err(fail)
    }

    pub(crate) fn price(&mut self, name: &'static str) -> Result<Money, DecodeError> {
        self.optional_price(name)?.ok_or_else(|| DecodeError::new(name, Problem::Missing))
    }

    /// Whatever has not been taken is an error.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        self.finish_under("")
    }

    fn finish_under(self, parent: &str) -> Result<(), DecodeError> {
        let Some((name, _)) = self.entries.last() else { return Ok(()) };
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        Err(DecodeError::new(path, Problem::Unknown))
    }
}

/// The entries of a JSON object as they are written, doubled names included.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    // One more than there may be is enough to tell.
                    if entries.len() <= ENTRIES_MAX {
                        entries.push(entry);
                    }
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

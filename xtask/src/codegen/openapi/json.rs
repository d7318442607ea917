//! JSON values whose members keep the order they were added in.

use serde::ser::{Serialize, Serializer};

/// A value of the document.
pub(super) enum Json {
    Text(String),
    Number(usize),
    Truth(bool),
    List(Vec<Self>),
    Object(Object),
}

/// Members in their order.
#[derive(Default)]
pub(super) struct Object(Vec<(String, Json)>);

impl Object {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// With one more member.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// With one more member, if there is one.
    pub(super) fn with_some(self, name: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With one more member, unless it would be empty.
    pub(super) fn with_filled(self, name: &str, value: impl Into<Json>) -> Self {
        match value.into() {
            Json::List(list) if list.is_empty() => self,
            Json::Object(object) if object.0.is_empty() => self,
            value => self.with(name, value),
        }
    }

    /// With the members of another behind its own.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl FromIterator<(String, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<T: Into<Json>> FromIterator<T> for Json {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<usize> for Json {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl<const N: usize> From<[&str; N]> for Json {
    fn from(texts: [&str; N]) -> Self {
        texts.into_iter().collect()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => out.serialize_str(text),
            Self::Number(number) => number.serialize(out),
            Self::Truth(truth) => out.serialize_bool(*truth),
            Self::List(list) => out.collect_seq(list),
            Self::Object(object) => object.serialize(out),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

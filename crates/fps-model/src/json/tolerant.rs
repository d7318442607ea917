//! Readers for the parts of an answer: null is the same as absent, and an array is no object, though
//! a derived reader would take it for one; unknown fields are skipped and not seen here.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// For `#[serde(deserialize_with)]` on a part that must be there.
pub(crate) fn object<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    optional_object(input)?.ok_or_else(|| D::Error::custom("an object is missing"))
}

/// For a part that may be null.
pub(crate) fn optional_object<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    input.deserialize_any(Part(PhantomData))
}

/// For an array of parts; null is an empty one.
pub(crate) fn objects<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let parts: Option<Vec<Whole<T>>> = Deserialize::deserialize(input)?;
    Ok(parts.unwrap_or_default().into_iter().filter_map(|Whole(part)| part).collect())
}

/// For an array of texts; null is an empty one.
pub(crate) fn list<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let values: Option<Vec<Option<T>>> = Deserialize::deserialize(input)?;
    Ok(values.unwrap_or_default().into_iter().flatten().collect())
}

/// One entry of an array of parts.
struct Whole<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        optional_object(input).map(Self)
    }
}

struct Part<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Part<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, _: S) -> Result<Self::Value, S::Error> {
        Err(S::Error::custom("an array is no object"))
    }
}

//! The JSON body of a request to its fields, strictly: doubled and unknown names are errors with their
//! paths.

use std::collections::BTreeSet;
use std::fmt;

use refund_rules::Money;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{ENTRIES_MAX, check_bounds};
use crate::error::{DecodeError, Expected, Problem};
use crate::field::Field;
use crate::money::{self, PriceIn};
use crate::params::check_text;
use crate::scalar::Scalar;

/// Takes the fields of a request out of its body, and notices what is left.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    entries: Vec<(String, &'a RawValue)>,
    /// What stands before the names of a part in errors, with its dot.
    path: String,
}

impl<'a> Fields<'a> {
    /// Of a whole body.
    pub(super) fn parse(body: &'a str) -> Result<Self, DecodeError> {
        check_bounds(body.as_bytes())?;
        Self::part(body, String::new())
    }

    fn part(text: &'a str, path: String) -> Result<Self, DecodeError> {
        let fail = |problem| DecodeError::new(path.trim_end_matches('.'), problem);
        let object: Object<'a> = serde_json::from_str(text).map_err(|error| {
            let expected = if error.is_data() { Expected::Object } else { Expected::Json };
            fail(Problem::Malformed(expected))
        })?;
        let mut entries = object.0;
        if entries.len() > ENTRIES_MAX {
            return Err(fail(Problem::TooLarge));
        }
        let mut seen = BTreeSet::new();
        if let Some((name, _)) = entries.iter().find(|(name, _)| !seen.insert(name)) {
            return Err(DecodeError::new(format!("{path}{name}"), Problem::Duplicate));
        }
        entries.reverse();
        Ok(Self { entries, path })
    }

    /// A text; an empty one is the same as none.
    pub(crate) fn text<T: Scalar>(&mut self, field: &Field) -> Result<Option<T>, DecodeError> {
        let Some(raw) = self.take(field.name()) else { return Ok(None) };
        let fail = |problem| self.fail(field, problem);
        let text: String =
            serde_json::from_str(raw.get()).map_err(|_| fail(Problem::Invalid(Expected::Text)))?;
        if text.is_empty() {
            return Ok(None);
        }
        read_text(&text, field).map(Some).map_err(fail)
    }

    /// An array of texts.
    pub(crate) fn texts<T: Scalar>(&mut self, field: &Field) -> Result<Vec<T>, DecodeError> {
        let mut values = Vec::new();
        for raw in self.entries_of(field)? {
            let fail = |problem| self.fail(field, problem);
            let text: String = serde_json::from_str(raw.get())
                .map_err(|_| fail(Problem::Invalid(Expected::Text)))?;
            values.push(read_text(&text, field).map_err(fail)?);
        }
        Ok(values)
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self, field: &Field) -> Result<Option<bool>, DecodeError> {
        let Some(raw) = self.take(field.name()) else { return Ok(None) };
        let value = serde_json::from_str(raw.get());
        value.map(Some).map_err(|_| self.fail(field, Problem::Invalid(Expected::Bool)))
    }

    /// An amount with its currency.
    pub(crate) fn price(&mut self, field: &Field) -> Result<Option<Money>, DecodeError> {
        let Some(raw) = self.take(field.name()) else { return Ok(None) };
        let fail = |problem| self.fail(field, problem);
        let mut inner = Fields::part(raw.get(), format!("{}{}.", self.path, field.name()))
            .map_err(|_| fail(Problem::Invalid(Expected::Object)))?;
        for part in ["amount", "currencyCode"] {
            if inner.take(part).is_none() {
                return Err(DecodeError::new(format!("{}{part}", inner.path), Problem::Missing));
            }
        }
        inner.finish()?;
        let price: PriceIn<'_> = serde_json::from_str(raw.get())
            .map_err(|_| fail(Problem::Invalid(Expected::PositiveAmount)))?;
        price.read(money::read_strictly).map(Some).map_err(fail)
    }

    /// A part with fields of its own.
    pub(crate) fn object<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(&mut Fields<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let Some(raw) = self.take(field.name()) else { return Ok(None) };
        let mut inner = Fields::part(raw.get(), format!("{}{}.", self.path, field.name()))?;
        let value = read(&mut inner)?;
        inner.finish()?;
        Ok(Some(value))
    }

    /// The value of a field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(&mut Self, &Field) -> Result<Option<T>, DecodeError>,
    ) -> Result<T, DecodeError> {
        read(self, field)?.ok_or_else(|| self.fail(field, Problem::Missing))
    }

    /// Whatever has not been taken is an error.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.entries.last() {
            None => Ok(()),
            Some((name, _)) => {
                Err(DecodeError::new(format!("{}{name}", self.path), Problem::Unknown))
            }
        }
    }

    /// The entries of an array.
    fn entries_of(&mut self, field: &Field) -> Result<Vec<&'a RawValue>, DecodeError> {
        let Some(raw) = self.take(field.name()) else { return Ok(Vec::new()) };
        let entries: Vec<&RawValue> = serde_json::from_str(raw.get())
            .map_err(|_| self.fail(field, Problem::Invalid(Expected::List)))?;
        match entries.len() > ENTRIES_MAX {
            true => Err(self.fail(field, Problem::TooLarge)),
            false => Ok(entries),
        }
    }

    /// Takes a value; null is the same as absent.
    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let index = self.entries.iter().position(|(given, _)| given == name)?;
        let (_, raw) = self.entries.remove(index);
        Some(raw).filter(|raw| raw.get() != "null")
    }

    fn fail(&self, field: &Field, problem: Problem) -> DecodeError {
        DecodeError::new(format!("{}{}", self.path, field.name()), problem)
    }
}

fn read_text<T: Scalar>(text: &str, field: &Field) -> Result<T, Problem> {
    check_text(text, field.limit())?;
    T::from_text(text).map_err(Problem::Invalid)
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

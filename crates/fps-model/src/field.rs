//! What the spec says about one field: its spellings, its limit, where it exists and where it is
//! demanded; holds no value.

use crate::dialect::{Dialect, Dialects};
use crate::error::Limit;

/// A field of a message. Generated code has one constant of it for each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    name: &'static str,
    renamed: &'static [(Dialect, &'static str)],
    also: &'static [&'static str],
    limit: Limit,
    exists: Dialects,
    required: Dialects,
}

impl Field {
    /// Optional, in every revision, of any length.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            renamed: &[],
            also: &[],
            limit: Limit::Unlimited,
            exists: Dialects::ALL,
            required: Dialects::NONE,
        }
    }

    /// Demanded wherever it exists.
    pub(crate) const fn required(self) -> Self {
        Self { required: Dialects::ALL, ..self }
    }

    /// Demanded in these revisions.
    pub(crate) const fn required_in(self, list: &[Dialect]) -> Self {
        Self { required: Dialects::of(list), ..self }
    }

    /// Known to these revisions and to no others.
    pub(crate) const fn only_in(self, list: &[Dialect]) -> Self {
        Self { exists: Dialects::of(list), ..self }
    }

    /// Spelled otherwise in these revisions.
    pub(crate) const fn renamed(self, renamed: &'static [(Dialect, &'static str)]) -> Self {
        Self { renamed, ..self }
    }

    /// Also read by these names.
    pub(crate) const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    /// At most so many characters.
    pub(crate) const fn characters(self, most: usize) -> Self {
        Self { limit: Limit::Characters(most), ..self }
    }

    /// At most so many bytes.
    pub(crate) const fn bytes(self, most: usize) -> Self {
        Self { limit: Limit::Bytes(most), ..self }
    }

    /// The name in a revision, if the revision knows the field.
    pub(crate) fn name_in(&self, dialect: Dialect) -> Option<&'static str> {
        let renamed = self.renamed.iter().find(|(there, _)| *there == dialect);
        self.exists.contain(dialect).then(|| renamed.map_or(self.name, |(_, name)| name))
    }

    /// Is this a name of the field in a revision that knows it?
    pub(crate) fn is_spelled(&self, name: &str, dialect: Dialect) -> bool {
        self.name_in(dialect).is_some_and(|usual| usual == name || self.also.contains(&name))
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn other_names(&self) -> &'static [&'static str] {
        self.also
    }

    pub(crate) const fn limit(&self) -> Limit {
        self.limit
    }

    pub(crate) const fn is_required_in(&self, dialect: Dialect) -> bool {
        self.exists.contain(dialect) && self.required.contain(dialect)
    }
}

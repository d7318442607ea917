//! Texts about people, which are not printed; keys and tokens have types of their own elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Expected;
use crate::scalar::Scalar;

/// A name, an address, an e-mail: kept and sent, and left out of `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// Takes a text into custody.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Whoever calls it answers for where the text goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(redacted)")
    }
}

impl<T: Into<String>> From<T> for Sensitive {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl Scalar for Sensitive {
    fn to_text(&self) -> String {
        self.0.clone()
    }

    fn from_text(text: &str) -> Result<Self, Expected> {
        Ok(Self::new(text))
    }
}

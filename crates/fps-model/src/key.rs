//! The two services' idempotency keys: made by the caller, never by default.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Expected;
use crate::scalar::Scalar;

/// The text cannot be a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidKey {
    what: &'static str,
    most: usize,
    characters: &'static str,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is 1 to {} characters, {}", self.what, self.most, self.characters)
    }
}

impl Error for InvalidKey {}

/// The idempotency key of FPS: 1 to 128 characters, unique among the caller's requests.
///
/// The service remembers it for seven days and then takes the same reference for a new request.
/// Source: "Important Values to Store in Your Database", FPS 2008-09-17 basic guide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerReference(String);

impl CallerReference {
    /// The most characters.
    pub const CHARACTERS_MAX: usize = 128;

    /// Takes a text that the caller chose and stored.
    ///
    /// # Errors
    /// [`InvalidKey`] when it is empty, too long, or holds control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidKey> {
        let text = text.into();
        let length = text.chars().count();
        if (1..=Self::CHARACTERS_MAX).contains(&length) && !text.chars().any(char::is_control) {
            return Ok(Self(text));
        }
        Err(InvalidKey {
            what: "a caller reference",
            most: Self::CHARACTERS_MAX,
            characters: "none of them a control character",
        })
    }

    /// The reference that 128 bits make: their 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for CallerReference {
    fn to_text(&self) -> String {
        self.0.clone()
    }

    fn from_text(text: &str) -> Result<Self, Expected> {
        Self::new(text).map_err(|_| Expected::Key)
    }
}

/// The idempotency key of Amazon Pay: 1 to 32 letters, digits, dashes and underscores, unique in the
/// merchant's account, remembered for ever.
///
/// A UUID with dashes is too long; without them it just fits. Source: the idempotency page of the
/// Amazon Pay API v2 documentation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The most characters.
    pub const CHARACTERS_MAX: usize = 32;

    /// Takes a text that the caller chose and stored.
    ///
    /// # Errors
    /// [`InvalidKey`] when it is empty, too long, or holds another character.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidKey> {
        let text = text.into();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=Self::CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text));
        }
        Err(InvalidKey {
            what: "an idempotency key",
            most: Self::CHARACTERS_MAX,
            characters: "letters, digits, dashes and underscores",
        })
    }

    /// The key that 128 bits make: their 32 hexadecimal digits in lower case, all that it can hold.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

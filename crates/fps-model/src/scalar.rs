//! Values that every form writes as one text; what is more than one text there is not here.

use crate::error::Expected;

/// A value that is one text on the wire, whatever the form around it.
pub(crate) trait Scalar: Sized {
    /// The text.
    fn to_text(&self) -> String;

    /// The value, or what the text should have been.
    fn from_text(text: &str) -> Result<Self, Expected>;
}

impl Scalar for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Result<Self, Expected> {
        Ok(text.to_owned())
    }
}

impl Scalar for i64 {
    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_text(text: &str) -> Result<Self, Expected> {
        text.parse().map_err(|_| Expected::Integer)
    }
}

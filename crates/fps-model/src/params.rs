//! Query and form parameters, ordered and bounded; no single operation is known here.

mod fields;
mod writer;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

pub(crate) use self::fields::{COMMON, Fields};
pub(crate) use self::writer::Writer;
use crate::error::{DecodeError, Expected, Limit, Problem};

/// The most bytes of a query or form that are read.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// The most parameters that are read.
pub(crate) const PARAMS_MAX: usize = 256;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Parameters of a Query request, a form or a return URL, decoded and in their order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads `name=value` pairs joined by `&`. `+` and `%20` are both blanks; empty pairs are left
    /// out, because Amazon's own samples begin with `&`.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are not UTF-8, for more than 64 KiB or 256 parameters.
    pub fn parse(form: &[u8]) -> Result<Self, DecodeError> {
        let whole = |problem| DecodeError::new("", problem);
        if form.len() > FORM_BYTES_MAX {
            return Err(whole(Problem::TooLarge));
        }
        let text =
            std::str::from_utf8(form).map_err(|_| whole(Problem::Malformed(Expected::Form)))?;
        let mut params = Self::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if params.0.len() == PARAMS_MAX {
                return Err(whole(Problem::TooLarge));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode =
                |text| decode(text).ok_or_else(|| whole(Problem::Malformed(Expected::Form)));
            params.0.push((decode(name)?, decode(value)?));
        }
        Ok(params)
    }

    /// The pairs, percent-encoded and joined by `&`, for a query or a form; a blank is `%20`.
    #[must_use]
    pub fn to_form(&self) -> String {
        let mut form = String::with_capacity(64 * self.0.len());
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                form.push('&');
            }
            form.extend(utf8_percent_encode(name, RESERVED));
            form.push('=');
            form.extend(utf8_percent_encode(value, RESERVED));
        }
        form
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// Adds a parameter at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl AsRef<[(String, String)]> for Params {
    fn as_ref(&self) -> &[(String, String)] {
        &self.0
    }
}

impl FromIterator<(String, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Names only: a value may be a signature, a token or a buyer's address.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    String::from_utf8(bytes).ok()
}

/// A text within its limit that XML and a terminal can carry.
pub(crate) fn check_text(text: &str, limit: Limit) -> Result<(), Problem> {
    let carried = |character: char| !character.is_control() || "\t\n\r".contains(character);
    match (text.is_empty(), text.chars().all(carried)) {
        (true, _) => Err(Problem::Missing),
        (false, false) => Err(Problem::Invalid(Expected::Text)),
        (false, true) => limit.check(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_forms_are_written() {
        let params = Params::parse(b"&a=1+2%203&b&c=%E2%98%95&&d=x=y").unwrap();
        let pairs: Vec<_> = params.iter().collect();
        assert_eq!(pairs, [("a", "1 2 3"), ("b", ""), ("c", "\u{2615}"), ("d", "x=y")]);
        assert_eq!(params.to_form(), "a=1%202%203&b=&c=%E2%98%95&d=x%3Dy");
        assert_eq!(Params::parse(params.to_form().as_bytes()), Ok(params));
    }

    #[test]
    fn bad_bytes_and_floods_are_refused() {
        for form in [&b"a=%ff"[..], b"\xff=1"] {
            let problem = Params::parse(form).unwrap_err().problem().clone();
            assert_eq!(problem, Problem::Malformed(Expected::Form));
        }
        for form in ["a=1&".repeat(PARAMS_MAX + 1), "a".repeat(FORM_BYTES_MAX + 1)] {
            let problem = Params::parse(form.as_bytes()).unwrap_err().problem().clone();
            assert_eq!(problem, Problem::TooLarge);
        }
    }

    #[test]
    fn values_are_not_printed() {
        let params = Params::parse(b"buyerEmail=canary%40example.com").unwrap();
        assert_eq!(format!("{params:?}"), r#"Params["buyerEmail"]"#);
    }
}

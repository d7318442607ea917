//! Why a message could not be written or read; carries names and limits, never values.

use std::error::Error;
use std::fmt;

use crate::dialect::Dialect;

/// A request breaks a limit that the service states. Nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    field: String,
    problem: Problem,
}

impl EncodeError {
    pub(crate) fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }

    /// The field, in the service's spelling; a part of a field behind a dot.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

impl Error for EncodeError {}

/// A message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    path: String,
    problem: Problem,
}

impl DecodeError {
    pub(crate) fn new(path: impl Into<String>, problem: Problem) -> Self {
        Self { path: printable(path.into()), problem }
    }

    /// Where it is: names joined by slashes or dots, empty for the message as a whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "the message cannot be read: {}", self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl Error for DecodeError {}

/// A path may hold a name that somebody sent: it must not reach a terminal or a log as it came.
fn printable(path: String) -> String {
    const CHARACTERS_MAX: usize = 200;
    let plain = |character: char| character.is_ascii_graphic() || character == ' ';
    if path.len() <= CHARACTERS_MAX && path.chars().all(plain) {
        return path;
    }
    path.chars()
        .take(CHARACTERS_MAX)
        .map(|character| if plain(character) { character } else { '?' })
        .collect()
}

/// What is wrong with a field or a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A required field is not there, or empty.
    Missing,
    /// A field that may stand once stands more than once.
    Duplicate,
    /// A field that nobody knows.
    Unknown,
    /// A text is longer than the service allows.
    TooLong(Limit),
    /// A value is not what it should be.
    Invalid(Expected),
    /// An amount has more decimals than its currency, and they are not zero.
    TooPrecise,
    /// The message is larger than any that the service sends.
    TooLarge,
    /// The message is nested deeper than any of the service.
    TooDeep,
    /// The message is not XML, JSON or form data at all.
    Malformed(Expected),
    /// The outermost element is another one.
    WrongRoot,
    /// Something follows the end of the message.
    TrailingBytes,
    /// The message looks like an answer and says that the service refuses.
    Refusal,
    /// The message brings its own document type, which no service does.
    Doctype,
    /// This revision of the API has no such field, or no such action.
    NotIn(Dialect),
}

/// How long a text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// No limit is documented.
    Unlimited,
    /// So many characters.
    Characters(usize),
    /// So many bytes of UTF-8.
    Bytes(usize),
}

impl Limit {
    /// Checks a text.
    pub(crate) fn check(self, text: &str) -> Result<(), Problem> {
        let fits = match self {
            Self::Unlimited => true,
            Self::Characters(most) => text.chars().count() <= most,
            Self::Bytes(most) => text.len() <= most,
        };
        if fits { Ok(()) } else { Err(Problem::TooLong(self)) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("any length"),
            Self::Characters(most) => write!(f, "{most} characters"),
            Self::Bytes(most) => write!(f, "{most} bytes"),
        }
    }
}

/// What a value should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A plain text without elements inside.
    Text,
    /// Elements and no text between them.
    Elements,
    /// A whole number.
    Integer,
    /// A decimal amount.
    Amount,
    /// A decimal number.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// A JSON array.
    List,
    /// An amount of US dollars.
    Dollars,
    /// An active ISO 4217 code.
    Currency,
    /// A point in time in the form the service uses.
    Time,
    /// A key of the allowed length and characters.
    Key,
    /// Well-formed XML.
    Xml,
    /// Well-formed JSON.
    Json,
    /// A JSON object.
    Object,
    /// A value of the JSON type and form that this field has.
    JsonType,
    /// The one value that there is.
    Fixed(&'static str),
    /// An amount above zero, plainly written.
    PositiveAmount,
    /// Percent-encoded UTF-8 pairs.
    Form,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is required"),
            Self::Duplicate => f.write_str("stands more than once"),
            Self::Unknown => f.write_str("is not a field of this message"),
            Self::TooLong(limit) => write!(f, "is longer than {limit}"),
            Self::Invalid(expected) => write!(f, "expected {expected}"),
            Self::TooPrecise => f.write_str("has more decimals than its currency"),
            Self::TooLarge => f.write_str("it is too large"),
            Self::TooDeep => f.write_str("it is nested too deeply"),
            Self::Malformed(expected) => write!(f, "it is not {expected}"),
            Self::WrongRoot => f.write_str("is not the expected outermost element"),
            Self::TrailingBytes => f.write_str("something follows its end"),
            Self::Refusal => f.write_str("it is a refusal"),
            Self::Doctype => f.write_str("it declares a document type"),
            Self::NotIn(dialect) => write!(f, "revision {} has none", dialect.version()),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a plain text",
            Self::Elements => "elements and no text",
            Self::Integer => "a whole number",
            Self::Amount => "a decimal amount",
            Self::Decimal => "a decimal number",
            Self::Bool => "true or false",
            Self::List => "a JSON array",
            Self::Dollars => "an amount of US dollars",
            Self::Currency => "a currency code",
            Self::Time => "a point in time",
            Self::Key => "a key of the allowed length and characters",
            Self::Xml => "well-formed XML",
            Self::Json => "well-formed JSON",
            Self::Object => "a JSON object",
            Self::JsonType => "a value of another type or form",
            Self::Fixed(value) => value,
            Self::PositiveAmount => "an amount above zero without spare decimals",
            Self::Form => "percent-encoded UTF-8",
        })
    }
}

//! Why a text is no payment instruction, and why a statement cannot be written: in the words of the
//! service where they are known; nothing here reads a text.

use std::error::Error;
use std::fmt;

use super::{PaymentInstruction, Statement};
use crate::flexible_payments::ErrorCode;
use crate::service_error::ServiceError;

/// A text is no payment instruction. Its `Display` is the sentence of the service, which may list
/// several faults; here it is the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    place: Place,
    problem: ParseProblem,
}

/// Where something stands, counted from one; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

impl ParseError {
    pub(super) const fn new(place: Place, problem: ParseProblem) -> Self {
        Self { place, problem }
    }

    /// The line, from one.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.place.line
    }

    /// The column in characters, from one. At the end of the text, one behind the last.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.place.column
    }

    /// What is wrong there.
    #[must_use]
    pub const fn problem(&self) -> &ParseProblem {
        &self.problem
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parse errors: ")?;
        // As recorded: the end of the text comes without a place.
        if !matches!(self.problem, ParseProblem::UnexpectedEnd(_)) {
            write!(f, "line {}:{}: ", self.place.line, self.place.column)?;
        }
        write!(f, "{}", self.problem)
    }
}

impl Error for ParseError {}

/// What the service answers to such a text.
impl From<ParseError> for ServiceError<ErrorCode> {
    fn from(error: ParseError) -> Self {
        Self::new(ErrorCode::BadRule, error.to_string())
    }
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseProblem {
    /// A name or a sign stands where another must. What a string says is not kept: it is `'...'`.
    UnexpectedToken(String),
    /// A character that is in no name and no sign, or that a string cannot hold.
    UnexpectedCharacter(char),
    /// The text ends too early.
    UnexpectedEnd(Awaited),
    /// It has more than [`PaymentInstruction::BYTES_MAX`] bytes.
    TooLong,
    /// It has more than [`PaymentInstruction::STATEMENTS_MAX`] statements.
    TooMany,
    /// A name has more than [`Statement::NAME_BYTES_MAX`] bytes.
    NameTooLong,
    /// A string has more than [`Statement::STRING_BYTES_MAX`] bytes.
    StringTooLong,
}

impl fmt::Display for ParseProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedToken(token) => write!(f, "unexpected token: {token}"),
            Self::UnexpectedCharacter(character) if matches!(character, ' '..='~') => {
                write!(f, "unexpected char: '{character}'")
            }
            Self::UnexpectedCharacter(character) => {
                write!(f, "unexpected char: 0x{:X}", u32::from(*character))
            }
            Self::UnexpectedEnd(awaited) => write!(f, "expecting {awaited}, found '<EOF>'"),
            Self::TooLong => write!(f, "more than {} bytes", PaymentInstruction::BYTES_MAX),
            Self::TooMany => {
                write!(f, "more than {} statements", PaymentInstruction::STATEMENTS_MAX)
            }
            Self::NameTooLong => {
                write!(f, "a name of more than {} bytes", Statement::NAME_BYTES_MAX)
            }
            Self::StringTooLong => {
                write!(f, "a string of more than {} bytes", Statement::STRING_BYTES_MAX)
            }
        }
    }
}

/// What would have had to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Awaited {
    /// A statement: there is none.
    Statement,
    /// An operator.
    Operator,
    /// The quote at either end of a string.
    Quote,
    /// The end of a statement.
    Semicolon,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Statement => "a statement",
            Self::Operator => "'=='",
            Self::Quote => "'''",
            Self::Semicolon => "';'",
        })
    }
}

/// No text would be read as this statement or instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidStatement {
    /// The name is empty, too long, `orSay`, or not of the letters A to Z alone.
    Name,
    /// The value or the message holds a single quote or a control character.
    Character,
    /// The value or the message is too long.
    TooLong,
    /// The instruction has as many statements as it may.
    TooMany,
}

impl fmt::Display for InvalidStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => {
                let most = Statement::NAME_BYTES_MAX;
                write!(f, "a name is 1 to {most} letters A to Z, and not orSay")
            }
            Self::Character => {
                f.write_str("a string can hold neither a single quote nor a control character")
            }
            Self::TooLong => {
                write!(f, "a string has at most {} bytes", Statement::STRING_BYTES_MAX)
            }
            Self::TooMany => {
                let most = PaymentInstruction::STATEMENTS_MAX;
                write!(f, "an instruction has at most {most} statements")
            }
        }
    }
}

impl Error for InvalidStatement {}

//! GateKeeper, the language of payment instructions: what a token of FPS 2007-01-08 allows, as a value and
//! as text; reads no message that carries one, and decides about no transaction.
//!
//! ```
//! use fps_model::gatekeeper::PaymentInstruction;
//! use refund_rules::Grant;
//!
//! let read = PaymentInstruction::parse("MyRole == 'Sender'; OperationType = 'Refund';")?;
//! assert_eq!(read, PaymentInstruction::refund());
//! assert_eq!(read.grant()?, Grant::REFUND);
//! assert_eq!(read.to_string(), "MyRole == 'Sender'; OperationType == 'Refund';");
//!
//! let error = PaymentInstruction::parse("invalid instruction").unwrap_err();
//! assert_eq!(error.to_string(), "Parse errors: line 1:9: unexpected token: instruction");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The grammar is the smallest that takes every text known: statements that end in a semicolon, each
//! a name, an operator and a string in single quotes, with `orSay` and a message if it wants one.
//! Amazon's own grammar is lost, and with it the names of limits on amounts, dates and methods. A
//! statement with another name is read and kept, but what it limits is unknown; so
//! [`PaymentInstruction::grant`] refuses to say what such an instruction grants.
//!
//! Source: the Refund page of the FPS 2007-01-08 developer guide, GetPaymentInstruction as recorded
//! from the sandbox, and the public clients fpys, remit and typica (H); operators other than `==` and
//! `=`, and every bound (L).

mod error;
mod meaning;
mod parse;

use std::fmt;
use std::str::FromStr;

use refund_rules::{Operation, Role};

pub use self::error::{Awaited, InvalidStatement, ParseError, ParseProblem};
pub use self::meaning::NotAGrant;

/// The name of the statement on the role.
const MY_ROLE: &str = "MyRole";
/// The name of the statement on the operation.
const OPERATION_TYPE: &str = "OperationType";
/// What stands before the message, and so cannot be a name.
const OR_SAY: &str = "orSay";

/// What a token allows: at least one statement, and all of them hold at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentInstruction {
    statements: Vec<Statement>,
}

impl PaymentInstruction {
    /// The most bytes of a text that is read: more than what this crate writes can have.
    pub const BYTES_MAX: usize = 64 * 1024;
    /// The most statements.
    pub const STATEMENTS_MAX: usize = 32;

    /// Reads the text of an instruction.
    ///
    /// # Errors
    /// [`ParseError`] with the place of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text).map(|statements| Self { statements })
    }

    /// With one statement.
    #[must_use]
    pub fn new(statement: Statement) -> Self {
        Self { statements: vec![statement] }
    }

    /// With one more statement.
    ///
    /// # Errors
    /// [`InvalidStatement::TooMany`] when it is full.
    pub fn with(mut self, statement: Statement) -> Result<Self, InvalidStatement> {
        if self.statements.len() >= Self::STATEMENTS_MAX {
            return Err(InvalidStatement::TooMany);
        }
        self.statements.push(statement);
        Ok(self)
    }

    /// Of a token for its owner's part in any operation.
    #[must_use]
    pub fn for_role(role: Role) -> Self {
        Self::new(Statement::fixed(MY_ROLE, meaning::role_name(role)))
    }

    /// Of a token for its owner's part in one operation. `None` when FPS has no such operation.
    #[must_use]
    pub fn for_operation(role: Role, operation: Operation) -> Option<Self> {
        let operation = meaning::operation_name(operation)?;
        let mut instruction = Self::for_role(role);
        instruction.statements.push(Statement::fixed(OPERATION_TYPE, operation));
        Some(instruction)
    }

    /// Of the caller token, that an application needs for itself.
    #[must_use]
    pub fn caller() -> Self {
        Self::for_role(Role::Caller)
    }

    /// Of a recipient token, with which payments are received. It gives none back.
    #[must_use]
    pub fn recipient() -> Self {
        Self::for_role(Role::Recipient)
    }

    /// Of a refund token: the recipient of a payment sends it back.
    #[must_use]
    pub fn refund() -> Self {
        let mut instruction = Self::for_role(Role::Sender);
        instruction.statements.push(Statement::fixed(OPERATION_TYPE, "Refund"));
        instruction
    }

    /// Every statement, in the order of the text.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

/// The canonical text: `==` for equality, one blank between parts, all on one line unless a string
/// holds a line break.
impl fmt::Display for PaymentInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, statement) in self.statements.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{statement}")?;
        }
        Ok(())
    }
}

impl FromStr for PaymentInstruction {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// One condition: `MyRole == 'Recipient' orSay 'Role does not match';`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    name: String,
    operator: Operator,
    value: String,
    or_say: Option<String>,
}

impl Statement {
    /// The most bytes of a name.
    pub const NAME_BYTES_MAX: usize = 64;
    /// The most bytes of a value, and of a message.
    pub const STRING_BYTES_MAX: usize = 512;

    /// Without a message. A value cannot hold a single quote: the language has no way to write it.
    ///
    /// # Errors
    /// [`InvalidStatement`] when no text would be read as this statement.
    pub fn new(
        name: impl Into<String>,
        operator: Operator,
        value: impl Into<String>,
    ) -> Result<Self, InvalidStatement> {
        let (name, value) = (name.into(), value.into());
        if !is_name(&name) {
            return Err(InvalidStatement::Name);
        }
        check_string(&value)?;
        Ok(Self { name, operator, value, or_say: None })
    }

    /// With the message for whoever breaks it. It cannot hold a single quote either.
    ///
    /// # Errors
    /// [`InvalidStatement`] when the message cannot be written.
    pub fn with_or_say(mut self, message: impl Into<String>) -> Result<Self, InvalidStatement> {
        let message = message.into();
        check_string(&message)?;
        self.or_say = Some(message);
        Ok(self)
    }

    /// What it is about: `MyRole`, `OperationType`, or a name that is only kept.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the two sides are compared.
    #[must_use]
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// The other side, without its quotes.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What to say when it does not hold.
    #[must_use]
    pub fn or_say(&self) -> Option<&str> {
        self.or_say.as_deref()
    }

    /// Of two texts that are known to be good.
    fn fixed(name: &'static str, value: &'static str) -> Self {
        let (name, value) = (name.to_owned(), value.to_owned());
        Self { name, operator: Operator::Equal, value, or_say: None }
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} '{}'", self.name, self.operator, self.value)?;
        if let Some(message) = &self.or_say {
            write!(f, " {OR_SAY} '{message}'")?;
        }
        f.write_str(";")
    }
}

/// How a statement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operator {
    /// `==`, also written `=`.
    Equal,
    /// `<`. Like the three below it has not been seen in use.
    Less,
    /// `<=`.
    AtMost,
    /// `>`.
    Greater,
    /// `>=`.
    AtLeast,
}

impl Operator {
    /// Every spelling, the longer first; the first of an operator is the one that is written.
    const SPELLINGS: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_name(text: &str) -> bool {
    (1..=Statement::NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text != OR_SAY
}

fn check_string(text: &str) -> Result<(), InvalidStatement> {
    if text.len() > Statement::STRING_BYTES_MAX {
        return Err(InvalidStatement::TooLong);
    }
    if text.chars().all(|character| character != '\'' && is_carried(character)) {
        return Ok(());
    }
    Err(InvalidStatement::Character)
}

/// May a string hold it? The same that a field of a message may.
fn is_carried(character: char) -> bool {
    !character.is_control() || "\t\n\r".contains(character)
}

/// ` == ''`, ` orSay ''`, `;` and a blank.
const STATEMENT_SIGNS: usize = 16;
const STATEMENT_BYTES_MAX: usize =
    Statement::NAME_BYTES_MAX + 2 * Statement::STRING_BYTES_MAX + STATEMENT_SIGNS;
// What is written is never too long to be read.
const _: () = assert!(
    PaymentInstruction::STATEMENTS_MAX * STATEMENT_BYTES_MAX <= PaymentInstruction::BYTES_MAX
);

//! What an instruction grants, in the words of the rules; nothing is granted on the strength of a
//! statement that is not understood.

use std::error::Error;
use std::fmt;

use refund_rules::{Grant, Operation, Role};

use super::{MY_ROLE, OPERATION_TYPE, Operator, PaymentInstruction};

const ROLES: [Role; 3] = [Role::Caller, Role::Recipient, Role::Sender];

const OPERATIONS: [(&str, Operation); 7] = [
    ("Pay", Operation::Pay),
    ("Refund", Operation::Refund),
    ("Settle", Operation::Settle),
    ("SettleDebt", Operation::SettleDebt),
    ("WriteOffDebt", Operation::WriteOffDebt),
    ("FundPrepaid", Operation::FundPrepaid),
    ("Reserve", Operation::Reserve),
];

pub(super) const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Caller => "Caller",
        Role::Recipient => "Recipient",
        Role::Sender => "Sender",
    }
}

pub(super) fn operation_name(operation: Operation) -> Option<&'static str> {
    OPERATIONS.iter().find(|(_, listed)| *listed == operation).map(|(name, _)| *name)
}

impl PaymentInstruction {
    /// What the owner of the token grants: `MyRole` fixes its role, `OperationType` the operation;
    /// without the latter it is any.
    ///
    /// # Errors
    /// [`NotAGrant`] unless every statement is understood, they agree, and one fixes the role. The
    /// grant without what is not understood would be wider than what its giver wrote.
    pub fn grant(&self) -> Result<Grant, NotAGrant> {
        let (mut granted, mut limit) = (None, None);
        for statement in self.statements() {
            let (name, value) = (statement.name(), statement.value());
            match (name, statement.operator()) {
                (MY_ROLE, Operator::Equal) => settle(MY_ROLE, &mut granted, role(value))?,
                (OPERATION_TYPE, Operator::Equal) => {
                    settle(OPERATION_TYPE, &mut limit, operation(value))?;
                }
                _ => return Err(NotAGrant::FurtherCondition(name.to_owned())),
            }
        }
        let role = granted.ok_or(NotAGrant::NoRole)?;
        Ok(limit.map_or(Grant::any(role), |operation| Grant::new(role, operation)))
    }
}

fn role(name: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role_name(*role) == name)
}

fn operation(name: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|(listed, _)| *listed == name).map(|(_, operation)| *operation)
}

/// Takes what a statement fixes, unless another has fixed something else.
fn settle<T: Copy + PartialEq>(
    name: &'static str,
    fixed: &mut Option<T>,
    value: Option<T>,
) -> Result<(), NotAGrant> {
    let value = value.ok_or(NotAGrant::UnknownValue(name))?;
    match fixed.replace(value) {
        Some(before) if before != value => Err(NotAGrant::Contradiction(name)),
        _ => Ok(()),
    }
}

/// An instruction can be read, but what it grants cannot be said: nothing must be done on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAGrant {
    /// No statement fixes the role.
    NoRole,
    /// Two statements with this name fix different things.
    Contradiction(&'static str),
    /// The statement with this name has a value that the rules do not know.
    UnknownValue(&'static str),
    /// The statement with this name limits the grant in a way that is not understood.
    FurtherCondition(String),
}

impl fmt::Display for NotAGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRole => write!(f, "no statement fixes {MY_ROLE}"),
            Self::Contradiction(name) => {
                write!(f, "two statements on {name} contradict each other")
            }
            Self::UnknownValue(name) => write!(f, "{name} has a value that is not known"),
            Self::FurtherCondition(name) => {
                write!(f, "the condition on {name} is not understood")
            }
        }
    }
}

impl Error for NotAGrant {}

//! Who may ask for a refund: roles and what their holders grant; knows neither amounts nor the text in
//! which grants are written.
//!
//! Source: the Refund page of the FPS 2007-01-08 developer guide (seed 003). Only who executed a
//! payment may refund it. In a marketplace, where the caller is not the recipient, the recipient
//! must have granted it: the recipient is the sender of the refund, so its grant says *role sender,
//! operation refund*. A grant to be the recipient of payments is no grant to send them back.

/// A party's part in a transaction. In a refund the recipient of the payment is the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "a transaction has these three roles")]
pub enum Role {
    /// Whose money it is.
    Sender,
    /// Who gets it.
    Recipient,
    /// Who executes the transaction, on its own behalf or for a recipient.
    Caller,
}

/// What a grant can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Operation {
    /// Moves money at once.
    Pay,
    /// Holds money, to be settled later.
    Reserve,
    /// Moves money that was held.
    Settle,
    /// Gives money back.
    Refund,
    /// Puts money into a prepaid instrument.
    FundPrepaid,
    /// Pays a postpaid debt.
    SettleDebt,
    /// Forgives a postpaid debt.
    WriteOffDebt,
}

impl Operation {
    const LAST: Self = Self::WriteOffDebt;
}

/// That its giver takes part, in one role, in transactions that the holder executes: in those of one
/// operation, or of any.
///
/// ```
/// use refund_rules::{Grant, Grants, Operation, Role};
///
/// // A recipient lets a marketplace take payments for it. That is no leave to give them back.
/// let grants = Grants::NONE.with(Grant::any(Role::Recipient));
/// assert!(!grants.allow(Role::Sender, Operation::Refund));
/// let grants = grants.with(Grant::REFUND);
/// assert!(grants.allow(Role::Sender, Operation::Refund));
/// assert!(!grants.allow(Role::Sender, Operation::Pay));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Grant {
    role: Role,
    operation: Option<Operation>,
}

impl Grant {
    /// That the recipient of payments gives them back: `MyRole == 'Sender'; OperationType ==
    /// 'Refund';` in FPS.
    pub const REFUND: Self = Self::new(Role::Sender, Operation::Refund);

    /// For one operation.
    #[must_use]
    pub const fn new(role: Role, operation: Operation) -> Self {
        Self { role, operation: Some(operation) }
    }

    /// For any operation.
    #[must_use]
    pub const fn any(role: Role) -> Self {
        Self { role, operation: None }
    }

    /// They are written as this number, so that it cannot change.
    const fn bits(self) -> u32 {
        let operations = match self.operation {
            Some(operation) => Self::bit(operation),
            None => Self::bit(Operation::LAST) | Self::bit(Operation::LAST).saturating_sub(1),
        };
        match self.role {
            Role::Sender => operations,
            Role::Recipient => operations << 8,
            Role::Caller => operations << 16,
        }
    }

    const fn bit(operation: Operation) -> u32 {
        1 << operation as u32
    }
}

/// Every grant that somebody holds from the recipient of a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Grants(u32);

impl Grants {
    /// No grant.
    pub const NONE: Self = Self(0);

    /// One more.
    #[must_use]
    pub const fn with(self, grant: Grant) -> Self {
        Self(self.0 | grant.bits())
    }

    /// May the holder execute `operation` with the giver as `role`?
    #[must_use]
    pub const fn allow(self, role: Role, operation: Operation) -> bool {
        let needed = Grant::new(role, operation).bits();
        self.0 & needed == needed
    }
}

/// Who asks for a refund, as far as the rules need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Asker {
    executed: bool,
    grants: Grants,
}

impl Asker {
    /// Who executed the payment, without any grant: all that a merchant needs who is the recipient.
    pub const CALLER: Self = Self { executed: true, grants: Grants::NONE };
    /// Anybody else.
    pub const STRANGER: Self = Self { executed: false, grants: Grants::NONE };

    /// With what the recipient of the payment has granted.
    #[must_use]
    pub const fn with_grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Was the payment executed by the asker?
    #[must_use]
    pub const fn executed(&self) -> bool {
        self.executed
    }

    /// What the recipient of the payment has granted.
    #[must_use]
    pub const fn grants(&self) -> Grants {
        self.grants
    }
}

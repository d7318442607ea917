//! Kinds, states and methods of payments, by their names in the database.

use refund_rules::{Method, PaymentKind, PaymentState};

use crate::error::{Error, ErrorKind};

/// What sort of payment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A charge of Amazon Pay.
    Charge,
    /// Pay of FPS, at once.
    Pay,
    /// Reserve of FPS, to be settled.
    Reserve,
    /// Money into a prepaid instrument.
    FundPrepaid,
    /// Money that pays a postpaid debt.
    SettleDebt,
    /// A postpaid debt that is forgiven.
    WriteOffDebt,
}

impl Operation {
    const ALL: [Self; 6] = [
        Self::Charge,
        Self::Pay,
        Self::Reserve,
        Self::FundPrepaid,
        Self::SettleDebt,
        Self::WriteOffDebt,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Pay => "pay",
            Self::Reserve => "reserve",
            Self::FundPrepaid => "fund-prepaid",
            Self::SettleDebt => "settle-debt",
            Self::WriteOffDebt => "write-off-debt",
        }
    }

    pub(crate) fn from_name(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|operation| operation.name() == name);
        found.ok_or_else(|| Error::with(ErrorKind::Database, "an unknown operation"))
    }

    /// As the rules see it. A debt that is forgiven is no more to be refunded than one that is paid.
    pub(super) const fn kind(self) -> PaymentKind {
        match self {
            Self::Charge | Self::Pay => PaymentKind::Pay,
            Self::Reserve => PaymentKind::SettledReserve,
            Self::FundPrepaid => PaymentKind::FundPrepaid,
            Self::SettleDebt | Self::WriteOffDebt => PaymentKind::SettleDebt,
        }
    }
}

/// How far a payment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not known yet.
    Pending,
    /// The buyer's money is reserved, and not charged.
    Reserved,
    /// It is being charged after it was reserved.
    Capturing,
    /// Charged.
    Completed,
    /// No money moved, and none will.
    Failed,
    /// Given up before it was charged.
    Cancelled,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Reserved,
        Self::Capturing,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Reserved => "reserved",
            Self::Capturing => "capturing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| Error::with(ErrorKind::Database, "an unknown state"))
    }

    pub(super) const fn as_rules_see_it(self) -> PaymentState {
        match self {
            Self::Pending | Self::Capturing => PaymentState::Pending,
            Self::Reserved => PaymentState::Reserved,
            Self::Completed => PaymentState::Completed,
            Self::Failed => PaymentState::Failed,
            Self::Cancelled => PaymentState::Cancelled,
        }
    }

    /// May it come to this one from here? Final states stay.
    pub(super) const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => !matches!(next, Self::Pending | Self::Capturing),
            Self::Reserved => !matches!(next, Self::Pending | Self::Reserved),
            Self::Capturing => matches!(next, Self::Completed | Self::Failed),
            Self::Completed | Self::Failed | Self::Cancelled => false,
        }
    }
}

const METHODS: [(Method, &str); 5] = [
    (Method::Card, "card"),
    (Method::Bank, "bank"),
    (Method::Balance, "balance"),
    (Method::Prepaid, "prepaid"),
    (Method::Postpaid, "postpaid"),
];

pub(crate) fn method_name(method: Method) -> &'static str {
    METHODS.into_iter().find(|(known, _)| *known == method).map_or("card", |(_, name)| name)
}

pub(crate) fn method_of(name: &str) -> Option<Method> {
    METHODS.into_iter().find(|(_, known)| *known == name).map(|(method, _)| method)
}

//! How states and scopes are written in columns: as in every other output.

use refund_rules::{RefundState, Scope};

use crate::error::Error;

pub(crate) const STATES: [RefundState; 7] = [
    RefundState::Prepared,
    RefundState::Sent,
    RefundState::Unknown,
    RefundState::Accepted,
    RefundState::Pending,
    RefundState::Refunded,
    RefundState::Declined,
];

pub(crate) const fn of_state(state: RefundState) -> &'static str {
    match state {
        RefundState::Prepared => "prepared",
        RefundState::Sent => "sent",
        RefundState::Unknown => "unknown",
        RefundState::Accepted => "accepted",
        RefundState::Pending => "pending",
        RefundState::Refunded => "refunded",
        RefundState::Declined => "declined",
    }
}

pub(crate) fn state(text: &str) -> Result<RefundState, Error> {
    let found = STATES.into_iter().find(|state| of_state(*state) == text);
    found.ok_or_else(|| Error::damaged("an intent", "it is in no state"))
}

pub(crate) const fn of_scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Payment => "payment",
        Scope::MarketplaceFee => "marketplace-fee",
        Scope::PaymentAndMarketplaceFee => "payment-and-marketplace-fee",
    }
}

pub(crate) fn scope(text: &str) -> Result<Scope, Error> {
    let scopes = [Scope::Payment, Scope::MarketplaceFee, Scope::PaymentAndMarketplaceFee];
    let found = scopes.into_iter().find(|scope| of_scope(*scope) == text);
    found.ok_or_else(|| Error::damaged("an intent", "it has no scope"))
}

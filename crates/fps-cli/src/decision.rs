//! What a refund or a capture is told by on the command line, read: its key and its amount; nothing is
//! decided here. And what the rules decided, said.

use fps::{Currency, InvalidKey, Key, Money, ParseMoneyError, Plan, RefundState, Refusal, Timing};

use crate::cli::Decision;
use crate::exit::{Exit, Failure};

/// The key: given, or derived from what names the decision.
pub(crate) fn key(decision: &Decision) -> Option<String> {
    match (&decision.key, decision.parts.is_empty()) {
        (Some(key), _) => Some(key.clone()),
        (None, false) => Some(Key::derive(&decision.parts).to_string()),
        (None, true) => None,
    }
}

/// A key that the service does not take.
pub(crate) fn bad_key(error: InvalidKey) -> Failure {
    Failure::new(Exit::Usage, "--key is no key for this service").because(error)
}

/// A currency by its code.
pub(crate) fn currency(code: &str) -> Result<Currency, Failure> {
    Currency::from_code(code).map_err(|error| {
        Failure::new(Exit::Usage, format!("--currency {code} is not usable")).because(error)
    })
}

/// An amount, read as the rules read it.
pub(crate) fn amount(text: &str, currency: Currency) -> Result<Money, Failure> {
    Money::parse(text, currency).map_err(|error| bad_amount("the amount", text, currency, error))
}

/// An amount that is none.
pub(crate) fn bad_amount(
    name: &str,
    text: &str,
    currency: Currency,
    error: ParseMoneyError,
) -> Failure {
    Failure::new(Exit::Usage, format!("{name} `{text}` is no amount in {currency}"))
        .because(error)
        .hint("write amounts as 1000.00 (USD), 1000 (JPY) or 1000.000 (KWD)")
}

/// An amount with its currency, as people and confirmations say it.
pub(crate) fn said(amount: Money) -> String {
    format!("{amount} {}", amount.currency())
}

/// What a rule forbids.
pub(crate) fn refused(refusal: Refusal) -> Failure {
    let rule = refusal.rule().name();
    Failure::new(Exit::Rule, format!("the rule `{rule}` forbids it")).because(refusal)
}

/// When a plan's refund reaches the buyer.
pub(crate) fn timing(plan: &Plan) -> &'static str {
    match plan.timing() {
        Timing::AtOnce => "at-once",
        Timing::Later => "later",
    }
}

/// How far a refund has come.
pub(crate) fn state(state: RefundState) -> &'static str {
    match state {
        RefundState::Refunded => "refunded",
        RefundState::Declined => "declined",
        RefundState::Pending => "pending",
        _ => "accepted",
    }
}

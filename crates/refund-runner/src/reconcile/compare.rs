//! One refund here against one there; asks nobody and writes nothing.

use refund_ledger::{IntentRecord, Outcome};
use refund_rules::{Money, Observation, RefundState};

use crate::reconcile::{Difference, DifferenceKind};

/// A refund as somebody else describes it.
#[derive(Clone, Debug)]
pub(crate) struct There {
    pub(crate) refund: Option<String>,
    pub(crate) amount: Option<Money>,
    pub(crate) state: Observation,
    pub(crate) reason: Option<String>,
}

/// What comes of a comparison.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) differences: Vec<Difference>,
    /// What is to be recorded.
    pub(crate) news: Option<Outcome>,
}

/// Compares. What is not the same refund teaches nothing of it.
pub(crate) fn refund(here: &IntentRecord, there: There) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.differences.extend(there.amount.and_then(|amount| of_amount(here, amount)));
    let is_same = verdict.differences.is_empty();
    let state = here.life.state;
    let differs = |kind| {
        let values = (state.name().to_owned(), observed(there.state).to_owned());
        Difference::of_intent(kind, here).values(values.0, values.1)
    };
    match (state, there.state) {
        (RefundState::Refunded, Observation::Refunded)
        | (RefundState::Declined, Observation::Declined) => {}
        // What was never sent must not be there; what has ended stays as it has.
        (RefundState::Prepared | RefundState::Refunded | RefundState::Declined, _) => {
            verdict.differences.push(differs(DifferenceKind::State));
        }
        (_, seen) => {
            let after = state.observe(seen).unwrap_or(state);
            if !after.is_final() {
                verdict.differences.push(differs(DifferenceKind::StillPending));
            }
            if is_same && after != state {
                verdict.news = Some(Outcome::Observed {
                    state: seen,
                    refund: there.refund,
                    reason: there.reason,
                });
            }
        }
    }
    verdict
}

fn of_amount(here: &IntentRecord, there: Money) -> Option<Difference> {
    let amount = here.facts.amount;
    let kind = match amount.currency() == there.currency() {
        false => DifferenceKind::Currency,
        true if amount != there => DifferenceKind::Amount,
        true => return None,
    };
    Some(Difference::of_intent(kind, here).values(money(amount), money(there)))
}

pub(crate) fn money(amount: Money) -> String {
    format!("{amount:?}")
}

const fn observed(state: Observation) -> &'static str {
    match state {
        Observation::Sent => "sent",
        Observation::NotSent => "not sent",
        Observation::AnswerLost => "unknown",
        Observation::Accepted => "accepted",
        Observation::Pending => "pending",
        Observation::Refunded => "refunded",
        Observation::Declined => "declined",
    }
}

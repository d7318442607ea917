//! The mistake that this crate is there to prevent, kept so that its tests can be seen to find it: a new
//! key for every try. Never in a build that moves money.

use refund_ledger::IntentRecord;

pub(crate) fn with_a_key_of_its_own(intent: &IntentRecord, attempt: u32) -> IntentRecord {
    let mut intent = intent.clone();
    let end = format!("{attempt:04x}");
    let kept = intent.facts.key.len().saturating_sub(end.len());
    intent.facts.key.truncate(kept);
    intent.facts.key.push_str(&end);
    intent
}

//! How many refunds of a batch are in which state while it runs.

use std::collections::BTreeMap;

use fps::RefundState;
use fps::refund_ledger::Total;
use serde::Serialize;

#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    states: BTreeMap<RefundState, u64>,
    pub(super) parked: u64,
}

/// As they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    pub(super) prepared: u64,
    pub(super) in_flight: u64,
    pub(super) pending: u64,
    pub(super) refunded: u64,
    pub(super) declined: u64,
    pub(super) unknown: u64,
    pub(super) waiting_for_human: u64,
}

impl Counts {
    pub(super) fn of(totals: &[Total]) -> Self {
        let mut counts = Self::default();
        for total in totals {
            // Whoever was to send those that are sent is gone, and nobody knows of them.
            *counts.states.entry(in_run(total.state)).or_default() += total.count;
            if total.is_parked {
                counts.parked += total.count;
            }
        }
        counts
    }

    /// One has come from one state to another.
    pub(super) fn move_one(&mut self, before: RefundState, after: RefundState) {
        if let Some(count) = self.states.get_mut(&before) {
            *count = count.saturating_sub(1);
        }
        *self.states.entry(after).or_default() += 1;
    }

    fn sum(&self, states: &[RefundState]) -> u64 {
        states.iter().filter_map(|state| self.states.get(state)).sum()
    }

    pub(super) fn all(&self) -> u64 {
        self.states.values().sum()
    }

    pub(super) fn ended(&self) -> u64 {
        self.sum(&[RefundState::Refunded, RefundState::Declined])
    }

    pub(super) fn told(&self) -> Told {
        Told {
            prepared: self.sum(&[RefundState::Prepared]),
            in_flight: self.sum(&[RefundState::Sent]),
            pending: self.sum(&[RefundState::Accepted, RefundState::Pending]),
            refunded: self.sum(&[RefundState::Refunded]),
            declined: self.sum(&[RefundState::Declined]),
            unknown: self.sum(&[RefundState::Unknown]),
            waiting_for_human: self.parked,
        }
    }

    /// In words, without what there is none of.
    pub(super) fn words(&self) -> String {
        let told = self.told();
        let shown = [
            ("in flight", told.in_flight),
            ("pending", told.pending),
            ("refunded", told.refunded),
            ("declined", told.declined),
            ("unknown", told.unknown),
            ("for a human", told.waiting_for_human),
        ];
        let shown = shown.into_iter().filter(|(name, count)| *count > 0 || *name == "refunded");
        shown.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }
}

const fn in_run(state: RefundState) -> RefundState {
    match state {
        RefundState::Sent => RefundState::Unknown,
        state => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refund_is_counted_once_wherever_it_goes() {
        let mut counts = Counts::default();
        counts.states.extend([(RefundState::Prepared, 3), (RefundState::Unknown, 1)]);
        for (before, after) in [
            (RefundState::Prepared, RefundState::Sent),
            (RefundState::Prepared, RefundState::Sent),
            (RefundState::Unknown, RefundState::Sent),
            (RefundState::Sent, RefundState::Accepted),
            (RefundState::Sent, RefundState::Unknown),
            (RefundState::Sent, RefundState::Declined),
            (RefundState::Accepted, RefundState::Accepted),
            (RefundState::Accepted, RefundState::Refunded),
        ] {
            counts.move_one(before, after);
            assert_eq!(counts.all(), 4);
        }
        assert_eq!((counts.ended(), counts.told().prepared), (2, 1));
        assert_eq!(counts.words(), "1 refunded, 1 declined, 1 unknown");
        assert_eq!(Counts::default().words(), "0 refunded");
    }
}

//! What may go wrong with deliveries on purpose: consumers must bear loss, doubles and disorder. What
//! becomes of a notification follows from the seed and its number, and not from the time.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::{self, Millis};

/// How many of a thousand notifications meet with a fault. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationFaults {
    /// Which notifications it is follows from this.
    pub seed: u64,
    /// So many of a thousand never arrive.
    pub lose: u16,
    /// So many of a thousand arrive twice.
    pub duplicate: u16,
    /// So many of a thousand are late, and so overtaken by others.
    pub delay: u16,
    /// How late these are.
    pub delay_by: Duration,
}

impl NotificationFaults {
    /// No faults, with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The same with so many of a thousand lost.
    #[must_use]
    pub const fn lose(mut self, per_mille: u16) -> Self {
        self.lose = per_mille;
        self
    }

    /// The same with so many of a thousand doubled.
    #[must_use]
    pub const fn duplicate(mut self, per_mille: u16) -> Self {
        self.duplicate = per_mille;
        self
    }

    /// The same with so many of a thousand late by so much.
    #[must_use]
    pub const fn delay(mut self, per_mille: u16, by: Duration) -> Self {
        self.delay = per_mille;
        self.delay_by = by;
        self
    }

    /// What becomes of one notification.
    pub(super) fn fate(&self, notification: i64) -> Fate {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(notification.to_be_bytes());
        let hash = hash.finalize();
        let hit = |at: usize, per_mille: u16| {
            let bytes = hash.get(at..).and_then(|rest| rest.first_chunk::<4>());
            let number = bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes));
            number % 1000 < u32::from(per_mille)
        };
        Fate {
            lost: hit(0, self.lose),
            doubled: hit(4, self.duplicate),
            late_by: if hit(8, self.delay) { clock::millis(self.delay_by) } else { 0 },
        }
    }
}

/// What becomes of one notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) lost: bool,
    pub(super) doubled: bool,
    pub(super) late_by: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_and_the_rates_are_kept() {
        let faults = NotificationFaults::new(7).lose(250).delay(1000, Duration::from_secs(1));
        let fates: Vec<Fate> = (0..4000).map(|number| faults.fate(number)).collect();
        let again: Vec<Fate> = (0..4000).map(|number| faults.fate(number)).collect();
        assert_eq!(fates, again);
        let lost = fates.iter().filter(|fate| fate.lost).count();
        assert!((900..1100).contains(&lost), "{lost}");
        assert!(fates.iter().all(|fate| !fate.doubled && fate.late_by == 1000));
        let other = NotificationFaults::new(8).lose(250);
        assert!((0..4000).any(|number| other.fate(number).lost != faults.fate(number).lost));
    }
}

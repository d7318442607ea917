//! When a run stops by itself before it is done; it stops nothing here.

use std::collections::BTreeMap;
use std::fmt;

use refund_ledger::Total;
use refund_rules::{Currency, Money, RefundState};
use serde::Serialize;

/// A rule that ends a run before its batch is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StopRule {
    /// After so many refunds that this run saw declined or refused.
    Declines(u32),
    /// Before the refunds of the batch that were sent, in this run or before, come to more than this.
    Total(Money),
}

impl fmt::Display for StopRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declines(1) => f.write_str("a refund was declined"),
            Self::Declines(most) => write!(f, "{most} refunds were declined"),
            Self::Total(most) => {
                write!(f, "the next refund would bring the total above {most} {}", most.currency())
            }
        }
    }
}

/// What the rules count.
pub(crate) struct Tally {
    rules: Vec<StopRule>,
    declines: u32,
    /// What was or is being sent, and was not declined.
    sent: BTreeMap<Currency, i64>,
}

impl Tally {
    /// With what earlier runs sent.
    pub(crate) fn new(rules: &[StopRule], totals: &[Total]) -> Self {
        let mut tally = Self { rules: rules.to_vec(), declines: 0, sent: BTreeMap::new() };
        for total in totals {
            if !matches!(total.state, RefundState::Prepared | RefundState::Declined) {
                tally.add(total.amount, 1);
            }
        }
        tally
    }

    fn add(&mut self, amount: Money, sign: i64) {
        let sum = self.sent.entry(amount.currency()).or_default();
        *sum = sum.saturating_add(amount.minor().saturating_mul(sign));
    }

    /// Counts a refund that is about to be sent for the first time, unless a rule forbids that.
    pub(crate) fn send(&mut self, amount: Money) -> Result<(), StopRule> {
        let sent = self.sent.get(&amount.currency()).copied().unwrap_or_default();
        let after = sent.saturating_add(amount.minor());
        let is_broken = |rule: &&StopRule| {
            matches!(rule, StopRule::Total(most)
                if most.currency() == amount.currency() && after > most.minor())
        };
        if let Some(rule) = self.rules.iter().find(is_broken) {
            return Err(*rule);
        }
        self.add(amount, 1);
        Ok(())
    }

    /// Takes back what did not leave.
    pub(crate) fn not_sent(&mut self, amount: Money) {
        self.add(amount, -1);
    }

    /// Counts a decline, which may be one too many.
    pub(crate) fn declined(&mut self, amount: Money) -> Result<(), StopRule> {
        self.add(amount, -1);
        self.declines = self.declines.saturating_add(1);
        let declines = self.declines;
        let is_broken =
            |rule: &&StopRule| matches!(rule, StopRule::Declines(most) if declines >= *most);
        self.rules.iter().find(is_broken).map_or(Ok(()), |rule| Err(*rule))
    }
}

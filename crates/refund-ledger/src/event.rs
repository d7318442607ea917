//! What happened, in the form in which it is sealed; the only thing that changes anything.

use refund_rules::{Held, Money, Observation, RefundState, Scope};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::intent::{IntentFacts, KeyLife, Life};
use crate::outcome::Outcome;
use crate::payment::{PaymentFacts, Sums};
use crate::time::Millis;

/// The seal of an event: a hash of the one before it and of its content.
pub(crate) type Seal = [u8; 32];

/// The seal before the first.
pub(crate) const NO_SEAL: Seal = [0; 32];

/// Something that happened to a payment, or to one of its intents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// The payment was imported.
    Imported(Box<PaymentFacts>),
    /// An intent was written down.
    Prepared(Box<IntentFacts>),
    /// A request is about to leave.
    Sending {
        /// Which try, counted from one.
        attempt: u32,
        /// By whom.
        worker: String,
    },
    /// Something was learned.
    Reported {
        /// Of which try, if of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
        /// What.
        outcome: Outcome,
        /// The provider's name for the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
    /// Whoever was to send it was not heard of again: nobody knows whether it was.
    Abandoned,
    /// It waits for a human.
    Parked {
        /// Why.
        reason: String,
    },
    /// The human has looked.
    Unparked,
    /// It was taken back before it was ever sent.
    Withdrawn,
}

/// The seal of an event. Only what comes last has no fixed length, so that no two contents are the same
/// octets.
pub(crate) fn seal(before: &Seal, seq: i64, intent: Option<i64>, at: Millis, data: &str) -> Seal {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(seq.to_be_bytes());
    hash.update(intent.unwrap_or(-1).to_be_bytes());
    hash.update(at.0.to_be_bytes());
    hash.update(data.as_bytes());
    hash.finalize().into()
}

/// What an event happens to: the intent, and what is held of its payment.
pub(crate) struct Subject<'a> {
    sums: &'a mut Sums,
    facts: &'a IntentFacts,
    life: &'a mut Life,
    /// What contradicts what is known.
    alarm: Option<String>,
}

impl Life {
    /// Of an intent that was just written down.
    pub(crate) const fn new(facts: &IntentFacts) -> Self {
        Self {
            state: RefundState::Prepared,
            attempts: 0,
            lost: 0,
            sent_at: None,
            key_expires_at: match facts.key_life {
                KeyLife::Until(at) => Some(at),
                KeyLife::Forever | KeyLife::FromFirstTry(_) => None,
            },
            changed_at: facts.prepared_at,
            refund: None,
            reason: None,
            request: None,
            parked: None,
            alarm: None,
        }
    }
}

impl Sums {
    /// Takes what an intent that was just written down will hold.
    pub(crate) fn take(&mut self, facts: &IntentFacts) -> Result<(), Error> {
        let mut after = *self;
        after.hold(Some(Held::Pending), facts, 1)?;
        after.add(|sums| &mut sums.fee_returned, facts.fee.minor())?;
        after.add(|sums| &mut sums.marketplace_held, facts.marketplace_fee.minor())?;
        *self = after;
        Ok(())
    }

    /// Adds or takes away an intent's amount, once or minus once.
    fn hold(&mut self, part: Option<Held>, facts: &IntentFacts, sign: i64) -> Result<(), Error> {
        // A marketplace's fee goes back beside the payment, and holds nothing of it.
        let (Some(part), true) = (part, facts.scope != Scope::MarketplaceFee) else {
            return Ok(());
        };
        let amount = facts.amount.minor().saturating_mul(sign);
        self.add(|sums| &mut sums.refunds, sign)?;
        match part {
            Held::Refunded => self.add(|sums| &mut sums.refunded, amount),
            Held::Pending => self.add(|sums| &mut sums.pending, amount),
            Held::Unknown => self.add(|sums| &mut sums.unknown, amount),
        }
    }

    fn add(&mut self, part: impl Fn(&mut Self) -> &mut i64, by: i64) -> Result<(), Error> {
        let part = part(self);
        let sum = part.checked_add(by).filter(|sum| *sum >= 0);
        *part = sum.ok_or_else(|| Error::damaged("a payment", "a sum would be below zero"))?;
        Ok(())
    }
}

impl<'a> Subject<'a> {
    pub(crate) const fn new(
        sums: &'a mut Sums,
        facts: &'a IntentFacts,
        life: &'a mut Life,
    ) -> Self {
        Self { sums, facts, life, alarm: None }
    }

    /// Changes both as the event says; gives what in it contradicts what is known.
    pub(crate) fn apply(mut self, event: &Event, at: Millis) -> Result<Option<String>, Error> {
        match event {
            Event::Sending { attempt, .. } => self.sending(*attempt, at)?,
            Event::Reported { attempt, outcome, request } => {
                if request.is_some() {
                    self.life.request.clone_from(request);
                }
                self.reported(*attempt, outcome)?;
            }
            Event::Abandoned => self.lost()?,
            Event::Parked { reason } => self.life.parked = Some(reason.clone()),
            Event::Unparked => {
                self.life.parked = None;
                self.life.lost = 0;
            }
            Event::Withdrawn => self.withdraw()?,
            Event::Imported(_) | Event::Prepared(_) => {
                return Err(Error::damaged("an event", "it happened a second time"));
            }
        }
        self.life.changed_at = at;
        if self.life.state.is_final() {
            // There is nothing left to wait for.
            self.life.parked = None;
        }
        if self.alarm.is_some() {
            self.life.alarm.clone_from(&self.alarm);
        }
        Ok(self.alarm)
    }

    fn sending(&mut self, attempt: u32, at: Millis) -> Result<(), Error> {
        // Nothing was said of a try before: it may have arrived.
        if self.life.state == RefundState::Sent {
            self.lost()?;
        }
        self.observe(Observation::Sent)?;
        self.life.attempts = attempt;
        self.life.sent_at = Some(at);
        if let KeyLife::FromFirstTry(millis) = self.facts.key_life {
            // A clock that was ahead at an earlier try must not make the window longer.
            let end = at.plus(millis);
            self.life.key_expires_at = Some(self.life.key_expires_at.map_or(end, |it| it.min(end)));
        }
        Ok(())
    }

    fn reported(&mut self, attempt: Option<u32>, outcome: &Outcome) -> Result<(), Error> {
        // What was not sent, lost or refused says something of its own try only.
        let is_latest = attempt == Some(self.life.attempts);
        match outcome {
            Outcome::NotSent if is_latest => self.observe(Observation::NotSent),
            Outcome::Unknown if is_latest => self.lost(),
            Outcome::Refused { code, is_retriable }
                if is_latest && self.life.state == RefundState::Sent =>
            {
                self.learn(None, Some(code))?;
                let is_over = !is_retriable;
                self.observe(if is_over { Observation::Declined } else { Observation::NotSent })
            }
            Outcome::NotSent | Outcome::Unknown | Outcome::Refused { .. } => Ok(()),
            Outcome::Accepted { refund, state, reason } => {
                self.is_not_that_of_none(refund, state.unwrap_or(Observation::Accepted));
                if self.learn(Some(refund), reason.as_ref())? {
                    self.observe(Observation::Accepted)?;
                    state.map_or(Ok(()), |state| self.told(state))?;
                }
                Ok(())
            }
            Outcome::Observed { state, refund, reason } => {
                if let Some(refund) = refund {
                    self.is_not_that_of_none(refund, *state);
                }
                if self.learn(refund.as_ref(), reason.as_ref())? {
                    self.told(*state)?;
                }
                Ok(())
            }
        }
    }

    /// Raises an alarm when the provider names a refund of what had ended as never made: its money is
    /// free here, and may be on its way there.
    fn is_not_that_of_none(&mut self, refund: &str, observation: Observation) {
        if self.life.state == RefundState::Declined
            && self.life.refund.is_none()
            && observation != Observation::Declined
        {
            self.alarm = Some(format!(
                "the refund had ended as never made, and the provider names {refund}"
            ));
        }
    }

    /// What the provider says of a refund. Whether a request left, or its answer came, is nothing that it
    /// could know.
    fn told(&mut self, observation: Observation) -> Result<(), Error> {
        match observation {
            Observation::Sent | Observation::NotSent | Observation::AnswerLost => Ok(()),
            Observation::Accepted
            | Observation::Pending
            | Observation::Refunded
            | Observation::Declined => self.observe(observation),
        }
    }

    /// Takes up a name and a reason; says whether what was said is about this refund at all.
    fn learn(&mut self, refund: Option<&String>, reason: Option<&String>) -> Result<bool, Error> {
        if let (Some(known), Some(told)) = (&self.life.refund, refund)
            && known != told
        {
            self.alarm = Some(format!("the provider names two refunds: {known} and {told}"));
            return Ok(false);
        }
        if let Some(refund) = refund {
            self.life.refund = Some(refund.clone());
        }
        if let (Some(reason), false) = (reason, self.life.state.is_final()) {
            self.life.reason = Some(reason.clone());
        }
        Ok(true)
    }

    fn lost(&mut self) -> Result<(), Error> {
        self.life.lost = self.life.lost.saturating_add(1);
        self.observe(Observation::AnswerLost)
    }

    fn withdraw(&mut self) -> Result<(), Error> {
        if self.life.state != RefundState::Prepared || self.life.attempts > 0 {
            return Err(Error::damaged("an event", "what was sent is withdrawn"));
        }
        self.hold(self.life.state.held(), None)
    }

    fn observe(&mut self, observation: Observation) -> Result<(), Error> {
        let before = self.life.state;
        let after = match before.observe(observation) {
            Ok(after) => after,
            Err(contradiction) => {
                self.alarm = Some(contradiction.to_string());
                return Ok(());
            }
        };
        self.hold(before.held(), after.held())?;
        self.life.state = after;
        Ok(())
    }

    /// Holds the amount as something else, or, with its part of the fees, no longer.
    fn hold(&mut self, before: Option<Held>, after: Option<Held>) -> Result<(), Error> {
        let mut sums = *self.sums;
        sums.hold(before, self.facts, -1)?;
        sums.hold(after, self.facts, 1)?;
        if before.is_some() && after.is_none() {
            let back = |amount: Money| amount.minor().saturating_neg();
            sums.add(|sums| &mut sums.fee_returned, back(self.facts.fee))?;
            sums.add(|sums| &mut sums.marketplace_held, back(self.facts.marketplace_fee))?;
        }
        *self.sums = sums;
        Ok(())
    }
}

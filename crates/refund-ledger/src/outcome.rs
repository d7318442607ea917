//! What was learned of an intent, how it is told to the ledger, and what that changed.

use refund_rules::{Observation, RefundState};
use serde::{Deserialize, Serialize};

use crate::claim::{Attempt, Claim};
use crate::intent::IntentId;
use crate::payment::storable;
use crate::time::Millis;

/// What became of one try, or was learned of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// The request cannot have arrived: no connection was made.
    NotSent,
    /// The provider took it and named it.
    Accepted {
        /// The name.
        refund: String,
        /// What it said of its state, if it did.
        state: Option<Observation>,
        /// Why, if it was declined at once.
        reason: Option<String>,
    },
    /// The provider answered that it refuses this request. Of a try before, whose answer was lost, this
    /// says nothing.
    Refused {
        /// The provider's code.
        code: String,
        /// May the same request be accepted later?
        is_retriable: bool,
    },
    /// The request may have arrived, and its answer did not.
    Unknown,
    /// The provider says, asked or not, how the refund is.
    Observed {
        /// How.
        state: Observation,
        /// What the provider calls the refund.
        refund: Option<String>,
        /// Why, if it was declined.
        reason: Option<String>,
    },
}

impl Outcome {
    /// The provider has declined the refund.
    #[must_use]
    pub fn declined(reason: impl Into<String>) -> Self {
        Self::Observed { state: Observation::Declined, refund: None, reason: Some(reason.into()) }
    }

    /// The provider says how the refund is.
    #[must_use]
    pub const fn observed(state: Observation) -> Self {
        Self::Observed { state, refund: None, reason: None }
    }

    /// The provider took it and named it.
    #[must_use]
    pub fn accepted(refund: impl Into<String>, state: Option<Observation>) -> Self {
        Self::Accepted { refund: refund.into(), state, reason: None }
    }
}

impl Outcome {
    /// The same in text that every store takes: it comes from elsewhere.
    pub(crate) fn storable(self) -> Self {
        match self {
            Self::NotSent | Self::Unknown => self,
            Self::Accepted { refund, state, reason } => {
                Self::Accepted { refund: storable(refund), state, reason: reason.map(storable) }
            }
            Self::Refused { code, is_retriable } => {
                Self::Refused { code: storable(code), is_retriable }
            }
            Self::Observed { state, refund, reason } => {
                Self::Observed { state, refund: refund.map(storable), reason: reason.map(storable) }
            }
        }
    }
}

/// What is to be recorded, of which intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub(crate) intent: IntentId,
    pub(crate) attempt: Option<u32>,
    /// The claim that it ends.
    pub(crate) fence: Option<i64>,
    pub(crate) outcome: Outcome,
    pub(crate) at: Millis,
    pub(crate) next_at: Option<Millis>,
    pub(crate) request: Option<String>,
}

impl Report {
    /// Of a try: see [`crate::Ledger::sending`]. It ends the claim.
    #[must_use]
    pub fn of_try(attempt: &Attempt, outcome: Outcome, at: Millis) -> Self {
        let Attempt { intent, number, fence } = *attempt;
        let report = Self::of_refund(intent, outcome, at);
        Self { attempt: Some(number), fence: Some(fence), ..report }
    }

    /// Of a refund that was claimed and looked up. It ends the claim.
    #[must_use]
    pub fn of_claim(claim: &Claim, outcome: Outcome, at: Millis) -> Self {
        Self { fence: Some(claim.fence), ..Self::of_refund(claim.intent, outcome, at) }
    }

    /// Of a refund that somebody spoke of, such as a notification. It ends no claim, unless it ends the
    /// refund.
    #[must_use]
    pub const fn of_refund(intent: IntentId, outcome: Outcome, at: Millis) -> Self {
        Self { intent, attempt: None, fence: None, outcome, at, next_at: None, request: None }
    }

    /// With when somebody should look again; otherwise at once, as far as it has not ended.
    #[must_use]
    pub const fn next_at(mut self, at: Millis) -> Self {
        self.next_at = Some(at);
        self
    }

    /// With the provider's name for the answered request.
    #[must_use]
    pub fn request(mut self, id: impl Into<String>) -> Self {
        self.request = Some(id.into());
        self
    }
}

/// What a report changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// As it was.
    pub before: RefundState,
    /// As it is.
    pub state: RefundState,
    /// What contradicts what is known: recorded, and not believed.
    pub alarm: Option<String>,
}

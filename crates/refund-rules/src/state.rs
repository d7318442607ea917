//! The life of a refund, and what an observation may change; knows neither amounts nor services.

use core::fmt;

/// How far a refund has come.
///
/// ```text
/// Prepared ◄► Sent ─► Accepted ─► Pending ─► Refunded
///               │         │          └─────► Declined
///               ├─► Unknown ─► any of the observed states
///               └─► Declined
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle every state of a refund")]
pub enum RefundState {
    /// Written down with its key; nothing has left.
    Prepared,
    /// The request is under way.
    Sent,
    /// The request left and no answer came. Money may have moved: only the provider knows.
    Unknown,
    /// The provider took it and named it.
    Accepted,
    /// The provider says that it is under way.
    Pending,
    /// The buyer has the money. Final.
    Refunded,
    /// The provider refused it; no money moved. Final.
    Declined,
}

impl RefundState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Prepared,
        Self::Sent,
        Self::Unknown,
        Self::Accepted,
        Self::Pending,
        Self::Refunded,
        Self::Declined,
    ];

    /// A short stable name, for tables and machine-readable output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Refunded => "refunded",
            Self::Declined => "declined",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Is this the end?
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Refunded | Self::Declined)
    }

    /// As what its amount counts against what remains of the payment; a declined one does not. What
    /// is prepared counts already, so that two of them cannot be prepared for the same money.
    #[must_use]
    pub const fn held(self) -> Option<Held> {
        match self {
            Self::Prepared | Self::Accepted | Self::Pending => Some(Held::Pending),
            Self::Sent | Self::Unknown => Some(Held::Unknown),
            Self::Refunded => Some(Held::Refunded),
            Self::Declined => None,
        }
    }

    /// What the refund's state is after an observation.
    ///
    /// Observations come late, twice and in any order, so an older one changes nothing: a pending
    /// notification after the refund succeeded is no news.
    ///
    /// ```
    /// use refund_rules::{Observation, RefundState};
    ///
    /// let state = RefundState::Sent.observe(Observation::AnswerLost)?;
    /// assert_eq!(state, RefundState::Unknown);
    /// // Only the provider ends the doubt; a second lost answer does not.
    /// assert_eq!(state.observe(Observation::AnswerLost)?, RefundState::Unknown);
    /// assert_eq!(state.observe(Observation::Refunded)?, RefundState::Refunded);
    /// # Ok::<(), refund_rules::Contradiction>(())
    /// ```
    ///
    /// # Errors
    /// [`Contradiction`] when the provider says two final things about one refund. The first stands;
    /// a human must look.
    pub const fn observe(self, observation: Observation) -> Result<Self, Contradiction> {
        use Observation as O;
        Ok(match (self, observation) {
            (Self::Refunded, O::Declined) | (Self::Declined, O::Refunded) => {
                return Err(Contradiction { state: self, observation });
            }
            (Self::Refunded | Self::Declined, _) => self,
            (_, O::Refunded) => Self::Refunded,
            (_, O::Declined) => Self::Declined,
            (_, O::Pending) => Self::Pending,
            (Self::Pending, O::Accepted) => Self::Pending,
            (_, O::Accepted) => Self::Accepted,
            (Self::Prepared, O::Sent) => Self::Sent,
            (Self::Sent, O::NotSent) => Self::Prepared,
            (Self::Prepared | Self::Sent, O::AnswerLost) => Self::Unknown,
            (_, O::Sent | O::NotSent | O::AnswerLost) => self,
        })
    }
}

/// The three parts of [`crate::Payment::held`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a snapshot has these three amounts")]
pub enum Held {
    /// [`crate::Payment::with_refunded`].
    Refunded,
    /// [`crate::Payment::with_pending`].
    Pending,
    /// [`crate::Payment::with_unknown`].
    Unknown,
}

/// Something learned about a refund, by an answer, a lookup or a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[expect(clippy::exhaustive_enums, reason = "the state machine must answer every observation")]
pub enum Observation {
    /// The request is leaving.
    Sent,
    /// The request cannot have arrived: no connection was made. Of a request before it, whose answer
    /// was lost, this proves nothing.
    NotSent,
    /// The request may have arrived, and its answer did not.
    AnswerLost,
    /// The provider took it and named it.
    Accepted,
    /// The provider says that it is under way.
    Pending,
    /// The provider says that the buyer has the money.
    Refunded,
    /// The provider says that it was refused.
    Declined,
}

/// The provider contradicts what it said before about a refund that had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    state: RefundState,
    observation: Observation,
}

impl Contradiction {
    /// What was known before, and still stands.
    #[must_use]
    pub const fn state(&self) -> RefundState {
        self.state
    }

    /// What was said afterwards.
    #[must_use]
    pub const fn observation(&self) -> Observation {
        self.observation
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the refund had ended as {:?}, and now the provider says {:?}",
            self.state, self.observation
        )
    }
}

impl core::error::Error for Contradiction {}

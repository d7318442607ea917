//! What is to be refunded, what was learned of it, and how both are told to the ledger.

use std::fmt;

use refund_rules::{Limit, Money, Observation, RefundState, Rule, Scope};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::payment::{name, storable};
use crate::time::Millis;

/// A refund that somebody wants, with the key under which it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct NewIntent {
    pub(crate) provider: String,
    pub(crate) payment: String,
    pub(crate) key: String,
    pub(crate) key_life: KeyLife,
    pub(crate) amount: Option<Money>,
    pub(crate) scope: Scope,
    pub(crate) batch: Option<String>,
    pub(crate) row: Option<u64>,
    pub(crate) content: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) details: Option<String>,
}

/// Says nothing of the details.
impl fmt::Debug for NewIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIntent")
            .field("provider", &self.provider)
            .field("payment", &self.payment)
            .field("key", &self.key)
            .field("amount", &self.amount)
            .field("batch", &self.batch)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

/// How long the provider knows a key again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyLife {
    /// For ever.
    #[default]
    Forever,
    /// Until then, sent or not.
    Until(Millis),
    /// For so many milliseconds from the first try on.
    FromFirstTry(i64),
}

impl NewIntent {
    /// A refund of whatever remains of a payment, under a key that lives for ever.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is empty or longer than 255 bytes.
    pub fn rest(
        provider: impl Into<String>,
        payment: impl Into<String>,
        key: impl Into<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            provider: name("provider", provider.into())?,
            payment: name("payment id", payment.into())?,
            key: name("key", key.into())?,
            key_life: KeyLife::Forever,
            amount: None,
            scope: Scope::Payment,
            batch: None,
            row: None,
            content: None,
            reference: None,
            details: None,
        })
    }

    /// A refund of this amount.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a name that is empty or longer than 255 bytes.
    pub fn amount(
        provider: impl Into<String>,
        payment: impl Into<String>,
        key: impl Into<String>,
        amount: Money,
    ) -> Result<Self, Error> {
        Ok(Self { amount: Some(amount), ..Self::rest(provider, payment, key)? })
    }

    /// Under a key that does not live for ever.
    #[must_use]
    pub const fn key_life(mut self, life: KeyLife) -> Self {
        self.key_life = life;
        self
    }

    /// For another part of a marketplace payment.
    #[must_use]
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// As a row of a batch, whose content has this hash: another content in the same row is a
    /// difference, and not another refund.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a batch that is empty or longer than 255 bytes, or a row beyond any.
    pub fn row_of(
        mut self,
        batch: impl Into<String>,
        row: u64,
        content: impl Into<String>,
    ) -> Result<Self, Error> {
        self.batch = Some(name("batch", batch.into())?);
        i64::try_from(row).map_err(|error| Error::with(ErrorKind::Invalid("row"), error))?;
        self.row = Some(row);
        self.content = Some(name("content hash", content.into())?);
        Ok(self)
    }

    /// With what whoever asked for it calls it, by which it is found again.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(storable(reference.into()));
        self
    }

    /// With what the sender needs and the ledger does not read, such as a note as JSON.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(storable(details.into()));
        self
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The number of an intent in its ledger. Later ones are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "a number with a meaning, complete by nature")]
pub struct IntentId(pub i64);

/// What was written down before anything was sent. It never changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntentFacts {
    /// The key under which it is sent, every time.
    pub key: String,
    /// How long the provider knows the key again.
    pub key_life: KeyLife,
    /// What is refunded.
    pub amount: Money,
    /// Was the rest asked for, whatever it was?
    pub is_rest: bool,
    /// Which part of a marketplace payment.
    pub scope: Scope,
    /// What should come back of the provider's fee.
    pub fee: Money,
    /// What the marketplace gives back of its fee.
    pub marketplace_fee: Money,
    /// The batch that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// Its row there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The hash of that row's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// What whoever asked for it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the sender needs and the ledger does not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// When it was written down.
    pub prepared_at: Millis,
}

/// Says nothing of the details.
impl fmt::Debug for IntentFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntentFacts")
            .field("key", &self.key)
            .field("amount", &self.amount)
            .field("scope", &self.scope)
            .field("batch", &self.batch)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

impl IntentFacts {
    /// Which fields of another wish under the same key, or in the same row, are not these.
    pub(crate) fn differences(&self, wish: &NewIntent) -> Vec<&'static str> {
        let asked = (!self.is_rest).then_some(self.amount);
        let fields = [
            ("key", self.key != wish.key),
            ("amount", asked != wish.amount),
            ("scope", self.scope != wish.scope),
            ("batch", self.batch != wish.batch),
            ("row", self.row != wish.row),
            ("content", self.content != wish.content),
            ("reference", self.reference != wish.reference),
            ("details", self.details != wish.details),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

/// What has become of an intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Life {
    /// How far it has come.
    pub state: RefundState,
    /// How often it was about to be sent.
    pub attempts: u32,
    /// How many answers were lost since a human last looked.
    pub lost: u32,
    /// When it was last.
    pub sent_at: Option<Millis>,
    /// When its key dies, if that is known.
    pub key_expires_at: Option<Millis>,
    /// When anything of this changed.
    pub changed_at: Millis,
    /// What the provider calls the refund.
    pub refund: Option<String>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// The provider's name for the last answered request.
    pub request: Option<String>,
    /// Why it waits for a human.
    pub parked: Option<String>,
    /// What contradicts what is known. It was not believed, and a human must look.
    pub alarm: Option<String>,
}

impl Life {
    /// Was nothing sent of it, and nothing heard?
    pub(crate) fn is_untouched(&self) -> bool {
        self.state == RefundState::Prepared && self.attempts == 0
    }

    /// Why it cannot be sent, or taken back, any more.
    pub(crate) const fn unsendable(&self) -> Error {
        Error::new(match self.state.is_final() {
            true => ErrorKind::Ended(self.state),
            false => ErrorKind::Taken(self.state),
        })
    }
}

/// An intent as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IntentRecord {
    /// Its number.
    pub id: IntentId,
    /// The provider of the payment.
    pub provider: String,
    /// The payment.
    pub payment: String,
    /// What the payment's caller calls that.
    pub caller_reference: Option<String>,
    /// What was written down.
    #[serde(flatten)]
    pub facts: IntentFacts,
    /// What has become of it.
    #[serde(flatten)]
    pub life: Life,
}

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

/// That an intent is one worker's, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Of what.
    pub intent: IntentId,
    /// Whose.
    pub worker: String,
    /// Until when, unless it is renewed.
    pub until: Millis,
    pub(crate) fence: i64,
}

/// What a worker has claimed: to be sent if it is prepared or unknown, and else to be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claimed {
    /// The claim.
    pub claim: Claim,
    /// The intent.
    pub intent: IntentRecord,
}

/// Which work is wanted, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub(crate) worker: String,
    pub(crate) most: u32,
    pub(crate) lease: i64,
    pub(crate) batch: Option<String>,
}

impl Wanted {
    /// At most so many intents that are due, each for so many milliseconds.
    #[must_use]
    pub fn new(worker: impl Into<String>, most: u32, lease: i64) -> Self {
        Self { worker: storable(worker.into()), most, lease, batch: None }
    }

    /// Of one batch only.
    #[must_use]
    pub fn batch(mut self, batch: impl Into<String>) -> Self {
        self.batch = Some(batch.into());
        self
    }
}

/// That a request may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Of what.
    pub intent: IntentId,
    /// Which try it is, counted from one.
    pub number: u32,
    pub(crate) fence: i64,
}

/// What became of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// It is new.
    New,
    /// It was there before, the same.
    Exists,
    /// It was there before, and these fields are not the same. What was there stands.
    Differs {
        /// The fields.
        fields: Vec<&'static str>,
    },
}

/// What became of an intent that was to be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prepared {
    /// It is durable, and may be claimed.
    New {
        /// Its number.
        id: IntentId,
        /// What will be refunded.
        amount: Money,
    },
    /// It was there before, the same.
    Exists {
        /// Its number.
        id: IntentId,
        /// What is or was refunded.
        amount: Money,
        /// How far it has come.
        state: RefundState,
    },
    /// Something else is there under its key or in its row. That stands.
    Differs {
        /// The number of what is there.
        id: IntentId,
        /// The fields.
        fields: Vec<&'static str>,
    },
    /// Another batch for the same account has a refund of this reference, which was not declined: it
    /// would be made twice.
    Repeats {
        /// That batch.
        batch: String,
        /// The number of what is there.
        id: IntentId,
    },
    /// A rule forbids it, and nothing was left behind.
    Refused(Refused),
    /// The payment was never imported.
    NoSuchPayment,
    /// The batch was never opened, or is another provider's.
    NoSuchBatch,
    /// The batch is sealed: it takes no more rows.
    BatchSealed,
}

/// The rule that forbids an intent, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The rule.
    pub rule: Rule,
    /// What it would have allowed, where that is a number.
    pub limit: Option<Limit>,
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

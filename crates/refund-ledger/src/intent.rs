//! What is to be refunded, as it is told to the ledger and as it is kept.

use std::fmt;

use refund_rules::{Money, RefundState, Refusal, Scope};
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
    Refused(Refusal),
    /// The payment was never imported.
    NoSuchPayment,
    /// The batch was never opened, or is another provider's.
    NoSuchBatch,
    /// The batch is sealed: it takes no more rows.
    BatchSealed,
}

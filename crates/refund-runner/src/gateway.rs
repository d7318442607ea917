//! What a provider must be able to do; how it does it is not known here.

use std::future::Future;
use std::pin::Pin;

use refund_ledger::{IntentRecord, Millis};
use refund_rules::{Money, Observation, Payment};

/// A future of a gateway.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One provider's account, spoken to in our words.
pub trait Gateway: Send + Sync + 'static {
    /// The provider, as in [`refund_ledger::NewIntent`]: `amazon-pay` or `flexible-payments`.
    fn provider(&self) -> &str;

    /// Whose account in which environment this is. A batch is run only by a gateway of the target that
    /// it was planned for.
    fn target(&self) -> &str;

    /// For how many milliseconds after the first try the provider knows a key again; for ever, if none.
    fn key_window(&self) -> Option<i64>;

    /// How often the provider lets this be done, if it says.
    fn limit(&self, call: Call) -> Option<Limit>;

    /// Sends the refund once, under its key. It never tries again by itself: each try must be on record
    /// before it leaves.
    fn submit<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Submitted>;

    /// Asks how a refund is that the provider has named.
    fn status<'a>(&'a self, refund: &'a str) -> BoxFuture<'a, Looked<Status>>;

    /// Looks for a refund whose answer was lost and whose key cannot be sent again.
    fn search<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Looked<Found>>;

    /// Reads a payment, with what was refunded of it.
    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Looked<Option<Payment>>>;

    /// The refunds that the provider knows from one moment to another, if it can list them.
    fn activity<'a>(
        &'a self,
        since: Millis,
        until: Millis,
    ) -> BoxFuture<'a, Looked<Option<Vec<Listed>>>>;
}

/// What can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a gateway must answer for each")]
pub enum Call {
    /// [`Gateway::submit`].
    Submit,
    /// [`Gateway::status`].
    Status,
}

/// So many at once, and one more every interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a limit has these two numbers")]
pub struct Limit {
    /// How many at once.
    pub burst: u32,
    /// After how many microseconds the next.
    pub interval_micros: u32,
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever sends must answer each of them")]
pub enum Submitted {
    /// The provider took it and named it.
    Accepted {
        /// What it calls the refund.
        refund: String,
        /// How the refund is, as far as it said.
        state: Observation,
        /// Why, if it was declined at once.
        reason: Option<String>,
        /// Its name for the request.
        request: Option<String>,
    },
    /// The provider answered that it will not do this, now or later.
    Refused {
        /// Its code.
        code: String,
        /// Its name for the request.
        request: Option<String>,
    },
    /// The provider answered that it will not do this now.
    Busy {
        /// Its code, or what kept the request back here.
        code: String,
        /// For how many milliseconds to wait, if it said; an hour is granted.
        retry_after: Option<i64>,
    },
    /// No connection was made: nothing left.
    NotSent {
        /// Why, in a sentence without secrets.
        why: String,
    },
    /// The request may have arrived, and its answer did not, or cannot be understood.
    Lost {
        /// Why, in a sentence without secrets.
        why: String,
    },
    /// The key was used before for something else. What became of that is not known.
    KeyConflict {
        /// The provider's code.
        code: String,
    },
    /// The provider answered with a refund that is not this one. A human must look.
    Mismatch {
        /// What differs, in a sentence.
        what: String,
    },
    /// It cannot be put into a request at all, and nothing left. A human must look.
    Unsendable {
        /// Why, in a sentence.
        why: String,
    },
    /// The provider does not believe who asks, or does not let him.
    Unauthorized {
        /// Its code, or why nothing could be signed.
        code: String,
    },
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever asks must answer each of them")]
pub enum Looked<T> {
    /// It was answered.
    Told(T),
    /// Not now: ask again later.
    Later {
        /// Why, in a sentence without secrets.
        why: String,
    },
    /// It will not be answered.
    Refused {
        /// The provider's code, or why.
        code: String,
    },
    /// The provider does not believe who asks.
    Unauthorized {
        /// Its code, or why nothing could be signed.
        code: String,
    },
}

/// How a refund is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what is compared, and nothing else")]
pub struct Status {
    /// How.
    pub state: Observation,
    /// Why, if it was declined.
    pub reason: Option<String>,
    /// How much it is, if the provider says.
    pub amount: Option<Money>,
}

/// What became of a refund whose answer was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is there, it is not, or nobody can tell")]
pub enum Found {
    /// It is there.
    Refund {
        /// What the provider calls it.
        refund: String,
        /// How it is.
        status: Status,
    },
    /// The provider has no such refund now. Whether it is still to come, is not known.
    Nothing,
    /// The provider cannot tell.
    Unclear {
        /// What is known, in a sentence for the human who must look.
        why: String,
    },
}

/// A refund that the provider lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what is compared, and nothing else")]
pub struct Listed {
    /// What the provider calls it.
    pub refund: String,
    /// Of which payment, if it says.
    pub payment: Option<String>,
    /// Under which key, if it says.
    pub key: Option<String>,
    /// How much.
    pub amount: Money,
    /// How it is.
    pub state: Observation,
}

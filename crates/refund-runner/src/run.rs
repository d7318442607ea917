//! Running a batch: claims what is due, lets it be worked on, side by side, until all has ended or
//! something ends the run first. What is done with one intent is in `work`.

pub(crate) mod observe;
mod stop;
mod turn;
mod work;

use std::collections::{HashMap, VecDeque};
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use refund_ledger::{Claimed, Error, IntentId, Ledger, Millis, Total, Wanted};
use refund_rules::RefundState;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::gateway::{Call, Gateway};
use observe::{Event, Observer};
pub use stop::StopRule;
use stop::Tally;
use turn::Turns;
use work::{Heard, Shared, Worked};

/// How a batch is run. All durations are milliseconds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The name of this worker; every one of a ledger has its own.
    pub worker: String,
    /// How many refunds are worked on at once.
    pub concurrency: u32,
    /// How long an intent is this worker's. Longer than a request can take.
    pub lease: i64,
    /// How long before its end a key counts as dead.
    pub key_margin: i64,
    /// How many answers to an intent are lost before its refund is looked for instead.
    pub tries_max: u32,
    /// The wait before the second try; it doubles.
    pub retry_first: i64,
    /// The longest wait between two tries.
    pub retry_longest: i64,
    /// How long nothing is sent after the provider said that this was too often, and not how long.
    pub busy_wait: i64,
    /// The wait before the first question how a refund is; it grows with the age of the refund.
    pub follow_first: i64,
    /// The longest wait between two questions.
    pub follow_longest: i64,
    /// The run ends when the provider has not answered for so long.
    pub give_up_after: i64,
    /// The run ends after so long.
    pub deadline: Option<i64>,
    /// What else ends it.
    pub stop: Vec<StopRule>,
    /// Runs a batch that was planned for another account, key or address of the same environment: those
    /// were changed since.
    pub accept_target: bool,
}

impl Options {
    /// For a worker of this name: 16 at once, leases of two minutes, 12 tries from half a second to a
    /// minute apart, questions from one second to five minutes apart, and no end but the batch's.
    #[must_use]
    pub fn new(worker: impl Into<String>) -> Self {
        Self {
            worker: worker.into(),
            concurrency: 16,
            lease: 120_000,
            key_margin: 500,
            tries_max: 12,
            retry_first: 500,
            retry_longest: 60_000,
            busy_wait: 1_000,
            follow_first: 1_000,
            follow_longest: 300_000,
            give_up_after: 120_000,
            deadline: None,
            stop: Vec::new(),
            accept_target: false,
        }
    }

    /// How much of a lease must be left when a request leaves.
    pub(crate) const fn lease_rest(&self) -> i64 {
        self.lease.saturating_div(2)
    }
}

/// How a run ended. Whatever it was, the same run can be started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// Nothing is left to do: every refund has ended, or waits for a human.
    Done,
    /// Somebody said so.
    Interrupted,
    /// Its time was up.
    Deadline,
    /// By a rule.
    Stopped(StopRule),
    /// The provider did not answer for too long.
    Unavailable {
        /// What was the last of it.
        why: String,
    },
    /// The provider does not believe who asks.
    Unauthorized {
        /// Its code, or why nothing could be signed.
        code: String,
    },
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Why it is over.
    pub ended: Ended,
    /// The batch afterwards.
    pub totals: Vec<Total>,
    /// For how many milliseconds it ran.
    pub millis: i64,
    /// How many intents it worked on, each as often as it did.
    pub worked: u64,
}

/// Why a batch cannot be run, or cannot be run any further.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The ledger failed. What is on record is right; run the batch again once the ledger works.
    Ledger(Error),
    /// There is no such batch.
    NoSuchBatch,
    /// The batch was planned for another account, environment or service.
    OtherTarget {
        /// For which it was planned.
        planned: String,
        /// For which it was to be run.
        run: String,
    },
    /// A worker broke down.
    Worker(tokio::task::JoinError),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(_) => f.write_str("the ledger failed, and the run was ended"),
            Self::NoSuchBatch => f.write_str("the ledger has no such batch"),
            Self::OtherTarget { planned, run } => {
                write!(f, "the batch was planned for {planned}, and this is {run}")
            }
            Self::Worker(_) => f.write_str("a worker of the run broke down"),
        }
    }
}

impl StdError for RunError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Ledger(error) => Some(error),
            Self::Worker(error) => Some(error),
            Self::NoSuchBatch | Self::OtherTarget { .. } => None,
        }
    }
}

impl From<Error> for RunError {
    fn from(error: Error) -> Self {
        Self::Ledger(error)
    }
}

/// A ledger, a provider, and the time.
#[derive(Clone)]
pub struct Runner {
    ledger: Ledger,
    gateway: Arc<dyn Gateway>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("target", &self.gateway.target()).finish_non_exhaustive()
    }
}

/// How often one refund may be denied, while others go through, before a human must look.
const DENIALS_MAX: u32 = 3;

/// How many refunds may be denied at the same time, while others go through, before the run ends.
const DENIED_MAX: usize = 16;

/// The longest wait before somebody looks whether other workers left something to do.
const LOOK_AGAIN: i64 = 1_000;

impl Runner {
    /// Runs batches of this ledger through this gateway.
    #[must_use]
    pub fn new(ledger: Ledger, gateway: Arc<dyn Gateway>, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, gateway, clock }
    }

    /// Runs a batch until nothing is left to do, or `halt` is ready, or something else ends it; then
    /// what is in flight is finished. It may be killed at any moment and started again.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn run(
        &self,
        batch: &str,
        options: Options,
        observer: Arc<dyn Observer>,
        halt: impl Future<Output = ()> + Send,
    ) -> Result<Summary, RunError> {
        let record = self.ledger.batch(batch).await?.ok_or(RunError::NoSuchBatch)?;
        let (provider, target) = (self.gateway.provider(), self.gateway.target());
        // The first word of a target is its environment, and real money is never a change of address.
        let environment = |target: &str| target.split(' ').next().map(str::to_owned);
        let is_same = record.target == target
            || (options.accept_target && environment(&record.target) == environment(target));
        if record.provider != provider || !is_same {
            let planned = format!("{} {}", record.provider, record.target);
            return Err(RunError::OtherTarget { planned, run: format!("{provider} {target}") });
        }
        let totals = self.ledger.totals(Some(batch.to_owned())).await?;
        let started = self.clock.now();
        let (halting, halted) = watch::channel(false);
        let shared = Arc::new(Shared {
            submits: Turns::new(&self.ledger, &self.gateway, Call::Submit),
            statuses: Turns::new(&self.ledger, &self.gateway, Call::Status),
            ledger: self.ledger.clone(),
            gateway: Arc::clone(&self.gateway),
            clock: Arc::clone(&self.clock),
            observer,
            options,
            halted,
        });
        let mut run = Run {
            tally: Tally::new(&shared.options.stop, &totals),
            batch: batch.to_owned(),
            shared,
            halting,
            started,
            silent_since: None,
            is_believed: false,
            denied: HashMap::new(),
            ended: None,
            claimed: VecDeque::new(),
            tasks: JoinSet::new(),
            worked: 0,
        };
        let ended = run.all(halt).await?;
        Ok(Summary {
            ended,
            totals: self.ledger.totals(Some(batch.to_owned())).await?,
            millis: self.clock.now().0.saturating_sub(started.0),
            worked: run.worked,
        })
    }
}

/// A run under way.
struct Run {
    batch: String,
    shared: Arc<Shared>,
    halting: watch::Sender<bool>,
    tally: Tally,
    started: Millis,
    /// Since when the provider has not answered, if it has not.
    silent_since: Option<Millis>,
    /// Has the provider answered anything but that it does not believe who asks?
    is_believed: bool,
    /// What it did not let this account do, and how often.
    denied: HashMap<IntentId, u32>,
    /// Why nothing new is begun.
    ended: Option<Ended>,
    /// Claimed, and not begun.
    claimed: VecDeque<Claimed>,
    tasks: JoinSet<Result<Worked, Error>>,
    worked: u64,
}

impl Run {
    async fn all(&mut self, halt: impl Future<Output = ()> + Send) -> Result<Ended, RunError> {
        let mut halt = pin!(halt);
        loop {
            self.check_deadline();
            let next_due = match self.ended {
                None => self.begin().await?,
                Some(_) => None,
            };
            if self.tasks.is_empty() {
                match (&self.ended, next_due) {
                    (Some(ended), _) => {
                        let ended = ended.clone();
                        self.give_back().await?;
                        return Ok(ended);
                    }
                    (None, None) => return Ok(Ended::Done),
                    (None, Some(_)) => {}
                }
            }
            let wait = self.wait_for(next_due);
            let clock = Arc::clone(&self.shared.clock);
            tokio::select! {
                Some(worked) = self.tasks.join_next() => self.take_or_drain(worked).await?,
                () = clock.sleep(wait) => {}
                () = &mut halt, if !*self.halting.borrow() => self.halt(Ended::Interrupted),
            }
        }
    }

    /// Begins as much as there is room for; says when something is due that was not begun.
    async fn begin(&mut self) -> Result<Option<Millis>, RunError> {
        let room = usize::try_from(self.shared.options.concurrency.max(1)).unwrap_or(usize::MAX);
        loop {
            while self.tasks.len() < room {
                let Some(claimed) = self.claimed.pop_front() else { break };
                if let Err(rule) = self.count(&claimed) {
                    self.claimed.push_front(claimed);
                    self.halt(Ended::Stopped(rule));
                    return Ok(None);
                }
                let shared = Arc::clone(&self.shared);
                self.tasks.spawn(async move { shared.work(claimed).await });
            }
            if self.tasks.len() >= room {
                // Somebody will be done first.
                return Ok(None);
            }
            let options = &self.shared.options;
            let most = u32::try_from(room.saturating_mul(2)).unwrap_or(u32::MAX);
            let wanted = Wanted::new(&options.worker, most, options.lease).batch(&self.batch);
            let now = self.shared.clock.now();
            self.claimed.extend(self.shared.ledger.claim(wanted, now).await?);
            if self.claimed.is_empty() {
                return Ok(self.shared.ledger.next_due(&self.batch).await?);
            }
        }
    }

    /// Lets the rules count what is sent for the first time.
    fn count(&mut self, claimed: &Claimed) -> Result<(), StopRule> {
        match claimed.intent.life.state {
            RefundState::Prepared => self.tally.send(claimed.intent.facts.amount),
            _ => Ok(()),
        }
    }

    fn wait_for(&self, next_due: Option<Millis>) -> i64 {
        let now = self.shared.clock.now();
        let due = next_due.map_or(LOOK_AGAIN, |due| due.0.saturating_sub(now.0));
        let left = self
            .shared
            .options
            .deadline
            .map_or(i64::MAX, |deadline| self.started.plus(deadline).0.saturating_sub(now.0));
        if self.tasks.is_empty() {
            self.shared.observer.event(&Event::Waiting { until: now.plus(due) });
        }
        due.clamp(1, LOOK_AGAIN).min(left.max(1))
    }

    fn check_deadline(&mut self) {
        let now = self.shared.clock.now();
        let is_over = |deadline| now >= self.started.plus(deadline);
        if self.shared.options.deadline.is_some_and(is_over) {
            self.halt(Ended::Deadline);
        }
    }

    fn halt(&mut self, why: Ended) {
        if self.ended.is_none() {
            // What the rule had room for may still leave, though it waits for its turn.
            let is_room_left = matches!(why, Ended::Stopped(StopRule::Total(_)));
            self.ended = Some(why);
            self.shared.observer.event(&Event::Halting);
            self.halting.send_replace(!is_room_left);
        } else if !*self.halting.borrow() && !matches!(why, Ended::Stopped(_)) {
            // It was ending by itself, and now somebody wants it at once.
            self.ended = Some(why);
            self.halting.send_replace(true);
        }
    }

    /// Takes what a worker did. If the ledger failed, the others are heard before the run ends, because
    /// their requests have left.
    async fn take_or_drain(
        &mut self,
        worked: Result<Result<Worked, Error>, tokio::task::JoinError>,
    ) -> Result<(), RunError> {
        let taken = self.take(worked).await;
        if taken.is_err() {
            self.halting.send_replace(true);
            while self.tasks.join_next().await.is_some() {}
        }
        taken
    }

    async fn take(
        &mut self,
        worked: Result<Result<Worked, Error>, tokio::task::JoinError>,
    ) -> Result<(), RunError> {
        let Worked { intent, state, provider } = worked.map_err(RunError::Worker)??;
        self.worked = self.worked.saturating_add(1);
        let amount = intent.facts.amount;
        if intent.life.state == RefundState::Prepared && state == RefundState::Prepared {
            self.tally.not_sent(amount);
        }
        if !intent.life.state.is_final()
            && state == RefundState::Declined
            && let Err(rule) = self.tally.declined(amount)
        {
            self.halt(Ended::Stopped(rule));
        }
        let now = self.shared.clock.now();
        match provider {
            Heard::Answered => {
                self.silent_since = None;
                self.is_believed = true;
                self.denied.remove(&intent.id);
            }
            Heard::NotAsked => {}
            Heard::Unauthorized(code) => {
                let times = self.denied.entry(intent.id).or_default();
                *times = times.saturating_add(1);
                let times = *times;
                if !self.is_believed || self.denied.len() > DENIED_MAX {
                    self.halt(Ended::Unauthorized { code });
                } else if times >= DENIALS_MAX {
                    let why = format!("the provider does not let this account refund it ({code})");
                    self.shared.park(&intent, &why).await?;
                    self.denied.remove(&intent.id);
                }
            }
            Heard::Nothing(why) => {
                let since = *self.silent_since.get_or_insert(now);
                if now >= since.plus(self.shared.options.give_up_after) {
                    self.halt(Ended::Unavailable { why });
                }
            }
        }
        Ok(())
    }

    /// Gives up what was claimed and not begun, so that nobody need wait for the leases to end.
    async fn give_back(&mut self) -> Result<(), RunError> {
        for claimed in self.claimed.drain(..) {
            // Who has lost a lease need not give it back.
            drop(self.shared.ledger.release(&claimed.claim, Millis(0)).await);
        }
        Ok(())
    }
}

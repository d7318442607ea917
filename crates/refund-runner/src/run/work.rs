//! What is done with one claimed intent: sent, sent again, followed, looked for; each step is on record
//! before the next.

use std::sync::Arc;

use refund_ledger::{
    Claim, Claimed, Error, ErrorKind, IntentRecord, Ledger, Millis, Outcome, Report,
};
use refund_rules::RefundState;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::gateway::{Found, Gateway, Looked, Status, Submitted};
use crate::run::Options;
use crate::run::observe::{Event, Observer};
use crate::run::turn::Turns;

/// What all workers of a run share.
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) options: Options,
    pub(crate) submits: Turns,
    pub(crate) statuses: Turns,
    /// Set once nothing new may be begun.
    pub(crate) halted: watch::Receiver<bool>,
}

/// What became of the work on one intent, for whoever counts.
#[derive(Debug)]
pub(crate) struct Worked {
    pub(crate) intent: IntentRecord,
    /// Its state now.
    pub(crate) state: RefundState,
    pub(crate) provider: Heard,
}

/// How the provider was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It answered.
    Answered,
    /// It was not asked, or what it said does not matter.
    NotAsked,
    /// It could not be reached, or was busy.
    Nothing(String),
    /// It does not believe who asks.
    Unauthorized(String),
}

impl Shared {
    /// Does what is due for one intent.
    pub(crate) async fn work(&self, claimed: Claimed) -> Result<Worked, Error> {
        let Claimed { claim, intent, .. } = claimed;
        let (state, provider) = match intent.life.state {
            RefundState::Prepared | RefundState::Sent | RefundState::Unknown => {
                self.submit(&claim, &intent).await?
            }
            RefundState::Accepted | RefundState::Pending => self.follow(&claim, &intent).await?,
            state @ (RefundState::Refunded | RefundState::Declined) => (state, Heard::NotAsked),
        };
        Ok(Worked { intent, state, provider })
    }

    async fn submit(
        &self,
        claim: &Claim,
        intent: &IntentRecord,
    ) -> Result<(RefundState, Heard), Error> {
        if intent.life.lost >= self.options.tries_max && intent.life.state == RefundState::Unknown {
            return self.search(claim, intent, "its answers were lost again and again").await;
        }
        if !self.turn(&self.submits, claim).await? {
            return self.give_back(claim, intent, self.clock.now()).await;
        }
        let now = self.clock.now();
        let attempt = match self.ledger.sending(claim, now, self.options.key_margin).await {
            Ok(attempt) => attempt,
            Err(error) if *error.kind() == ErrorKind::KeyExpired => {
                return self.search(claim, intent, "its key is too old to be sent again").await;
            }
            Err(error) if is_no_longer_ours(&error) => {
                return Ok((intent.life.state, Heard::NotAsked));
            }
            Err(error) => return Err(error),
        };
        self.observer.event(&Event::Sending { intent, attempt: attempt.number });
        let answer = self.submit_in_time(intent, now).await;
        let now = self.clock.now();
        let again_at = now.plus(self.backoff(intent, attempt.number));
        let report = |outcome| Report::of_try(&attempt, outcome, now);
        let (report, heard) = match answer {
            Submitted::Accepted { refund, state, reason, request } => {
                let outcome = Outcome::Accepted { refund, state: Some(state), reason };
                let report = report(outcome).next_at(now.plus(self.options.follow_first));
                (with_request(report, request), Heard::Answered)
            }
            Submitted::Refused { code, request } => {
                let outcome = Outcome::Refused { code: code.clone(), is_retriable: false };
                // Nobody else takes it up before it was searched for.
                let report = report(outcome).next_at(now.plus(self.options.lease));
                let state = self.record(with_request(report, request), intent).await?;
                return match state {
                    // A refusal does not say what became of a try before it.
                    RefundState::Unknown => self.search(claim, intent, &code).await,
                    state => Ok((state, Heard::Answered)),
                };
            }
            Submitted::Busy { code, retry_after } => {
                let silence = retry_after.unwrap_or(self.options.busy_wait);
                self.submits.be_silent(now, silence);
                let outcome = Outcome::Refused { code: code.clone(), is_retriable: true };
                (report(outcome).next_at(again_at), Heard::Nothing(code))
            }
            Submitted::NotSent { why } => {
                (report(Outcome::NotSent).next_at(again_at), Heard::Nothing(why))
            }
            Submitted::Lost { why } => {
                (report(Outcome::Unknown).next_at(again_at), Heard::Nothing(why))
            }
            Submitted::KeyConflict { code } => {
                let why = format!("the key was used before for something else ({code})");
                return self.and_parked(report(Outcome::Unknown), intent, &why).await;
            }
            Submitted::Mismatch { what } => {
                return self.and_parked(report(Outcome::Unknown), intent, &what).await;
            }
            Submitted::Unsendable { why } => {
                return self.and_parked(report(Outcome::NotSent), intent, &why).await;
            }
            Submitted::Unauthorized { code } => {
                let outcome = Outcome::Refused { code: code.clone(), is_retriable: true };
                (report(outcome).next_at(again_at), Heard::Unauthorized(code))
            }
        };
        Ok((self.record(report, intent).await?, heard))
    }

    /// Sends, but not beyond the end of the key: what arrives later would be a new refund.
    async fn submit_in_time(&self, intent: &IntentRecord, now: Millis) -> Submitted {
        // Until its first try has left, the end of a key is not known, and far.
        let end = intent.life.key_expires_at.unwrap_or(Millis(i64::MAX));
        let left = end.0.saturating_sub(now.0);
        if left > self.options.lease {
            return self.gateway.submit(intent).await;
        }
        tokio::select! {
            biased;
            answer = self.gateway.submit(intent) => answer,
            () = self.clock.sleep(left) => {
                Submitted::Lost { why: "its key came to an end first".to_owned() }
            }
        }
    }

    async fn and_parked(
        &self,
        report: Report,
        intent: &IntentRecord,
        why: &str,
    ) -> Result<(RefundState, Heard), Error> {
        // Nobody else takes it up in between.
        let report = report.next_at(self.clock.now().plus(self.options.lease));
        let state = self.record(report, intent).await?;
        self.park(intent, why).await?;
        Ok((state, Heard::Answered))
    }

    async fn follow(
        &self,
        claim: &Claim,
        intent: &IntentRecord,
    ) -> Result<(RefundState, Heard), Error> {
        let Some(refund) = &intent.life.refund else {
            self.park(intent, "the provider took it and gave it no name").await?;
            return Ok((intent.life.state, Heard::NotAsked));
        };
        if !self.turn(&self.statuses, claim).await? {
            return self.give_back(claim, intent, self.clock.now()).await;
        }
        let answer = self.gateway.status(refund).await;
        let now = self.clock.now();
        match answer {
            Looked::Told(status) => {
                if let Some(amount) = status.amount
                    && amount != intent.facts.amount
                {
                    let why = format!(
                        "the provider says that refund {refund} is of {amount} {}",
                        amount.currency()
                    );
                    self.park(intent, &why).await?;
                    return Ok((intent.life.state, Heard::Answered));
                }
                let report = Report::of_claim(claim, observed(status), now);
                let report = report.next_at(now.plus(self.patience(intent, now)));
                Ok((self.record(report, intent).await?, Heard::Answered))
            }
            Looked::Later { why } => {
                let again_at = now.plus(self.patience(intent, now));
                let (state, _) = self.give_back(claim, intent, again_at).await?;
                Ok((state, Heard::Nothing(why)))
            }
            Looked::Refused { code } => {
                self.park(
                    intent,
                    &format!("the provider does not tell of refund {refund} ({code})"),
                )
                .await?;
                Ok((intent.life.state, Heard::Answered))
            }
            Looked::Unauthorized { code } => {
                let (state, _) = self.give_back(claim, intent, now).await?;
                Ok((state, Heard::Unauthorized(code)))
            }
        }
    }

    /// Looks for a refund that must not be sent again.
    async fn search(
        &self,
        claim: &Claim,
        intent: &IntentRecord,
        because: &str,
    ) -> Result<(RefundState, Heard), Error> {
        let answer = self.gateway.search(intent).await;
        let now = self.clock.now();
        let outcome = match answer {
            Looked::Told(Found::Refund { refund, status }) => {
                Outcome::Accepted { refund, state: Some(status.state), reason: status.reason }
            }
            Looked::Told(Found::Nothing) => {
                self.park(intent, &format!("{because}; the provider has no such refund")).await?;
                return Ok((RefundState::Unknown, Heard::Answered));
            }
            Looked::Told(Found::Unclear { why }) => {
                self.park(intent, &format!("{because}; {why}")).await?;
                return Ok((RefundState::Unknown, Heard::Answered));
            }
            Looked::Refused { code } => {
                self.park(intent, &format!("{because}; the provider does not tell ({code})"))
                    .await?;
                return Ok((RefundState::Unknown, Heard::Answered));
            }
            Looked::Later { why } => {
                let again_at = now.plus(self.backoff(intent, intent.life.attempts));
                let (state, _) = self.give_back(claim, intent, again_at).await?;
                return Ok((state, Heard::Nothing(why)));
            }
            Looked::Unauthorized { code } => {
                let (state, _) = self.give_back(claim, intent, now).await?;
                return Ok((state, Heard::Unauthorized(code)));
            }
        };
        let report = Report::of_claim(claim, outcome, now);
        let report = report.next_at(now.plus(self.options.follow_first));
        Ok((self.record(report, intent).await?, Heard::Answered))
    }

    /// Waits for a turn; says no when the run halts before it comes.
    async fn turn(&self, turns: &Turns, claim: &Claim) -> Result<bool, Error> {
        let mut halted = self.halted.clone();
        if *halted.borrow() {
            return Ok(false);
        }
        let now = self.clock.now();
        let at = turns.next(now).await?;
        let at = at.max(now);
        // With less than that left, an answer could come when somebody else has it.
        if at.plus(self.options.lease_rest()) > claim.until {
            match self.ledger.renew(claim, at.plus(self.options.lease)).await {
                Err(error) if is_no_longer_ours(&error) => return Ok(false),
                renewed => renewed?,
            }
        }
        if at > now {
            tokio::select! {
                () = self.clock.sleep(at.0.saturating_sub(now.0)) => {}
                // Whoever could halt it has gone, and it never halts.
                Ok(_) = halted.wait_for(|halted| *halted) => return Ok(false),
            }
        }
        Ok(!*self.halted.borrow())
    }

    async fn give_back(
        &self,
        claim: &Claim,
        intent: &IntentRecord,
        due_at: Millis,
    ) -> Result<(RefundState, Heard), Error> {
        match self.ledger.release(claim, due_at).await {
            Err(error) if !is_no_longer_ours(&error) => Err(error),
            _ => Ok((intent.life.state, Heard::NotAsked)),
        }
    }

    pub(crate) async fn park(&self, intent: &IntentRecord, why: &str) -> Result<(), Error> {
        self.observer.event(&Event::Parked { intent, why });
        match self.ledger.park(intent.id, why, self.clock.now()).await {
            // Somebody learned in between how it ended.
            Err(error) if matches!(error.kind(), ErrorKind::Ended(_)) => Ok(()),
            outcome => outcome,
        }
    }

    async fn record(&self, report: Report, intent: &IntentRecord) -> Result<RefundState, Error> {
        let recorded = self.ledger.record_one(report).await?;
        self.observer.event(&Event::Recorded { intent, recorded: &recorded });
        if let Some(alarm) = &recorded.alarm
            && !recorded.state.is_final()
        {
            self.park(intent, alarm).await?;
        }
        Ok(recorded.state)
    }

    /// How long before the next try: doubling, and spread so that not all come at once.
    fn backoff(&self, intent: &IntentRecord, tries: u32) -> i64 {
        let doubled = self.options.retry_first << tries.saturating_sub(1).min(16);
        let wait = doubled.clamp(1, self.options.retry_longest.max(1));
        wait.saturating_add(intent.id.0.wrapping_mul(7_919).rem_euclid(wait / 4 + 1))
    }

    /// How long before the next question: a half of its age so far.
    fn patience(&self, intent: &IntentRecord, now: Millis) -> i64 {
        let age = now.0.saturating_sub(intent.life.sent_at.unwrap_or(now).0);
        let first = self.options.follow_first.max(1);
        (age / 2).clamp(first, self.options.follow_longest.max(first))
    }
}

fn observed(status: Status) -> Outcome {
    Outcome::Observed { state: status.state, refund: None, reason: status.reason }
}

fn with_request(report: Report, request: Option<String>) -> Report {
    match request {
        Some(request) => report.request(request),
        None => report,
    }
}

fn is_no_longer_ours(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::LeaseLost
            | ErrorKind::Ended(_)
            | ErrorKind::Taken(_)
            | ErrorKind::Parked
            // Somebody took it back.
            | ErrorKind::NoSuchIntent
    )
}

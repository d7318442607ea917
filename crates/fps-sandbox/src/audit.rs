//! What the client did wrong, as far as the sandbox can see: every exchange passes through a few rules
//! on its way into the log, and what they find says what it would cost in production.
//!
//! Memory is bounded: each rule remembers at most `REMEMBERED_MAX` things, the oldest go first; at
//! most `FINDINGS_MAX` findings are kept, with `EVIDENCE_MAX` requests each. The counts go on.
//! Waits are measured by the machine's own time, ages and windows by that of the sandbox. The rules hold
//! no bodies, and nothing that tells who a buyer is.

mod form;
mod keys;
mod memory;
mod notices;
mod pace;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fps_model::Timestamp;
use serde::Serialize;

use crate::books::Service;
use crate::clock;
use crate::exchange::{self, Exchange};

pub(crate) use notices::{Notice, notices};

/// The most things that one rule remembers.
const REMEMBERED_MAX: usize = 4_096;
/// The most findings that are kept.
const FINDINGS_MAX: usize = 256;
/// The most requests that show one finding.
const EVIDENCE_MAX: usize = 8;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// It costs patience.
    Low,
    /// It costs refusals, or trust.
    Medium,
    /// It can cost money.
    High,
}

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// Tried again under a new key although the first try may have been executed.
    NewKeyAfterLostAnswer,
    /// Another request under a key that was used.
    SameKeyOtherBody,
    /// A key was sent again when the service had forgotten it.
    KeyPastWindow,
    /// The same request again at once after a failure.
    RetryWithoutBackoff,
    /// Waits between tries did not grow.
    WaitsDoNotGrow,
    /// Went on at once after being told to slow down.
    IgnoredThrottle,
    /// The same object was read again and again.
    PollingTooFast,
    /// Signature version 1.
    SignatureVersion1,
    /// An amount as a binary fraction prints it, or as people write it.
    AmountLikeFloat,
    /// A notification was taken, and what it told of was not read.
    NotificationNotChecked,
    /// A notification was posted several times, and never taken.
    NotificationNotTaken,
}

impl Code {
    const fn severity(self) -> Severity {
        match self {
            Self::NewKeyAfterLostAnswer | Self::KeyPastWindow => Severity::High,
            Self::SameKeyOtherBody
            | Self::RetryWithoutBackoff
            | Self::IgnoredThrottle
            | Self::SignatureVersion1
            | Self::AmountLikeFloat
            | Self::NotificationNotTaken => Severity::Medium,
            Self::WaitsDoNotGrow | Self::PollingTooFast | Self::NotificationNotChecked => {
                Severity::Low
            }
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::NewKeyAfterLostAnswer => {
                "Keep the key with the intent before the first try, and send the same key and body until \
                 an answer arrives, or look the refund up."
            }
            Self::SameKeyOtherBody => {
                "Make a new key for a new wish, and never change what a key stands for."
            }
            Self::KeyPastWindow => {
                "FPS remembers a CallerReference for 7 days; afterwards look the refund up."
            }
            Self::RetryWithoutBackoff => "Wait half a second or more before the first repeat.",
            Self::WaitsDoNotGrow => "Double the wait with every try, and spread it a little.",
            Self::IgnoredThrottle => {
                "Hold every request of the operation back, not only the one that was refused."
            }
            Self::PollingTooFast => "Ask once a second at most, and less often as time goes by.",
            Self::SignatureVersion1 => "Sign with version 2 and HmacSHA256.",
            Self::AmountLikeFloat => "Keep money as whole minor units, and write it from those.",
            Self::NotificationNotChecked => {
                "Verify the signature of the notification, and read the object that it names."
            }
            Self::NotificationNotTaken => "Answer a notification with 200 as soon as it is stored.",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Something the client did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What the client did, and what it would cost in production, in one sentence.
    pub sentence: String,
    /// What to do instead.
    pub hint: &'static str,
    /// How often it was seen.
    pub times: u64,
    /// The first requests that show it.
    pub requests: Vec<Evidence>,
    /// About what: equal ones are one finding.
    #[serde(skip)]
    subject: String,
}

/// A request that shows a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Evidence {
    /// Which request it was since the sandbox was opened.
    pub number: u64,
    /// When it arrived.
    #[serde(serialize_with = "written")]
    pub at: Timestamp,
    /// What was asked for.
    pub operation: Option<String>,
    /// Under which key.
    pub key: Option<String>,
    /// About which payment.
    pub payment: Option<String>,
    /// The status of the answer; nothing if none arrived.
    pub status: Option<u16>,
}

fn written<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.to_extended())
}

impl Evidence {
    fn of(exchange: &Exchange) -> Self {
        Self {
            number: exchange.number,
            at: clock::timestamp(exchange.asked.at_millis),
            operation: exchange.operation.clone(),
            key: exchange.idempotency_key.clone(),
            payment: exchange.payment.clone(),
            status: exchange.status.filter(|_| exchange.whole),
        }
    }
}

/// Everything that was found, the worst first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// How many requests were looked at.
    pub exchanges: u64,
    /// How often each thing was seen.
    pub counts: BTreeMap<Code, u64>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst that was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// As text, for whoever reads the end of a run.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return write!(f, "audit: {} requests, nothing to remark", self.exchanges);
        }
        let times: u64 = self.counts.values().sum();
        write!(f, "audit: {} requests, {times} remarks", self.exchanges)?;
        for finding in &self.findings {
            let numbers: Vec<_> =
                finding.requests.iter().map(|request| format!("#{}", request.number)).collect();
            write!(f, "\n{:6} {} ({}x", finding.severity.name(), finding.code, finding.times)?;
            if !numbers.is_empty() {
                write!(f, ": {}", numbers.join(" "))?;
            }
            write!(f, ")\n       {}\n       {}", finding.sentence, finding.hint)?;
        }
        Ok(())
    }
}

/// Looks at everything that passes.
#[derive(Default)]
pub(crate) struct Audit(Mutex<State>);

#[derive(Default)]
struct State {
    exchanges: u64,
    found: Found,
    keys: keys::Keys,
    pace: pace::Pace,
    reads: notices::Reads,
}

impl Audit {
    pub(crate) fn see(&self, exchange: &Exchange) {
        let mut state = self.lock();
        let State { exchanges, found, keys, pace, reads } = &mut *state;
        *exchanges += 1;
        keys.see(exchange, found);
        pace.see(exchange, found);
        form::see(exchange, found);
        reads.see(exchange);
    }

    /// Somebody fetched the certificate that notifications are signed with.
    pub(crate) fn certificate_was_fetched(&self) {
        self.lock().reads.certificate = true;
    }

    /// What was found until now; notices are the notifications as they stand.
    pub(crate) fn report(&self, notices: &[Notice], now: clock::Millis) -> Report {
        let state = self.lock();
        let mut found = state.found.clone();
        state.reads.judge(notices, now, &mut found);
        let mut findings = found.findings;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Report { exchanges: state.exchanges, counts: found.counts, findings }
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was found so far.
#[derive(Clone, Default)]
struct Found {
    counts: BTreeMap<Code, u64>,
    findings: Vec<Finding>,
}

impl Found {
    /// Adds a finding, or more evidence to the one about the same subject.
    fn add(&mut self, code: Code, subject: String, sentence: String, requests: Vec<Evidence>) {
        *self.counts.entry(code).or_default() += 1;
        let mut known = self.findings.iter_mut();
        let known = known.find(|finding| finding.code == code && finding.subject == subject);
        if let Some(known) = known {
            known.times += 1;
            for request in requests {
                if known.requests.len() < EVIDENCE_MAX && !known.requests.contains(&request) {
                    known.requests.push(request);
                }
            }
        } else if self.findings.len() < FINDINGS_MAX {
            let (severity, hint) = (code.severity(), code.hint());
            self.findings.push(Finding {
                code,
                severity,
                sentence,
                hint,
                times: 1,
                requests,
                subject,
            });
        }
    }
}

/// Whose request it is, as far as it says.
fn asker(exchange: &Exchange) -> String {
    exchange.key_id.clone().unwrap_or_default()
}

fn operation(exchange: &Exchange) -> &str {
    exchange.operation.as_deref().unwrap_or("a request")
}

/// Does it only read?
fn reads(exchange: &Exchange) -> bool {
    exchange::reads(exchange.operation.as_deref())
}

/// When the client could know how it went; when it asked, if it was told nothing.
fn ended(exchange: &Exchange) -> u64 {
    exchange.answered.unwrap_or(exchange.asked).since_open_micros
}

/// May it have been executed, for all the client can know?
fn is_unknown(exchange: &Exchange) -> bool {
    !exchange.whole || exchange.status.is_none_or(|status| status >= 500)
}

/// Was the client told to slow down?
fn is_throttled(exchange: &Exchange) -> bool {
    let told = match exchange.service {
        Service::AmazonPay => exchange.status == Some(429),
        Service::FlexiblePayments => exchange.status == Some(503),
    };
    told && exchange.whole
}

#[cfg(test)]
mod tests;

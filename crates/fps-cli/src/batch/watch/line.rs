//! What a run tells to programs: one JSON object a line, as `docs/schema/events.json` describes.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fps::refund_ledger::IntentRecord;
use fps::refund_runner::{BadRow, Clock as _, Plan, PlanTotal, RowDifference, SystemClock};
use serde::Serialize;

use super::counts::Told;
use crate::progress::tell;

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Line {
    Started {
        batch: String,
    },
    BadRow(BadRow),
    Differs(RowDifference),
    Planning {
        rows: u64,
    },
    Planned {
        rows: u64,
        prepared: u64,
        existing: u64,
        bad: u64,
        differing: u64,
        missing: u64,
        totals: Vec<PlanTotal>,
    },
    Running {
        refunds: u64,
        counts: Told,
    },
    Progress {
        counts: Told,
    },
    Declined {
        #[serde(flatten)]
        about: About,
    },
    Alarm {
        #[serde(flatten)]
        about: About,
        why: String,
    },
    WaitsForHuman {
        #[serde(flatten)]
        about: About,
        why: String,
    },
    Halting,
    Ended {
        counts: Told,
    },
}

impl Line {
    pub(super) fn planned(plan: &Plan) -> Self {
        let Plan { rows, prepared, existing, bad, differing, missing, .. } = *plan;
        let totals = plan.totals.clone();
        Self::Planned { rows, prepared, existing, bad, differing, missing, totals }
    }
}

/// Which refund it is about.
#[derive(Clone, Debug, Serialize)]
pub(super) struct About {
    number: i64,
    payment: String,
    row: Option<u64>,
}

impl About {
    pub(super) fn of(intent: &IntentRecord) -> Self {
        Self { number: intent.id.0, payment: intent.payment.clone(), row: intent.facts.row }
    }
}

/// Lines are written by a thread of their own, so that nobody waits for a slow reader.
pub(super) struct Lines {
    sender: Mutex<Option<Sender<Line>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Lines {
    pub(super) fn start() -> Self {
        let (sender, receiver) = channel();
        let writer = std::thread::spawn(move || write(&receiver));
        Self { sender: Mutex::new(Some(sender)), writer: Mutex::new(Some(writer)) }
    }

    pub(super) fn send(&self, line: Line) {
        if let Some(sender) = &*self.sender.lock().unwrap_or_else(PoisonError::into_inner) {
            // Who has closed standard error wants to hear nothing.
            drop(sender.send(line));
        }
    }

    /// Waits until all are written.
    pub(super) fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            drop(writer.join());
        }
    }
}

/// Writes lines as they come; of several counts within a second only the last.
fn write(lines: &Receiver<Line>) {
    let clock = SystemClock::default();
    let mut next = clock.now();
    let mut last: Option<Line> = None;
    loop {
        match lines.recv_timeout(EVERY) {
            Ok(line @ Line::Progress { .. }) => last = Some(line),
            Ok(line) => say(&line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = clock.now();
        if let Some(line) = last.take_if(|_| now >= next) {
            say(&line);
            next = now.plus(1_000);
        }
    }
}

fn say(line: &Line) {
    // Every one is plain data, and can be written.
    if let Ok(text) = serde_json::to_string(line) {
        tell(&text);
    }
}

//! What planning and a run tell on standard error: at a terminal words and a bar that is drawn over and
//! over, and else one JSON object a line. Nothing is decided by it.

mod bar;
mod counts;
mod line;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use fps::RefundState;
use fps::refund_ledger::{IntentRecord, Total};
use fps::refund_runner::{Event, Limit, Observer, Plan, PlanEvent, Step};
use std::io::IsTerminal as _;

use self::bar::Bar;
use self::counts::Counts;
use self::line::{About, Line, Lines};
use super::plan::Planned;
use crate::output::{Report as _, visible};
use crate::progress::{step, tell};

/// How many bad rows are told one by one.
const TOLD: u64 = 20;

/// How often planning says how far it is, in rows.
const ROWS: u64 = 100_000;

/// Watches a plan and a run.
pub(crate) struct Watch {
    counts: Mutex<Counts>,
    bar: OnceLock<Bar>,
    /// None where words are told.
    lines: Option<Lines>,
    told: AtomicU64,
}

impl Watch {
    fn new(lines: Option<Lines>) -> Self {
        let (counts, bar, told) = (Mutex::default(), OnceLock::new(), AtomicU64::new(0));
        Self { counts, bar, lines, told }
    }

    /// Of a plan alone, told in words.
    pub(crate) fn of_plan() -> Self {
        Self::new(None)
    }

    /// Of a run, with a plan before it or not.
    pub(crate) fn of_run(batch: &str) -> Self {
        let watch = Self::new((!std::io::stderr().is_terminal()).then(Lines::start));
        watch.line(|| Line::Started { batch: batch.to_owned() });
        watch
    }

    pub(crate) fn planning(&self, batch: &str, file: &Path) {
        if self.lines.is_none() {
            let batch = visible(batch);
            step(&format!(
                "planning the batch `{batch}` from {}",
                visible(&file.to_string_lossy())
            ));
        }
    }

    pub(crate) fn plan(&self, event: PlanEvent<'_>) {
        match event {
            PlanEvent::Bad(row) => self.row(
                || Line::BadRow(row.clone()),
                || format!("bad row: {}", visible(&row.to_string())),
            ),
            PlanEvent::Differs(difference) => self.row(
                || Line::Differs(difference.clone()),
                || {
                    let fields = difference.fields.join(", ");
                    let (line, row) = (difference.line, difference.row);
                    format!("line {line}: row {row} is not what was planned in its place: {fields}")
                },
            ),
            PlanEvent::Progress { step: Step::Preparing, rows, .. }
                if rows > 0 && rows.is_multiple_of(ROWS) =>
            {
                self.line(|| Line::Planning { rows });
                if self.lines.is_none() {
                    step(&format!("{rows} rows"));
                }
            }
            _ => {}
        }
    }

    /// Tells of a row that is not as it should be; in words only of the first.
    fn row(&self, line: impl FnOnce() -> Line, words: impl FnOnce() -> String) {
        if self.lines.is_some() {
            return self.line(line);
        }
        match self.told.fetch_add(1, Ordering::Relaxed) {
            told if told < TOLD => tell(&words()),
            TOLD => tell("more of them are counted, and not listed"),
            _ => {}
        }
    }

    pub(crate) fn planned(&self, plan: &Plan) {
        self.line(|| Line::planned(plan));
        if self.lines.is_none() {
            tell(&Planned::new(plan).text());
        }
    }

    /// The run begins, with what earlier runs did. The provider's limit tells how long it takes at least.
    pub(crate) fn running(&self, totals: &[Total], limit: Option<Limit>) {
        let counts = Counts::of(totals);
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts.clone();
        match self.lines {
            Some(_) => self.line(|| Line::Running { refunds: counts.all(), counts: counts.told() }),
            None => drop(self.bar.set(Bar::start(&counts, limit))),
        }
    }

    fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self, line: impl FnOnce() -> Line) {
        if let Some(lines) = &self.lines {
            lines.send(line());
        }
    }

    /// Tells the last of a run.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.bar.get() {
            bar.end(&self.counts());
        }
        self.line(|| Line::Ended { counts: self.counts().told() });
        self.close();
    }

    /// Tells what is still to be told, and nothing more.
    pub(crate) fn close(&self) {
        if let Some(lines) = &self.lines {
            lines.close();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let counts = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut counts);
            counts.clone()
        };
        match self.bar.get() {
            Some(bar) => bar.show(&counts),
            None => self.line(|| Line::Progress { counts: counts.told() }),
        }
    }

    /// Tells of one refund that somebody should look at.
    fn about(&self, words: &str, intent: &IntentRecord, line: impl FnOnce(About) -> Line) {
        match self.bar.get() {
            Some(bar) => {
                let row = intent.facts.row.map_or_else(String::new, |row| format!(", row {row}"));
                let payment = visible(&intent.payment);
                bar.say(&format!("refund {} ({payment}{row}): {}", intent.id.0, visible(words)));
            }
            None => self.line(|| line(About::of(intent))),
        }
    }
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        match event {
            // What is unknown stays so while it is sent again.
            Event::Sending { intent, .. } if intent.life.state == RefundState::Prepared => {
                self.change(|counts| counts.move_one(intent.life.state, RefundState::Sent));
            }
            Event::Recorded { intent, recorded } => {
                self.change(|counts| counts.move_one(recorded.before, recorded.state));
                if let Some(why) = &recorded.alarm {
                    let why = why.clone();
                    self.about(&why, intent, |about| Line::Alarm { about, why: why.clone() });
                } else if recorded.state == RefundState::Declined
                    && recorded.before != RefundState::Declined
                {
                    self.about("declined", intent, |about| Line::Declined { about });
                }
            }
            Event::Parked { intent, why } => {
                self.change(|counts| counts.parked += 1);
                let words = format!("waits for a human: {why}");
                let why = (*why).to_owned();
                self.about(&words, intent, |about| Line::WaitsForHuman { about, why });
            }
            Event::Halting => match self.bar.get() {
                Some(bar) => bar.say("nothing new is begun; what is in flight is finished"),
                None => self.line(|| Line::Halting),
            },
            _ => {}
        }
    }
}

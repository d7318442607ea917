//! What a run tells on standard error: a line that is drawn over and over at a terminal, and else one
//! JSON object a line. Nothing is decided by it.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fps::RefundState;
use fps::refund_ledger::{Millis, Total};
use fps::refund_runner::{Event, Limit, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::progress::tell;

/// How often progress is told where nobody sees a bar.
const EVERY: Duration = Duration::from_secs(1);

/// Watches a run.
pub(crate) struct Watch {
    counts: Mutex<Counts>,
    bar: Option<ProgressBar>,
    lines: Mutex<Option<Sender<Value>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Clone, Default)]
struct Counts {
    states: BTreeMap<RefundState, u64>,
    parked: u64,
}

impl Counts {
    fn of(&self, states: &[RefundState]) -> u64 {
        states.iter().filter_map(|state| self.states.get(state)).sum()
    }

    fn ended(&self) -> u64 {
        self.of(&[RefundState::Refunded, RefundState::Declined])
    }

    fn value(&self) -> Value {
        json!({
            "prepared": self.of(&[RefundState::Prepared]),
            "in_flight": self.of(&[RefundState::Sent]),
            "pending": self.of(&[RefundState::Accepted, RefundState::Pending]),
            "refunded": self.of(&[RefundState::Refunded]),
            "declined": self.of(&[RefundState::Declined]),
            "unknown": self.of(&[RefundState::Unknown]),
            "waiting_for_human": self.parked,
        })
    }

    fn words(&self) -> String {
        let shown = [
            (
                "under way",
                self.of(&[RefundState::Sent, RefundState::Accepted, RefundState::Pending]),
            ),
            ("refunded", self.of(&[RefundState::Refunded])),
            ("declined", self.of(&[RefundState::Declined])),
            ("unknown", self.of(&[RefundState::Unknown])),
            ("for a human", self.parked),
        ];
        let shown = shown.into_iter().filter(|(name, count)| *count > 0 || *name == "refunded");
        shown.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }
}

impl Watch {
    /// With what earlier runs did. The limit of the provider tells how long it takes at least.
    pub(crate) fn start(totals: &[Total], limit: Option<Limit>) -> Self {
        let mut counts = Counts::default();
        let mut all = 0;
        for total in totals {
            all += total.count;
            // Whoever was to send those that are sent is gone, and nobody knows of them.
            let state = match total.state {
                RefundState::Sent => RefundState::Unknown,
                state => state,
            };
            *counts.states.entry(state).or_default() += total.count;
            if total.is_parked {
                counts.parked += total.count;
            }
        }
        if std::io::stderr().is_terminal() {
            return Self {
                bar: Some(bar(all, &counts, limit)),
                counts: Mutex::new(counts),
                lines: Mutex::default(),
                writer: Mutex::default(),
            };
        }
        let (lines, receiver) = channel();
        let writer = std::thread::spawn(move || write(&receiver));
        let watch = Self {
            bar: None,
            counts: Mutex::new(counts),
            lines: Mutex::new(Some(lines)),
            writer: Mutex::new(Some(writer)),
        };
        watch.line(json!({ "event": "started", "refunds": all, "counts": watch.counts().value() }));
        watch
    }

    fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self, line: Value) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = &*lines {
            // Who has closed standard error wants to hear nothing.
            drop(lines.send(line));
        }
    }

    /// Tells the last of it.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_with_message(self.counts().words());
        }
        self.line(json!({ "event": "ended", "counts": self.counts().value() }));
        drop(self.lines.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            drop(writer.join());
        }
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) -> Counts {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counts);
        counts.clone()
    }
}

fn bar(all: u64, counts: &Counts, limit: Option<Limit>) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(8);
    let bar = ProgressBar::with_draw_target(Some(all), target);
    let least = limit.map_or_else(String::new, |limit| {
        let waiting = counts.of(&[RefundState::Prepared]).saturating_sub(limit.burst.into());
        let seconds = waiting.saturating_mul(limit.interval_micros.into()) / 1_000_000;
        format!(" (the provider's limit alone takes {})", minutes(seconds))
    });
    let template =
        format!("{{wide_bar}} {{pos}}/{{len}} {{per_sec}}, {{eta}} left{least}\n{{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_position(counts.ended());
    bar.reset_eta();
    bar.set_message(counts.words());
    bar
}

fn minutes(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Writes lines as they come; of several counts within a second only the last.
fn write(lines: &Receiver<Value>) {
    let mut last: Option<Value> = None;
    loop {
        match lines.recv_timeout(EVERY) {
            Ok(line) if line["event"] == "progress" => last = Some(line),
            Ok(line) => {
                tell(&line.to_string());
                if line["event"] == "ended" {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(line) = last.take_if(|_| is_time()) {
            tell(&line.to_string());
        }
    }
}

/// Has a second passed since this was last true?
fn is_time() -> bool {
    use std::sync::atomic::{AtomicI64, Ordering};
    static NEXT: AtomicI64 = AtomicI64::new(0);
    let now = fps::refund_runner::Clock::now(&fps::refund_runner::SystemClock::default()).0;
    let next = NEXT.load(Ordering::Relaxed);
    let is_time = now >= next;
    if is_time {
        NEXT.store(now.saturating_add(1_000), Ordering::Relaxed);
    }
    is_time
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Sending { .. } => {
                return;
            }
            Event::Recorded { intent, recorded } => {
                let counts = self.change(|counts| {
                    // What was sent is in flight only for a moment, and not counted as such.
                    let before = counts.states.entry(intent.life.state).or_default();
                    *before = before.saturating_sub(1);
                    *counts.states.entry(recorded.state).or_default() += 1;
                });
                if let Some(bar) = &self.bar {
                    bar.set_position(counts.ended());
                    bar.set_message(counts.words());
                    return;
                }
                self.line(json!({ "event": "progress", "counts": counts.value() }));
                if recorded.state != RefundState::Declined && recorded.alarm.is_none() {
                    return;
                }
                json!({
                    "event": if recorded.alarm.is_some() { "alarm" } else { "declined" },
                    "number": intent.id.0,
                    "payment": intent.payment,
                    "row": intent.facts.row,
                    "why": recorded.alarm,
                })
            }
            Event::Parked { intent, why } => {
                let counts = self.change(|counts| counts.parked += 1);
                if let Some(bar) = &self.bar {
                    bar.set_message(counts.words());
                }
                json!({
                    "event": "waits-for-human",
                    "number": intent.id.0,
                    "payment": intent.payment,
                    "row": intent.facts.row,
                    "why": why,
                })
            }
            Event::Halting => json!({ "event": "halting" }),
            Event::Waiting { until: Millis(until) } => {
                let _ = until;
                return;
            }
            _ => return,
        };
        match &self.bar {
            Some(bar) => bar.println(line.to_string()),
            None => self.line(line),
        }
    }
}

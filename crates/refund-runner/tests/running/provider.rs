//! A provider that takes so many a second and no more, and settles what it took after some questions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use refund_ledger::{IntentRecord, Millis};
use refund_rules::{Observation, Payment};
use refund_runner::{BoxFuture, Call, Found, Gateway, Limit, Listed, Looked, Status, Submitted};

use crate::time::VirtualClock;

pub(crate) const NAME: &str = "amazon-pay";
pub(crate) const TARGET: &str = "sandbox A1";

/// As the live service publishes it: ten at once, four a second.
pub(crate) const LIMIT: Limit = Limit { burst: 10, interval_micros: 250_000 };

pub(crate) struct Provider {
    clock: Arc<VirtualClock>,
    /// What it tells about its limit.
    limit: Option<Limit>,
    /// How often a refund is asked for before it has ended.
    patience: u32,
    /// What it answers to the first request.
    first: Mutex<Option<Submitted>>,
    pub(crate) books: Mutex<Books>,
}

#[derive(Default)]
pub(crate) struct Books {
    /// How full its bucket is, in microseconds that it takes to empty, and when it was looked at last.
    bucket: (i64, i64),
    /// When it took which key.
    pub(crate) taken: Vec<(i64, String)>,
    /// How many it did not take, because they were too many.
    pub(crate) busy: u32,
    asked: BTreeMap<String, u32>,
}

impl Provider {
    pub(crate) fn new(clock: &Arc<VirtualClock>, limit: Option<Limit>, patience: u32) -> Arc<Self> {
        let clock = Arc::clone(clock);
        let (first, books) = (Mutex::default(), Mutex::default());
        Arc::new(Self { clock, limit, patience, first, books })
    }

    /// Answers so to the first request, and then as ever.
    pub(crate) fn answer_first(&self, answer: Submitted) {
        *self.first.lock().unwrap() = Some(answer);
    }

    /// How the refund under a key ends.
    pub(crate) fn end_of(key: &str) -> Observation {
        match key.bytes().map(u32::from).sum::<u32>() % 5 {
            0 => Observation::Declined,
            _ => Observation::Refunded,
        }
    }

    /// How often each refund was asked for that was.
    pub(crate) fn asked(&self) -> BTreeMap<String, u32> {
        self.books.lock().unwrap().asked.clone()
    }

    fn take(&self, key: &str) -> Submitted {
        if let Some(answer) = self.first.lock().unwrap().take() {
            return answer;
        }
        let now = self.clock.passed();
        let mut books = self.books.lock().unwrap();
        if let Some(limit) = self.limit {
            let (level, before) = books.bucket;
            let level = (level - (now - before) * 1_000).max(0) + i64::from(limit.interval_micros);
            if level > i64::from(limit.interval_micros) * i64::from(limit.burst) {
                books.busy += 1;
                return Submitted::Busy { code: "TooManyRequests".to_owned(), retry_after: None };
            }
            books.bucket = (level, now);
        }
        books.taken.push((now, key.to_owned()));
        Submitted::Accepted {
            refund: format!("R-{key}"),
            state: if self.patience == 0 { Self::end_of(key) } else { Observation::Pending },
            reason: None,
            request: None,
        }
    }

    fn tell(&self, refund: &str) -> Looked<Status> {
        let key = refund.strip_prefix("R-").unwrap();
        let mut books = self.books.lock().unwrap();
        let asked = books.asked.entry(key.to_owned()).or_default();
        *asked += 1;
        let state = if *asked < self.patience { Observation::Pending } else { Self::end_of(key) };
        Looked::Told(Status { state, reason: None, amount: None })
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Gateway for Provider {
    fn provider(&self) -> &str {
        NAME
    }

    fn target(&self) -> &str {
        TARGET
    }

    fn key_window(&self) -> Option<i64> {
        None
    }

    fn limit(&self, call: Call) -> Option<Limit> {
        self.limit.filter(|_| call == Call::Submit)
    }

    fn submit<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Submitted> {
        ready(self.take(&intent.facts.key))
    }

    fn status<'a>(&'a self, refund: &'a str) -> BoxFuture<'a, Looked<Status>> {
        ready(self.tell(refund))
    }

    fn search<'a>(&'a self, _: &'a IntentRecord) -> BoxFuture<'a, Looked<Found>> {
        panic!("no answer is lost here")
    }

    fn payment<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Looked<Option<Payment>>> {
        ready(Looked::Told(None))
    }

    fn activity<'a>(&'a self, _: Millis, _: Millis) -> BoxFuture<'a, Looked<Option<Vec<Listed>>>> {
        ready(Looked::Told(None))
    }
}

//! A provider that says what a test has written down, and a clock that does not wait.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use refund_ledger::{IntentRecord, Millis};
use refund_rules::Payment;
use refund_runner::{
    BoxFuture, Call, Clock, Found, Gateway, Limit, Listed, Looked, Status, Submitted,
};

pub(crate) const PROVIDER: &str = "amazon-pay";
pub(crate) const TARGET: &str = "sandbox A1";

#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) target: Option<&'static str>,
    /// By refund.
    pub(crate) statuses: BTreeMap<String, Looked<Status>>,
    /// By key.
    pub(crate) found: BTreeMap<String, Looked<Found>>,
    /// By payment; what is not here the provider does not have.
    pub(crate) payments: BTreeMap<String, Looked<Option<Payment>>>,
    pub(crate) listed: Option<Vec<Listed>>,
    /// So many questions for payments are answered with `later` first.
    pub(crate) busy: AtomicU32,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Scripted {
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(async move { answer })
}

impl Gateway for Scripted {
    fn provider(&self) -> &str {
        PROVIDER
    }

    fn target(&self) -> &str {
        self.target.unwrap_or(TARGET)
    }

    fn key_window(&self) -> Option<i64> {
        None
    }

    fn limit(&self, _: Call) -> Option<Limit> {
        None
    }

    fn submit<'a>(&'a self, _: &'a IntentRecord) -> BoxFuture<'a, Submitted> {
        panic!("nothing is sent by a plan or a reconciliation")
    }

    fn status<'a>(&'a self, refund: &'a str) -> BoxFuture<'a, Looked<Status>> {
        let refused = Looked::Refused { code: "ResourceNotFound".to_owned() };
        ready(self.statuses.get(refund).cloned().unwrap_or(refused))
    }

    fn search<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Looked<Found>> {
        let nothing = Looked::Told(Found::Nothing);
        ready(self.found.get(&intent.facts.key).cloned().unwrap_or(nothing))
    }

    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Looked<Option<Payment>>> {
        self.asked.lock().unwrap().push(id.to_owned());
        let less = |busy: u32| busy.checked_sub(1);
        if self.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return ready(Looked::Later { why: "too often".to_owned() });
        }
        ready(self.payments.get(id).cloned().unwrap_or(Looked::Told(None)))
    }

    fn activity<'a>(&'a self, _: Millis, _: Millis) -> BoxFuture<'a, Looked<Option<Vec<Listed>>>> {
        ready(Looked::Told(self.listed.clone()))
    }
}

/// Waits for nothing.
pub(crate) struct NoWait;

impl Clock for NoWait {
    fn now(&self) -> Millis {
        Millis(0)
    }

    fn sleep(&self, _: i64) -> BoxFuture<'_, ()> {
        ready(())
    }
}

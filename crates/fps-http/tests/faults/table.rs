//! One fault at a time, and two in a row: what an error says about money, and what another try brings.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fps_http::{BoxFuture, Clock, Error, ErrorKind, Phase, RetryPolicy, Settings};
use fps_model::amazon_pay::{CreateRefund, Refund};
use fps_model::{IdempotencyKey, Timestamp};
use refund_rules::{Currency, Money};

use crate::server::{Closed, Fault, OVERSIZE_BYTES, Server};
use crate::{Ticking, client};

const KEY: &str = "key-1";
/// Enough for any machine: a try that is too late on a slow one is made again.
const ATTEMPTS_MAX: u32 = 40;

/// A clock where nobody waits: it keeps the waits, and does something at the first.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<WaitsInner>>);

#[derive(Default)]
struct WaitsInner {
    waits: Vec<Duration>,
    at_first: Option<Box<dyn FnOnce() + Send>>,
}

impl Waits {
    fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().waits.clone()
    }

    fn at_first(&self, act: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().at_first = Some(Box::new(act));
    }
}

impl Clock for Waits {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-21T09:24:08Z").unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let mut inner = self.0.lock().unwrap();
        inner.waits.push(duration);
        if let Some(act) = inner.at_first.take() {
            act();
        }
        Box::pin(std::future::ready(()))
    }
}

fn refund() -> CreateRefund {
    let key = IdempotencyKey::new(KEY).unwrap();
    CreateRefund::new(key, "C", Money::parse("14.00", Currency::USD).unwrap())
}

/// Only the time ends a try that meets with this.
fn is_endless(fault: Fault) -> bool {
    matches!(fault, Fault::HoldAnswer | Fault::DripAnswer)
}

fn settings(retry: RetryPolicy, fault: Fault) -> Settings {
    let mut settings = Settings::default().with_retry(retry);
    settings.body_bytes_max = OVERSIZE_BYTES - 1;
    if is_endless(fault) {
        settings.attempt_timeout = Duration::from_millis(300);
    }
    settings
}

async fn send(server: &Server, settings: Settings, waits: &Waits) -> Result<Refund, Error> {
    let client = client(&server.url, settings, Ticking::new(waits.clone()));
    client.send(&refund()).await.map(|answer| answer.result)
}

/// The first of the tries goes wrong.
fn at_first(fault: Fault) -> Server {
    Server::start(Box::new(move |_, number| (number == 1).then_some(fault)))
}

/// Every try that was read had the same key and body, and a date and a signature of its own.
fn assert_same_request_signed_anew(server: &Server, shown: &str) {
    let books = server.books();
    let keys: Vec<_> = books.tries().keys().collect();
    assert_eq!(keys, [KEY], "{shown}");
    let read: Vec<_> = books.tries()[KEY].iter().filter(|tried| !tried.body.is_empty()).collect();
    for (index, tried) in read.iter().enumerate() {
        assert_eq!(tried.body, read[0].body, "{shown}");
        for earlier in &read[..index] {
            assert_ne!(tried.date, earlier.date, "{shown}");
            assert_ne!(tried.authorization, earlier.authorization, "{shown}");
        }
    }
}

/// The one refund that was made is the one that the client was told of.
fn assert_made_once(server: &Server, told: &Refund, shown: &str) {
    let books = server.books();
    assert_eq!(books.refunds().count(), 1, "{shown}");
    assert_eq!(books.refund(KEY), Some(told), "{shown}");
    assert_eq!(told.refund_amount, refund().refund_amount, "{shown}");
}

/// A fault; what one try that meets with it says: kind, phase, is it unknown; how many refunds were made
/// then; and does the client try again by itself?
type Row = (Fault, (ErrorKind, Phase, bool), usize, bool);

const INTERRUPTED: (ErrorKind, Phase, bool) = (ErrorKind::Interrupted, Phase::MaybeSent, true);
const TIMEOUT: (ErrorKind, Phase, bool) = (ErrorKind::Timeout, Phase::MaybeSent, true);
const FAULT: (ErrorKind, Phase, bool) = (ErrorKind::Fault, Phase::Answered, true);
const THROTTLED: (ErrorKind, Phase, bool) = (ErrorKind::Throttled, Phase::Answered, false);

const ROWS: [Row; 16] = [
    (Fault::ResetUnread, INTERRUPTED, 0, true),
    (Fault::ResetUnexecuted, INTERRUPTED, 0, true),
    (Fault::DropCommitted, INTERRUPTED, 1, true),
    (Fault::ResetInHead, INTERRUPTED, 1, true),
    (Fault::TruncateBody, INTERRUPTED, 1, true),
    (Fault::HoldAnswer, TIMEOUT, 1, true),
    (Fault::DripAnswer, TIMEOUT, 1, true),
    (Fault::FailUnexecuted(500), FAULT, 0, true),
    (Fault::FailUnexecuted(502), FAULT, 0, true),
    (Fault::FailUnexecuted(503), FAULT, 0, true),
    (Fault::FailCommitted(500), FAULT, 1, true),
    (Fault::FailCommitted(504), FAULT, 1, true),
    (Fault::Throttle(None), THROTTLED, 0, true),
    (Fault::Throttle(Some(7)), THROTTLED, 0, true),
    (Fault::Oversize, (ErrorKind::TooLarge, Phase::Answered, true), 1, false),
    (Fault::Garbage, (ErrorKind::Decode, Phase::Answered, true), 1, false),
];

#[tokio::test]
async fn one_try_says_what_it_knows_about_money() {
    for (fault, meaning, made, _) in ROWS {
        let mut settings = settings(RetryPolicy::once(), fault);
        let mut server = at_first(fault);
        let mut error = send(&server, settings.clone(), &Waits::default()).await.unwrap_err();
        if is_endless(fault) && server.books().refunds().count() < made {
            // A machine so slow that the request was not there when the time was up.
            settings.attempt_timeout *= 50;
            server = at_first(fault);
            error = send(&server, settings, &Waits::default()).await.unwrap_err();
        }
        let found = (error.kind(), error.phase(), error.is_unknown());
        assert_eq!(found, meaning, "{fault:?}: {error:?}");
        assert_eq!(error.attempts(), 1, "{fault:?}");
        let books = server.books();
        assert_eq!(books.refunds().count(), made, "{fault:?}");
        assert_eq!(books.tries()[KEY].len(), 1, "{fault:?}");
        // What is not unknown did not happen.
        assert!(error.is_unknown() || made == 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_passing_fault_is_overcome_with_the_same_key_and_one_refund() {
    for (fault, _, _, _) in ROWS.into_iter().filter(|(.., again)| *again) {
        let (server, waits) = (at_first(fault), Waits::default());
        let policy = RetryPolicy::default().with_attempts_max(ATTEMPTS_MAX);
        let told = send(&server, settings(policy, fault), &waits).await.unwrap();
        let shown = format!("{fault:?}");
        assert_made_once(&server, &told, &shown);
        assert_same_request_signed_anew(&server, &shown);
        let waits = waits.waits();
        assert!(!waits.is_empty(), "{shown}");
        if !is_endless(fault) {
            assert_eq!(waits.len(), 1, "{shown}");
            assert_eq!(server.books().tries()[KEY].len(), 2, "{shown}");
        }
        let asked = if fault == Fault::Throttle(Some(7)) { 7 } else { 0 };
        assert_eq!(waits[0].as_secs(), asked, "{shown}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_settled_by_sending_again() {
    for (fault, meaning, _, _) in ROWS.into_iter().filter(|(.., again)| !*again) {
        let (server, waits) = (at_first(fault), Waits::default());
        let settings = settings(RetryPolicy::default(), fault);
        let error = send(&server, settings.clone(), &waits).await.unwrap_err();
        assert_eq!((error.kind(), error.phase(), error.is_unknown()), meaning, "{fault:?}");
        assert_eq!((error.attempts(), waits.waits().len()), (1, 0), "{fault:?}");
        // The caller has the key.
        let told = send(&server, settings, &waits).await.unwrap();
        assert_made_once(&server, &told, &format!("{fault:?}"));
    }
}

#[tokio::test]
async fn two_faults_in_a_row_are_overcome_in_any_order() {
    let passing = ROWS.into_iter().filter(|(.., again)| *again).map(|(fault, ..)| fault);
    let passing: Vec<_> = passing.filter(|fault| !is_endless(*fault)).collect();
    for first in passing.clone() {
        for second in passing.clone() {
            let plan = move |_: &str, number| [first, second].get(number - 1).copied();
            let (server, waits) = (Server::start(Box::new(plan)), Waits::default());
            let policy = settings(RetryPolicy::default(), first);
            let told = send(&server, policy, &waits).await.unwrap();
            let shown = format!("{first:?}, {second:?}");
            assert_made_once(&server, &told, &shown);
            assert_same_request_signed_anew(&server, &shown);
            assert_eq!(server.books().tries()[KEY].len(), 3, "{shown}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_is_no_try_and_the_next_one_may_succeed() {
    let closed = Closed::reserve(Box::new(|_, _| None));
    let (url, waits) = (closed.url.clone(), Waits::default());
    let clock = Ticking::new(waits.clone());
    let once = Settings::default().with_retry(RetryPolicy::once());
    let error = client(&url, once, clock.clone()).send(&refund()).await.unwrap_err();
    let meaning = (error.kind(), error.phase(), error.is_unknown());
    assert_eq!(meaning, (ErrorKind::Connect, Phase::NotSent, false));
    assert_eq!(error.attempts(), 1);

    // The service is back by the second try.
    let server = Arc::new(Mutex::new(None));
    waits.at_first({
        let server = Arc::clone(&server);
        move || *server.lock().unwrap() = Some(closed.open())
    });
    let told = client(&url, Settings::default(), clock).send(&refund()).await.unwrap().result;
    let server = server.lock().unwrap().take().unwrap();
    assert_made_once(&server, &told, "");
    assert_eq!((server.books().tries()[KEY].len(), waits.waits().len()), (1, 1));
}

#[tokio::test]
async fn a_wait_beyond_what_is_granted_ends_the_call() {
    let fault = Fault::Throttle(Some(31));
    let (server, waits) = (at_first(fault), Waits::default());
    let error = send(&server, settings(RetryPolicy::default(), fault), &waits).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Throttled, 1));
    assert!(!error.is_unknown());
    assert!(waits.waits().is_empty());
}

#[tokio::test]
async fn an_answer_that_comes_twice_is_not_the_answer_to_the_next_request() {
    let server = Server::start(Box::new(|_, _| Some(Fault::AnswerTwice)));
    let settings = settings(RetryPolicy::once(), Fault::AnswerTwice);
    let client = client(&server.url, settings, Ticking::new(Waits::default()));
    for number in 1..=50 {
        let key = format!("key-{number}");
        let amount = Money::from_minor(number, Currency::USD);
        let refund = CreateRefund::new(IdempotencyKey::new(&key).unwrap(), "C", amount);
        let told = client.send(&refund).await.unwrap().result;
        assert_eq!(told.refund_amount, amount);
        assert_eq!(server.books().refund(&key), Some(&told));
        assert_eq!(server.books().tries()[&key].len(), 1);
    }
}

#[tokio::test]
async fn a_key_that_was_used_for_another_refund_is_refused() {
    let server = Server::start(Box::new(|_, _| None));
    let once = || settings(RetryPolicy::once(), Fault::AnswerTwice);
    let told = send(&server, once(), &Waits::default()).await.unwrap();
    let mut other = refund();
    other.refund_amount = Money::parse("15.00", Currency::USD).unwrap();
    let client = client(&server.url, once(), Ticking::new(Waits::default()));
    let error = client.send(&other).await.unwrap_err();
    assert_eq!(error.service_code(), Some("DuplicateIdempotencyKey"));
    assert_made_once(&server, &told, "");
}

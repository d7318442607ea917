//! What one client does about its limits.

use std::error::Error as _;
use std::time::Duration;

use fps_http::pacing::{Limit, Limits, Pacing, Rate, TooLong};
use fps_http::testing::{ManualClock, ScriptedTransport, Step};
use fps_http::{
    Client, Clock, Environment, ErrorKind, Phase, RetryPolicy, Settings, SystemClock,
    TransportErrorKind,
};

use crate::setup::{CREATED, config, create_refund, millis, one_every, start};

fn created() -> Step {
    Step::Answer(201, CREATED.to_owned())
}

fn one_at_a_time(rate: Rate) -> Settings {
    let limits = Limits::none().with("CreateRefund", Limit::new(1, rate));
    Settings::default().with_pacing(Pacing::new(limits))
}

#[tokio::test]
async fn a_throttled_client_holds_back_everybody_who_shares() {
    let pacing = Pacing::new(Limits::amazon_pay(Environment::Live));
    let settings = Settings::default().with_retry(RetryPolicy::once()).with_pacing(pacing);
    let clock = ManualClock::new(start());
    let client = |step| {
        let script = ScriptedTransport::new([step]);
        Client::with_transport(config(), settings.clone(), script, clock.clone())
    };
    let error = client(Step::RetryAfter(429, 7)).send(&create_refund(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(millis(7_000))));
    assert!(clock.sleeps().is_empty());
    client(created()).send(&create_refund(2)).await.unwrap();
    assert_eq!(clock.sleeps(), [millis(7250)]);
}

#[tokio::test]
async fn a_second_try_waits_for_its_turn_too() {
    let script = ScriptedTransport::new([Step::Answer(503, String::new()), created()]);
    let clock = ManualClock::new(start());
    let settings = one_at_a_time(one_every(10));
    Client::with_transport(config(), settings, script.clone(), clock.clone())
        .send(&create_refund(1))
        .await
        .unwrap();
    assert_eq!(script.sent().len(), 2);
    assert_eq!(clock.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_turn_that_comes_too_late_is_told_and_nothing_is_sent() {
    let script = ScriptedTransport::new([created()]);
    let settings = one_at_a_time(one_every(120));
    let clock = ManualClock::new(start());
    let client = Client::with_transport(config(), settings, script.clone(), clock.clone());
    client.send(&create_refund(1)).await.unwrap();
    let error = client.send(&create_refund(2)).await.unwrap_err();
    let told = (error.kind(), error.phase(), error.is_unknown(), error.attempts());
    assert_eq!(told, (ErrorKind::Paced, Phase::NotSent, false, 0));
    assert_eq!(error.to_string(), "the request was not sent: its turn comes too late");
    let too_long = error.source().unwrap().downcast_ref::<TooLong>().unwrap();
    assert_eq!(too_long.wait(), Duration::from_secs(120));
    assert_eq!(too_long.to_string(), "the next turn of this operation is 120s away");
    assert_eq!(script.sent().len(), 1);
    assert!(clock.sleeps().is_empty());
}

#[tokio::test]
async fn a_second_turn_that_comes_too_late_leaves_what_the_first_try_met() {
    let script = ScriptedTransport::new([Step::Fail(TransportErrorKind::Timeout)]);
    let settings = one_at_a_time(one_every(120));
    let client =
        Client::with_transport(config(), settings, script.clone(), ManualClock::new(start()));
    let error = client.send(&create_refund(1)).await.unwrap_err();
    let told = (error.kind(), error.phase(), error.is_unknown(), error.attempts());
    assert_eq!(told, (ErrorKind::Timeout, Phase::MaybeSent, true, 1));
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn all_clocks_of_a_process_count_from_the_same_point() {
    let (first, second) = (SystemClock::new(), SystemClock::new());
    let [before, between, after] = [first.elapsed(), second.elapsed(), first.elapsed()];
    assert!(before <= between && between <= after, "{before:?} {between:?} {after:?}");
}

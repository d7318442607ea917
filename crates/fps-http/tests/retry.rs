//! The decision about the next try, cell by cell.

use std::time::Duration;

use fps_http::RetryPolicy;
use fps_http::retry::{Attempt, Class, Decision, Outcome, decide};
use fps_model::Replay;

const REPLAYS: [Replay; 3] = [Replay::Safe, Replay::ByKey, Replay::Never];

fn answered(class: Class) -> Outcome {
    Outcome::Answered { class, retry_after: None }
}

fn first(outcome: Outcome) -> Attempt {
    Attempt { number: 1, elapsed: Duration::ZERO, outcome }
}

fn again(replay: Replay, outcome: Outcome) -> bool {
    let decision = decide(&RetryPolicy::default(), replay, first(outcome), 0);
    matches!(decision, Decision::RetryAfter(_))
}

#[test]
fn every_cell_of_the_table() {
    // Columns: safe, by key, never.
    let table = [
        (Outcome::NotSent, [true, true, true]),
        (Outcome::MaybeSent, [true, true, false]),
        (answered(Class::Fault), [true, true, false]),
        (answered(Class::Throttled), [true, true, false]),
        (answered(Class::Refused), [false, false, false]),
        (answered(Class::Unauthorized), [false, false, false]),
        (answered(Class::Unreadable), [false, false, false]),
    ];
    for (outcome, expected) in table {
        for (replay, expected) in REPLAYS.into_iter().zip(expected) {
            assert_eq!(again(replay, outcome), expected, "{outcome:?} {replay:?}");
        }
    }
}

#[test]
fn waits_double_up_to_a_limit_and_are_spread_over_their_upper_half() {
    let policy = RetryPolicy::default().with_attempts_max(20);
    let wait = |number, jitter| {
        let attempt = Attempt { number, elapsed: Duration::ZERO, outcome: Outcome::NotSent };
        match decide(&policy, Replay::Safe, attempt, jitter) {
            Decision::RetryAfter(delay) => delay.as_millis(),
            Decision::GiveUp => 0,
        }
    };
    let longest: Vec<_> = (1..=7).map(|number| wait(number, u16::MAX)).collect();
    assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    let shortest: Vec<_> = (1..=3).map(|number| wait(number, 0)).collect();
    assert_eq!(shortest, [250, 500, 1000]);
}

#[test]
fn the_service_may_ask_for_a_longer_wait_but_not_for_too_long_a_one() {
    let ask = |seconds| Outcome::Answered {
        class: Class::Throttled,
        retry_after: Some(Duration::from_secs(seconds)),
    };
    let policy = RetryPolicy::default();
    let decision = |seconds| decide(&policy, Replay::ByKey, first(ask(seconds)), 0);
    assert_eq!(decision(0), Decision::RetryAfter(Duration::from_millis(250)));
    assert_eq!(decision(7), Decision::RetryAfter(Duration::from_secs(7)));
    assert_eq!(decision(30), Decision::RetryAfter(Duration::from_secs(30)));
    assert_eq!(decision(31), Decision::GiveUp);
}

#[test]
fn tries_and_time_run_out() {
    let policy = RetryPolicy::default();
    let at = |number, seconds| {
        let elapsed = Duration::from_secs(seconds);
        decide(&policy, Replay::Safe, Attempt { number, elapsed, outcome: Outcome::MaybeSent }, 0)
    };
    assert!(matches!(at(3, 0), Decision::RetryAfter(_)));
    assert_eq!(at(4, 0), Decision::GiveUp);
    assert!(matches!(at(1, 58), Decision::RetryAfter(_)));
    assert_eq!(at(1, 59), Decision::GiveUp, "less than a second would be left");
    let once = RetryPolicy::once();
    assert_eq!(decide(&once, Replay::Safe, first(Outcome::NotSent), 0), Decision::GiveUp);
}

//! A provider's limit is used to the full and never passed, however many run against it.

use std::sync::Arc;

use futures_util::future::join_all;
use refund_runner::{Ended, Options, Runner, Submitted};

use crate::provider::{LIMIT, Provider};
use crate::time::VirtualClock;
use crate::{BATCH, nobody, planned};

const CONCURRENCY: u32 = 4;

/// So many refunds by so many runners of one ledger.
async fn paced(rows: u32, runners: usize) {
    let (_folder, ledger) = planned(rows).await;
    let clock = Arc::new(VirtualClock::default());
    let provider = Provider::new(&clock, Some(LIMIT), 0);
    let run = |number: usize| {
        let (ledger, provider, clock) = (ledger.clone(), Arc::clone(&provider), Arc::clone(&clock));
        tokio::spawn(async move {
            let mut options = Options::new(format!("worker {number}"));
            options.concurrency = CONCURRENCY;
            let runner = Runner::new(ledger, provider, clock);
            runner.run(BATCH, options, nobody(), std::future::pending()).await.unwrap()
        })
    };
    // Those who work, and those who wait for them.
    let everybody = runners * (CONCURRENCY as usize + 1);
    let all = join_all((0..runners).map(run).collect::<Vec<_>>());
    let summaries = clock.pass(&ledger, everybody, all).await;
    let mut worked = Vec::new();
    for summary in summaries {
        let summary = summary.unwrap();
        assert_eq!(summary.ended, Ended::Done);
        worked.push(summary.worked);
    }
    let books = provider.books.lock().unwrap();
    assert_eq!(books.busy, 0, "the limit was passed");
    let mut keys: Vec<_> = books.taken.iter().map(|(_, key)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), books.taken.len()), (rows as usize, rows as usize));
    // What the limit allows at the least, and one in fifty more.
    let least = i64::from(rows - LIMIT.burst) * i64::from(LIMIT.interval_micros) / 1_000;
    let (last, _) = books.taken.last().unwrap();
    assert!((least..=least + least / 50).contains(last), "{last} ms, where {least} are needed");
    assert!(worked.iter().all(|count| *count > u64::from(rows) / 10), "{worked:?}");
}

#[tokio::test]
async fn ten_thousand_refunds_take_as_long_as_the_limit_says() {
    paced(10_000, 1).await;
}

#[tokio::test]
async fn two_runners_share_one_limit() {
    paced(2_000, 2).await;
}

/// When three refunds were taken by a provider that first asked for a silence.
async fn after_silence(retry_after: i64) -> Vec<i64> {
    let (_folder, ledger) = planned(3).await;
    let clock = Arc::new(VirtualClock::default());
    let provider = Provider::new(&clock, None, 0);
    let code = "TooManyRequests".to_owned();
    provider.answer_first(Submitted::Busy { code, retry_after: Some(retry_after) });
    let mut options = Options::new("worker");
    options.concurrency = 1;
    let runner = Runner::new(ledger.clone(), Arc::<Provider>::clone(&provider), clock.clone());
    let run = runner.run(BATCH, options, nobody(), std::future::pending());
    let summary = clock.pass(&ledger, 2, run).await.unwrap();
    assert_eq!(summary.ended, Ended::Done);
    let books = provider.books.lock().unwrap();
    books.taken.iter().map(|(at, _)| *at).collect()
}

#[tokio::test]
async fn a_silence_that_was_asked_for_is_kept_by_all() {
    assert_eq!(after_silence(7_000).await, [7_000; 3]);
}

#[tokio::test]
async fn no_answer_stops_a_run_for_good() {
    assert_eq!(after_silence(i64::MAX).await, [3_600_000; 3]);
}

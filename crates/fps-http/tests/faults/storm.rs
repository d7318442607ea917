//! Thousands of refunds through a bad network: every one made once and known, to the cent. And a client
//! that mints a new key after a doubtful answer, to show that the same storm would tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fps_http::{AmazonPayConfig, Client, ErrorKind, RetryPolicy, Settings, SystemClock};
use fps_model::IdempotencyKey;
use fps_model::amazon_pay::{CreateRefund, Refund};
use refund_rules::{Currency, Money};
use tokio::task::JoinSet;

use crate::server::{Books, Fault, Server};
use crate::{Ticking, client};

/// Numbers of all kinds from one seed: SplitMix64, after a hash (FNV-1a) of the text.
fn random(seed: u64, text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut x = text.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix);
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Of a hundred tries with any key, 32 go wrong.
fn storm(seed: u64, key: &str, number: usize) -> Option<Fault> {
    let at = random(seed, &format!("{key} {number}"));
    let status = [500, 502, 503, 504][usize::try_from(at >> 60).unwrap() % 4];
    match at % 100 {
        0..10 => Some(Fault::DropCommitted),
        10..15 => Some(Fault::FailUnexecuted(status)),
        15..20 => Some(Fault::FailCommitted(status)),
        20..22 => Some(Fault::TruncateBody),
        22..27 => Some(Fault::Throttle(None)),
        27..32 => Some(Fault::Throttle(Some(0))),
        _ => None,
    }
}

/// How a client goes on after an answer that leaves it in doubt.
#[derive(Clone, Copy, Debug)]
enum Keys {
    /// With the same key, as it should.
    Kept,
    /// With a new one: the mistake.
    NewAfterDoubt,
}

/// What the client was told, by the number of the refund.
type Told = HashMap<usize, Refund>;

fn amount(number: usize) -> Money {
    let minor = 1 + random(7, &number.to_string()) % 20_000;
    Money::from_minor(i64::try_from(minor).unwrap(), Currency::USD)
}

fn operation(number: usize, key: &str) -> CreateRefund {
    let key = IdempotencyKey::new(key).unwrap();
    CreateRefund::new(key, format!("C{number}"), amount(number))
}

/// One refund, whatever it takes.
async fn refund(client: &Client<AmazonPayConfig>, number: usize, keys: Keys) -> Refund {
    let mut key = format!("refund-{number}");
    if let Keys::Kept = keys {
        return client.send(&operation(number, &key)).await.unwrap().result;
    }
    for turn in 1.. {
        match client.send(&operation(number, &key)).await {
            Ok(answer) => return answer.result,
            Err(error) if error.is_unknown() => key = format!("refund-{number}-{turn}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Throttled),
        }
    }
    unreachable!("it ends with an answer")
}

/// So many refunds, so many at a time; what the client was told of each.
async fn run(server: &Server, refunds: usize, at_a_time: usize, keys: Keys) -> Told {
    let mut policy = match keys {
        Keys::Kept => RetryPolicy::default().with_attempts_max(40),
        Keys::NewAfterDoubt => RetryPolicy::once(),
    };
    policy = policy.with_delay_first(Duration::from_millis(1));
    policy.delay_max = Duration::from_millis(2);
    let settings = Settings::default().with_retry(policy);
    let client = client(&server.url, settings, Ticking::new(SystemClock::new()));
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..at_a_time {
        let (client, next) = (client.clone(), Arc::clone(&next));
        workers.spawn(async move {
            let mut told = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= refunds {
                    return told;
                }
                told.push((number, refund(&client, number, keys).await));
            }
        });
    }
    workers.join_all().await.into_iter().flatten().collect()
}

fn start(seed: u64) -> Server {
    Server::start(Box::new(move |key, number| storm(seed, key, number)))
}

fn total<'a>(refunds: impl Iterator<Item = &'a Refund>) -> Money {
    let zero = Money::zero(Currency::USD);
    refunds.fold(zero, |sum, refund| sum.checked_add(refund.refund_amount).unwrap())
}

fn asked(refunds: usize) -> Money {
    let zero = Money::zero(Currency::USD);
    (0..refunds).fold(zero, |sum, number| sum.checked_add(amount(number)).unwrap())
}

fn tries(books: &Books) -> usize {
    books.tries().values().map(Vec::len).sum()
}

/// Each refund was made once, and its client knows it.
fn assert_exact(books: &Books, told: &Told, refunds: usize) {
    assert_eq!(books.refunds().count(), refunds);
    assert_eq!(told.len(), refunds);
    for (number, refund) in told {
        assert_eq!(books.refund(&format!("refund-{number}")), Some(refund));
        assert_eq!(refund.charge_id.as_str(), format!("C{number}"));
        assert_eq!(refund.refund_amount, amount(*number));
    }
    assert_eq!(total(books.refunds().map(|(_, refund)| refund)), asked(refunds));
    assert_eq!(total(told.values()), asked(refunds));
}

/// Every try with a key had the same body, and a date and a signature of its own.
fn assert_same_requests_signed_anew(books: &Books) {
    for (key, tries) in books.tries() {
        for (index, tried) in tries.iter().enumerate() {
            assert_eq!(tried.body, tries[0].body, "{key}");
            for earlier in &tries[..index] {
                assert_ne!(tried.date, earlier.date, "{key}");
                assert_ne!(tried.authorization, earlier.authorization, "{key}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_refunds_through_a_storm_are_made_once_each_to_the_cent() {
    const REFUNDS: usize = 10_000;
    let server = start(1);
    let told = run(&server, REFUNDS, 48, Keys::Kept).await;
    let books = server.books();
    assert_exact(&books, &told, REFUNDS);
    assert_same_requests_signed_anew(&books);
    let tries = tries(&books);
    println!("{REFUNDS} refunds, {tries} tries, {} answers lost", books.lost_answers);
    assert!(tries <= REFUNDS * 3 / 2, "{tries} tries");
    // It was a storm: of 100 first tries 17 made a refund and did not say so.
    assert!(books.lost_answers > REFUNDS * 15 / 100, "{} lost", books.lost_answers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_mints_a_new_key_after_doubt_refunds_more_than_was_asked() {
    const REFUNDS: usize = 1_000;
    let server = start(2);
    let told = run(&server, REFUNDS, 32, Keys::NewAfterDoubt).await;
    {
        let books = server.books();
        // Its own view is flawless.
        assert_eq!(told.len(), REFUNDS);
        assert_eq!(total(told.values()), asked(REFUNDS));
        let made = books.refunds().count();
        println!("{REFUNDS} refunds asked, {made} made");
        assert!(made > REFUNDS * 11 / 10, "{made}");
        assert_eq!(made, REFUNDS + books.lost_answers);
        assert!(total(books.refunds().map(|(_, refund)| refund)).minor() > asked(REFUNDS).minor());
    }

    // The same storm, the same number, the key kept.
    let server = start(2);
    let told = run(&server, REFUNDS, 32, Keys::Kept).await;
    assert_exact(&server.books(), &told, REFUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_the_same_whatever_the_interleaving() {
    const REFUNDS: usize = 500;
    let mut seen = Vec::new();
    for at_a_time in [1, 7, 64] {
        let server = start(3);
        let told = run(&server, REFUNDS, at_a_time, Keys::Kept).await;
        let books = server.books();
        assert_exact(&books, &told, REFUNDS);
        let faults = books.tries().iter().map(|(key, tries)| {
            (key.clone(), tries.iter().map(|tried| tried.fault).collect::<Vec<_>>())
        });
        seen.push((faults.collect::<HashMap<_, _>>(), books.lost_answers));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

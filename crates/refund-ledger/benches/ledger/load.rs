//! Refunds through the ledger, so many waiting at once.

use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use refund_ledger::{Ledger, Millis, NewIntent, NewPayment, Outcome, Prepared, Report, Wanted};
use refund_rules::{Currency, Method, Money, Observation, Payment, Policy};

use crate::{Rates, refunds};

const NOW: Millis = Millis(1_764_000_000_000);

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

fn payment(number: u32, captured: i64) -> NewPayment {
    let payment = Payment::completed(usd(captured), Method::Card).unwrap();
    NewPayment::new("fps", format!("P{number:09}"), payment, &Policy::flexible_payments()).unwrap()
}

fn wish(payment: u32, key: &str) -> NewIntent {
    NewIntent::amount("fps", format!("P{payment:09}"), key, usd(100)).unwrap()
}

fn per_second(count: u32, begun: Instant) -> f64 {
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// Refunds each of some payments once.
pub(crate) async fn run(ledger: &Ledger, at_once: u32) -> Rates {
    let count = refunds(at_once);
    let payments: Vec<_> = (0..count).map(|number| payment(number, 10_000)).collect();
    for payments in payments.chunks(1_000) {
        ledger.import(payments.to_vec(), NOW).await.unwrap();
    }
    let at_once = at_once as usize;
    let begun = Instant::now();
    iter(0..count)
        .for_each_concurrent(at_once, async |number| {
            let wish = wish(number, &format!("key-{number:09}"));
            let prepared = ledger.prepare(vec![wish], NOW).await.unwrap();
            assert!(matches!(prepared[..], [Prepared::New { .. }]), "{prepared:?}");
        })
        .await;
    let prepared = per_second(count, begun);
    let wanted = Wanted::new("bench", count, 3_600_000);
    let claimed = ledger.claim(wanted, NOW).await.unwrap();
    assert_eq!(claimed.len(), count as usize);
    let begun = Instant::now();
    iter(claimed)
        .for_each_concurrent(at_once, async |claimed| {
            let attempt = ledger.sending(&claimed.claim, NOW, 0).await.unwrap();
            let refund = format!("R-{}", claimed.intent.id.0);
            let outcome = Outcome::accepted(refund, Some(Observation::Refunded));
            let report = Report::of_try(&attempt, outcome, NOW);
            assert!(ledger.record(vec![report]).await.unwrap()[0].is_ok());
        })
        .await;
    Rates { prepared, sent: per_second(count, begun) }
}

/// Many refunds of one payment, by so many writers with connections of their own.
#[cfg(unix)]
pub(crate) async fn hot(url: &str, writers: u32) -> f64 {
    let ledgers = futures_util::future::join_all((0..writers).map(|_| Ledger::connect(url))).await;
    let ledgers: Vec<_> = ledgers.into_iter().map(Result::unwrap).collect();
    ledgers[0].import(vec![payment(0, 10_000_000)], NOW).await.unwrap();
    let each = 1_024 / writers;
    let begun = Instant::now();
    let write = async |(writer, ledger): (usize, &Ledger)| {
        for round in 0..each {
            let wish = wish(0, &format!("{writer}-{round}"));
            let prepared = ledger.prepare(vec![wish], NOW).await.unwrap();
            assert!(matches!(prepared[..], [Prepared::New { .. }]), "{prepared:?}");
        }
    };
    futures_util::future::join_all(ledgers.iter().enumerate().map(write)).await;
    let rate = per_second(each * writers, begun);
    for ledger in ledgers {
        ledger.close().await;
    }
    rate
}

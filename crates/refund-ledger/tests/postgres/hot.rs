//! Many want the same few payments at once.

use futures_util::future::join_all;
use refund_ledger::{Ledger, Prepared};
use refund_rules::Rule;
use tokio_postgres::NoTls;

use crate::server::Server;
use crate::{NOW, import, wish};

const PAYMENTS: u32 = 5;
const WRITERS: u32 = 16;
const ROUNDS: u32 = 8;

/// How many of 128 refunds of 3 dollars each of the payments took.
async fn race(url: &str, refunds_max: u32, rule: Rule) -> u32 {
    // Each has connections of its own, as in a process of its own.
    let ledgers = join_all((0..4).map(|_| Ledger::connect(url))).await;
    let ledgers: Vec<_> = ledgers.into_iter().map(Result::unwrap).collect();
    import(&ledgers[0], PAYMENTS, refunds_max).await;
    let write = async |writer: u32| {
        let ledger = &ledgers[writer as usize % ledgers.len()];
        let mut taken = 0;
        for round in 0..ROUNDS {
            let wish = |payment| wish(payment, &format!("{writer}-{round}-{payment}"), 300);
            for prepared in ledger.prepare((0..PAYMENTS).map(wish).collect(), NOW).await.unwrap() {
                match prepared {
                    Prepared::New { .. } => taken += 1,
                    Prepared::Refused(refused) if refused.rule() == rule => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        taken
    };
    let taken: u32 = join_all((0..WRITERS).map(write)).await.into_iter().sum();
    for payment in 0..PAYMENTS {
        let record = ledgers[1].payment("pay", format!("P{payment}")).await.unwrap().unwrap();
        assert_eq!(record.pending.minor(), i64::from(record.refunds) * 300);
        assert_eq!(record.refunds, taken / PAYMENTS);
    }
    ledgers[2].verify().await.unwrap();
    taken / PAYMENTS
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cap_is_never_passed_and_what_fits_is_taken() {
    let Some(server) = Server::shared() else { return };
    assert_eq!(race(&server.url(), 1_000, Rule::Remaining).await, 33);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_refunds_is_never_passed() {
    let Some(server) = Server::shared() else { return };
    assert_eq!(race(&server.url(), 10, Rule::Count).await, 10);
}

/// As on a distributed engine, which has nothing less: the loser of a race begins again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_knows_serializable_transactions_will_do() {
    let Some(server) = Server::shared() else { return };
    assert_eq!(race(&server.serializable_url(), 1_000, Rule::Remaining).await, 33);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_two_want_at_once_is_one_intent() {
    let Some(server) = Server::shared() else { return };
    let url = server.url();
    let ledgers = join_all((0..4).map(|_| Ledger::connect(&url))).await;
    let ledgers: Vec<_> = ledgers.into_iter().map(Result::unwrap).collect();
    import(&ledgers[0], 2, 1_000).await;
    let ask = async |(ledger, number): (&Ledger, u32)| {
        let prepared = ledger.prepare(vec![wish(0, &format!("same-{number}"), 100)], NOW).await;
        matches!(prepared.unwrap()[..], [Prepared::New { .. }])
    };
    let all = (0..50).flat_map(|number| ledgers.iter().map(move |ledger| (ledger, number)));
    let new = join_all(all.map(ask)).await;
    assert_eq!(new.into_iter().filter(|is_new| *is_new).count(), 50);
    // Under the same keys, of another payment.
    let ask = async |(ledger, number): (&Ledger, u32)| {
        let wish = wish(number % 2, &format!("other-{}", number / 2), 100);
        matches!(ledger.prepare(vec![wish], NOW).await.unwrap()[..], [Prepared::New { .. }])
    };
    let all = (0..50).zip(ledgers.iter().cycle()).map(|(number, ledger)| (ledger, number));
    let new = join_all(all.map(ask)).await;
    assert_eq!(new.into_iter().filter(|is_new| *is_new).count(), 25);
}

/// Somebody else, such as an operator, locks rows in another order than we do.
#[tokio::test(flavor = "multi_thread")]
async fn who_loses_a_deadlock_begins_again() {
    let Some(server) = Server::shared() else { return };
    let url = server.url();
    let ledger = Ledger::connect(&url).await.unwrap();
    import(&ledger, 2, 1_000).await;
    // Ours looks for a deadlock soon, the other does not, so that it is ours that loses.
    let impatient = format!("{url}&application_name=ours&options=-c%20deadlock_timeout%3D300ms");
    let ours = Ledger::connect(&impatient).await.unwrap();
    let (other, connection) = tokio_postgres::connect(&server.bare_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let (_, schema) = url.rsplit_once('=').unwrap();
    let lock = |id: u32| {
        let text = format!("SELECT 1 FROM {schema}.payment WHERE id = {id} FOR UPDATE");
        async { other.batch_execute(&{ text }).await.unwrap() }
    };
    other.batch_execute("SET deadlock_timeout = '1h'; BEGIN").await.unwrap();
    lock(2).await;
    let asked = vec![wish(0, "first", 100), wish(1, "second", 100)];
    let preparing = tokio::spawn(async move { ours.prepare(asked, NOW).await });
    let waits = "SELECT 1 FROM pg_stat_activity \
                 WHERE application_name = 'ours' AND wait_event_type = 'Lock'";
    while other.query(waits, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    lock(1).await;
    other.batch_execute("COMMIT").await.unwrap();
    let prepared = preparing.await.unwrap().unwrap();
    assert!(matches!(prepared[..], [Prepared::New { .. }, Prepared::New { .. }]), "{prepared:?}");
    ledger.verify().await.unwrap();
}

//! The server goes away and comes back.

use futures_util::future::join_all;
use refund_ledger::{ErrorKind, Filter, Ledger, Prepared};

use crate::server::Server;
use crate::{NOW, import, wish};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_loses_and_doubles_nothing() {
    let Some(server) = Server::start("") else { return };
    let url = server.url();
    let ledger = Ledger::connect(&url).await.unwrap();
    import(&ledger, 8, 1_000).await;
    let write = async |writer: u32| {
        let mut confirmed = Vec::new();
        for round in 0..40 {
            let key = format!("{writer}-{round}");
            loop {
                match ledger.prepare(vec![wish(writer, &key, 200)], NOW).await {
                    // It exists when the answer of a commit was lost.
                    Ok(prepared) => {
                        assert!(
                            matches!(
                                prepared[..],
                                [Prepared::New { .. } | Prepared::Exists { .. }]
                            ),
                            "{prepared:?}"
                        );
                        break;
                    }
                    // The server was away for longer than a request waits.
                    Err(error) => assert!(error.is_transient(), "{error:?}"),
                }
            }
            confirmed.push(key);
        }
        confirmed
    };
    let writing = join_all((0..8).map(write));
    let crashing = async {
        for round in 0..3_usize {
            // Once some of it is done.
            while ledger.intents(Filter::new()).await.is_ok_and(|all| all.len() < 60 * (round + 1))
            {
                tokio::task::yield_now().await;
            }
            tokio::task::block_in_place(|| server.crash());
        }
    };
    let (confirmed, ()) = tokio::join!(writing, crashing);
    let mut confirmed: Vec<_> = confirmed.into_iter().flatten().collect();
    let stored = ledger.intents(Filter::new()).await.unwrap();
    let mut stored: Vec<_> = stored.into_iter().map(|intent| intent.facts.key).collect();
    confirmed.sort();
    stored.sort();
    assert_eq!(stored, confirmed);
    ledger.verify().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let nowhere = ["postgres://me@127.0.0.1:1/x", "postgres:///x?host=/nowhere&user=me"];
    for url in nowhere {
        assert_eq!(
            *Ledger::connect(url).await.unwrap_err().kind(),
            ErrorKind::Unavailable,
            "{url}"
        );
    }
    let Some(server) = Server::shared() else { return };
    // Nothing to wait for: that has to be put right first.
    for (from, to) in [("user=ledger", "user=nobody"), ("/postgres?", "/elsewhere?")] {
        let url = server.url().replace(from, to);
        assert_eq!(*Ledger::connect(&url).await.unwrap_err().kind(), ErrorKind::Open, "{url}");
    }
}

#[tokio::test]
async fn a_reader_makes_nothing_and_writes_nothing() {
    let Some(server) = Server::shared() else { return };
    let url = server.url();
    assert_eq!(*Ledger::connect_to_read(&url).await.unwrap_err().kind(), ErrorKind::Open);
    let writer = Ledger::connect(&url).await.unwrap();
    import(&writer, 1, 10).await;
    let reader = Ledger::connect_to_read(&url).await.unwrap();
    assert!(reader.payment("pay", "P0").await.unwrap().is_some());
    let refused = reader.prepare(vec![wish(0, "key", 100)], NOW).await.unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::ReadOnly);
    writer.close().await;
    assert_eq!(*writer.prepare(Vec::new(), NOW).await.unwrap_err().kind(), ErrorKind::Closed);
}

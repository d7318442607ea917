//! Started, stopped, started again.

use std::time::Duration;

use bytes::Bytes;
use fps_http::Transport;
use fps_http::testing::Inbox;
use fps_sandbox::{Config, ErrorKind, MerchantSpec, Sandbox};
use refund_rules::Method;

use crate::world::{LONG, World, refund_id, refund_of, transaction_id, usd};

#[tokio::test]
async fn what_was_answered_is_still_there_after_a_restart() {
    let world = World::start().await;
    let body = refund_of(&world.charge("100.00", "3.00").await, "50.00");
    let first = world.create_refund("key", &body).await;
    assert_eq!(first.0, 201, "{}", first.1);
    let world = world.restart(LONG, "").await;
    assert_eq!(world.create_refund("key", &body).await, first);
    let totals = world.totals().await;
    assert_eq!(totals[0].captured, usd("100.00"));
    assert_eq!(totals[0].refunding, usd("50.00"));
    assert_eq!(totals[0].fees_returned, usd("1.50"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn what_came_due_while_nobody_was_there_ends_after_a_restart() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Notified").notification_url(inbox.url("/ipn"));
    let world = World::with(spec, LONG).await;
    let charge = world.charge("5.00", "0.15").await;
    let refund = world.create_refund("key", &refund_of(&charge, "5.00")).await;
    let refund = refund_id(&refund).to_owned();
    let pending = world.pay_by(Method::Card, "10.00").await;
    let payment = transaction_id(&pending).to_owned();
    assert!(inbox.answer(200, "").await.body.contains("transactionStatus=PENDING"));
    assert_eq!(world.totals().await.len(), 1, "nothing is captured by the card yet");

    let due = "UPDATE refund SET due_at = 1; UPDATE payment SET due_at = 1 WHERE due_at > 0";
    let world = world.restart(LONG, due).await;
    assert_eq!(world.end_of(&refund).await, "Refunded");
    // That the first one was taken may not have been written down before the stop.
    let notified = loop {
        let body = inbox.answer(200, "").await.body;
        if body.contains("transactionStatus=SUCCESS") {
            break body;
        }
    };
    assert!(notified.contains(&payment), "{notified}");
    let totals = world.totals().await;
    assert_eq!((totals[0].refunded, totals[0].refunding), (usd("5.00"), usd("0.00")));
    assert_eq!(totals[1].captured, usd("10.00"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_itself() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("s.db");
    let error = Sandbox::start(Config::new(&database).port(port)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
    assert!(!database.exists(), "nothing is left behind");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_is_not_served() {
    let world = World::start().await;
    let other = World::start().await;
    let request = http::Request::get(world.sandbox.url()).body(Bytes::new()).unwrap();
    let error = other.transport.call(request, Duration::from_secs(5), 1 << 20).await.unwrap_err();
    assert_eq!(error.kind(), fps_http::TransportErrorKind::Connect);
}

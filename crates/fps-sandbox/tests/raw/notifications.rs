//! What is posted to the merchant's address, and how often.

use fps_http::testing::Inbox;
use fps_sandbox::{ErrorKind, MerchantSpec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{LONG, World};

#[tokio::test]
async fn notifications_are_posted_until_somebody_takes_them() {
    let inbox = Inbox::bind().await;
    let spec = MerchantSpec::new("Notified").notification_url(inbox.url("/ipn"));
    let world = World::with(spec, LONG).await;
    let first = world.paid("1").await;
    let refused = inbox.answer(500, "").await;
    let taken = inbox.answer(200, "").await;
    assert_eq!(taken.line, refused.line);
    assert_eq!(taken.body, refused.body, "the second try says the same");
    for part in [first.as_str(), "transactionStatus=SUCCESS", "signatureMethod=RSA-SHA1"] {
        assert!(taken.body.contains(part), "{}", taken.body);
    }
    // What was taken is not posted again: the next to arrive is another one.
    let second = world.paid("1").await;
    assert!(inbox.answer(200, "").await.body.contains(&second));
}

#[tokio::test]
async fn the_seventeenth_delivery_waits_for_the_first_to_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/ipn", listener.local_addr().unwrap().port());
    // Seventeen more merchants, each with something to be told.
    let change = format!(
        "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < 18)
         INSERT INTO merchant (id, name, email, access_key_id, secret_key, public_key_id,
                 public_key_pem, notification_url)
             SELECT n, name, email, n, secret_key, n, public_key_pem, '{url}' FROM merchant, number;
         INSERT INTO notification (merchant, url, body, created_at, due_at)
             SELECT id, notification_url, 'merchant=' || id, 1, id FROM merchant WHERE id > 1;"
    );
    let _world = World::start().await.restart(LONG, &change).await;
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(listener.accept().await.unwrap().0);
    }
    let first = &mut held[0];
    assert_ne!(first.read(&mut [0; 4096]).await.unwrap(), 0);
    first
        .write_all(b"HTTP/1.1 200 -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    // The last to come due is the last to be posted.
    let (mut last, _) = listener.accept().await.unwrap();
    let mut bytes = [0; 4096];
    let count = last.read(&mut bytes).await.unwrap();
    let text = std::str::from_utf8(&bytes[..count]).unwrap();
    assert!(text.contains("merchant=18&"), "{text}");
}

#[tokio::test]
async fn an_address_for_notifications_is_checked_at_once() {
    let world = World::start().await;
    for url in ["https://shop.example/ipn", "not an address", "ftp://127.0.0.1/"] {
        let spec = MerchantSpec::new("Bad").notification_url(url);
        let error = world.sandbox.create_merchant(spec).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
    }
}

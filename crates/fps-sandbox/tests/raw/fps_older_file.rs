//! A file of the first version of the schema: it is opened, proved, and refunds go on in it.

use std::path::Path;

use fps_model::flexible_payments::GetTransaction;
use rusqlite::Connection;

use crate::fps_world::outcome;
use crate::world::{LONG, World, code, reason, refund, refund_of, usd};

const FIRST: &str = include_str!("../../migrations/0001_initial.sql");

/// A payment of each service with refunds in every state, as the first version kept them.
const ROWS: &str = "
    INSERT INTO token VALUES ('TOKEN', 1, 'balance', 1);
    INSERT INTO payment VALUES
        ('S01-1234567-1234567-C000001', 1, 'amazon-pay', 'completed', 'card', 'USD', 10000, 300,
            NULL, NULL, NULL, NULL, 1000, 1000, NULL),
        ('16AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 1, 'flexible-payments', 'completed', 'balance', 'USD',
            5000, 150, 'paid', 'Shoes', 'TOKEN', NULL, 2000, 2000, NULL),
        ('16BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB', 1, 'flexible-payments', 'pending', 'card', 'USD',
            700, 21, 'pending', NULL, 'TOKEN', NULL, 3000, NULL, 4000);
    INSERT INTO refund VALUES
        ('S01-1234567-1234567-R000001', 'S01-1234567-1234567-C000001', 'refunded', 4000, 120, NULL,
            'one', NULL, NULL, 5000, 6000, NULL),
        ('16CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC', '16AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'declined', 1000,
            30, 'AmazonRejected', 'two', NULL, NULL, 7000, 7000, NULL);
    INSERT INTO movement VALUES
        (1, 1, 'amazon-pay', 'payment', 'S01-1234567-1234567-C000001', 1000),
        (2, 1, 'flexible-payments', 'payment', '16AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 2000),
        (3, 1, 'amazon-pay', 'refund-begun', 'S01-1234567-1234567-R000001', 5000),
        (4, 1, 'amazon-pay', 'refund-done', 'S01-1234567-1234567-R000001', 6000),
        (5, 1, 'flexible-payments', 'refund-begun', '16CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC', 7000),
        (6, 1, 'flexible-payments', 'refund-declined', '16CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC', 7000);
    INSERT INTO entry VALUES
        (1, 'buyers', 'USD', -10000), (1, 'merchant', 'USD', 9700), (1, 'fees', 'USD', 300),
        (2, 'buyers', 'USD', -5000), (2, 'merchant', 'USD', 4850), (2, 'fees', 'USD', 150),
        (3, 'merchant', 'USD', -3880), (3, 'fees', 'USD', -120), (3, 'refunding', 'USD', 4000),
        (4, 'refunding', 'USD', -4000), (4, 'buyers', 'USD', 4000),
        (5, 'merchant', 'USD', -970), (5, 'fees', 'USD', -30), (5, 'refunding', 'USD', 1000),
        (6, 'merchant', 'USD', 970), (6, 'fees', 'USD', 30), (6, 'refunding', 'USD', -1000);
    INSERT INTO answer VALUES (1, 'flexible-payments', 'old', '', 200, x'', 1000);";

/// Makes a file of the first version, with the merchant and the keys of a newer one.
fn write_first_version(path: &Path, keys: &Path) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(FIRST).unwrap();
    file.execute("ATTACH ? AS newer", [keys.to_str().unwrap()]).unwrap();
    file.execute_batch(
        "INSERT INTO merchant
             SELECT id, name, email, access_key_id, secret_key, public_key_id, public_key_pem,
                 notification_url FROM newer.merchant;
         INSERT INTO signing_key SELECT id, private_key_pem, certificate_pem FROM newer.signing_key;",
    )
    .unwrap();
    file.execute_batch(ROWS).unwrap();
    file.execute_batch("PRAGMA application_id = 0x46505342; PRAGMA user_version = 1;").unwrap();
}

#[tokio::test]
async fn an_older_file_is_opened_and_goes_on() {
    let world = World::start().await;
    let merchant = world.merchant.clone();
    let (folder, keys) = world.stop().await;
    let old = folder.path().join("old.db");
    write_first_version(&old, &keys);
    std::fs::rename(&old, &keys).unwrap();
    let world = World::on(folder, merchant, LONG).await;

    world.sandbox.verify_books().await.unwrap();
    // What was pending and long due ends by itself.
    assert_eq!(world.standing("16BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB").await, "Success");
    let payment = "16AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let told = world.ask(&GetTransaction::new(payment)).await.transaction.unwrap();
    assert_eq!(told.transaction_amount, usd("50"));
    assert_eq!(told.related_transaction.len(), 1);
    let part = refund("part", payment).refund_amount(usd("20"));
    assert_eq!(outcome(&world.fps(&part).await), "Success");
    let above = refund("above", payment).refund_amount(usd("30.01"));
    assert_eq!(code(&world.fps(&above).await), (400, "RefundAmountExceeded"));
    let charge = "S01-1234567-1234567-C000001";
    assert_eq!(world.create_refund("rest", &refund_of(charge, "75.00")).await.0, 201);
    let above = world.create_refund("above", &refund_of(charge, "0.01")).await;
    assert_eq!(reason(&above), (400, "TransactionAmountExceeded"));
    let totals = world.totals().await;
    assert_eq!((totals[0].refunded, totals[0].refunding), (usd("40"), usd("75")));
    assert_eq!((totals[1].captured, totals[1].refunded), (usd("57"), usd("20")));
    world.sandbox.verify_books().await.unwrap();
    let world = world.restart(LONG, "").await;
    world.sandbox.verify_books().await.unwrap();
}

//! The books find out who changed them.

use std::error::Error as _;
use std::fs;
use std::path::Path;

use fps_sandbox::{Config, ErrorKind, Sandbox, Service};
use rusqlite::Connection;

use crate::world::{World, change_file, refund, refund_of, usd};

/// What somebody changes in the file, and which check finds it.
const FORGERIES: [(&str, &str); 30] = [
    ("UPDATE entry SET amount = amount - 1 WHERE movement = 1 AND account = 'buyers'", "movements"),
    ("UPDATE entry SET amount = amount + 1 WHERE account = 'refunding'", "movements"),
    ("DELETE FROM entry WHERE movement = 1 AND account = 'merchant'", "movements"),
    ("UPDATE payment SET captured = captured + 1", "payments"),
    ("UPDATE payment SET fee = fee + 1", "payments"),
    ("UPDATE payment SET state = 'pending'", "payments"),
    ("DELETE FROM entry WHERE movement = 1", "payments"),
    ("UPDATE refund SET amount = amount + 1 WHERE state = 'refunded'", "refunds"),
    ("UPDATE refund SET amount = amount + 1 WHERE state = 'pending'", "refunds"),
    ("UPDATE refund SET fee_returned = fee_returned + 1 WHERE state = 'pending'", "refunds"),
    ("UPDATE refund SET state = 'refunded' WHERE state = 'pending'", "refunds"),
    ("UPDATE refund SET state = 'pending' WHERE state = 'refunded'", "refunds"),
    ("UPDATE refund SET state = 'declined' WHERE state = 'refunded'", "refunds"),
    ("UPDATE refund SET state = 'refunded' WHERE state = 'declined'", "refunds"),
    // The refund of 7.00 says in both places that a cent of the fee stayed.
    (
        "UPDATE refund SET fee_returned = fee_returned - 1 WHERE amount = 700;
         UPDATE entry SET amount = amount + iif(account = 'fees', 1, -1)
         WHERE account IN ('fees', 'merchant') AND movement IN (
             SELECT movement.id FROM movement JOIN refund ON refund.id = subject
             WHERE amount = 700 AND kind = 'refund-begun')",
        "full refunds",
    ),
    ("DELETE FROM refund WHERE state = 'refunded'", "owners"),
    ("UPDATE movement SET merchant = 2", "owners"),
    ("UPDATE movement SET service = 'amazon-pay' WHERE service <> 'amazon-pay'", "owners"),
    ("UPDATE movement SET kind = 'refund-done' WHERE kind = 'payment'", "payments"),
    ("UPDATE entry SET currency = 'EUR' WHERE movement = 1", "owners"),
    ("UPDATE entry SET instrument = 'x' WHERE movement = 1 AND account = 'merchant'", "owners"),
    ("UPDATE balance SET amount = amount + 1 WHERE account = 'merchant'", "balances"),
    ("DELETE FROM balance WHERE account = 'fees'", "balances"),
    ("UPDATE movement SET at = at + 1 WHERE id = 1", "seals"),
    ("UPDATE movement SET seal = zeroblob(32) WHERE id = 2", "seals"),
    ("UPDATE payment SET reference = reference || '!' WHERE reference IS NOT NULL", "seals"),
    ("UPDATE payment SET created_at = created_at + 1", "seals"),
    ("UPDATE refund SET reference = 'other' WHERE reference = 'part'", "seals"),
    ("UPDATE refund SET created_at = created_at - 1 WHERE state = 'declined'", "seals"),
    // All of one payment and its movements, as if it had never been.
    (
        "DELETE FROM entry WHERE movement IN (SELECT id FROM movement WHERE kind = 'withdrawal');
         DELETE FROM movement WHERE kind = 'withdrawal';
         UPDATE balance SET amount = (SELECT sum(entry.amount) FROM entry JOIN movement
                 ON movement.id = movement WHERE entry.merchant = balance.merchant
                 AND service = balance.service AND account = balance.account)
         WHERE account <> 'bank';
         DELETE FROM balance WHERE account = 'bank'",
        "seals",
    ),
];

/// A merchant with a refund in every state, and one payment that was refunded as a whole.
async fn world_with_refunds() -> World {
    let world = World::start().await;
    let charge = world.charge("100.00", "3.00").await;
    assert_eq!(world.create_refund("pending", &refund_of(&charge, "40.00")).await.0, 201);
    let payment = world.paid("100").await;
    let part = refund("part", &payment).refund_amount(usd("30.00"));
    assert_eq!(world.fps(&part).await.0, 200);
    assert_eq!(world.fps(&refund("full", &world.paid("7").await)).await.0, 200);
    let payment = world.paid("10").await;
    world.sandbox.decline_refunds(&payment, "ProcessingFailure").await.unwrap();
    world.sandbox.withdraw(&world.merchant, Service::FlexiblePayments, usd("1")).await.unwrap();
    let declined = world.fps(&refund("declined", &payment)).await.1;
    assert!(declined.contains("<TransactionStatus>Failure</TransactionStatus>"), "{declined}");
    world
}

#[tokio::test]
async fn books_that_somebody_changed_are_not_believed() {
    let world = world_with_refunds().await;
    world.sandbox.verify_books().await.unwrap();
    let (folder, file) = world.stop().await;
    for (number, (change, check)) in FORGERIES.into_iter().enumerate() {
        let forged = folder.path().join(format!("{number}.db"));
        fs::copy(&file, &forged).unwrap();
        change_file(&forged, change);
        let sandbox = Sandbox::start(Config::new(&forged)).await.unwrap();
        let error = sandbox.verify_books().await.expect_err(change);
        assert_eq!(error.kind(), ErrorKind::Unbalanced, "{change}");
        let found = error.source().unwrap().to_string();
        assert!(found.contains(&format!(" {check} are wrong")), "{change}: {found}");
        sandbox.stop().await.unwrap();
    }
}

/// What the books are: everything that money depends on.
const BOOKS: [&str; 5] = [
    "SELECT id, merchant, service, kind, subject, at, hex(seal) FROM movement",
    "SELECT * FROM entry",
    "SELECT * FROM balance",
    "SELECT id, merchant, recipient, service, operation, state, method, currency, amount, captured, fee,
         fee_payer, marketplace_fee, reference, description, token, instrument, parent, created_at
     FROM payment",
    "SELECT id, payment, state, scope, amount, fee_returned, marketplace_returned, reference, description,
         soft_descriptor, created_at
     FROM refund",
];

/// The books as text, if SQLite can read them.
fn books(file: &Path) -> rusqlite::Result<String> {
    let connection = Connection::open(file)?;
    let mut text = String::new();
    for query in BOOKS {
        let mut statement = connection.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                text.push_str(&format!("{:?}\t", row.get_ref(column)?));
            }
            text.push('\n');
        }
    }
    Ok(text)
}

#[tokio::test]
async fn no_byte_of_the_books_changes_unnoticed() {
    let world = world_with_refunds().await;
    let (folder, file) = world.stop().await;
    let whole = fs::read(&file).unwrap();
    let before = books(&file).unwrap();
    let flipped = folder.path().join("flipped.db");
    let mut chance = 0x2545_F491_4F6C_DD1D_u64;
    let mut found = 0;
    while found < FLIPS {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(chance >> 33).unwrap() % whole.len();
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (chance >> 20 & 7);
        fs::write(&flipped, &bytes).unwrap();
        // Most of a file is empty, or is about something else than money.
        if books(&flipped).is_ok_and(|after| after == before) {
            continue;
        }
        fs::write(&flipped, &bytes).unwrap();
        let noticed = match Sandbox::start(Config::new(&flipped)).await {
            Err(_) => true,
            Ok(sandbox) => {
                let verdict = sandbox.verify_books().await;
                sandbox.stop().await.ok();
                verdict.is_err()
            }
        };
        assert!(noticed, "bit {} of byte {place}", chance >> 20 & 7);
        found += 1;
    }
}

const FLIPS: usize = 200;

//! A file from before charge permissions had a table: its charges have them afterwards.

use std::path::Path;

use fps_sandbox::{Config, Sandbox};
use rusqlite::{Connection, params};

use crate::pay::{json, status, text};
use crate::world::{World, refund_of};

const OLDER: [&str; 2] = [
    include_str!("../../migrations/0001_initial.sql"),
    include_str!("../../migrations/0002_life.sql"),
];

/// Writes a file of the second version with the merchant of another, and a charge.
fn write_older(file: &Path, newer: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for sql in OLDER {
        connection.execute_batch(sql).unwrap();
    }
    connection.execute("ATTACH ? AS newer", params![newer.to_str().unwrap()]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO merchant SELECT id, name, email, access_key_id, secret_key, public_key_id,
                 public_key_pem, notification_url, status FROM newer.merchant;
             INSERT INTO payment (id, merchant, recipient, service, operation, state, method, currency,
                 amount, captured, fee, fee_payer, created_at, updated_at, completed_at)
             SELECT 'S01-1111111-2222222-C333333', id, id, 'amazon-pay', 'charge', 'completed', 'card',
                 'USD', 1000, 1000, 30, 'recipient', created, created, created
             FROM merchant, (SELECT unixepoch() * 1000 AS created);
             DETACH newer;
             PRAGMA application_id = 0x46505342;
             PRAGMA user_version = 2;",
        )
        .unwrap();
}

#[tokio::test]
async fn charges_of_an_older_file_have_permissions() {
    let world = World::start().await;
    let merchant = world.merchant.clone();
    let (folder, newer) = world.stop().await;
    let file = folder.path().join("older.db");
    write_older(&file, &newer);
    let sandbox = Sandbox::start(Config::new(&file)).await.unwrap();
    let world = World::of(folder, sandbox, merchant);
    let charge = "S01-1111111-2222222-C333333";
    let seen = world.get(&format!("/v2/charges/{charge}")).await;
    assert_eq!(status(&seen).0, "Captured", "{}", seen.1);
    let permission = text(&json(&seen), "chargePermissionId").to_owned();
    assert_eq!(permission, "S01-1111111-2222222");
    let seen = world.get(&format!("/v2/chargePermissions/{permission}")).await;
    assert_eq!(status(&seen).0, "Chargeable", "{}", seen.1);
    assert_eq!(json(&seen)["limits"]["amountBalance"]["amount"], "0.00");
    assert_eq!(world.create_refund("r", &refund_of(charge, "1.00")).await.0, 201);
}

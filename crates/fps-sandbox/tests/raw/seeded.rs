//! A sandbox with a seed: what it makes and answers is the same each time.

use fps_model::Timestamp;
use fps_sandbox::MerchantSpec;

use crate::world::{LONG, Seen, World, refund, refund_id, refund_of};

/// What a fresh sandbox answers to the same requests.
async fn conversation(seed: u64) -> (Vec<String>, Vec<Seen>) {
    let world = World::configured(MerchantSpec::new("Seeded"), |config| {
        let start = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        config.seed(seed).still_clock(start).processing(LONG)
    })
    .await;
    let merchant = &world.merchant;
    let keys = vec![
        merchant.access_key_id.clone(),
        merchant.secret_key.expose().to_owned(),
        merchant.public_key_id.clone(),
        merchant.private_key_pem.expose().to_owned(),
    ];
    let charge = world.charge("100", "3").await;
    let created = world.create_refund("key", &refund_of(&charge, "10")).await;
    let transaction = world.paid("20").await;
    let answers = vec![
        world.get(&format!("/v2/charges/{charge}")).await,
        world.get(&format!("/v2/refunds/{}", refund_id(&created))).await,
        created,
        world.create_refund("key-2", &refund_of(&charge, "1000")).await,
        world.fps(&refund("reference", &transaction)).await,
        world.fps(&refund("reference-2", &transaction)).await,
    ];
    (keys, answers)
}

#[tokio::test]
async fn two_fresh_sandboxes_with_a_seed_answer_byte_for_byte_the_same() {
    let first = conversation(42).await;
    assert_eq!(first, conversation(42).await);
    let other = conversation(43).await;
    assert!(first.0.iter().zip(&other.0).all(|(one, two)| one != two));
}

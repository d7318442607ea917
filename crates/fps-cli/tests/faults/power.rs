//! The power is cut: what was synced is there, and no more. Nothing left that is not on record.

use std::collections::BTreeMap;

use fps::RefundState;
use fps::refund_ledger::{Filter, Ledger};

use crate::shim::{Count, Fault, library};
use crate::world::{BATCH, Batch, World, ended, exit, said};

const EIO: i32 = 5;
const DEATH: i32 = 0;
const ROWS: u32 = 6;

/// How often each refund of the ledger was sent, by payment, and how it is.
async fn on_record(batch: &Batch) -> BTreeMap<String, (u32, RefundState)> {
    if !std::fs::exists(&batch.ledger).unwrap() {
        return BTreeMap::new();
    }
    let ledger = Ledger::open(&batch.ledger).await.unwrap();
    ledger.verify().await.unwrap();
    let all = ledger.intents(Filter::new()).await.unwrap().into_iter();
    let all = all.map(|intent| (intent.payment, (intent.life.attempts, intent.life.state)));
    let all = all.collect();
    ledger.close().await;
    all
}

/// One run with a fault, the end of all power, and another run. Says whether there was a fault.
async fn case(world: &World, fault: Fault) -> bool {
    let batch = world.batch(ROWS, 1).await;
    let (count, disk) = (batch.folder.path().join("count"), batch.folder.path().join("disk"));
    std::fs::create_dir(&disk).unwrap();
    let mut command = batch.run(3);
    fault.load(&mut command, batch.place(), &count);
    let output = ended(command.env("FAULT_DISK", &disk));
    let refunded = world.refunded(&batch).await;
    std::fs::rename(batch.place(), batch.folder.path().join("cached")).unwrap();
    std::fs::rename(&disk, batch.place()).unwrap();

    let name = format!("{fault:?}");
    let record = on_record(&batch).await;
    for (payment, _) in refunded {
        let sent = record.get(&payment).map_or(0, |(attempts, _)| *attempts);
        assert!(sent > 0, "{name}: what was refunded is not on record as sent: {}", said(&output));
    }
    if exit(&output) == Some(0) {
        let refunded = record.values().filter(|(_, state)| *state == RefundState::Refunded);
        assert_eq!(refunded.count(), ROWS as usize, "{name}: it said that all was done");
    } else {
        let again = match exit(&output) {
            // Whoever finds the machine dark was told nothing.
            Some(137) if record.is_empty() => batch.go_on(""),
            Some(137) => batch.go_on(&format!("fps batch resume {BATCH}")),
            _ => batch.go_on(&said(&output)),
        };
        assert_eq!(exit(&again), Some(0), "{name}: {}", said(&again));
    }
    world.assert_exactly_once(&batch, &name).await;
    exit(&output) == Some(137) || Count::read(&count).failed > 0
}

/// Each call of a kind, until there is none any more.
async fn each(call: &'static str, error: i32) {
    if library().is_none() {
        return;
    }
    let world = World::start(5).await;
    let mut number = 1;
    while case(&world, Fault { call, number, error, is_lasting: false }).await {
        number += 1;
    }
    assert!(number > ROWS.into(), "{number}");
    println!("power cut at or after {} calls of {call}", number - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failed_sync_was_about_is_not_believed_to_be_there() {
    each("sync", EIO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_left_when_the_power_goes_is_on_record() {
    each("send", DEATH).await;
}

//! Four workers on one PostgreSQL, and two of them are killed.

use std::process::{Child, Stdio};

use fps_sandbox::{Fault, FaultPlan, FaultRule};

use crate::server::Server;
use crate::world::{BATCH, Batch, World, exit, said};

const PAYMENTS: u32 = 60;
const PARTS: u32 = 4;

fn worker(batch: &Batch, name: &str) -> Child {
    let mut command = batch.command(&["batch", "resume", BATCH, "--worker", name]);
    command.args(["--lease", "1", "--concurrency", "4", "--follow-after", "1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills a worker once the provider has made so many refunds.
async fn kill(world: &World, batch: &Batch, worker: &mut Child, refunds: usize) {
    while world.refunded(batch).await.len() < refunds {
        tokio::task::yield_now().await;
    }
    worker.kill().unwrap();
    assert!(!worker.wait().unwrap().success(), "it was done before it was killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_that_are_left_finish_what_the_killed_had() {
    let Some(server) = Server::shared() else { return };
    let world = World::start(5).await;
    // Long enough for some to be on their way when a worker dies, and some answers are lost besides.
    let rule = |fault| FaultRule::new(fault).operation("Refund");
    let rules = vec![rule(Fault::Delay { millis: 20 }), rule(Fault::CommitThenDrop).per_mille(100)];
    world.sandbox.set_faults(FaultPlan { seed: 1, rules }).unwrap();
    for (round, moments) in [[3, 90], [40, 41], [110, 170]].into_iter().enumerate() {
        let mut batch = world.batch(PAYMENTS, PARTS).await;
        batch.ledger = server.url();
        let file = batch.file.to_str().unwrap().to_owned();
        let planned = batch.fps(&["batch", "plan", &file]);
        assert_eq!(exit(&planned), Some(0), "{}", said(&planned));
        let [mut first, mut second, third, fourth] =
            ["w1", "w2", "w3", "w4"].map(|name| worker(&batch, name));
        kill(&world, &batch, &mut first, moments[0]).await;
        kill(&world, &batch, &mut second, moments[1]).await;
        for worker in [third, fourth] {
            let output = tokio::task::block_in_place(|| worker.wait_with_output().unwrap());
            assert_eq!(exit(&output), Some(0), "round {round}: {}", said(&output));
        }
        // All that was paid, and not a cent more.
        world.assert_exactly_once(&batch, &format!("round {round}")).await;
    }
}

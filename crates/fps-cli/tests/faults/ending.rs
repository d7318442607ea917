//! A run that is ended before its time: by Ctrl-C, and by its own deadline.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use fps_sandbox::{Fault, FaultPlan, FaultRule};
use serde_json::Value;

use crate::world::{BATCH, Batch, World, ended, exit, said};

const ROWS: u32 = 120;

/// In which a refund takes so long that some are on their way at any moment.
async fn slow() -> World {
    let world = World::start(5).await;
    let rules = vec![FaultRule::new(Fault::Delay { millis: 200 }).operation("Refund")];
    world.sandbox.set_faults(FaultPlan { seed: 1, rules }).unwrap();
    world
}

/// What was begun is finished and on record, the rest was not touched, and the command that is printed
/// makes it.
async fn assert_can_be_resumed(world: &World, batch: &Batch, said_at_the_end: &str) {
    let status = batch.fps(&["batch", "status", BATCH, "--output", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let count = |name: &str| status[0][name].as_u64().unwrap();
    assert_eq!((count("in_flight"), count("unknown")), (0, 0), "{status}");
    let made = count("pending") + count("refunded");
    assert!(made > 0 && count("prepared") > 0, "{status}");
    assert_eq!(made + count("prepared"), u64::from(ROWS), "{status}");
    assert_eq!(world.refunded(batch).await.len() as u64, made, "{status}");

    let hint = said_at_the_end.lines().last().unwrap();
    let printed = hint.split('`').nth(1).unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_fps")).parent().unwrap();
    let path = std::iter::once(folder.to_owned()).chain(std::env::split_paths(env!("PATH")));
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{printed} --follow-after 1")]);
    for (name, value) in batch.command(&[]).get_envs() {
        match value {
            Some(value) => drop(shell.env(name, value)),
            None => drop(shell.env_remove(name)),
        }
    }
    let output = ended(shell.env("PATH", std::env::join_paths(path).unwrap()));
    assert_eq!(exit(&output), Some(0), "{printed}: {}", said(&output));
    world.assert_exactly_once(batch, printed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_finishes_what_is_in_flight_and_prints_how_to_go_on() {
    let world = slow().await;
    let batch = world.batch(ROWS, 1).await;
    let mut child = batch.run(12).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    tokio::task::block_in_place(|| {
        while !text.contains(r#""event":"progress""#) {
            assert!(errors.read_line(&mut text).unwrap() > 0, "{text}");
        }
        let kill = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        errors.read_to_string(&mut text).unwrap();
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(exit(&output), Some(130), "{text}");
    assert!(text.contains(r#""event":"halting""#), "{text}");
    assert_can_be_resumed(&world, &batch, &text).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_finishes_what_is_in_flight_and_prints_how_to_go_on() {
    let world = slow().await;
    let batch = world.batch(ROWS, 1).await;
    let output = ended(batch.run(12).args(["--deadline", "1"]));
    assert_eq!(exit(&output), Some(8), "{}", said(&output));
    assert_can_be_resumed(&world, &batch, &said(&output)).await;
}

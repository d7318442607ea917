//! Processes are killed at random moments while a batch is run, again and again, until it is done: every
//! refund was made exactly once, to the cent, and none is in doubt.
//!
//! The test starts itself as the processes that it kills; it has no harness. `--runs`, `--refunds`,
//! `--seed` and `--lane` make it larger, and `--mutant` runs the mistake that it is there to find: a key
//! for every try.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a case that cannot be built is a failed test, and processes talk"
)]
#![expect(clippy::disallowed_methods, reason = "it tells how long it took")]

mod arguments;
mod books;
mod kill;
mod mutant;
mod runner;
mod sandbox;

use std::path::Path;
use std::time::Instant;

use fps_sandbox::Service;

use arguments::{Arguments, Lane};
use books::Verdict;
use kill::Dice;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", plan, mutant] => runtime.block_on(runner::run(Path::new(plan), mutant == "mutant")),
        ["serve", database, port] => {
            runtime.block_on(sandbox::serve(Path::new(database), port.parse().unwrap()));
        }
        _ => runtime.block_on(storm(&Arguments::read(&arguments))),
    }
}

async fn storm(arguments: &Arguments) {
    for lane in &arguments.lanes {
        let sound = storms(arguments, *lane, false).await;
        assert_eq!(sound.wrong, 0, "{} storms of {lane:?} ended wrong", sound.wrong);
    }
    if arguments.is_with_mutant {
        // A small storm may miss it; one that goes on does not.
        let mut wrong = 0;
        for _ in 0..10 {
            wrong += storms(arguments, Lane::FlexiblePayments, true).await.wrong;
            if wrong > 0 {
                break;
            }
        }
        assert!(wrong > 0, "a key for every try was not found to be wrong");
    }
}

/// How many batches one sandbox sees: after each of them all of its books are verified.
const BATCHES_A_SANDBOX: u32 = 10;

#[derive(Default)]
struct Count {
    wrong: u32,
    kills: u32,
}

/// So many batches, each until it is done.
async fn storms(arguments: &Arguments, lane: Lane, is_mutant: bool) -> Count {
    let mut folder = tempfile::tempdir().unwrap();
    let mut world = sandbox::World::start(folder.path()).await;
    let mut dice = Dice::new(arguments.seed);
    let mut count = Count::default();
    let begun = Instant::now();
    // Every death of a sandbox costs a start of it.
    let runs = if lane == Lane::Sandbox { arguments.runs.div_ceil(2) } else { arguments.runs };
    let what = if is_mutant { "with a key for every try: " } else { "" };
    let tell = |batches: u32, count: &Count| {
        println!(
            "{what}{lane:?}: {batches} batches of {} refunds, {} kills, {} wrong, {} s",
            arguments.refunds,
            count.kills,
            count.wrong,
            begun.elapsed().as_secs()
        );
    };
    for number in 0..runs {
        if number > 0 && number % BATCHES_A_SANDBOX == 0 {
            tell(number, &count);
            world.stop().await;
            folder = tempfile::tempdir().unwrap();
            world = sandbox::World::start(folder.path()).await;
        }
        let batch = format!("storm-{number}");
        let service = match lane {
            Lane::AmazonPay | Lane::Sandbox => Service::AmazonPay,
            Lane::FlexiblePayments => Service::FlexiblePayments,
        };
        let plan = world.plan(&batch, service, arguments.refunds).await;
        count.kills += match lane {
            Lane::Sandbox => kill::sandbox(&mut world, &plan, &mut dice).await,
            _ => kill::runner(&plan, is_mutant, &mut dice).await,
        };
        let verdict = world.verdict(&plan).await;
        if verdict != Verdict::exactly(&plan) {
            count.wrong += 1;
            if !is_mutant {
                println!("storm {number} of {lane:?}, seed {}: {verdict:?}", arguments.seed);
            }
        }
    }
    tell(runs, &count);
    world.stop().await;
    count
}

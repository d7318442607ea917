//! Killing processes at random moments, the same for the same seed.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::books::Plan;
use crate::sandbox::World;

/// How long a process lives, in milliseconds.
const LIFE: std::ops::Range<u64> = 30..300;

/// After so many kills something is wrong with the batch, not with the luck.
const KILLS_MAX: u32 = 10_000;

/// Numbers that look random: xorshift64*.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn life(&mut self) -> Duration {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        Duration::from_millis(LIFE.start + number % (LIFE.end - LIFE.start))
    }
}

fn start(plan: &Plan, is_mutant: bool) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg("run")
        .arg(&plan.file)
        .arg(if is_mutant { "mutant" } else { "sound" })
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Starts the runner and kills it, until it ends by itself; says how often it was killed.
pub(crate) async fn runner(plan: &Plan, is_mutant: bool, dice: &mut Dice) -> u32 {
    let mut kills = 0;
    loop {
        let mut child = start(plan, is_mutant);
        match timeout(dice.life(), child.wait()).await {
            Ok(status) => {
                assert!(status.unwrap().success(), "the runner ended by itself, and badly");
                return kills;
            }
            Err(_) => child.kill().await.unwrap(),
        }
        kills += 1;
        assert!(kills < KILLS_MAX, "the batch does not come to its end");
    }
}

/// Kills the sandbox and starts it again, until the runner ends by itself.
pub(crate) async fn sandbox(world: &mut World, plan: &Plan, dice: &mut Dice) -> u32 {
    world.leave_to_process().await;
    let mut child = start(plan, false);
    let mut kills = 0;
    loop {
        match timeout(dice.life(), child.wait()).await {
            Ok(status) => {
                assert!(status.unwrap().success(), "the runner gave up");
                world.take_back().await;
                return kills;
            }
            Err(_) => world.kill_and_start().await,
        }
        kills += 1;
        assert!(kills < KILLS_MAX, "the batch does not come to its end");
    }
}

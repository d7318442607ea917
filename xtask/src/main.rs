//! Chores of this repository: `cargo xtask <verb>`. Knows nothing of the crates it generates.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks")]

mod arrows;
mod ci;
mod clients;
mod codegen;
mod examples;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a chore says when it fails.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of this repository")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Generate the messages of fps-model from its spec.
    Codegen {
        /// Change nothing; fail if anything would change.
        #[arg(long)]
        check: bool,
    },
    /// Compare the generated WSDL with another, such as Amazon's, and tell the reason of every difference.
    WsdlDiff {
        /// The other WSDL.
        file: PathBuf,
    },
    /// Compare the crates' imports with the table of docs/architecture.md.
    Arrows,
    /// Run clients that nobody here wrote against the sandbox. Needs curl, openssl, npm and python3.
    Clients {
        /// Names of clients; all of them when none is given.
        clients: Vec<clients::Client>,
    },
    /// Kill runner and sandbox at random moments of many batches, and count; see crates/fps/tests/storm.
    Storm {
        /// How many batches in each lane; half as many where the sandbox is killed.
        #[arg(long, default_value_t = 200)]
        runs: u32,
        /// How many refunds in each batch.
        #[arg(long, default_value_t = 10_000)]
        refunds: u32,
        /// Where the random numbers begin.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only this lane.
        #[arg(long, value_parser = ["fps", "amazon-pay", "sandbox"])]
        lane: Option<String>,
    },
    /// Run every check that a change must pass, or the named ones.
    Ci {
        /// Names of checks; all of them when none is given.
        checks: Vec<ci::Check>,
    },
}

fn main() -> ExitCode {
    let root = root();
    let outcome = match Arguments::parse().verb {
        Verb::Codegen { check } => codegen::run(&root, check),
        Verb::WsdlDiff { file } => codegen::wsdl_diff(&root, &file),
        Verb::Arrows => arrows::run(&root),
        Verb::Clients { clients } => clients::run_all(&root, &clients),
        Verb::Storm { runs, refunds, seed, lane } => {
            ci::storm(&root, (runs, refunds, seed), lane.as_deref())
        }
        Verb::Ci { checks } => ci::run(&root, &checks),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

//! The command `fps`: reads arguments, runs one verb, and says by its exit code what happened; no rule,
//! message or signature is its own.

mod cli;
mod demo;
mod exit;
mod explain;
mod manual;
mod message;
mod output;
mod place;
mod progress;
mod quote;
#[cfg(test)]
mod reference;
mod sandbox;
mod signals;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Arguments, Verb};
use crate::exit::{Failure, usage};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Quote(arguments) => quote::run(&arguments),
        Verb::Sandbox(arguments) => sandbox::run(&arguments),
        Verb::Verify(arguments) => verify::run(&arguments),
        Verb::Explain(arguments) => explain::run(&arguments),
        Verb::Completions(arguments) => manual::completions(&arguments),
        Verb::Man(arguments) => manual::pages(&arguments),
    }
}

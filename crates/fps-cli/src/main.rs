//! The command `fps`: reads arguments, runs one verb, and says by its exit code what happened; no rule,
//! message or signature is its own.

mod batch;
mod cancel_token;
mod cli;
mod config;
mod consent;
mod decision;
mod demo;
mod exit;
mod explain;
mod ledger;
mod listen;
mod manual;
mod message;
mod output;
mod place;
mod progress;
mod quote;
#[cfg(test)]
mod reference;
mod refund;
mod runtime;
mod sandbox;
mod settle;
mod signals;
mod status;
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
        Verb::Batch(arguments) => batch::run(&arguments.verb),
        Verb::CancelToken(arguments) => cancel_token::run(&arguments),
        Verb::Config(verb) => config::run(&verb),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Ledger(arguments) => ledger::run(&arguments.verb),
        Verb::Listen(arguments) => listen::run(&arguments),
        Verb::Quote(arguments) => quote::run(&arguments),
        Verb::Refund(arguments) => refund::run(&arguments),
        Verb::Sandbox(arguments) => sandbox::run(&arguments),
        Verb::Verify(arguments) => verify::run(&arguments),
        Verb::Explain(arguments) => explain::run(&arguments),
        Verb::Completions(arguments) => manual::completions(&arguments),
        Verb::Man(arguments) => manual::pages(&arguments),
        Verb::Settle(arguments) => settle::run(&arguments),
        Verb::Status(arguments) => status::run(&arguments),
    }
}

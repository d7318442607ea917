//! The arguments and their help; what they mean together is checked where they are used.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit::HELP;
use crate::output::Format;

/// Refunds through Amazon's two payment services, Amazon Pay API v2 and FPS, tried out and calculated.
#[derive(Debug, Parser)]
#[command(name = "fps", version, propagate_version = true, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make refunds through both services against a sandbox of its own, and check the books.
    Demo(Demo),
    /// Say what a refund would do, or which rule forbids it; sends nothing.
    Quote(Quote),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the sandbox's state in this SQLite file [default: a temporary one].
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,
    /// Let the sandbox listen on this port of loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Quote {
    /// Whose rules apply.
    #[arg(long, value_enum)]
    pub(crate) service: Service,
    /// Currency of all amounts, by its ISO 4217 code.
    #[arg(long, default_value = "USD")]
    pub(crate) currency: String,
    /// What the buyer paid.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) captured: String,
    /// What the service took as its fee.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) fee: Option<String>,
    /// What has been refunded of it, or is on its way.
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) refunded: Option<String>,
    /// How many refunds that were.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) refunds: Option<u32>,
    /// What to refund [default: what remains].
    #[arg(value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Amazon Pay API v2.
    AmazonPay,
    /// Amazon Flexible Payments Service.
    FlexiblePayments,
}

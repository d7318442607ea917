//! The arguments of batches and of the ledger that they are kept in.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use super::{Connection, Consent};
use crate::output::Format;

#[derive(Debug, Args)]
pub(crate) struct Batch {
    #[command(subcommand)]
    pub(crate) verb: BatchVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchVerb {
    /// Read a file of refunds, check every row, and write each down with its key; sends nothing.
    Plan(BatchPlan),
    /// Plan a file, and make its refunds, each exactly once; it may be killed at any moment.
    Run(BatchRun),
    /// Go on with a batch that was planned, and perhaps begun, before.
    Resume(BatchResume),
    /// Take back what of a batch was never sent; the rest is left as it is.
    Cancel(BatchCancel),
    /// Say how far batches have come.
    Status(BatchStatus),
    /// List the refunds of a batch, and what became of each.
    Report(BatchReport),
    /// Compare a batch with what the provider says, and with a settlement report.
    Reconcile(BatchReconcile),
}

/// Where the rows are.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The rows: CSV with a header, or one JSON object a line. Columns: payment, amount (or `rest`) and
    /// currency; of the refund also reference, note, soft_descriptor and scope; of the payment captured,
    /// fee, refunded, refunds, method, caller_reference and completed_at.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Call the batch this [default: the file's name without its ending].
    #[arg(long, value_name = "NAME")]
    pub(crate) batch: Option<String>,
    /// Leave bad rows out, instead of planning nothing while there are any.
    #[arg(long)]
    pub(crate) skip_invalid: bool,
    /// Plan the file though another batch was planned from the same: its refunds are made once more.
    #[arg(long)]
    pub(crate) repeat: bool,
    /// Look payments up with the provider that neither the row nor the ledger knows.
    #[arg(long)]
    pub(crate) look_up: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BatchPlan {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Say what would be planned, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

/// How a batch is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct Running {
    /// Work on so many refunds at once, at most 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(crate) concurrency: u32,
    /// Stop after so many seconds; the rest can be resumed.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) deadline: Option<u32>,
    /// Stop when the provider has not answered for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) give_up_after: u32,
    /// Stop after so many declined refunds; 1 is the first.
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(1..))]
    pub(crate) stop_after_declines: Option<u32>,
    /// Stop before the refunds of the batch come to more than this, such as `1000.00 EUR`; may be given
    /// once for each currency.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) stop_above: Vec<String>,
    /// Ask how a refund is after so many milliseconds at the earliest; later ones are asked for less
    /// often.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1_000, value_parser = value_parser!(u32).range(1..))]
    pub(crate) follow_after: u32,
    /// The name of this worker; each on one ledger has its own [default: made of machine and process].
    #[arg(long, value_name = "NAME")]
    pub(crate) worker: Option<String>,
    /// Run the batch though it was planned for another key or address of the same environment, because
    /// those were changed.
    #[arg(long)]
    pub(crate) accept_target: bool,
    /// Leave to other workers what this one has claimed and not spoken of for so many seconds; longer than
    /// a request takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) lease: u32,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

#[derive(Debug, Args)]
pub(crate) struct BatchRun {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) running: Running,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BatchResume {
    /// The batch.
    #[arg(value_name = "BATCH")]
    pub(crate) batch: String,
    #[command(flatten)]
    pub(crate) running: Running,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BatchCancel {
    /// The batch.
    #[arg(value_name = "BATCH")]
    pub(crate) batch: String,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BatchStatus {
    /// The batch [default: all].
    #[arg(value_name = "BATCH")]
    pub(crate) batch: Option<String>,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BatchReport {
    /// The batch.
    #[arg(value_name = "BATCH")]
    pub(crate) batch: String,
    /// Only refunds in these states: prepared, sent, unknown, accepted, pending, refunded, declined.
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub(crate) state: Vec<String>,
    /// Only refunds that wait for a human.
    #[arg(long)]
    pub(crate) parked: bool,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BatchReconcile {
    /// The batch.
    #[arg(value_name = "BATCH")]
    pub(crate) batch: String,
    /// Compare with this settlement report of Amazon Pay, in CSV, instead of asking the provider.
    #[arg(long, value_name = "FILE")]
    pub(crate) settlement: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

/// Where refunds are recorded, for verbs that send nothing.
#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// Where refunds are recorded: a SQLite file or a postgres:// address [variable: FPS_LEDGER]
    /// [default: refunds.db].
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) ledger: Option<String>,
    /// Take settings from this profile file [variable: FPS_CONFIG] [default:
    /// $XDG_CONFIG_HOME/fps/config.toml, or ~/.config/fps/config.toml].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which table `[profile.NAME]` of it [variable: FPS_PROFILE] [default: default].
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) verb: LedgerVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerVerb {
    /// Derive everything in the ledger again from what happened, and say where it differs.
    Verify(LedgerVerify),
    /// Write everything that ever happened, one JSON object a line.
    Export(LedgerExport),
    /// List refunds by what is known of them.
    Find(Box<LedgerFind>),
    /// Say what became of a refund that waits for a human.
    Resolve(LedgerResolve),
}

#[derive(Debug, Args)]
pub(crate) struct LedgerVerify {
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerExport {
    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerFind {
    /// Refunds of this payment.
    #[arg(long, value_name = "ID")]
    pub(crate) payment: Option<String>,
    /// Of payments that their caller calls this.
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) caller_reference: Option<String>,
    /// That whoever asked for it calls this.
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) reference: Option<String>,
    /// Under this key.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// That the provider calls this.
    #[arg(long, value_name = "ID")]
    pub(crate) refund: Option<String>,
    /// In these states.
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub(crate) state: Vec<String>,
    /// Written down on this day or later, in UTC: `2026-11-25`, or with a time of day.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Written down before this day.
    #[arg(long, value_name = "DATE")]
    pub(crate) before: Option<String>,
    /// Of at least this, such as `10.00 EUR`.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) at_least: Option<String>,
    /// Of at most this.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) at_most: Option<String>,
    /// That wait for a human.
    #[arg(long)]
    pub(crate) parked: bool,
    /// Of which something was said that contradicts what is known.
    #[arg(long)]
    pub(crate) alarming: bool,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").args(["made", "never_made", "again"]).required(true).multiple(false))]
pub(crate) struct LedgerResolve {
    /// The number of the refund in the ledger.
    #[arg(value_name = "NUMBER")]
    pub(crate) number: i64,
    /// The provider has made it, and calls it this; the run will follow it.
    #[arg(long, value_name = "ID")]
    pub(crate) made: Option<String>,
    /// The provider has not made it, and will not: what it held is free again.
    #[arg(long)]
    pub(crate) never_made: bool,
    /// Let the next run try again, under the same key.
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

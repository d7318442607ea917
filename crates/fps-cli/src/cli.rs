//! The arguments and their help; what they mean together is checked where they are used.

mod batch;
mod offline;
mod service;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::batch::{
    Batch, BatchCancel, BatchPlan, BatchReconcile, BatchReport, BatchResume, BatchRun, BatchStatus,
    BatchVerb, Kept, Ledger, LedgerExport, LedgerFind, LedgerResolve, LedgerVerb, LedgerVerify,
    Running, Source,
};
pub(crate) use self::offline::{
    Certificates, Completions, Explain, ExplainSignature, Explained, Man, Messages, SecretKey,
    Verified, Verify, VerifyIpn, VerifyRequest,
};
pub(crate) use self::service::{
    CancelToken, ConfigVerb, Connection, Consent, Decision, Environment, Lines, Listen, Refund,
    Region, Settle, Status,
};
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
    /// Make many refunds from a file, each exactly once.
    Batch(Batch),
    /// End what a buyer allowed: a token of FPS, or a charge permission of Amazon Pay.
    CancelToken(CancelToken),
    /// See how a command would come to a service.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Make refunds through both services against a sandbox of its own, and check the books.
    Demo(Demo),
    /// Ask the record of all refunds, prove it, or print it.
    Ledger(Ledger),
    /// Receive notifications of either service, and print those that are proved.
    Listen(Listen),
    /// Say what a refund would do, or which rule forbids it; sends nothing.
    Quote(Quote),
    /// Refund a payment, once: decided by the rules, sent with a key, followed to its end.
    Refund(Refund),
    /// Serve both services on this machine until it is ended, and say what the client did wrong.
    Sandbox(Sandbox),
    /// Take what a buyer's payment reserved.
    Settle(Settle),
    /// Say how a payment or a refund stands, and what remains to be refunded.
    Status(Status),
    /// Say what signed messages prove, or exactly why they prove nothing.
    Verify(Verify),
    /// Show how a signature comes about.
    Explain(Explain),
    /// Print a script that completes arguments in a shell.
    Completions(Completions),
    /// Print a page of the manual, or write all of them.
    Man(Man),
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

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Listen on this port; 0 takes a free one.
    #[arg(long, default_value_t = 7443)]
    pub(crate) port: u16,
    /// Listen on this address; the control API asks for a token on any other than loopback.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) bind: IpAddr,
    /// Listen without TLS.
    #[arg(long, conflicts_with = "tls_dir")]
    pub(crate) http: bool,
    /// Keep the certificate authority in this folder, so that it need be trusted only once [default: a
    /// new one each time].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) tls_dir: Option<PathBuf>,
    /// Answer under this name as well; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Keep the state in this SQLite file, and the merchants' keys beside it [default: a temporary
    /// one].
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,
    /// How long card payments and refunds are under way, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 200)]
    pub(crate) processing: u32,
    /// Whose limits apply to how often a merchant may ask.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) throttle: Limits,
    /// Let the co-branded pages of FPS approve at once what they are asked for.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Believe requests of FPS that are signed with version 1, which can be forged.
    #[arg(long)]
    pub(crate) legacy_v1: bool,
    /// Let go wrong what this JSON file says.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Make identifiers and keys from this number: the same each time, for tests only.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Make what this JSON file names, if the database is new [default: one merchant and two
    /// payments].
    #[arg(long, value_name = "FILE", conflicts_with = "merchant_notify")]
    pub(crate) seed_file: Option<PathBuf>,
    /// Make so many more payments of Amazon Pay, and write them to a file of refunds that
    /// `fps batch run` takes.
    #[arg(long, value_name = "NUMBER", requires = "batch_file")]
    pub(crate) payments: Option<u32>,
    /// That file, a CSV.
    #[arg(long, value_name = "FILE", requires = "payments")]
    pub(crate) batch_file: Option<PathBuf>,
    /// Post the notifications of the merchant that is made to this address.
    #[arg(long, value_name = "URL")]
    pub(crate) merchant_notify: Option<String>,
    /// How to print what a client needs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

/// Limits of requests a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Limits {
    /// None.
    #[default]
    Off,
    /// Those of the live service.
    Live,
    /// Those of Amazon's own sandbox.
    Sandbox,
}

//! The arguments of the verbs that talk to a service, and how they come to it.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::Service;
use crate::output::Format;

/// How to come to a service. Each setting counts from its flag, or else from its variable, the sandbox
/// file, the profile file, or its default.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Connection (flag, or else variable, sandbox file, profile, default)"
)]
pub(crate) struct Connection {
    /// Which service is meant [variable: FPS_SERVICE] [default: as the form of an id tells].
    #[arg(long, value_enum)]
    pub(crate) service: Option<Service>,
    /// Where the merchant's account is, for Amazon Pay [variable: FPS_REGION] [default: na].
    #[arg(long, value_enum)]
    pub(crate) region: Option<Region>,
    /// Whether real money may move [variable: FPS_ENVIRONMENT] [default: as the public key id tells; for
    /// FPS `live`, unless the endpoint is on this machine].
    #[arg(long, value_enum)]
    pub(crate) environment: Option<Environment>,
    /// Send to this address [variable: FPS_ENDPOINT] [default: Amazon Pay's own in the region; FPS has
    /// none].
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Amazon Pay: the id of the key [variable: FPS_PUBLIC_KEY_ID].
    #[arg(long, value_name = "ID")]
    pub(crate) public_key_id: Option<String>,
    /// Amazon Pay: the file of the private key in PEM; `-` is standard input [variable:
    /// FPS_PRIVATE_KEY_FILE, or FPS_PRIVATE_KEY with the PEM itself].
    #[arg(long, value_name = "FILE")]
    pub(crate) private_key_file: Option<PathBuf>,
    /// FPS: the id of the access key [variable: FPS_ACCESS_KEY_ID].
    #[arg(long, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// FPS: the file of the secret key; `-` is standard input [variable: FPS_SECRET_KEY_FILE, or
    /// FPS_SECRET_KEY with the secret itself].
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,
    /// Trust only the certificate authorities in this PEM file [variable: FPS_CA] [default: those of
    /// this machine].
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Where refunds are recorded: a SQLite file or a postgres:// address [variable: FPS_LEDGER].
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) ledger: Option<String>,
    /// Where the certificates of FPS notifications come from, `https://host/` [variable:
    /// FPS_CERTIFICATE_ORIGIN].
    #[arg(long, value_name = "URL")]
    pub(crate) certificate_origin: Option<String>,
    /// Take settings from this file, which `fps sandbox --output json` printed [variable: FPS_SANDBOX].
    #[arg(long, value_name = "FILE")]
    pub(crate) sandbox_file: Option<PathBuf>,
    /// Take settings from this profile file [variable: FPS_CONFIG] [default:
    /// $XDG_CONFIG_HOME/fps/config.toml, or ~/.config/fps/config.toml].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which table `[profile.NAME]` of it [variable: FPS_PROFILE] [default: default].
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// A region of Amazon Pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Region {
    /// North America: pay-api.amazon.com.
    Na,
    /// Europe: pay-api.amazon.eu.
    Eu,
    /// Japan: pay-api.amazon.jp.
    Jp,
}

/// Whether real money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Environment {
    /// It does not.
    Sandbox,
    /// It does.
    Live,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// List every setting of a connection; of secrets only whether they are set.
    Show(ConfigShow),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigShow {
    /// Say where each value comes from.
    #[arg(long)]
    pub(crate) origin: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

/// The key of something that must happen once.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("decision").args(["key", "for_parts"]))]
pub(crate) struct Decision {
    /// The key itself: as many times as it is sent, it happens once.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Derive the key from what names the decision in your books: the order, the line, and which refund
    /// of that line it is. The same parts give the same key, whatever happened in between. An amount or
    /// a time is no name: two decisions may share it.
    #[arg(long = "for", id = "for_parts", value_name = "PART", num_args = 1..)]
    pub(crate) parts: Vec<String>,
}

/// What may be said on behalf of somebody who does not sit at a terminal.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// Do not ask before real money moves. Without it, a live service needs a terminal where the total
    /// is typed; a sandbox never asks.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("named").args(["key", "for_parts"]).required(true).multiple(false))]
pub(crate) struct Refund {
    /// What is refunded: a charge of Amazon Pay, or a transaction of FPS.
    #[arg(value_name = "PAYMENT")]
    pub(crate) payment: String,
    /// How much [default: what remains].
    #[arg(value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    #[command(flatten)]
    pub(crate) decision: Decision,
    /// Currency of the amount by its ISO 4217 code [default: that of the payment].
    #[arg(long)]
    pub(crate) currency: Option<String>,
    /// Decide, and say what would be sent; send no refund.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Send what was decided before and may have been lost: the same amount with the same key, without
    /// asking the rules again, because what they count may hold this refund already. FPS remembers a
    /// key for seven days only; later, look the refund up.
    #[arg(long, requires_all = ["amount", "currency"], conflicts_with = "dry_run")]
    pub(crate) again: bool,
    /// Ask until the refund has ended.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to ask.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "wait")]
    pub(crate) patience: u32,
    /// FPS: a note for your own records.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Amazon Pay: what the buyer's statement says.
    #[arg(long, value_name = "TEXT")]
    pub(crate) soft_descriptor: Option<String>,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// A charge or refund of Amazon Pay, or a transaction of FPS.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Settle {
    /// What is settled: an authorised charge of Amazon Pay, or a reservation of FPS.
    #[arg(value_name = "PAYMENT")]
    pub(crate) payment: String,
    /// How much [default: all that is reserved].
    #[arg(value_name = "AMOUNT", allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    /// Amazon Pay needs a key; FPS has none, because it settles a reservation once.
    #[command(flatten)]
    pub(crate) decision: Decision,
    /// Currency of the amount by its ISO 4217 code [default: that of the payment].
    #[arg(long)]
    pub(crate) currency: Option<String>,
    /// Amazon Pay: what the buyer's statement says.
    #[arg(long, value_name = "TEXT")]
    pub(crate) soft_descriptor: Option<String>,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct CancelToken {
    /// What can be charged no more: a token of FPS, or a charge permission of Amazon Pay.
    #[arg(value_name = "TOKEN")]
    pub(crate) token: String,
    /// Why; Amazon Pay needs it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Amazon Pay: cancel the charges that are still under way, too.
    #[arg(long)]
    pub(crate) cancel_pending: bool,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Listen on this port; 0 takes a free one.
    #[arg(long, default_value_t = 7480)]
    pub(crate) port: u16,
    /// Listen on this address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) bind: IpAddr,
    /// The address that the services were given, if it is another: notifications of FPS are signed for
    /// it [default: http://ADDRESS:PORT/ipn].
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Amazon Pay: believe messages of this SNS topic; may be given several times.
    #[arg(long, value_name = "ARN")]
    pub(crate) topic: Vec<String>,
    /// Amazon Pay: believe only what is about this merchant.
    #[arg(long, value_name = "ID", requires = "topic")]
    pub(crate) merchant: Option<String>,
    /// Record in the ledger what is said of its refunds; then each notification is answered with 200 once
    /// that is on record. A ledger in a file has one writer: no batch runs meanwhile.
    #[arg(long)]
    pub(crate) record: bool,
    /// End after so many that were proved [default: at Ctrl-C].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) count: Option<u32>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// How to print each notification.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Lines,
}

/// How results that come one by one are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lines {
    /// A line for people.
    #[default]
    Table,
    /// One JSON object a line.
    Ndjson,
}

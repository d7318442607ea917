//! The arguments of the verbs that work on files, and of those that are about the command itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use crate::output::Format;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(subcommand)]
    pub(crate) what: Verified,
}

/// Who is said to have signed, and what.
#[derive(Debug, Subcommand)]
pub(crate) enum Verified {
    /// What FPS told a merchant: notifications and return URLs.
    ///
    /// A FILE holds the form as it was posted, the whole HTTP request, or a return URL with its query.
    Ipn(VerifyIpn),
    /// What SNS told a merchant of Amazon Pay.
    ///
    /// A FILE holds the JSON object, or the whole HTTP request.
    Sns(VerifySns),
    /// What a merchant asked of either service: Query, SOAP, or Amazon Pay.
    ///
    /// A FILE holds the whole HTTP request, a signed URL, or the signed parameters alone.
    Request(VerifyRequest),
}

#[derive(Debug, Args)]
pub(crate) struct Messages {
    /// The messages, a file each; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) files: Vec<PathBuf>,
    /// Print what is proved as well, which may name buyers.
    #[arg(long)]
    pub(crate) show: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

/// Whose key proves a message.
#[derive(Debug, Args)]
pub(crate) struct Certificates {
    /// Prove by the certificate, or public key, in this PEM file.
    #[arg(long, value_name = "FILE", conflicts_with = "fetch")]
    pub(crate) certificate: Option<PathBuf>,
    /// Prove by the certificate that the message names, fetched over TLS if it is of the origin.
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Believe only messages that name a certificate from here: `https://HOST[:PORT]/`.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// Trust only the certificate authority in this PEM file when a certificate is fetched.
    #[arg(long, value_name = "FILE", requires = "fetch")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyIpn {
    #[command(flatten)]
    pub(crate) messages: Messages,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    /// The address that Amazon was given to post to, or to send buyers back to [default: the one in
    /// the file].
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) secret: SecretKey,
}

#[derive(Debug, Args)]
pub(crate) struct VerifySns {
    #[command(flatten)]
    pub(crate) messages: Messages,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    /// Believe only messages of this topic: SNS signs for everybody who has one.
    #[arg(long, value_name = "ARN")]
    pub(crate) topic: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyRequest {
    #[command(flatten)]
    pub(crate) messages: Messages,
    #[command(flatten)]
    pub(crate) target: To,
    #[command(flatten)]
    pub(crate) secret: SecretKey,
    /// Amazon Pay, SOAP: the merchant's public key, or certificate, in this PEM file.
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
}

/// Where a request went.
#[derive(Debug, Args)]
pub(crate) struct To {
    /// The address that was asked [default: the one in the file].
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The method, where the file holds parameters alone.
    #[arg(long, value_name = "METHOD", default_value = "POST")]
    pub(crate) method: String,
}

/// The secret half of an access key of FPS.
#[derive(Debug, Args)]
pub(crate) struct SecretKey {
    /// FPS: the secret key, in this file [default: that in FPS_SECRET_KEY].
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(subcommand)]
    pub(crate) what: Explained,
}

/// What is explained.
#[derive(Debug, Subcommand)]
pub(crate) enum Explained {
    /// How a request is signed, stage by stage, and where another side parts from it.
    ///
    /// It prints the request in full: parameters, headers and signatures.
    Signature(ExplainSignature),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainSignature {
    /// The request as `fps verify request` takes it, signed or not yet; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) target: To,
    /// The other side's canonical form, string to sign, or the refusal that tells it.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: SecretKey,
    /// Amazon Pay: sign with the private key in this PEM file.
    #[arg(long, value_name = "FILE")]
    pub(crate) private_key: Option<PathBuf>,
    /// Amazon Pay: check the signature that is there by the public key, or certificate, in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "private_key")]
    pub(crate) public_key: Option<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Whose script it is.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The verb, such as `verify ipn` [default: the command itself].
    #[arg(value_name = "VERB", conflicts_with = "dir")]
    pub(crate) verb: Vec<String>,
    /// Write the page of every verb into this folder instead.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

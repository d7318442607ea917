//! How to send, as data, checked when a client is built and never again; nothing that only one service
//! has.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::retry::RetryPolicy;

/// How requests are sent, whatever the service. All time limits are on by default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// How long a connection may take: name, connection and handshake. Default: 5 s.
    pub connect_timeout: Duration,
    /// How long one try may take, from connecting to the last byte. Default: 20 s.
    pub attempt_timeout: Duration,
    /// How often and how long it is tried.
    pub retry: RetryPolicy,
    /// The largest answer that is read. Default: 1 MiB.
    pub body_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust: Trust::System,
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            retry: RetryPolicy::default(),
            body_bytes_max: 1024 * 1024,
        }
    }
}

impl Settings {
    /// The same, trusting somebody else.
    #[must_use]
    pub fn with_trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// The same with another policy of trying again.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }
}

/// Whose certificates are trusted. TLS checking cannot be switched off: a sandbox has a certificate
/// authority of its own, to be named here.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// The authorities of this machine.
    #[default]
    System,
    /// Those and the ones in this PEM text.
    SystemAnd(String),
    /// The ones in this PEM text alone: requests meant for a sandbox then cannot reach anything else.
    Only(String),
}

/// Without the text: some files hold a private key beside the certificate.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::SystemAnd(_) => "SystemAnd(..)",
            Self::Only(_) => "Only(..)",
        })
    }
}

/// Why a client cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is not `https://host[:port][/path]`.
    BadEndpoint,
    /// The public key id has characters that a header cannot carry.
    BadKeyId,
    /// The key id says one environment and the configuration another.
    EnvironmentMismatch,
    /// The key id names no environment, so the configuration must.
    EnvironmentMissing,
    /// The extra certificate is not PEM.
    BadCertificate,
    /// No certificate authority is trusted: the machine has none, or the text holds none.
    NothingTrusted,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadEndpoint => {
                "an endpoint is https://host[:port][/path], or http on this machine"
            }
            Self::BadKeyId => "a public key id is letters, digits and dashes",
            Self::EnvironmentMismatch => {
                "the public key id is for one environment and the configuration for the other"
            }
            Self::EnvironmentMissing => {
                "the public key id names no environment (LIVE-… or SANDBOX-…), so it must be stated"
            }
            Self::BadCertificate => "the extra certificate authority is not PEM",
            Self::NothingTrusted => "no certificate authority is trusted",
        })
    }
}

impl Error for ConfigError {}

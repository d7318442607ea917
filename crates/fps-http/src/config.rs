//! How to send, as data, checked when a client is built and never again; nothing that only one service
//! has.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::observe::{Hook, Observer};
use crate::pacing::{Limits, Pacing};
use crate::proxy::Proxy;
use crate::retry::RetryPolicy;

/// How requests are sent, whatever the service. All time limits are on by default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// What everything beyond this machine goes through. Default: nothing.
    pub proxy: Option<Proxy>,
    /// What becomes of a connection of HTTP/1.1 behind an answer. Default: it is kept.
    pub connections: Connections,
    /// How long a connection may take: name, connection, proxy and handshake. Default: 5 s.
    pub connect_timeout: Duration,
    /// How long one try may take, from connecting to the last byte. Default: 20 s.
    pub attempt_timeout: Duration,
    /// How often and how long it is tried.
    pub retry: RetryPolicy,
    /// The limits of the account that requests are sent for, shared by all who send for it. A call
    /// waits for its turn before every try, within the time that the whole call may take. Default:
    /// the published limits of where the requests go, kept by this client alone.
    pub pacing: Option<Pacing>,
    /// The largest answer that is read. Default: 1 MiB.
    pub body_bytes_max: usize,
    pub(crate) hook: Hook,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust: Trust::System,
            proxy: None,
            connections: Connections::Kept,
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            retry: RetryPolicy::default(),
            pacing: None,
            body_bytes_max: 1024 * 1024,
            hook: Hook::default(),
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

    /// The same with another use of connections.
    #[must_use]
    pub const fn with_connections(mut self, connections: Connections) -> Self {
        self.connections = connections;
        self
    }

    /// The same through a proxy.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The same with a time for connecting, for one try, and for the whole call.
    #[must_use]
    pub const fn with_timeouts(
        mut self,
        connect: Duration,
        attempt: Duration,
        call: Duration,
    ) -> Self {
        self.connect_timeout = connect;
        self.attempt_timeout = attempt;
        self.retry.call_timeout = call;
        self
    }

    /// The same, and tells somebody what happens: for metrics.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer) -> Self {
        self.hook = Hook::new(observer);
        self
    }

    /// Can anything be sent like this?
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let rows = [
            ("connect_timeout", self.connect_timeout.is_zero()),
            ("attempt_timeout", self.attempt_timeout.is_zero()),
            ("retry.call_timeout", self.retry.call_timeout.is_zero()),
            ("retry.attempts_max", self.retry.attempts_max == 0),
            ("body_bytes_max", self.body_bytes_max == 0),
        ];
        match rows.into_iter().find(|(_, zero)| *zero) {
            Some((name, _)) => Err(ConfigError::Zero(name)),
            None => Ok(()),
        }
    }

    /// The same with another policy of trying again.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The same, keeping to these limits, which other clients may share.
    #[must_use]
    pub fn with_pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = Some(pacing);
        self
    }

    /// The same, keeping to no limit: somebody else does.
    #[must_use]
    pub fn without_pacing(self) -> Self {
        self.with_pacing(Pacing::new(Limits::none()))
    }
}

/// What becomes of a connection of HTTP/1.1 behind an answer. Over HTTP/2 all requests share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Connections {
    /// It is kept for the next request.
    #[default]
    Kept,
    /// It serves one request. HTTP/1.1 does not say which request an answer is to: where something on
    /// the way may send an answer late or twice, the next request on a kept connection would get it.
    /// Each request costs a handshake then.
    ForOneRequest,
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
    /// The address is Amazon's in another region.
    RegionMismatch,
    /// The address was that of a service that has ended.
    Retired,
    /// A key for real money is to be sent to an address that is not Amazon's.
    LiveElsewhere,
    /// This setting is zero, so that nothing could be sent.
    Zero(&'static str),
    /// The proxy is not `http://host[:port]`.
    BadProxy,
    /// The address of the proxy holds a user name or a password.
    ProxyUserInfo,
    /// The proxy's user name holds a colon, or it or the password a control character.
    BadProxyCredentials,
    /// The extra certificate is not PEM.
    BadCertificate,
    /// No certificate authority is trusted: the machine has none, or the text holds none.
    NothingTrusted,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero(name) => return write!(f, "{name} is zero, so nothing could be sent"),
            Self::Retired => "the service at this address ended in 2015",
            Self::RegionMismatch => "the endpoint is Amazon's in another region",
            Self::LiveElsewhere => {
                "a live key is sent to Amazon only, unless a live endpoint is named"
            }
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
            Self::BadProxy => "a proxy is http://host[:port]",
            Self::ProxyUserInfo => {
                "the address of a proxy holds no user name and no password, because addresses get \
                 logged; they are given as credentials"
            }
            Self::BadProxyCredentials => {
                "a proxy's user name holds no colon, and neither it nor the password a control \
                 character"
            }
            Self::BadCertificate => "the extra certificate authority is not PEM",
            Self::NothingTrusted => "no certificate authority is trusted",
        })
    }
}

impl Error for ConfigError {}

//! Where a service is: an address checked once, so that no later step has to; nothing is resolved or
//! connected to.

use std::fmt;

use crate::config::ConfigError;

/// The base address of a service: `https`, a host, perhaps a port and a path. Plain `http` is allowed
/// on loopback only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    https: bool,
    authority: String,
    path: String,
}

impl Endpoint {
    /// Reads `https://host[:port][/path]`.
    ///
    /// # Errors
    /// [`ConfigError::BadEndpoint`] for anything else: user names, queries, other schemes, and plain
    /// `http` to another machine.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let uri: http::Uri = url.parse().map_err(|_| ConfigError::BadEndpoint)?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if uri.host().is_some_and(is_loopback) => false,
            _ => return Err(ConfigError::BadEndpoint),
        };
        let authority = uri.authority().ok_or(ConfigError::BadEndpoint)?.as_str();
        let nameless = uri.host().is_none_or(str::is_empty);
        if nameless || authority.contains('@') || uri.query().is_some() {
            return Err(ConfigError::BadEndpoint);
        }
        // What is no port is not one of the parts, and would be forgotten silently.
        if authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'))
            && uri.port_u16().is_none_or(|port| port == 0)
        {
            return Err(ConfigError::BadEndpoint);
        }
        // One address has one spelling, or it could not be compared: `host.`, `host:0443` and
        // `host:+443` are all `host`.
        let spelled = uri.port().is_none_or(|port| port.as_str() == port.as_u16().to_string());
        if !spelled || uri.host().is_some_and(|host| host.ends_with('.')) {
            return Err(ConfigError::BadEndpoint);
        }
        let default_port = if https { ":443" } else { ":80" };
        let authority = authority.strip_suffix(default_port).unwrap_or(authority);
        Ok(Self {
            https,
            authority: authority.to_ascii_lowercase(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The host, with its port where it is not the default one: the `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Is it this machine?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let authority = &*self.authority;
        // A colon within brackets is of the address, and not before a port.
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        };
        is_loopback(host)
    }

    /// The path without a slash at its end.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of a path on its host, which is to begin with the endpoint's own path.
    #[must_use]
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }
}

/// Is it this machine?
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, expected) in [
            ("http://127.0.0.1:9000", true),
            ("https://127.0.0.1", true),
            ("https://localhost:7443/fps", true),
            ("http://[::1]:9000", true),
            ("http://[::1]", true),
            ("https://fps.example", false),
            ("https://localhost.example:1", false),
            ("https://192.0.2.1:7443", false),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().is_loopback(), expected, "{url}");
        }
    }

    #[test]
    fn only_tls_or_loopback_is_an_endpoint() {
        let good = [
            ("https://pay-api.amazon.com", "pay-api.amazon.com", ""),
            ("https://LOCALHOST:8443/", "localhost:8443", ""),
            ("https://archive.example:443/fps/", "archive.example", "/fps"),
            ("http://127.0.0.1:9000", "127.0.0.1:9000", ""),
            ("http://[::1]:9000", "[::1]:9000", ""),
        ];
        for (url, authority, path) in good {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.authority(), endpoint.path()), (authority, path), "{url}");
        }
        for url in [
            "",
            "pay-api.amazon.com",
            "ftp://localhost/",
            "http://pay-api.amazon.com",
            "http://localhost.evil.example",
            "https://user@host/",
            "https://host/?a=b",
            "https://",
            "https://:443",
            "https://host.",
            "https://host.:443",
            "https://host:0443",
            "https://host:abc",
            "https://host:65536",
            "https://host:0",
            "https://host:",
            "https://[::1]:x/",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}

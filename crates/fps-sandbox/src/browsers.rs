//! What the door lets in of what browsers send: a page from elsewhere can make the browser of a
//! developer send requests to this machine, under a name of its own or across origins.
//!
//! Source of the headers: Fetch Metadata Request Headers (W3C), Fetch Standard (`Origin`).

use std::net::{IpAddr, Ipv6Addr};

use http::request::Parts;
use http::{HeaderMap, Method, header};

use crate::sandbox::Config;

/// Where a browser may be sent from elsewhere, as its user sees: the pages to approve a payment on.
const PAGES: &str = "/cobranded-ui/";
/// Where a button on a page of a merchant posts its form.
const BUTTONS: &str = "/pba/";

/// The names under which the sandbox may be asked.
pub(crate) struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(config: &Config) -> Self {
        let bind = match config.bind {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => bracketed(address),
        };
        let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), bracketed(Ipv6Addr::LOCALHOST)];
        let others = config.hosts.iter().map(|name| name.to_ascii_lowercase());
        Self { names: own.into_iter().chain([bind]).chain(others).collect() }
    }

    /// Is an authority, with or without a port, one of them?
    fn knows(&self, authority: &str) -> bool {
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => authority,
        };
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Does a request name one of them?
    pub(crate) fn are_asked(&self, parts: &Parts) -> bool {
        let mut named = parts.headers.get_all(header::HOST).iter();
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = named.next().map(|value| value.to_str().unwrap_or_default());
        // Two names, or two ways to say one: neither is believed.
        if named.next().is_some() {
            return false;
        }
        match (host, authority) {
            (Some(host), Some(authority)) => self.knows(host) && self.knows(authority),
            (Some(name), None) | (None, Some(name)) => self.knows(name),
            (None, None) => false,
        }
    }
}

fn bracketed(address: Ipv6Addr) -> String {
    format!("[{address}]")
}

/// Was a browser sent by a page from elsewhere, where it may not be? Clients that are no browsers send
/// none of these headers.
pub(crate) fn sent_from_elsewhere(parts: &Parts) -> bool {
    is_from_elsewhere(parts) && !may_be_sent(parts)
}

fn is_from_elsewhere(parts: &Parts) -> bool {
    let site = text(&parts.headers, "sec-fetch-site");
    if !matches!(site, None | Some("same-origin" | "none")) {
        return true;
    }
    match text(&parts.headers, "origin") {
        None => false,
        Some(origin) => !is_own(origin, parts),
    }
}

/// Is an origin the very address that was asked?
fn is_own(origin: &str, parts: &Parts) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let asked = text(&parts.headers, "host")
        .or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    matches!(scheme, "http" | "https")
        && asked.is_some_and(|asked| asked.eq_ignore_ascii_case(authority))
}

/// A user who goes to a page knowingly: as the whole window, and with nothing but a button if a form
/// comes along.
fn may_be_sent(parts: &Parts) -> bool {
    let goes = matches!(text(&parts.headers, "sec-fetch-mode"), None | Some("navigate"))
        && matches!(text(&parts.headers, "sec-fetch-dest"), None | Some("document"));
    let path = parts.uri.path();
    goes && (parts.method == Method::GET && path.starts_with(PAGES)
        || parts.method == Method::POST && path.starts_with(BUTTONS))
}

/// A header; one that is no text is like one from elsewhere.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_name_alone() {
        let config = Config::new("x").bind(IpAddr::from([10, 0, 0, 7])).allow_host("Sandbox");
        let hosts = Hosts::new(&config);
        for name in ["localhost", "LOCALHOST:1", "127.0.0.1:443", "[::1]", "[::1]:8", "10.0.0.7:1"]
        {
            assert!(hosts.knows(name), "{name}");
        }
        assert!(hosts.knows("sandbox:8443"));
        for name in
            ["", ":1", "localhost.evil.example", "evil.example:443", "127.0.0.1.nip.io", "::1"]
        {
            assert!(!hosts.knows(name), "{name}");
        }
    }
}

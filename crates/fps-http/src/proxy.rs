//! The proxy of a network that lets nothing out by itself: where it is and what it is told; which
//! requests go through it is decided in `hyper.rs`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fps_sign::Secret;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use zeroize::Zeroizing;

use crate::config::ConfigError;

/// An HTTP proxy that opens tunnels with `CONNECT`.
///
/// It learns the host and the port of a service, and nothing else: TLS begins inside the tunnel, with
/// the service itself, so that a proxy sees no header and no body and can answer nothing in the
/// service's name. Hosts are looked up by the proxy. What is on this machine (`localhost`,
/// `127.0.0.1`, `::1`), an emulator say, is asked without it.
///
/// The connection to the proxy itself is plain, so that its credentials can be read on the way there.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    address: Uri,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `http://host[:port]`; without a port it is 80.
    ///
    /// # Errors
    /// [`ConfigError::ProxyUserInfo`] when the address holds a user name or a password, since
    /// addresses get logged; [`ConfigError::BadProxy`] for anything else, `https` included.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        // Before anything is read: a password may hold what no address may.
        if url.contains('@') {
            return Err(ConfigError::ProxyUserInfo);
        }
        let address: Uri = url.parse().map_err(|_| ConfigError::BadProxy)?;
        let host = address.host().unwrap_or_default();
        // What is no port is not one of the parts, and would be forgotten silently.
        let whole = match address.port_u16() {
            Some(port) => port != 0,
            None => address.authority().is_some_and(|authority| authority.as_str() == host),
        };
        let bare = address.path() == "/" && address.query().is_none();
        if address.scheme_str() != Some("http") || host.is_empty() || !whole || !bare {
            return Err(ConfigError::BadProxy);
        }
        Ok(Self { address, authorization: None })
    }

    /// With the name and the password that it asks for (`Basic`).
    ///
    /// # Errors
    /// [`ConfigError::BadProxyCredentials`] for a name with a colon, which would end it, and for
    /// control characters in either. Source: RFC 7617, section 2.
    pub fn with_credentials(mut self, user: &str, password: &Secret) -> Result<Self, ConfigError> {
        let password = password.expose();
        if user.contains(':') || user.chars().chain(password.chars()).any(char::is_control) {
            return Err(ConfigError::BadProxyCredentials);
        }
        let plain = Zeroizing::new(format!("{user}:{password}"));
        let encoded = Zeroizing::new(format!("Basic {}", STANDARD.encode(plain.as_bytes())));
        let mut value =
            HeaderValue::from_str(&encoded).map_err(|_| ConfigError::BadProxyCredentials)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// A connector whose connections are tunnels.
    pub(crate) fn tunnel<C>(&self, connector: C) -> Tunnel<C> {
        let tunnel = Tunnel::new(self.address.clone(), connector);
        match &self.authorization {
            Some(authorization) => tunnel.with_auth(authorization.clone()),
            None => tunnel,
        }
    }
}

/// The address, and whether there are credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("credentials", &self.authorization.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use fps_sign::Secret;

    use super::Proxy;
    use crate::config::ConfigError;

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for url in [
            "http://proxy.example:3128",
            "http://proxy.example:3128/",
            "http://proxy.example",
            "http://10.0.0.1:8080",
            "http://[fd00::1]:3128",
        ] {
            assert!(Proxy::new(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "proxy.example:3128",
            "proxy.example",
            "https://proxy.example:3128",
            "socks5://proxy.example:1080",
            "http://proxy.example:3128/path",
            "http://proxy.example:3128/?a=b",
            "http://:3128",
            "http://proxy.example:port",
            "http://proxy.example:",
            "http://proxy.example:0",
            "http://proxy.example:65536",
        ] {
            assert_eq!(Proxy::new(url), Err(ConfigError::BadProxy), "{url}");
        }
    }

    #[test]
    fn an_address_holds_no_password() {
        for url in [
            "http://user:canary@proxy.example:3128",
            "http://user@proxy.example:3128",
            "http://user:can#ary@proxy.example:3128",
            "https://user:canary@proxy.example",
            "user:canary@proxy.example",
        ] {
            let error = Proxy::new(url).unwrap_err();
            assert_eq!(error, ConfigError::ProxyUserInfo, "{url}");
            assert!(!format!("{error} {error:?}").contains("ary"), "{url}");
        }
    }

    #[test]
    fn credentials_are_what_a_header_can_say() {
        let with = |user: &str, password: &str| {
            let proxy = Proxy::new("http://proxy.example:3128").unwrap();
            proxy.with_credentials(user, &Secret::new(password))
        };
        // Source: RFC 7617, section 2, its example.
        let proxy = with("Aladdin", "open sesame").unwrap();
        let header = proxy.authorization.as_ref().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(header.is_sensitive());
        // Source: RFC 7617, section 2.1: the same in UTF-8.
        let header = with("test", "123\u{a3}").unwrap().authorization.unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic dGVzdDoxMjPCow==");
        assert!(with("user", "pass:word").is_ok());
        for (user, password) in [("us:er", "x"), ("us\r\ner", "x"), ("user", "x\n"), ("user", "\0")]
        {
            let refused = Err(ConfigError::BadProxyCredentials);
            assert_eq!(with(user, password), refused, "{user:?} {password:?}");
        }
    }

    #[test]
    fn credentials_are_not_printed() {
        let proxy = Proxy::new("http://proxy.example:3128").unwrap();
        let proxy = proxy.with_credentials("Aladdin", &Secret::new("open sesame")).unwrap();
        assert_eq!(
            format!("{proxy:?}"),
            "Proxy { address: http://proxy.example:3128/, credentials: true }"
        );
        let tunnel = format!("{:?}", proxy.tunnel(()));
        for secret in ["Aladdin", "sesame", "QWxhZGRpbj"] {
            assert!(!tunnel.contains(secret), "{tunnel}");
        }
    }
}

//! The real transport: pooled connections over hyper and rustls, HTTP/1.1 and 2, straight or through a
//! proxy; knows nothing of services, signatures or retries.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::header::{CONNECTION, HeaderValue};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::config::{ConfigError, Connections, Settings, Trust};
use crate::endpoint::is_loopback;
use crate::proxy::Proxy;
use crate::transport::{BoxFuture, Transport, TransportError, TransportErrorKind};

/// Connections are kept open for this long without a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Pooled connections; cloning shares the pool.
#[derive(Clone)]
pub struct HyperTransport {
    pool: Pool,
    connections: Connections,
}

type Pool = Client<Timed<HttpsConnector<Route>>, Full<Bytes>>;

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HyperTransport")
    }
}

impl HyperTransport {
    /// Connections that trust what the settings name, and nothing else, and go the way that they
    /// name. Of the settings only `trust`, `proxy`, `connections`, `connect_timeout` and, for how soon a
    /// connection that says nothing is given up, `attempt_timeout` are used.
    ///
    /// # Errors
    /// [`ConfigError`] when there is nothing to trust.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        // The endpoint decides about plain HTTP: it is allowed on loopback only.
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(&settings.trust)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(Route::new(settings.proxy.as_ref()));
        let connector = Timed { connector, timeout: settings.connect_timeout };
        // A connection of HTTP/2 outlives its requests. One that is dead, and was never closed, would
        // swallow every try, so it is asked for a sign of life within the time of one.
        let pool = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(settings.attempt_timeout / 8)
            .http2_keep_alive_timeout(settings.attempt_timeout / 4)
            .build(connector);
        Ok(Self { pool, connections: settings.connections })
    }
}

impl Transport for HyperTransport {
    fn call(
        &self,
        mut request: http::Request<Bytes>,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        if self.connections == Connections::ForOneRequest {
            // HTTP/2 has no such header, and leaves it out.
            let close = HeaderValue::from_static("close");
            request.headers_mut().insert(CONNECTION, close);
        }
        let exchange = exchange(&self.pool, request, body_bytes_max);
        Box::pin(async move {
            match tokio::time::timeout(timeout, exchange).await {
                Ok(answer) => answer,
                Err(_) => Err(TransportError::new(TransportErrorKind::Timeout)),
            }
        })
    }
}

/// The bare connection: straight to the host, or through the tunnel of a proxy. A proxy has no way to
/// this machine, so what is on it is always reached straight.
#[derive(Clone)]
struct Route {
    straight: HttpConnector,
    tunnel: Option<Tunnel<HttpConnector>>,
}

impl Route {
    fn new(proxy: Option<&Proxy>) -> Self {
        let mut straight = HttpConnector::new();
        straight.set_nodelay(true);
        straight.enforce_http(false);
        let tunnel = proxy.map(|proxy| proxy.tunnel(straight.clone()));
        Self { straight, tunnel }
    }
}

impl Service<Uri> for Route {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        ready!(self.straight.poll_ready(context))?;
        match &mut self.tunnel {
            Some(tunnel) => tunnel.poll_ready(context).map_err(Into::into),
            None => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match &mut self.tunnel {
            Some(tunnel) if !to.host().is_some_and(is_loopback) => {
                let connecting = tunnel.call(to);
                Box::pin(async { Ok(connecting.await?) })
            }
            _ => {
                let connecting = self.straight.call(to);
                Box::pin(async { Ok(connecting.await?) })
            }
        }
    }
}

/// A connector that has so long for all of it: the name, the connection, the proxy and the handshake.
/// Whatever it has not done by then was no request.
#[derive(Clone)]
struct Timed<C> {
    connector: C,
    timeout: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error = Box<dyn StdError + Send + Sync>>,
    C::Future: Send + 'static,
    C::Response: Send,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = BoxFuture<'static, Result<C::Response, C::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connected = tokio::time::timeout(self.timeout, self.connector.call(to));
        Box::pin(async move { connected.await? })
    }
}

async fn exchange(
    client: &Pool,
    request: http::Request<Bytes>,
    body_bytes_max: usize,
) -> Result<http::Response<Bytes>, TransportError> {
    let answer = client.request(request.map(Full::new)).await.map_err(|error| {
        // Only a connection that was never made is proof that nothing was sent.
        let kind = match error.is_connect() {
            true => TransportErrorKind::Connect,
            false => TransportErrorKind::Interrupted,
        };
        TransportError::with_source(kind, error)
    })?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, body_bytes_max).collect().await.map_err(|error| {
        let kind = match error.is::<LengthLimitError>() {
            true => TransportErrorKind::TooLarge,
            false => TransportErrorKind::Interrupted,
        };
        TransportError::with_source(kind, error)
    })?;
    Ok(http::Response::from_parts(parts, body.to_bytes()))
}

fn tls(trust: &Trust) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    if matches!(trust, Trust::System | Trust::SystemAnd(_)) {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    if let Trust::SystemAnd(pem) | Trust::Only(pem) = trust {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| ConfigError::BadCertificate)?;
            roots.add(certificate).map_err(|_| ConfigError::BadCertificate)?;
        }
    }
    if roots.is_empty() {
        return Err(ConfigError::NothingTrusted);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::NothingTrusted)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

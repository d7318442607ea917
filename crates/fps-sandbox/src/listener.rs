//! A sandbox that listens: TLS or plain, HTTP/1.1 or HTTP/2, within limits, until it is stopped.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::gate::Gate;
use crate::sandbox::Config;
use crate::tls::{self, Tls};

/// The most connections at one time; more wait until one ends.
const CONNECTIONS_MAX: usize = 1_024;
/// How long the head of a request may take to arrive; a connection that is kept open without one ends
/// then, too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the two sides may take to agree on a connection.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a head.
const HEAD_BYTES_MAX: u32 = 64 * 1024;
/// The most requests at one time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// How long a stop waits for answers that are under way.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long nothing is accepted when the machine has no more connections to give.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A running sandbox: an [`App`] that listens. Dropping it ends it without ceremony; [`Sandbox::stop`]
/// waits for answers that are under way.
pub struct Sandbox {
    app: App,
    ca_pem: String,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Deref for Sandbox {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Sandbox {
    /// Starts to listen, on loopback if nothing else is configured.
    ///
    /// # Errors
    /// [`Error`] when the address is taken or the database cannot be opened; nothing is left behind.
    pub async fn start(config: Config) -> Result<Self, Error> {
        if !config.bind.is_loopback() && config.control_token.is_none() {
            let reason = "an address that others can reach needs a control token";
            return Err(Error::with(ErrorKind::Listen, reason));
        }
        let listener = bind(SocketAddr::new(config.bind, config.port)).await?;
        let port = listener.local_addr().map_err(listen_error)?.port();
        let (tls, ca_pem) = if config.http {
            (None, String::new())
        } else {
            let Tls { server, ca_pem } = tls::prepare(&config)?;
            (Some(TlsAcceptor::from(server)), ca_pem)
        };
        let scheme = if config.http { "http" } else { "https" };
        let app = App::open(&config, format!("{scheme}://{}:{port}", name_of(config.bind))).await?;
        let (stop, stopped) = watch::channel(false);
        let door = Door { gate: Arc::new(app.gate()), tls, stopped };
        let server = tokio::spawn(door.serve(listener));
        Ok(Self { app, ca_pem, stop, server })
    }

    /// The authority that signed the listener's certificate, as PEM: what a client must trust. Empty
    /// without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Stops listening, waits for answers that are under way, for a few seconds, and closes the
    /// database.
    ///
    /// # Errors
    /// [`Error`] when the server had failed.
    pub async fn stop(mut self) -> Result<(), Error> {
        // A server that is gone has stopped, too.
        let _gone = self.stop.send(true);
        let served = (&mut self.server).await;
        self.app.close().await;
        served.map_err(|error| Error::with(ErrorKind::Serve, error))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The name by which the machine calls an address of its own.
fn name_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => "localhost".to_owned(),
        address if address.is_unspecified() => "localhost".to_owned(),
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(listen_error)
}

fn listen_error(error: std::io::Error) -> Error {
    Error::with(ErrorKind::Listen, error)
}

/// What every connection needs.
#[derive(Clone)]
struct Door {
    gate: Arc<Gate>,
    tls: Option<TlsAcceptor>,
    stopped: watch::Receiver<bool>,
}

impl Door {
    /// Accepts connections until it is told to stop; then waits for those that are busy.
    async fn serve(mut self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                _ = self.stopped.wait_for(|stopped| *stopped) => break,
                accepted = accept(&listener, &places) => accepted,
            };
            match accepted {
                Some((stream, place)) => {
                    let door = self.clone();
                    connections.spawn(async move {
                        door.talk(stream).await;
                        drop(place);
                    });
                }
                None => clock::pause(AFTER_FAILURE).await,
            }
        }
        drop(listener);
        let ends = async { while connections.join_next().await.is_some() {} };
        // Those that are still busy then are aborted with the set.
        let _late = tokio::time::timeout(STOP_GRACE, ends).await;
    }

    async fn talk(self, stream: TcpStream) {
        // Without it, small answers wait; a stream that cannot be told so is none for long.
        drop(stream.set_nodelay(true));
        let Some(tls) = &self.tls else {
            return self.serve_connection(stream, false).await;
        };
        let agreed = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
        // Who cannot agree has no way to be told.
        let Ok(Ok(stream)) = agreed else { return };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.serve_connection(stream, http2).await;
    }

    /// Without TLS there is HTTP/1.1 alone: nobody says which it is before he speaks.
    async fn serve_connection(
        mut self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        http2: bool,
    ) {
        let gate = Arc::clone(&self.gate);
        let service = service_fn(move |request| {
            let gate = Arc::clone(&gate);
            async move { gate.answer(request).await }
        });
        let builder = limited(http2);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // How a connection ends, and whether it was by a fault, is for the client to find out.
        tokio::select! {
            _ended = connection.as_mut() => return,
            _ = self.stopped.wait_for(|stopped| *stopped) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ended = connection.await;
    }
}

/// The next connection, as soon as there is a place for it; nothing if the machine has none to give.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}

fn limited(http2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(usize::try_from(HEAD_BYTES_MAX).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(HEAD_TIMEOUT)
        .keep_alive_timeout(HEAD_TIMEOUT);
    if http2 { builder.http2_only() } else { builder.http1_only() }
}

//! Connections over TLS on loopback, straight and through a proxy with `CONNECT`: who sees what, what a
//! proxy that does not help means for money, which version of HTTP is spoken, and how often is connected.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::convert::Infallible;
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fps_http::testing::Inbox;
use fps_http::{
    CertificateFetcher, Client, Connections, Error, ErrorKind, FlexiblePaymentsConfig, Phase,
    Proxy, RetryPolicy, Settings, Trust,
};
use fps_model::CallerReference;
use fps_model::flexible_payments::Refund;
use fps_sign::query::Credentials;
use fps_sign::{CertificateOrigin, Secret};
use http::Version;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A name that cannot be looked up: whoever reaches it went through the proxy.
const HOST: &str = "payments.invalid";
/// The same as this, in the header.
const USER: &str = "canary-user";
const PASSWORD: &str = "canary-password";
const BASIC: &str = "Basic Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3N3b3Jk";

const PENDING: &str = "<RefundResponse><RefundResult><TransactionId>T</TransactionId>\
    <TransactionStatus>Pending</TransactionStatus></RefundResult><ResponseMetadata>\
    <RequestId>r:0</RequestId></ResponseMetadata></RefundResponse>";
const CERTIFICATE: &str = include_str!("../../fps-sign/tests/keys/rsa-2048.certificate.pem");

/// What a server over TLS saw.
#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<(Version, String)>,
}

/// A service over TLS, on loopback, for two names.
struct Service {
    address: SocketAddr,
    trust: Trust,
    seen: Arc<Mutex<Seen>>,
}

impl Service {
    /// Offers these protocols in the handshake.
    async fn start(offers: &[&str]) -> Self {
        let (mut config, trust) = identity();
        config.alpn_protocols = offers.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.lock().unwrap().connections += 1;
                    tokio::spawn(serve(acceptor.clone(), stream, Arc::clone(&seen)));
                }
            }
        });
        Self { address, trust, seen }
    }

    fn settings(&self) -> Settings {
        Settings::default().with_trust(self.trust.clone()).with_retry(RetryPolicy::once())
    }

    fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    fn requests(&self) -> Vec<(Version, String)> {
        self.seen.lock().unwrap().requests.clone()
    }
}

/// A certificate for both names, and whom to trust for it.
fn identity() -> (rustls::ServerConfig, Trust) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new([HOST.to_owned(), "localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (config, Trust::Only(authority.pem()))
}

/// One connection: refunds are pending, anything else is a certificate.
async fn serve(acceptor: TlsAcceptor, stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    // A client that goes away instead is what some of the tests are about.
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let answer = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = std::str::from_utf8(&body).unwrap().to_owned();
            let answer = if body.contains("Action=Refund") { PENDING } else { CERTIFICATE };
            seen.lock().unwrap().requests.push((head.version, body));
            Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(answer))))
        }
    });
    let connection = auto::Builder::new(TokioExecutor::new());
    let _gone = connection.serve_connection(TokioIo::new(stream), answer).await;
}

/// What a proxy does with a connection.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Opens the tunnel to the service for whoever has the credentials.
    Admits,
    /// Answers with this and closes.
    Answers(&'static str),
    /// Closes without a word.
    Closes,
    /// Reads and says nothing.
    Hangs,
    /// Opens a tunnel that leads nowhere.
    LeadsNowhere,
}

/// A proxy on loopback.
struct ForwardProxy {
    url: String,
    /// What arrived, by connection: the heads of requests, and the first bytes of what followed.
    heads: Arc<Mutex<Vec<String>>>,
    tunnelled: Arc<Mutex<Vec<u8>>>,
}

impl ForwardProxy {
    async fn start(to: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (heads, tunnelled) = (Arc::default(), Arc::default());
        let proxy = Self { url, heads, tunnelled };
        let (heads, tunnelled) = (Arc::clone(&proxy.heads), Arc::clone(&proxy.tunnelled));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heads, tunnelled) = (Arc::clone(&heads), Arc::clone(&tunnelled));
                tokio::spawn(forward(stream, to, manner, heads, tunnelled));
            }
        });
        proxy
    }

    /// As a client is told of it, with the right credentials.
    fn proxy(&self) -> Proxy {
        self.with_password(PASSWORD)
    }

    fn with_password(&self, password: &str) -> Proxy {
        Proxy::new(&self.url).unwrap().with_credentials(USER, &Secret::new(password)).unwrap()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn forward(
    mut stream: TcpStream,
    to: SocketAddr,
    manner: Manner,
    heads: Arc<Mutex<Vec<String>>>,
    tunnelled: Arc<Mutex<Vec<u8>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap() == 0 {
            return;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let admitted = head.contains(&format!("\r\nProxy-Authorization: {BASIC}\r\n"));
    heads.lock().unwrap().push(head);
    let answer = match manner {
        Manner::Admits if !admitted => "407 Proxy Authentication Required",
        Manner::Admits | Manner::LeadsNowhere => "200 Connection established",
        Manner::Answers(answer) => answer,
        Manner::Closes => return,
        Manner::Hangs => {
            // Until the client goes away.
            let _gone = stream.read_buf(&mut Vec::new()).await;
            return;
        }
    };
    stream.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.unwrap();
    match manner {
        Manner::Admits if admitted => relay(stream, to, tunnelled).await,
        Manner::LeadsNowhere => {
            let mut unanswered = Vec::new();
            while stream.read_buf(&mut unanswered).await.is_ok_and(|count| count > 0) {}
        }
        _ => {}
    }
}

/// Carries bytes both ways and keeps those of the client.
async fn relay(stream: TcpStream, to: SocketAddr, tunnelled: Arc<Mutex<Vec<u8>>>) {
    let (mut from_client, mut to_client) = stream.into_split();
    let (mut from_service, mut to_service) = TcpStream::connect(to).await.unwrap().into_split();
    tokio::spawn(async move {
        let _gone = tokio::io::copy(&mut from_service, &mut to_client).await;
    });
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
        tunnelled.lock().unwrap().extend(&bytes[..count]);
        if to_service.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

fn client(url: &str, settings: &Settings) -> Client<FlexiblePaymentsConfig> {
    let credentials = Credentials::new("AKEXAMPLE", Secret::new("s"));
    Client::new(FlexiblePaymentsConfig::new(url, credentials).unwrap(), settings).unwrap()
}

fn refund() -> Refund {
    Refund::new(CallerReference::new("reference-1").unwrap(), "T")
}

/// A refund that is asked of a host beyond the proxy.
async fn refund_at_host(settings: &Settings) -> Result<(), Error> {
    client(&format!("https://{HOST}:8443/"), settings).send(&refund()).await.map(|_| ())
}

fn printed_chain(error: &Error) -> String {
    let mut text = format!("{error:?}\n{error:#?}\n");
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        text += &format!("{error}\n{error:?}\n");
        cause = error.source();
    }
    text
}

fn assert_silent(text: &str) {
    for secret in [USER, PASSWORD, BASIC, BASIC.trim_start_matches("Basic ")] {
        assert!(!text.contains(secret), "`{secret}` is in {text}");
    }
}

#[tokio::test]
async fn a_proxy_sees_a_host_and_its_credentials_and_no_word_of_the_request() {
    let service = Service::start(&["http/1.1"]).await;
    let proxy = ForwardProxy::start(service.address, Manner::Admits).await;
    refund_at_host(&service.settings().with_proxy(proxy.proxy())).await.unwrap();

    let expected = format!(
        "CONNECT {HOST}:8443 HTTP/1.1\r\nHost: {HOST}:8443\r\nProxy-Authorization: {BASIC}\r\n\r\n"
    );
    assert_eq!(proxy.heads(), [expected]);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    // The names of the request that did arrive are nowhere in what the proxy carried.
    let tunnelled = proxy.tunnelled.lock().unwrap();
    assert_eq!(tunnelled[..2], [22, 3], "it begins with a TLS handshake");
    assert!(tunnelled.len() > requests[0].1.len());
    for word in ["Action=Refund", "Signature", "AKEXAMPLE", "reference-1", "POST", BASIC] {
        let within = tunnelled.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        assert!(!within, "{word} is in plain view");
    }
    assert!(requests[0].1.contains("AKEXAMPLE") && requests[0].1.contains("reference-1"));
}

#[tokio::test]
async fn a_certificate_is_fetched_through_the_proxy_too() {
    let service = Service::start(&["http/1.1"]).await;
    let proxy = ForwardProxy::start(service.address, Manner::Admits).await;
    let fetcher = CertificateFetcher::new(&service.settings().with_proxy(proxy.proxy())).unwrap();
    let base = format!("https://{HOST}/");
    let url = CertificateOrigin::new(&base).unwrap().admit(&format!("{base}cert.pem")).unwrap();
    fetcher.fetch(&url).await.unwrap();
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")));
}

#[tokio::test]
async fn a_proxy_that_does_not_help_was_sent_nothing_that_moves_money() {
    let service = Service::start(&["http/1.1"]).await;
    for manner in [
        Manner::Answers("407 Proxy Authentication Required"),
        Manner::Answers("403 Forbidden"),
        Manner::Answers("502 Bad Gateway"),
        Manner::Answers("302 Found\r\nLocation: http://127.0.0.1/"),
        Manner::Answers("nonsense"),
        Manner::Closes,
        Manner::Hangs,
        Manner::LeadsNowhere,
    ] {
        let proxy = ForwardProxy::start(service.address, manner).await;
        let mut settings = service.settings().with_proxy(proxy.proxy());
        let endless = matches!(manner, Manner::Hangs | Manner::LeadsNowhere);
        if endless {
            settings.connect_timeout = Duration::from_millis(200);
        }
        assert_silent(&format!("{settings:?}{settings:#?}"));
        let error = refund_at_host(&settings).await.unwrap_err();
        // Were it the time limit of the try that ended it, the kind would be `Timeout`.
        let meaning = (error.kind(), error.phase(), error.is_unknown());
        assert_eq!(meaning, (ErrorKind::Connect, Phase::NotSent, false), "{manner:?}");
        assert_silent(&printed_chain(&error));
        // On a slow machine the time may be up before the proxy has read anything.
        assert!(endless || proxy.heads().len() == 1, "{manner:?}");
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn wrong_credentials_reach_no_service() {
    let service = Service::start(&["http/1.1"]).await;
    let proxy = ForwardProxy::start(service.address, Manner::Admits).await;
    for wrong in [proxy.with_password("canary-other"), Proxy::new(&proxy.url).unwrap()] {
        let error = refund_at_host(&service.settings().with_proxy(wrong)).await.unwrap_err();
        let meaning = (error.kind(), error.phase(), error.is_unknown());
        assert_eq!(meaning, (ErrorKind::Connect, Phase::NotSent, false));
        assert!(!printed_chain(&error).contains("canary"));
    }
    assert_eq!(proxy.heads().len(), 2);
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_was_sent_nothing() {
    let service = Service::start(&["http/1.1"]).await;
    // A port that was free a moment ago: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let proxy = Proxy::new(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = refund_at_host(&service.settings().with_proxy(proxy)).await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::NotSent));
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn a_proxy_cannot_answer_for_the_service() {
    // It leads to a server that has the name, and a certificate of nobody who is trusted.
    let (service, impostor) =
        (Service::start(&["http/1.1"]).await, Service::start(&["http/1.1"]).await);
    let proxy = ForwardProxy::start(impostor.address, Manner::Admits).await;
    let settings = service.settings().with_proxy(proxy.proxy());
    let error = refund_at_host(&settings).await.unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::NotSent));
    assert_eq!(impostor.connections(), 1);
    assert!(impostor.requests().is_empty());
}

#[tokio::test]
async fn this_machine_is_reached_without_the_proxy() {
    let service = Service::start(&["http/1.1"]).await;
    let proxy = ForwardProxy::start(service.address, Manner::Closes).await;
    let settings = service.settings().with_proxy(proxy.proxy());
    let local = format!("https://localhost:{}/", service.address.port());
    client(&local, &settings).send(&refund()).await.unwrap();
    let inbox = Inbox::bind().await;
    let client = client(&inbox.url("/"), &settings);
    let refund = refund();
    let (answer, _) = tokio::join!(client.send(&refund), inbox.answer(200, PENDING));
    answer.unwrap();
    assert!(proxy.heads().is_empty());
}

#[tokio::test]
async fn one_connection_serves_fifty_requests_in_the_version_that_the_server_offers() {
    // Offered, spoken.
    for (offers, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["h2"][..], Version::HTTP_2),
        (&["http/1.1"][..], Version::HTTP_11),
        (&[][..], Version::HTTP_11),
    ] {
        let service = Service::start(offers).await;
        let proxy = ForwardProxy::start(service.address, Manner::Admits).await;
        let straight =
            client(&format!("https://localhost:{}/", service.address.port()), &service.settings());
        let through =
            client(&format!("https://{HOST}:8443/"), &service.settings().with_proxy(proxy.proxy()));
        for client in [straight, through] {
            let before = service.connections();
            for _ in 0..50 {
                client.send(&refund()).await.unwrap();
            }
            assert_eq!(service.connections() - before, 1, "{offers:?}");
        }
        assert_eq!(proxy.heads().len(), 1, "{offers:?}");
        let requests = service.requests();
        assert_eq!(requests.len(), 100);
        assert!(requests.iter().all(|(spoken, _)| *spoken == version), "{offers:?}");
    }
}

#[tokio::test]
async fn a_connection_for_one_request_serves_one_unless_all_share_it_anyway() {
    for (offers, connections) in [(&["http/1.1"][..], 5), (&["h2"][..], 1)] {
        let service = Service::start(offers).await;
        let settings = service.settings().with_connections(Connections::ForOneRequest);
        let client = client(&format!("https://localhost:{}/", service.address.port()), &settings);
        for _ in 0..5 {
            client.send(&refund()).await.unwrap();
        }
        assert_eq!(service.connections(), connections, "{offers:?}");
    }
}

/// Carries connections to an address, and forgets the first of them when it is told to: nothing is
/// closed, and nothing comes through any more.
async fn forgetful(to: SocketAddr, forget: Arc<tokio::sync::Notify>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut first = Some(forget);
        while let Ok((mut near, _)) = listener.accept().await {
            let forget = first.take();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                let carried = tokio::io::copy_bidirectional(&mut near, &mut far);
                match forget {
                    None => drop(carried.await),
                    Some(forget) => tokio::select! {
                        _ = carried => {}
                        () = forget.notified() => std::future::pending().await,
                    },
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_connection_that_somebody_forgot_does_not_swallow_every_try() {
    let service = Service::start(&["h2"]).await;
    let forget = Arc::new(tokio::sync::Notify::new());
    let address = forgetful(service.address, Arc::clone(&forget)).await;
    let second = Duration::from_secs(1);
    let settings = service
        .settings()
        .with_timeouts(second, 2 * second, 60 * second)
        .with_retry(RetryPolicy::default().with_delay_first(Duration::from_millis(1)));
    let client = client(&format!("https://localhost:{}/", address.port()), &settings);
    client.send(&refund()).await.unwrap();
    forget.notify_one();
    client.send(&refund()).await.unwrap();
    assert_eq!(service.connections(), 2);
}

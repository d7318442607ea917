//! Fetching the certificates of notifications: over a script, and over TLS on loopback.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use fps_http::testing::{ScriptedTransport, Step};
use fps_http::{CertificateFetcher, Error, ErrorKind, Phase, Settings, TransportErrorKind, Trust};
use fps_sign::{CertificateOrigin, CertificateUrl};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const PEM: &str = include_str!("../../fps-sign/tests/keys/rsa-2048.certificate.pem");

fn admitted(path: &str) -> CertificateUrl {
    let origin = CertificateOrigin::new("https://fps.example/").unwrap();
    origin.admit(&format!("https://fps.example/{path}")).unwrap()
}

fn found() -> Step {
    Step::Answer(200, PEM.to_owned())
}

#[tokio::test]
async fn a_certificate_is_fetched_once_whatever_the_query() {
    let script = ScriptedTransport::new([found(), found()]);
    let fetcher = CertificateFetcher::with_transport(script.clone());
    for path in ["certs/a.pem", "certs/a.pem", "certs/a.pem?requestId=r", "certs/a.pem?x=y"] {
        fetcher.fetch(&admitted(path)).await.unwrap();
    }
    fetcher.fetch(&admitted("certs/b.pem?requestId=r")).await.unwrap();
    let lines: Vec<_> = script.sent().into_iter().map(|sent| sent.line).collect();
    assert_eq!(
        lines,
        ["GET https://fps.example/certs/a.pem", "GET https://fps.example/certs/b.pem?requestId=r"]
    );
    assert!(script.sent().iter().all(|sent| sent.headers.is_empty() && sent.body.is_empty()));
}

#[tokio::test]
async fn sixteen_certificates_are_kept_and_the_oldest_makes_room() {
    let script = ScriptedTransport::new(vec![found(); 18]);
    let fetcher = CertificateFetcher::with_transport(script.clone());
    let fetch = async |number: u32| fetcher.fetch(&admitted(&format!("{number}.pem"))).await;
    for number in 0..17 {
        fetch(number).await.unwrap();
    }
    assert_eq!(script.sent().len(), 17);
    fetch(1).await.unwrap();
    assert_eq!(script.sent().len(), 17, "still kept");
    fetch(0).await.unwrap();
    assert_eq!(script.sent().len(), 18, "made room for the last");
}

#[tokio::test]
async fn what_is_no_certificate_is_an_error_that_is_not_kept() {
    use TransportErrorKind as T;
    let page = |status: u16| Step::Answer(status, PEM.to_owned());
    // Step, kind, phase, status.
    for (step, kind, phase, status) in [
        // Even with a certificate in it, only this one status is an answer.
        (page(201), ErrorKind::Refused, Phase::Answered, Some(201)),
        (page(302), ErrorKind::Refused, Phase::Answered, Some(302)),
        (page(404), ErrorKind::Refused, Phase::Answered, Some(404)),
        (page(503), ErrorKind::Refused, Phase::Answered, Some(503)),
        (Step::Answer(200, String::new()), ErrorKind::Decode, Phase::Answered, None),
        (Step::Answer(200, "<html>".to_owned()), ErrorKind::Decode, Phase::Answered, None),
        (Step::Fail(T::Connect), ErrorKind::Connect, Phase::NotSent, None),
        (Step::Fail(T::Timeout), ErrorKind::Timeout, Phase::NotSent, None),
        (Step::Fail(T::Interrupted), ErrorKind::Interrupted, Phase::NotSent, None),
        (Step::Fail(T::TooLarge), ErrorKind::TooLarge, Phase::NotSent, None),
    ] {
        let shown = format!("{step:?}");
        let script = ScriptedTransport::new([step, found()]);
        let fetcher = CertificateFetcher::with_transport(script.clone());
        let error = fetcher.fetch(&admitted("a.pem")).await.unwrap_err();
        assert_eq!((error.kind(), error.phase(), error.status()), (kind, phase, status), "{shown}");
        assert_eq!(error.attempts(), 1, "{shown}");
        assert!(!error.is_unknown(), "no money is involved: {shown}");
        assert!(fetcher.fetch(&admitted("a.pem")).await.is_ok(), "{shown}");
        assert_eq!(script.sent().len(), 2, "{shown}");
    }
}

/// A TLS server on loopback for one request.
struct Server {
    port: u16,
    authority_pem: String,
}

/// Serves this answer once, with a certificate for this name.
fn serve(name: &str, answer: String) -> Server {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(tls, tcp);
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            // A client that does not like the certificate goes away.
            let Ok(1) = stream.read(&mut byte) else { return };
            request.extend(byte);
        }
        // A client that has read enough goes away, too.
        let _gone = stream.write_all(answer.as_bytes());
    });
    Server { port, authority_pem: authority.pem() }
}

async fn fetch_from(server: &Server, trust: &Trust) -> Result<(), Error> {
    let base = format!("https://localhost:{}/", server.port);
    let url = CertificateOrigin::new(&base).unwrap().admit(&format!("{base}cert.pem")).unwrap();
    let settings = Settings::default().with_trust(trust.clone());
    CertificateFetcher::new(&settings).unwrap().fetch(&url).await.map(|_| ())
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_certificate_comes_from_the_host_that_was_named_and_from_nobody_else() {
    let server = serve("localhost", ok(PEM));
    let trust = Trust::Only(server.authority_pem.clone());
    fetch_from(&server, &trust).await.unwrap();
    let server = serve("localhost", ok(PEM));
    let trust = Trust::SystemAnd(server.authority_pem.clone());
    fetch_from(&server, &trust).await.unwrap();

    let other_host = serve("fps.example", ok(PEM));
    let other_authority = serve("localhost", ok(PEM));
    for (server, trusted) in
        [(&other_host, &other_host.authority_pem), (&other_authority, &other_host.authority_pem)]
    {
        let error = fetch_from(server, &Trust::Only(trusted.clone())).await.unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Phase::NotSent));
    }
}

#[tokio::test]
async fn a_certificate_has_a_size_and_does_not_move() {
    let large = format!("{PEM}{}", " ".repeat(64 * 1024));
    let moved = "HTTP/1.1 302 Found\r\nlocation: /other.pem\r\ncontent-length: 0\r\n\r\n";
    for (answer, kind) in
        [(ok(&large), ErrorKind::TooLarge), (moved.to_owned(), ErrorKind::Refused)]
    {
        let server = serve("localhost", answer);
        let trust = Trust::Only(server.authority_pem.clone());
        assert_eq!(fetch_from(&server, &trust).await.unwrap_err().kind(), kind);
    }
}

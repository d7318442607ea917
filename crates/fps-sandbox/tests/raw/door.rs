//! The door: who is let in, under which name, over which connection, and within which limits.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use fps_http::{HyperTransport, Settings, Transport, Trust};
use fps_model::Params;
use fps_sandbox::{App, Config, ErrorKind, Exchange, MerchantSpec, Sandbox};
use fps_sign::query::{self, Credentials, SignatureMethod};
use fps_sign::{Secret, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, encoded, in_minutes, refund, refund_of, usd};

/// The exchange that ended last.
pub(crate) fn exchange_of(world: &World) -> Exchange {
    world.sandbox.exchanges().pop().unwrap()
}

/// What comes back until the connection ends, for bytes that are sent to a plain listener.
async fn raw(world: &World, request: &str) -> String {
    let port = world.host().rsplit_once(':').unwrap().1;
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut may end in an error; what came before counts.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8(answer).unwrap()
}

pub(crate) async fn raw_get(world: &World, uri: &str) -> String {
    let host = world.host();
    raw(world, &format!("GET {uri} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")).await
}

async fn plain_world() -> World {
    World::configured(MerchantSpec::new("Test Business"), |config| {
        config.http().allow_host("sandbox.test")
    })
    .await
}

/// Refunds of a dollar that would be carried out if they were let in: signed for the host they name.
struct Hostile {
    world: World,
    transaction: String,
    charge: String,
    sent: usize,
}

impl Hostile {
    async fn prepare() -> Self {
        let world = plain_world().await;
        let transaction = world.paid("100.00").await;
        let charge = world.charge("100.00", "3.00").await;
        Self { world, transaction, charge, sent: 0 }
    }

    fn query(&mut self, method: &str, host: &str) -> String {
        self.sent += 1;
        let reference = format!("r{}", self.sent);
        let params = encoded(&refund(&reference, &self.transaction).refund_amount(usd("1.00")));
        let merchant = &self.world.merchant;
        let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
        let target = Target::new(method, host, "/");
        let (hmac, now) = (SignatureMethod::HmacSha256, in_minutes(0).to_extended());
        let mut signed: Params = params.clone();
        for (name, value) in query::sign(&target, params.iter(), &credentials, hmac, &now) {
            signed.push(name, value);
        }
        signed.to_form()
    }

    /// The status of the answer to a GET with these headers.
    async fn get(&mut self, host: &str, headers: &str) -> u16 {
        let query = self.query("GET", host);
        let head = format!("GET /?{query} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        status(&raw(&self.world, &format!("{head}{headers}\r\n")).await)
    }

    async fn post(&mut self, host: &str, headers: &str) -> u16 {
        let form = self.query("POST", host);
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\n",
            form.len()
        );
        status(&raw(&self.world, &format!("{head}{headers}\r\n{form}")).await)
    }

    /// A request of Amazon Pay, whose signature does not depend on the host.
    async fn pay(&mut self, host: &str, headers: &str) -> u16 {
        self.sent += 1;
        let body = refund_of(&self.charge, "1.00");
        let key = format!("k{}", self.sent);
        let request = self.world.pay_request("POST", "/v2/refunds", Some(&key), &body);
        let signed = self.world.signed_pay(request);
        let mut text = format!(
            "POST /v2/refunds HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in signed.headers() {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        status(&raw(&self.world, &format!("{text}{headers}\r\n{body}")).await)
    }
}

fn status(answer: &str) -> u16 {
    assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_a_page_from_elsewhere_makes_a_browser_send_changes_nothing() {
    let mut hostile = Hostile::prepare().await;
    let own = hostile.world.host().to_owned();
    let before = hostile.world.totals().await;
    let exchanges = hostile.world.sandbox.exchanges().len();

    // Under a name that was made to mean this machine.
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.1.2.3", "sandbox"]
    {
        assert_eq!(hostile.get(host, "").await, 421, "{host}");
        assert_eq!(hostile.post(host, "").await, 421, "{host}");
        assert_eq!(hostile.pay(host, "").await, 421, "{host}");
    }
    assert_eq!(hostile.get(&own, "host: evil.example\r\n").await, 421);

    // Across origins.
    let other_port = format!("origin: http://{}1\r\n", own);
    for headers in [
        "origin: https://evil.example\r\n",
        "origin: null\r\n",
        "origin: \u{e9}\r\n",
        "origin: http://localhost\r\n",
        "sec-fetch-site: cross-site\r\n",
        "sec-fetch-site: same-site\r\n",
        "sec-fetch-site: anything\r\n",
        "sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n",
        "sec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\nsec-fetch-dest: image\r\n",
        &other_port,
    ] {
        assert_eq!(hostile.get(&own, headers).await, 403, "{headers}");
        assert_eq!(hostile.post(&own, headers).await, 403, "{headers}");
        assert_eq!(hostile.pay(&own, headers).await, 403, "{headers}");
    }
    for request in [
        "OPTIONS /v2/refunds HTTP/1.1\r\norigin: https://evil.example\r\n\
         access-control-request-method: POST\r\n",
        "GET /certs/sandbox/PKICert.pem HTTP/1.1\r\norigin: https://evil.example\r\n",
        "POST /_sandbox/reset HTTP/1.1\r\norigin: https://evil.example\r\ncontent-length: 0\r\n",
    ] {
        let request = format!("{request}host: {own}\r\nconnection: close\r\n\r\n");
        assert_eq!(status(&raw(&hostile.world, &request).await), 403, "{request}");
    }
    assert_eq!(hostile.world.totals().await, before);
    assert_eq!(hostile.world.sandbox.exchanges().len(), exchanges, "none of them got in");

    // The same requests without all that are refunds.
    for host in [own.as_str(), "sandbox.test", "127.0.0.1", "[::1]:80"] {
        assert_eq!(hostile.get(host, "").await, 200, "{host}");
    }
    let same = format!("origin: http://{own}\r\nsec-fetch-site: same-origin\r\n");
    assert_eq!(hostile.post(&own, &same).await, 200);
    assert_eq!(hostile.pay(&own, "").await, 201);
}

#[tokio::test]
async fn a_browser_may_be_sent_to_the_pages_and_by_a_button_alone() {
    let world = plain_world().await;
    let navigated = "sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\n";
    let window = format!("{navigated}sec-fetch-dest: document\r\n");
    let frame = format!("{navigated}sec-fetch-dest: iframe\r\n");
    let fetched = "origin: https://shop.example\r\nsec-fetch-site: cross-site\r\n\
                   sec-fetch-mode: cors\r\nsec-fetch-dest: empty\r\n";
    let form = format!("origin: https://shop.example\r\n{window}");
    for (request, headers, in_it) in [
        ("GET /cobranded-ui/actions/start", window.as_str(), true),
        ("GET /cobranded-ui/actions/start", &frame, false),
        ("GET /cobranded-ui/actions/start", fetched, false),
        ("POST /cobranded-ui/actions/start", &form, false),
        ("POST /pba/paypipeline", &form, true),
        ("POST /pba/paypipeline", "origin: https://shop.example\r\n", true),
        ("POST /pba/paypipeline", fetched, false),
        ("GET /pba/paypipeline", &window, false),
        ("GET /cobranded-ui-x/", &window, false),
    ] {
        let request = format!(
            "{request} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n",
            world.host()
        );
        // Unsigned, all of them go no further than to the page; the door says that it is the door.
        let answer = raw(&world, &request).await;
        assert_eq!(!answer.contains("A page from elsewhere"), in_it, "{request}: {answer}");
    }
}

#[tokio::test]
async fn bodies_and_heads_have_limits() {
    let world = plain_world().await;
    let host = world.host().to_owned();
    let declared = format!("POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: 262145\r\n\r\n");
    assert_eq!(status(&raw(&world, &declared).await), 413);
    let chunk = "x".repeat(65_537);
    let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
    let chunked = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(4)
    );
    assert_eq!(status(&raw(&world, &chunked).await), 413);
    let long = "x".repeat(40_000);
    let long = format!("x-long: {long}\r\n").repeat(10);
    let head = format!("GET / HTTP/1.1\r\nhost: {host}\r\n{long}\r\n");
    assert_eq!(status(&raw(&world, &head).await), 431);
    let broken =
        format!("POST / HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    assert_eq!(status(&raw(&world, &broken).await), 400);
    assert_eq!(status(&raw(&world, "GET / HTTP/1.0\r\n\r\n").await), 421);
}

async fn reaches(authority: &str, url: &str) -> bool {
    let settings = Settings::default().with_trust(Trust::Only(authority.to_owned()));
    let transport = HyperTransport::new(&settings).unwrap();
    let request = http::Request::get(format!("{url}/v2/nothing")).body(Bytes::new()).unwrap();
    let answer = transport.call(request, Duration::from_secs(30), 1 << 20).await;
    answer.is_ok_and(|answer| answer.status() == 404)
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

#[tokio::test]
async fn an_authority_in_a_folder_is_trusted_once() {
    let folder = tempfile::tempdir().unwrap();
    let tls = folder.path().join("made/here");
    let config = |name: &str| Config::new(folder.path().join(name)).tls_dir(&tls);
    let first = Sandbox::start(config("1.db")).await.unwrap();
    let authority = first.ca_pem().to_owned();
    let other = Sandbox::start(Config::new(folder.path().join("2.db"))).await.unwrap();
    assert!(reaches(&authority, first.url()).await);
    assert!(!reaches(&authority, other.url()).await, "another start has another authority");
    first.stop().await.unwrap();
    let again = Sandbox::start(config("1.db").allow_host("sandbox.test")).await.unwrap();
    assert_eq!(again.ca_pem(), authority);
    assert!(reaches(&authority, again.url()).await);
    assert_eq!(std::fs::read_to_string(tls.join("fps-sandbox-ca.pem")).unwrap(), authority);
    #[cfg(unix)]
    for file in std::fs::read_dir(&tls).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    std::fs::remove_file(tls.join("fps-sandbox-ca.key.pem")).unwrap();
    let error = Sandbox::start(config("3.db")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Key);
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let config = || Config::new(folder.path().join("s.db")).bind(any);
    let error = Sandbox::start(config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
    let sandbox = Sandbox::start(config().control_token(Secret::new("token"))).await.unwrap();
    assert!(reaches(sandbox.ca_pem(), sandbox.url()).await);
    let other = Sandbox::start(Config::new(folder.path().join("o.db")).bind([127, 0, 0, 2].into()));
    assert!(other.await.unwrap().url().starts_with("https://127.0.0.2:"));
}

/// The sandbox behind a listener that is not its own.
#[tokio::test]
async fn an_app_can_be_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let app = App::open(&Config::new(folder.path().join("s.db")), &*url).await.unwrap();
    assert_eq!(app.url(), url);
    let router = app.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let transport = HyperTransport::new(&Settings::default()).unwrap();
    let get = || http::Request::get(format!("{url}/v2/nothing")).body(Bytes::new()).unwrap();
    let answer = transport.call(get(), Duration::from_secs(30), 1 << 20).await.unwrap();
    assert_eq!(answer.status(), 404);
    app.add_fault(fps_sandbox::FaultRule::new(fps_sandbox::Fault::DropBefore)).unwrap();
    let dropped = transport.call(get(), Duration::from_secs(30), 1 << 20).await;
    assert!(dropped.is_err());
    server.abort();
    app.close().await;
}

#[tokio::test]
async fn what_was_begun_is_done_though_the_client_has_gone() {
    let mut hostile = Hostile::prepare().await;
    let host = hostile.world.host().to_owned();
    // It is gone for long when the request is carried out.
    let rule = fps_sandbox::FaultRule::new(fps_sandbox::Fault::Delay { millis: 200 });
    hostile.world.sandbox.add_fault(rule).unwrap();
    let query = hostile.query("GET", &host);
    let port = host.rsplit_once(':').unwrap().1;
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    let request = format!("GET /?{query} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    drop(stream);
    let refunded = async {
        loop {
            let totals = hostile.world.totals().await;
            if totals.iter().any(|totals| totals.refunded == usd("1.00")) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refunded).await.unwrap();
}

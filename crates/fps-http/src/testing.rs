//! For tests of code that sends, and for nothing else: a transport that follows a script, a clock that
//! does not wait, and an address that things can be posted to. A test that waits here in vain panics.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fps_model::Timestamp;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::clock::Clock;
use crate::transport::{BoxFuture, Transport, TransportError, TransportErrorKind};

/// What a scripted transport does with a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Answers with this status and body.
    Answer(u16, String),
    /// Answers with this status and a `Retry-After` in seconds.
    RetryAfter(u16, u64),
    /// Fails in this way.
    Fail(TransportErrorKind),
}

/// A request as the transport saw it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sent {
    /// Method, a blank, and the whole address.
    pub line: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Sent {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Answers each request with the next step of a script and keeps what was sent. Without a step left
/// it refuses the connection.
#[derive(Clone, Debug, Default)]
pub struct ScriptedTransport(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    steps: VecDeque<Step>,
    sent: Vec<Sent>,
}

impl ScriptedTransport {
    /// With a script.
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self(Arc::new(Mutex::new(Script { steps, sent: Vec::new() })))
    }

    /// What was sent so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, request: &http::Request<Bytes>) -> Step {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\\"", "\"");
        let headers = request.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())));
        let sent = Sent {
            line: format!("{} {}", request.method(), request.uri()),
            headers: headers.collect(),
            body: text(request.body()),
        };
        let mut script = self.lock();
        script.sent.push(sent);
        script.steps.pop_front().unwrap_or(Step::Fail(TransportErrorKind::Connect))
    }
}

impl Transport for ScriptedTransport {
    fn call(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
        _body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let step = self.next(&request);
        Box::pin(async move {
            let answer = |status: u16, body: String| {
                let mut answer = http::Response::new(Bytes::from(body));
                *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
                answer
            };
            match step {
                Step::Answer(status, body) => Ok(answer(status, body)),
                Step::RetryAfter(status, seconds) => {
                    let mut answer = answer(status, String::new());
                    answer.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
                    Ok(answer)
                }
                Step::Fail(kind) => Err(TransportError::new(kind)),
            }
        })
    }
}

/// A clock that stands still until somebody sleeps, and then jumps. It keeps the sleeps.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Time>>);

#[derive(Debug)]
struct Time {
    start_millis: i64,
    elapsed: Duration,
    sleeps: Vec<Duration>,
}

impl ManualClock {
    /// Standing at a point in time.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        let start_millis = start.unix_millis();
        let time = Time { start_millis, elapsed: Duration::ZERO, sleeps: Vec::new() };
        Self(Arc::new(Mutex::new(time)))
    }

    /// How long each sleep was.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().sleeps.clone()
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let mut time = self.lock();
        time.elapsed = time.elapsed.saturating_add(duration);
    }

    fn lock(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let time = self.lock();
        let elapsed = i64::try_from(time.elapsed.as_millis()).unwrap_or(i64::MAX);
        let millis = time.start_millis.saturating_add(elapsed);
        Timestamp::from_unix_millis(millis).expect("a date before the year 10000")
    }

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.lock().sleeps.push(duration);
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

/// How long a request is waited for.
const INBOX_TIMEOUT: Duration = Duration::from_secs(30);

/// An address on loopback, without TLS, whose requests are answered one by one, as the test says.
#[derive(Debug)]
pub struct Inbox(TcpListener);

impl Inbox {
    /// On a free port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    /// The address of a path.
    ///
    /// # Panics
    /// When the system does not know the port.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let port = self.0.local_addr().expect("the address of a listener").port();
        format!("http://127.0.0.1:{port}{path}")
    }

    /// Takes the next request, answers it, and closes the connection.
    ///
    /// # Panics
    /// When no request comes within 30 seconds, or it is cut short.
    pub async fn answer(&self, status: u16, body: &str) -> Sent {
        let exchange = async {
            let (mut stream, _) = self.0.accept().await.expect("a connection");
            let sent = read_request(&mut stream).await.expect("a whole request");
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.expect("an open connection");
            sent
        };
        tokio::time::timeout(INBOX_TIMEOUT, exchange).await.expect("a request in time")
    }
}

/// A request with a stated length, or none.
async fn read_request(stream: &mut TcpStream) -> Option<Sent> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = std::str::from_utf8(&bytes).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let headers = headers.lines().filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        let sent =
            Sent { line: line.to_owned(), headers: headers.collect(), body: body.to_owned() };
        let length = sent.header("content-length").unwrap_or("0").parse().ok()?;
        if body.len() >= length {
            return Some(sent);
        }
    }
}

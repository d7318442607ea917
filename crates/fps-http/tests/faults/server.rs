//! A server on loopback that plays Create Refund of Amazon Pay with its idempotency keys, and goes wrong
//! on demand; it asserts nothing and knows nothing of the client.
//!
//! What goes wrong is a function of the key and of the number of the try with that key, so that the same
//! plan does the same whatever the interleaving of connections.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fps_model::amazon_pay::{ApiVersion, CreateRefund, Refund, RefundState, RefundStatusDetails};
use fps_model::{Answer, JsonRequest, Serve as _, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How long the largest answer is, when it is too large.
pub(crate) const OVERSIZE_BYTES: usize = 64 * 1024;
/// Between two bytes of an answer that only drips.
const DRIP: Duration = Duration::from_millis(5);

/// What goes wrong with a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is reset with the request unread.
    ResetUnread,
    /// It is reset when the request was read and before it is carried out.
    ResetUnexecuted,
    /// The request is carried out, and the connection closed without a byte.
    DropCommitted,
    /// It is carried out, and the connection reset within the head of the answer.
    ResetInHead,
    /// It is carried out, and the connection closed within the body of the answer.
    TruncateBody,
    /// It is carried out, and the answer held back for as long as the client stays.
    HoldAnswer,
    /// It is carried out, and the answer comes byte by byte and has no end.
    DripAnswer,
    /// It is carried out, and the answer comes twice.
    AnswerTwice,
    /// This status, and it is not carried out.
    FailUnexecuted(u16),
    /// It is carried out, and the answer is this status.
    FailCommitted(u16),
    /// 429, perhaps with a time to wait, in seconds.
    Throttle(Option<u32>),
    /// It is carried out, and the answer is a very long one.
    Oversize,
    /// It is carried out, and the answer is of another world.
    Garbage,
}

impl Fault {
    /// Is the refund made all the same?
    fn is_committed(self) -> bool {
        !matches!(
            self,
            Self::ResetUnread | Self::ResetUnexecuted | Self::FailUnexecuted(_) | Self::Throttle(_)
        )
    }
}

/// What goes wrong with the try of this number with this key, counted from 1.
pub(crate) type Plan = Box<dyn Fn(&str, usize) -> Option<Fault> + Send + Sync>;

/// One try, as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) fault: Option<Fault>,
    /// These three only if it was read.
    pub(crate) date: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

/// What the server knows.
#[derive(Default)]
pub(crate) struct Books {
    /// By key: the body and the refund that it led to, once.
    refunds: HashMap<String, (String, Refund)>,
    /// By key.
    tries: HashMap<String, Vec<Try>>,
    /// How many refunds were made whose first answer did not arrive as it should.
    pub(crate) lost_answers: usize,
}

impl Books {
    /// Every refund that was made, by key.
    pub(crate) fn refunds(&self) -> impl Iterator<Item = (&str, &Refund)> {
        self.refunds.iter().map(|(key, (_, refund))| (key.as_str(), refund))
    }

    pub(crate) fn refund(&self, key: &str) -> Option<&Refund> {
        self.refunds.get(key).map(|(_, refund)| refund)
    }

    pub(crate) fn tries(&self) -> &HashMap<String, Vec<Try>> {
        &self.tries
    }

    /// Carries a request out, or finds what it led to before.
    fn execute(&mut self, key: &str, body: &str, fault: Option<Fault>) -> (u16, String) {
        let number = self.refunds.len() + 1;
        let (earlier, refund) = self.refunds.entry(key.to_owned()).or_insert_with(|| {
            self.lost_answers += usize::from(!matches!(fault, None | Some(Fault::AnswerTwice)));
            let id = format!("S01-0000000-0000000-R{number:06}");
            (body.to_owned(), made(key, body, id))
        });
        if earlier != body {
            return (400, r#"{"reasonCode":"DuplicateIdempotencyKey","message":""}"#.to_owned());
        }
        let answer = Answer::new(refund.clone(), None);
        let answer = CreateRefund::write_answer(&answer, ApiVersion::V2);
        (201, String::from_utf8(answer).unwrap())
    }
}

/// The refund that a request asks for.
fn made(key: &str, body: &str, id: String) -> Refund {
    let request = JsonRequest::new("POST", "/refunds").with_key(key).with_body(body);
    let request = CreateRefund::read(&request, ApiVersion::V2).unwrap();
    let created = Timestamp::parse("2026-11-21T09:24:08Z").unwrap();
    let status = RefundStatusDetails::new(RefundState::RefundInitiated);
    Refund::new(id, request.charge_id, request.refund_amount, created, status)
}

/// The server. It ends with the runtime of its test.
pub(crate) struct Server {
    pub(crate) url: String,
    books: Arc<Mutex<Books>>,
}

impl Server {
    pub(crate) fn start(plan: Plan) -> Self {
        Closed::reserve(plan).open()
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
    }
}

/// A server whose port is taken, and where nobody listens yet: connections are refused.
pub(crate) struct Closed {
    socket: TcpSocket,
    pub(crate) url: String,
    plan: Plan,
}

impl Closed {
    pub(crate) fn reserve(plan: Plan) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        Self { socket, url, plan }
    }

    pub(crate) fn open(self) -> Server {
        let Self { socket, url, plan } = self;
        let books = Arc::default();
        tokio::spawn(accept(socket.listen(1024).unwrap(), Arc::new(plan), Arc::clone(&books)));
        Server { url, books }
    }
}

fn lock(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, plan: Arc<Plan>, books: Arc<Mutex<Books>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (plan, books) = (Arc::clone(&plan), Arc::clone(&books));
        tokio::spawn(async move {
            stream.set_nodelay(true).unwrap();
            // Clients go away in the middle, and that is what some of the tests are about.
            let _gone = serve(stream, &plan, &books).await;
        });
    }
}

/// One request after the other, until a fault or the client ends it.
async fn serve(mut stream: TcpStream, plan: &Plan, books: &Mutex<Books>) -> io::Result<()> {
    while let Some(key) = key_of_unread(&stream).await? {
        let (number, fault) = {
            let mut books = lock(books);
            let tries = books.tries.entry(key.clone()).or_default();
            let fault = plan(&key, tries.len() + 1);
            tries.push(Try { fault, ..Try::default() });
            (tries.len() - 1, fault)
        };
        if fault == Some(Fault::ResetUnread) {
            return stream.set_zero_linger();
        }
        let seen = Try { fault, ..read(&mut stream).await? };
        let answer = {
            let mut books = lock(books);
            books.tries.get_mut(&key).unwrap()[number] = seen.clone();
            match fault {
                Some(fault) if !fault.is_committed() => None,
                _ => Some(books.execute(&key, &seen.body, fault)),
            }
        };
        let (status, body) = answer.unwrap_or_default();
        match fault {
            None => stream.write_all(&message(status, "", &body)).await?,
            Some(fault) => {
                if !misbehave(&mut stream, fault, &message(status, "", &body)).await? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Answers in this manner; is the connection good for another request?
async fn misbehave(stream: &mut TcpStream, fault: Fault, answer: &[u8]) -> io::Result<bool> {
    match fault {
        Fault::ResetUnread | Fault::ResetUnexecuted => {
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Fault::DropCommitted => return Ok(false),
        Fault::ResetInHead => {
            stream.write_all(&answer[..20]).await?;
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Fault::TruncateBody => {
            stream.write_all(&answer[..answer.len() - 10]).await?;
            return Ok(false);
        }
        Fault::HoldAnswer => {
            stream.read_buf(&mut Vec::new()).await?;
            return Ok(false);
        }
        Fault::DripAnswer => {
            drip(stream).await?;
            return Ok(false);
        }
        Fault::AnswerTwice => stream.write_all(&answer.repeat(2)).await?,
        Fault::FailUnexecuted(status) | Fault::FailCommitted(status) => {
            let body = r#"{"reasonCode":"InternalServerError","message":""}"#;
            stream.write_all(&message(status, "", body)).await?;
        }
        Fault::Throttle(wait) => {
            let wait = wait.map(|seconds| format!("retry-after: {seconds}\r\n"));
            let body = r#"{"reasonCode":"TooManyRequests","message":""}"#;
            stream.write_all(&message(429, &wait.unwrap_or_default(), body)).await?;
        }
        Fault::Oversize => {
            stream.write_all(&message(201, "", &" ".repeat(OVERSIZE_BYTES))).await?;
        }
        Fault::Garbage => stream.write_all(&message(201, "", "<html>It works!</html>")).await?,
    }
    Ok(true)
}

/// A head, and a body that is never whole: a byte at a time for as long as the client stays.
async fn drip(stream: &mut TcpStream) -> io::Result<()> {
    let head = b"HTTP/1.1 201 -\r\ncontent-length: 1000000\r\n\r\n";
    for byte in head.iter().chain(std::iter::repeat(&b' ')) {
        stream.write_all(std::slice::from_ref(byte)).await?;
        let gone = stream.read_u8();
        if tokio::time::timeout(DRIP, gone).await.is_ok() {
            break;
        }
    }
    Ok(())
}

fn message(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n\
         x-amz-pay-request-id: r\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// The key of the next request, which stays unread; nothing when the client is done.
async fn key_of_unread(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut bytes = [0; 4096];
    loop {
        let count = stream.peek(&mut bytes).await?;
        let text = std::str::from_utf8(&bytes[..count]).unwrap();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            return Ok(Some(header(head, "x-amz-pay-idempotency-key")));
        }
        assert!(count < bytes.len(), "a head of {count} bytes");
        if count == 0 {
            return Ok(None);
        }
        // The rest is on its way.
        tokio::task::yield_now().await;
    }
}

/// Takes one request off the connection.
async fn read(stream: &mut TcpStream) -> io::Result<Try> {
    let mut bytes = Vec::new();
    loop {
        let text = std::str::from_utf8(&bytes).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= header(head, "content-length").parse().unwrap()
        {
            return Ok(Try {
                fault: None,
                date: header(head, "x-amz-pay-date"),
                authorization: header(head, "authorization"),
                body: body.to_owned(),
            });
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn header(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.into_iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
    found.ok_or(name).unwrap().1.to_owned()
}

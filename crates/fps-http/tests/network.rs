//! The real transport against servers on loopback that answer too much, too little, too late or never.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::time::Duration;

use fps_http::{
    Client, Error, ErrorKind, FlexiblePaymentsConfig, Phase, RetryPolicy, Settings, Trust,
};
use fps_model::flexible_payments::{Refund, RefundResult};
use fps_model::{Answer, CallerReference};
use fps_sign::Secret;
use fps_sign::query::Credentials;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PENDING: &str = "<RefundResponse><RefundResult><TransactionId>T</TransactionId>\
    <TransactionStatus>Pending</TransactionStatus></RefundResult><ResponseMetadata>\
    <RequestId>r:0</RequestId></ResponseMetadata></RefundResponse>";

/// How the other side ends after what it had to say.
#[derive(Clone, Copy, Debug)]
enum Then {
    Close,
    Hold,
}

/// An address where every request is answered with these bytes.
async fn serve(answer: String, then: Then) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            // The name of the last parameter: the request has arrived.
            let mut request = Vec::new();
            while !request.windows(11).any(|name| name == b"&Signature=") {
                if stream.read_buf(&mut request).await.unwrap() == 0 {
                    break;
                }
            }
            // The client may have gone by now, and that is what some of the tests are about.
            let _gone = stream.write_all(answer.as_bytes()).await;
            match then {
                Then::Close => drop(stream),
                Then::Hold => held.push(stream),
            }
        }
    });
    format!("http://127.0.0.1:{port}")
}

async fn refund(url: &str, settings: Settings) -> Result<Answer<RefundResult>, Error> {
    let credentials = Credentials::new("AKEXAMPLE", Secret::new("s"));
    let config = FlexiblePaymentsConfig::new(url, credentials).unwrap();
    let client = Client::new(config, &settings.with_retry(RetryPolicy::once())).unwrap();
    client.send(&Refund::new(CallerReference::new("reference-1").unwrap(), "T")).await
}

/// Kind, phase, is it unknown.
fn meaning(error: &Error) -> (ErrorKind, Phase, bool) {
    (error.kind(), error.phase(), error.is_unknown())
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_no_byte_further() {
    let size = PENDING.len();
    let stated = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{PENDING}");
    let (head, tail) = PENDING.split_at(100);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\n{head}\r\n{:x}\r\n{tail}\r\n\
         0\r\n\r\n",
        tail.len()
    );
    let until_the_end = format!("HTTP/1.1 200 OK\r\n\r\n{PENDING}");
    for (answer, then) in
        [(stated, Then::Hold), (chunked, Then::Hold), (until_the_end, Then::Close)]
    {
        let url = serve(answer.clone(), then).await;
        let with_limit = |limit| {
            let mut settings = Settings::default();
            settings.body_bytes_max = limit;
            refund(&url, settings)
        };
        assert!(with_limit(size).await.is_ok(), "{answer}");
        let error = with_limit(size - 1).await.unwrap_err();
        let too_large = (ErrorKind::TooLarge, Phase::Answered, true);
        assert_eq!(meaning(&error), too_large, "{answer}");
    }
}

#[tokio::test]
async fn a_limit_holds_for_a_body_of_unstated_length() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let url = serve(head + &"8\r\n<!------\r\n".repeat(1_000), Then::Hold).await;
    let mut settings = Settings::default();
    settings.body_bytes_max = 1_024;
    let error = refund(&url, settings).await.unwrap_err();
    assert_eq!(meaning(&error), (ErrorKind::TooLarge, Phase::Answered, true));
}

#[tokio::test]
async fn an_answer_that_is_cut_short_may_stand_for_a_refund() {
    for answer in [
        "",
        "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n<RefundResponse>",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n<RefundResponse>\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
    ] {
        let url = serve(answer.to_owned(), Then::Close).await;
        let error = refund(&url, Settings::default()).await.unwrap_err();
        let interrupted = (ErrorKind::Interrupted, Phase::MaybeSent, true);
        assert_eq!(meaning(&error), interrupted, "{answer}");
    }
}

#[tokio::test]
async fn a_try_ends_in_time_wherever_the_answer_stops() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n<RefundResponse>",
    ] {
        let url = serve(answer.to_owned(), Then::Hold).await;
        let mut settings = Settings::default();
        settings.attempt_timeout = Duration::from_millis(100);
        let error = refund(&url, settings).await.unwrap_err();
        let timeout = (ErrorKind::Timeout, Phase::MaybeSent, true);
        assert_eq!(meaning(&error), timeout, "{answer}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_was_no_request() {
    // The system takes the connection; nobody ever reads what arrives.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut settings = Settings::default().with_trust(Trust::Only(authority()));
    settings.connect_timeout = Duration::from_millis(100);
    let error = refund(&format!("https://127.0.0.1:{port}"), settings).await.unwrap_err();
    assert_eq!(meaning(&error), (ErrorKind::Connect, Phase::NotSent, false));
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    // A port that was free a moment ago: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refund(&format!("http://127.0.0.1:{port}"), Settings::default()).await.unwrap_err();
    assert_eq!(meaning(&error), (ErrorKind::Connect, Phase::NotSent, false));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = serve(format!("HTTP/1.1 200 OK\r\n\r\n{PENDING}"), Then::Close).await;
    let moved =
        format!("HTTP/1.1 307 Moved\r\nlocation: {elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let error = refund(&serve(moved, Then::Hold).await, Settings::default()).await.unwrap_err();
    assert_eq!(meaning(&error), (ErrorKind::Decode, Phase::Answered, true));
    assert_eq!(error.status(), Some(307));
}

/// Somebody to trust.
fn authority() -> String {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()
}

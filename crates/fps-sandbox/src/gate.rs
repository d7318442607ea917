//! The door of the sandbox: every request passes here on its way in, and every answer on its way out.
//! What a request means is not known here.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Frame, SizeHint};
use tower_service::Service;

use crate::exchange::{self, Exchange};
use crate::sandbox::Shared;
use crate::{browsers, ids, server};

/// The largest body of a request that is read, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long the body of a request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Nothing is answered, and the connection ends.
#[derive(Debug)]
pub(crate) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is dropped")
    }
}

impl std::error::Error for Dropped {}

/// Lets requests in and answers out.
pub(crate) struct Gate {
    shared: Arc<Shared>,
    routes: Router,
}

impl Gate {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let routes = server::router(Arc::clone(&shared));
        Self { shared, routes }
    }

    /// Answers a request, or drops it.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Result<Response, Dropped>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        if !self.shared.hosts.are_asked(&parts) {
            let why = "This sandbox is asked under its own names only; allow another one when it is \
                       started, if it is yours.\n";
            return Ok(refusal(StatusCode::MISDIRECTED_REQUEST, why));
        }
        if browsers::sent_from_elsewhere(&parts) {
            let why = "A page from elsewhere cannot send requests to this sandbox.\n";
            return Ok(refusal(StatusCode::FORBIDDEN, why));
        }
        let body = match collect(body).await {
            Ok(body) => body,
            Err(refusal) => return Ok(refusal),
        };
        let exchange =
            exchange::read(&parts, &body, self.shared.clock.moment(), &self.shared.exchanges);
        let Some(exchange) = exchange else {
            let (parts, body) = self.execute(parts, body).await.into_parts();
            return Ok(Response::from_parts(parts, Body::new(Full::new(body))));
        };
        let mut watch = Watch { exchange: Some(exchange), shared: Arc::clone(&self.shared) };
        let reply = self.execute(parts, body).await;
        watch.executed(&reply);
        Ok(Leaving::whole(reply, watch))
    }

    /// Carries a request out to its end, whatever becomes of its client in the meantime.
    async fn execute(&self, parts: Parts, body: Bytes) -> http::Response<Bytes> {
        let mut routes = self.routes.clone();
        let work = async move {
            let request = Request::from_parts(parts, Body::new(Full::new(body)));
            let response =
                routes.call(request).await.unwrap_or_else(|never: Infallible| match never {});
            let (parts, body) = response.into_parts();
            // The bodies of our own answers are all there, and cannot fail.
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            http::Response::from_parts(parts, body)
        };
        let done = tokio::spawn(ids::within(&self.shared.ids, work)).await;
        done.unwrap_or_else(|_panic| {
            let mut response = http::Response::new(Bytes::new());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }
}

/// Reads the whole body of a request.
async fn collect<B>(body: B) -> Result<Bytes, Response>
where
    B: HttpBody<Data = Bytes> + Send + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(refusal(StatusCode::BAD_REQUEST, "The body did not arrive whole.\n")),
        Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.\n")),
    }
}

fn too_large() -> Response {
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than any request to the services.\n")
}

/// The door's own refusals: neither service knows of them. The connection ends, because what is left
/// of the request may stand in it.
fn refusal(status: StatusCode, why: &'static str) -> Response {
    let mut response = Response::new(Body::from(why));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An exchange on its way; when it goes, what is known of it by then is kept.
pub(crate) struct Watch {
    exchange: Option<Exchange>,
    shared: Arc<Shared>,
}

impl Watch {
    fn executed(&mut self, reply: &http::Response<Bytes>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.executed(reply.status().as_u16(), reply.body());
        }
    }

    fn leaves(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            exchange.answered = Some(self.shared.clock.moment());
        }
    }

    /// The last byte goes: it is known before the client can know it.
    fn ended(&mut self) {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.whole = true;
            self.shared.exchanges.add(exchange);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            self.shared.exchanges.add(exchange);
        }
    }
}

/// The body of an answer as it leaves.
pub(crate) struct Leaving {
    bytes: Option<Bytes>,
    watch: Option<Watch>,
    end: End,
}

/// How the body of an answer ends.
enum End {
    Whole,
    /// It breaks off, as soon as what went before is on its way.
    BrokenOff {
        on_its_way: bool,
    },
}

impl Leaving {
    /// An answer that leaves as it is.
    fn whole(reply: http::Response<Bytes>, mut watch: Watch) -> Response {
        let (parts, bytes) = reply.into_parts();
        watch.leaves();
        if bytes.is_empty() {
            watch.ended();
        }
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        Response::from_parts(parts, Body::new(Self { bytes, watch: Some(watch), end: End::Whole }))
    }

    /// Nothing of one.
    pub(crate) const fn broken_off() -> Self {
        Self { bytes: None, watch: None, end: End::BrokenOff { on_its_way: false } }
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        let bytes = self.bytes.take();
        match (&mut self.end, bytes) {
            (End::Whole, bytes) => {
                if let Some(watch) = &mut self.watch {
                    watch.ended();
                }
                Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
            (End::BrokenOff { .. }, Some(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            (End::BrokenOff { on_its_way: true }, None) => Poll::Ready(Some(Err(Dropped))),
            (End::BrokenOff { on_its_way }, None) => {
                // The connection sends what it has before it asks again.
                *on_its_way = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::Whole) && self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.end, &self.bytes) {
            (End::Whole, bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or_default())
            }
            (End::BrokenOff { .. }, _) => SizeHint::default(),
        }
    }
}

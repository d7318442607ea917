//! An answer on its way out: whole, cut in the middle, or not at all; and what is known of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::header;
use hyper::body::{Frame, SizeHint};

use crate::exchange::Exchange;
use crate::sandbox::Shared;
use crate::server;

/// Nothing is answered, or no more of it, and the connection ends.
#[derive(Debug)]
pub(crate) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is dropped")
    }
}

impl std::error::Error for Dropped {}

/// An exchange on its way; when it goes, what is known of it by then is kept.
pub(crate) struct Watch {
    exchange: Option<Exchange>,
    shared: Arc<Shared>,
}

impl Watch {
    pub(crate) fn new(exchange: Exchange, shared: &Arc<Shared>) -> Self {
        Self { exchange: Some(exchange), shared: Arc::clone(shared) }
    }

    /// The request was carried out, or an error takes the place of its answer.
    pub(crate) fn replied(&mut self, reply: &http::Response<Bytes>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.replied(reply.status().as_u16(), reply.body());
        }
    }

    /// An error of the service that is asked, as its document.
    pub(crate) fn error(&self, status: u16) -> http::Response<Bytes> {
        self.refusal(|exchange| server::error(exchange, status))
    }

    /// What the service answers to one request too many.
    pub(crate) fn throttled(&self) -> http::Response<Bytes> {
        self.refusal(server::throttled)
    }

    fn refusal(
        &self,
        refuse: impl FnOnce(&Exchange) -> http::Response<Bytes>,
    ) -> http::Response<Bytes> {
        self.exchange.as_ref().map_or_else(http::Response::default, refuse)
    }

    /// The client is told nothing.
    pub(crate) fn untold(mut self) {
        if let Some(exchange) = &mut self.exchange {
            (exchange.status, exchange.error) = (None, None);
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
    pub(crate) fn whole(reply: http::Response<Bytes>, mut watch: Watch) -> Response {
        let (parts, bytes) = reply.into_parts();
        watch.leaves();
        if bytes.is_empty() {
            watch.ended();
        }
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        Response::from_parts(parts, Body::new(Self { bytes, watch: Some(watch), end: End::Whole }))
    }

    /// An answer that says how long it is and ends before that.
    pub(crate) fn cut(reply: http::Response<Bytes>, after: usize, mut watch: Watch) -> Response {
        let (mut parts, bytes) = reply.into_parts();
        watch.leaves();
        parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        // At least one byte is missing, or nothing would be cut.
        let sent = bytes.slice(..after.min(bytes.len().saturating_sub(1)));
        let bytes = Some(sent).filter(|bytes| !bytes.is_empty());
        let end = End::BrokenOff { on_its_way: false };
        Response::from_parts(parts, Body::new(Self { bytes, watch: Some(watch), end }))
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

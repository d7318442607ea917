//! The door of the sandbox: every request passes here on its way in, and every answer on its way out.
//! What a request means is not known here.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use tower_service::Service;

use crate::exchange;
use crate::faults::{Fault, Met};
use crate::leaving::{Dropped, Leaving, Watch};
use crate::sandbox::Shared;
use crate::{browsers, clock, control, ids, server};

/// The largest body of a request that is read, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long the body of a request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Lets requests in and answers out.
#[derive(Clone)]
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
        let most = match control::is_asked(&parts) {
            true => control::BODY_BYTES_MAX,
            false => BODY_BYTES_MAX,
        };
        let body = match collect(body, most).await {
            Ok(body) => body,
            Err(refusal) => return Ok(refusal),
        };
        let exchange =
            exchange::read(&parts, &body, self.shared.clock.moment(), &self.shared.exchanges);
        let gate = self.clone();
        let work = async move {
            let Some(mut exchange) = exchange else {
                return Ok(gate.execute(parts, body).await.map(Full::new).map(Body::new));
            };
            let met = gate.shared.faults.meet(&exchange);
            exchange.fault = met.name();
            gate.pass(parts, body, Watch::new(exchange, &gate.shared), met).await
        };
        // What has arrived is carried out to its end, whatever becomes of its client in the meantime.
        let done = tokio::spawn(ids::within(&self.shared.ids, work)).await;
        done.unwrap_or_else(|_panic| {
            Ok(refusal(StatusCode::INTERNAL_SERVER_ERROR, "The sandbox has a defect here.\n"))
        })
    }

    /// Answers a request to a service, with the faults that it meets.
    async fn pass(
        &self,
        parts: Parts,
        body: Bytes,
        mut watch: Watch,
        met: Met,
    ) -> Result<Response, Dropped> {
        if !met.delay.is_zero() {
            clock::pause(met.delay).await;
        }
        let instead = match &met.fault {
            Some(Fault::DropBefore) => {
                watch.untold();
                return Err(Dropped);
            }
            Some(Fault::ErrorBefore { status }) => Some(watch.error(*status)),
            Some(Fault::Throttle) => Some(watch.throttled()),
            _ => None,
        };
        let reply = match instead {
            Some(error) => error,
            None => {
                if met.fault == Some(Fault::Duplicate) {
                    self.execute(parts.clone(), body.clone()).await;
                }
                self.execute(parts, body).await
            }
        };
        watch.replied(&reply);
        match met.fault {
            Some(Fault::CommitThenDrop) => {
                watch.untold();
                Err(Dropped)
            }
            Some(Fault::ErrorAfter { status }) => {
                let error = watch.error(status);
                watch.replied(&error);
                Ok(Leaving::whole(error, watch))
            }
            Some(Fault::Truncate { after }) => {
                let half = reply.body().len() / 2;
                let after = after.and_then(|after| usize::try_from(after).ok()).unwrap_or(half);
                Ok(Leaving::cut(reply, after, watch))
            }
            _ => Ok(Leaving::whole(reply, watch)),
        }
    }

    /// Carries a request out.
    async fn execute(&self, parts: Parts, body: Bytes) -> http::Response<Bytes> {
        let request = Request::from_parts(parts, Body::new(Full::new(body)));
        let answered = self.routes.clone().call(request).await;
        let (parts, body) =
            answered.unwrap_or_else(|never: Infallible| match never {}).into_parts();
        // The bodies of our own answers are all there, and cannot fail.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        http::Response::from_parts(parts, body)
    }
}

/// Reads the whole body of a request.
async fn collect<B>(body: B, most: usize) -> Result<Bytes, Response>
where
    B: HttpBody<Data = Bytes> + Send + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, most).collect()).await {
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

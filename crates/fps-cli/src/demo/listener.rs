//! The merchant's address for notifications: what arrives is proved before it is handed on; decides
//! nothing about refunds.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use fps::flexible_payments::TransactionId;
use fps::{
    Arrived, CertificateFetcher, CertificateOrigin, Event, Money, NotificationError, Notifications,
    Observation, Received, RefundState, Settings, Trust,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::World;
use crate::exit::{Exit, Failure, OrFail};

const PATH: &str = "/ipn";
/// How long the end of a refund is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An address that nobody serves yet: the sandbox must be told of it before it starts.
pub(super) struct Listener {
    listener: TcpListener,
    url: String,
}

impl Listener {
    pub(super) async fn bind() -> Result<Self, Failure> {
        let what = "no port of loopback is free for notifications";
        let listener = TcpListener::bind("127.0.0.1:0").await.or_fail(what)?;
        let port = listener.local_addr().or_fail(what)?.port();
        Ok(Self { listener, url: format!("http://127.0.0.1:{port}{PATH}") })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Serves it: only what the sandbox's own certificate proves is believed.
    pub(super) fn listen(self, world: &World) -> Result<Listening, Failure> {
        let what = "notifications cannot be verified";
        let trust = Trust::Only(world.sandbox.ca_pem().to_owned());
        let settings = Settings::default().with_trust(trust);
        let origin = CertificateOrigin::new(&format!("{}/", world.sandbox.url())).or_fail(what)?;
        let fetcher = CertificateFetcher::new(&settings).or_fail(what)?;
        let (sender, proved) = mpsc::unbounded_channel();
        let desk = Desk { notifications: Notifications::new(self.url, origin, fetcher), sender };
        let router = Router::new().route(PATH, post(receive)).with_state(Arc::new(desk));
        let server = tokio::spawn(async move {
            // It ends with the demonstration, which has nothing more to learn from it then.
            drop(axum::serve(self.listener, router).await);
        });
        Ok(Listening { proved, server })
    }
}

type Proved = Result<Received, NotificationError>;

struct Desk {
    notifications: Notifications,
    sender: mpsc::UnboundedSender<Proved>,
}

async fn receive(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let proved = desk.notifications.receive(&Arrived::new("POST", &headers, &body)).await;
    let status = if proved.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    // Whoever listened may have gone.
    drop(desk.sender.send(proved));
    status
}

/// A served address, and what arrived there.
pub(super) struct Listening {
    proved: mpsc::UnboundedReceiver<Proved>,
    server: JoinHandle<()>,
}

/// What notifications told about a refund that has succeeded.
pub(super) struct Told {
    pub(super) amount: Money,
    /// One after the other, as the service spells them.
    pub(super) statuses: Vec<String>,
}

impl Listening {
    /// Waits for the notifications about a refund: that it is pending, and that it has succeeded.
    pub(super) async fn follow(&mut self, refund: &TransactionId) -> Result<Told, Failure> {
        let told = tokio::time::timeout(PATIENCE, self.both(refund)).await;
        let late = format!("no notification told the end of refund {} in time", refund.as_str());
        told.unwrap_or_else(|_| Err(Failure::new(Exit::Unknown, late)))
    }

    async fn both(&mut self, refund: &TransactionId) -> Result<Told, Failure> {
        let mut statuses = Vec::new();
        let (mut state, mut pending) = (RefundState::Accepted, false);
        while let Some(proved) = self.proved.recv().await {
            let proved = proved.or_fail("a notification could not be proved")?;
            let Event::Transaction(notified) = proved.event() else { continue };
            let Some(observation) = proved.event().observation() else { continue };
            if notified.transaction_id != *refund {
                continue;
            }
            // Observations come late, twice and in any order: the state machine sorts them.
            state = state.observe(observation).map_err(|error| {
                Failure::new(Exit::Damaged, "the notifications disagree").because(error)
            })?;
            pending |= observation == Observation::Pending;
            statuses.push(notified.transaction_status.to_string());
            match state {
                RefundState::Declined => {
                    return Err(Failure::new(Exit::Damaged, "the refund was declined"));
                }
                RefundState::Refunded if pending => {
                    return Ok(Told { amount: notified.transaction_amount, statuses });
                }
                _ => {}
            }
        }
        Err(Failure::new(Exit::Internal, "the address for notifications is closed"))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.server.abort();
    }
}

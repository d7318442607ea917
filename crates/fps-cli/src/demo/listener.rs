//! The merchant's address for notifications: what arrives is proved before it is handed on.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use fps::flexible_payments::{TransactionId, TransactionNotification};
use fps::{CertificateFetcher, CertificateOrigin, Notifications, RefundState, Trust, Verified};
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
        let origin = CertificateOrigin::new(&format!("{}/", world.sandbox.url())).or_fail(what)?;
        let fetcher = CertificateFetcher::new(&trust).or_fail(what)?;
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

struct Desk {
    notifications: Notifications,
    sender: mpsc::UnboundedSender<Verified<TransactionNotification>>,
}

async fn receive(State(desk): State<Arc<Desk>>, body: Bytes) -> StatusCode {
    match desk.notifications.verify(&body).await {
        Ok(proved) => {
            drop(desk.sender.send(proved));
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// A served address, and what arrived there and was proved.
pub(super) struct Listening {
    proved: mpsc::UnboundedReceiver<Verified<TransactionNotification>>,
    server: JoinHandle<()>,
}

impl Listening {
    /// Waits for all notifications about a refund, to its end.
    pub(super) async fn follow(
        &mut self,
        refund: &TransactionId,
    ) -> Result<Vec<TransactionNotification>, Failure> {
        let mut about = Vec::new();
        let mut state = RefundState::Accepted;
        let told = async {
            while !state.is_final() {
                let Some(proved) = self.proved.recv().await else { break };
                if proved.get().transaction_id != *refund {
                    continue;
                }
                // Observations come late, twice and in any order: the state machine sorts them.
                let observation = Notifications::observation(&proved);
                state = state.observe(observation).map_err(|error| {
                    Failure::new(Exit::Damaged, "the notifications disagree").because(error)
                })?;
                about.push(proved.into_inner());
            }
            Ok(about)
        };
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(about) => about,
            Err(_) => Err(Failure::new(
                Exit::Unknown,
                format!("no notification told the end of refund {} in time", refund.as_str()),
            )),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.server.abort();
    }
}

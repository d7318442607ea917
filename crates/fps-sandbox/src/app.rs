//! The sandbox without a listener: its database, its workers, and a router that answers requests,
//! wherever they come from.

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use fps_model::Timestamp;
use fps_sign::PrivateKey;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::audit::Report;
use crate::browsers::Hosts;
use crate::clock::{self, Clock};
use crate::control::{Access, Control};
use crate::error::{Error, ErrorKind};
use crate::faults::Faults;
use crate::fees::Fees;
use crate::gate::Gate;
use crate::ids::Source;
use crate::notifications::Sns;
use crate::sandbox::{Config, Shared};
use crate::store::Store;
use crate::throttle::Buckets;
use crate::{exchange, ids, notifications, outcomes, settings, tls};

/// A sandbox that does not listen: embed its [`App::router`], or let a [`Sandbox`](crate::Sandbox)
/// listen for it. Dropping it ends its work without ceremony; [`App::close`] closes the database first.
pub struct App {
    pub(crate) shared: Arc<Shared>,
    workers: [JoinHandle<()>; 2],
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("url", &self.shared.url).finish_non_exhaustive()
    }
}

impl App {
    /// Opens the database and begins to work. What the configuration says of listening is left to
    /// whoever embeds this; `url` is where it can be reached, such as `http://localhost:8080`, without
    /// a slash at the end.
    ///
    /// # Errors
    /// [`Error`] when the database cannot be opened.
    pub async fn open(config: &Config, url: impl Into<String>) -> Result<Self, Error> {
        let faults = Faults::new();
        faults.set(config.faults.clone())?;
        let ids = Source::new(config.seed);
        let store = Store::open(&config.database, &ids)?;
        let remembered = |connection: &Connection| {
            Ok((settings::clock_ahead(connection)?, settings::count_start(connection)?))
        };
        let (ahead, starts) = store.run(remembered).await?;
        ids.restart(starts);
        let (private_key_pem, certificate_pem) =
            notification_key(&store, &ids, config.seed).await?;
        let notification_key = PrivateKey::from_pem(&private_key_pem)
            .map_err(|error| Error::with(ErrorKind::Key, error))?;
        let shared = Arc::new(Shared {
            store,
            clock: Clock::new(config.still_clock.map(Timestamp::unix_millis), ahead),
            ids,
            processing: clock::millis(config.processing),
            legacy_v1: config.legacy_v1,
            auto_approve: config.auto_approve,
            fees: Fees { percent: config.fee_percent, fixed: config.fee_fixed },
            notification_key,
            certificate_pem,
            notifications_wake: Notify::new(),
            outcomes_wake: Notify::new(),
            sns: Sns { version_2: config.sns_version_2, legacy_retries: config.sns_legacy_retries },
            notification_faults: Mutex::default(),
            exchanges: exchange::Log::new(),
            faults,
            throttle: Buckets::new(config.throttle),
            hosts: Hosts::new(config),
            access: Access::new(config.control_token.clone()),
            url: url.into(),
        });
        let workers = [
            tokio::spawn(ids::within(&shared.ids, outcomes::bring_about(Arc::clone(&shared)))),
            tokio::spawn(ids::within(&shared.ids, notifications::deliver(Arc::clone(&shared)))),
        ];
        Ok(Self { shared, workers })
    }

    /// Answers requests. A connection can be broken off only by whoever owns it: in a server that is
    /// not ours, an answer that is to be lost is a body that breaks off before its first byte.
    pub fn router(&self) -> Router {
        let gate = Arc::new(self.gate());
        Router::new().fallback(move |request: Request| {
            let gate = Arc::clone(&gate);
            async move { gate.answer(request).await.unwrap_or_else(|_dropped| broken_off()) }
        })
    }

    /// What its owner can do with it: the methods behind the control API.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// What the client did wrong until now, as far as it can be seen; nothing can be asked any more when
    /// the sandbox was stopped.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn audit(&self) -> Result<Report, Error> {
        self.control().audit().await
    }

    pub(crate) fn gate(&self) -> Gate {
        Gate::new(Arc::clone(&self.shared))
    }

    /// Where it can be reached.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Finishes what was asked for before, and closes the database; whatever is asked afterwards is an
    /// error.
    pub async fn close(&self) {
        self.shared.store.close().await;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.abort();
        }
    }
}

fn broken_off() -> http::Response<Body> {
    let nothing = crate::leaving::Leaving::broken_off();
    http::Response::new(Body::new(nothing))
}

/// That of notifications, and that of the first merchant.
const KEYS_OF_A_NEW_SANDBOX: usize = 2;

/// The key of notifications, made when the database is new and kept in it.
async fn notification_key(
    store: &Store,
    ids: &Arc<Source>,
    seed: Option<u64>,
) -> Result<(String, String), Error> {
    let find = |connection: &Connection| -> Result<Option<(String, String)>, Error> {
        let query = "SELECT private_key_pem, certificate_pem FROM signing_key";
        let found = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    };
    if let Some(found) = store.run(find).await? {
        return Ok(found);
    }
    let source = match seed {
        None => {
            ids.spare.search(KEYS_OF_A_NEW_SANDBOX);
            Arc::clone(ids)
        }
        // From a stream of its own: what is made after a reset is what is made in a fresh sandbox.
        Some(_) => {
            let own = Source::new(seed);
            own.restart(u64::MAX);
            own
        }
    };
    let made = tokio::task::spawn_blocking(move || tls::notification_key(&source))
        .await
        .map_err(|error| Error::with(ErrorKind::Key, error))??;
    let (private_key_pem, certificate_pem) = made.clone();
    store
        .run(move |connection| {
            connection.execute(
                "INSERT INTO signing_key (id, private_key_pem, certificate_pem) VALUES (1, ?, ?)",
                [private_key_pem, certificate_pem],
            )?;
            Ok(())
        })
        .await?;
    Ok(made)
}

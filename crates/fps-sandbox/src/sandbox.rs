//! A running sandbox: started, given merchants and payments, asked for its books, stopped.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use fps_model::Timestamp;
use fps_model::amazon_pay::ChargeId;
use fps_model::flexible_payments::TokenId;
use fps_sign::PrivateKey;
use refund_rules::{Method, Money};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::books::{self, Service, Totals};
use crate::clock::{self, Clock, Millis};
use crate::error::{Error, ErrorKind};
use crate::ids::Source;
use crate::merchants::{Merchant, MerchantSpec};
use crate::payments::{self, NewPayment, Operation, Owner};
use crate::store::Store;
use crate::tls::Tls;
use crate::{ids, notifications, outcomes, server, settings, tls};

/// Where the certificate of notifications is served.
pub(crate) const CERTIFICATE_PATH: &str = "/certs/sandbox/PKICert.pem";
/// How long a stop waits for answers that are under way.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How a sandbox is started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The SQLite file; made if it is not there.
    pub database: PathBuf,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// How long card payments and refunds are under way. Default: 200 ms.
    pub processing: Duration,
    /// What the services take of a payment, in percent. Default: 3, after the example of seed 000
    /// ("$100 worth of goods … with $3 in credit card fees"); the real tables are not known.
    pub fee_percent: u8,
    /// Where identifiers and keys come from: the randomness of the system without. With a seed they
    /// are the same each time, and so no secret: for tests only.
    pub seed: Option<u64>,
    /// Where the clock begins and stands still until it is moved, if it is not to go with that of the
    /// machine.
    pub still_clock: Option<Timestamp>,
}

impl Config {
    /// On a free port, with a database.
    #[must_use]
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
            port: 0,
            processing: Duration::from_millis(200),
            fee_percent: 3,
            seed: None,
            still_clock: None,
        }
    }

    /// The same with identifiers and keys that are equal each time: two fresh sandboxes that are asked
    /// the same answer the same. For tests only.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The same with a clock that begins here and moves only when it is moved.
    #[must_use]
    pub const fn still_clock(mut self, at: Timestamp) -> Self {
        self.still_clock = Some(at);
        self
    }

    /// The same on this port.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same with another time under way.
    #[must_use]
    pub const fn processing(mut self, processing: Duration) -> Self {
        self.processing = processing;
        self
    }
}

/// What every part of a running sandbox shares.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) ids: Arc<Source>,
    pub(crate) processing: Millis,
    pub(crate) fee_percent: u8,
    pub(crate) notification_key: PrivateKey,
    pub(crate) certificate_pem: String,
    pub(crate) notifications_wake: Notify,
    pub(crate) outcomes_wake: Notify,
    url: String,
}

impl Shared {
    pub(crate) fn certificate_url(&self) -> String {
        format!("{}{CERTIFICATE_PATH}", self.url)
    }

    /// Something may be due, or to be told.
    pub(crate) fn wake(&self) {
        self.outcomes_wake.notify_one();
        self.notifications_wake.notify_one();
    }
}

/// A running sandbox. Dropping it ends it without ceremony; [`Sandbox::stop`] waits for answers that
/// are under way.
pub struct Sandbox {
    shared: Arc<Shared>,
    ca_pem: String,
    handle: Handle<SocketAddr>,
    server: JoinHandle<std::io::Result<()>>,
    workers: [JoinHandle<()>; 2],
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.shared.url).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts to listen, on loopback only.
    ///
    /// # Errors
    /// [`Error`] when the port is taken or the database cannot be opened; nothing is left behind.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), config.port);
        let listener = TcpListener::bind(address).map_err(listen_error)?;
        listener.set_nonblocking(true).map_err(listen_error)?;
        let port = listener.local_addr().map_err(listen_error)?.port();
        let ids = Source::new(config.seed);
        let store = Store::open(&config.database, &ids)?;
        let remembered = |connection: &Connection| {
            Ok((settings::clock_ahead(connection)?, settings::count_start(connection)?))
        };
        let (ahead, starts) = store.run(remembered).await?;
        ids.restart(starts);
        let (private_key_pem, certificate_pem) = notification_key(&store, &ids).await?;
        let notification_key = PrivateKey::from_pem(&private_key_pem)
            .map_err(|error| Error::with(ErrorKind::Key, error))?;
        let Tls { server: tls, ca_pem } = tls::generate()?;
        let shared = Arc::new(Shared {
            store,
            clock: Clock::new(config.still_clock.map(Timestamp::unix_millis), ahead),
            ids,
            processing: clock::millis(config.processing),
            fee_percent: config.fee_percent,
            notification_key,
            certificate_pem,
            notifications_wake: Notify::new(),
            outcomes_wake: Notify::new(),
            url: format!("https://localhost:{port}"),
        });
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(tls))
            .map_err(listen_error)?
            .handle(handle.clone())
            .serve(server::router(Arc::clone(&shared)).into_make_service());
        let workers = [
            tokio::spawn(ids::within(&shared.ids, outcomes::bring_about(Arc::clone(&shared)))),
            tokio::spawn(ids::within(&shared.ids, notifications::deliver(Arc::clone(&shared)))),
        ];
        Ok(Self { shared, ca_pem, handle, server: tokio::spawn(server), workers })
    }

    /// `https://localhost:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The authority that signed the listener's certificate, as PEM: what a client must trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Makes a merchant with fresh keys for both services.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_merchant(&self, spec: MerchantSpec) -> Result<Merchant, Error> {
        let source = Arc::clone(&self.shared.ids);
        let new = tokio::task::spawn_blocking(move || spec.generate(&source))
            .await
            .map_err(|error| Error::with(ErrorKind::Key, error))??;
        self.shared.store.run(move |connection| new.insert(connection)).await
    }

    /// Captures a charge on Amazon Pay, as a checkout would have: see [`CaptureCharge::create`].
    pub fn capture_charge(&self, merchant: &Merchant, captured: Money) -> CaptureCharge<'_> {
        let fee = Money::zero(captured.currency());
        CaptureCharge { sandbox: self, merchant: merchant.id, captured, fee }
    }

    /// Gives a merchant a token to charge a sender with, as the co-branded pages would have.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn install_token(
        &self,
        merchant: &Merchant,
        method: Method,
    ) -> Result<TokenId, Error> {
        let merchant = merchant.id;
        let id = ids::within_thread(&self.shared.ids, ids::token_id)?;
        let token = TokenId::new(id.as_str());
        let now = self.shared.clock.now();
        self.shared
            .store
            .run(move |connection| {
                connection.execute(
                    "INSERT INTO token (id, merchant, method, active, installed_at)
                     VALUES (?, ?, ?, 1, ?)",
                    rusqlite::params![id, merchant, payments::method_name(method), now],
                )?;
                Ok(())
            })
            .await?;
        Ok(token)
    }

    /// Lets the services take refunds of a payment and decline them later, for a reason such as
    /// `AmazonRejected` or `ProcessingFailure`. Bank and balance refunds end at once: so do these.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is no such payment.
    pub async fn decline_refunds(&self, payment: &str, reason: &str) -> Result<(), Error> {
        self.set_decline(payment, Some(reason.to_owned())).await
    }

    /// Ends what [`Sandbox::decline_refunds`] began: refunds of the payment succeed again, also those
    /// that have not ended yet.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is no such payment.
    pub async fn accept_refunds(&self, payment: &str) -> Result<(), Error> {
        self.set_decline(payment, None).await
    }

    async fn set_decline(&self, payment: &str, reason: Option<String>) -> Result<(), Error> {
        let payment = payment.to_owned();
        let work = move |connection: &Connection| {
            payments::set_decline(connection, &payment, reason.as_deref())
        };
        self.shared.store.run(work).await
    }

    /// Moves the clock of the sandbox forward: what is due by then happens, keys and reservations
    /// grow old. Requests may carry the date of the machine all the same. It stays so after a restart.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn advance_clock(&self, by: Duration) -> Result<(), Error> {
        let ahead = self.shared.clock.ahead().saturating_add(clock::millis(by));
        let keep = move |connection: &Connection| settings::set_clock_ahead(connection, ahead);
        self.shared.store.run(keep).await?;
        self.shared.clock.set_ahead(ahead);
        self.shared.wake();
        Ok(())
    }

    /// Lets a merchant take money out of its account with a service, as it would to its bank: refunds
    /// need what is left.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is less than that.
    pub async fn withdraw(
        &self,
        merchant: &Merchant,
        service: Service,
        amount: Money,
    ) -> Result<(), Error> {
        let (merchant, now) = (merchant.id, self.shared.clock.now());
        let work = move |connection: &Connection| {
            books::withdraw(connection, service, merchant, amount, now)
        };
        self.shared.store.run(work).await
    }

    /// What the books say about a merchant, by service and currency.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn totals(&self, merchant: &Merchant) -> Result<Vec<Totals>, Error> {
        let merchant = merchant.id;
        self.shared.store.run(move |connection| books::totals(connection, merchant)).await
    }

    /// Checks that every movement balances, and that refunds and books agree.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Unbalanced`].
    pub async fn verify_books(&self) -> Result<(), Error> {
        self.shared.store.run(books::verify).await
    }

    /// Stops listening, waits for answers that are under way, for a few seconds, and closes the
    /// database.
    ///
    /// # Errors
    /// [`Error`] when the server had failed.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.handle.graceful_shutdown(Some(STOP_GRACE));
        let served = (&mut self.server).await;
        self.shared.store.close().await;
        match served {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::with(ErrorKind::Serve, error)),
            Err(error) => Err(Error::with(ErrorKind::Serve, error)),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.server.abort();
        for worker in &self.workers {
            worker.abort();
        }
    }
}

fn listen_error(error: std::io::Error) -> Error {
    Error::with(ErrorKind::Listen, error)
}

/// The key of notifications, made when the database is new and kept in it.
async fn notification_key(store: &Store, ids: &Arc<Source>) -> Result<(String, String), Error> {
    let find = |connection: &Connection| -> Result<Option<(String, String)>, Error> {
        let query = "SELECT private_key_pem, certificate_pem FROM signing_key";
        let found = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    };
    if let Some(found) = store.run(find).await? {
        return Ok(found);
    }
    let source = Arc::clone(ids);
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

/// A captured charge to be made.
#[derive(Debug)]
#[must_use = "a charge is made by `create`"]
pub struct CaptureCharge<'a> {
    sandbox: &'a Sandbox,
    merchant: i64,
    captured: Money,
    fee: Money,
}

impl CaptureCharge<'_> {
    /// With the fee that Amazon took for it.
    pub const fn fee(mut self, fee: Money) -> Self {
        self.fee = fee;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for amounts that no charge can have.
    pub async fn create(self) -> Result<ChargeId, Error> {
        refund_rules::Payment::completed(self.captured, Method::Card)
            .and_then(|payment| payment.with_fee(self.fee))
            .map_err(|error| Error::with(ErrorKind::Invalid, error))?;
        let id = ids::within_thread(&self.sandbox.shared.ids, ids::charge_id)?;
        let charge = ChargeId::new(id.as_str());
        let owner = Owner { merchant: self.merchant, service: Service::AmazonPay };
        let new = NewPayment {
            fee: self.fee,
            ..NewPayment::new(id, owner, Operation::Charge, Method::Card, self.captured)
        };
        let shared = &self.sandbox.shared;
        let now = shared.clock.now();
        shared.store.run(move |connection| payments::insert(connection, &new, now)).await?;
        Ok(charge)
    }
}

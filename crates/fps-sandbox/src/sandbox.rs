//! What a sandbox is opened with, what its parts share, and what its owner may ask of it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fps_model::Timestamp;
use fps_model::flexible_payments::TokenId;
use fps_sign::{PrivateKey, Secret};
use refund_rules::{Currency, Method, Money};
use rusqlite::Connection;
use tokio::sync::Notify;

use crate::app::App;
use crate::books::{self, Service, Totals};
use crate::browsers::Hosts;
use crate::clock::{Clock, Millis};
use crate::control::Access;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::faults::{FaultPlan, Faults};
use crate::fees::Fees;
use crate::ids::Source;
use crate::merchants::{Merchant, MerchantSpec};
use crate::notifications::{NotificationFaults, Sns};
use crate::payments;
use crate::store::Store;
use crate::throttle::{Buckets, Throttle};
use crate::tokens::TokenSpec;
use crate::{exchange, tls};

/// Where the certificate of notifications is served. Source: published notifications of the FPS sandbox
/// have such a path with a date.
pub(crate) const CERTIFICATE_PATH: &str = "/certs/090911/PKICert.pem";

/// How a sandbox is opened or started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The SQLite file; made if it is not there.
    pub database: PathBuf,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The address to listen on. Default: 127.0.0.1; any other than loopback needs a control token.
    pub bind: IpAddr,
    /// Listen without TLS.
    pub http: bool,
    /// The folder in which the authority behind the TLS certificate is kept, so that it need be trusted
    /// only once. Without, each start makes a new one.
    pub tls_dir: Option<PathBuf>,
    /// Further names under which the sandbox may be asked: see [`Config::allow_host`].
    pub hosts: Vec<String>,
    /// Whose limits apply to how often a merchant may ask. Default: none.
    pub throttle: Throttle,
    /// What goes wrong from the start.
    pub faults: FaultPlan,
    /// What the control API asks for, as `authorization: Bearer …`.
    pub control_token: Option<Secret>,
    /// How long card payments and refunds are under way. Default: 200 ms.
    pub processing: Duration,
    /// What the services take of a payment, in percent. Default: 3, after the example of seed 000
    /// ("$100 worth of goods … with $3 in credit card fees"); the real tables are not known.
    pub fee_percent: u8,
    /// What they take of every payment besides. Default: nothing.
    pub fee_fixed: Money,
    /// Whether requests of signature version 1 are believed, which Amazon gave up because they can be
    /// forged. Default: no.
    pub legacy_v1: bool,
    /// Whether the co-branded pages approve at once what they are asked for, without a page. Default: no.
    pub auto_approve: bool,
    /// Where identifiers and keys come from: the randomness of the system without. With a seed they
    /// are the same each time, and so no secret: for tests only.
    pub seed: Option<u64>,
    /// Where the clock begins and stands still until it is moved, if it is not to go with that of the
    /// machine.
    pub still_clock: Option<Timestamp>,
    /// Whether notifications through SNS are signed with SHA-256. A topic signs with SHA-1 unless it was
    /// set otherwise. Default: no.
    pub sns_version_2: bool,
    /// Whether these are tried as long as an older page of Amazon Pay says. Default: no.
    pub sns_legacy_retries: bool,
}

impl Config {
    /// On a free port, with a database.
    #[must_use]
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
            port: 0,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http: false,
            tls_dir: None,
            hosts: Vec::new(),
            throttle: Throttle::Off,
            faults: FaultPlan::default(),
            control_token: None,
            processing: Duration::from_millis(200),
            fee_percent: 3,
            fee_fixed: Money::zero(Currency::USD),
            legacy_v1: false,
            auto_approve: false,
            seed: None,
            still_clock: None,
            sns_version_2: false,
            sns_legacy_retries: false,
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

    /// The same on this address.
    #[must_use]
    pub const fn bind(mut self, address: IpAddr) -> Self {
        self.bind = address;
        self
    }

    /// The same without TLS.
    #[must_use]
    pub const fn http(mut self) -> Self {
        self.http = true;
        self
    }

    /// The same with an authority that is kept in this folder, or made there.
    #[must_use]
    pub fn tls_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.tls_dir = Some(folder.into());
        self
    }

    /// The file of the authority that clients must trust, where one is kept.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls_dir.as_ref().map(|folder| folder.join(tls::CA_FILE))
    }

    /// The same, asked under this name as well: that of a container, for instance. A request that names
    /// any other host is refused, because a page somewhere may have made this address its own.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// The same with these limits.
    #[must_use]
    pub const fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttle = throttle;
        self
    }

    /// The same with these faults from the start.
    #[must_use]
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = plan;
        self
    }

    /// The same with a control API that asks for this.
    #[must_use]
    pub fn control_token(mut self, token: Secret) -> Self {
        self.control_token = Some(token);
        self
    }

    /// The same with notifications through SNS signed with SHA-256 or not.
    #[must_use]
    pub const fn sns_version_2(mut self, with_sha_256: bool) -> Self {
        self.sns_version_2 = with_sha_256;
        self
    }

    /// The same with these tried for two weeks or not.
    #[must_use]
    pub const fn sns_legacy_retries(mut self, for_two_weeks: bool) -> Self {
        self.sns_legacy_retries = for_two_weeks;
        self
    }

    /// The same with co-branded pages that approve at once, or ask.
    #[must_use]
    pub const fn auto_approve(mut self, at_once: bool) -> Self {
        self.auto_approve = at_once;
        self
    }

    /// The same, believing signature version 1 or not.
    #[must_use]
    pub const fn legacy_v1(mut self, believed: bool) -> Self {
        self.legacy_v1 = believed;
        self
    }

    /// The same with another time under way.
    #[must_use]
    pub const fn processing(mut self, processing: Duration) -> Self {
        self.processing = processing;
        self
    }

    /// The same with another fee for payments: a part in percent, and a fixed amount in dollars.
    #[must_use]
    pub const fn fees(mut self, percent: u8, fixed: Money) -> Self {
        self.fee_percent = percent;
        self.fee_fixed = fixed;
        self
    }
}

/// What every part of a running sandbox shares.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) ids: Arc<Source>,
    pub(crate) processing: Millis,
    pub(crate) fees: Fees,
    pub(crate) legacy_v1: bool,
    pub(crate) auto_approve: bool,
    pub(crate) notification_key: PrivateKey,
    pub(crate) certificate_pem: String,
    pub(crate) notifications_wake: Notify,
    pub(crate) outcomes_wake: Notify,
    pub(crate) sns: Sns,
    pub(crate) notification_faults: Mutex<NotificationFaults>,
    pub(crate) exchanges: exchange::Log,
    pub(crate) faults: Faults,
    pub(crate) throttle: Buckets,
    pub(crate) hosts: Hosts,
    pub(crate) access: Access,
    pub(crate) url: String,
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

/// What the owner of a sandbox may ask of it.
impl App {
    /// Makes a merchant with fresh keys for both services.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_merchant(&self, spec: MerchantSpec) -> Result<Merchant, Error> {
        self.control().create_merchant(spec).await
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
        self.create_token(merchant, TokenSpec::sender(method)).await
    }

    /// Lets the services take refunds of a payment and decline them later, for a reason such as
    /// `AmazonRejected` or `ProcessingFailure`. Bank and balance refunds end at once: so do these.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when there is no such payment.
    pub async fn decline_refunds(&self, payment: &str, reason: &str) -> Result<(), Error> {
        self.set_decline(payment, Some(reason.to_owned())).await
    }

    /// Ends what [`App::decline_refunds`] began: refunds of the payment succeed again, also those
    /// that have not ended yet.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when there is no such payment.
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
        self.control().advance_clock(by).await.map(|_| ())
    }

    /// Lets a merchant take money out of its account with a service, as it would to its bank: refunds
    /// need what is left.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when there is less than that.
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

    /// The last requests to the services and what became of them, in the order in which they ended.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges.all()
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
    /// [`Error`] of the kind [`ErrorKind::Unbalanced`](crate::ErrorKind::Unbalanced).
    pub async fn verify_books(&self) -> Result<(), Error> {
        self.shared.store.run(books::verify).await
    }
}

//! A sandbox with payments, and a batch that refunds each of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fps::refund_ledger::{
    Filter, IntentRecord, KeyLife, Ledger, Millis, NewBatch, NewIntent, NewPayment, Prepared,
};
use fps::refund_runner::{BoxFuture, Clock, Gateway, Options, Runner, Summary, SystemClock};
use fps::{
    AmazonPayConfig, AmazonPayGateway, Credentials, Currency, Environment, FlexiblePaymentsConfig,
    FlexiblePaymentsGateway, Method, Money, Payment, Policy, PrivateKey, RefundState, Region,
    Settings, Trust,
};
use fps_sandbox::control::PaymentSpec;
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox, Service};
use tempfile::TempDir;

pub(crate) const BATCH: &str = "recall";

pub(crate) struct World {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) merchant: Merchant,
    pub(crate) ledger: Ledger,
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) clock: Arc<dyn Clock>,
}

pub(crate) fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// What the nth row refunds: no two alike, so that a sum tells which are missing.
pub(crate) fn amount(row: usize) -> Money {
    usd(100 + i64::try_from(row).unwrap())
}

impl World {
    /// With a batch of so many rows, planned and sealed.
    pub(crate) async fn start(service: Service, rows: usize) -> Self {
        Self::with(service, rows, MerchantSpec::new("Shop"), Config::http).await
    }

    /// The same over TLS, which certificates of notifications need, for a merchant who is told.
    pub(crate) async fn start_told(service: Service, rows: usize, spec: MerchantSpec) -> Self {
        Self::with(service, rows, spec, |config| config).await
    }

    async fn with(
        service: Service,
        rows: usize,
        spec: MerchantSpec,
        configured: fn(Config) -> Config,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path().join("s.db")).processing(Duration::from_millis(20));
        let sandbox = Sandbox::start(configured(config)).await.unwrap();
        let merchant = sandbox.create_merchant(spec).await.unwrap();
        let ledger = Ledger::open(folder.path().join("refunds.db")).await.unwrap();
        let gateway = gateway(service, &sandbox, &merchant);
        let world = Self { folder, sandbox, merchant, ledger, gateway, clock };
        world.plan(service, rows).await;
        world
    }

    async fn plan(&self, service: Service, rows: usize) {
        let now = self.clock.now();
        let provider = self.gateway.provider();
        let batch = NewBatch::new(BATCH, provider, self.gateway.target(), "a test").unwrap();
        self.ledger.open_batch(batch, now).await.unwrap();
        let policy = match service {
            Service::AmazonPay => Policy::amazon_pay(Currency::USD),
            Service::FlexiblePayments => Policy::flexible_payments(),
        };
        let mut payments = Vec::new();
        let mut intents = Vec::new();
        for row in 0..rows {
            let id = self.pay(service).await;
            let payment = Payment::completed(usd(1_000_000), Method::Card).unwrap();
            payments.push(NewPayment::new(provider, &*id, payment, &policy).unwrap());
            let key = format!("{row:032x}");
            let intent = NewIntent::amount(provider, id, key, amount(row)).unwrap();
            let life = self.gateway.key_window().map_or(KeyLife::Forever, KeyLife::FromFirstTry);
            let row = u64::try_from(row).unwrap() + 1;
            intents.push(intent.key_life(life).row_of(BATCH, row, "row").unwrap());
        }
        self.ledger.import(payments, now).await.unwrap();
        let prepared = self.ledger.prepare(intents, now).await.unwrap();
        assert!(prepared.iter().all(|it| matches!(it, Prepared::New { .. })), "{prepared:?}");
        let rows = u64::try_from(rows).unwrap();
        self.ledger.seal_batch(BATCH, "a test", (rows, 0), now).await.unwrap();
    }

    async fn pay(&self, service: Service) -> String {
        let mut spec = PaymentSpec::new(service, usd(1_000_000));
        spec.fee = Some(usd(3_000));
        self.sandbox.control().create_payment(spec).await.unwrap().id
    }

    /// Impatient, so that a test is short.
    pub(crate) fn options() -> Options {
        let mut options = Options::new("tester");
        (options.retry_first, options.retry_longest, options.busy_wait) = (5, 100, 5);
        (options.follow_first, options.follow_longest) = (30, 200);
        options
    }

    pub(crate) async fn run(&self, options: Options) -> Summary {
        let runner =
            Runner::new(self.ledger.clone(), Arc::clone(&self.gateway), Arc::clone(&self.clock));
        runner.run(BATCH, options, Arc::new(()), std::future::pending()).await.unwrap()
    }

    /// How many intents are in each state.
    pub(crate) async fn states(&self) -> BTreeMap<RefundState, u64> {
        let totals = self.ledger.totals(Some(BATCH.to_owned())).await.unwrap();
        let mut states = BTreeMap::new();
        for total in totals {
            *states.entry(total.state).or_default() += total.count;
        }
        states
    }

    /// Every row was refunded once, by the provider's word and by the ledger's.
    pub(crate) async fn assert_exactly_once(&self, rows: usize) {
        let expected: BTreeMap<String, Money> =
            (0..rows).map(|row| (format!("{row:032x}"), amount(row))).collect();
        let mut there = BTreeMap::new();
        let mut filter = fps_sandbox::control::Filter::default();
        loop {
            let page = self.sandbox.control().refunds(filter.clone()).await.unwrap();
            for refund in page.items {
                assert_eq!(refund.state, "refunded");
                let key = refund.reference.unwrap();
                assert_eq!(there.insert(key, refund.amount), None, "refunded twice");
            }
            let Some(next) = page.next else { break };
            filter.after = Some(next);
        }
        assert_eq!(there, expected, "what the provider has");
        let refunded = [(RefundState::Refunded, u64::try_from(rows).unwrap())];
        assert_eq!(self.states().await, refunded.into(), "what the ledger has");
        self.sandbox.verify_books().await.unwrap();
        self.ledger.verify().await.unwrap();
    }

    /// The one intent of a batch of one row.
    pub(crate) async fn only(&self) -> IntentRecord {
        let mut intents = self.ledger.intents(Filter::new()).await.unwrap();
        assert_eq!(intents.len(), 1);
        intents.remove(0)
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// Those of a client of this sandbox.
pub(crate) fn settings(sandbox: &Sandbox) -> Settings {
    match sandbox.ca_pem() {
        // Without TLS there is nobody to trust.
        "" => Settings::default(),
        authority => Settings::default().with_trust(Trust::Only(authority.to_owned())),
    }
}

fn gateway(service: Service, sandbox: &Sandbox, merchant: &Merchant) -> Arc<dyn Gateway> {
    let settings = settings(sandbox);
    if service == Service::AmazonPay {
        let key = PrivateKey::from_pem(merchant.private_key_pem.expose()).unwrap();
        let config = AmazonPayConfig::new(&*merchant.public_key_id, key, Region::NorthAmerica);
        let config = config.unwrap().with_endpoint(sandbox.url()).unwrap();
        return Arc::new(AmazonPayGateway::new(config, &settings).unwrap());
    }
    let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
    let config = FlexiblePaymentsConfig::new(sandbox.url(), credentials).unwrap();
    Arc::new(FlexiblePaymentsGateway::new(config, Environment::Sandbox, &settings).unwrap())
}

/// That of the machine, until it is set: then it goes on from there, twenty times slower, so that a busy
/// machine has time for what must happen within half a second.
#[derive(Default)]
pub(crate) struct SlowClock {
    machine: SystemClock,
    /// What the machine said, and what this said, when it was set.
    set: Mutex<Option<(Millis, Millis)>>,
}

impl SlowClock {
    pub(crate) fn set(&self, to: Millis) {
        *self.set.lock().unwrap() = Some((self.machine.now(), to));
    }
}

impl Clock for SlowClock {
    fn now(&self) -> Millis {
        let machine = self.machine.now();
        match *self.set.lock().unwrap() {
            Some((before, set)) => set.plus((machine.0 - before.0) / 20),
            None => machine,
        }
    }

    fn sleep(&self, millis: i64) -> BoxFuture<'_, ()> {
        self.machine.sleep(millis)
    }
}

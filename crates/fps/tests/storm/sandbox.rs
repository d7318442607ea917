//! The sandbox: within the test, or as a process that can be killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fps::refund_ledger::{KeyLife, Ledger, NewBatch, NewIntent, NewPayment, Prepared};
use fps::refund_runner::{Clock as _, SystemClock};
use fps::{Currency, Method, Money, Payment, Policy, RefundState};
use fps_sandbox::control::{Filter, PaymentSpec};
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox, Service};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::books::{Plan, Verdict};
use crate::runner::gateway;

const PAID: i64 = 100_000;

pub(crate) struct World {
    folder: PathBuf,
    merchant: Merchant,
    url: String,
    at: At,
    /// The last refund of the batches before.
    seen: Option<i64>,
}

enum At {
    Here(Sandbox),
    Process(Child),
    Nowhere,
}

fn config(database: &Path, port: u16) -> Config {
    Config::new(database).port(port).http().processing(Duration::from_millis(15))
}

/// Serves until it is killed; says so once it does.
pub(crate) async fn serve(database: &Path, port: u16) {
    let _sandbox = Sandbox::start(config(database, port)).await.unwrap();
    println!("serving");
    std::future::pending::<()>().await;
}

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

impl World {
    pub(crate) async fn start(folder: &Path) -> Self {
        let sandbox = Sandbox::start(config(&folder.join("sandbox.db"), 0)).await.unwrap();
        let merchant = sandbox.create_merchant(MerchantSpec::new("Storm")).await.unwrap();
        let url = sandbox.url().to_owned();
        Self { folder: folder.to_owned(), merchant, url, at: At::Here(sandbox), seen: None }
    }

    fn sandbox(&self) -> &Sandbox {
        match &self.at {
            At::Here(sandbox) => sandbox,
            _ => panic!("the sandbox is a process now"),
        }
    }

    pub(crate) async fn stop(self) {
        if let At::Here(sandbox) = self.at {
            sandbox.stop().await.unwrap();
        }
    }

    /// Makes payments, and a sealed batch that refunds a part of each.
    pub(crate) async fn plan(&self, batch: &str, service: Service, refunds: usize) -> Plan {
        let is_amazon_pay = service == Service::AmazonPay;
        let mut making = JoinSet::new();
        for row in 0..refunds {
            let control = self.sandbox().control();
            making.spawn(async move {
                let payment = control.create_payment(PaymentSpec::new(service, usd(PAID))).await;
                (payment.unwrap().id, 100 + i64::try_from(row).unwrap())
            });
        }
        let plan = Plan {
            file: self.folder.join(format!("{batch}.json")),
            ledger: self.folder.join(format!("{batch}.db")),
            batch: batch.to_owned(),
            is_amazon_pay,
            url: self.url.clone(),
            access_key_id: self.merchant.access_key_id.clone(),
            secret_key: self.merchant.secret_key.expose().to_owned(),
            public_key_id: self.merchant.public_key_id.clone(),
            private_key_pem: self.merchant.private_key_pem.expose().to_owned(),
            rows: making.join_all().await,
        };
        std::fs::write(&plan.file, serde_json::to_vec(&plan).unwrap()).unwrap();
        prepare(&plan).await;
        plan
    }

    /// What became of a batch, by the sandbox's books and by the ledger's.
    pub(crate) async fn verdict(&mut self, plan: &Plan) -> Verdict {
        let mut refunds = Vec::new();
        loop {
            let mut filter = Filter::default();
            filter.after = self.seen;
            let page = self.sandbox().control().refunds(filter).await.unwrap();
            for refund in page.items {
                assert_eq!(refund.state, "refunded", "{refund:?}");
                refunds.push((refund.payment, refund.amount.minor()));
            }
            match page.next {
                Some(next) => self.seen = Some(next),
                None => break,
            }
        }
        // Pages end before the last, so what earlier batches refunded may come again.
        let own: std::collections::HashSet<&str> =
            plan.rows.iter().map(|(payment, _)| payment.as_str()).collect();
        refunds.retain(|(payment, _)| own.contains(payment.as_str()));
        refunds.sort();
        self.sandbox().verify_books().await.unwrap();
        let ledger = Ledger::open(&plan.ledger).await.unwrap();
        ledger.verify().await.unwrap();
        let mut verdict = Verdict { refunds, recorded: (0, 0), other: 0 };
        for total in ledger.totals(None).await.unwrap() {
            match total.state {
                RefundState::Refunded => verdict.recorded = (total.count, total.amount.minor()),
                _ => verdict.other += total.count,
            }
        }
        ledger.close().await;
        std::fs::remove_file(&plan.ledger).unwrap();
        verdict
    }

    fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    fn database(&self) -> PathBuf {
        self.folder.join("sandbox.db")
    }

    /// Lets a process of its own be the sandbox, at the same address.
    pub(crate) async fn leave_to_process(&mut self) {
        if let At::Here(sandbox) = std::mem::replace(&mut self.at, At::Nowhere) {
            sandbox.stop().await.unwrap();
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(self.database())
            .arg(self.port().to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).await.unwrap();
        assert_eq!(line, "serving\n");
        self.at = At::Process(child);
    }

    pub(crate) async fn kill_and_start(&mut self) {
        self.kill().await;
        self.leave_to_process().await;
    }

    async fn kill(&mut self) {
        if let At::Process(child) = &mut self.at {
            child.kill().await.unwrap();
        }
    }

    /// Is the sandbox itself again.
    pub(crate) async fn take_back(&mut self) {
        self.kill().await;
        let sandbox = Sandbox::start(config(&self.database(), self.port())).await.unwrap();
        self.at = At::Here(sandbox);
    }
}

async fn prepare(plan: &Plan) {
    let gateway = gateway(plan);
    let now = SystemClock::default().now();
    let (provider, target) = (gateway.provider(), gateway.target());
    let ledger = Ledger::open(&plan.ledger).await.unwrap();
    let batch = NewBatch::new(&*plan.batch, provider, target, "a test").unwrap();
    ledger.open_batch(batch, now).await.unwrap();
    let policy = match plan.is_amazon_pay {
        true => Policy::amazon_pay(Currency::USD),
        false => Policy::flexible_payments(),
    };
    let mut payments = Vec::new();
    let mut intents = Vec::new();
    for (row, (payment, cents)) in (1_u64..).zip(&plan.rows) {
        let captured = Payment::completed(usd(PAID), Method::Card).unwrap();
        payments.push(NewPayment::new(provider, payment, captured, &policy).unwrap());
        let key = fps::Key::derive([plan.batch.as_bytes(), &row.to_be_bytes()]).to_string();
        let intent = NewIntent::amount(provider, payment, key, usd(*cents)).unwrap();
        let life = gateway.key_window().map_or(KeyLife::Forever, KeyLife::FromFirstTry);
        intents.push(intent.key_life(life).row_of(&*plan.batch, row, "row").unwrap());
    }
    ledger.import(payments, now).await.unwrap();
    let prepared = ledger.prepare(intents, now).await.unwrap();
    assert!(prepared.iter().all(|it| matches!(it, Prepared::New { .. })));
    let rows = u64::try_from(plan.rows.len()).unwrap();
    ledger.seal_batch(&*plan.batch, "a test", (rows, 0), now).await.unwrap();
    ledger.close().await;
}

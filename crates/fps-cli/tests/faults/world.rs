//! A sandbox in this process, batches of payments in it, and the command that refunds them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use fps::{Currency, Money};
use fps_sandbox::control::{Filter, PaymentSpec};
use fps_sandbox::{Config, MerchantSpec, Sandbox, Service};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BATCH: &str = "recall";

/// What each payment is of, in cents.
const PAID: i64 = 10_000;

pub(crate) struct World {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
}

/// A batch that is to be made, in a folder of its own.
pub(crate) struct Batch {
    pub(crate) folder: TempDir,
    pub(crate) ledger: String,
    pub(crate) file: PathBuf,
    told: PathBuf,
    /// The payment and the amount of each row, in cents, sorted.
    rows: Vec<(String, i64)>,
}

/// A folder in memory where there is such: what a disk loses is told by the library that is loaded, and
/// nobody waits for a real one.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

impl World {
    /// In which a refund takes so many milliseconds.
    pub(crate) async fn start(processing: u64) -> Self {
        let folder = folder();
        let config = Config::new(folder.path().join("sandbox.db"));
        let config = config.processing(Duration::from_millis(processing)).http();
        let sandbox = Sandbox::start(config).await.unwrap();
        let merchant = sandbox.create_merchant(MerchantSpec::new("Shop")).await.unwrap();
        let told = json!({"url": sandbox.url(), "authority": null, "merchants": [{
            "access_key_id": merchant.access_key_id,
            "secret_key": merchant.secret_key.expose(),
            "public_key_id": merchant.public_key_id,
        }]});
        std::fs::write(folder.path().join("sandbox.json"), told.to_string()).unwrap();
        Self { folder, sandbox }
    }

    /// So many payments, and a file that refunds each of them in so many parts; together they are all
    /// that was paid.
    pub(crate) async fn batch(&self, payments: u32, parts: u32) -> Batch {
        let folder = folder();
        let making = (0..payments).map(|_| {
            let control = self.sandbox.control();
            let spec = PaymentSpec::new(Service::FlexiblePayments, usd(PAID));
            tokio::spawn(async move { control.create_payment(spec).await.unwrap().id })
        });
        let (mut text, mut rows) = ("payment,amount,currency,captured\n".to_owned(), Vec::new());
        for making in making.collect::<Vec<_>>() {
            let payment = making.await.unwrap();
            let mut left = PAID;
            for part in 1..=parts {
                // No two of a payment alike, so that a sum tells which are missing.
                let cents = if part == parts { left } else { 100 + i64::from(part) };
                left -= cents;
                text.push_str(&format!("{payment},{},USD,{}\n", usd(cents), usd(PAID)));
                rows.push((payment.clone(), cents));
            }
        }
        rows.sort();
        let file = folder.path().join(format!("{BATCH}.csv"));
        std::fs::write(&file, text).unwrap();
        std::fs::create_dir(folder.path().join("ledger")).unwrap();
        let ledger = folder.path().join("ledger/refunds.db").to_str().unwrap().to_owned();
        Batch { folder, ledger, file, told: self.folder.path().join("sandbox.json"), rows }
    }

    /// What was refunded of a batch, by the books of the provider; all of it has ended.
    pub(crate) async fn refunded(&self, batch: &Batch) -> Vec<(String, i64)> {
        let mut refunded = Vec::new();
        let mut filter = Filter::default();
        filter.limit = Some(1_000);
        loop {
            let page = self.sandbox.control().refunds(filter.clone()).await.unwrap();
            for refund in page.items {
                if batch.rows.iter().any(|(payment, _)| *payment == refund.payment) {
                    refunded.push((refund.payment, refund.amount.minor()));
                }
            }
            let Some(next) = page.next else { break };
            filter.after = Some(next);
        }
        refunded.sort();
        refunded
    }

    /// By the books of the provider and by the ledger, every row was refunded once, to the cent.
    pub(crate) async fn assert_exactly_once(&self, batch: &Batch, case: &str) {
        assert_eq!(self.refunded(batch).await, batch.rows, "{case}: what the provider has");
        let status = batch.fps(&["batch", "status", BATCH, "--output", "json"]);
        assert_eq!(exit(&status), Some(0), "{case}: {}", said(&status));
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let (rows, sum) = (batch.rows.len(), batch.rows.iter().map(|(_, cents)| cents).sum());
        assert_eq!(status[0]["refunded"], rows, "{case}: {status}");
        assert_eq!(status[0]["refunds"], rows, "{case}: {status}");
        assert_eq!(status[0]["refunded_amount"], format!("{} USD", usd(sum)), "{case}: {status}");
        let verified = batch.fps(&["ledger", "verify"]);
        assert_eq!(exit(&verified), Some(0), "{case}: {}", said(&verified));
        self.sandbox.verify_books().await.unwrap();
    }
}

impl Batch {
    /// The command, with the connection to the sandbox and the ledger of this batch.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps"));
        command.args(arguments).stdin(Stdio::null());
        // Whoever runs the tests may have settings of their own.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FPS_") {
                command.env_remove(name);
            }
        }
        command.env("XDG_CONFIG_HOME", self.folder.path()).env("FPS_SANDBOX", &self.told);
        command.env("FPS_LEDGER", &self.ledger);
        command
    }

    pub(crate) fn fps(&self, arguments: &[&str]) -> Output {
        ended(&mut self.command(arguments))
    }

    /// `fps batch run` of the file, with so many refunds at once.
    pub(crate) fn run(&self, at_once: u32) -> Command {
        let mut command = self.command(&["batch", "run"]);
        command.arg(&self.file).args([
            "--concurrency",
            &at_once.to_string(),
            "--follow-after",
            "1",
        ]);
        command
    }

    /// What somebody does next: what the command said, or the same as before if it said nothing.
    pub(crate) fn go_on(&self, said: &str) -> Output {
        if said.contains(&format!("fps batch resume {BATCH}")) {
            return self.fps(&["batch", "resume", BATCH, "--follow-after", "1"]);
        }
        ended(&mut self.run(3))
    }

    pub(crate) fn place(&self) -> &Path {
        Path::new(&self.ledger).parent().unwrap()
    }
}

/// Runs a command to its end, while the sandbox goes on.
pub(crate) fn ended(command: &mut Command) -> Output {
    tokio::task::block_in_place(|| command.output().unwrap())
}

pub(crate) fn exit(output: &Output) -> Option<i32> {
    output.status.code()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

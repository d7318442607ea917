//! `fps demo`: real refunds through both services, against a sandbox started for it, checked to the
//! cent; what a refund may be is not decided here.

mod amazon_pay;
mod flexible_payments;
mod listener;
mod report;

use std::path::PathBuf;

use fps::{Currency, Money, Settings, Trust};
use fps_sandbox::{Config, ErrorKind, Merchant, MerchantSpec, Sandbox};
use tempfile::TempDir;

use self::listener::Listener;
use self::report::Demonstration;
use crate::cli::Demo;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::print;
use crate::progress::step;
use crate::signals;

/// What is paid, on either service.
const PAID: Money = Money::from_minor(10_000, Currency::USD);

/// Runs the demonstration to its end, or until a signal.
pub(crate) fn run(arguments: &Demo) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_fail("the threads of this command cannot be started")?;
    let demonstration = runtime.block_on(demonstrate(arguments))?;
    let printed = print(arguments.output, &demonstration);
    // That the books are wrong must be said even where the result cannot be.
    demonstration.verdict()?;
    printed
}

async fn demonstrate(arguments: &Demo) -> Result<Demonstration, Failure> {
    let ended = signals::ended()?;
    let place = Place::new(arguments.db.as_ref())?;
    let listener = Listener::bind().await?;
    let world = World::start(place.database()?, arguments.port, listener.url()).await?;
    let outcome = tokio::select! {
        outcome = refunds(&world, listener) => outcome,
        exit = ended => Err(Failure::new(exit, "ended by a signal")),
    };
    // The sandbox lets go of its file before the folder goes, whatever happened.
    let stopped = world.sandbox.stop().await;
    let demonstration = outcome?;
    stopped.or_fail(SANDBOX_FAILED)?;
    Ok(demonstration)
}

const SANDBOX_FAILED: &str = "the sandbox failed";

async fn refunds(world: &World, listener: Listener) -> Result<Demonstration, Failure> {
    step(&format!("the sandbox serves both services at {}", world.sandbox.url()));
    let mut listener = listener.listen(world)?;
    let pay = amazon_pay::run(world).await?;
    let fps = flexible_payments::run(world, &mut listener).await?;
    step("comparing what the client learned with the books of the sandbox");
    world.sandbox.verify_books().await.or_fail(SANDBOX_FAILED)?;
    let books = world.sandbox.totals(&world.merchant).await.or_fail(SANDBOX_FAILED)?;
    Demonstration::new(vec![pay, fps], &books)
}

/// Where the sandbox keeps its state: in a file that stays, or in a folder that goes with this.
enum Place {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn new(kept: Option<&PathBuf>) -> Result<Self, Failure> {
        match kept {
            Some(path) => Ok(Self::Kept(path.clone())),
            None => {
                let folder = tempfile::tempdir().or_fail("there is no room for temporary files")?;
                Ok(Self::Temporary(folder))
            }
        }
    }

    fn database(&self) -> Result<PathBuf, Failure> {
        match self {
            // A whole path is a file's name, whatever SQLite reads into a part of one.
            Self::Kept(path) => std::path::absolute(path)
                .map_err(|error| Failure::new(Exit::Usage, "--db names no file").because(error)),
            Self::Temporary(folder) => Ok(folder.path().join("sandbox.db")),
        }
    }
}

/// What both halves of the demonstration work with.
struct World {
    sandbox: Sandbox,
    merchant: Merchant,
    settings: Settings,
}

impl World {
    async fn start(database: PathBuf, port: u16, notification_url: &str) -> Result<Self, Failure> {
        step("starting a sandbox on loopback, with a certificate authority of its own");
        let shown = database.display().to_string();
        let sandbox = Sandbox::start(Config::new(database).port(port)).await;
        let sandbox = sandbox.map_err(|error| not_started(error, &shown, port))?;
        let spec = MerchantSpec::new("Test Business").notification_url(notification_url);
        let merchant = sandbox.create_merchant(spec).await.or_fail(SANDBOX_FAILED)?;
        // Nothing but this sandbox is trusted, so nothing can reach anything else.
        let trust = Trust::Only(sandbox.ca_pem().to_owned());
        Ok(Self { sandbox, merchant, settings: Settings::default().with_trust(trust) })
    }
}

fn not_started(error: fps_sandbox::Error, database: &str, port: u16) -> Failure {
    let (message, hint) = match error.kind() {
        ErrorKind::Listen => (
            format!("the sandbox cannot listen on port {port}"),
            "choose another port, or 0 for a free one",
        ),
        ErrorKind::OpenDatabase => (
            format!("the database {database} cannot be opened"),
            "name a file of a sandbox, or a new one in a folder that exists",
        ),
        ErrorKind::ForeignDatabase => (
            format!("the database {database} is left as it is"),
            "name a file of a sandbox, or a new one",
        ),
        ErrorKind::DatabaseInUse => (
            format!("the database {database} cannot be used now"),
            "wait for the other command, or name another file",
        ),
        ErrorKind::NewerDatabase => (
            format!("the database {database} cannot be used"),
            "use the version of this command that wrote it, or name a new file",
        ),
        _ => return Failure::from_error(error, SANDBOX_FAILED),
    };
    Failure::from_error(error, message).hint(hint)
}

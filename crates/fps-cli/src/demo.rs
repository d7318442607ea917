//! `fps demo`: real refunds through both services, against a sandbox started for it, checked to the
//! cent.

mod amazon_pay;
mod flexible_payments;
mod listener;
mod report;

use std::path::PathBuf;

use fps::{Currency, Money, Settings, Trust};
use fps_sandbox::{Config, Kind, Merchant, MerchantSpec, Sandbox};

use self::report::{Demonstration, Lane};
use crate::cli::Demo;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::print;
use crate::progress::step;

/// What is paid, on either service.
const PAID: Money = Money::from_minor(10_000, Currency::USD);

/// Runs the demonstration to its end, or until Ctrl-C.
pub(crate) fn run(arguments: &Demo) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_fail("the threads of this command cannot be started")?;
    runtime.block_on(async {
        tokio::select! {
            outcome = demonstrate(arguments) => outcome,
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::new(Exit::Interrupted, "interrupted"))
            }
        }
    })
}

async fn demonstrate(arguments: &Demo) -> Result<(), Failure> {
    // Held until the end: the folder goes when this goes, however the demonstration ends.
    let folder = tempfile::tempdir().or_fail("there is no room for temporary files")?;
    let database = match &arguments.db {
        Some(path) => path.clone(),
        None => folder.path().join("sandbox.db"),
    };
    let listener = listener::Listener::bind().await?;
    let world = World::start(arguments, database, listener.url()).await?;
    step(&format!("the sandbox serves both services at {}", world.sandbox.url()));

    let mut listener = listener.listen(&world)?;
    let pay = amazon_pay::run(&world).await?;
    let fps = flexible_payments::run(&world, &mut listener).await?;
    let demonstration = conclude(&world, vec![pay, fps]).await?;
    world.sandbox.stop().await.map_err(sandbox_failed)?;
    print(arguments.output, &demonstration)?;
    demonstration.verdict()
}

/// Compares what the client learned with what the books say.
async fn conclude(world: &World, lanes: Vec<Lane>) -> Result<Demonstration, Failure> {
    step("comparing what the client learned with the books of the sandbox");
    world.sandbox.verify_books().await.map_err(sandbox_failed)?;
    let books = world.sandbox.totals(&world.merchant).await.map_err(sandbox_failed)?;
    Ok(Demonstration::new(lanes, &books))
}

/// What both halves of the demonstration work with.
struct World {
    sandbox: Sandbox,
    merchant: Merchant,
    settings: Settings,
}

impl World {
    async fn start(
        arguments: &Demo,
        database: PathBuf,
        notification_url: &str,
    ) -> Result<Self, Failure> {
        step("starting a sandbox on loopback, with a certificate authority of its own");
        let shown = database.display().to_string();
        let config = Config::new(database).port(arguments.port);
        let sandbox = Sandbox::start(config).await.map_err(|error| match error.kind() {
            Kind::Listen => {
                let message = format!("the sandbox cannot listen on port {}", arguments.port);
                Failure::new(Exit::Usage, message)
                    .because(error)
                    .hint("choose another port, or 0 for a free one")
            }
            Kind::OpenDatabase => {
                Failure::new(Exit::Usage, format!("the database {shown} cannot be opened"))
                    .because(error)
                    .hint("name a file of a sandbox, or a new one in a folder that exists")
            }
            Kind::NewerDatabase => {
                Failure::new(Exit::Usage, format!("the database {shown} cannot be used"))
                    .because(error)
                    .hint("use the version of this command that wrote it, or name a new file")
            }
            _ => sandbox_failed(error),
        })?;
        let spec = MerchantSpec::new("Test Business").notification_url(notification_url);
        let merchant = sandbox.create_merchant(spec).await.map_err(sandbox_failed)?;
        // Nothing but this sandbox is trusted, so nothing can reach anything else.
        let trust = Trust::Only(sandbox.ca_pem().to_owned());
        Ok(Self { sandbox, merchant, settings: Settings::default().with_trust(trust) })
    }
}

fn sandbox_failed(error: fps_sandbox::Error) -> Failure {
    let exit = match error.kind() {
        Kind::Unbalanced => Exit::Damaged,
        _ => Exit::Internal,
    };
    Failure::new(exit, "the sandbox failed").because(error)
}

/// A call of the client that failed, sorted by what it means.
fn call_failed(what: &str, error: fps::RefundError) -> Failure {
    let exit = match &error {
        fps::RefundError::Refused(_) => Exit::Rule,
        fps::RefundError::Call(call) if call.is_unknown() => Exit::Unknown,
        fps::RefundError::Call(call) if call.kind() == fps::Kind::Unauthorized => {
            Exit::Unauthorized
        }
        _ => Exit::Internal,
    };
    Failure::new(exit, what).because(error)
}

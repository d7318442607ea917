//! `fps demo`: real refunds through both services, against a sandbox started for it, checked to the
//! cent; what a refund may be is not decided here.

mod amazon_pay;
mod batch;
mod flexible_payments;
mod listener;
mod report;

use std::path::PathBuf;

use fps::{Currency, Money, Settings, Trust};
use fps_sandbox::{Config, Merchant, MerchantSpec, Sandbox};

use self::listener::Listener;
use self::report::Demonstration;
use crate::cli::Demo;
use crate::exit::{Failure, OrFail};
use crate::output::print;
use crate::place::{Place, SANDBOX_FAILED, not_started};
use crate::progress::step;
use crate::runtime::block_on;
use crate::signals;

/// What is paid, on either service.
const PAID: Money = Money::from_minor(10_000, Currency::USD);

/// Runs the demonstration to its end, or until a signal.
pub(crate) fn run(arguments: &Demo) -> Result<(), Failure> {
    let demonstration = block_on(demonstrate(arguments))?;
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

async fn refunds(world: &World, listener: Listener) -> Result<Demonstration, Failure> {
    step(&format!("the sandbox serves both services at {}", world.sandbox.url()));
    let mut listener = listener.listen(world)?;
    let mut pay = amazon_pay::run(world).await?;
    let fps = flexible_payments::run(world, &mut listener).await?;
    let batch = batch::run(world, &mut pay).await?;
    step("comparing what the client learned with the books of the sandbox");
    world.sandbox.verify_books().await.or_fail(SANDBOX_FAILED)?;
    let books = world.sandbox.totals(&world.merchant).await.or_fail(SANDBOX_FAILED)?;
    Demonstration::new(vec![pay, fps], batch, &books)
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
        let sandbox = Sandbox::start(Config::new(&database).port(port)).await;
        let sandbox = sandbox.map_err(|error| not_started(error, &database, port))?;
        let spec = MerchantSpec::new("Test Business").notification_url(notification_url);
        let merchant = sandbox.create_merchant(spec).await.or_fail(SANDBOX_FAILED)?;
        // Nothing but this sandbox is trusted, so nothing can reach anything else.
        let trust = Trust::Only(sandbox.ca_pem().to_owned());
        Ok(Self { sandbox, merchant, settings: Settings::default().with_trust(trust) })
    }
}

//! `fps batch`: many refunds from a file, each exactly once. How they are planned and run is known to
//! `refund-runner`; here it is asked, watched and told.

mod plan;
mod reconcile;
mod report;
mod running;
mod status;
mod watch;

use std::path::Path;
use std::sync::Arc;

use fps::RefundState;
use fps::refund_ledger::{BatchRecord, Error, Ledger};
use fps::refund_runner::Gateway;

use crate::cli::{BatchVerb, Connection, Kept, Service, Source};
use crate::config::Configuration;
use crate::exit::{Exit, Failure, OrFail};

pub(crate) fn run(verb: &BatchVerb) -> Result<(), Failure> {
    match verb {
        BatchVerb::Plan(arguments) => plan::run(arguments),
        BatchVerb::Run(arguments) => running::run(arguments),
        BatchVerb::Resume(arguments) => running::resume(arguments),
        BatchVerb::Cancel(arguments) => status::cancel(arguments),
        BatchVerb::Status(arguments) => status::run(arguments),
        BatchVerb::Report(arguments) => report::run(arguments),
        BatchVerb::Reconcile(arguments) => reconcile::run(arguments),
    }
}

pub(crate) use report::list;

/// What is said where a ledger cannot be used.
pub(crate) const LEDGER_FAILED: &str = "the ledger failed";

/// What a verb needs to send refunds.
pub(crate) struct Sender {
    pub(crate) ledger: Ledger,
    pub(crate) gateway: Arc<dyn Gateway>,
}

fn is_address(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
}

/// May there be a ledger? Of an address, only its server knows.
fn is_there(place: &str) -> bool {
    is_address(place) || Path::new(place).try_exists().unwrap_or(true)
}

fn must_be_there(place: &str) -> Result<(), Failure> {
    match is_there(place) {
        true => Ok(()),
        false => Err(Failure::new(Exit::Usage, format!("there is no ledger {place}"))
            .hint("`fps batch plan` makes one; --ledger, FPS_LEDGER or a profile names another")),
    }
}

/// Opens a ledger that is there and may be written.
pub(crate) async fn to_go_on(place: &str) -> Result<Ledger, Failure> {
    must_be_there(place)?;
    to_write(place).await
}

/// Opens a ledger that may be written; one that is not there is made.
pub(crate) async fn to_write(place: &str) -> Result<Ledger, Failure> {
    let opened = match is_address(place) {
        true => Ledger::connect(place).await,
        false => Ledger::open(place).await,
    };
    opened.map_err(|error| not_opened(error, place))
}

/// Opens a ledger that is only asked; whoever writes it is not disturbed.
pub(crate) async fn to_read(kept: &Kept) -> Result<Ledger, Failure> {
    to_read_at(configuration(kept)?.ledger()).await
}

async fn to_read_at(place: &str) -> Result<Ledger, Failure> {
    must_be_there(place)?;
    let opened = match is_address(place) {
        true => Ledger::connect_to_read(place).await,
        false => Ledger::open_to_read(place).await,
    };
    opened.map_err(|error| not_opened(error, place))
}

pub(crate) fn configuration(kept: &Kept) -> Result<Configuration, Failure> {
    Configuration::read(&Connection {
        ledger: kept.ledger.clone(),
        config: kept.config.clone(),
        profile: kept.profile.clone(),
        ..Connection::default()
    })
}

/// An address may hold a password, and is not repeated.
fn not_opened(error: Error, place: &str) -> Failure {
    use fps::refund_ledger::ErrorKind as Kind;
    let what = match is_address(place) {
        true => "the ledger at the configured address cannot be used".to_owned(),
        false => format!("the ledger {place} cannot be used"),
    };
    let hint = match error.kind() {
        Kind::InUse => "one command at a time writes a ledger in a file; wait for the other",
        Kind::Foreign => "name a ledger of this command, or a new file",
        Kind::Newer => "use the version of this command that wrote it",
        Kind::Damaged(_) => {
            "keep the file as it is, and go on from a copy that `fps ledger verify` finds whole"
        }
        Kind::Full | Kind::Storage => {
            "see that its disk works and has room, and call the same again: nothing is lost"
        }
        _ => "--ledger, FPS_LEDGER or a profile names it; `fps config show --origin` tells which",
    };
    Failure::from_error(error, what).hint(hint)
}

/// The batch that a file is, unless it was called something.
pub(crate) fn name_of(source: &Source) -> Result<String, Failure> {
    if let Some(batch) = &source.batch {
        return Ok(batch.clone());
    }
    let stem = source.file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    stem.ok_or_else(|| {
        Failure::new(Exit::Usage, "the file's name is no name for a batch").hint("give --batch")
    })
}

/// The states of refunds by their names.
pub(crate) fn states(names: &[String]) -> Result<Vec<RefundState>, Failure> {
    let state = |name: &String| {
        RefundState::from_name(name).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("`{name}` is no state of a refund")).hint(format!(
                "it is one of {}",
                RefundState::ALL.map(RefundState::name).join(", ")
            ))
        })
    };
    names.iter().map(state).collect()
}

/// An amount with its currency, such as `10.00 EUR`.
pub(crate) fn amount(flag: &str, text: &str) -> Result<fps::Money, Failure> {
    let wrong = || {
        Failure::new(Exit::Usage, format!("{flag} `{text}` is no amount"))
            .hint("write it with its currency, as `1000.00 EUR` or `1000 JPY`")
    };
    let (amount, currency) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let currency = fps::Currency::from_code(currency).map_err(|error| wrong().because(error))?;
    fps::Money::parse(amount, currency).map_err(|error| wrong().because(error))
}

/// The service in the words of a ledger.
pub(crate) fn service_of(provider: &str) -> Result<Service, Failure> {
    match provider {
        fps::AmazonPayGateway::PROVIDER => Ok(Service::AmazonPay),
        fps::FlexiblePaymentsGateway::PROVIDER => Ok(Service::FlexiblePayments),
        other => Err(Failure::new(Exit::Usage, format!("the batch is for {other}"))
            .hint("this command refunds through Amazon Pay and FPS")),
    }
}

/// The batch, which must be there.
pub(crate) async fn known(ledger: &Ledger, name: &str) -> Result<BatchRecord, Failure> {
    let batch = ledger.batch(name).await.or_fail(LEDGER_FAILED)?;
    batch.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("the ledger has no batch `{name}`"))
            .hint("`fps batch status` lists those it has")
    })
}

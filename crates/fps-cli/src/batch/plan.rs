//! `fps batch plan`: a file is read, checked and written down; nothing is sent.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use fps::refund_ledger::Ledger;
use fps::refund_runner::{
    Clock as _, Gateway, Objection, Plan, PlanError, PlanTotal, Planner, Row, Rows, Sealing,
    SystemClock,
};
use serde::Serialize;

use super::watch::Watch;
use super::{Sender, name_of, to_read_at, to_write};
use crate::cli::{BatchPlan, Service, Source};
use crate::config::Configuration;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Report, print, table, visible};
use crate::quote::policy;
use crate::runtime::block_on_or_signal;

/// How many rows are looked at for the service.
const ROWS_READ_FOR_SERVICE: u32 = 1_000;

pub(crate) fn run(arguments: &BatchPlan) -> Result<(), Failure> {
    block_on_or_signal(async {
        let configuration = Configuration::read(&arguments.connection)?;
        let service = service(&configuration, &arguments.source.file)?;
        let (gateway, _) = configuration.gateway(service)?;
        if arguments.dry_run {
            return rehearse(arguments, configuration.ledger(), gateway, service).await;
        }
        let sender = Sender { ledger: to_write(configuration.ledger()).await?, gateway };
        let planned = plan(&arguments.source, &sender, service, None, &Watch::of_plan()).await;
        sender.ledger.close().await;
        let planned = planned?;
        print(arguments.output, &Planned::new(&planned))?;
        can_run(&planned)
    })
}

/// In a ledger of its own, that goes again.
async fn rehearse(
    arguments: &BatchPlan,
    place: &str,
    gateway: Arc<dyn Gateway>,
    service: Service,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir().or_fail("there is no room for temporary files")?;
    let scratch =
        async |name| Ledger::open(folder.path().join(name)).await.or_fail(super::LEDGER_FAILED);
    let name = name_of(&arguments.source)?;
    // Where there is none, none is made.
    let mut ledger = match super::is_there(place) {
        true => to_read_at(place).await?,
        false => scratch("none.db").await?,
    };
    let batch = ledger.batch(name).await.or_fail(super::LEDGER_FAILED)?;
    if batch.is_some_and(|batch| batch.sealed_at.is_some()) {
        // Rows are compared by whoever could write them, and nothing is written.
        ledger.close().await;
        ledger = to_write(place).await?;
    }
    let scratch = scratch("scratch.db").await?;
    let sender = Sender { ledger, gateway };
    let source = &arguments.source;
    let planned = plan(source, &sender, service, Some(&scratch), &Watch::of_plan()).await;
    scratch.close().await;
    sender.ledger.close().await;
    let planned = planned?;
    print(arguments.output, &Planned::new(&planned))?;
    can_run(&planned)
}

/// The service that is configured, or that the form of the first id tells.
pub(crate) fn service(configuration: &Configuration, file: &Path) -> Result<Service, Failure> {
    let first = first_payment(open(file)?);
    configuration.service(first.as_deref()).map_err(|failure| match first {
        Some(_) => failure,
        None => {
            let message = format!("no row of {} tells which service it is for", file.display());
            Failure::new(Exit::Usage, message).hint("give --service, or mend the rows")
        }
    })
}

/// Of the first row that can be read, if there is one near the beginning.
fn first_payment(file: File) -> Option<String> {
    let mut rows = Rows::new(file).ok()?;
    for _ in 0..ROWS_READ_FOR_SERVICE {
        if let Ok(row) = rows.advance().ok()??.content {
            return Some(row.payment);
        }
    }
    None
}

fn open(file: &Path) -> Result<File, Failure> {
    let not_read = || format!("{} cannot be read", file.display());
    let opened = File::open(file)
        .and_then(|opened| Ok((opened.metadata()?.is_file(), opened)))
        .map_err(|error| Failure::new(Exit::Usage, not_read()).because(error))?;
    match opened {
        (true, file) => Ok(file),
        // It is read twice.
        (false, _) => Err(Failure::new(Exit::Usage, not_read()).hint("name a file of rows")),
    }
}

/// The most bytes of a soft descriptor. Source: Amazon Pay API v2, refund.
const SOFT_DESCRIPTOR_MAX: usize = 16;

/// The most characters of a note. Source: FPS API reference, Refund: CallerDescription.
const NOTE_MAX: usize = 160;

/// What the service would not take of a row that is right in itself.
fn objection(service: Service, row: &Row) -> Option<Objection> {
    let (note, descriptor) = (&row.details.note, &row.details.soft_descriptor);
    let objection = |column, rule, sentence: String| Some(Objection { column, rule, sentence });
    match service {
        Service::AmazonPay if note.is_some() => {
            objection("note", "not-taken", "Amazon Pay takes no note".to_owned())
        }
        Service::AmazonPay => {
            let bytes = descriptor.as_ref().map_or(0, String::len);
            let sentence =
                format!("it has {bytes} bytes, and at most {SOFT_DESCRIPTOR_MAX} are taken");
            (bytes > SOFT_DESCRIPTOR_MAX).then_some(Objection {
                column: "soft_descriptor",
                rule: "too-long",
                sentence,
            })
        }
        Service::FlexiblePayments if descriptor.is_some() => {
            objection("soft_descriptor", "not-taken", "FPS takes no soft descriptor".to_owned())
        }
        Service::FlexiblePayments => {
            let characters = note.as_ref().map_or(0, |note| note.chars().count());
            let sentence =
                format!("it has {characters} characters, and at most {NOTE_MAX} are taken");
            (characters > NOTE_MAX).then_some(Objection {
                column: "note",
                rule: "too-long",
                sentence,
            })
        }
    }
}

/// Plans a file, and tells what is bad of it.
pub(crate) async fn plan(
    source: &Source,
    sender: &Sender,
    service: Service,
    scratch: Option<&Ledger>,
    watch: &Watch,
) -> Result<Plan, Failure> {
    let batch = name_of(source)?;
    let shown = source.file.display();
    let mut file = open(&source.file)?;
    watch.planning(&batch, &source.file);
    let clock = SystemClock::default();
    let gateway = &*sender.gateway;
    let policy = move |currency| policy(service, currency);
    let account = (gateway.provider(), gateway.target());
    let mut planner = Planner::new(&sender.ledger, &*batch, account, policy)
        .key_window(gateway.key_window())
        .skip_invalid(source.skip_invalid)
        .repeat(source.repeat)
        .check(move |row| objection(service, row));
    if source.look_up {
        planner = planner.look_up(gateway, &clock);
    }
    if let Some(scratch) = scratch {
        planner = planner.rehearse(scratch);
    }
    let planned = planner.plan(&mut file, clock.now(), &mut |event| watch.plan(event)).await;
    planned.map_err(|error| {
        let hint = hint(&error);
        let message = format!("{shown} was not planned, and nothing can be sent of it");
        Failure::from_error(error, message).hint(hint)
    })
}

const fn hint(error: &PlanError) -> &'static str {
    match error {
        PlanError::Input(_) => "`fps batch plan --help` says what a file of rows is like",
        PlanError::SameFile { .. } => {
            "go on with that batch; --repeat makes the refunds of the file once more"
        }
        PlanError::OtherTarget { .. } => {
            "give the batch another name by --batch, or use the account that it was planned for"
        }
        PlanError::Unauthorized { .. } => "`fps config show --origin` says which key is used",
        _ => "plan it again: what was written down is found again",
    }
}

/// Fails with what keeps the batch from being run.
pub(crate) fn can_run(plan: &Plan) -> Result<(), Failure> {
    let batch = &plan.batch;
    let (exit, message, hint) = match plan.sealing {
        Sealing::Now | Sealing::Before if plan.differing == 0 && plan.missing == 0 => return Ok(()),
        Sealing::Now | Sealing::Before | Sealing::Differences => (
            Exit::KeyConflict,
            format!(
                "the file is not what the batch `{batch}` was planned from: {} rows differ, {} are \
                 missing",
                plan.differing, plan.missing
            ),
            "what was planned stands; resume it, or give the new rows a batch of their own",
        ),
        Sealing::BadRows => (
            Exit::Rule,
            format!("{} of {} rows are bad, and nothing can be sent", plan.bad, plan.rows),
            "mend them and plan again, or leave them out by --skip-invalid",
        ),
        Sealing::Empty if plan.bad > 0 => (
            Exit::Rule,
            format!("all {} rows are bad, and none is left to send", plan.rows),
            "mend them and plan again",
        ),
        Sealing::Empty => (
            Exit::Usage,
            "there is no row to refund".to_owned(),
            "the file needs a header and at least one good row",
        ),
        Sealing::Rehearsed => return Ok(()),
        other => (
            Exit::Internal,
            format!("the plan ended in a way that is not known: {other:?}"),
            "nothing was sent",
        ),
    };
    Err(Failure::new(exit, message).hint(hint))
}

/// What was planned, as it is told.
#[derive(Serialize)]
pub(crate) struct Planned<'a>(&'a Plan);

impl<'a> Planned<'a> {
    pub(crate) const fn new(plan: &'a Plan) -> Self {
        Self(plan)
    }
}

impl Report for Planned<'_> {
    fn text(&self) -> String {
        let plan = self.0;
        let counts = [
            ("rows", plan.rows),
            ("prepared", plan.prepared),
            ("there before", plan.existing),
            ("bad", plan.bad),
            ("differing", plan.differing),
            ("missing", plan.missing),
            ("taken back", plan.withdrawn),
        ];
        let shown = counts.into_iter().filter(|(name, count)| *count > 0 || *name == "rows");
        let rows = shown.map(|(name, count)| vec![name.to_owned(), count.to_string()]);
        let counts = table(&["batch", &visible(&plan.batch)], rows);
        match &*plan.totals {
            [] => counts,
            all => format!("{counts}\n\n{}", totals(all)),
        }
    }
}

/// What is refunded, by currency.
pub(crate) fn totals(totals: &[PlanTotal]) -> String {
    let rows = totals.iter().map(|total| {
        vec![
            total.amount.currency().to_string(),
            total.count.to_string(),
            total.amount.to_string(),
            total.fee.to_string(),
        ]
    });
    table(&["currency", "refunds", "amount", "fee returned"], rows)
}

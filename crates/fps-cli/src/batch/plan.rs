//! `fps batch plan`: a file is read, checked and written down; nothing is sent.

use std::fs::File;
use std::path::Path;

use fps::refund_ledger::Ledger;
use fps::refund_runner::{
    Clock as _, Plan, PlanEvent, PlanTotal, Planner, Rows, Sealing, Step, SystemClock,
};
use fps::{Currency, Policy};
use serde::Serialize;

use super::{Sender, name_of};
use crate::cli::{BatchPlan, Service, Source};
use crate::config::Configuration;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Report, print, table, visible};
use crate::progress::{step, tell};
use crate::runtime::block_on_or_signal;

/// How many bad rows are told one by one.
const TOLD: u64 = 20;

pub(crate) fn run(arguments: &BatchPlan) -> Result<(), Failure> {
    block_on_or_signal(async {
        let configuration = Configuration::read(&arguments.connection)?;
        let service = service(&configuration, &arguments.source.file)?;
        if arguments.dry_run {
            return rehearse(arguments, &configuration, service).await;
        }
        let sender = Sender::open(&configuration, service).await?;
        let plan = plan(&arguments.source, &sender, service, None).await?;
        sender.ledger.close().await;
        print(arguments.output, &Planned::new(&plan))?;
        can_run(&plan)
    })
}

/// In a ledger of its own, that goes again.
async fn rehearse(
    arguments: &BatchPlan,
    configuration: &Configuration,
    service: Service,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir().or_fail("there is no room for temporary files")?;
    let scratch = Ledger::open(folder.path().join("scratch.db")).await;
    let scratch = scratch.or_fail(super::LEDGER_FAILED)?;
    let sender = Sender::open(configuration, service).await?;
    let plan = plan(&arguments.source, &sender, service, Some(&scratch)).await?;
    scratch.close().await;
    sender.ledger.close().await;
    print(arguments.output, &Planned::new(&plan))?;
    match plan.sealing {
        Sealing::Rehearsed => Ok(()),
        _ => can_run(&plan),
    }
}

/// The service that is configured, or that the form of the first id tells.
pub(crate) fn service(configuration: &Configuration, file: &Path) -> Result<Service, Failure> {
    let first = || {
        let mut rows = Rows::new(File::open(file).ok()?).ok()?;
        rows.advance().ok()??.content.ok().map(|row| row.payment)
    };
    configuration.service(first().as_deref())
}

/// Plans a file, and tells what is bad of it.
pub(crate) async fn plan(
    source: &Source,
    sender: &Sender,
    service: Service,
    scratch: Option<&Ledger>,
) -> Result<Plan, Failure> {
    let batch = name_of(source.batch.as_ref(), &source.file)?;
    let shown = source.file.display();
    let mut file = File::open(&source.file).map_err(|error| {
        Failure::new(Exit::Usage, format!("{shown} cannot be read")).because(error)
    })?;
    step(&format!("planning the batch `{batch}` from {shown}"));
    let clock = SystemClock::default();
    let gateway = &*sender.gateway;
    let policy = move |currency: Currency| match service {
        Service::AmazonPay => Policy::amazon_pay(currency),
        Service::FlexiblePayments => Policy::flexible_payments(),
    };
    let account = (gateway.provider(), gateway.target());
    let mut planner = Planner::new(&sender.ledger, &*batch, account, policy)
        .key_window(gateway.key_window())
        .skip_invalid(source.skip_invalid);
    if source.look_up {
        planner = planner.look_up(gateway, &clock);
    }
    if let Some(scratch) = scratch {
        planner = planner.rehearse(scratch);
    }
    let mut told = 0;
    let planned =
        planner.plan(&mut file, clock.now(), &mut |event| tell_of(event, &mut told)).await;
    planned.map_err(|error| {
        Failure::from_error(
            error,
            format!("{shown} was not planned, and nothing can be sent of it"),
        )
        .hint("plan it again: what was written down is found again")
    })
}

fn tell_of(event: PlanEvent<'_>, told: &mut u64) {
    match event {
        PlanEvent::Bad(row) => {
            *told += 1;
            if *told <= TOLD {
                tell(&format!("bad row: {}", visible(&row.to_string())));
            }
        }
        PlanEvent::Differs(difference) => {
            *told += 1;
            if *told <= TOLD {
                let fields = difference.fields.join(", ");
                tell(&format!(
                    "line {}: row {} is not what was planned in its place: {fields}",
                    difference.line, difference.row
                ));
            }
        }
        PlanEvent::Progress { step: Step::Preparing, rows, .. }
            if rows % 100_000 == 0 && rows > 0 =>
        {
            step(&format!("{rows} rows"));
        }
        _ => {}
    }
    if *told == TOLD + 1 {
        tell("more of them are counted, and not listed");
        *told += 1;
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
        Sealing::Empty => (
            Exit::Usage,
            "there is no row to refund".to_owned(),
            "the file needs a header and at least one good row",
        ),
        _ => return Ok(()),
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
        format!("{counts}\n\n{}", totals(&plan.totals))
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

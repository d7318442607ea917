//! `fps batch reconcile`: a batch is held against what the provider says, or against its settlement
//! report; what differs is listed and not mended.

use std::fs::File;

use fps::refund_runner::{
    Clock as _, Difference, DifferenceKind, ReconcileError, ReconcileEvent, Reconciler,
    Reconciliation, SystemClock,
};
use serde::Serialize;

use super::{known, service_of, to_go_on};
use crate::cli::BatchReconcile;
use crate::config::Configuration;
use crate::exit::{Exit, Failure};
use crate::output::{Report, print, table, visible};
use crate::progress::{step, tell};
use crate::runtime::block_on_or_signal;

pub(crate) fn run(arguments: &BatchReconcile) -> Result<(), Failure> {
    block_on_or_signal(async {
        let configuration = Configuration::read(&arguments.connection)?;
        let ledger = to_go_on(configuration.ledger()).await?;
        let batch = known(&ledger, &arguments.batch).await?;
        let clock = SystemClock::default();
        let reconciler = Reconciler::new(&ledger, &*arguments.batch, clock.now());
        let mut observe = |event: ReconcileEvent<'_>| tell_of(event);
        let outcome = match &arguments.settlement {
            Some(file) => {
                let report = File::open(file).map_err(|error| {
                    let message = format!("{} cannot be read", file.display());
                    Failure::new(Exit::Usage, message).because(error)
                })?;
                reconciler.with_settlement(report, &mut observe).await
            }
            None => {
                let (gateway, _) = configuration.gateway(service_of(&batch.provider)?)?;
                reconciler.with_provider(&*gateway, &clock, &mut observe).await
            }
        };
        let reconciliation = outcome.map_err(|error| {
            let exit = exit_of(&error);
            let failure = Failure::from_error(error, "the batch was not compared to its end");
            exit.map_or(failure, |(exit, error)| {
                Failure::new(exit, "the batch was not compared to its end").because(error)
            })
        })?;
        ledger.close().await;
        print(arguments.output, &Compared(&reconciliation))?;
        judge(&reconciliation)
    })
}

/// What has no code of its own.
fn exit_of(error: &ReconcileError) -> Option<(Exit, String)> {
    let exit = match error {
        ReconcileError::Unauthorized { .. } => Exit::Unauthorized,
        ReconcileError::Ledger(_) => return None,
        _ => Exit::Usage,
    };
    Some((exit, error.to_string()))
}

fn tell_of(event: ReconcileEvent<'_>) {
    match event {
        ReconcileEvent::Learned { intent, state, .. } => {
            step(&format!("refund {} is {state:?} now, and that is on record", intent.0));
        }
        ReconcileEvent::Uncompared { why } => tell(&format!("not compared: {}", visible(why))),
        ReconcileEvent::Progress { compared } if compared % 1_000 == 0 && compared > 0 => {
            step(&format!("{compared} compared"));
        }
        _ => {}
    }
}

fn judge(reconciliation: &Reconciliation) -> Result<(), Failure> {
    let count = |kinds: &[DifferenceKind]| -> u64 {
        kinds.iter().filter_map(|kind| reconciliation.by_kind.get(kind)).sum()
    };
    let all: u64 = reconciliation.by_kind.values().sum();
    let open = count(&[DifferenceKind::StillPending, DifferenceKind::UnknownOutcome]);
    if all > open {
        let message = format!("the ledger and the other side differ in {} places", all - open);
        return Err(Failure::new(Exit::Damaged, message)
            .hint("each is listed with both values; nothing was changed for it"));
    }
    if reconciliation.uncompared > 0 {
        let message = format!("{} refunds could not be compared", reconciliation.uncompared);
        return Err(Failure::new(Exit::Unavailable, message).hint("compare again later"));
    }
    if open > 0 {
        return Err(Failure::new(Exit::Unknown, format!("{open} refunds have not ended"))
            .hint("run the batch to its end, and compare again"));
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(transparent)]
struct Compared<'a>(&'a Reconciliation);

impl Report for Compared<'_> {
    fn text(&self) -> String {
        let Reconciliation { compared, unsent, payments, learned, uncompared, .. } = self.0;
        let counts = [
            ("refunds compared", *compared),
            ("never sent", *unsent),
            ("payments compared", *payments),
            ("learned", *learned),
            ("not compared", *uncompared),
            ("differences", self.0.by_kind.values().sum()),
        ];
        let counts = counts.map(|(name, count)| vec![name.to_owned(), count.to_string()]);
        let counts = table(&["reconciliation", ""], counts);
        if self.0.differences.is_empty() {
            return counts;
        }
        let text = |text: &Option<String>| visible(text.as_deref().unwrap_or_default());
        let rows = self.0.differences.iter().map(|it: &Difference| {
            vec![
                it.kind.name().to_owned(),
                it.row.map_or_else(String::new, |row| row.to_string()),
                text(&it.payment),
                text(&it.refund),
                text(&it.here),
                text(&it.there),
            ]
        });
        let header = ["kind", "row", "payment", "refund", "here", "there"];
        format!("{counts}\n\n{}", table(&header, rows))
    }

    fn rows(&self) -> impl Serialize {
        &self.0.differences
    }
}

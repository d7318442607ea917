//! `fps batch run` and `fps batch resume`: refunds are made, watched, and counted at the end.

use std::sync::Arc;

use fps::refund_ledger::Total;
use fps::refund_runner::{Call, Ended, Options, Runner, StopRule, Summary, SystemClock};
use fps::{Money, RefundState};
use serde::Serialize;

use super::status::{Line, Status, exit};
use super::watch::Watch;
use super::{LEDGER_FAILED, Sender, amount, known, plan, service_of};
use crate::cli::{BatchResume, BatchRun, Running};
use crate::config::Configuration;
use crate::consent::Asking;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Format, Report, print};
use crate::progress::tell;
use crate::runtime::block_on;
use crate::signals;

pub(crate) fn run(arguments: &BatchRun) -> Result<(), Failure> {
    block_on(async {
        let configuration = Configuration::read(&arguments.connection)?;
        let service = plan::service(&configuration, &arguments.source.file)?;
        let sender = Sender::open(&configuration, service).await?;
        let asking = Asking::new(sender.is_live, &arguments.running.consent)?;
        let planned = {
            let ended = signals::ended()?;
            tokio::select! {
                planned = plan::plan(&arguments.source, &sender, service, None) => planned?,
                exit = ended => return Err(Failure::new(exit, "ended while planning; nothing was sent")),
            }
        };
        tell(&plan::Planned::new(&planned).text());
        plan::can_run(&planned)?;
        batch(&sender, &planned.batch, &arguments.running, asking, arguments.output).await
    })
}

pub(crate) fn resume(arguments: &BatchResume) -> Result<(), Failure> {
    block_on(async {
        let configuration = Configuration::read(&arguments.connection)?;
        // The batch tells the service, whatever is configured otherwise.
        let place = configuration.ledger().to_owned();
        let ledger = super::to_write(&place).await?;
        let service = service_of(&known(&ledger, &arguments.batch).await?.provider)?;
        let (gateway, is_live) = configuration.gateway(service)?;
        let sender = Sender { ledger, gateway, is_live, place };
        let asking = Asking::new(is_live, &arguments.running.consent)?;
        batch(&sender, &arguments.batch, &arguments.running, asking, arguments.output).await
    })
}

/// What of a batch was not sent yet, in words that somebody can be asked to type.
fn words(totals: &[Total]) -> String {
    let mut count = 0;
    let mut sums: Vec<Money> = Vec::new();
    for total in totals.iter().filter(|total| total.state == RefundState::Prepared) {
        count += total.count;
        let same = sums.iter_mut().find(|sum| sum.currency() == total.amount.currency());
        match same {
            Some(sum) => *sum = sum.checked_add(total.amount).unwrap_or(*sum),
            None => sums.push(total.amount),
        }
    }
    let sums: Vec<_> = sums.iter().map(|sum| format!("{sum} {}", sum.currency())).collect();
    format!("refund {count} payments, {}", sums.join(" and "))
}

async fn batch(
    sender: &Sender,
    name: &str,
    running: &Running,
    asking: Asking,
    format: Format,
) -> Result<(), Failure> {
    let options = options(running)?;
    let totals = sender.ledger.totals(Some(name.to_owned())).await.or_fail(LEDGER_FAILED)?;
    if totals.iter().any(|total| total.state == RefundState::Prepared) {
        asking.ask(words(&totals)).await?;
    }
    let runner = Runner::new(
        sender.ledger.clone(),
        Arc::clone(&sender.gateway),
        Arc::new(SystemClock::default()),
    );
    let watch = Arc::new(Watch::start(&totals, sender.gateway.limit(Call::Submit)));
    let ended = signals::ended()?;
    let (signal, signalled) = tokio::sync::oneshot::channel();
    let halt = async move {
        let exit = ended.await;
        // The run asks no more once it is over.
        let _over = signal.send(exit);
    };
    let outcome = runner.run(name, options, Arc::<Watch>::clone(&watch), halt).await;
    watch.end();
    let summary = outcome.map_err(|error| {
        Failure::from_error(error, format!("the batch `{name}` was not run to its end"))
            .hint(how_to_resume(name, &sender.place))
    })?;
    let batch = known(&sender.ledger, name).await?;
    sender.ledger.close().await;
    let lines = Line::of(&batch, &summary.totals);
    let resume = (summary.ended != Ended::Done).then(|| command(name, &sender.place));
    print(format, &Ran { ended: &summary.ended, millis: summary.millis, lines: &lines, resume })?;
    let signal = signalled.await.unwrap_or(Exit::Interrupted);
    judge(&summary, &lines, signal, &how_to_resume(name, &sender.place))
}

fn options(running: &Running) -> Result<Options, Failure> {
    let process = std::process::id();
    let worker = match (&running.worker, hostname()) {
        (Some(worker), _) => worker.clone(),
        (None, host) => format!("{host} {process}"),
    };
    let mut options = Options::new(worker);
    options.concurrency = running.concurrency;
    options.lease = i64::from(running.lease) * 1_000;
    options.deadline = running.deadline.map(|seconds| i64::from(seconds) * 1_000);
    options.give_up_after = i64::from(running.give_up_after) * 1_000;
    options.follow_first = i64::from(running.follow_after.max(1));
    options.stop.extend(running.stop_after_declines.map(StopRule::Declines));
    for text in &running.stop_above {
        options.stop.push(StopRule::Total(amount("--stop-above", text)?));
    }
    Ok(options)
}

fn hostname() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname");
    read.map_or_else(|_| "worker".to_owned(), |name| name.trim().to_owned())
}

/// An address may hold a password, and is not repeated.
fn command(batch: &str, place: &str) -> String {
    let ledger =
        if super::is_address(place) { String::new() } else { format!(" --ledger {place}") };
    format!("fps batch resume {batch}{ledger}")
}

fn how_to_resume(batch: &str, place: &str) -> String {
    format!("go on by `{}`, with the same connection", command(batch, place))
}

/// What the end of a run means for the exit code.
fn judge(summary: &Summary, lines: &[Line], signal: Exit, hint: &str) -> Result<(), Failure> {
    let fail = |exit, message: String| Err(Failure::new(exit, message).hint(hint.to_owned()));
    match &summary.ended {
        Ended::Done => exit(lines),
        Ended::Interrupted => {
            fail(signal, "interrupted; what was in flight is finished and on record".to_owned())
        }
        Ended::Deadline => {
            fail(Exit::Unavailable, "the time was up before the batch was".to_owned())
        }
        Ended::Stopped(rule @ StopRule::Declines(_)) => {
            fail(Exit::Declined, format!("stopped by a rule: {rule}"))
        }
        Ended::Stopped(rule) => fail(Exit::Rule, format!("stopped by a rule: {rule}")),
        Ended::Unavailable { why } => {
            fail(Exit::Unavailable, format!("the provider does not answer: {why}"))
        }
        Ended::Unauthorized { code } => Err(Failure::new(
            Exit::Unauthorized,
            format!("the provider does not believe who asks: {code}"),
        )
        .hint(format!("`fps config show --origin` says which key is used; then {hint}"))),
        other => {
            fail(Exit::Internal, format!("the run ended in a way that is not known: {other:?}"))
        }
    }
}

/// What a run did.
#[derive(Serialize)]
struct Ran<'a> {
    ended: &'a Ended,
    millis: i64,
    lines: &'a [Line],
    resume: Option<String>,
}

impl Report for Ran<'_> {
    fn text(&self) -> String {
        Status(self.lines.to_vec()).text()
    }

    fn rows(&self) -> impl Serialize {
        self.lines
    }
}

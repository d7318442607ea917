//! `fps batch run` and `fps batch resume`: refunds are made, watched, and counted at the end.

use std::future::Future;
use std::sync::Arc;

use fps::refund_ledger::Total;
use fps::refund_runner::{Call, Ended, Options, Runner, StopRule, Summary, SystemClock};
use fps::{Money, RefundState};
use serde::Serialize;
use tokio::sync::oneshot;

use super::status::{Line, Status, exit, no_alarm};
use super::watch::Watch;
use super::{LEDGER_FAILED, Sender, amount, known, name_of, plan, service_of, to_go_on, to_write};
use crate::cli::{BatchResume, BatchRun, Connection, Running};
use crate::config::{Configuration, typed};
use crate::consent::Asking;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Format, Report, print, quoted};
use crate::runtime::block_on_and_forget;
use crate::signals;

pub(crate) fn run(arguments: &BatchRun) -> Result<(), Failure> {
    block_on_and_forget(async {
        let BatchRun { source, running, connection, output } = arguments;
        let configuration = Configuration::read(connection)?;
        let service = plan::service(&configuration, &source.file)?;
        let order = Order::new(&name_of(source)?, running, connection)?;
        let (gateway, is_live) = configuration.gateway(service)?;
        let asking = Asking::new(is_live, &running.consent)?;
        let sender = Sender { ledger: to_write(configuration.ledger()).await?, gateway };
        let watch = Arc::new(Watch::of_run(&order.batch));
        let planned = async {
            let planned = plan::plan(source, &sender, service, None, &watch).await?;
            watch.planned(&planned);
            plan::can_run(&planned)
        };
        let outcome = run_after(planned, &sender, &order, asking, &watch, *output).await;
        sender.ledger.close().await;
        outcome
    })
}

pub(crate) fn resume(arguments: &BatchResume) -> Result<(), Failure> {
    block_on_and_forget(async {
        let BatchResume { batch: name, running, connection, output } = arguments;
        let configuration = Configuration::read(connection)?;
        let order = Order::new(name, running, connection)?;
        let ledger = to_go_on(configuration.ledger()).await?;
        let found = async {
            let batch = known(&ledger, name).await?;
            // The batch tells the service, whatever is configured otherwise.
            configuration.gateway(service_of(&batch.provider)?)
        };
        let outcome = match found.await {
            Ok((gateway, is_live)) => {
                let asking = Asking::new(is_live, &running.consent);
                let sender = Sender { ledger: ledger.clone(), gateway };
                match asking {
                    Ok(asking) => {
                        let watch = Arc::new(Watch::of_run(name));
                        run_after(async { Ok(()) }, &sender, &order, asking, &watch, *output).await
                    }
                    Err(failure) => Err(failure),
                }
            }
            Err(failure) => Err(failure),
        };
        ledger.close().await;
        outcome
    })
}

/// What is run, and the command that goes on with it.
struct Order {
    batch: String,
    options: Options,
    resume: String,
}

impl Order {
    fn new(batch: &str, running: &Running, connection: &Connection) -> Result<Self, Failure> {
        Ok(Self {
            batch: batch.to_owned(),
            options: options(running)?,
            resume: format!("fps batch resume {}{}", quoted(batch), typed(connection)?),
        })
    }

    fn how_to_resume(&self) -> String {
        format!("go on by `{}`", self.resume)
    }
}

/// Runs a batch, once something was done and, if somebody must be asked, it was answered. Until then a
/// signal ends everything at once.
async fn run_after(
    first: impl Future<Output = Result<(), Failure>>,
    sender: &Sender,
    order: &Order,
    asking: Asking,
    watch: &Arc<Watch>,
    format: Format,
) -> Result<(), Failure> {
    let agreed = async {
        first.await?;
        let batch = known(&sender.ledger, &order.batch).await?;
        if batch.sealed_at.is_none() {
            let message = format!("the batch `{}` was not planned to its end", order.batch);
            return Err(Failure::new(Exit::Usage, message)
                .hint("plan its file to the end by `fps batch plan`, or run that"));
        }
        let totals =
            sender.ledger.totals(Some(order.batch.clone())).await.or_fail(LEDGER_FAILED)?;
        if totals.iter().any(|total| total.state == RefundState::Prepared) {
            asking.ask(words(&totals)).await?;
        }
        Ok(totals)
    };
    let ended = signals::ended()?;
    let agreed = tokio::select! {
        agreed = agreed => agreed,
        exit = ended => Err(Failure::new(exit, "ended by a signal, and nothing was sent")),
    };
    match agreed {
        Ok(totals) => batch(sender, order, &totals, watch, format).await,
        Err(failure) => {
            watch.close();
            Err(failure)
        }
    }
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
    order: &Order,
    totals: &[Total],
    watch: &Arc<Watch>,
    format: Format,
) -> Result<(), Failure> {
    let name = &*order.batch;
    let runner = Runner::new(
        sender.ledger.clone(),
        Arc::clone(&sender.gateway),
        Arc::new(SystemClock::default()),
    );
    watch.running(totals, sender.gateway.limit(Call::Submit));
    let Signals { mut first, halt, twice } = Signals::heard()?;
    let running = runner.run(name, order.options.clone(), Arc::<Watch>::clone(watch), halt);
    // Whoever asks twice does not want to wait for what is in flight, and that is no worse than a crash.
    let outcome = tokio::select! {
        outcome = running => Ok(outcome),
        Ok(exit) = twice => Err(exit),
    };
    watch.end();
    let outcome = outcome.map_err(|exit| {
        Failure::new(exit, "ended at once; what was in flight is found out by the next run")
            .hint(order.how_to_resume())
    })?;
    let summary = outcome.map_err(|error| {
        Failure::from_error(error, format!("the batch `{name}` was not run to its end"))
            .hint(order.how_to_resume())
    })?;
    let batch = known(&sender.ledger, name).await?;
    let lines = Line::of(&batch, &summary.totals);
    let resume = (summary.ended != Ended::Done).then_some(&*order.resume);
    print(format, &Ran { ended: &summary.ended, millis: summary.millis, lines: &lines, resume })?;
    let signal = first.try_recv().unwrap_or(Exit::Interrupted);
    no_alarm(&sender.ledger, name).await?;
    judge(&summary, &lines, signal, &order.how_to_resume())
}

/// Signals while refunds are made: what the first was, when it came, and a second.
struct Signals<H> {
    first: oneshot::Receiver<Exit>,
    halt: H,
    twice: oneshot::Receiver<Exit>,
}

impl Signals<()> {
    fn heard() -> Result<Signals<impl Future<Output = ()> + Send>, Failure> {
        let ended = signals::ended()?;
        let (signal, first) = oneshot::channel();
        let (halting, halted) = oneshot::channel();
        let (again, twice) = oneshot::channel();
        tokio::spawn(async move {
            let exit = ended.await;
            let second = signals::ended().ok();
            // The run asks no more once it is over.
            let _over = (signal.send(exit), halting.send(()));
            if let Some(second) = second {
                let _over = again.send(second.await);
            }
        });
        let halt = async move {
            if halted.await.is_err() {
                std::future::pending().await
            }
        };
        Ok(Signals { first, halt, twice })
    }
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
    options.accept_target = running.accept_target;
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
    resume: Option<&'a str>,
}

impl Report for Ran<'_> {
    fn text(&self) -> String {
        Status(self.lines.to_vec()).text()
    }

    fn rows(&self) -> impl Serialize {
        self.lines
    }
}

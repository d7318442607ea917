//! `fps ledger`: the record of all refunds, asked, proved and printed; what it holds is known to
//! `refund-ledger`.

pub(crate) mod listing;

use fps::refund_ledger::{Filter, IntentId, Millis, Outcome, Report as Learned, Verified};
use fps::refund_runner::{Clock as _, SystemClock};
use fps::{Observation, Timestamp};
use serde::Serialize;

use self::listing::List;
use crate::batch::{LEDGER_FAILED, amount, configuration, list, states, to_go_on, to_read};
use crate::cli::{LedgerExport, LedgerFind, LedgerResolve, LedgerVerb, LedgerVerify};
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Report, print, print_text, table};
use crate::runtime::block_on_or_signal;

/// How many events are read at once.
const PAGE: u32 = 5_000;

pub(crate) fn run(verb: &LedgerVerb) -> Result<(), Failure> {
    match verb {
        LedgerVerb::Verify(arguments) => verify(arguments),
        LedgerVerb::Export(arguments) => export(arguments),
        LedgerVerb::Find(arguments) => find(arguments),
        LedgerVerb::Resolve(arguments) => resolve(arguments),
    }
}

fn verify(arguments: &LedgerVerify) -> Result<(), Failure> {
    block_on_or_signal(async {
        let ledger = to_read(&arguments.kept).await?;
        let verified = ledger.verify().await.map_err(|error| {
            Failure::from_error(error, "the ledger is not what was written")
                .hint("keep it as it is, and compare with a copy: nothing should be sent from it")
        })?;
        print(arguments.output, &Whole(verified))
    })
}

#[derive(Serialize)]
#[serde(transparent)]
struct Whole(Verified);

impl Report for Whole {
    fn text(&self) -> String {
        let Verified { payments, intents, events, digest, .. } = &self.0;
        let rows = [
            ("payments", payments.to_string()),
            ("refunds", intents.to_string()),
            ("events", events.to_string()),
            ("digest", digest.clone()),
        ];
        table(&["whole", ""], rows.map(|(name, value)| vec![name.to_owned(), value]))
    }
}

fn export(arguments: &LedgerExport) -> Result<(), Failure> {
    block_on_or_signal(async {
        let ledger = to_read(&arguments.kept).await?;
        let mut after = None;
        loop {
            let events = ledger.events(after, PAGE).await.or_fail(LEDGER_FAILED)?;
            let Some(last) = events.last() else { return Ok(()) };
            after = Some((last.payment, last.sequence));
            let mut text = String::new();
            for event in &events {
                let line = serde_json::to_string(event).or_fail("an event cannot be printed")?;
                text.push_str(&line);
                text.push('\n');
            }
            print_text(&text)?;
        }
    })
}

fn find(arguments: &LedgerFind) -> Result<(), Failure> {
    block_on_or_signal(async {
        let filter = filter(arguments)?;
        let ledger = to_read(&arguments.kept).await?;
        list(&ledger, filter, &mut List::new(arguments.output)).await
    })
}

fn filter(arguments: &LedgerFind) -> Result<Filter, Failure> {
    let mut filter = Filter::new();
    type With = fn(Filter, String) -> Filter;
    let texts: [(&Option<String>, With); 5] = [
        (&arguments.payment, |filter, text| filter.payment(text)),
        (&arguments.caller_reference, |filter, text| filter.caller_reference(text)),
        (&arguments.reference, |filter, text| filter.reference(text)),
        (&arguments.key, |filter, text| filter.key(text)),
        (&arguments.refund, |filter, text| filter.refund(text)),
    ];
    for (text, with) in texts {
        if let Some(text) = text {
            filter = with(filter, text.clone());
        }
    }
    let states = states(&arguments.state)?;
    if !states.is_empty() {
        filter = filter.states(states);
    }
    if let Some(text) = &arguments.since {
        filter = filter.since(date("--since", text)?);
    }
    if let Some(text) = &arguments.before {
        filter = filter.before(date("--before", text)?);
    }
    if let Some(text) = &arguments.at_least {
        filter = filter.at_least(amount("--at-least", text)?);
    }
    if let Some(text) = &arguments.at_most {
        filter = filter.at_most(amount("--at-most", text)?);
    }
    let filter = if arguments.parked { filter.parked() } else { filter };
    Ok(if arguments.alarming { filter.alarming() } else { filter })
}

/// A day at its beginning, or a moment, in UTC.
fn date(flag: &str, text: &str) -> Result<Millis, Failure> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let moment = Timestamp::parse(&whole).map(|at| Millis(at.unix_millis()));
    moment.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{flag} `{text}` is no date"))
            .hint("write it as 2026-11-25 or 2026-11-25T08:30:00Z")
    })
}

fn resolve(arguments: &LedgerResolve) -> Result<(), Failure> {
    block_on_or_signal(async {
        let configuration = configuration(&arguments.kept)?;
        let ledger = to_go_on(configuration.ledger()).await?;
        let id = IntentId(arguments.number);
        let now = SystemClock::default().now();
        let page = Filter::new().after(IntentId(id.0.saturating_sub(1))).most(1);
        let found = ledger.intents(page.clone()).await.or_fail(LEDGER_FAILED)?;
        let Some(intent) = found.into_iter().find(|intent| intent.id == id) else {
            return Err(Failure::new(Exit::Usage, format!("the ledger has no refund {}", id.0))
                .hint("`fps ledger find --parked` lists those that wait for a human"));
        };
        if intent.life.state.is_final() {
            return Err(Failure::new(Exit::Rule, "the refund has ended, and what ended stays"));
        }
        // A run that goes on with it would not know what was decided here.
        if intent.life.parked.is_none() {
            return Err(Failure::new(Exit::Rule, "the refund does not wait for a human")
                .hint("the next run goes on with it"));
        }
        // It waits until what was found out is on record, or the next run would send it again.
        if let Some(outcome) = outcome(arguments) {
            let learned = Learned::of_refund(id, outcome, now);
            let recorded = ledger.record_one(learned).await.or_fail(LEDGER_FAILED)?;
            if let Some(alarm) = recorded.alarm {
                return Err(Failure::new(Exit::Rule, alarm));
            }
        }
        if !arguments.never_made {
            ledger.unpark(id, now).await.or_fail(LEDGER_FAILED)?;
        }
        let after = ledger.intents(page).await.or_fail(LEDGER_FAILED)?;
        ledger.close().await;
        let mut list = List::new(arguments.output);
        list.page(&after)?;
        list.end()
    })
}

/// What was found out, if it was.
fn outcome(arguments: &LedgerResolve) -> Option<Outcome> {
    match &arguments.made {
        Some(refund) => Some(Outcome::accepted(&**refund, Some(Observation::Accepted))),
        None => arguments
            .never_made
            .then(|| Outcome::declined("never made, as somebody found out and recorded by hand")),
    }
}

//! `fps batch report`: the refunds of a batch, page by page, so that a million need no more memory than
//! one; asks nobody but the ledger.

use fps::refund_ledger::{Filter, IntentRecord, Ledger};

use super::{known, states, to_read};
use crate::cli::BatchReport;
use crate::exit::Failure;
use crate::ledger::listing::List;
use crate::runtime::block_on_or_signal;

/// How many refunds are read and printed at once.
const PAGE: u32 = 1_000;

pub(crate) fn run(arguments: &BatchReport) -> Result<(), Failure> {
    block_on_or_signal(async {
        let mut filter = Filter::new().batch(&*arguments.batch);
        let states = states(&arguments.state)?;
        if !states.is_empty() {
            filter = filter.states(states);
        }
        if arguments.parked {
            filter = filter.parked();
        }
        let ledger = to_read(&arguments.kept).await?;
        known(&ledger, &arguments.batch).await?;
        list(&ledger, filter, &mut List::new(arguments.output)).await
    })
}

/// Prints all that match.
pub(crate) async fn list(ledger: &Ledger, filter: Filter, list: &mut List) -> Result<(), Failure> {
    let filter = filter.most(PAGE);
    let mut page = filter.clone();
    loop {
        let intents: Vec<IntentRecord> =
            crate::exit::OrFail::or_fail(ledger.intents(page).await, super::LEDGER_FAILED)?;
        let Some(last) = intents.last().map(|last| last.id) else { break };
        list.page(&intents)?;
        page = filter.clone().after(last);
    }
    list.end()
}

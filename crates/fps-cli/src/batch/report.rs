//! `fps batch report`: the refunds of a batch, page by page, so that a million need no more memory than
//! one; asks nobody but the ledger.

use fps::refund_ledger::{Filter, Ledger};

use super::{LEDGER_FAILED, known, states, to_read};
use crate::cli::BatchReport;
use crate::exit::{Failure, OrFail};
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
    let mut pages = ledger.pages(filter.most(PAGE));
    while let Some(page) = pages.next().await.or_fail(LEDGER_FAILED)? {
        list.page(&page)?;
    }
    list.end()
}

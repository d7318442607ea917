//! The threads that a command talks to the network with; what it says there is not known here.

use std::future::Future;

use crate::exit::{Failure, OrFail};
use crate::signals;

/// Runs a command to its end.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_fail("the threads of this command cannot be started")?
        .block_on(command)
}

/// The same, or until a signal ends it.
pub(crate) fn block_on_or_signal<T>(
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(async {
        let ended = signals::ended()?;
        tokio::select! {
            outcome = command => outcome,
            exit = ended => Err(Failure::new(exit, "ended by a signal")),
        }
    })
}

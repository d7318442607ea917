//! The threads that a command talks to the network with; what it says there is not known here.

use std::future::Future;

use tokio::runtime::Runtime;

use crate::exit::{Failure, OrFail};
use crate::signals;

/// Runs a command to its end.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(command)
}

/// The same, by a command that looks after signals itself and may have asked a question: one that nobody
/// has answered by the end is forgotten.
pub(crate) fn block_on_and_forget<T>(
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}

/// The same, or until a signal ends it. A question that nobody has answered by then is forgotten.
pub(crate) fn block_on_or_signal<T>(
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on_and_forget(async {
        let ended = signals::ended()?;
        tokio::select! {
            outcome = command => outcome,
            exit = ended => Err(Failure::new(exit, "ended by a signal")),
        }
    })
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_fail("the threads of this command cannot be started")
}

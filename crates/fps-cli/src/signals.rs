//! The ways in which somebody from outside ends the command; tidying up is not done here.

use std::future::Future;

use crate::exit::{Exit, Failure, OrFail};

/// Waits for a signal to end, and says which it was. From the moment this is called, none of them
/// ends the process by itself, so that what was begun can be tidied up.
#[cfg(unix)]
pub(crate) fn ended() -> Result<impl Future<Output = Exit>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| signal(kind).or_fail("signals cannot be listened for");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
            _ = hangup.recv() => Exit::HungUp,
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn ended() -> Result<impl Future<Output = Exit>, Failure> {
    Ok(async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            // Without a way to hear of it, it never happens.
            Err(_) => std::future::pending().await,
        }
    })
}

//! Waiting for the end of a refund: the provider says when it is over, never the clock.

use std::future::Future;
use std::time::Duration;

use fps_http::{Clock, Error};
use refund_rules::{Observation, RefundState};

/// How long and how often somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// The first wait between two questions; it doubles. Default: 1 s.
    pub first: Duration,
    /// The longest wait between two questions. Default: 5 min.
    pub longest: Duration,
    /// When to stop asking. Default: 1 h; the services speak of minutes to several hours.
    pub deadline: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5 * 60),
            deadline: Duration::from_secs(60 * 60),
        }
    }
}

impl Patience {
    /// For a sandbox, where a refund takes moments.
    #[must_use]
    pub const fn short(first: Duration, deadline: Duration) -> Self {
        Self { first, longest: Duration::from_secs(1), deadline }
    }
}

/// How following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refund that is still under way has not failed"]
#[expect(clippy::exhaustive_enums, reason = "it is over, or it is not")]
pub enum Followed {
    /// The provider said that it is over: refunded or declined.
    Settled(RefundState),
    /// The patience ended first. Nothing is known but that; ask again later.
    StillPending,
}

/// The least wait between two questions, so that no patience becomes a storm of them.
const WAIT_MIN: Duration = Duration::from_millis(1);

/// Asks until the answer is final or patience ends. A question that fails in passing is asked again;
/// one that is refused is an error.
pub(crate) async fn follow<F>(
    clock: &dyn Clock,
    patience: &Patience,
    mut ask: impl FnMut() -> F,
) -> Result<Followed, Error>
where
    F: Future<Output = Result<Observation, Error>>,
{
    let start = clock.elapsed();
    let mut wait = patience.first.clamp(WAIT_MIN, patience.longest.max(WAIT_MIN));
    let mut answered = false;
    loop {
        let mut failed = None;
        match ask().await {
            Ok(Observation::Refunded) => return Ok(Followed::Settled(RefundState::Refunded)),
            Ok(Observation::Declined) => return Ok(Followed::Settled(RefundState::Declined)),
            Ok(_) => answered = true,
            Err(error) if is_passing(&error) => failed = Some(error),
            Err(error) => return Err(error),
        }
        let elapsed = clock.elapsed().saturating_sub(start);
        if elapsed.saturating_add(wait) > patience.deadline {
            // Silence is not a state: that it is pending, the service must have said.
            return match failed {
                Some(error) if !answered => Err(error),
                _ => Ok(Followed::StillPending),
            };
        }
        clock.sleep(wait).await;
        wait = wait.saturating_mul(2).min(patience.longest.max(WAIT_MIN));
    }
}

fn is_passing(error: &Error) -> bool {
    use fps_http::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Interrupted
            | ErrorKind::Throttled
            | ErrorKind::Paced
            | ErrorKind::Fault
    )
}

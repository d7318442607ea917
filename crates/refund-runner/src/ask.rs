//! Questions to a provider, asked again while it has no time; nothing is sent here.

use crate::clock::Clock;
use crate::gateway::{BoxFuture, Looked};

/// How many questions are open at once.
pub(crate) const AT_ONCE: usize = 8;

/// How often each is asked.
const TRIES_MAX: u32 = 7;

/// The wait before the second try, in milliseconds; it doubles.
const FIRST_WAIT: i64 = 500;

/// Asks until there is an answer, or the last of some tries has none.
pub(crate) async fn patiently<'g, T>(
    clock: &dyn Clock,
    question: impl Fn() -> BoxFuture<'g, Looked<T>> + Send,
) -> Looked<T> {
    let mut tries = 1_u32;
    loop {
        match question().await {
            Looked::Later { .. } if tries < TRIES_MAX => {
                clock.sleep(FIRST_WAIT << tries.saturating_sub(1)).await;
            }
            answer => return answer,
        }
        tries = tries.saturating_add(1);
    }
}

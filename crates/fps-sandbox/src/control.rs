//! The owner's side of a sandbox: making what is in it, moving its clock, arranging what will happen,
//! and looking at everything. The control API under `/_sandbox` does the same over HTTP, and nothing
//! else: a handler reads a request, calls one method here, and writes what it returns.

mod answers;
mod audit;
mod books;
mod clock;
mod duration;
mod faults;
mod guard;
mod health;
mod http;
mod instruments;
mod json;
mod list;
mod merchants;
mod movements;
mod notifications;
mod openapi;
mod outcomes;
mod payments;
mod refunds;
mod reset;
mod routes;
mod seed;
mod tokens;

use std::fmt;
use std::sync::Arc;

use rusqlite::Connection;

use crate::error::Error;
use crate::sandbox::Shared;

pub use answers::Answer;
pub use books::MerchantTotals;
pub use clock::{ClockChange, ClockReading};
pub use health::Health;
pub use instruments::{Instrument, InstrumentSpec};
pub use list::{Filter, Page};
pub use merchants::{KnownMerchant, MadeMerchant};
pub use movements::{Entry, Movement};
pub use notifications::Notification;
pub use outcomes::{Decline, NextDeclines};
pub use payments::{KnownPayment, PaymentSpec};
pub use refunds::KnownRefund;
pub use reset::Reset;
pub use tokens::{KnownToken, TokenSpec};

pub(crate) use guard::Access;
pub(crate) use http::{BODY_BYTES_MAX, is_asked, router};
pub(crate) use instruments::insert as insert_instrument;
pub(crate) use merchants::tell as tell_merchant;
pub(crate) use outcomes::{set_next, take_decline};
pub(crate) use payments::insert as insert_payment;
pub(crate) use tokens::insert as insert_token;

/// What the owner of a sandbox can do with it.
#[derive(Clone)]
pub struct Control {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

impl Control {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Runs a job of the owner's in one transaction; what it leaves behind may be due at once.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.shared.store.run(work).await;
        self.shared.wake();
        done
    }
}

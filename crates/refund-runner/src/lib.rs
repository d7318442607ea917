//! Many refunds, each exactly once: planned from a file, run under limits, resumed after a crash,
//! compared with what the provider says. No network and no vocabulary of a provider: those are behind a
//! [`Gateway`].

mod ask;
mod clock;
mod details;
mod gateway;
mod input;
mod key;
mod plan;
mod reconcile;
mod run;

pub use clock::{Clock, SystemClock};
pub use details::Details;
pub use gateway::{BoxFuture, Call, Found, Gateway, Limit, Listed, Looked, Status, Submitted};
pub use input::{BadRow, InputError, InputErrorKind, Numbered, Place, Row, Rows};
pub use key::row_key;
pub use plan::{
    Objection, Plan, PlanError, PlanEvent, PlanTotal, Planner, RowDifference, Sealing, Step,
};
pub use reconcile::{
    Compared, Difference, DifferenceKind, ReconcileError, ReconcileEvent, Reconciler,
    Reconciliation,
};
pub use run::observe::{Event, Observer};
pub use run::{Ended, Options, RunError, Runner, StopRule, Summary};

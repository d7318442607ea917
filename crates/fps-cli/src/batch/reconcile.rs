//! `fps batch reconcile`.

use crate::cli::BatchReconcile;
use crate::exit::{Exit, Failure};

pub(crate) fn run(_: &BatchReconcile) -> Result<(), Failure> {
    Err(Failure::new(Exit::Internal, "later"))
}

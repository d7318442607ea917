//! The seed file over HTTP; what it does is in `seeds`.

use axum::extract::State;

use super::Control;
use super::http::{Answered, Body, made};
use crate::seeds::{Seed, Seeded};

pub(super) async fn seed(
    State(control): State<Control>,
    Body(seed): Body<Seed>,
) -> Answered<Seeded> {
    Ok(made(control.seed(seed).await?))
}

//! Fault rules over HTTP; what they mean is in `faults`.

use axum::extract::{Path, State};
use serde::Serialize;

use super::Control;
use super::http::{Answered, Body, made, told};
use crate::error::{Error, ErrorKind};
use crate::faults::{FaultPlan, FaultRule, FaultState};

/// All rules, in the order in which they are tried.
#[derive(Serialize)]
pub(super) struct Rules {
    items: Vec<FaultState>,
}

impl Rules {
    fn of(control: &Control) -> Self {
        Self { items: control.shared.faults.states() }
    }
}

pub(super) async fn get(State(control): State<Control>) -> Answered<Rules> {
    Ok(told(Rules::of(&control)))
}

pub(super) async fn set(
    State(control): State<Control>,
    Body(plan): Body<FaultPlan>,
) -> Answered<Rules> {
    control.shared.faults.set(plan)?;
    Ok(told(Rules::of(&control)))
}

pub(super) async fn add(
    State(control): State<Control>,
    Body(rule): Body<FaultRule>,
) -> Answered<FaultState> {
    Ok(made(control.shared.faults.add(rule)?))
}

pub(super) async fn remove(
    State(control): State<Control>,
    Path(id): Path<String>,
) -> Answered<Rules> {
    let removed = id.parse().is_ok_and(|id| control.shared.faults.remove(id));
    if !removed {
        return Err(Error::with(ErrorKind::NotFound, "there is no such fault rule").into());
    }
    Ok(told(Rules::of(&control)))
}

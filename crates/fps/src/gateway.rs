//! Our words to Amazon's and back, for `refund-runner`: one try a call, and what each failure means for
//! money. Nothing is stored, retried or paced here.

mod amazon_pay;
mod flexible_payments;

use std::time::Duration;

use fps_http::pacing::Limits;
use fps_http::{Error, ErrorKind, RetryPolicy, Settings};
use refund_runner::{Limit, Looked, Submitted};

use crate::refund::RefundError;

pub use amazon_pay::AmazonPayGateway;
pub use flexible_payments::FlexiblePaymentsGateway;

/// The runner writes each try down before it leaves, and keeps the limits for all its workers, so the
/// client below does neither.
fn once(settings: &Settings) -> Settings {
    let mut retry = RetryPolicy::once();
    retry.call_timeout = settings.retry.call_timeout;
    settings.clone().with_retry(retry).without_pacing()
}

fn limit(limits: &Limits, action: &str) -> Option<Limit> {
    let limit = limits.get(action)?;
    let interval = limit.rate().interval()?.as_micros();
    let interval_micros = u32::try_from(interval).unwrap_or(u32::MAX);
    Some(Limit { burst: limit.burst(), interval_micros })
}

/// What a failed try means for money.
fn failed(error: &RefundError) -> Submitted {
    let call = match error {
        RefundError::Mismatch { .. } => return Submitted::Mismatch { what: error.to_string() },
        RefundError::Refused(refusal) => {
            return Submitted::Refused { code: refusal.rule().name().to_owned(), request: None };
        }
        RefundError::Call(call) => call,
    };
    let (code, why) = (code_of(call), call.to_string());
    if call.refusal().is_some_and(fps_http::ServiceRefusal::is_key_conflict) {
        return Submitted::KeyConflict { code };
    }
    if call.is_unknown() {
        return Submitted::Lost { why };
    }
    match call.kind() {
        ErrorKind::Unauthorized | ErrorKind::Sign => Submitted::Unauthorized { code },
        ErrorKind::Throttled | ErrorKind::Paced | ErrorKind::Fault => {
            let millis = |wait: Duration| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            Submitted::Busy { code, retry_after: call.retry_after().map(millis) }
        }
        ErrorKind::Encode => Submitted::Unsendable { why },
        // A page without the service's own word is somebody's in between: it ends no refund.
        ErrorKind::Refused if call.refusal().is_none() => Submitted::Lost { why },
        ErrorKind::Refused => {
            Submitted::Refused { code, request: call.request_id().map(str::to_owned) }
        }
        // What is not unknown did not leave.
        _ => Submitted::NotSent { why },
    }
}

/// The same for a question, by which no money moves.
fn not_told<T>(call: &Error) -> Looked<T> {
    match call.kind() {
        ErrorKind::Unauthorized | ErrorKind::Sign => Looked::Unauthorized { code: code_of(call) },
        ErrorKind::Refused if call.refusal().is_some() => Looked::Refused { code: code_of(call) },
        ErrorKind::Encode => Looked::Refused { code: code_of(call) },
        _ => Looked::Later { why: call.to_string() },
    }
}

/// The service's own code, or else what happened.
fn code_of(call: &Error) -> String {
    call.service_code().map_or_else(|| call.to_string(), str::to_owned)
}

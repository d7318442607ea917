//! What the door knows of one request to a service and its answer: read from the bytes as they pass, to
//! the best of its ability. Nothing is decided by it but faults, and no request fails because of it.
//! Nothing that tells who a buyer is stands in it, and no secret.

mod read;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

pub(crate) use self::read::{read, reads};
use crate::audit::Audit;
use crate::books::Service;

/// The most exchanges that are kept; the oldest go first.
const KEPT_MAX: usize = 4_096;

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Wire {
    /// FPS, as parameters.
    Query,
    /// FPS, in an envelope.
    Soap,
    /// Amazon Pay.
    Json,
}

/// When something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Moment {
    /// By the clock of the sandbox, in milliseconds since 1970.
    pub at_millis: i64,
    /// Microseconds since the sandbox was opened: no advance of its clock counts here.
    pub since_open_micros: u64,
}

/// One request to a service, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Which request it was since the sandbox was opened, from 1.
    pub number: u64,
    /// Whom it was for.
    pub service: Service,
    /// How it came.
    pub wire: Wire,
    /// When its last byte had arrived.
    pub asked: Moment,
    /// The operation by its name in the service, such as `Refund` or `CreateRefund`.
    pub operation: Option<String>,
    /// The revision of the service.
    pub version: Option<String>,
    /// The access key, or the id of the public key, that it names; of SOAP, a hash of its certificate.
    pub key_id: Option<String>,
    /// `1` or `2` of FPS, the algorithm of Amazon Pay.
    pub signature_version: Option<String>,
    /// The caller reference, or the idempotency key.
    pub idempotency_key: Option<String>,
    /// The transaction or charge that it is about.
    pub payment: Option<String>,
    /// What it reads: the refund of `GetRefund`, the transaction of `GetTransactionStatus`.
    pub object: Option<String>,
    /// The amount as it was written.
    pub amount: Option<String>,
    /// Stands for what it asks, whenever and however it was signed: SHA-256 in hexadecimal.
    pub fingerprint: String,
    /// When the answer began to leave; nothing if none did.
    pub answered: Option<Moment>,
    /// The status of the answer that was to leave; nothing if none was.
    pub status: Option<u16>,
    /// The error code in it.
    pub error: Option<String>,
    /// What was made, by its id: also when the client was not told.
    pub created: Option<String>,
    /// The kind of fault that was applied, if one was.
    pub fault: Option<&'static str>,
    /// Did the answer leave whole?
    pub whole: bool,
}

/// The last exchanges of a sandbox.
pub(crate) struct Log {
    /// Sees each of them on its way.
    pub(crate) audit: Audit,
    next: AtomicU64,
    kept: Mutex<VecDeque<Exchange>>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let audit = Audit::default();
        Self { audit, next: AtomicU64::new(1), kept: Mutex::new(VecDeque::new()) }
    }

    /// The number of the next request.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Keeps one that has ended.
    pub(crate) fn add(&self, exchange: Exchange) {
        self.audit.see(&exchange);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(exchange);
    }

    /// Those that are kept, in the order in which they ended.
    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

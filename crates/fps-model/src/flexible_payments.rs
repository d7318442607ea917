//! Amazon Flexible Payments Service: operations, their shared types, and the envelopes around them;
//! operations are generated, and none is written here.

mod answer;
mod refusal;

pub use self::refusal::ErrorDocument;
pub use crate::dialect::Dialect;
pub use crate::generated::flexible_payments::*;

pub(crate) use self::answer::{ResultElement, read_answer, write_answer};
use crate::operation::{Operation, Service};
use crate::params::Params;
use crate::service_error::ServiceError;

/// The service, as a type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FlexiblePaymentsApi;

impl Service for FlexiblePaymentsApi {
    type Request = Params;
    type Version = Dialect;
    type Code = ErrorCode;

    fn read_refusal(body: &[u8]) -> Option<ServiceError<ErrorCode>> {
        refusal::read(body).ok()
    }
}

/// An operation of this service: all of them have the same method and path.
pub trait Action: Operation {
    /// The revisions that have it, in their order.
    const DIALECTS: &'static [Dialect];
}

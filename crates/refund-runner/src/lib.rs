//! Many refunds, each exactly once: planned from a file, run under limits, resumed after a crash,
//! compared with what the provider says. No network and no vocabulary of a provider: those are behind a
//! [`Gateway`].

mod gateway;

pub use gateway::{BoxFuture, Call, Found, Gateway, Limit, Listed, Looked, Status, Submitted};

//! Durable record of refunds.

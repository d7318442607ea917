//! Limits of the service, kept: the buckets, one client, and ten thousand refunds in virtual time.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod buckets;
mod client;
mod load;
mod setup;

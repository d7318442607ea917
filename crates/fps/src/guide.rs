//! The guide: how a shop makes refunds with this crate, and what can go wrong with the money. Text only;
//! every block of it compiles, and those that can run against the sandbox when the documentation is tested.
//!
//! **Five things cost money when they are not known.** The rest can be read when it is needed.
//!
//! 1. **Never make a new key after a doubt.** The same request with the same key is the same refund, however
//!    often it is sent. With another key it is a second refund. See [`idempotency`].
//! 2. **A timeout is not a failure.** The service may have made the refund and its answer may be lost. Ask
//!    [`Error::is_unknown`](crate::Error::is_unknown) before anything else. See [`errors`].
//! 3. **Flexible Payments Service remembers a key for seven days.** After that, the same request is a new
//!    refund. Amazon Pay remembers for ever. See [`idempotency`].
//! 4. **An event of Amazon Pay, which comes through SNS, has no state.** It says that a refund has changed,
//!    and not how. Ask the service. See [`notifications`].
//! 5. **Keys for real money go to Amazon only.** A live key is refused for any other address, unless that
//!    is named as a live one. See [`limits`].
//!
//! # The pages
//!
//! | page | what it answers |
//! |---|---|
//! | [`start`] | How do I make a refund? |
//! | [`idempotency`] | Which key, when is it stored, and what is sent again? |
//! | [`errors`] | It failed: has money moved, and what do I do? |
//! | [`notifications`] | Something was posted to my address: may I believe it? |
//! | [`sandbox`] | How do I test all this without Amazon? |
//! | [`limits`] | How long, how often, how large, and through which proxy? |
//!
//! # The examples
//!
//! Each runs in a few seconds, on this machine alone, and fails if what it shows does not hold:
//!
//! | command | what it shows |
//! |---|---|
//! | `cargo run -p fps --example refund` | Amazon Pay from the charge to the end of a refund |
//! | `cargo run -p fps --example refund_fps` | the same for Flexible Payments Service, and two refusals |
//! | `cargo run -p fps --example lost_answer` | an answer is lost, and there is one refund all the same |
//! | `cargo run -p fps --example errors` | every kind of failure, and what to do |
//! | `cargo run -p fps --example metrics` | counting calls, and two clients that share a limit |
//! | `cargo run -p fps --example remote_signer` | a private key that stays in a KMS |
//! | `cargo run -p fps --example notifications_axum` | an address for notifications |

#[doc = include_str!("guide/start.md")]
pub mod start {}

#[doc = include_str!("guide/idempotency.md")]
pub mod idempotency {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/notifications.md")]
pub mod notifications {}

#[doc = include_str!("guide/sandbox.md")]
pub mod sandbox {}

#[doc = include_str!("guide/limits.md")]
pub mod limits {}

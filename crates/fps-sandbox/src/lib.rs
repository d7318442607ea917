//! Both Amazon payment services on loopback, for tests and for trying things out.
//!
//! [`Sandbox::start`] opens one TLS listener that speaks Amazon Pay API v2 under `/v2` and FPS Query
//! at `/`. Signatures are checked, the rules of `refund-rules` decide, keys are remembered, money is
//! kept in double-entry books in an SQLite file, and notifications are signed and posted.
//!
//! What buyers and sellers would have given on Amazon's pages is given by its owner:
//! [`App::create_token`], [`App::create_prepaid_instrument`], [`App::create_subscription`] and so on.
//!
//! It shares no transport code with the client it is there to test.
//!
//! ```no_run
//! use fps_sandbox::{Config, MerchantSpec, Sandbox};
//! use refund_rules::{Currency, Money};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(Config::new("sandbox.db")).await?;
//! let merchant = sandbox.create_merchant(MerchantSpec::new("Test Business")).await?;
//! let charge = sandbox
//!     .capture_charge(&merchant, Money::parse("100.00", Currency::USD)?)
//!     .fee(Money::parse("3.00", Currency::USD)?)
//!     .create()
//!     .await?;
//! println!("{} serves {}", sandbox.url(), charge.as_str());
//! sandbox.stop().await?;
//! # Ok(())
//! # }
//! ```

pub mod audit;
pub mod control;
mod seeds;

mod app;
mod listener;
mod sandbox;
mod tls;

mod browsers;
mod exchange;
mod faults;
mod gate;
mod leaving;
mod server;
mod throttle;

mod amazon_pay;
mod charge_permissions;
mod checkout_sessions;
mod cobranded;
mod flexible_payments;
mod simple_pay;

mod idempotency;
mod instruments;
mod outcomes;
mod payments;
mod subscriptions;
mod tokens;

mod books;
mod merchants;
mod notifications;
mod settings;
mod store;

mod clock;
mod error;
mod fees;
mod ids;
mod periods;

pub use amazon_pay::{CaptureCharge, Region};
pub use app::App;
pub use books::{Service, Totals};
pub use charge_permissions::ChargePermissionSpec;
pub use error::{Error, ErrorKind};
pub use exchange::{Exchange, Moment, Wire};
pub use faults::{Fault, FaultPlan, FaultRule, FaultState};
pub use listener::Sandbox;
pub use merchants::{Merchant, MerchantSpec};
pub use notifications::{Delivery, NotificationFaults, NotificationRecord};
pub use sandbox::Config;
pub use seeds::{Seed, Seeded};
pub use subscriptions::SubscriptionSpec;
pub use throttle::Throttle;
pub use tokens::TokenSpec;

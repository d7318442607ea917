//! A refund of a dollar through FPS, at a sandbox that `fps sandbox` has started. The command prints this
//! with the values of its own in the place of these.
//!
//! Needs the crates `fps` and `tokio` (with `macros` and `rt-multi-thread`).

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use fps::flexible_payments::TransactionId;
use fps::{Credentials, Currency, FlexiblePayments, FlexiblePaymentsConfig};
use fps::{Key, Money, Secret, Settings, Trust, Wish};

const URL: &str = "https://localhost:7443";
const AUTHORITY: &str = "fps-sandbox-ca.pem";
const ACCESS_KEY_ID: &str = "AKIAEXAMPLE";
const SECRET_KEY: &str = "example";
const TRANSACTION_ID: &str = "16EXAMPLE";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    refund(URL, AUTHORITY, ACCESS_KEY_ID, SECRET_KEY, TRANSACTION_ID).await
}

pub(crate) async fn refund(
    url: &str,
    authority: &str,
    access_key_id: &str,
    secret_key: &str,
    transaction_id: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = match authority {
        "" => Settings::default(),
        file => Settings::default().with_trust(Trust::Only(std::fs::read_to_string(file)?)),
    };
    let credentials = Credentials::new(access_key_id, Secret::new(secret_key));
    let config = FlexiblePaymentsConfig::new(url, credentials)?;
    let shop = FlexiblePayments::new(config, &settings)?;

    let id = TransactionId::new(transaction_id);
    let payment = shop.payment(&id).await?;
    let wish = Wish::amount(Money::parse("1.00", Currency::USD)?);
    // A key that is stored with the decision to refund lets the same refund be sent again.
    let (plan, refund) = shop.refund(Key::random()?.into(), &id, &payment, &wish).await?;
    println!("refund {} of {} is {:?}", refund.id.as_str(), plan.amount(), refund.state);
    Ok(())
}

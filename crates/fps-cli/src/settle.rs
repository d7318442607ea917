//! `fps settle`: takes what a buyer's payment reserved; knows nothing of refunds.

use fps::amazon_pay::{CaptureCharge, ChargeId};
use fps::flexible_payments::{self, TransactionId};
use fps::{IdempotencyKey, Money, Payment};
use serde::Serialize;

use crate::cli::Settle;
use crate::config::{Configuration, Connected, Shop};
use crate::consent::Asking;
use crate::decision::{amount, bad_key, currency, key, said};
use crate::exit::{Exit, Failure};
use crate::output::{Report, print, table};
use crate::progress::step;
use crate::runtime::block_on_or_signal;

const NOT_SETTLED: &str = "the payment was not settled";

pub(crate) fn run(arguments: &Settle) -> Result<(), Failure> {
    let connected =
        Configuration::read(&arguments.connection)?.connect(Some(&arguments.payment))?;
    let key = checked_key(arguments, &connected)?;
    let asking = Asking::new(connected.is_live(), &arguments.consent)?;
    let settled = block_on_or_signal(settle(arguments, &connected, key, asking))?;
    print(arguments.output, &settled)
}

/// The key that Amazon Pay needs, and FPS does not have.
fn checked_key(
    arguments: &Settle,
    connected: &Connected,
) -> Result<Option<IdempotencyKey>, Failure> {
    let usage = |what: &str| Err(Failure::new(Exit::Usage, what));
    match (&connected.shop, key(&arguments.decision)) {
        (Shop::AmazonPay(_), Some(key)) => IdempotencyKey::new(key).map(Some).map_err(bad_key),
        (Shop::AmazonPay(_), None) => {
            usage("Amazon Pay settles by a key: give --key KEY, or --for PART...")
        }
        (Shop::FlexiblePayments(_), Some(_)) => {
            usage("FPS settles a reservation once, and without a key")
        }
        (Shop::FlexiblePayments(_), None) if arguments.soft_descriptor.is_some() => {
            usage("a settlement of FPS has no --soft-descriptor")
        }
        (Shop::FlexiblePayments(_), None) => Ok(None),
    }
}

async fn settle(
    arguments: &Settle,
    connected: &Connected,
    key: Option<IdempotencyKey>,
    asking: Asking,
) -> Result<Settled, Failure> {
    let named = arguments.currency.as_deref().map(currency).transpose()?;
    let reserved = payment(connected, &arguments.payment).await?.captured();
    let sum = match &arguments.amount {
        Some(text) => amount(text, named.unwrap_or(reserved.currency()))?,
        None => reserved,
    };
    asking.ask(format!("settle {}", said(sum))).await?;
    if let Some(key) = &key {
        // Said before it is sent: whoever is cut off can send the same again.
        step(&format!("sending it with the key {}", key.as_str()));
    }
    let (id, state, request_id) = send(arguments, connected, key, sum).await?;
    Ok(Settled {
        service: connected.service_name(),
        payment: arguments.payment.clone(),
        transaction: id,
        state,
        currency: sum.currency().to_string(),
        amount: sum.to_string(),
        request_id,
    })
}

async fn payment(connected: &Connected, id: &str) -> Result<Payment, Failure> {
    let payment = match &connected.shop {
        Shop::AmazonPay(shop) => shop.payment(&ChargeId::new(id)).await,
        Shop::FlexiblePayments(shop) => shop.payment(&TransactionId::new(id)).await,
    };
    payment.map_err(|error| connected.failure(error, "the payment cannot be read"))
}

/// The settled payment's id, its state as the service spells it, and the id of the request.
async fn send(
    arguments: &Settle,
    connected: &Connected,
    key: Option<IdempotencyKey>,
    sum: Money,
) -> Result<(String, String, Option<String>), Failure> {
    let not_settled = |error: fps::Error| match error.is_unknown() {
        true => connected
            .failure(error, "whether the payment was settled is unknown")
            .hint(format!("`fps status {}` says how it stands", arguments.payment)),
        false => connected.failure(error, NOT_SETTLED),
    };
    let id = arguments.payment.as_str();
    match (&connected.shop, key) {
        (Shop::AmazonPay(shop), Some(key)) => {
            let mut request = CaptureCharge::new(key, id, sum);
            request.soft_descriptor.clone_from(&arguments.soft_descriptor);
            let answer = shop.client().send(&request).await.map_err(not_settled)?;
            let charge = answer.result;
            let state = charge.status_details.state.to_string();
            Ok((charge.charge_id.as_str().to_owned(), state, answer.request_id))
        }
        (Shop::FlexiblePayments(shop), _) => {
            let request = flexible_payments::Settle::new(id).transaction_amount(sum);
            let answer = shop.client().send(&request).await.map_err(not_settled)?;
            let settled = answer.result;
            let state = settled.transaction_status.to_string();
            Ok((settled.transaction_id.as_str().to_owned(), state, answer.request_id))
        }
        (Shop::AmazonPay(_), None) => Err(Failure::new(Exit::Internal, NOT_SETTLED)),
    }
}

#[derive(Serialize)]
struct Settled {
    service: String,
    payment: String,
    /// What can be refunded.
    transaction: String,
    /// As the service spells it.
    state: String,
    currency: String,
    amount: String,
    request_id: Option<String>,
}

impl Report for Settled {
    fn text(&self) -> String {
        let rows = [
            ("payment", &self.payment),
            ("amount", &self.amount),
            ("transaction", &self.transaction),
            ("state", &self.state),
        ];
        let header = ["", self.currency.as_str()];
        table(&header, rows.map(|(name, value)| vec![name.to_owned(), value.clone()]))
    }
}

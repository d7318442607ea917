//! `fps cancel-token`: ends what a buyer allowed to be charged; moves no money.

use fps::amazon_pay::CloseChargePermission;
use fps::flexible_payments;
use serde::Serialize;

use crate::cli::CancelToken;
use crate::config::{Configuration, Connected, Shop};
use crate::consent::Asking;
use crate::exit::{Exit, Failure};
use crate::output::{Report, print, table};
use crate::runtime::block_on_or_signal;

const NOT_CANCELLED: &str = "the token was not cancelled";
const IN_DOUBT: &str = "whether the token was cancelled is unknown";

pub(crate) fn run(arguments: &CancelToken) -> Result<(), Failure> {
    let connected = Configuration::read(&arguments.connection)?.connect(Some(&arguments.token))?;
    match connected.shop {
        Shop::AmazonPay(_) if arguments.reason.is_none() => {
            return Err(Failure::new(Exit::Usage, "Amazon Pay wants to know why: give --reason"));
        }
        Shop::FlexiblePayments(_) if arguments.cancel_pending => {
            let message = "--cancel-pending is for a charge permission of Amazon Pay";
            return Err(Failure::new(Exit::Usage, message));
        }
        Shop::AmazonPay(_) | Shop::FlexiblePayments(_) => {}
    }
    let asking = Asking::new(connected.is_live(), &arguments.consent)?;
    let cancelled = block_on_or_signal(async {
        asking.ask(format!("cancel {}", arguments.token)).await?;
        cancel(arguments, &connected).await
    })?;
    print(arguments.output, &cancelled)
}

async fn cancel(arguments: &CancelToken, connected: &Connected) -> Result<Cancelled, Failure> {
    let not_cancelled = |error: fps::Error| {
        let what = if error.is_unknown() { IN_DOUBT } else { NOT_CANCELLED };
        connected.failure(error, what)
    };
    let (state, request_id) = match &connected.shop {
        Shop::AmazonPay(shop) => {
            let reason = arguments.reason.as_deref().unwrap_or_default();
            let mut request = CloseChargePermission::new(arguments.token.as_str(), reason);
            if arguments.cancel_pending {
                request = request.cancel_pending_charges(true);
            }
            let answer = shop.client().send(&request).await.map_err(not_cancelled)?;
            (answer.result.status_details.state.to_string(), answer.request_id)
        }
        Shop::FlexiblePayments(shop) => {
            let mut request = flexible_payments::CancelToken::new(arguments.token.as_str());
            if let Some(reason) = &arguments.reason {
                request = request.reason_text(reason.as_str());
            }
            let answer = shop.client().send(&request).await.map_err(not_cancelled)?;
            ("Cancelled".to_owned(), answer.request_id)
        }
    };
    let token = arguments.token.clone();
    Ok(Cancelled { service: connected.service_name(), token, state, request_id })
}

#[derive(Serialize)]
struct Cancelled {
    service: String,
    token: String,
    /// As the service spells it.
    state: String,
    request_id: Option<String>,
}

impl Report for Cancelled {
    fn text(&self) -> String {
        table(&["token", "state"], [vec![self.token.clone(), self.state.clone()]])
    }
}

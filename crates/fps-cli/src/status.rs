//! `fps status`: how a payment or a refund stands, and what remains to be refunded; changes nothing.

use fps::amazon_pay::{ChargeId, GetRefund};
use fps::flexible_payments::{FpsOperation, GetTransaction, RelationType, TransactionId};
use fps::{Decision, Payment, PaymentState, SnapshotError, Wish};
use serde::Serialize;

use crate::cli::Status;
use crate::config::{Configuration, Connected, Shop};
use crate::exit::Failure;
use crate::output::{Report, print, table};
use crate::runtime::block_on_or_signal;

pub(crate) fn run(arguments: &Status) -> Result<(), Failure> {
    let connected = Configuration::read(&arguments.connection)?.connect(Some(&arguments.id))?;
    let stands = block_on_or_signal(ask(&connected, &arguments.id))?;
    print(arguments.output, &stands)
}

async fn ask(connected: &Connected, id: &str) -> Result<Stands, Failure> {
    let what = || format!("how {id} stands cannot be read");
    let failed = |error: fps::Error| connected.failure(error, what());
    let unclear = |error: SnapshotError| connected.failure(error, what());
    let service = connected.service_name();
    match &connected.shop {
        // The last part of an id of Amazon Pay says what it is of.
        Shop::AmazonPay(shop) if id.rsplit('-').next().is_some_and(|it| it.starts_with('R')) => {
            let refund = shop.client().send(&GetRefund::new(id)).await.map_err(failed)?.result;
            Ok(Stands {
                service,
                id: id.to_owned(),
                currency: refund.refund_amount.currency().to_string(),
                amount: refund.refund_amount.to_string(),
                state: refund.status_details.state.to_string(),
                reason: refund.status_details.reason_code.map(|code| code.to_string()),
                what: What::Refund { payment: Some(refund.charge_id.as_str().to_owned()) },
            })
        }
        Shop::AmazonPay(shop) => {
            let payment = shop.payment(&ChargeId::new(id)).await.map_err(unclear)?;
            let decision = shop.plan(&payment, &Wish::rest());
            Ok(of_payment(service, id, &payment, &decision))
        }
        Shop::FlexiblePayments(shop) => {
            let answer = shop.client().send(&GetTransaction::new(id)).await.map_err(failed)?;
            let found = answer.result.transaction;
            let detail = found.ok_or(SnapshotError::NotFound).map_err(unclear)?;
            if detail.fps_operation != FpsOperation::Refund {
                let payment = shop.payment(&TransactionId::new(id)).await.map_err(unclear)?;
                let decision = shop.plan(&payment, &Wish::rest());
                return Ok(of_payment(service, id, &payment, &decision));
            }
            let mut related = detail.related_transaction.iter();
            let parent = related.find(|it| it.relation_type == Some(RelationType::Parent));
            Ok(Stands {
                service,
                id: id.to_owned(),
                currency: detail.transaction_amount.currency().to_string(),
                amount: detail.transaction_amount.to_string(),
                state: detail.transaction_status.to_string(),
                reason: detail.status_code,
                what: What::Refund {
                    payment: parent.map(|it| it.transaction_id.as_str().to_owned()),
                },
            })
        }
    }
}

fn of_payment(service: String, id: &str, payment: &Payment, decision: &Decision) -> Stands {
    let state = match payment.state() {
        PaymentState::Completed => "completed",
        PaymentState::Pending => "pending",
        PaymentState::Reserved => "reserved",
        PaymentState::Failed => "failed",
        PaymentState::Cancelled => "cancelled",
    };
    let (remaining, reason) = match decision {
        Decision::Allow(plan) => (Some(plan.amount().to_string()), None),
        Decision::Refuse(refusal) => (None, Some(refusal.rule().name().to_owned())),
    };
    Stands {
        service,
        id: id.to_owned(),
        currency: payment.captured().currency().to_string(),
        amount: payment.captured().to_string(),
        state: state.to_owned(),
        reason,
        what: What::Payment {
            refunded: payment.refunded().to_string(),
            pending: payment.pending().to_string(),
            remaining,
        },
    }
}

/// How it stands.
#[derive(Serialize)]
struct Stands {
    service: String,
    id: String,
    #[serde(flatten)]
    what: What,
    state: String,
    currency: String,
    amount: String,
    /// Why a refund was declined, or which rule forbids that more of a payment is refunded.
    reason: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum What {
    Payment {
        refunded: String,
        pending: String,
        /// None when a rule forbids any refund.
        remaining: Option<String>,
    },
    Refund {
        payment: Option<String>,
    },
}

impl Report for Stands {
    fn text(&self) -> String {
        let some = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let mut rows = vec![("state", self.state.clone()), ("amount", self.amount.clone())];
        let kind = match &self.what {
            What::Payment { refunded, pending, remaining } => {
                rows.push(("refunded", refunded.clone()));
                rows.push(("under way", pending.clone()));
                rows.push(("remaining", some(remaining)));
                "payment"
            }
            What::Refund { payment } => {
                rows.push(("of payment", some(payment)));
                "refund"
            }
        };
        if let Some(reason) = &self.reason {
            rows.push(("because of", reason.clone()));
        }
        rows.insert(0, (kind, self.id.clone()));
        let header = ["", self.currency.as_str()];
        table(&header, rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]))
    }
}

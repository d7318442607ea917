//! `fps quote`: the rules, asked and answered without a network; the rules themselves are not here.

use fps::{Currency, Decision, Method, Money, Payment, Plan, Policy, Wish, decide};
use serde::Serialize;

use crate::cli::{Quote, Service};
use crate::decision::{bad_amount, currency, refused, timing};
use crate::exit::{Exit, Failure};
use crate::output::{Report, print, table};

pub(crate) fn run(arguments: &Quote) -> Result<(), Failure> {
    let currency = currency(&arguments.currency)?;
    let read = |name: &str, text: &str| {
        Money::parse(text, currency).map_err(|error| bad_amount(name, text, currency, error))
    };
    let optional = |name: &str, text: &Option<String>| match text {
        Some(text) => read(name, text),
        None => Ok(Money::zero(currency)),
    };
    let captured = read("--captured", &arguments.captured)?;
    let fee = optional("--fee", &arguments.fee)?;
    let refunded = optional("--refunded", &arguments.refunded)?;
    let payment = Payment::completed(captured, Method::Card)
        .and_then(|payment| payment.with_fee(fee))
        .and_then(|payment| payment.with_refunded(refunded))
        .map_err(impossible)?;
    let payment = match arguments.refunds {
        Some(refunds) => payment.with_refunds(refunds).map_err(impossible)?,
        None => payment,
    };
    let wish = match &arguments.amount {
        Some(text) => Wish::amount(read("the amount", text)?),
        None => Wish::rest(),
    };
    match decide(&payment, &wish, &policy(arguments.service, currency)) {
        Decision::Allow(plan) => print(arguments.output, &Quoted::new(&plan)),
        Decision::Refuse(refusal) => Err(refused(refusal)),
    }
}

/// The limits of a service.
pub(crate) fn policy(service: Service, currency: Currency) -> Policy {
    match service {
        Service::AmazonPay => Policy::amazon_pay(currency),
        Service::FlexiblePayments => Policy::flexible_payments(),
    }
}

fn impossible(error: impl Into<Box<dyn std::error::Error>>) -> Failure {
    Failure::new(Exit::Usage, "there cannot be such a payment").because(error)
}

/// What a refund would do.
#[derive(Serialize)]
struct Quoted {
    currency: String,
    amount: String,
    fee_returned: String,
    remaining: String,
    remaining_with_overage: String,
    timing: &'static str,
}

impl Quoted {
    fn new(plan: &Plan) -> Self {
        Self {
            currency: plan.amount().currency().to_string(),
            amount: plan.amount().to_string(),
            fee_returned: plan.fee_returned().to_string(),
            remaining: plan.remaining().to_string(),
            remaining_with_overage: plan.remaining_with_overage().to_string(),
            timing: timing(plan),
        }
    }
}

impl Report for Quoted {
    fn text(&self) -> String {
        let rows = [
            ("refund", &self.amount),
            ("fee returned", &self.fee_returned),
            ("remaining", &self.remaining),
            ("remaining with overage", &self.remaining_with_overage),
        ];
        let header = ["", self.currency.as_str()];
        table(&header, rows.map(|(name, amount)| vec![name.to_owned(), amount.clone()]))
    }
}

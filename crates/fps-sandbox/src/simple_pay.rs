//! The target of Simple Pay buttons: a form on a merchant's page posts here, the visitor approves or
//! abandons, and is sent back with a signed address. Buttons for one payment only, and signed ones.

use std::sync::Arc;

use fps_model::Params;
use fps_model::flexible_payments::{
    ButtonFlag, SimplePayButton, SimplePayOperation, SimplePayReturn, SimplePayStatus,
};
use fps_sign::Target;
use refund_rules::{Currency, Method};
use rusqlite::Connection;

use crate::books::Service;
use crate::clock;
use crate::cobranded::{
    self, Decision, METHODS, Question, Shown, Signed, Visit, method_code, refuse, send_back,
};
use crate::error::Error;
use crate::notifications::{BUYER_EMAIL, BUYER_NAME};
use crate::payments::{self, End, NewPayment, Operation, Owner, State, StoredPayment};
use crate::sandbox::Shared;
use crate::{ids, merchants};

/// Where buttons lead. Source: Simple Pay guides.
pub(crate) const BUTTON_PATH: &str = "/pba/paypipeline";
/// Where the page's own form goes: not among the addresses that pages from elsewhere may post to.
pub(crate) const DECISION_PATH: &str = "/cobranded-ui/actions/pay";

/// Shows what a button asks for.
pub(crate) async fn button(shared: &Arc<Shared>, visit: Visit) -> Result<Shown, Error> {
    let request = visit.form.unwrap_or_default();
    let Ok(request) = String::from_utf8(request) else {
        return Ok(refuse(400, "The form cannot be read."));
    };
    let decision = shared.auto_approve.then_some(Decision::Approved(Method::Card));
    answer(shared, &visit.host, &request, decision).await
}

/// Does what the visitor decided.
pub(crate) async fn decide(shared: &Arc<Shared>, visit: Visit) -> Result<Shown, Error> {
    match cobranded::decided(&visit.form.unwrap_or_default()) {
        Ok((request, decision)) => answer(shared, &visit.host, &request, Some(decision)).await,
        Err(reason) => Ok(refuse(400, reason)),
    }
}

async fn answer(
    shared: &Arc<Shared>,
    host: &str,
    request: &str,
    decision: Option<Decision>,
) -> Result<Shown, Error> {
    let Ok(params) = Params::parse(request.as_bytes()) else {
        return Ok(refuse(400, "The form cannot be read."));
    };
    let signed = Signed { target: Target::new("POST", host, BUTTON_PATH), key_name: "accessKey" };
    let merchant = match cobranded::prove(shared, &signed, &params).await? {
        Ok(merchant) => merchant,
        Err(reason) => return Ok(refuse(403, reason)),
    };
    let button = match SimplePayButton::from_params(&params) {
        Ok(button) => button,
        Err(error) => return Ok(refuse(400, &error.to_string())),
    };
    if let Err(reason) = check(&button) {
        return Ok(refuse(400, reason));
    }
    let Some(decision) = decision else {
        let amount = button.amount;
        let mut rows = vec![
            ("For", button.description.expose().to_owned()),
            ("One payment of", format!("{amount} {}", amount.currency().code())),
        ];
        rows.extend(button.reference_id.clone().map(|reference| ("Reference", reference)));
        let methods = METHODS.map(|(_, method)| method);
        let (title, action) = ("Pay", DECISION_PATH);
        let html =
            cobranded::ask(&Question { title, rows: &rows, methods: &methods, action, request });
        return Ok(Shown::Page { status: 200, html });
    };
    let (back, return_url) = match decision {
        Decision::Abandoned => {
            let mut back = SimplePayReturn::new(SimplePayStatus::Abandoned);
            back.reference_id.clone_from(&button.reference_id);
            (back, button.abandon_url.or(button.return_url))
        }
        Decision::Approved(method) => {
            let return_url = button.return_url.clone();
            (pay(shared, merchant, button, method).await?, return_url)
        }
    };
    match return_url {
        Some(url) => send_back(shared, &url, &back.to_params().map_err(Error::invalid)?),
        None => Ok(refuse(200, "Done. The button names nowhere to go back to.")),
    }
}

/// What of buttons is there, and where it may lead.
fn check(button: &SimplePayButton) -> Result<(), &'static str> {
    let urls = [&button.return_url, &button.abandon_url, &button.ipn_url];
    if urls.into_iter().flatten().any(|url| !merchants::is_here(url)) {
        return Err("Every address of the button has to be on this machine.");
    }
    if button.amount.currency() != Currency::USD || button.amount.minor() < 1 {
        return Err("amount has to be in USD, and above zero.");
    }
    let more = button.recipient_email.is_some()
        || button.recurring_frequency.is_some()
        || button.donation_type.is_some();
    if more {
        return Err("The sandbox has buttons for one payment only, without marketplaces.");
    }
    Ok(())
}

/// Charges the visitor, or reserves the amount where the button says so.
async fn pay(
    shared: &Arc<Shared>,
    merchant: i64,
    button: SimplePayButton,
    method: Method,
) -> Result<SimplePayReturn, Error> {
    let (now, fees, processing) = (shared.clock.now(), shared.fees, shared.processing);
    let reserves = button.process_immediate == Some(ButtonFlag::No);
    let work = move |connection: &Connection| -> Result<_, Error> {
        let owner = Owner { merchant, service: Service::FlexiblePayments };
        let operation = if reserves { Operation::Reserve } else { Operation::Pay };
        let later = matches!(method, Method::Card | Method::Bank);
        let new = NewPayment {
            fee: fees.of(button.amount)?,
            reference: button.reference_id.clone(),
            description: Some(button.description.expose().to_owned()),
            notify_url: button.ipn_url.clone(),
            end: if reserves { End::Reserved } else { End::Completed },
            due_at: later.then(|| now.saturating_add(processing)),
            ..NewPayment::new(ids::transaction_id()?, owner, operation, method, button.amount)
        };
        let stored = payments::insert(connection, &new, now)?;
        Ok((stored, merchants::profile(connection, merchant)?))
    };
    let (stored, profile) = shared.store.run(work).await?;
    shared.wake();
    Ok(told(&stored, profile, method))
}

fn told(stored: &StoredPayment, profile: merchants::Profile, method: Method) -> SimplePayReturn {
    let status = match stored.state {
        State::Completed => SimplePayStatus::PaymentSuccess,
        State::Reserved => SimplePayStatus::PaymentReserved,
        _ => SimplePayStatus::PaymentInitiated,
    };
    let operation = match stored.operation {
        Operation::Reserve => SimplePayOperation::Reserve,
        _ => SimplePayOperation::Pay,
    };
    let mut back = SimplePayReturn::new(status)
        .transaction_id(stored.id.as_str())
        .transaction_date(clock::timestamp(stored.created_at))
        .operation(operation)
        .transaction_amount(stored.amount)
        .payment_method(method_code(method))
        .buyer_name(BUYER_NAME)
        .buyer_email(BUYER_EMAIL)
        .recipient_name(profile.name)
        .recipient_email(profile.email);
    back.payment_reason = stored.description.clone().map(Into::into);
    back.reference_id.clone_from(&stored.reference);
    back
}

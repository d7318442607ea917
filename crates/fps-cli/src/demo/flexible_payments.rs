//! The FPS half: a card payment, and refunds whose ends are told by notifications that were proved.

use std::time::Duration;

use fps::flexible_payments::{CancelToken, Pay, TransactionId};
use fps::{
    CallerReference, Credentials, Currency, FlexiblePayments, FlexiblePaymentsConfig, Followed,
    Method, Money, Patience, RefundState, Wish,
};
use fps_sandbox::Service;

use super::listener::Listening;
use super::report::{Lane, Step, asked};
use super::{PAID, World, call_failed, sandbox_failed};
use crate::exit::{Exit, Failure, OrFail};
use crate::progress::step;

const SERVICE: &str = "FPS";
const PART: Money = Money::from_minor(3_000, Currency::USD);

pub(super) async fn run(world: &World, listener: &mut Listening) -> Result<Lane, Failure> {
    let merchant = &world.merchant;
    let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
    let client = FlexiblePaymentsConfig::new(world.sandbox.url(), credentials)
        .and_then(|config| FlexiblePayments::new(config, &world.settings))
        .or_fail("the FPS client cannot be built")?;
    let mut lane = Lane::new(Service::FlexiblePayments);

    step("FPS: a card payment of 100.00 USD, by signed Query");
    let token = world.sandbox.install_token(merchant, Method::Card).await;
    let token = token.map_err(sandbox_failed)?;
    let payment = pay(&client, token.as_str()).await?;

    step("FPS: refund 30.00, and wait for notifications that can be proved");
    let wish = Wish::amount(PART);
    refund(&client, listener, &payment, "part", &wish, &mut lane).await?;

    step("FPS: refund with no amount, which means the rest");
    refund(&client, listener, &payment, "rest", &Wish::rest(), &mut lane).await?;

    step("FPS: cancel the token, so that it cannot be charged again");
    let cancelled = client.client().send(&CancelToken::new(token.as_str())).await;
    cancelled.or_fail("the token cannot be cancelled")?;
    Ok(lane)
}

/// References are made from what they stand for: the same step gives the same again.
fn reference(subject: &str, what: &str) -> Result<CallerReference, Failure> {
    CallerReference::new(format!("demo-{subject}-{what}")).or_fail("the reference is none")
}

/// A completed payment.
async fn pay(client: &FlexiblePayments, token: &str) -> Result<TransactionId, Failure> {
    let what = "the payment was not made";
    let request = Pay::new(token, PAID, reference(token, "pay")?);
    let answer = client.client().send(&request).await.or_fail(what)?;
    let id = answer.result.transaction_id;
    let patience = Patience::short(Duration::from_millis(50), Duration::from_secs(30));
    let end = client.follow(&id, &patience).await.or_fail(what)?;
    match end {
        // The service has one word, Success, for payments and refunds.
        Followed::Ended(RefundState::Refunded) => Ok(id),
        _ => Err(Failure::new(Exit::Unknown, format!("the payment did not complete: {end:?}"))),
    }
}

async fn refund(
    client: &FlexiblePayments,
    listener: &mut Listening,
    id: &TransactionId,
    what: &str,
    wish: &Wish,
    lane: &mut Lane,
) -> Result<(), Failure> {
    let payment = client.payment(id).await.or_fail("the payment cannot be read")?;
    let refund = client
        .refund(reference(id.as_str(), what)?, id, &payment, wish)
        .await
        .map_err(|error| call_failed("the refund was not made", error))?;
    let told = listener.follow(&refund.id).await?;
    let Some(last) = told.last() else {
        return Err(Failure::new(Exit::Internal, "no notification was received"));
    };
    lane.count(last.transaction_amount, refund.plan.fee_returned())?;
    let statuses: Vec<_> = told.iter().map(|told| told.transaction_status.as_str()).collect();
    lane.steps.push(Step {
        service: SERVICE,
        payment: id.as_str().to_owned(),
        asked: asked(wish, &refund.plan),
        decision: "allowed".to_owned(),
        fee_returned: Some(refund.plan.fee_returned().to_string()),
        state: format!("{} (proved)", statuses.join(", ")),
        refund: Some(refund.id.as_str().to_owned()),
        request_id: refund.request_id,
    });
    Ok(())
}

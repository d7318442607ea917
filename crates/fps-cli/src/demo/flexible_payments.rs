//! The FPS half: a card payment, and refunds whose ends are told by notifications that were proved;
//! knows nothing of Amazon Pay.

use std::time::Duration;

use fps::flexible_payments::{CancelToken, GetTransaction, Pay, Refund, TransactionId};
use fps::{
    CallerReference, Credentials, Currency, FlexiblePayments, FlexiblePaymentsConfig, Followed,
    Method, Money, Patience, RefundState, Wish,
};
use fps_sandbox::Service;

use super::listener::Listening;
use super::report::{Decided, Lane, Outcome, Step};
use super::{PAID, SANDBOX_FAILED, World};
use crate::exit::{Exit, Failure, OrFail};
use crate::progress::step;

const SERVICE: Service = Service::FlexiblePayments;
const PART: Money = Money::from_minor(3_000, Currency::USD);

pub(super) async fn run(world: &World, listener: &mut Listening) -> Result<Lane, Failure> {
    let merchant = &world.merchant;
    let credentials = Credentials::new(&*merchant.access_key_id, merchant.secret_key.clone());
    let client = FlexiblePaymentsConfig::new(world.sandbox.url(), credentials)
        .and_then(|config| FlexiblePayments::new(config, &world.settings))
        .or_fail("the FPS client cannot be built")?;
    let mut lane = Lane::new(SERVICE);

    step("FPS: a card payment of 100.00 USD, by signed Query");
    let token =
        world.sandbox.install_token(merchant, Method::Card).await.or_fail(SANDBOX_FAILED)?;
    let payment = pay(&client, token.as_str()).await?;

    step("FPS: refund 30.00, and wait for notifications that can be proved");
    refund(&client, listener, &payment, "part", &Wish::amount(PART), &mut lane).await?;

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
    let request = Pay::new(reference(token, "pay")?, token, PAID);
    let answer = client.client().send(&request).await.or_fail(what)?;
    let id = answer.result.transaction_id;
    let patience = Patience::short(Duration::from_millis(50), Duration::from_secs(30));
    let end = client.wait_for_refund(&id, &patience).await.or_fail(what)?;
    match end {
        // The service has one word, Success, for payments and refunds.
        Followed::Settled(RefundState::Refunded) => Ok(id),
        _ => Err(Failure::new(Exit::Unknown, format!("the payment did not complete: {end:?}"))),
    }
}

/// Decides, sends, and believes the end that is notified. The rest is sent without an amount.
async fn refund(
    client: &FlexiblePayments,
    listener: &mut Listening,
    id: &TransactionId,
    what: &str,
    wish: &Wish,
    lane: &mut Lane,
) -> Result<(), Failure> {
    let payment = client.payment(id).await.or_fail("the payment cannot be read")?;
    let not_made = "the refund was not made";
    let plan = client.plan(&payment, wish).into_result().or_fail(not_made)?;
    let mut request = Refund::new(reference(id.as_str(), what)?, id.as_str());
    request.refund_amount = wish.asked();
    let refund = client.submit(&request).await.or_fail(not_made)?;
    if refund.state != RefundState::Pending {
        let message = format!("the reply to a card refund is {:?}, not pending", refund.state);
        return Err(Failure::new(Exit::Damaged, message));
    }
    lane.begin(plan.amount())?;

    let told = listener.follow(&refund.id).await?;
    if told.amount != plan.amount() {
        let message = format!("{} was decided, {} notified", plan.amount(), told.amount);
        return Err(Failure::new(Exit::Damaged, message));
    }
    // Of a refund, the fee is what came back, and so below zero.
    let what = "the refund cannot be looked up";
    let detail = client.client().send(&GetTransaction::new(refund.id.as_str())).await;
    let fee = detail.or_fail(what)?.result.transaction.and_then(|detail| detail.fps_fees);
    let fee = fee.ok_or_else(|| Failure::new(Exit::Damaged, "the refund has no fee"))?;
    let fee_returned = fee.checked_neg().or_fail(what)?;
    lane.end(told.amount, fee_returned)?;
    lane.steps.push(Step {
        fee_returned: Some(fee_returned.to_string()),
        states: told.statuses,
        proved: true,
        refund: Some(refund.id.as_str().to_owned()),
        request_id: refund.request_id,
        ..Step::new(
            SERVICE,
            id.as_str(),
            wish.asked(),
            plan.amount(),
            Decided::Allow,
            Outcome::Refunded,
        )
    });
    Ok(())
}

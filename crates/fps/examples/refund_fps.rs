//! Refunds of Flexible Payments Service over its Query API: a payment, a partial refund that is followed by
//! asking, and two refusals, one by the rules before anything is sent and one by the service.
//!
//! ```text
//! cargo run -p fps --example refund_fps
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod world;

use fps::flexible_payments::{Pay, Refund, TransactionId};
use fps::{FlexiblePayments, Followed, Key, Method, Payment, RefundError, RefundState, Wish};
use fps_sandbox::Service;

use crate::world::{Outcome, World, check, patience, usd};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let world = World::start().await?;
    let shop = world.flexible_payments()?;

    // A buyer's token, as the co-branded pages would have given it, and a payment with it.
    let token = world.sandbox.install_token(&world.merchant, Method::Card).await?;
    let key = Key::derive(["order-4711", "payment"]);
    let pay = Pay::new(key.into(), token.as_str(), usd("100.00")?);
    let paid = shop.client().send(&pay).await?.result;
    println!("payment {} is {}", paid.transaction_id.as_str(), paid.transaction_status);
    let id = paid.transaction_id;
    // A transaction is followed as a refund is; its success is told by the same word.
    let end = shop.wait_for_refund(&id, &patience()).await?;
    check(end == Followed::Settled(RefundState::Refunded), "the payment succeeded")?;

    // One lookup for the payment and one for each refund of it, fees included.
    let payment = shop.payment(&id).await?;
    println!("it took {}, for a fee of {}", payment.captured(), payment.fee());
    let wish = Wish::amount(usd("30.00")?);
    let key = Key::derive(["order-4711", "line-2", "refund-1"]);
    let (plan, refund) = shop.refund(key.into(), &id, &payment, &wish).await?;
    println!("refund {} is {:?}", refund.id.as_str(), refund.state);
    let end = shop.wait_for_refund(&refund.id, &patience()).await?;
    println!("ended: {end:?}, with {} of the fee", plan.fee_returned());
    check(end == Followed::Settled(RefundState::Refunded), "the refund succeeded")?;
    check(plan.fee_returned() == usd("0.90")?, "30 % of the fee come back")?;

    refused_here_and_there(&shop, &id, &shop.payment(&id).await?).await?;

    let books = world.refunded(Service::FlexiblePayments).await?;
    println!("the books say {books} refunded");
    check(books == usd("30.00")?, "only the first refund was made")
}

/// 80.00 of the 70.00 that are left: by the rules, and past them.
async fn refused_here_and_there(
    shop: &FlexiblePayments,
    id: &TransactionId,
    payment: &Payment,
) -> Outcome {
    let key = Key::derive(["order-4711", "line-2", "refund-2"]);
    let wish = Wish::amount(usd("80.00")?);
    match shop.refund(key.into(), id, payment, &wish).await {
        Err(RefundError::Refused(refusal)) => {
            println!("refused here: {refusal} (rule {})", refusal.rule().name());
        }
        other => check(false, &format!("the rules refuse it: {other:?}"))?,
    }
    // The service has the last word. Sent without asking the rules, it is refused there.
    let request = Refund::new(key.into(), id.as_str()).refund_amount(usd("80.00")?);
    match shop.submit(&request).await {
        Err(RefundError::Call(error)) => {
            println!("refused there: {error}");
            check(error.service_code().is_some(), "the service gives its reason")?;
            check(!error.is_unknown(), "a refusal leaves no doubt")
        }
        other => check(false, &format!("the service refuses it: {other:?}")),
    }
}

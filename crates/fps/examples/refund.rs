//! A refund of Amazon Pay from beginning to end: read the charge, decide without sending, send with a key
//! that belongs to the decision, and wait until the service says how it ended.
//!
//! ```text
//! cargo run -p fps --example refund
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod world;

use fps::{Decision, Followed, Key, RefundState, Rule, Wish};
use fps_sandbox::Service;

use crate::world::{Outcome, World, check, patience, usd};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let world = World::start().await?;
    let shop = world.amazon_pay(&world.settings())?;
    let charge = world.charge().await?;

    // How the charge stands. The service tells no fee: it comes from the shop's own records.
    let payment = shop.payment(&charge).await?.with_fee(usd("3.00")?)?;
    println!(
        "charge {}: {} captured, {} held by refunds",
        charge.as_str(),
        payment.captured(),
        payment.held()
    );

    // What would happen. Nothing is sent: the same code decides here and before a refund.
    let too_much = Wish::amount(usd("500.00")?);
    match shop.plan(&payment, &too_much) {
        Decision::Refuse(refusal) => {
            println!("a wish for 500.00: {refusal}");
            check(refusal.rule() == Rule::Remaining, "the rule is that of what remains")?;
        }
        Decision::Allow(_) => check(false, "500.00 of 100.00 is too much")?,
    }
    let wish = Wish::amount(usd("40.00")?);
    let plan = shop.plan(&payment, &wish).into_result()?;
    println!("a wish for 40.00: allowed, with {} of the fee", plan.fee_returned());
    check(plan.fee_returned() == usd("1.20")?, "40 % of the fee come back")?;

    // The key stands for the decision to refund, so that whoever makes it again makes the same one. The
    // number of the refund was stored when it was asked for.
    let key = Key::derive(["order-4711", "line-2", "refund-1"]);
    println!("the key of it: {key}");
    let (plan, refund) = shop.refund(key.into(), &charge, &payment, &wish).await?;
    println!("sent {}: refund {} is {:?}", plan.amount(), refund.id.as_str(), refund.state);

    // Taken is not refunded. `StillPending` would mean: ask again later.
    let end = shop.wait_for_refund(&refund.id, &patience()).await?;
    println!("ended: {end:?}");
    check(end == Followed::Settled(RefundState::Refunded), "the refund succeeded")?;

    let payment = shop.payment(&charge).await?;
    let books = world.refunded(Service::AmazonPay).await?;
    println!("the charge says {} refunded, the books {books}", payment.refunded());
    check(payment.refunded() == plan.amount() && books == plan.amount(), "both say the same")
}

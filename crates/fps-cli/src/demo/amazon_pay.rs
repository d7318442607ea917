//! The Amazon Pay half: refunds, a repeated key, a wish that the rules refuse, and the same wish sent
//! all the same.

use std::time::Duration;

use fps::amazon_pay::{ChargeId, CreateRefund, GetRefund, RefundId};
use fps::{
    AmazonPay, AmazonPayConfig, Currency, Decision, Followed, IdempotencyKey, Money, Patience,
    Payment, PrivateKey, RefundState, Region, Submitted, Wish,
};
use fps_sandbox::Service;

use super::report::{Lane, Step, asked};
use super::{PAID, World, call_failed, sandbox_failed};
use crate::exit::{Exit, Failure, OrFail};
use crate::progress::step;

const SERVICE: &str = "Amazon Pay";
/// What the service took: seed 000 speaks of 3 dollars for a hundred.
const FEE: Money = Money::from_minor(300, Currency::USD);
const HALF: Money = Money::from_minor(5_000, Currency::USD);
/// More than the 15 % that may be refunded above a hundred.
const TOO_MUCH: Money = Money::from_minor(2_000, Currency::USD);

pub(super) async fn run(world: &World) -> Result<Lane, Failure> {
    step("Amazon Pay: a captured charge of 100.00 USD with a fee of 3.00");
    let charge = world.sandbox.capture_charge(&world.merchant, PAID).fee(FEE);
    let charge = charge.create().await.map_err(sandbox_failed)?;
    let shop = Shop { client: client(world)?, charge };
    let mut lane = Lane::new(Service::AmazonPay);

    step("Amazon Pay: refund 50.00, and ask until it is refunded");
    let payment = shop.payment().await?;
    let half = Wish::amount(HALF);
    let first = shop.refund("half", &payment, &half, &mut lane).await?;

    step("Amazon Pay: send the same refund again with the same key");
    shop.repeat("half", &payment, &half, &first, &mut lane).await?;

    step("Amazon Pay: refund the rest");
    let payment = shop.payment().await?;
    shop.refund("rest", &payment, &Wish::rest(), &mut lane).await?;

    step("Amazon Pay: ask for 20.00 more, which the rules refuse before anything is sent");
    let payment = shop.payment().await?;
    let more = Wish::amount(TOO_MUCH);
    shop.refused_here(&payment, &more, &mut lane)?;

    step("Amazon Pay: send the same wish anyway");
    shop.refused_there("more", TOO_MUCH, &mut lane).await?;
    Ok(lane)
}

fn client(world: &World) -> Result<AmazonPay, Failure> {
    let what = "the Amazon Pay client cannot be built";
    let merchant = &world.merchant;
    let private_key = PrivateKey::from_pem(merchant.private_key_pem.expose()).or_fail(what)?;
    AmazonPayConfig::new(&*merchant.public_key_id, private_key, Region::NorthAmerica)
        .and_then(|config| config.with_endpoint(world.sandbox.url()))
        .and_then(|config| AmazonPay::new(config, &world.settings))
        .or_fail(what)
}

/// The merchant's side of one charge.
struct Shop {
    client: AmazonPay,
    charge: ChargeId,
}

impl Shop {
    /// The charge as the service reports it; the fee is the merchant's own knowledge.
    async fn payment(&self) -> Result<Payment, Failure> {
        let what = "the charge cannot be read";
        self.client.payment(&self.charge).await.or_fail(what)?.with_fee(FEE).or_fail(what)
    }

    /// A key that the same wish gives again, whatever happened in between.
    fn key(&self, what: &str) -> Result<IdempotencyKey, Failure> {
        let charge = self.charge.as_str().rsplit_once('-').map_or("", |(_, last)| last);
        IdempotencyKey::new(format!("demo-{charge}-{what}")).or_fail("the key is no key")
    }

    fn step(&self, asked: String) -> Step {
        let payment = self.charge.as_str().to_owned();
        Step { service: SERVICE, payment, asked, ..Step::default() }
    }

    async fn send(
        &self,
        key: &str,
        payment: &Payment,
        wish: &Wish,
    ) -> Result<Submitted<RefundId>, Failure> {
        self.client
            .refund(self.key(key)?, &self.charge, payment, wish)
            .await
            .map_err(|error| call_failed("the refund was not made", error))
    }

    /// Decides, sends, and asks until it has ended.
    async fn refund(
        &self,
        key: &str,
        payment: &Payment,
        wish: &Wish,
        lane: &mut Lane,
    ) -> Result<RefundId, Failure> {
        let refund = self.send(key, payment, wish).await?;
        let what = "the refund cannot be followed";
        let patience = Patience::short(Duration::from_millis(50), Duration::from_secs(30));
        let end = self.client.follow(&refund.id, &patience).await.or_fail(what)?;
        if end != Followed::Ended(RefundState::Refunded) {
            let message = format!("refund {} did not end: {end:?}", refund.id.as_str());
            return Err(Failure::new(Exit::Unknown, message));
        }
        // What counts is what the service says was refunded, not what was asked.
        let said = self.client.client().send(&GetRefund::new(refund.id.as_str())).await;
        let said = said.or_fail(what)?.result;
        lane.count(said.refund_amount, refund.plan.fee_returned())?;
        lane.steps.push(Step {
            decision: "allowed".to_owned(),
            fee_returned: Some(refund.plan.fee_returned().to_string()),
            state: said.status_details.state.to_string(),
            refund: Some(refund.id.as_str().to_owned()),
            request_id: refund.request_id,
            ..self.step(asked(wish, &refund.plan))
        });
        Ok(refund.id)
    }

    /// The same key and content must give the same refund.
    async fn repeat(
        &self,
        key: &str,
        payment: &Payment,
        wish: &Wish,
        first: &RefundId,
        lane: &mut Lane,
    ) -> Result<(), Failure> {
        let again = self.send(key, payment, wish).await?;
        if again.id != *first {
            let message = format!("the repeated key made a second refund, {}", again.id.as_str());
            return Err(Failure::new(Exit::Damaged, message));
        }
        lane.steps.push(Step {
            decision: "allowed, same key".to_owned(),
            state: "the same refund".to_owned(),
            refund: Some(again.id.as_str().to_owned()),
            request_id: again.request_id,
            ..self.step(asked(wish, &again.plan))
        });
        Ok(())
    }

    fn refused_here(&self, payment: &Payment, wish: &Wish, lane: &mut Lane) -> Result<(), Failure> {
        let Decision::Refuse(refusal) = self.client.plan(payment, wish) else {
            return Err(Failure::new(Exit::Damaged, "the rules allowed more than the cap"));
        };
        let amount = |amount: Option<Money>| amount.map_or(String::new(), |it| format!("{it:?}"));
        let limit = match refusal.limit() {
            Some(fps::Limit::Amount(limit)) => Some(limit),
            _ => None,
        };
        lane.steps.push(Step {
            decision: format!("refused: {}, {}", refusal.rule().name(), amount(limit)),
            state: "not sent".to_owned(),
            ..self.step(amount(refusal.asked()))
        });
        Ok(())
    }

    /// Goes around the rules, as a client without them would.
    async fn refused_there(
        &self,
        key: &str,
        amount: Money,
        lane: &mut Lane,
    ) -> Result<(), Failure> {
        let request = CreateRefund::new(self.key(key)?, self.charge.as_str(), amount);
        let Err(error) = self.client.client().send(&request).await else {
            return Err(Failure::new(Exit::Damaged, "the sandbox refunded more than the cap"));
        };
        let Some(code) = error.service_code() else {
            return Err(error).or_fail("the sandbox gave no reason");
        };
        lane.steps.push(Step {
            decision: "not asked".to_owned(),
            state: format!("{} {code}", error.status().unwrap_or_default()),
            request_id: error.request_id().map(str::to_owned),
            ..self.step(format!("{amount:?}"))
        });
        Ok(())
    }
}

//! The Amazon Pay half: refunds, a repeated key, a wish that the rules refuse, and the same wish sent
//! all the same; knows nothing of FPS.

use std::time::Duration;

use fps::amazon_pay::{ChargeId, CreateRefund, GetRefund, ReasonCode, RefundId};
use fps::{
    AmazonPay, AmazonPayConfig, Currency, Decision, Followed, IdempotencyKey, Limit, Money,
    Patience, Payment, PrivateKey, RefundState, Region, ServiceRefusal, Wish,
};
use fps_sandbox::Service;

use super::report::{Decided, Lane, Outcome, Step};
use super::{PAID, SANDBOX_FAILED, World};
use crate::exit::{Exit, Failure, OrFail};
use crate::progress::step;

const SERVICE: Service = Service::AmazonPay;
/// What the service took: seed 000 speaks of 3 dollars for a hundred.
pub(super) const FEE: Money = Money::from_minor(300, Currency::USD);
const HALF: Money = Money::from_minor(5_000, Currency::USD);
/// More than the 15 % that may be refunded above a hundred.
const TOO_MUCH: Money = Money::from_minor(2_000, Currency::USD);

pub(super) async fn run(world: &World) -> Result<Lane, Failure> {
    step("Amazon Pay: a captured charge of 100.00 USD with a fee of 3.00");
    let charge = world.sandbox.capture_charge(&world.merchant, PAID).fee(FEE);
    let charge = charge.create().await.or_fail(SANDBOX_FAILED)?;
    let shop = Shop { client: client(world)?, charge };
    let mut lane = Lane::new(SERVICE);

    step("Amazon Pay: refund 50.00, and ask until it is refunded");
    let first = shop.refund("half", &Wish::amount(HALF), &mut lane).await?;

    step("Amazon Pay: send the same refund again with the same key");
    shop.repeat("half", HALF, &first, &mut lane).await?;

    step("Amazon Pay: refund the rest");
    shop.refund("rest", &Wish::rest(), &mut lane).await?;

    step("Amazon Pay: ask for 20.00 more, which the rules refuse before anything is sent");
    shop.refused_here(TOO_MUCH, &mut lane).await?;

    step("Amazon Pay: send the same wish anyway");
    shop.refused_there("more", TOO_MUCH, &mut lane).await?;
    Ok(lane)
}

fn client(world: &World) -> Result<AmazonPay, Failure> {
    AmazonPay::new(config(world)?, &world.settings).or_fail(NOT_BUILT)
}

const NOT_BUILT: &str = "the Amazon Pay client cannot be built";

pub(super) fn config(world: &World) -> Result<AmazonPayConfig, Failure> {
    let merchant = &world.merchant;
    let private_key = PrivateKey::from_pem(merchant.private_key_pem.expose()).or_fail(NOT_BUILT)?;
    AmazonPayConfig::new(&*merchant.public_key_id, private_key, Region::NorthAmerica)
        .and_then(|config| config.with_endpoint(world.sandbox.url()))
        .or_fail(NOT_BUILT)
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

    /// The request, with a key that the same wish gives again, whatever happened in between.
    fn request(&self, key: &str, amount: Money) -> Result<CreateRefund, Failure> {
        let charge = self.charge.as_str();
        let (_, last) = charge.rsplit_once('-').unwrap_or_default();
        let key = IdempotencyKey::new(format!("demo-{last}-{key}")).or_fail("the key is no key")?;
        Ok(CreateRefund::new(key, charge, amount))
    }

    fn step(
        &self,
        asked: Option<Money>,
        amount: Money,
        decision: Decided,
        outcome: Outcome,
    ) -> Step {
        Step::new(SERVICE, self.charge.as_str(), asked, amount, decision, outcome)
    }

    /// Decides, sends, and asks until it has ended.
    async fn refund(&self, key: &str, wish: &Wish, lane: &mut Lane) -> Result<RefundId, Failure> {
        let what = "the refund was not made";
        let plan = self.client.plan(&self.payment().await?, wish).into_result().or_fail(what)?;
        let request = self.request(key, plan.amount())?;
        let refund = self.client.submit(&request).await.or_fail(what)?;
        lane.begin(plan.amount())?;
        let what = "the refund cannot be followed";
        let patience = Patience::short(Duration::from_millis(50), Duration::from_secs(30));
        let end = self.client.wait_for_refund(&refund.id, &patience).await.or_fail(what)?;
        if end != Followed::Settled(RefundState::Refunded) {
            let message = format!("refund {} did not end: {end:?}", refund.id.as_str());
            return Err(Failure::new(Exit::Unknown, message));
        }
        // What counts is what the service says was refunded, not what was asked.
        let said = self.client.client().send(&GetRefund::new(refund.id.as_str())).await;
        let said = said.or_fail(what)?.result;
        lane.end(said.refund_amount, plan.fee_returned())?;
        lane.steps.push(Step {
            fee_returned: Some(plan.fee_returned().to_string()),
            states: vec![said.status_details.state.to_string()],
            refund: Some(refund.id.as_str().to_owned()),
            request_id: refund.request_id,
            ..self.step(wish.asked(), plan.amount(), Decided::Allow, Outcome::Refunded)
        });
        Ok(refund.id)
    }

    /// The same key and content must give the same refund.
    async fn repeat(
        &self,
        key: &str,
        amount: Money,
        first: &RefundId,
        lane: &mut Lane,
    ) -> Result<(), Failure> {
        let again = self.client.submit(&self.request(key, amount)?).await;
        let again = again.or_fail("the refund could not be sent again")?;
        if again.id != *first {
            let message = format!("the repeated key made a second refund, {}", again.id.as_str());
            return Err(Failure::new(Exit::Damaged, message));
        }
        lane.steps.push(Step {
            refund: Some(again.id.as_str().to_owned()),
            request_id: again.request_id,
            ..self.step(Some(amount), amount, Decided::NotAsked, Outcome::SameRefund)
        });
        Ok(())
    }

    async fn refused_here(&self, amount: Money, lane: &mut Lane) -> Result<(), Failure> {
        let wish = Wish::amount(amount);
        let Decision::Refuse(refusal) = self.client.plan(&self.payment().await?, &wish) else {
            return Err(Failure::new(Exit::Damaged, "the rules allowed more than the cap"));
        };
        let limit = match refusal.limit() {
            Some(Limit::Amount(limit)) => Some(limit.to_string()),
            _ => None,
        };
        lane.steps.push(Step {
            rule: Some(refusal.rule().name()),
            limit,
            ..self.step(Some(amount), amount, Decided::Refuse, Outcome::NotSent)
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
        let Err(error) = self.client.client().send(&self.request(key, amount)?).await else {
            return Err(Failure::new(Exit::Damaged, "the sandbox refunded more than the cap"));
        };
        let exceeded = matches!(error.refusal(), Some(ServiceRefusal::AmazonPay(refusal))
            if refusal.code == ReasonCode::TransactionAmountExceeded);
        if error.status() != Some(400) || !exceeded {
            return Err(Failure::from_error(error, "the sandbox did not refuse by its cap"));
        }
        lane.steps.push(Step {
            status: error.status(),
            code: error.service_code().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            ..self.step(Some(amount), amount, Decided::NotAsked, Outcome::Refused)
        });
        Ok(())
    }
}

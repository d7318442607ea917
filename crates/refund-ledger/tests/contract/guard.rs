//! What the guard lets through on random histories, against a list of what was let through before and
//! the rules on a snapshot made from it. The ledger's own sums take no part.

use std::collections::BTreeMap;

use refund_ledger::{
    Claim, Filter, IntentId, Ledger, NewBatch, NewIntent, NewPayment, Outcome, Prepared, Report,
    Wanted,
};
use refund_rules::{
    Asker, Currency, Decision, Grant, Grants, Held, Method, Money, Observation, Payment,
    PaymentKind, PaymentState, Policy, RefundState, Scope, Wish, decide,
};

use super::{Chance, NOW};

const STEPS: u64 = 600;

/// A payment as it was imported.
struct World {
    payment: Payment,
    policy: Policy,
    asker: Asker,
}

/// An intent that was let through.
#[derive(Clone)]
struct Kept {
    world: usize,
    amount: i64,
    fee: i64,
    share: i64,
    scope: Scope,
    state: RefundState,
    in_batch: bool,
}

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    let asker = Asker::CALLER;
    let granted = asker.with_grants(Grants::NONE.with(Grant::REFUND));
    for (currency, captured) in
        [(Currency::USD, 97), (Currency::JPY, 60_000), (Currency::KWD, 1_000)]
    {
        let money = |minor| Money::from_minor(minor, currency);
        let policy = Policy::amazon_pay(currency);
        let payment = Payment::completed(money(captured), Method::Card).unwrap();
        let payment = payment.with_fee(money(captured / 30)).unwrap();
        worlds.push(World { payment, policy: policy.clone(), asker });
        let strict = policy.clone().without_overage().with_refunds_max(3);
        let strict = strict.with_single_max(money(captured / 2)).unwrap();
        let strict = strict.with_minimum(money(captured / 20)).unwrap();
        worlds.push(World { payment, policy: strict.clone(), asker });
        // Something went back elsewhere, more than a strict policy allows.
        let over = payment.with_refunded(money(captured + 3)).unwrap().with_refunds(5).unwrap();
        worlds.push(World { payment: over, policy: strict, asker });
        let some = payment.with_pending(money(captured / 3)).unwrap();
        let some = some.with_unknown(money(captured / 9)).unwrap();
        worlds.push(World { payment: some, policy: policy.clone(), asker });
        let market = payment.with_marketplace_fee(money(captured / 7)).unwrap();
        let told = market.with_marketplace_fee_held(money(1)).unwrap();
        worlds.push(World { payment: told, policy, asker });
        let fps = Policy::flexible_payments();
        for (payment, asker) in
            [(market, granted), (told, granted), (told, asker), (payment, asker)]
        {
            worlds.push(World { payment, policy: fps.clone(), asker });
        }
        let reserved = payment.with_state(PaymentState::Reserved);
        let prepaid = payment.with_kind(PaymentKind::FundPrepaid);
        for payment in [reserved, prepaid] {
            worlds.push(World { payment, policy: fps.clone(), asker });
        }
    }
    worlds
}

/// The payment as it is after all that was let through.
fn snapshot(world: &World, number: usize, kept: &BTreeMap<IntentId, Kept>) -> Payment {
    let (mut payment, imported) = (world.payment, world.payment);
    let currency = imported.captured().currency();
    let money = |minor| Money::from_minor(minor, currency);
    let held =
        || kept.values().filter(move |one| one.world == number && one.state.held().is_some());
    let sum = |before: Money, part: Held| {
        let own = held().filter(|one| one.scope != Scope::MarketplaceFee);
        let own = own.filter(|one| one.state.held() == Some(part)).map(|one| one.amount);
        money(before.minor() + own.sum::<i64>())
    };
    let (refunded, pending, unknown) = (
        sum(imported.refunded(), Held::Refunded),
        sum(imported.pending(), Held::Pending),
        sum(imported.unknown(), Held::Unknown),
    );
    payment = payment.with_refunded(refunded).unwrap().with_pending(pending).unwrap();
    payment = payment.with_unknown(unknown).unwrap();
    let own = held().filter(|one| one.scope != Scope::MarketplaceFee).count();
    let own = u32::try_from(own).unwrap();
    if own > 0 {
        payment = payment.with_refunds(imported.refunds() + own).unwrap();
    }
    let fee = imported.fee_returned().unwrap().minor() + held().map(|one| one.fee).sum::<i64>();
    payment = payment.with_fee_returned(money(fee)).unwrap();
    if let Some(before) = imported.marketplace_fee_held() {
        let share = before.minor() + held().map(|one| one.share).sum::<i64>();
        payment = payment.with_marketplace_fee_held(money(share)).unwrap();
    }
    payment
}

struct Random<'a> {
    ledger: &'a Ledger,
    worlds: Vec<World>,
    kept: BTreeMap<IntentId, Kept>,
    keys: u64,
    chance: Chance,
    refused: BTreeMap<&'static str, u32>,
}

pub async fn the_guard_agrees_with_the_rules_on_random_histories(ledger: &Ledger, other: &Ledger) {
    let mut random = Random {
        ledger,
        worlds: worlds(),
        kept: BTreeMap::new(),
        keys: 0,
        chance: Chance::new(7),
        refused: BTreeMap::new(),
    };
    let import = random.worlds.iter().enumerate().map(|(number, world)| {
        let name = format!("P{number}");
        NewPayment::for_asker("pay", name, world.payment, &world.policy, world.asker).unwrap()
    });
    ledger.import(import.collect(), NOW).await.unwrap();
    ledger.open_batch(NewBatch::new("b", "pay", "here", "-").unwrap(), NOW).await.unwrap();
    for _ in 0..STEPS {
        match random.chance.below(8) {
            0..=4 => random.prepare().await,
            5 | 6 => random.send().await,
            _ => random.withdraw().await,
        }
    }
    random.compare(other).await;
    let seen: Vec<_> = random.refused.keys().copied().collect();
    let expected = [
        "completed",
        "count",
        "currency",
        "grant",
        "kind",
        "marketplace",
        "marketplace-fee-held",
        "minimum",
        "nothing-left",
        "remaining",
        "single-maximum",
    ];
    assert_eq!(seen, expected, "every rule was met: {:?}", random.refused);
    let taken = random.kept.len();
    assert!(taken > 150, "{taken} were let through");
}

impl Random<'_> {
    fn wish(&mut self) -> (usize, Option<Money>, Scope, bool) {
        let number = usize::try_from(self.chance.below(self.worlds.len() as u64)).unwrap();
        let captured = self.worlds[number].payment.captured();
        let most = u64::try_from(captured.minor()).unwrap();
        let range =
            *self.chance.of(&[3, most / 15 + 2, most / 10 + 2, most / 2 + 2, most * 13 / 10]);
        let minor = self.chance.below(range + 2).cast_signed() - 1;
        let other =
            if captured.currency() == Currency::EUR { Currency::USD } else { Currency::EUR };
        let amount = match self.chance.below(20) {
            0 | 1 => None,
            2 => Some(Money::from_minor(minor, other)),
            _ => Some(Money::from_minor(minor, captured.currency())),
        };
        let scopes = [Scope::MarketplaceFee, Scope::PaymentAndMarketplaceFee];
        let scope =
            if self.chance.below(3) == 0 { *self.chance.of(&scopes) } else { Scope::Payment };
        (number, amount, scope, self.chance.below(3) == 0)
    }

    /// Some at once: each is judged with those before it.
    async fn prepare(&mut self) {
        let count = self.chance.below(12) + 1;
        let mut wishes = Vec::new();
        let mut asked = Vec::new();
        for _ in 0..count {
            let (number, amount, scope, in_batch) = self.wish();
            self.keys += 1;
            let (payment, key) = (format!("P{number}"), format!("K{}", self.keys));
            let mut wish = NewIntent::rest("pay", &payment, &key).unwrap();
            if let Some(amount) = amount {
                wish = NewIntent::amount("pay", &payment, &key, amount).unwrap();
            }
            wish = wish.scope(scope);
            if in_batch {
                wish = wish.row_of("b", self.keys, "-").unwrap();
            }
            wishes.push(wish);
            asked.push((number, amount, scope, in_batch));
        }
        let prepared = self.ledger.prepare(wishes, NOW).await.unwrap();
        for ((number, amount, scope, in_batch), prepared) in asked.into_iter().zip(prepared) {
            let world = &self.worlds[number];
            let wish = amount.map_or(Wish::rest(), Wish::amount);
            let wish = wish.with_scope(scope).with_asker(world.asker);
            let decision = decide(&snapshot(world, number, &self.kept), &wish, &world.policy);
            match (decision, prepared) {
                (Decision::Allow(plan), Prepared::New { id, amount }) => {
                    assert_eq!(plan.amount(), amount);
                    let one = Kept {
                        world: number,
                        amount: amount.minor(),
                        fee: plan.fee_returned().minor(),
                        share: plan.marketplace_fee_returned().minor(),
                        scope,
                        state: RefundState::Prepared,
                        in_batch,
                    };
                    self.kept.insert(id, one);
                }
                (Decision::Refuse(refusal), Prepared::Refused(refused)) => {
                    assert_eq!(refused, refusal, "P{number}: {wish:?}");
                    *self.refused.entry(refused.rule().name()).or_default() += 1;
                }
                (decision, prepared) => panic!("P{number}, {wish:?}: {decision:?}, {prepared:?}"),
            }
        }
    }

    async fn send(&mut self) {
        let wanted = Wanted::new("w", 5, 1_000);
        let due = self.ledger.claim(wanted, NOW).await.unwrap();
        for claim in due.into_iter().map(|claimed| claimed.claim) {
            let one = self.kept.get_mut(&claim.intent).unwrap();
            let state = one.state;
            if matches!(state, RefundState::Accepted | RefundState::Pending) {
                self.follow(&claim).await;
                continue;
            }
            let attempt = self.ledger.sending(&claim, NOW, 0).await.unwrap();
            one.state = one.state.observe(Observation::Sent).unwrap();
            let outcomes = [
                (Outcome::NotSent, Observation::NotSent),
                (Outcome::Unknown, Observation::AnswerLost),
                (Outcome::accepted(format!("R{}", claim.intent.0), None), Observation::Accepted),
                (Outcome::declined("no"), Observation::Declined),
                (Outcome::observed(Observation::Refunded), Observation::Refunded),
            ];
            let (outcome, observation) = self.chance.of(&outcomes).clone();
            one.state = one.state.observe(observation).unwrap();
            let report = Report::of_try(&attempt, outcome, NOW);
            assert_eq!(self.ledger.record_one(report).await.unwrap().state, one.state);
        }
    }

    async fn follow(&mut self, claim: &Claim) {
        let seen = [Observation::Pending, Observation::Refunded, Observation::Declined];
        let observation = *self.chance.of(&seen);
        let one = self.kept.get_mut(&claim.intent).unwrap();
        one.state = one.state.observe(observation).unwrap();
        let report = Report::of_claim(claim, Outcome::observed(observation), NOW);
        assert_eq!(self.ledger.record_one(report).await.unwrap().state, one.state);
    }

    async fn withdraw(&mut self) {
        let most = u32::try_from(self.chance.below(9)).unwrap();
        let withdrawn = self.ledger.withdraw("b", most, NOW).await.unwrap();
        let rows: Vec<_> = self.kept.iter().filter(|(_, one)| one.in_batch).collect();
        let rows: Vec<_> = rows.into_iter().map(|(id, _)| *id).take(most as usize).collect();
        assert_eq!(withdrawn, rows.len() as u64);
        for id in rows {
            self.kept.remove(&id);
        }
    }

    async fn compare(&self, ledger: &Ledger) {
        for (number, world) in self.worlds.iter().enumerate() {
            let expected = snapshot(world, number, &self.kept);
            let record = ledger.payment("pay", format!("P{number}")).await.unwrap().unwrap();
            let found = (record.refunded, record.pending, record.unknown, record.refunds);
            let (refunded, pending) = (expected.refunded(), expected.pending());
            assert_eq!(found, (refunded, pending, expected.unknown(), expected.refunds()));
            assert_eq!(record.fee_returned, expected.fee_returned().unwrap());
        }
        let intents = ledger.intents(Filter::new()).await.unwrap();
        assert_eq!(intents.len(), self.kept.len());
        for intent in intents {
            let one = &self.kept[&intent.id];
            let found = (intent.facts.fee.minor(), intent.facts.marketplace_fee.minor());
            assert_eq!((found, intent.life.state), ((one.fee, one.share), one.state));
        }
    }
}

//! Random histories over all actions: the books stay right, and what is refused changes nothing.

use fps_model::flexible_payments::{
    Cancel, CancelSubscriptionAndRefund, CancelToken, FundPrepaid, GetAccountActivity,
    GetAccountBalance, GetOutstandingDebtBalance, GetTotalPrepaidLiability, GetTransaction,
    MarketplaceRefundPolicy, Pay, Refund, Reserve, Settle, SettleDebt, SubscriptionId, TokenId,
    WriteOffDebt,
};
use fps_sandbox::{Merchant, MerchantSpec, SubscriptionSpec, TokenSpec, Totals};
use refund_rules::{Currency, Method, Money};

use crate::fps_world::fresh;
use crate::world::{LONG, Seen, World, between, in_minutes, usd};

/// How many operations a history has.
const STEPS: usize = 2_000;
/// So often the books are verified as a whole.
const VERIFY_EACH: usize = 250;

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    /// Below a limit. Source: Marsaglia, "Xorshift RNGs", 2003.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Small amounts, so that limits are met often.
    fn amount(&mut self) -> Money {
        Money::from_minor(i64::try_from(self.below(1_500)).unwrap() + 1, Currency::USD)
    }
}

/// Everything that operations can be about.
struct History {
    world: World,
    seller: Merchant,
    random: Random,
    senders: Vec<TokenId>,
    recipient: TokenId,
    prepaid: String,
    postpaid: String,
    subscriptions: Vec<SubscriptionId>,
    transactions: Vec<String>,
    done: [usize; 2],
}

/// All that both merchants hold and owe, and what the books add up to.
type Snapshot = (Vec<Vec<Totals>>, [String; 4]);

impl History {
    async fn begin() -> Self {
        let world = World::with(MerchantSpec::new("Market"), LONG).await;
        let merchant = &world.merchant;
        let seller = world.sandbox.create_merchant(MerchantSpec::new("Seller")).await.unwrap();
        let limit = Some(usd("60"));
        let prepaid = world.sandbox.create_prepaid_instrument(merchant, limit).await.unwrap();
        let postpaid = world.sandbox.create_credit_instrument(merchant, usd("60")).await.unwrap();
        let (prepaid, postpaid) = (prepaid.as_str().to_owned(), postpaid.as_str().to_owned());
        let mut senders = Vec::new();
        for spec in [
            TokenSpec::sender(Method::Card),
            TokenSpec::sender(Method::Card),
            TokenSpec::sender(Method::Bank),
            TokenSpec::sender(Method::Balance),
            TokenSpec::sender(Method::Balance).count_each(3, "2 Hour").unwrap(),
            TokenSpec::sender(Method::Balance).total(usd("300")),
            TokenSpec::sender(Method::Prepaid).instrument(&prepaid),
            TokenSpec::sender(Method::Postpaid).instrument(&postpaid),
            TokenSpec::refund(&seller),
        ] {
            senders.push(world.token(spec).await);
        }
        let ten = fps_model::Decimal::parse("10").unwrap();
        let recipient = world.token(TokenSpec::recipient(&seller, usd("0.50"), ten)).await;
        let mut subscriptions = Vec::new();
        for _ in 0..5 {
            let spec = SubscriptionSpec::new(Method::Balance, usd("9"), "1 year").unwrap();
            subscriptions.push(world.sandbox.create_subscription(merchant, spec).await.unwrap());
        }
        let (random, transactions) = (Random(0x5eed), Vec::new());
        let done = [0, 0];
        Self {
            world,
            seller,
            random,
            senders,
            recipient,
            prepaid,
            postpaid,
            subscriptions,
            transactions,
            done,
        }
    }

    async fn snapshot(&mut self) -> Snapshot {
        let mut totals = vec![self.world.totals().await];
        totals.push(self.world.sandbox.totals(&self.seller).await.unwrap());
        let own = self.world.ask(&GetAccountBalance::new()).await;
        let debt = self.world.ask(&GetOutstandingDebtBalance::new()).await;
        let liability = self.world.ask(&GetTotalPrepaidLiability::new()).await;
        std::mem::swap(&mut self.world.merchant, &mut self.seller);
        let theirs = self.world.ask(&GetAccountBalance::new()).await;
        std::mem::swap(&mut self.world.merchant, &mut self.seller);
        // Credit is never below nothing, and debt never above its limit.
        assert!(!liability.outstanding_prepaid_liability.outstanding_balance.is_negative());
        assert!(debt.outstanding_debt.outstanding_balance.minor() <= usd("60").minor());
        let texts = [
            format!("{own:?}"),
            format!("{theirs:?}"),
            format!("{debt:?}"),
            format!("{liability:?}"),
        ];
        (totals, texts)
    }

    fn transaction(&mut self) -> String {
        // Now and then one that there is not.
        match self.random.below(50) {
            0 => "16".to_owned() + &"X".repeat(33),
            _ if self.transactions.is_empty() => "16".to_owned() + &"Y".repeat(33),
            _ => {
                // The newer ones are more interesting.
                let recent = self.transactions.len().min(40);
                let start = self.transactions.len() - recent;
                self.random.of(&self.transactions[start..]).clone()
            }
        }
    }

    async fn step(&mut self) -> Seen {
        let amount = self.random.amount();
        let sender = self.random.of(&self.senders).as_str().to_owned();
        let reference = fresh();
        match self.random.below(16) {
            0..=3 => {
                let mut pay = Pay::new(reference, sender, amount);
                if self.random.below(3) == 0 {
                    pay = pay.recipient_token_id(self.recipient.as_str());
                    pay = pay.marketplace_fixed_fee(Money::from_minor(
                        i64::try_from(self.random.below(60)).unwrap(),
                        Currency::USD,
                    ));
                }
                self.world.fps(&pay).await
            }
            4 => self.world.fps(&Reserve::new(reference, sender, amount)).await,
            5 => {
                let mut settle = Settle::new(self.transaction());
                if self.random.below(2) == 0 {
                    settle = settle.transaction_amount(amount);
                }
                self.world.fps(&settle).await
            }
            6 => {
                let cancel = Cancel::new(self.transaction());
                self.world.fps(&cancel).await
            }
            7..=10 => {
                let mut refund = Refund::new(reference, self.transaction());
                if self.random.below(4) > 0 {
                    refund = refund.refund_amount(amount);
                }
                let policies = MarketplaceRefundPolicy::listed();
                if self.random.below(3) == 0 {
                    refund = refund.marketplace_refund_policy(self.random.of(policies).clone());
                }
                self.world.fps(&refund).await
            }
            11 => {
                let fund = FundPrepaid::new(reference, sender, self.prepaid.as_str(), amount);
                self.world.fps(&fund).await
            }
            12 => {
                let settle = SettleDebt::new(reference, sender, self.postpaid.as_str(), amount);
                self.world.fps(&settle).await
            }
            13 => {
                let forgive = WriteOffDebt::new(reference, self.postpaid.as_str(), amount);
                self.world.fps(&forgive).await
            }
            14 => {
                let subscription = self.random.of(&self.subscriptions).as_str().to_owned();
                let cancel = CancelSubscriptionAndRefund::new(subscription)
                    .refund_amount(amount)
                    .caller_reference(reference);
                self.world.fps(&cancel).await
            }
            _ => match self.random.below(3) {
                0 => self.world.fps(&CancelToken::new("X")).await,
                1 => {
                    let look = GetTransaction::new(self.transaction());
                    self.world.fps(&look).await
                }
                _ => self.world.fps(&GetAccountActivity::new(in_minutes(-5))).await,
            },
        }
    }

    /// Lets an hour pass, and all that is due happen.
    async fn pass(&mut self) {
        self.world.sandbox.advance_clock(LONG).await.unwrap();
        for _ in 0..2 {
            let done = |body: &str| {
                ["PendingInBalance", "PendingOutBalance"].iter().all(|name| {
                    between(body, &format!("<{name}>"), &format!("</{name}>"))
                        .contains(">0.000000<")
                })
            };
            let ask = async || self.world.fps(&GetAccountBalance::new()).await;
            self.world.until(ask, done).await;
            std::mem::swap(&mut self.world.merchant, &mut self.seller);
        }
    }
}

#[tokio::test]
async fn books_stay_right_and_refusals_change_nothing() {
    let mut history = History::begin().await;
    let mut before = history.snapshot().await;
    for number in 0..STEPS {
        let seen = history.step().await;
        assert!(seen.0 == 200 || seen.0 == 400, "step {number}: {}", seen.1);
        history.done[usize::from(seen.0 == 400)] += 1;
        if seen.0 == 400 {
            assert_eq!(history.snapshot().await, before, "step {number}: {}", seen.1);
            continue;
        }
        if let Some((_, rest)) = seen.1.split_once("<TransactionId>") {
            history.transactions.push(rest[..35].to_owned());
        }
        if number % 10 == 0 {
            history.pass().await;
        }
        before = history.snapshot().await;
        if number % VERIFY_EACH == 0 {
            history.world.sandbox.verify_books().await.unwrap();
        }
    }
    history.world.sandbox.verify_books().await.unwrap();
    // A history in which nearly everything is refused, or nothing, would show little.
    assert!(history.done.iter().all(|count| *count > STEPS / 5), "{:?}", history.done);
}

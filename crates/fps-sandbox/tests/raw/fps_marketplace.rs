//! Marketplaces: who gets what of a payment, and who gives what of a refund.

use fps_model::Decimal;
use fps_model::flexible_payments::{
    ChargeFeeTo, GetAccountBalance, GetRecipientVerificationStatus, GetTransaction,
    MarketplaceRefundPolicy, Pay, RelationType, Reserve, Settle, TokenId,
};
use fps_sandbox::{Merchant, MerchantSpec, TokenSpec};
use refund_rules::{Method, Money};

use crate::fps_world::{fresh, outcome};
use crate::world::{LONG, World, code, refund, usd};

/// A marketplace, its seller, and the seller's token.
struct Market {
    world: World,
    seller: Merchant,
    sender: TokenId,
    recipient: TokenId,
}

impl Market {
    async fn open() -> Self {
        let world = World::start().await;
        let seller = world.sandbox.create_merchant(MerchantSpec::new("Seller")).await.unwrap();
        let sender = world.token(TokenSpec::sender(Method::Balance)).await;
        let percent = Decimal::parse("10").unwrap();
        let recipient = world.token(TokenSpec::recipient(&seller, usd("2"), percent)).await;
        Self { world, seller, sender, recipient }
    }

    fn pay(&self, amount: &str) -> Pay {
        Pay::new(fresh(), self.sender.as_str(), usd(amount))
            .recipient_token_id(self.recipient.as_str())
    }

    /// What marketplace and seller hold.
    async fn balances(&mut self) -> (Money, Money) {
        let own = self.world.ask(&GetAccountBalance::new()).await.account_balance.total_balance;
        std::mem::swap(&mut self.world.merchant, &mut self.seller);
        let theirs = self.world.ask(&GetAccountBalance::new()).await.account_balance.total_balance;
        std::mem::swap(&mut self.world.merchant, &mut self.seller);
        (own, theirs)
    }
}

fn percent(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

#[tokio::test]
async fn a_marketplace_takes_what_was_agreed() {
    let mut market = Market::open().await;
    let fixed = |amount: &str| market.pay("100").marketplace_fixed_fee(usd(amount));
    let variable = |text: &str| market.pay("100").marketplace_variable_fee(percent(text));
    let refused = [
        (fixed("2.01"), "TokenUsageError"),
        (variable("10.1"), "TokenUsageError"),
        (variable("-1"), "TokenUsageError"),
        (market.pay("100").recipient_token_id("X"), "InvalidTokenId_Recipient"),
        (market.pay("100").recipient_token_id(market.sender.as_str()), "IncompatibleTokens"),
    ];
    for (request, expected) in refused {
        assert_eq!(code(&market.world.fps(&request).await), (400, expected));
    }
    assert_eq!(market.balances().await, (usd("0"), usd("0")));
    // 100.00, of which 3 % are the service's, and 2.00 and 10 % the marketplace's.
    let request =
        market.pay("100").marketplace_fixed_fee(usd("2")).marketplace_variable_fee(percent("10"));
    let id = market.world.begun(&request).await;
    assert_eq!(market.balances().await, (usd("12"), usd("85")));
    let told = market.world.ask(&GetTransaction::new(id.as_str())).await.transaction.unwrap();
    assert_eq!(told.marketplace_fees, Some(usd("12")));
    assert_eq!(told.recipient_name.unwrap().expose(), "Seller");
    assert!(told.sender_email.is_none(), "that is for the recipient alone");
    // Only who executed it may see it so, and refund it.
    let seller = market.seller.clone();
    let seen = market.world.fps_as(&seller, &GetTransaction::new(id.as_str())).await;
    assert_eq!(code(&seen), (400, "InvalidTransactionId"));
    let seen = market.world.fps_as(&seller, &refund("r", &id)).await;
    assert_eq!(code(&seen), (400, "InvalidTransactionId"));
    // The caller may pay the fee of the service, if it has the money.
    let by_caller = market.pay("100").charge_fee_to(ChargeFeeTo::Caller);
    assert_eq!(outcome(&market.world.fps(&by_caller).await), "Success");
    assert_eq!(market.balances().await, (usd("9"), usd("185")));
    let too_much = market.pay("400").charge_fee_to(ChargeFeeTo::Caller);
    assert_eq!(code(&market.world.fps(&too_much).await), (400, "InsufficientBalance"));
    market.world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn a_recipient_may_leave_the_fee_to_the_caller() {
    let mut market = Market::open().await;
    let spec = TokenSpec::recipient(&market.seller, usd("5"), percent("0")).caller_pays_fee();
    market.recipient = market.world.token(spec).await;
    let against = market.pay("100").charge_fee_to(ChargeFeeTo::Recipient);
    assert_eq!(code(&market.world.fps(&against).await), (400, "IncompatibleTokens"));
    let request = market.pay("100").marketplace_fixed_fee(usd("5"));
    assert_eq!(outcome(&market.world.fps(&request).await), "Success");
    assert_eq!(market.balances().await, (usd("2"), usd("95")));
    // A sender may name who is paid.
    let other = TokenSpec::sender(Method::Balance).recipients(&[TokenId::new("X")]);
    market.sender = market.world.token(other).await;
    assert_eq!(code(&market.world.fps(&request_again(&market)).await), (400, "IncompatibleTokens"));
    let named = TokenSpec::sender(Method::Balance).recipients(&[market.recipient.clone()]);
    market.sender = market.world.token(named).await;
    assert_eq!(outcome(&market.world.fps(&request_again(&market)).await), "Success");
}

fn request_again(market: &Market) -> Pay {
    market.pay("100").marketplace_fixed_fee(usd("5"))
}

#[tokio::test]
async fn refunds_need_the_leave_of_the_seller_and_follow_their_policy() {
    let mut market = Market::open().await;
    let request =
        market.pay("100").marketplace_fixed_fee(usd("2")).marketplace_variable_fee(percent("10"));
    let id = market.world.begun(&request).await;
    let part = |policy| {
        refund(fresh().as_str(), &id).refund_amount(usd("10")).marketplace_refund_policy(policy)
    };
    let master = MarketplaceRefundPolicy::MasterTxnOnly;
    let seen = market.world.fps(&part(master.clone())).await;
    assert_eq!(code(&seen), (400, "TransactionDenied"), "without the seller's leave");
    let leave = market.world.token(TokenSpec::refund(&market.seller)).await;
    // 10.00 of 100.00: a tenth of the service's 3.00 comes back to who paid it.
    for (policy, own, theirs) in [
        (master.clone(), "12.00", "75.30"),
        (MarketplaceRefundPolicy::MarketplaceTxnOnly, "2.00", "85.30"),
        // A tenth of the 12.00, of which 2.00 are left.
        (MarketplaceRefundPolicy::MasterAndMarketplaceTxn, "0.80", "76.80"),
    ] {
        let seen = market.world.fps(&part(policy.clone())).await;
        assert_eq!(outcome(&seen), "Success", "{policy} {}", seen.1);
        assert_eq!(market.balances().await, (usd(own), usd(theirs)), "{policy}");
    }
    let told = market.world.ask(&GetTransaction::new(id.as_str())).await.transaction.unwrap();
    let relations = told.related_transaction.iter().map(|it| it.relation_type.clone().unwrap());
    let (refund_of, fee) = (RelationType::Refund, RelationType::MarketplaceFee);
    assert!(relations.eq([refund_of.clone(), fee, refund_of]), "{:?}", told.related_transaction);
    let cancel = fps_model::flexible_payments::CancelToken::new(leave.as_str());
    let seller = market.seller.clone();
    assert_eq!(market.world.fps_as(&seller, &cancel).await.0, 200);
    assert_eq!(code(&market.world.fps(&part(master)).await), (400, "TransactionDenied"));
    let own = market.world.paid("10").await;
    let policy = MarketplaceRefundPolicy::MarketplaceTxnOnly;
    let seen = market.world.fps(&refund("x", &own).marketplace_refund_policy(policy)).await;
    assert_eq!(code(&seen), (400, "NotMarketplaceApp"));
    market.world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn of_less_that_is_settled_a_marketplace_takes_less() {
    let mut market = Market::open().await;
    let card = market.world.token(TokenSpec::sender(Method::Card)).await;
    let reserve = Reserve::new(fresh(), card.as_str(), usd("100"))
        .recipient_token_id(market.recipient.as_str())
        .marketplace_fixed_fee(usd("2"))
        .marketplace_variable_fee(percent("10"));
    let id = market.world.begun(&reserve).await;
    market.world.sandbox.advance_clock(LONG).await.unwrap();
    assert_eq!(market.world.standing(&id).await, "Reserved");
    market.world.begun(&Settle::new(id.as_str()).transaction_amount(usd("10"))).await;
    market.world.sandbox.advance_clock(LONG).await.unwrap();
    assert_eq!(market.world.standing(&id).await, "Success");
    assert_eq!(market.balances().await, (usd("3"), usd("6.70")));
    // Of 2.00, nothing would be left to pay the service from.
    let seen = market.world.fps(&market.pay("2").marketplace_fixed_fee(usd("2"))).await;
    assert_eq!(code(&seen), (400, "AmountOutOfRange"));
    assert_eq!(market.balances().await, (usd("3"), usd("6.70")));
    market.world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn accounts_that_are_suspended_take_no_part() {
    let market = Market::open().await;
    let verified = GetRecipientVerificationStatus::new(market.recipient.as_str());
    let seen = market.world.fps(&verified).await;
    assert!(seen.1.contains(">VerificationComplete<"), "{}", seen.1);
    let id = market.world.begun(&market.pay("100")).await;
    let Market { world, seller, sender, recipient } = market;
    let suspended = "UPDATE merchant SET status = 'suspended' WHERE name = 'Seller'";
    let world = world.restart(LONG, suspended).await;
    let market = Market { world, seller, sender, recipient };
    let seen = market.world.fps(&market.pay("100")).await;
    assert_eq!(code(&seen), (400, "InvalidAccountState_Recipient"));
    assert!(market.world.fps(&verified).await.1.contains(">Closed<"));
    let seen = market.world.fps(&refund("r", &id)).await;
    assert_eq!(code(&seen), (400, "InvalidAccountState_Sender"));
    let closed = "UPDATE merchant SET status = iif(name = 'Seller', 'active', 'closed')";
    let world = market.world.restart(LONG, closed).await;
    let market = Market { world, ..market };
    for seen in
        [market.world.fps(&market.pay("100")).await, market.world.fps(&refund("c", &id)).await]
    {
        assert_eq!(code(&seen), (400, "InvalidAccountState_Caller"));
    }
}

//! Prepaid and postpaid credit: paid in, spent, owed, settled, forgiven, refunded.

use std::sync::Arc;
use std::time::Duration;

use fps_model::flexible_payments::{
    CreditInstrumentId, Dialect, FundPrepaid, GetAccountBalance, GetAllCreditInstruments,
    GetAllPrepaidInstruments, GetDebtBalance, GetOutstandingDebtBalance, GetPrepaidBalance,
    GetTotalPrepaidLiability, GetTransaction, InstrumentStatus, PaymentMethod, PrepaidInstrumentId,
    SettleDebt, TokenId, TokenType, WriteOffDebt,
};
use fps_sandbox::{MerchantSpec, TokenSpec};
use refund_rules::{Method, Money};

use crate::fps_world::{fresh, outcome, pay};
use crate::world::{LONG, World, code, refund, usd};

async fn world() -> World {
    World::with(MerchantSpec::new("Test Business"), LONG).await
}

impl World {
    /// An instrument with a token that pays from it.
    async fn prepaid(&self, limit: Option<Money>) -> (PrepaidInstrumentId, TokenId) {
        let id = self.sandbox.create_prepaid_instrument(&self.merchant, limit).await.unwrap();
        let spec = TokenSpec::sender(Method::Prepaid).instrument(id.as_str());
        (id, self.token(spec).await)
    }

    async fn postpaid(&self, limit: &str) -> (CreditInstrumentId, TokenId) {
        let id = self.sandbox.create_credit_instrument(&self.merchant, usd(limit)).await.unwrap();
        let spec = TokenSpec::sender(Method::Postpaid).instrument(id.as_str());
        (id, self.token(spec).await)
    }

    async fn left(&self, instrument: &PrepaidInstrumentId) -> Money {
        let request = GetPrepaidBalance::new(instrument.as_str());
        self.ask(&request).await.prepaid_balance.available_balance
    }

    async fn owed(&self, instrument: &CreditInstrumentId) -> Money {
        self.ask(&GetDebtBalance::new(instrument.as_str())).await.debt_balance.available_balance
    }
}

fn fund(token: &TokenId, instrument: &PrepaidInstrumentId, amount: &str) -> FundPrepaid {
    FundPrepaid::new(fresh(), token.as_str(), instrument.as_str(), usd(amount))
}

fn settle(token: &TokenId, instrument: &CreditInstrumentId, amount: &str) -> SettleDebt {
    SettleDebt::new(fresh(), token.as_str(), instrument.as_str(), usd(amount))
}

fn write_off(instrument: &CreditInstrumentId, amount: &str) -> WriteOffDebt {
    WriteOffDebt::new(fresh(), instrument.as_str(), usd(amount))
}

#[tokio::test]
async fn prepaid_credit_is_paid_in_spent_and_refunded() {
    let world = world().await;
    let (instrument, credit) = world.prepaid(Some(usd("100"))).await;
    let cash = world.token(TokenSpec::sender(Method::Balance)).await;
    let card = world.token(TokenSpec::sender(Method::Card)).await;
    let early = pay(&credit, "1");
    assert_eq!(code(&world.fps(&early).await), (400, "InsufficientBalance"));
    let funding = world.begun(&fund(&cash, &instrument, "50")).await;
    assert_eq!(world.left(&instrument).await, usd("50"));
    assert_eq!(code(&world.fps(&refund("f", &funding)).await).1, "TransactionTypeNotRefundable");
    let pending = world.begun(&fund(&card, &instrument, "40")).await;
    let balance = world.ask(&GetPrepaidBalance::new(instrument.as_str())).await.prepaid_balance;
    assert_eq!(balance.pending_in_balance, Some(usd("40")));
    let above = world.fps(&fund(&cash, &instrument, "10.01")).await;
    assert_eq!(code(&above), (400, "PrepaidFundingLimitExceeded"));
    // What is refused for now is not remembered: the same request is decided anew.
    assert_eq!(outcome(&world.fps(&early).await), "Success");
    assert_eq!(outcome(&world.fps(&fund(&cash, &instrument, "1")).await), "Success");
    assert_eq!(code(&world.fps(&pay(&credit, "50.01")).await), (400, "InsufficientBalance"));
    let bought = world.begun(&pay(&credit, "50")).await;
    world.sandbox.advance_clock(LONG).await.unwrap();
    assert_eq!(world.standing(&pending).await, "Success");
    assert_eq!(world.left(&instrument).await, usd("40"));
    let told = world.ask(&GetTransaction::new(bought.as_str())).await.transaction.unwrap();
    assert_eq!((told.payment_method, told.fps_fees), (PaymentMethod::Prepaid, Some(usd("0"))));
    assert_eq!(told.prepaid_instrument_id, Some(instrument.clone()));
    // The buyer gets credit back, not money: the account is as it was.
    let before = world.ask(&GetAccountBalance::new()).await;
    let part = refund("part", &bought).refund_amount(usd("20"));
    assert_eq!(outcome(&world.fps(&part).await), "Success");
    assert_eq!(world.left(&instrument).await, usd("60"));
    assert_eq!(world.ask(&GetAccountBalance::new()).await, before);
    let liability = world.ask(&GetTotalPrepaidLiability::new()).await;
    assert_eq!(liability.outstanding_prepaid_liability.outstanding_balance, usd("60"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn postpaid_credit_is_owed_settled_and_forgiven() {
    let world = world().await;
    let (instrument, credit) = world.postpaid("100").await;
    let cash = world.token(TokenSpec::sender(Method::Balance)).await;
    let card = world.token(TokenSpec::sender(Method::Card)).await;
    let none = world.fps(&settle(&cash, &instrument, "1")).await;
    assert_eq!(code(&none), (400, "SettleAmountGreaterThanDebt"));
    let bought = world.begun(&pay(&credit, "80")).await;
    assert_eq!(code(&world.fps(&pay(&credit, "20.01")).await), (400, "AccountLimitsExceeded"));
    assert_eq!(world.totals().await[0].captured, usd("0"), "nothing was paid yet");
    assert_eq!(outcome(&world.fps(&settle(&cash, &instrument, "30")).await), "Success");
    let pending = world.begun(&settle(&card, &instrument, "40")).await;
    let debt = world.ask(&GetDebtBalance::new(instrument.as_str())).await.debt_balance;
    assert_eq!((debt.available_balance, debt.pending_out_balance), (usd("50"), Some(usd("40"))));
    for amount in ["10.01", "50"] {
        let seen = world.fps(&write_off(&instrument, amount)).await;
        assert_eq!(code(&seen), (400, "SettleAmountGreaterThanDebt"), "{amount}");
    }
    let forgiven = world.begun(&write_off(&instrument, "4")).await;
    assert_eq!(code(&world.fps(&refund("w", &forgiven)).await).1, "TransactionTypeNotRefundable");
    let told = world.ask(&GetTransaction::new(forgiven)).await.transaction.unwrap();
    assert_eq!((told.payment_method, told.fps_fees), (PaymentMethod::Debt, Some(usd("0"))));
    world.sandbox.advance_clock(LONG).await.unwrap();
    assert_eq!(world.standing(&pending).await, "Success");
    assert_eq!(world.owed(&instrument).await, usd("6"));
    let part = refund("part", &bought).refund_amount(usd("5"));
    assert_eq!(outcome(&world.fps(&part).await), "Success");
    assert_eq!(world.owed(&instrument).await, usd("1"));
    let owed = world.ask(&GetOutstandingDebtBalance::new()).await.outstanding_debt;
    assert_eq!(owed.outstanding_balance, usd("1"));
    assert_eq!(world.totals().await[0].captured, usd("70"));
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn instruments_serve_who_gave_them_while_they_last() {
    let mut world = World::with(MerchantSpec::new("Test Business"), Duration::ZERO).await;
    let (prepaid, credit) = world.prepaid(None).await;
    let (postpaid, debt) = world.postpaid("100").await;
    let cash = world.token(TokenSpec::sender(Method::Balance)).await;
    assert_eq!(outcome(&world.fps(&fund(&cash, &prepaid, "9")).await), "Success");
    let rows = [
        (world.fps(&fund(&credit, &prepaid, "1")).await, "InvalidPaymentInstrument"),
        (world.fps(&fund(&cash, &PrepaidInstrumentId::new("X"), "1")).await, "InvalidParams"),
        (world.fps(&settle(&cash, &CreditInstrumentId::new("X"), "1")).await, "InvalidParams"),
        (world.fps(&GetPrepaidBalance::new(postpaid.as_str())).await, "InvalidParams"),
    ];
    for (number, (seen, expected)) in rows.into_iter().enumerate() {
        assert_eq!(code(&seen), (400, expected), "row {number}");
    }
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    for seen in [
        world.fps_as(&other, &GetPrepaidBalance::new(prepaid.as_str())).await,
        world.fps_as(&other, &GetDebtBalance::new(postpaid.as_str())).await,
        world.fps_as(&other, &fund(&cash, &prepaid, "1")).await,
        world.fps_as(&other, &write_off(&postpaid, "1")).await,
    ] {
        assert_eq!(code(&seen), (400, "InstrumentAccessDenied"));
    }
    assert_eq!(outcome(&world.fps(&pay(&debt, "9")).await), "Success");
    for id in [prepaid.as_str(), postpaid.as_str()] {
        world.sandbox.cancel_instrument(&world.merchant, id).await.unwrap();
        world.sandbox.cancel_instrument(&other, id).await.unwrap_err();
    }
    for seen in [
        world.fps(&fund(&cash, &prepaid, "1")).await,
        world.fps(&pay(&credit, "1")).await,
        world.fps(&pay(&debt, "1")).await,
        world.fps(&settle(&cash, &postpaid, "1")).await,
    ] {
        assert_eq!(code(&seen), (400, "InactiveInstrument"));
    }
    // What is owed on it can still be forgiven.
    assert_eq!(outcome(&world.fps(&write_off(&postpaid, "9")).await), "Success");
    let (more, _) = world.prepaid(None).await;
    for (status, expected) in [
        (InstrumentStatus::All, vec![&prepaid, &more]),
        (InstrumentStatus::Active, vec![&more]),
        (InstrumentStatus::Cancelled, vec![&prepaid]),
    ] {
        let request = GetAllPrepaidInstruments::new().instrument_status(status);
        let seen = world.fps_in(Dialect::V2007_01_08, &request).await;
        for id in [&prepaid, &more] {
            assert_eq!(seen.1.contains(id.as_str()), expected.contains(&id), "{}", seen.1);
        }
    }
    let seen = world.fps_in(Dialect::V2007_01_08, &GetAllCreditInstruments::new()).await;
    assert!(seen.1.contains(postpaid.as_str()), "{}", seen.1);
    world.sandbox.verify_books().await.unwrap();
}

#[tokio::test]
async fn credit_is_spent_once_however_many_want_it() {
    let world = world().await;
    let (instrument, credit) = world.prepaid(None).await;
    let cash = world.token(TokenSpec::sender(Method::Balance)).await;
    assert_eq!(outcome(&world.fps(&fund(&cash, &instrument, "100")).await), "Success");
    let single = TokenSpec::sender(Method::Balance).of_type(TokenType::SingleUse);
    let single = world.token(single).await;
    let world = Arc::new(world);
    let race = async |token: &TokenId, amount: &'static str| -> usize {
        let writers: Vec<_> = (0..32)
            .map(|_| {
                let (world, request) = (Arc::clone(&world), pay(token, amount));
                tokio::spawn(async move { world.fps(&request).await.0 })
            })
            .collect();
        let mut paid = 0;
        for writer in writers {
            paid += usize::from(writer.await.unwrap() == 200);
        }
        paid
    };
    assert_eq!(race(&credit, "9").await, 11, "11 × 9.00 is the most that 100.00 pay");
    assert_eq!(race(&single, "9").await, 1);
    assert_eq!(world.left(&instrument).await, usd("1"));
    world.sandbox.verify_books().await.unwrap();
}

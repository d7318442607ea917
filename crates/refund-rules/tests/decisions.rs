//! What the seed documents say about refunds, one case a rule, through the public interface.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be built is a failed test"
)]

use refund_rules::{
    Currency, Decision, Destination, Limit, Method, Money, Payment, PaymentError, PaymentKind,
    PaymentState, Plan, Policy, Refusal, Rule, Timing, Wish, decide,
};

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn jpy(text: &str) -> Money {
    Money::parse(text, Currency::JPY).unwrap()
}

/// The payment of seed 000: 100 dollars of goods, 3 dollars of fee paid by the merchant.
fn seed_000() -> Payment {
    Payment::completed(usd("100.00"), Method::Card).unwrap().with_fee(usd("3.00")).unwrap()
}

fn allowed(payment: &Payment, wish: &Wish, policy: &Policy) -> Plan {
    decide(payment, wish, policy).into_result().unwrap()
}

fn refused(payment: &Payment, wish: &Wish, policy: &Policy) -> Refusal {
    match decide(payment, wish, policy) {
        Decision::Refuse(refusal) => refusal,
        Decision::Allow(plan) => panic!("{plan:?} should have been refused"),
    }
}

#[test]
fn half_of_seed_000_returns_half_of_its_fee() {
    let plan = allowed(&seed_000(), &Wish::amount(usd("50.00")), &Policy::flexible_payments());
    assert_eq!(plan.amount(), usd("50.00"));
    assert_eq!(plan.fee_returned(), usd("1.50"));
    assert_eq!(plan.remaining(), usd("50.00"));
    assert_eq!(plan.destination(), Destination::Card);
    assert_eq!(plan.timing(), Timing::Later);
}

#[test]
fn a_refund_of_thirty_percent_returns_thirty_percent_of_the_fee() {
    // Seed 003: "if the refund amount is 30% ... the fee refunded is 30% of the original fee".
    let plan = allowed(&seed_000(), &Wish::amount(usd("30.00")), &Policy::flexible_payments());
    assert_eq!(plan.fee_returned(), usd("0.90"));
}

#[test]
fn no_amount_means_what_remains() {
    let payment = seed_000().with_refunded(usd("30.00")).unwrap();
    let plan = allowed(&payment, &Wish::rest(), &Policy::flexible_payments());
    assert_eq!(plan.amount(), usd("70.00"));
    assert_eq!(plan.fee_returned(), usd("2.10"));
    assert_eq!(plan.remaining(), usd("0.00"));
}

#[test]
fn pending_and_unknown_refunds_count_against_what_remains() {
    let payment = seed_000().with_refunded(usd("20.00")).unwrap();
    let payment = payment.with_pending(usd("30.00")).unwrap().with_unknown(usd("40.00")).unwrap();
    let policy = Policy::flexible_payments();
    assert_eq!(allowed(&payment, &Wish::rest(), &policy).amount(), usd("10.00"));
    let refusal = refused(&payment, &Wish::amount(usd("10.01")), &policy);
    assert_eq!(refusal.rule(), Rule::Remaining);
    assert_eq!(refusal.limit(), Some(Limit::Amount(usd("10.00"))));
}

#[test]
fn a_bank_or_balance_payment_goes_to_the_account_balance_at_once() {
    for method in [Method::Bank, Method::Balance] {
        let payment = Payment::completed(usd("1.00"), method).unwrap();
        let plan = allowed(&payment, &Wish::rest(), &Policy::flexible_payments());
        assert_eq!(plan.destination(), Destination::AccountBalance);
        assert_eq!(plan.timing(), Timing::AtOnce);
    }
}

#[test]
fn amazon_pay_allows_fifteen_percent_or_seventy_five_more() {
    let policy = Policy::amazon_pay(Currency::USD);
    // (captured, refunded before, most that may still be refunded)
    let rows = [
        ("100.00", "0.00", "115.00"),
        ("100.00", "100.00", "15.00"),
        ("500.00", "0.00", "575.00"),
        ("500.01", "0.00", "575.01"),
        ("1000.00", "0.00", "1075.00"),
        ("0.10", "0.00", "0.11"),
        ("0.05", "0.00", "0.05"),
    ];
    for (captured, before, most) in rows {
        let payment = Payment::completed(usd(captured), Method::Card).unwrap();
        let payment = payment.with_refunded(usd(before)).unwrap();
        let _ = allowed(&payment, &Wish::amount(usd(most)), &policy);
        let above = usd(most).checked_add(usd("0.01")).unwrap();
        let refusal = refused(&payment, &Wish::amount(above), &policy);
        assert_eq!(refusal.rule(), Rule::Remaining, "{captured} {before}");
        assert_eq!(refusal.limit(), Some(Limit::Amount(usd(most))));
    }
}

#[test]
fn amazon_pay_has_its_own_numbers_for_the_yen() {
    let policy = Policy::amazon_pay(Currency::JPY);
    for (captured, most) in [("56000", "64400"), ("56001", "64401"), ("1000000", "1008400")] {
        let payment = Payment::completed(jpy(captured), Method::Card).unwrap();
        let _ = allowed(&payment, &Wish::amount(jpy(most)), &policy);
        let above = jpy(most).checked_add(jpy("1")).unwrap();
        assert_eq!(refused(&payment, &Wish::amount(above), &policy).rule(), Rule::Remaining);
    }
}

#[test]
fn the_rest_never_takes_the_overage() {
    let payment = seed_000().with_refunded(usd("60.00")).unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    assert_eq!(allowed(&payment, &Wish::rest(), &policy).amount(), usd("40.00"));
    let payment = payment.with_refunded(usd("100.00")).unwrap();
    assert_eq!(refused(&payment, &Wish::rest(), &policy).rule(), Rule::NothingLeft);
}

#[test]
fn an_overage_returns_no_more_fee_than_was_paid() {
    let policy = Policy::amazon_pay(Currency::USD);
    let plan = allowed(&seed_000(), &Wish::amount(usd("115.00")), &policy);
    assert_eq!(plan.fee_returned(), usd("3.00"));
    assert_eq!(plan.remaining(), usd("0.00"));
    assert_eq!(plan.remaining_with_overage(), usd("0.00"));
}

#[test]
fn one_amazon_pay_refund_has_a_largest_amount() {
    let payment = Payment::completed(usd("200000.00"), Method::Card).unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    let _ = allowed(&payment, &Wish::amount(usd("150000.00")), &policy);
    let refusal = refused(&payment, &Wish::amount(usd("150000.01")), &policy);
    assert_eq!(refusal.rule(), Rule::SingleMaximum);
}

#[test]
fn the_eleventh_amazon_pay_refund_is_refused() {
    let payment = seed_000().with_refunded(usd("10.00")).unwrap().with_refunds(10).unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    let refusal = refused(&payment, &Wish::amount(usd("1.00")), &policy);
    assert_eq!((refusal.rule(), refusal.limit()), (Rule::Count, Some(Limit::Refunds(10))));
    // Flexible Payments Service documents no such number.
    let _ = allowed(&payment, &Wish::amount(usd("1.00")), &Policy::flexible_payments());
}

#[test]
fn only_a_completed_payment_can_be_refunded() {
    use PaymentState::{Cancelled, Failed, Pending, Reserved};
    for state in [Pending, Reserved, Failed, Cancelled] {
        let payment = seed_000().with_state(state);
        let refusal = refused(&payment, &Wish::rest(), &Policy::flexible_payments());
        assert_eq!(refusal.rule(), Rule::Completed(state));
    }
}

#[test]
fn prepaid_funding_and_refunds_are_not_refundable() {
    for kind in [PaymentKind::FundPrepaid, PaymentKind::SettleDebt, PaymentKind::Refund] {
        let refusal =
            refused(&seed_000().with_kind(kind), &Wish::rest(), &Policy::flexible_payments());
        assert_eq!(refusal.rule(), Rule::Kind(kind));
    }
    let settled = seed_000().with_kind(PaymentKind::SettledReserve);
    let _ = allowed(&settled, &Wish::rest(), &Policy::flexible_payments());
}

#[test]
fn the_first_broken_rule_is_the_answer() {
    let policy = Policy::amazon_pay(Currency::USD);
    let euro = Money::parse("999999.00", Currency::EUR).unwrap();
    let everything_wrong =
        seed_000().with_state(PaymentState::Pending).with_kind(PaymentKind::Refund);
    assert_eq!(
        refused(&everything_wrong, &Wish::amount(euro), &policy).rule(),
        Rule::Completed(PaymentState::Pending)
    );
    let completed = everything_wrong.with_state(PaymentState::Completed);
    assert_eq!(
        refused(&completed, &Wish::amount(euro), &policy).rule(),
        Rule::Kind(PaymentKind::Refund)
    );
    let full = completed.with_kind(PaymentKind::Pay).with_refunded(usd("115.00")).unwrap();
    let full = full.with_refunds(10).unwrap();
    assert_eq!(refused(&full, &Wish::amount(euro), &policy).rule(), Rule::Currency);
    let zero = usd("0.00");
    assert_eq!(refused(&full, &Wish::amount(zero), &policy).rule(), Rule::NothingLeft);
    let open = full.with_refunded(usd("100.00")).unwrap();
    assert_eq!(refused(&open, &Wish::amount(zero), &policy).rule(), Rule::Minimum);
    let huge = usd("150000.01");
    assert_eq!(refused(&open, &Wish::amount(huge), &policy).rule(), Rule::SingleMaximum);
    assert_eq!(refused(&open, &Wish::amount(usd("15.01")), &policy).rule(), Rule::Remaining);
    assert_eq!(refused(&open, &Wish::amount(usd("15.00")), &policy).rule(), Rule::Count);
}

#[test]
fn a_negative_wish_is_below_the_minimum() {
    let minus = Money::from_minor(-2_500, Currency::USD);
    let refusal = refused(&seed_000(), &Wish::amount(minus), &Policy::flexible_payments());
    assert_eq!(refusal.rule(), Rule::Minimum);
}

#[test]
fn a_policy_can_be_tightened_and_not_loosened() {
    let policy = Policy::amazon_pay(Currency::USD).with_refunds_max(50);
    assert_eq!(policy.refunds_max(), Some(10));
    let policy = policy.with_refunds_max(2).with_single_max(usd("40.00")).without_overage();
    let plan = decide(&seed_000(), &Wish::amount(usd("40.01")), &policy);
    assert!(matches!(plan, Decision::Refuse(refusal) if refusal.rule() == Rule::SingleMaximum));
    let refunded = seed_000().with_refunded(usd("80.00")).unwrap();
    assert_eq!(refused(&refunded, &Wish::amount(usd("20.01")), &policy).rule(), Rule::Remaining);
}

#[test]
fn impossible_snapshots_are_refused() {
    let nothing = Payment::completed(usd("0.00"), Method::Card);
    assert_eq!(nothing, Err(PaymentError::NothingCaptured));
    let negative = Money::from_minor(-1, Currency::USD);
    assert_eq!(seed_000().with_refunded(negative), Err(PaymentError::Negative("refunded amount")));
    assert!(matches!(seed_000().with_fee(jpy("3")), Err(PaymentError::Money(_))));
    let most = Money::from_minor(i64::MAX, Currency::USD);
    let overflow = seed_000().with_refunded(most).unwrap().with_pending(usd("0.01"));
    assert!(matches!(overflow, Err(PaymentError::Money(_))));
    let refunded = seed_000().with_refunded(usd("1.00")).unwrap();
    assert_eq!(refunded.with_refunds(0), Err(PaymentError::RefundedByNobody));
}

#[test]
fn a_refusal_reads_as_one_sentence_that_can_be_acted_on() {
    let payment = seed_000().with_refunded(usd("100.00")).unwrap();
    let refusal =
        refused(&payment, &Wish::amount(usd("20.00")), &Policy::amazon_pay(Currency::USD));
    assert_eq!(
        refusal.to_string(),
        "a refund of 20.00 USD is not allowed: it is above what may still be refunded (15.00 USD)"
    );
}

#[test]
fn a_policy_is_for_one_currency() {
    let payment = Payment::completed(jpy("100"), Method::Card).unwrap();
    for policy in [Policy::flexible_payments(), Policy::amazon_pay(Currency::USD)] {
        assert_eq!(refused(&payment, &Wish::rest(), &policy).rule(), Rule::Currency);
        let wish = Wish::amount(jpy("1"));
        assert_eq!(refused(&payment, &wish, &policy).rule(), Rule::Currency);
    }
}

//! What is said to people: one sentence each, no two alike, and the source apart from it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use std::collections::BTreeSet;
use std::error::Error;

use refund_rules::{
    Asker, Contradiction, Currency, Grant, Grants, Method, Money, MoneyError, Observation,
    ParseMoneyError, Payment, PaymentError, PaymentKind, PaymentState, Policy, RefundState,
    Refusal, Role, Rounding, Scope, Source, Wish, decide,
};

/// Errors of one type: all different, and none ends like a text or repeats its source.
fn sentences<E: Error>(errors: impl IntoIterator<Item = E>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for error in errors {
        let text = error.to_string();
        assert!(text.len() > 10 && !text.ends_with('.'), "{text}");
        if let Some(source) = error.source() {
            assert!(!text.contains(&source.to_string()), "{text}");
        }
        assert!(seen.insert(text.clone()), "said twice: {text}");
    }
    seen
}

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

#[test]
fn errors_of_amounts() {
    use ParseMoneyError as P;
    let eur = Money::zero(Currency::EUR);
    let said = sentences([
        usd(i64::MAX).checked_add(usd(1)).unwrap_err(),
        usd(1).checked_add(eur).unwrap_err(),
        usd(1).share(usd(1), usd(0), Rounding::Floor).unwrap_err(),
        usd(1).allocate_into(&[1], &mut []).unwrap_err(),
    ]);
    assert!(said.contains("an amount in USD was mixed with an amount in EUR"));
    let said = sentences([
        P::Empty,
        P::Blank,
        P::Sign,
        P::ThousandsSeparator,
        P::Exponent,
        P::ForeignDigit,
        P::NotADigit,
        P::MissingDigit,
        P::LeadingZero,
        P::TooManyDecimals { currency: Currency::USD },
        P::TooManyDecimals { currency: Currency::JPY },
        P::Overflow,
    ]);
    assert!(said.contains("an amount in USD has at most 2 decimals"));
    assert!(said.contains("an amount in JPY has no decimals"));
    sentences([Currency::from_code("usd").unwrap_err()]);
}

#[test]
fn errors_of_payments_have_their_source_apart() {
    let payment = || Payment::completed(usd(100), Method::Card).unwrap();
    sentences([
        Payment::completed(usd(0), Method::Card).unwrap_err(),
        payment().with_fee(usd(-1)).unwrap_err(),
        payment().with_refunded(usd(-1)).unwrap_err(),
        payment().with_fee_returned(usd(1)).unwrap_err(),
        payment().with_marketplace_fee_held(usd(1)).unwrap_err(),
        payment().with_marketplace_fee(usd(101)).unwrap_err(),
        payment().with_fee_payer(Role::Sender).unwrap_err(),
        payment().with_refunds(1).unwrap_err(),
        payment().with_fee(Money::zero(Currency::EUR)).unwrap_err(),
    ]);
    let error = payment().with_fee(Money::zero(Currency::EUR)).unwrap_err();
    let source = error.source().and_then(|source| source.downcast_ref::<MoneyError>());
    assert!(matches!(source, Some(MoneyError::CurrencyMismatch { .. })));
    assert!(PaymentError::NothingCaptured.source().is_none());
}

fn refusal(payment: &Payment, wish: &Wish, policy: &Policy) -> Refusal {
    decide(payment, wish, policy).into_result().unwrap_err()
}

#[test]
fn every_refusal_says_what_can_be_done() {
    let payment = Payment::completed(usd(10_000), Method::Card).unwrap();
    let refunded = payment.with_refunded(usd(10_000)).unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    let wish = Wish::amount(usd(2_000));
    let in_state = |state| refusal(&payment.with_state(state), &wish, &policy);
    let of_kind = |kind| refusal(&payment.with_kind(kind), &wish, &policy);
    let huge = Payment::completed(usd(i64::MAX), Method::Card).unwrap();
    let said = sentences([
        refusal(&payment, &wish.with_asker(Asker::STRANGER), &policy),
        refusal(&payment, &wish, &policy.clone().with_grant_needed()),
        in_state(PaymentState::Reserved),
        in_state(PaymentState::Pending),
        in_state(PaymentState::Failed),
        of_kind(PaymentKind::FundPrepaid),
        of_kind(PaymentKind::Refund),
        refusal(&payment, &wish, &Policy::amazon_pay(Currency::EUR)),
        refusal(&payment, &wish.with_scope(Scope::MarketplaceFee), &policy),
        {
            let marketplace = payment.with_marketplace_fee(usd(1)).unwrap();
            let grants = Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND));
            let wish = wish.with_scope(Scope::MarketplaceFee).with_asker(grants);
            refusal(&marketplace, &wish, &Policy::flexible_payments())
        },
        refusal(&payment.with_refunded(usd(11_500)).unwrap(), &wish, &policy),
        refusal(&refunded, &Wish::rest(), &policy),
        refusal(&payment, &Wish::amount(usd(0)), &policy),
        refusal(&payment, &wish, &policy.clone().with_single_max(usd(1_999)).unwrap()),
        refusal(&refunded, &wish, &policy),
        refusal(&refunded, &Wish::amount(usd(1)), &policy.clone().with_refunds_max(1)),
        refusal(&huge, &wish, &policy),
    ]);
    let expected = "a refund of 20.00 USD is not allowed: it is above what may still be refunded \
        (15.00 USD)";
    assert!(said.contains(expected), "{said:?}");
    let expected = "a refund of the rest is not allowed: nothing is left to refund";
    assert!(said.contains(expected), "{said:?}");
    let expected = "a refund of 0.01 USD is not allowed: the payment has been refunded too often \
        (at most 1 refunds)";
    assert!(said.contains(expected), "{said:?}");
}

#[test]
fn a_contradiction_names_both_sides() {
    let error: Contradiction = RefundState::Refunded.observe(Observation::Declined).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the refund had ended as Refunded, and now the provider says Declined"
    );
}

#[test]
fn sources_are_titles_that_can_be_looked_for() {
    let sources = [
        Source::FpsReference,
        Source::FpsAmountOutOfRange,
        Source::AmazonPayGuide,
        Source::AmazonPayHelp,
        Source::SmallestUnit,
        Source::Undocumented,
        Source::Merchant,
    ];
    let titles: BTreeSet<String> = sources.iter().map(Source::to_string).collect();
    assert_eq!(titles.len(), sources.len());
    assert!(titles.iter().all(|title| title.len() > 10), "{titles:?}");
}

#[test]
fn what_programmers_see_is_what_is_written() {
    assert_eq!(format!("{:?} {:>5}|", Currency::KWD, Currency::KWD), "KWD   KWD|");
    assert_eq!(format!("{:?}", Money::from_minor(-1_234, Currency::KWD)), "-1.234 KWD");
    let policy = Policy::flexible_payments();
    let eur = Money::from_minor(1, Currency::EUR);
    assert!(policy.clone().with_single_max(eur).is_err(), "it would limit nothing");
    assert!(policy.clone().with_minimum(eur).is_err());
    assert_eq!(policy.currency(), Currency::USD);
    assert_eq!((policy.overage().value().percent, policy.minimum().value()), (0, usd(1)));
    assert_eq!(policy.kinds(), [PaymentKind::Pay, PaymentKind::SettledReserve]);
    let asker = Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND));
    let wish = Wish::rest().with_asker(asker).with_scope(Scope::MarketplaceFee);
    assert_eq!((wish.asked(), wish.asker(), wish.scope()), (None, asker, Scope::MarketplaceFee));
    assert!(asker.executed() && asker.grants() != Grants::NONE);
}

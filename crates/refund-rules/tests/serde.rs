//! What serde writes and reads, with the feature `serde`.

#![expect(clippy::unwrap_used, reason = "a value that cannot be written is a failed test")]

use refund_rules::{
    Currency, Grant, Method, Money, Payment, PaymentKind, PaymentState, Policy, RefundState, Role,
    Scope, Wish, decide,
};
use serde_json::{Value, from_str, from_value, json, to_value};

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

#[test]
fn amounts_are_texts_with_their_currency() {
    for (money, text) in [
        (usd(1_400), "14.00 USD"),
        (usd(-5), "-0.05 USD"),
        (Money::from_minor(1_400, Currency::JPY), "1400 JPY"),
        (Money::from_minor(i64::MIN, Currency::KWD), "-9223372036854775.808 KWD"),
    ] {
        assert_eq!(to_value(money).unwrap(), json!(text));
        assert_eq!(from_str::<Money>(&json!(text).to_string()).unwrap(), money);
        // From a reader there is no text to borrow.
        assert_eq!(
            serde_json::from_reader::<_, Money>(json!(text).to_string().as_bytes()).unwrap(),
            money
        );
    }
    for (text, said) in [
        (r#""14.00""#, "such as `14.00 USD`"),
        (r#""1,400.00 USD""#, "thousands separators"),
        (r#""14.00 JPY""#, "no decimals"),
        (r#""14.00 usd""#, "ISO 4217"),
        (r#""14.00  USD""#, "ISO 4217"),
        ("14.00", "such as `14.00 USD`"),
        (r#"{"amount":"14.00"}"#, "such as `14.00 USD`"),
    ] {
        let error = from_str::<Money>(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    assert_eq!(to_value(Currency::EUR).unwrap(), json!("EUR"));
    assert_eq!(from_str::<Currency>(r#""EUR""#).unwrap(), Currency::EUR);
    assert!(from_str::<Currency>(r#""DEM""#).is_err());
    assert!(from_str::<Currency>("840").unwrap_err().to_string().contains("an ISO 4217 code"));
}

fn full() -> Payment {
    let payment = Payment::completed(usd(10_000), Method::Bank).unwrap();
    let payment = payment.with_kind(PaymentKind::SettledReserve).with_state(PaymentState::Pending);
    let payment = payment.with_fee(usd(300)).unwrap().with_fee_payer(Role::Caller).unwrap();
    let payment = payment.with_marketplace_fee(usd(1_000)).unwrap();
    let payment = payment.with_marketplace_fee_held(usd(100)).unwrap();
    let payment = payment.with_refunded(usd(1_000)).unwrap().with_pending(usd(20)).unwrap();
    let payment = payment.with_unknown(usd(3)).unwrap().with_refunds(5).unwrap();
    payment.with_fee_returned(usd(30)).unwrap()
}

#[test]
fn a_payment_is_read_as_it_was_written() {
    let plain = Payment::completed(usd(100), Method::Card).unwrap();
    for payment in [plain, full()] {
        let text = serde_json::to_string(&payment).unwrap();
        assert_eq!(from_str::<Payment>(&text).unwrap(), payment, "{text}");
    }
    let least = r#"{"captured":"1.00 USD","method":"card","kind":"pay","state":"completed"}"#;
    assert_eq!(from_str::<Payment>(least).unwrap(), plain);
}

#[test]
fn an_impossible_payment_is_not_read() {
    for (field, value, said) in [
        ("captured", json!("0.00 USD"), "above zero"),
        ("captured", json!("100.00 EUR"), "do not fit together"),
        ("fee", json!("-3.00 USD"), "below zero"),
        ("fee_payer", json!("sender"), "pays no fee"),
        ("fee_returned", json!("3.01 USD"), "more of the fee"),
        ("refunds", json!(1_024), "number of refunds"),
        ("marketplace_fee", json!("100.01 USD"), "more than was paid"),
        ("marketplace_fee", Value::Null, "more of the marketplace fee"),
        ("marketplace_fee_held", json!("10.01 USD"), "more of the marketplace fee"),
        ("refunded", json!("-1.00 USD"), "below zero"),
        ("pending", json!("92233720368547758.07 USD"), "do not fit together"),
        ("unknown", json!("-1.00 USD"), "below zero"),
        ("refunds", json!(2), "number of refunds"),
        ("refundd", json!("1.00 USD"), "unknown field"),
        ("method", json!("cash"), "unknown variant"),
        ("state", Value::Null, "invalid type: null"),
    ] {
        let mut form = to_value(full()).unwrap();
        form[field] = value;
        let error = from_value::<Payment>(form).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(said)), "{field}: {error:?}");
    }
}

#[test]
fn decisions_and_policies_are_written() {
    let payment = Payment::completed(usd(10_000), Method::Card).unwrap();
    let payment = payment.with_fee(usd(300)).unwrap();
    let policy = Policy::amazon_pay(Currency::USD);
    let plan = to_value(decide(&payment, &Wish::amount(usd(5_000)), &policy)).unwrap();
    assert_eq!(
        plan,
        json!({"allow": {
            "amount": "50.00 USD",
            "fee_returned": "1.50 USD",
            "marketplace_fee_returned": "0.00 USD",
            "legs": [
                {"from": "recipient", "to": "sender", "amount": "50.00 USD"},
                {"from": "amazon", "to": "recipient", "amount": "1.50 USD"},
            ],
            "destination": "card",
            "timing": "later",
            "remaining": "50.00 USD",
            "remaining_with_overage": "65.00 USD",
        }})
    );
    let refusal = to_value(decide(&payment, &Wish::amount(usd(11_501)), &policy)).unwrap();
    assert_eq!(
        refusal,
        json!({"refuse": {
            "rule": "remaining",
            "asked": "115.01 USD",
            "limit": {"amount": "115.00 USD"},
            "source": "amazon-pay-guide",
        }})
    );
    let reserved = payment.with_state(PaymentState::Reserved);
    let refusal = to_value(decide(&reserved, &Wish::rest(), &policy)).unwrap();
    assert_eq!(refusal["refuse"]["rule"], json!({"completed": "reserved"}));
    let policy = to_value(policy.with_refunds_max(3)).unwrap();
    assert_eq!(policy["refunds_max"], json!({"value": 3, "source": "merchant"}));
    assert_eq!(policy["overage"]["value"], json!({"percent": 15, "most": "75.00 USD"}));
}

#[test]
fn policies_are_read_as_they_were_written() {
    let pay = Policy::amazon_pay(Currency::JPY);
    for policy in [
        Policy::flexible_payments(),
        Policy::flexible_payments().with_grant_needed(),
        Policy::amazon_pay(Currency::USD).without_overage().with_refunds_max(3),
        Policy::amazon_pay(Currency::from_code("CHF").unwrap()),
        pay.clone().with_minimum(Money::from_minor(50, Currency::JPY)).unwrap(),
        pay.with_single_max(Money::from_minor(9_000, Currency::JPY)).unwrap(),
    ] {
        assert_eq!(from_value::<Policy>(to_value(&policy).unwrap()).unwrap(), policy);
    }
}

#[test]
fn a_limit_in_another_currency_would_limit_nothing() {
    let written = to_value(Policy::amazon_pay(Currency::USD)).unwrap();
    for limit in ["/overage/value/most", "/minimum/value", "/single_max/value"] {
        let mut changed = written.clone();
        *changed.pointer_mut(limit).unwrap() = json!("1.00 EUR");
        let error = from_value::<Policy>(changed).unwrap_err().to_string();
        assert!(error.contains("EUR") && error.contains("USD"), "{limit}: {error}");
    }
}

#[test]
fn words_are_written_in_small_letters_with_hyphens() {
    assert_eq!(
        to_value(Scope::PaymentAndMarketplaceFee).unwrap(),
        json!("payment-and-marketplace-fee")
    );
    assert_eq!(to_value(RefundState::Prepared).unwrap(), json!("prepared"));
    assert_eq!(to_value(Grant::REFUND).unwrap(), json!({"role": "sender", "operation": "refund"}));
    assert_eq!(from_str::<RefundState>(r#""unknown""#).unwrap(), RefundState::Unknown);
}

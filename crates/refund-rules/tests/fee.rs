//! The fee closes: property tests of the fee rule against an oracle in exact fractions.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use proptest::prelude::*;
use refund_rules::{Currency, Method, Money, Payment, Policy, Wish, decide};

const CURRENCIES: [Currency; 5] =
    [Currency::USD, Currency::EUR, Currency::GBP, Currency::JPY, Currency::KWD];

/// `fee · total ÷ captured`, to the nearest, ties to even, by comparing twice the rest with the
/// whole: nothing of the crate under test takes part.
fn oracle(fee: i64, total: i64, captured: i64) -> i64 {
    let (fee, total, captured) = (i128::from(fee), i128::from(total), i128::from(captured));
    if total >= captured {
        return i64::try_from(fee).unwrap();
    }
    let product = fee * total;
    let (down, rest) = (product / captured, product % captured);
    let up = match (rest * 2).cmp(&captured) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => down % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    i64::try_from(down + i128::from(up)).unwrap()
}

proptest! {
    #[test]
    fn refunds_in_any_parts_return_the_fee_exactly(
        currency in prop::sample::select(&CURRENCIES[..]),
        parts in prop::collection::vec(1_i64..=10_000_000, 1..=10),
        fee in 0_i64..=10_000_000,
    ) {
        let money = |minor| Money::from_minor(minor, currency);
        let captured: i64 = parts.iter().sum();
        let payment = Payment::completed(money(captured), Method::Card).unwrap();
        let payment = payment.with_fee(money(fee)).unwrap();
        let policy = Policy::amazon_pay(currency).without_overage();
        let (mut refunded, mut returned) = (0, 0);
        for part in parts {
            let before = payment.with_refunded(money(refunded)).unwrap();
            let plan = decide(&before, &Wish::amount(money(part)), &policy).into_result().unwrap();
            prop_assert!(!plan.fee_returned().is_negative());
            refunded += part;
            returned += plan.fee_returned().minor();
            prop_assert_eq!(returned, oracle(fee, refunded, captured));
            // No prefix is off by more than half a minor unit: |returned − F·R/A| ≤ ½.
            let exact = i128::from(fee) * i128::from(refunded);
            let off = (i128::from(returned) * i128::from(captured) - exact).abs();
            prop_assert!(2 * off <= i128::from(captured));
        }
        prop_assert_eq!(returned, fee);
        let done = payment.with_refunded(money(refunded)).unwrap();
        prop_assert!(decide(&done, &Wish::rest(), &policy).into_result().is_err());
    }

    #[test]
    fn any_amount_is_read_back_from_its_text(
        currency in prop::sample::select(&CURRENCIES[..]),
        minor in any::<i64>(),
    ) {
        let money = Money::from_minor(minor, currency);
        prop_assert_eq!(Money::parse_signed(&money.to_string(), currency), Ok(money));
    }
}

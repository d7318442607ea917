//! Properties against exact fractions: the oracle is `num-rational` over numbers of any size, and
//! nothing of the crate under test takes part in it.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use proptest::prelude::*;
use refund_rules::{
    Asker, Currency, Decision, Grant, Grants, Method, Money, Party, Payment, Plan, Policy, Role,
    Rounding, Scope, Wish, decide,
};

const CURRENCIES: [Currency; 5] =
    [Currency::USD, Currency::EUR, Currency::GBP, Currency::JPY, Currency::KWD];

fn ratio(dividend: impl Into<BigInt>, divisor: impl Into<BigInt>) -> BigRational {
    BigRational::new(dividend.into(), divisor.into())
}

/// Rounds by what the words mean: the nearer neighbour, and at a tie the named one.
fn rounded(exact: &BigRational, rounding: Rounding) -> BigInt {
    let (down, up) = (exact.floor().to_integer(), exact.ceil().to_integer());
    let toward_zero = if exact.is_negative() { up.clone() } else { down.clone() };
    let away = if exact.is_negative() { down.clone() } else { up.clone() };
    let half = ratio(1, 2);
    let nearest = |tie: BigInt| {
        let above = exact - BigRational::from(down.clone());
        if above < half {
            down.clone()
        } else if above > half {
            up.clone()
        } else {
            tie
        }
    };
    match rounding {
        Rounding::Floor => down,
        Rounding::Ceiling => up,
        Rounding::TowardZero => toward_zero,
        Rounding::AwayFromZero => away,
        Rounding::HalfAwayFromZero => nearest(away),
        Rounding::HalfEven => {
            let even = if (&down % 2i32).is_zero() { down.clone() } else { up.clone() };
            nearest(even)
        }
    }
}

/// What has come back of a fee once `total` of `captured` is refunded.
fn closed(fee: i64, total: i64, captured: i64) -> i64 {
    let part = ratio(total, captured).min(BigRational::one());
    rounded(&(part * BigRational::from(BigInt::from(fee))), Rounding::HalfEven).to_i64().unwrap()
}

fn rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(vec![
        Rounding::HalfEven,
        Rounding::HalfAwayFromZero,
        Rounding::TowardZero,
        Rounding::AwayFromZero,
        Rounding::Floor,
        Rounding::Ceiling,
    ])
}

/// Small and large numbers, and those where words of a processor end.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        -100_i64..100,
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        any::<i32>().prop_map(i64::from)
    ]
}

/// Amounts that a payment can have, small ones above all.
fn size() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0_i64..100, 1 => 0_i64..=i64::MAX]
}

fn net(plan: &Plan, party: Party) -> i64 {
    let got = plan.legs().filter(|leg| leg.to() == party).map(|leg| leg.amount().minor());
    let paid = plan.legs().filter(|leg| leg.from() == party).map(|leg| leg.amount().minor());
    got.sum::<i64>() - paid.sum::<i64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn a_share_is_the_exact_fraction_rounded_as_named(
        amount in number(),
        part in number(),
        whole in number(),
        rounding in rounding(),
    ) {
        let money = |minor| Money::from_minor(minor, Currency::USD);
        let share = money(amount).share(money(part), money(whole), rounding);
        if whole == 0 {
            prop_assert!(share.is_err());
            return Ok(());
        }
        let exact = ratio(BigInt::from(amount) * BigInt::from(part), whole);
        let expected = rounded(&exact, rounding).to_i64();
        prop_assert_eq!(share.ok().map(Money::minor), expected);
    }

    #[test]
    fn parts_sum_to_the_whole_and_lose_less_than_a_unit(
        amount in number(),
        weights in prop::collection::vec(0_u64..1_000_000_000_000, 1..12),
    ) {
        let total: u64 = weights.iter().sum();
        prop_assume!(total > 0);
        let whole = Money::from_minor(amount, Currency::KWD);
        let mut parts = vec![whole; weights.len()];
        whole.allocate_into(&weights, &mut parts).unwrap();
        let sum: i128 = parts.iter().map(|part| i128::from(part.minor())).sum();
        prop_assert_eq!(sum, i128::from(amount));
        let lost: Vec<BigRational> = parts
            .iter()
            .zip(&weights)
            .map(|(part, weight)| {
                let exact = ratio(BigInt::from(amount) * BigInt::from(*weight), total);
                (exact - BigRational::from(BigInt::from(part.minor()))).abs()
            })
            .collect();
        prop_assert!(lost.iter().all(|lost| *lost < BigRational::one()));
        prop_assert!(parts.iter().zip(&weights).all(|(part, weight)| *weight > 0 || part.is_zero()));
        // Nobody who gained a unit had lost less than somebody who did not.
        let cut = |index: usize| {
            let exact = ratio(BigInt::from(amount) * BigInt::from(weights[index]), total);
            (&exact - exact.trunc()).abs()
        };
        let gained = |index: usize| {
            let exact = ratio(BigInt::from(amount) * BigInt::from(weights[index]), total);
            exact.trunc().to_integer() != BigInt::from(parts[index].minor())
        };
        for winner in (0..parts.len()).filter(|index| gained(*index)) {
            for loser in (0..parts.len()).filter(|index| !gained(*index)) {
                prop_assert!(cut(winner) >= cut(loser));
                prop_assert!(cut(winner) > cut(loser) || winner < loser);
            }
        }
    }

    #[test]
    fn refunds_in_any_parts_and_order_return_the_fee_exactly(
        currency in prop::sample::select(&CURRENCIES[..]),
        parts in prop::collection::vec(1_i64..=10_000_000, 1..=10),
        order in any::<prop::sample::Index>(),
        fee in 0_i64..=10_000_000,
        under_way in prop::collection::vec(0_u8..3, 10),
    ) {
        let money = |minor| Money::from_minor(minor, currency);
        let captured: i64 = parts.iter().sum();
        let payment = Payment::completed(money(captured), Method::Card).unwrap();
        let payment = payment.with_fee(money(fee)).unwrap();
        let policy = Policy::amazon_pay(currency).without_overage();
        let mut other_order = parts.clone();
        other_order.rotate_left(order.index(parts.len()));
        for parts in [parts, other_order] {
            // What is refunded, pending and unknown.
            let mut held = [0, 0, 0];
            let mut returned = 0;
            for (part, bucket) in parts.into_iter().zip(&under_way) {
                let before = payment.with_refunded(money(held[0])).unwrap();
                let before = before.with_pending(money(held[1])).unwrap();
                let before = before.with_unknown(money(held[2])).unwrap();
                let wish = Wish::amount(money(part));
                let plan = decide(&before, &wish, &policy).into_result().unwrap();
                held[usize::from(*bucket)] += part;
                let total = held.iter().sum();
                returned += plan.fee_returned().minor();
                prop_assert!(!plan.fee_returned().is_negative());
                prop_assert_eq!(returned, closed(fee, total, captured));
                let exact = ratio(BigInt::from(fee) * BigInt::from(total), captured);
                let off = (exact - BigRational::from(BigInt::from(returned))).abs();
                prop_assert!(off <= ratio(1, 2), "a prefix is off by {off}");
            }
            prop_assert_eq!(returned, fee);
            let done = payment.with_refunded(money(captured)).unwrap();
            prop_assert!(decide(&done, &Wish::rest(), &policy).into_result().is_err());
        }
    }

    #[test]
    fn a_marketplace_and_amazon_give_back_their_fees_exactly(
        parts in prop::collection::vec(1_i64..=10_000_000, 1..=10),
        fee in 0_i64..=10_000_000,
        marketplace in 0_i64..=100,
        payer in prop::sample::select(vec![Role::Recipient, Role::Caller]),
    ) {
        let usd = |minor| Money::from_minor(minor, Currency::USD);
        let captured: i64 = parts.iter().sum();
        let marketplace = captured * marketplace / 100;
        let payment = Payment::completed(usd(captured), Method::Card).unwrap();
        let payment = payment.with_fee(usd(fee)).unwrap().with_fee_payer(payer).unwrap();
        let payment = payment.with_marketplace_fee(usd(marketplace)).unwrap();
        let policy = Policy::flexible_payments();
        let grants = Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND));
        let (mut refunded, mut returned, mut shared) = (0, 0, 0);
        for part in parts {
            let before = payment.with_refunded(usd(refunded)).unwrap();
            let before = before.with_marketplace_fee_held(usd(shared)).unwrap();
            let wish = Wish::amount(usd(part)).with_asker(grants);
            let wish = wish.with_scope(Scope::PaymentAndMarketplaceFee);
            let plan = decide(&before, &wish, &policy).into_result().unwrap();
            let (fee_part, shared_part) =
                (plan.fee_returned().minor(), plan.marketplace_fee_returned().minor());
            prop_assert!((0..=part).contains(&shared_part));
            refunded += part;
            returned += fee_part;
            shared += shared_part;
            prop_assert_eq!(returned, closed(fee, refunded, captured));
            prop_assert_eq!(shared, closed(marketplace, refunded, captured));
            let to_caller = if payer == Role::Caller { fee_part } else { 0 };
            prop_assert_eq!(net(&plan, Party::Sender), part);
            prop_assert_eq!(net(&plan, Party::Caller), to_caller - shared_part);
            prop_assert_eq!(net(&plan, Party::Recipient), fee_part - to_caller + shared_part - part);
            prop_assert_eq!(net(&plan, Party::Amazon), -fee_part);
        }
        prop_assert_eq!((returned, shared), (fee, marketplace));
    }

    #[test]
    fn no_sequence_of_wishes_goes_above_the_cap(
        currency in prop::sample::select(&CURRENCIES[..4]),
        captured in 1_i64..=200_000_000,
        wishes in prop::collection::vec(prop::option::of(1_i64..=150_000_000), 1..=14),
    ) {
        let money = |minor| Money::from_minor(minor, currency);
        let payment = Payment::completed(money(captured), Method::Card).unwrap();
        let policy = Policy::amazon_pay(currency);
        let fixed = if currency == Currency::JPY { 8_400 } else { 7_500 };
        let single = if currency == Currency::JPY { 10_000_000 } else { 15_000_000 };
        let cap = captured + (captured * 15 / 100).min(fixed);
        let (mut held, mut count) = (0, 0);
        for wish in wishes {
            let before = payment.with_refunded(money(held)).unwrap();
            let before = if count > 0 { before.with_refunds(count).unwrap() } else { before };
            let asked = wish.map_or(Wish::rest(), |minor| Wish::amount(money(minor)));
            let amount = wish.unwrap_or((captured - held).max(0));
            let fits = amount > 0 && amount <= single && held + amount <= cap && count < 10;
            let plan = decide(&before, &asked, &policy).into_result();
            prop_assert_eq!(plan.is_ok(), fits, "no needless refusal either");
            if let Ok(plan) = plan {
                held += plan.amount().minor();
                count += 1;
                prop_assert_eq!(plan.amount().minor(), amount);
                prop_assert_eq!(plan.remaining().minor(), (captured - held).max(0));
                prop_assert_eq!(plan.remaining_with_overage().minor(), cap - held);
            }
            prop_assert!(held <= cap && count <= 10);
        }
    }

    #[test]
    fn any_amount_is_read_back_from_its_text(
        currency in prop::sample::select(Currency::all().collect::<Vec<_>>()),
        minor in any::<i64>(),
    ) {
        let money = Money::from_minor(minor, currency);
        prop_assert_eq!(Money::parse_signed(&money.to_string(), currency), Ok(money));
        prop_assert_eq!(Money::parse(&money.to_string(), currency).is_ok(), minor >= 0);
    }

    #[test]
    fn a_decision_never_panics(
        captured in prop_oneof![1_i64..100, 1_i64..],
        fees in prop::array::uniform4(size()),
        held in prop::array::uniform3(size()),
        wish in prop::option::of(number()),
        scope in prop::sample::select(vec![
            Scope::Payment,
            Scope::MarketplaceFee,
            Scope::PaymentAndMarketplaceFee,
        ]),
        fps in any::<bool>(),
    ) {
        let usd = |minor| Money::from_minor(minor, Currency::USD);
        let [fee, fee_returned, marketplace, marketplace_held] = fees.map(usd);
        let [refunded, pending, unknown] = held.map(usd);
        // What does not fit is left out, so that the rest comes together.
        let mut payment = Payment::completed(usd(captured), Method::Card).unwrap();
        payment = payment.with_fee(fee).unwrap_or(payment);
        payment = payment.with_marketplace_fee(marketplace).unwrap_or(payment);
        payment = payment.with_marketplace_fee_held(marketplace_held).unwrap_or(payment);
        payment = payment.with_refunded(refunded).unwrap_or(payment);
        payment = payment.with_pending(pending).unwrap_or(payment);
        payment = payment.with_unknown(unknown).unwrap_or(payment);
        payment = payment.with_fee_returned(fee_returned).unwrap_or(payment);
        let grants = Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND));
        let wish = wish.map_or(Wish::rest(), |minor| Wish::amount(usd(minor)));
        let wish = wish.with_scope(scope).with_asker(grants);
        let policy = if fps { Policy::flexible_payments() } else { Policy::amazon_pay(Currency::USD) };
        if let Decision::Allow(plan) = decide(&payment, &wish, &policy) {
            prop_assert!(plan.amount().minor() > 0);
            prop_assert!(plan.legs().all(|leg| leg.amount().minor() > 0));
            prop_assert!(plan.fee_returned().minor() <= fee.minor().max(0));
        }
    }
}

//! What a share and a decision cost, beside the bare integer arithmetic of the same run. Prints; fails
//! for nothing.

#![expect(clippy::print_stdout, reason = "a benchmark talks")]
#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed benchmark")]
#![expect(clippy::arithmetic_side_effects, reason = "the floor is arithmetic without checks")]
#![expect(clippy::float_arithmetic, reason = "times are not money")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use refund_rules::{
    Asker, Currency, Grant, Grants, Method, Money, Payment, Policy, Rounding, Scope, Wish, decide,
};

const CASES: usize = 256;
const ROUNDS: usize = 8_000;
const REPEATS: usize = 15;

/// Nanoseconds for one case: the least of several runs, which is the one least disturbed.
fn measure<T, R>(cases: &[T], work: impl Fn(&T) -> R) -> f64 {
    let run = || {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            for case in cases {
                black_box(work(black_box(case)));
            }
        }
        begun.elapsed().as_secs_f64()
    };
    let least = (0..REPEATS).map(|_| run()).fold(f64::INFINITY, f64::min);
    #[expect(clippy::cast_precision_loss, reason = "a count of cases is small")]
    let count = (ROUNDS * cases.len()) as f64;
    least * 1e9 / count
}

/// `round_half_even(fee · part ÷ whole)` for numbers that are known to be small and positive.
fn floor(fee: u64, part: u64, whole: u64) -> u64 {
    let product = fee * part;
    let (quotient, rest) = (product / whole, product % whole);
    let twice = rest * 2;
    quotient + u64::from(twice > whole || (twice == whole && quotient % 2 == 1))
}

/// Amounts as they are paid: some cents to some thousand dollars.
fn cases() -> Vec<(i64, i64, i64)> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % most).unwrap() + 1
    };
    (0..CASES)
        .map(|_| {
            let captured = next(500_000);
            let part = next(captured.unsigned_abs());
            (captured, captured * 29 / 1_000 + 30, part)
        })
        .collect()
}

fn main() {
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    let cases = cases();
    let small: Vec<_> = cases
        .iter()
        .map(|&(whole, fee, part)| (whole.unsigned_abs(), fee.unsigned_abs(), part.unsigned_abs()))
        .collect();
    let floor = measure(&small, |&(whole, fee, part)| floor(fee, part, whole));
    println!("bare round(fee · part ÷ whole), u64       {floor:6.2} ns");
    let show = |name: &str, time: f64, goal: &str| {
        println!("{name:41} {time:6.2} ns  {:5.1} × the floor{goal}", time / floor);
    };

    let moneys: Vec<_> =
        cases.iter().map(|&(whole, fee, part)| (usd(whole), usd(fee), usd(part))).collect();
    let time = measure(&moneys, |(whole, fee, part)| fee.share(*part, *whole, Rounding::HalfEven));
    show("Money::share", time, "  (goal: 5 ns)");

    let grants = Asker::CALLER.with_grants(Grants::NONE.with(Grant::REFUND));
    let payment = |whole, fee, held| {
        let payment = Payment::completed(usd(whole), Method::Card).unwrap();
        let payment = payment.with_fee(usd(fee)).unwrap();
        payment.with_refunded(usd(held)).unwrap()
    };
    let first: Vec<_> = cases
        .iter()
        .map(|&(whole, fee, part)| (payment(whole, fee, 0), Wish::amount(usd(part))))
        .collect();
    let later: Vec<_> = cases
        .iter()
        .map(|&(whole, fee, part)| (payment(whole, fee, whole - part), Wish::amount(usd(part))))
        .collect();
    let refused: Vec<_> = cases
        .iter()
        .map(|&(whole, fee, _)| (payment(whole, fee, 0), Wish::amount(usd(whole * 2))))
        .collect();
    let marketplace: Vec<_> = later
        .iter()
        .map(|(payment, wish)| {
            let fee = usd(payment.captured().minor() / 10);
            let wish = wish.with_scope(Scope::PaymentAndMarketplaceFee).with_asker(grants);
            let payment = payment.with_marketplace_fee(fee).unwrap();
            (payment.with_marketplace_fee_held(usd(0)).unwrap(), wish)
        })
        .collect();
    let fps = Policy::flexible_payments();
    let pay = Policy::amazon_pay(Currency::USD);
    for (name, cases, policy) in [
        ("decide, FPS, first refund", &first, &fps),
        ("decide, FPS, later refund", &later, &fps),
        ("decide, FPS, refused", &refused, &fps),
        ("decide, FPS, with the marketplace fee", &marketplace, &fps),
        ("decide, Amazon Pay, first refund", &first, &pay),
        ("decide, Amazon Pay, later refund", &later, &pay),
    ] {
        let time = measure(cases, |(payment, wish)| decide(payment, wish, policy));
        show(name, time, "  (goal: 60 ns)");
    }
}

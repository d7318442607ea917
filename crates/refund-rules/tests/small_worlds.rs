//! Worlds so small that every case of them is tried; no case is chosen.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

use refund_rules::{
    Currency, Method, Money, Observation, Payment, Policy, RefundState, Wish, decide,
};

const LARGEST: i64 = 60;

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// `fee · total ÷ captured` to the nearest, ties to even, by counting: the smallest whole number
/// whose double distance is least.
fn nearest(fee: i64, total: i64, captured: i64) -> i64 {
    let off = |candidate: i64| (2 * (candidate * captured - fee * total)).abs();
    (0..=fee).min_by_key(|candidate| (off(*candidate), candidate % 2)).unwrap()
}

/// What one refund returns depends on the total before it and on its amount alone. So all pairs of
/// these are all splits: whatever way leads to a total, the same fee has come back by then.
#[test]
fn every_split_of_every_amount_closes_every_fee() {
    let policy = Policy::flexible_payments();
    for captured in 1..=LARGEST {
        for fee in 0..=captured {
            let payment = Payment::completed(usd(captured), Method::Card).unwrap();
            let payment = payment.with_fee(usd(fee)).unwrap();
            let targets: Vec<i64> =
                (0..=captured).map(|total| nearest(fee, total, captured)).collect();
            assert_eq!((targets[0], *targets.last().unwrap()), (0, fee));
            let before: Vec<Payment> =
                (0..captured).map(|total| payment.with_refunded(usd(total)).unwrap()).collect();
            for (total, before) in (0..).zip(&before) {
                for amount in 1..=captured - total {
                    let wish = Wish::amount(usd(amount));
                    let plan = decide(before, &wish, &policy).into_result().unwrap();
                    let after = usize::try_from(total + amount).unwrap();
                    let due = targets[after] - targets[usize::try_from(total).unwrap()];
                    assert_eq!(
                        plan.fee_returned().minor(),
                        due,
                        "{amount} after {total} of {captured}, fee {fee}"
                    );
                    assert!(due >= 0);
                    assert_eq!(plan.remaining().minor(), captured - total - amount);
                }
                let too_much = Wish::amount(usd(captured - total + 1));
                assert!(decide(before, &too_much, &policy).into_result().is_err());
            }
        }
    }
}

/// The same without that argument, for worlds in which every split can be walked.
#[test]
fn every_walk_through_a_small_payment_returns_its_fee() {
    fn walk(payment: &Payment, refunded: i64, returned: i64, walks: &mut u64) {
        let left = payment.captured().minor() - refunded;
        if left == 0 {
            assert_eq!(returned, payment.fee().minor());
            *walks += 1;
            return;
        }
        let before = payment.with_refunded(usd(refunded)).unwrap();
        for amount in 1..=left {
            let wish = Wish::amount(usd(amount));
            let plan = decide(&before, &wish, &Policy::flexible_payments()).into_result().unwrap();
            walk(payment, refunded + amount, returned + plan.fee_returned().minor(), walks);
        }
    }
    for captured in 1..=12 {
        for fee in 0..=captured {
            let payment = Payment::completed(usd(captured), Method::Card).unwrap();
            let mut walks = 0;
            walk(&payment.with_fee(usd(fee)).unwrap(), 0, 0, &mut walks);
            assert_eq!(walks, 1 << (captured - 1));
        }
    }
}

const OBSERVATIONS: [Observation; 7] = [
    Observation::Sent,
    Observation::NotSent,
    Observation::AnswerLost,
    Observation::Accepted,
    Observation::Pending,
    Observation::Refunded,
    Observation::Declined,
];

/// Every sequence of up to eight observations from the beginning: 6,725,601 of them.
#[test]
fn no_sequence_of_observations_breaks_the_life_of_a_refund() {
    fn step(
        state: RefundState,
        provider_spoke: bool,
        first_end: Option<RefundState>,
        left: u8,
    ) -> u64 {
        use {Observation as O, RefundState as S};
        assert_eq!(state.is_final(), first_end.is_some());
        if let Some(end) = first_end {
            assert_eq!(state, end, "an end never changes");
        }
        if !provider_spoke {
            assert!(
                matches!(state, S::Prepared | S::Sent | S::Unknown),
                "only the provider ends it"
            );
        }
        if left == 0 {
            return 1;
        }
        let mut sequences = 1;
        for observation in OBSERVATIONS {
            let spoke = matches!(observation, O::Accepted | O::Pending | O::Refunded | O::Declined);
            let contradicts = matches!(
                (state, observation),
                (S::Refunded, O::Declined) | (S::Declined, O::Refunded)
            );
            let next = match state.observe(observation) {
                Ok(next) => {
                    assert!(!contradicts);
                    next
                }
                Err(contradiction) => {
                    assert!(contradicts, "{contradiction}");
                    state
                }
            };
            // Nothing is forgotten: no state leads back to one that knows less, but that to have sent
            // nothing is to have prepared it.
            let knowledge = |state| match state {
                S::Prepared => 0,
                S::Sent => 1,
                S::Unknown => 2,
                S::Accepted => 3,
                S::Pending => 4,
                S::Refunded | S::Declined => 5,
            };
            let not_sent = (state, observation) == (S::Sent, O::NotSent);
            assert!(knowledge(next) >= knowledge(state) || not_sent, "{state:?} {observation:?}");
            // Until it has ended without a refund, its amount counts.
            assert_eq!(next.held().is_none(), next == S::Declined);
            // To hear the same again is no news.
            assert!(contradicts || next.observe(observation) == Ok(next));
            let ended = matches!(next, S::Refunded | S::Declined);
            let end = first_end.or(ended.then_some(next));
            sequences += step(next, provider_spoke || spoke, end, left - 1);
        }
        sequences
    }
    assert_eq!(step(RefundState::Prepared, false, None, 8), 6_725_601);
}

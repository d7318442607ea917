//! Many writers want the same few payments at once.

use futures_util::future::join_all;
use refund_ledger::{Ledger, Prepared};

use super::{NOW, payment, wish};

const PAYMENTS: u64 = 5;
const WRITERS: u64 = 16;
const ROUNDS: u64 = 6;

/// Of 96 refunds of 3 dollars each of the payments of 100 dollars takes 33.
pub async fn many_writers_never_pass_a_cap_and_take_what_fits(ledger: &Ledger, other: &Ledger) {
    let payments = (0..PAYMENTS).map(|number| payment(&format!("P{number}")));
    ledger.import(payments.collect(), NOW).await.unwrap();
    let write = async |writer: u64| {
        let ledger = if writer.is_multiple_of(2) { ledger } else { other };
        let mut taken = 0;
        for round in 0..ROUNDS {
            let of = (0..PAYMENTS).map(|at| (at + writer) % PAYMENTS);
            let wishes = of.map(|number| {
                wish(&format!("P{number}"), &format!("{writer}-{round}-{number}"), 300)
            });
            let prepared = ledger.prepare(wishes.collect(), NOW).await.unwrap();
            taken += prepared.iter().filter(|one| matches!(one, Prepared::New { .. })).count();
        }
        taken
    };
    let taken: usize = join_all((0..WRITERS).map(write)).await.into_iter().sum();
    assert_eq!(taken, 33 * 5);
    for number in 0..PAYMENTS {
        let record = other.payment("pay", format!("P{number}")).await.unwrap().unwrap();
        assert_eq!((record.pending.minor(), record.refunds), (9_900, 33));
    }
}

//! Who has which work, until when.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use refund_ledger::{
    Claim, ErrorKind, Filter, IntentId, KeyLife, Ledger, Millis, NewBatch, Outcome, Report, Wanted,
};
use refund_rules::{Observation, RefundState};

use super::{NOW, accepted, claim_all, claim_one, money, payment, prepare_one, sealed_batch, wish};

fn kind<T: std::fmt::Debug>(outcome: Result<T, refund_ledger::Error>) -> ErrorKind {
    outcome.unwrap_err().kind().clone()
}

async fn state(ledger: &Ledger, intent: IntentId) -> RefundState {
    let found = ledger.intents(Filter::new().after(IntentId(intent.0 - 1)).most(1)).await.unwrap();
    assert_eq!(found[0].id, intent);
    found[0].life.state
}

pub async fn what_is_due_is_claimed_in_its_order_and_once(ledger: &Ledger, other: &Ledger) {
    sealed_batch(ledger, "b", 40).await;
    let wanted = |worker: &str| Wanted::new(worker, 7, 1_000).batch("b");
    assert_eq!(kind(ledger.claim(wanted("w").batch("c"), NOW).await), ErrorKind::NoSuchBatch);
    ledger.open_batch(NewBatch::new("c", "pay", "here", "-").unwrap(), NOW).await.unwrap();
    assert_eq!(kind(ledger.claim(wanted("w").batch("c"), NOW).await), ErrorKind::BatchOpen);
    assert_eq!(ledger.claim(Wanted::new("w", 9, 1_000), NOW).await.unwrap(), [], "of no batch");
    assert_eq!(ledger.claim(wanted("w"), NOW.plus(-1)).await.unwrap(), [], "not due yet");
    let first = ledger.claim(wanted("w"), NOW).await.unwrap();
    let keys: Vec<_> = first.iter().map(|claimed| claimed.intent.facts.key.as_str()).collect();
    assert_eq!(keys, ["K0", "K1", "K2", "K3", "K4", "K5", "K6"]);
    // Later ones come later, whatever their numbers are.
    for (claimed, due) in first.iter().zip([9, 8, 7, 6, 5, 4, 3]) {
        ledger.release(&claimed.claim, NOW.plus(due)).await.unwrap();
    }
    assert_eq!(ledger.next_due("b").await.unwrap(), Some(NOW));
    let workers = (0..8).map(async |worker| {
        let ledger = if worker % 2 == 0 { ledger } else { other };
        claim_all(ledger, &wanted(&format!("w{worker}")), NOW).await
    });
    let claimed: Vec<_> = join_all(workers).await.into_iter().flatten().collect();
    let numbers: BTreeSet<_> = claimed.iter().map(|claimed| claimed.claim.intent).collect();
    assert_eq!((claimed.len(), numbers.len()), (33, 33), "each once");
    assert_eq!(ledger.next_due("b").await.unwrap(), Some(NOW.plus(3)));
    let late = ledger.claim(Wanted::new("w", 3, 1_000).batch("b"), NOW.plus(20)).await.unwrap();
    let keys: Vec<_> = late.iter().map(|claimed| claimed.intent.facts.key.as_str()).collect();
    assert_eq!(keys, ["K6", "K5", "K4"]);
    assert_eq!(ledger.claim(Wanted::new("w", 0, 1_000).batch("b"), NOW).await.unwrap(), []);
}

pub async fn a_lease_ends_on_the_clock_that_is_told(ledger: &Ledger, other: &Ledger) {
    sealed_batch(ledger, "b", 2).await;
    let wanted = |worker: &str, most| Wanted::new(worker, most, 100).batch("b");
    let first = ledger.claim(wanted("w1", 2), NOW).await.unwrap();
    let until = NOW.plus(100);
    assert_eq!(first[0].claim.until, until);
    ledger.sending(&first[0].claim, NOW.plus(99), 0).await.unwrap();
    assert_eq!(kind(ledger.sending(&first[1].claim, until, 0).await), ErrorKind::LeaseLost);
    assert_eq!(other.claim(wanted("w2", 2), until.plus(-1)).await.unwrap(), []);
    let again = other.claim(wanted("w2", 2), until).await.unwrap();
    let states = |id| again.iter().find(|claimed| claimed.claim.intent == id).unwrap();
    // Of what was about to be sent nobody knows any more whether it was.
    let sent = &states(first[0].claim.intent).intent.life;
    assert_eq!((sent.state, sent.attempts), (RefundState::Unknown, 1));
    let other = &states(first[1].claim.intent).intent.life;
    assert_eq!((other.state, other.attempts), (RefundState::Prepared, 0));
    let payment = ledger.payment("pay", "P0").await.unwrap().unwrap();
    assert_eq!((payment.pending, payment.unknown), (money(0), money(1_000)));
}

pub async fn a_late_worker_cannot_send_and_is_still_heard(ledger: &Ledger, other: &Ledger) {
    ledger.import(vec![payment("P1")], NOW).await.unwrap();
    prepare_one(ledger, wish("P1", "K1", 1_000)).await;
    let first = claim_one(ledger, "w", 100, NOW).await.unwrap();
    let attempt = ledger.sending(&first, NOW, 0).await.unwrap();
    // Of the same name, it is another all the same.
    let second = claim_one(other, "w", 100, NOW.plus(100)).await.unwrap();
    assert_eq!(kind(ledger.sending(&first, NOW.plus(101), 0).await), ErrorKind::LeaseLost);
    assert_eq!(kind(ledger.renew(&first, NOW.plus(900)).await), ErrorKind::LeaseLost);
    assert_eq!(kind(ledger.release(&first, NOW).await), ErrorKind::LeaseLost);
    // That it was not sent says nothing any more; that it was accepted does, and leaves the claim alone.
    let report = Report::of_try(&attempt, Outcome::NotSent, NOW.plus(101));
    assert_eq!(ledger.record_one(report).await.unwrap().state, RefundState::Unknown);
    let report = Report::of_try(&attempt, accepted("R1"), NOW.plus(102));
    assert_eq!(ledger.record_one(report).await.unwrap().state, RefundState::Accepted);
    assert_eq!(claim_one(ledger, "w", 100, NOW.plus(150)).await, None);
    let taken = kind(other.sending(&second, NOW.plus(150), 0).await);
    assert_eq!(taken, ErrorKind::Taken(RefundState::Accepted));
    // The claim ends with its own report, and the next look is when it says.
    let pending = Outcome::observed(Observation::Pending);
    let report = Report::of_claim(&second, pending, NOW.plus(150)).next_at(NOW.plus(500));
    other.record_one(report).await.unwrap();
    assert_eq!(claim_one(ledger, "w", 100, NOW.plus(499)).await, None);
    let third = claim_one(ledger, "w", 100, NOW.plus(500)).await.unwrap();
    // A notification ends the refund, whoever has it.
    let refunded = Outcome::observed(Observation::Refunded);
    other.record_one(Report::of_refund(third.intent, refunded, NOW.plus(501))).await.unwrap();
    let ended = kind(ledger.sending(&third, NOW.plus(502), 0).await);
    assert_eq!(ended, ErrorKind::Ended(RefundState::Refunded));
    assert_eq!(claim_one(ledger, "w", 100, NOW.plus(10_000)).await, None);
}

pub async fn claims_are_renewed_and_given_up(ledger: &Ledger, other: &Ledger) {
    sealed_batch(ledger, "b", 1).await;
    let one = async |worker: &str, now: Millis| -> Option<Claim> {
        let wanted = Wanted::new(worker, 1, 100).batch("b");
        other.claim(wanted, now).await.unwrap().pop().map(|claimed| claimed.claim)
    };
    let first = one("w1", NOW).await.unwrap();
    ledger.renew(&first, NOW.plus(300)).await.unwrap();
    assert_eq!(one("w2", NOW.plus(299)).await, None);
    ledger.sending(&first, NOW.plus(299), 0).await.unwrap();
    ledger.release(&first, NOW.plus(310)).await.unwrap();
    assert_eq!(kind(ledger.renew(&first, NOW.plus(900)).await), ErrorKind::LeaseLost);
    assert_eq!(kind(ledger.sending(&first, NOW.plus(301), 0).await), ErrorKind::LeaseLost);
    assert_eq!(one("w2", NOW.plus(309)).await, None);
    let second = one("w2", NOW.plus(310)).await.unwrap();
    assert_eq!(state(ledger, second.intent).await, RefundState::Unknown);
    assert_eq!(ledger.sending(&second, NOW.plus(311), 0).await.unwrap().number, 2);
}

pub async fn news_makes_due_what_waits_for_its_time(ledger: &Ledger, other: &Ledger) {
    sealed_batch(ledger, "b", 1).await;
    let claim = async |now| {
        let wanted = Wanted::new("w", 1, 100).batch("b");
        other.claim(wanted, now).await.unwrap().pop().map(|claimed| claimed.claim)
    };
    let first = claim(NOW).await.unwrap();
    let intent = first.intent;
    let attempt = ledger.sending(&first, NOW, 0).await.unwrap();
    let report = Report::of_try(&attempt, accepted("R1"), NOW).next_at(NOW.plus(500));
    ledger.record_one(report).await.unwrap();
    let events = ledger.events(None, 100).await.unwrap().len();
    for at in [20, 30] {
        other.look_again(intent, NOW.plus(at)).await.unwrap();
        assert_eq!(ledger.next_due("b").await.unwrap(), Some(NOW.plus(20)), "never later");
    }
    claim(NOW.plus(20)).await.unwrap();
    ledger.look_again(intent, NOW.plus(21)).await.unwrap();
    assert_eq!(claim(NOW.plus(21)).await, None, "somebody has it");
    assert_eq!(ledger.events(None, 100).await.unwrap().len(), events, "nothing happened to it");
    ledger.park(intent, "odd", NOW).await.unwrap();
    ledger.look_again(intent, NOW.plus(22)).await.unwrap();
    assert_eq!(ledger.next_due("b").await.unwrap(), None, "it waits for a human");
    let refunded = Outcome::observed(Observation::Refunded);
    ledger.record_one(Report::of_refund(intent, refunded, NOW)).await.unwrap();
    ledger.look_again(intent, NOW.plus(23)).await.unwrap();
    assert_eq!(ledger.next_due("b").await.unwrap(), None, "it has ended");
    let nobody = IntentId(intent.0 + 1);
    assert_eq!(kind(ledger.look_again(nobody, NOW).await), ErrorKind::NoSuchIntent);
}

pub async fn what_waits_for_a_human_is_not_claimed(ledger: &Ledger, other: &Ledger) {
    sealed_batch(ledger, "b", 1).await;
    let wanted = || Wanted::new("w", 1, 100).batch("b");
    let claimed = ledger.claim(wanted(), NOW).await.unwrap().pop().unwrap();
    let intent = claimed.claim.intent;
    ledger.park(intent, "odd", NOW).await.unwrap();
    assert_eq!(kind(ledger.sending(&claimed.claim, NOW, 0).await), ErrorKind::Parked);
    assert_eq!(ledger.next_due("b").await.unwrap(), None);
    assert_eq!(ledger.claim(wanted(), NOW.plus(10_000)).await.unwrap(), []);
    let [parked] = &*other.intents(Filter::new().parked()).await.unwrap() else { panic!() };
    assert_eq!((parked.id, parked.life.parked.as_deref()), (intent, Some("odd")));
    other.unpark(intent, NOW.plus(10)).await.unwrap();
    other.unpark(intent, NOW.plus(20)).await.unwrap();
    assert_eq!(ledger.next_due("b").await.unwrap(), Some(NOW.plus(10)));
    let claim = ledger.claim(wanted(), NOW.plus(10)).await.unwrap().pop().unwrap().claim;
    ledger.sending(&claim, NOW.plus(10), 0).await.unwrap();
    // News of it while it waits: it still waits, until the news is its end.
    ledger.park(intent, "odd again", NOW).await.unwrap();
    let tell = async |state| {
        let report = Report::of_refund(intent, Outcome::observed(state), NOW.plus(30));
        other.record_one(report).await.unwrap();
    };
    tell(Observation::Pending).await;
    assert_eq!(ledger.claim(wanted(), NOW.plus(10_000)).await.unwrap(), []);
    tell(Observation::Refunded).await;
    assert_eq!(other.intents(Filter::new().parked()).await.unwrap(), []);
    let ended = ErrorKind::Ended(RefundState::Refunded);
    assert_eq!(kind(other.unpark(intent, NOW).await), ended);
    assert_eq!(kind(other.park(intent, "late", NOW).await), ended);
    assert_eq!(kind(other.park(IntentId(99), "none", NOW).await), ErrorKind::NoSuchIntent);
}

const DAY: i64 = 86_400_000;

pub async fn a_key_is_not_sent_after_its_window(ledger: &Ledger, other: &Ledger) {
    let window = 7 * DAY;
    let lives = [
        (KeyLife::FromFirstTry(window), Some(5 * DAY + window)),
        (KeyLife::Until(NOW.plus(window)), Some(window)),
        (KeyLife::Forever, None),
    ];
    for (number, (life, dies)) in lives.into_iter().enumerate() {
        ledger.import(vec![payment(&format!("P{number}"))], NOW).await.unwrap();
        let wish = wish(&format!("P{number}"), &format!("K{number}"), 1_000).key_life(life);
        prepare_one(ledger, wish).await;
        let claim = claim_one(ledger, "w", 1_000 * DAY, NOW).await.unwrap();
        // It lay there for five days before the first try.
        let first = NOW.plus(5 * DAY);
        ledger.sending(&claim, first, 1_000).await.unwrap();
        ledger.sending(&claim, first.plus(DAY), 1_000).await.unwrap();
        let at = |late: i64| NOW.plus(dies.unwrap_or(900 * DAY) - 1_000 + late);
        ledger.sending(&claim, at(-1), 1_000).await.unwrap();
        for late in [0, 1, 1_000, DAY] {
            let sent = other.sending(&claim, at(late), 1_000).await;
            match dies {
                Some(_) => assert_eq!(kind(sent), ErrorKind::KeyExpired, "{life:?}, {late}"),
                None => drop(sent.unwrap()),
            }
        }
        let intents = ledger.intents(Filter::new().key(format!("K{number}"))).await.unwrap();
        assert_eq!(intents[0].life.key_expires_at, dies.map(|dies| NOW.plus(dies)));
        ledger.park(claim.intent, "done with", NOW).await.unwrap();
    }
}

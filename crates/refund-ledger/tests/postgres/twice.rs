//! The answer of a commit can be lost, and then the same is asked again.

use refund_ledger::{ErrorKind, Filter, Imported, Ledger, Outcome, Pace, Prepared, Report, Wanted};
use refund_rules::{Observation, RefundState};

use crate::server::Server;
use crate::{NOW, batch, import, wish};

#[tokio::test]
async fn what_is_asked_twice_happens_once() {
    let Some(server) = Server::shared() else { return };
    let ledger = Ledger::connect(&server.url()).await.unwrap();
    import(&ledger, 3, 10).await;
    import(&ledger, 3, 10).await;
    batch(&ledger, 2).await;
    ledger.seal_batch("b", "test", (2, 0), NOW).await.unwrap();
    for is_first in [true, false] {
        let prepared = ledger.prepare(vec![wish(2, "alone", 1_000)], NOW).await.unwrap();
        assert_eq!(matches!(prepared[..], [Prepared::New { .. }]), is_first, "{prepared:?}");
    }
    // A claim that nobody heard of is over with its time.
    let wanted = || Wanted::new("w", 10, 1_000).batch("b");
    assert_eq!(ledger.claim(wanted(), NOW).await.unwrap().len(), 2);
    assert_eq!(ledger.claim(wanted(), NOW).await.unwrap().len(), 0);
    let claimed = ledger.claim(wanted(), NOW.plus(1_000)).await.unwrap();
    let [first, second] = &claimed[..] else { panic!("{claimed:?}") };
    // Nobody knows whether the first try left, so it counts as one; its answer cannot be a refusal.
    let lost = ledger.sending(&first.claim, NOW.plus(1_001), 0).await.unwrap();
    let attempt = ledger.sending(&first.claim, NOW.plus(1_001), 0).await.unwrap();
    assert_eq!((lost.number, attempt.number), (1, 2));
    let outcome = Outcome::accepted("R1", Some(Observation::Refunded));
    let report = Report::of_try(&attempt, outcome, NOW.plus(1_002));
    for before in [RefundState::Unknown, RefundState::Refunded] {
        let recorded = ledger.record(vec![report.clone()]).await.unwrap();
        let recorded = recorded[0].as_ref().unwrap();
        assert_eq!((recorded.before, recorded.state), (before, RefundState::Refunded));
        assert_eq!(recorded.alarm, None);
    }
    let attempt = ledger.sending(&second.claim, NOW.plus(1_001), 0).await.unwrap();
    let report =
        Report::of_try(&attempt, Outcome::Unknown, NOW.plus(1_002)).next_at(NOW.plus(5_000));
    for _ in 0..2 {
        let recorded = ledger.record(vec![report.clone()]).await.unwrap();
        assert_eq!(recorded[0].as_ref().unwrap().state, RefundState::Unknown);
    }
    for _ in 0..2 {
        ledger.park(second.claim.intent, "look", NOW).await.unwrap();
    }
    for _ in 0..2 {
        ledger.unpark(second.claim.intent, NOW).await.unwrap();
    }
    let claimed = ledger.claim(wanted(), NOW).await.unwrap();
    assert_eq!(claimed.len(), 1);
    for _ in 0..2 {
        ledger.renew(&claimed[0].claim, NOW.plus(9_000)).await.unwrap();
    }
    ledger.release(&claimed[0].claim, NOW).await.unwrap();
    let again = ledger.release(&claimed[0].claim, NOW).await.unwrap_err();
    assert_eq!(*again.kind(), ErrorKind::LeaseLost);
    // Turns that nobody heard of are lost, and none is given twice.
    let pace = Pace::new("pace", 1, 1_000_000);
    assert_eq!(ledger.turns(&pace, 1, NOW).await.unwrap(), [NOW]);
    assert_eq!(ledger.turns(&pace, 1, NOW).await.unwrap(), [NOW.plus(1_000)]);
    assert_eq!(ledger.intents(Filter::new()).await.unwrap().len(), 3);
    ledger.verify().await.unwrap();
}

#[tokio::test]
async fn an_import_is_compared() {
    let Some(server) = Server::shared() else { return };
    let ledger = Ledger::connect(&server.url()).await.unwrap();
    import(&ledger, 1, 10).await;
    let payment = ledger.payment("pay", "P0").await.unwrap().unwrap().facts.payment;
    let policy = refund_rules::Policy::flexible_payments();
    let other = refund_ledger::NewPayment::new("pay", "P0", payment, &policy).unwrap();
    let imported = ledger.import(vec![other], NOW).await.unwrap();
    assert!(matches!(&imported[..], [Imported::Differs { .. }]), "{imported:?}");
}

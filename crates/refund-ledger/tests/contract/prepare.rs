//! Importing payments, and preparing intents: new, there already, different, refused.

use refund_ledger::{
    ErrorKind, Filter, Imported, IntentId, Ledger, NewBatch, NewIntent, NewPayment, Outcome,
    Prepared, Report,
};
use refund_rules::{Limit, Observation, Policy, RefundState, Rule};

use super::{NOW, completed, money, payment, prepare_one, wish};

pub async fn a_payment_is_imported_once(ledger: &Ledger, other: &Ledger) {
    let first = || payment("P1").caller_reference("order 7").token("T");
    let answers = ledger.import(vec![first(), payment("P2"), first()], NOW).await.unwrap();
    assert_eq!(answers, [Imported::New, Imported::New, Imported::Exists]);
    let changed = payment("P1").caller_reference("order 8").token("T").completed_at(NOW);
    let policy = Policy::flexible_payments();
    let refunded = completed(money(20_000)).with_refunded(money(500)).unwrap();
    let larger = NewPayment::new("pay", "P2", refunded, &policy).unwrap();
    let elsewhere = NewPayment::new("other", "P2", completed(money(1)), &policy).unwrap();
    let answers = other.import(vec![changed, larger, elsewhere, first()], NOW).await.unwrap();
    let differs = |fields: &[&'static str]| Imported::Differs { fields: fields.to_vec() };
    assert_eq!(
        answers,
        [
            differs(&["caller reference", "completed at"]),
            differs(&["captured", "refunded", "refunds"]),
            Imported::New,
            Imported::Exists,
        ]
    );
    let record = other.payment("pay", "P2").await.unwrap().unwrap();
    assert_eq!(record.facts, *payment("P2").facts(), "what was there stands");
    assert_eq!(other.verify().await.unwrap().payments, 3);
    assert_eq!(ledger.payment("pay", "P3").await.unwrap(), None);
}

pub async fn an_intent_is_prepared_once(ledger: &Ledger, other: &Ledger) {
    ledger.import(vec![payment("P1"), payment("P2")], NOW).await.unwrap();
    let first = || wish("P1", "K1", 1_000).reference("R").details("{}");
    let rest = || NewIntent::rest("pay", "P2", "K2").unwrap();
    let prepared =
        ledger.prepare(vec![first(), rest(), first(), wish("P9", "K3", 1)], NOW).await.unwrap();
    let id = |prepared: &Prepared| match prepared {
        Prepared::New { id, .. } => *id,
        other => panic!("{other:?}"),
    };
    let (one, two) = (id(&prepared[0]), id(&prepared[1]));
    let exists =
        |id, amount| Prepared::Exists { id, amount: money(amount), state: RefundState::Prepared };
    assert_eq!(prepared[1], Prepared::New { id: two, amount: money(10_000) });
    assert_eq!(prepared[2..], [exists(one, 1_000), Prepared::NoSuchPayment]);
    let differs = |fields: &[&'static str]| Prepared::Differs { id: one, fields: fields.to_vec() };
    let table = [
        (first(), exists(one, 1_000)),
        (wish("P1", "K1", 1_001).reference("R").details("{}"), differs(&["amount"])),
        (wish("P2", "K1", 1_000).details("{ }"), differs(&["payment", "reference", "details"])),
        (
            NewIntent::rest("pay", "P1", "K1").unwrap().reference("R").details("{}"),
            differs(&["amount"]),
        ),
        (first().row_of("b", 1, "c").unwrap(), differs(&["batch", "row", "content"])),
        (rest(), exists(two, 10_000)),
    ];
    for (wish, expected) in table {
        assert_eq!(prepare_one(other, wish.clone()).await, expected, "{wish:?}");
    }
    // The same key of another provider is another key.
    let elsewhere =
        NewPayment::new("other", "P1", completed(money(5)), &Policy::flexible_payments());
    ledger.import(vec![elsewhere.unwrap()], NOW).await.unwrap();
    let theirs = NewIntent::amount("other", "P1", "K1", money(5)).unwrap();
    assert!(matches!(prepare_one(ledger, theirs).await, Prepared::New { .. }));
    // Once sent, it is still the same.
    let report = Report::of_refund(one, Outcome::observed(Observation::Refunded), NOW);
    ledger.record_one(report).await.unwrap();
    let exists = Prepared::Exists { id: one, amount: money(1_000), state: RefundState::Refunded };
    assert_eq!(prepare_one(ledger, first()).await, exists);
}

pub async fn a_refused_intent_leaves_no_trace(ledger: &Ledger, other: &Ledger) {
    let few = Policy::amazon_pay(money(1).currency()).with_refunds_max(2);
    let few = few.with_single_max(money(9_000)).unwrap().with_minimum(money(10)).unwrap();
    let few = NewPayment::new("pay", "P1", completed(money(10_000)), &few).unwrap();
    ledger.import(vec![few, payment("P2")], NOW).await.unwrap();
    let before = (ledger.verify().await.unwrap(), ledger.intents(Filter::new()).await.unwrap());
    let table = [
        (wish("P1", "K1", 9), Rule::Minimum, Some(Limit::Amount(money(10)))),
        (wish("P1", "K1", -1), Rule::Minimum, Some(Limit::Amount(money(10)))),
        (wish("P1", "K1", 9_001), Rule::SingleMaximum, Some(Limit::Amount(money(9_000)))),
        (wish("P2", "K1", 10_001), Rule::Remaining, Some(Limit::Amount(money(10_000)))),
        (wish("P2", "K1", i64::MAX), Rule::Remaining, Some(Limit::Amount(money(10_000)))),
    ];
    for (wish, rule, limit) in table {
        let Prepared::Refused(refused) = prepare_one(other, wish.clone()).await else {
            panic!("{wish:?} was not refused");
        };
        assert_eq!((refused.rule(), refused.limit()), (rule, limit), "{wish:?}");
    }
    let after = (other.verify().await.unwrap(), ledger.intents(Filter::new()).await.unwrap());
    assert_eq!(before, after);
    // In one request, each is refused or taken by itself.
    let wishes = [("K1", 5_000), ("K2", 9_500), ("K3", 6_400), ("K4", 6_500), ("K5", 10)];
    let wishes = wishes.map(|(key, minor)| wish("P1", key, minor)).to_vec();
    let answers = ledger.prepare(wishes, NOW).await.unwrap();
    let rules = answers.iter().map(|answer| match answer {
        Prepared::New { .. } => None,
        Prepared::Refused(refused) => Some(refused.rule()),
        other => panic!("{other:?}"),
    });
    let count = Some(Rule::Count);
    let rules: Vec<_> = rules.collect();
    assert_eq!(rules, [None, Some(Rule::SingleMaximum), None, Some(Rule::Remaining), count]);
}

pub async fn batches_are_filled_taken_back_and_sealed(ledger: &Ledger, other: &Ledger) {
    ledger.import(vec![payment("P1")], NOW).await.unwrap();
    let row = |row, minor, content: &str| {
        wish("P1", &format!("K-{row}-{content}"), minor).row_of("b", row, content).unwrap()
    };
    assert_eq!(prepare_one(ledger, row(1, 100, "x")).await, Prepared::NoSuchBatch);
    let new = || NewBatch::new("b", "pay", "here", "file 1").unwrap();
    let batch = ledger.open_batch(new(), NOW).await.unwrap();
    assert_eq!(other.open_batch(new(), NOW.plus(9)).await.unwrap(), batch);
    let rows = vec![row(1, 6_000, "x"), row(2, 4_000, "x"), row(3, 1, "x"), row(1, 6_000, "y")];
    let answers = ledger.prepare(rows, NOW).await.unwrap();
    let [Prepared::New { id, .. }, Prepared::New { .. }, Prepared::Refused(_), differs] = &*answers
    else {
        panic!("{answers:?}");
    };
    assert_eq!(*differs, Prepared::Differs { id: *id, fields: vec!["key", "content"] });
    let is = |error: &ErrorKind, kind: &ErrorKind| assert_eq!(error, kind);
    is(
        ledger.seal_batch("c", "file 1", (1, 0), NOW).await.unwrap_err().kind(),
        &ErrorKind::NoSuchBatch,
    );
    is(
        ledger.seal_batch("b", "file 1", (3, 0), NOW).await.unwrap_err().kind(),
        &ErrorKind::Invalid("number of rows"),
    );
    // Taken back, as many as asked for, and filled again from something else.
    assert_eq!(ledger.withdraw("b", 1, NOW).await.unwrap(), 1);
    assert_eq!(ledger.withdraw("b", 9, NOW).await.unwrap(), 1);
    assert_eq!(ledger.withdraw("b", 9, NOW).await.unwrap(), 0);
    let record = ledger.payment("pay", "P1").await.unwrap().unwrap();
    assert_eq!((record.pending, record.refunds), (money(0), 0));
    assert_eq!(ledger.resource_batch("b", "file 2").await.unwrap().source, "file 2");
    assert!(matches!(prepare_one(ledger, row(1, 10_000, "x")).await, Prepared::New { .. }));
    // Whoever still reads the other source cannot seal what he did not write.
    is(
        ledger.seal_batch("b", "file 1", (1, 4), NOW).await.unwrap_err().kind(),
        &ErrorKind::Invalid("source of a batch"),
    );
    let sealed = ledger.seal_batch("b", "file 2", (1, 4), NOW).await.unwrap();
    assert_eq!((sealed.rows, sealed.skipped, sealed.sealed_at), (Some(1), Some(4), Some(NOW)));
    assert_eq!(other.seal_batch("b", "file 2", (1, 4), NOW.plus(1)).await.unwrap(), sealed);
    assert_eq!(other.batch("b").await.unwrap(), Some(sealed.clone()));
    assert_eq!(other.batches().await.unwrap(), [sealed]);
    for error in [
        ledger.seal_batch("b", "file 2", (1, 5), NOW).await.unwrap_err(),
        ledger.withdraw("b", 1, NOW).await.unwrap_err(),
        ledger.resource_batch("b", "file 3").await.unwrap_err(),
    ] {
        is(error.kind(), &ErrorKind::BatchSealed);
    }
    assert_eq!(prepare_one(ledger, row(2, 1, "x")).await, Prepared::BatchSealed);
    let again = prepare_one(ledger, row(1, 10_000, "x")).await;
    assert!(matches!(again, Prepared::Exists { .. }), "a replay is one after the seal, too");
    // What was heard of is not taken back, and that is no damage.
    ledger.import(vec![payment("P2")], NOW).await.unwrap();
    ledger.open_batch(NewBatch::new("c", "pay", "here", "-").unwrap(), NOW).await.unwrap();
    let heard_of = wish("P2", "K2", 1).row_of("c", 1, "-").unwrap();
    let Prepared::New { id, .. } = prepare_one(ledger, heard_of).await else { panic!() };
    let report = Report::of_refund(id, Outcome::observed(Observation::Pending), NOW);
    ledger.record_one(report).await.unwrap();
    let error = ledger.withdraw("c", 9, NOW).await.unwrap_err();
    is(error.kind(), &ErrorKind::Taken(RefundState::Pending));
    assert!(id > IntentId(0));
}

/// Text from elsewhere can hold anything; what cannot be stored must not stop the rest.
pub async fn text_that_no_store_likes_is_kept(ledger: &Ledger, other: &Ledger) {
    let nasty = "a\0b\u{FEFF}\u{202E}'; DROP TABLE event; -- \u{1F600}$1";
    assert!(
        NewPayment::new("pay", "a\0b", completed(money(1)), &Policy::flexible_payments()).is_err()
    );
    ledger.import(vec![payment("P1").caller_reference(nasty).token(nasty)], NOW).await.unwrap();
    let wish = || wish("P1", "K'1\u{1F600}", 1_000).reference(nasty).details(nasty);
    let Prepared::New { id, .. } = prepare_one(ledger, wish()).await else { panic!() };
    assert!(matches!(prepare_one(other, wish()).await, Prepared::Exists { .. }));
    let outcome = Outcome::Accepted {
        refund: nasty.to_owned(),
        state: Some(Observation::Pending),
        reason: Some(nasty.to_owned()),
    };
    ledger.record_one(Report::of_refund(id, outcome, NOW).request(nasty)).await.unwrap();
    ledger.park(id, nasty, NOW).await.unwrap();
    let kept = nasty.replace('\0', "\u{FFFD}");
    let found = other.intents(Filter::new().refund(kept.clone())).await.unwrap();
    assert_eq!(found[0].life.reason.as_ref(), Some(&kept));
    assert_eq!(found[0].facts.details.as_ref(), Some(&kept));
}

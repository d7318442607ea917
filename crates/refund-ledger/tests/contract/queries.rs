//! What can be asked.

use std::collections::{BTreeMap, BTreeSet};

use refund_ledger::{
    Filter, IntentRecord, Ledger, NewBatch, NewIntent, NewPayment, Outcome, Prepared, Report,
};
use refund_rules::{Currency, Money, Observation, Policy, RefundState};

use super::{NOW, completed};

/// Two currencies, two batches and none, some of each state; in the order of their numbers.
async fn filled(ledger: &Ledger) -> Vec<IntentRecord> {
    let currencies = [Currency::USD, Currency::JPY];
    for batch in ["a", "b"] {
        let batch = NewBatch::new(batch, "pay", "here", "-").unwrap();
        ledger.open_batch(batch, NOW).await.unwrap();
    }
    for number in 0..60_u64 {
        let currency = currencies[usize::from(number.is_multiple_of(3))];
        let money = |minor| Money::from_minor(minor, currency);
        let payment = completed(money(10_000)).with_fee(money(300)).unwrap();
        let policy = Policy::amazon_pay(currency);
        let provider = if number < 50 { "pay" } else { "other" };
        let payment = NewPayment::new(provider, format!("P{number}"), payment, &policy).unwrap();
        let payment = payment.caller_reference(format!("order {}", number / 10));
        let key = format!("K{number}");
        let amount = money(i64::try_from(number + 1).unwrap() * 100);
        let wish = NewIntent::amount(provider, format!("P{number}"), key, amount).unwrap();
        // A batch is one provider's.
        let wish = match number % 4 {
            0 => wish,
            _ if provider == "other" => wish.reference(format!("row {number}")),
            1 => wish.row_of("a", number, "-").unwrap(),
            _ => wish.row_of("b", number, "-").unwrap().reference(format!("row {number}")),
        };
        let at = NOW.plus(number.cast_signed());
        ledger.import(vec![payment], at).await.unwrap();
        let prepared = ledger.prepare(vec![wish], at).await.unwrap();
        let [Prepared::New { id, .. }] = *prepared else { panic!("{prepared:?}") };
        let report = |outcome| Report::of_refund(id, outcome, at);
        match number % 7 {
            1 => drop(ledger.record_one(report(Outcome::declined("no"))).await.unwrap()),
            2 => {
                let accepted = Outcome::accepted(format!("R{number}"), Some(Observation::Refunded));
                drop(ledger.record_one(report(accepted)).await.unwrap());
            }
            3 => ledger.park(id, "look", at).await.unwrap(),
            4 => drop(ledger.record_one(report(Outcome::accepted("R", None))).await.unwrap()),
            _ => {}
        }
    }
    ledger.intents(Filter::new()).await.unwrap()
}

pub async fn intents_are_found_by_all_that_is_known_of_them(ledger: &Ledger, other: &Ledger) {
    type Test = Box<dyn Fn(&IntentRecord) -> bool>;
    let all = filled(ledger).await;
    assert_eq!(all.len(), 60);
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    let table: Vec<(Filter, Test)> = vec![
        (Filter::new(), Box::new(|_| true)),
        (Filter::new().provider("other"), Box::new(|one| one.provider == "other")),
        (Filter::new().payment("P7"), Box::new(|one| one.payment == "P7")),
        (
            Filter::new().caller_reference("order 2"),
            Box::new(|one| one.caller_reference.as_deref() == Some("order 2")),
        ),
        (
            Filter::new().reference("row 22"),
            Box::new(|one| one.facts.reference.as_deref() == Some("row 22")),
        ),
        (Filter::new().key("K9"), Box::new(|one| one.facts.key == "K9")),
        (Filter::new().refund("R"), Box::new(|one| one.life.refund.as_deref() == Some("R"))),
        (Filter::new().batch("a"), Box::new(|one| one.facts.batch.as_deref() == Some("a"))),
        (
            Filter::new().states([RefundState::Declined, RefundState::Refunded]),
            Box::new(|one| one.life.state.is_final()),
        ),
        (Filter::new().states([]), Box::new(|_| false)),
        (Filter::new().parked(), Box::new(|one| one.life.parked.is_some())),
        (Filter::new().alarming(), Box::new(|one| one.life.alarm.is_some())),
        (
            Filter::new().since(NOW.plus(10)).before(NOW.plus(20)),
            Box::new(|one| (10..20).contains(&(one.facts.prepared_at.0 - NOW.0))),
        ),
        (
            Filter::new().at_least(usd(1_000)).at_most(usd(2_000)),
            Box::new(|one| {
                one.facts.amount.currency() == Currency::USD
                    && (1_000..=2_000).contains(&one.facts.amount.minor())
            }),
        ),
        (
            Filter::new().currency(Currency::JPY).batch("b").states([RefundState::Prepared]),
            Box::new(|one| {
                one.facts.amount.currency() == Currency::JPY
                    && one.facts.batch.as_deref() == Some("b")
                    && one.life.state == RefundState::Prepared
            }),
        ),
    ];
    for (filter, test) in table {
        let expected: Vec<_> = all.iter().filter(|one| test(one)).cloned().collect();
        for page in [1, 4, 10_000, u32::MAX] {
            let mut found = Vec::new();
            let mut pages = other.pages(filter.clone().most(page));
            while let Some(part) = pages.next().await.unwrap() {
                assert!(part.len() as u64 <= u64::from(page));
                found.extend(part);
            }
            assert_eq!(found, expected, "{filter:?} by {page}");
        }
    }
}

pub async fn totals_are_the_sums_of_the_intents(ledger: &Ledger, other: &Ledger) {
    let all = filled(ledger).await;
    let mut sums = BTreeMap::new();
    for one in &all {
        let state = format!("{:?}", one.life.state);
        let batch = one.facts.batch.clone();
        let currency = one.facts.amount.currency().code().to_owned();
        let place = (batch, currency, state, one.life.parked.is_some());
        let sum = sums.entry(place).or_insert((0, 0, 0));
        sum.0 += 1;
        sum.1 += one.facts.amount.minor();
        sum.2 += one.facts.fee.minor();
    }
    for batch in [None, Some("a"), Some("b"), Some("c")] {
        let found = other.totals(batch.map(str::to_owned)).await.unwrap();
        let count = found.len();
        let found: BTreeMap<_, _> = found
            .into_iter()
            .map(|total| {
                assert_eq!(total.amount.currency(), total.fee.currency());
                let state = format!("{:?}", total.state);
                let currency = total.amount.currency().code().to_owned();
                let place = (total.batch, currency, state, total.is_parked);
                (place, (total.count, total.amount.minor(), total.fee.minor()))
            })
            .collect();
        assert_eq!(found.len(), count, "none twice");
        let expected =
            sums.iter().filter(|((of, ..), _)| batch.is_none() || of.as_deref() == batch);
        assert_eq!(found, expected.map(|(place, sum)| (place.clone(), *sum)).collect());
    }
}

pub async fn everything_that_happened_can_be_exported(ledger: &Ledger, other: &Ledger) {
    let intents = filled(ledger).await;
    let verified = ledger.verify().await.unwrap();
    let all = other.events(None, 10_000).await.unwrap();
    assert_eq!((all.len() as u64, intents.len() as u64), (verified.events, verified.intents));
    let lines: Vec<_> = all.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    for page in [1, 7] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let part = other.events(after, page).await.unwrap();
            let Some(last) = part.last() else { break };
            after = Some((last.payment, last.sequence));
            found.extend(part.iter().map(|event| serde_json::to_string(event).unwrap()));
        }
        assert_eq!(found, lines);
    }
    // Every payment from its import on, without a gap, and every intent with what it was prepared as.
    let mut last = (0, 0);
    for event in &all {
        let next = [(last.0, last.1 + 1), (last.0 + 1, 1)];
        assert!(next.contains(&(event.payment, event.sequence)), "{event:?} after {last:?}");
        last = (event.payment, event.sequence);
    }
    let keys: BTreeSet<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["what"]["event"] == "prepared")
        .map(|event| event["what"]["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys, intents.into_iter().map(|intent| intent.facts.key).collect());
}

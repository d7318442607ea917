//! Each rule with a client that breaks it, and one that does not. What the door sees of real requests
//! is tested with the sandbox running.

use super::*;
use crate::exchange::{Moment, Wire};

const SECOND: u64 = 1_000_000;
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// One request: what it asks, when in microseconds, and the status it gets.
fn ask(number: u64, micros: u64, key: &str, amount: &str, status: Option<u16>) -> Exchange {
    let at = |micros: u64| Moment {
        at_millis: i64::try_from(micros / 1_000).unwrap(),
        since_open_micros: micros,
    };
    Exchange {
        number,
        service: Service::AmazonPay,
        wire: Wire::Json,
        asked: at(micros),
        operation: Some("CreateRefund".to_owned()),
        version: None,
        key_id: Some("SANDBOX-K".to_owned()),
        signature_version: Some("AMZN-PAY-RSASSA-PSS-V2".to_owned()),
        idempotency_key: Some(key.to_owned()),
        payment: Some("C".to_owned()),
        object: None,
        amount: Some(amount.to_owned()),
        fingerprint: format!("{key} {amount}"),
        answered: status.map(|_| at(micros)),
        status,
        error: None,
        created: None,
        fault: None,
        whole: status.is_some(),
    }
}

fn fps(exchange: Exchange) -> Exchange {
    Exchange {
        service: Service::FlexiblePayments,
        operation: Some("Refund".to_owned()),
        signature_version: Some("2".to_owned()),
        ..exchange
    }
}

fn days_later(exchange: Exchange, days: i64) -> Exchange {
    let asked = Moment { at_millis: exchange.asked.at_millis + days * DAY, ..exchange.asked };
    Exchange { asked, ..exchange }
}

fn read(number: u64, micros: u64, object: &str) -> Exchange {
    Exchange {
        operation: Some("GetRefund".to_owned()),
        idempotency_key: None,
        payment: None,
        object: Some(object.to_owned()),
        amount: None,
        fingerprint: object.to_owned(),
        ..ask(number, micros, "", "", Some(200))
    }
}

/// What is found, by code.
fn found(exchanges: &[Exchange]) -> Vec<(Code, u64)> {
    let audit = Audit::default();
    exchanges.iter().for_each(|exchange| audit.see(exchange));
    audit.report(&[], 0).counts.into_iter().collect()
}

#[test]
fn a_client_that_keeps_to_the_rules_is_not_remarked_on() {
    let exchanges = [
        ask(1, 0, "a", "1.00", None),
        ask(2, SECOND, "a", "1.00", Some(500)),
        ask(3, 3 * SECOND, "a", "1.00", Some(429)),
        ask(4, 9 * SECOND, "a", "1.00", Some(201)),
        // Another refund of the same amount, wanted and under its own key.
        ask(5, 10 * SECOND, "b", "1.00", Some(201)),
        read(6, 11 * SECOND, "R"),
        read(7, 13 * SECOND, "R"),
        fps(ask(8, 14 * SECOND, "r", "1.00", Some(200))),
        days_later(fps(ask(9, 15 * SECOND, "r", "1.00", Some(200))), 6),
    ];
    assert_eq!(found(&exchanges), []);
}

#[test]
fn a_new_key_after_a_lost_answer_is_found() {
    for lost in [
        ask(1, 0, "a", "1.00", None),
        ask(1, 0, "a", "1.00", Some(500)),
        ask(1, 0, "a", "1.00", Some(503)),
        Exchange { whole: false, ..ask(1, 0, "a", "1.00", Some(201)) },
    ] {
        let again = ask(2, 2 * SECOND, "b", "1.00", Some(201));
        assert_eq!(found(&[lost.clone(), again.clone()]), [(Code::NewKeyAfterLostAnswer, 1)]);
        // Not if it was settled first: by the same key, or by looking.
        let settled = ask(3, SECOND, "a", "1.00", Some(201));
        assert_eq!(found(&[lost.clone(), settled, again.clone()]), []);
        let looked = Exchange { payment: Some("C".to_owned()), ..read(3, SECOND, "C") };
        assert_eq!(found(&[lost.clone(), looked, again.clone()]), []);
        // Nor if it is another wish.
        let other = ask(2, 2 * SECOND, "b", "2.00", Some(201));
        assert_eq!(found(&[lost, other]), []);
    }
    // What was refused was not executed.
    for refused in [400, 422, 429] {
        let refused = ask(1, 0, "a", "1.00", Some(refused));
        assert_eq!(found(&[refused, ask(2, 2 * SECOND, "b", "1.00", Some(201))]), []);
    }
}

#[test]
fn each_rule_finds_the_client_that_breaks_it() {
    let cases: [(Code, Vec<Exchange>); 9] = [
        (
            Code::SameKeyOtherBody,
            vec![ask(1, 0, "a", "1.00", Some(201)), ask(2, SECOND, "a", "2.00", Some(400))],
        ),
        (
            Code::KeyPastWindow,
            vec![
                fps(ask(1, 0, "a", "1.00", Some(200))),
                days_later(fps(ask(2, SECOND, "a", "1.00", Some(200))), 7),
            ],
        ),
        (
            Code::RetryWithoutBackoff,
            vec![ask(1, 0, "a", "1.00", Some(500)), ask(2, SECOND / 10, "a", "1.00", Some(201))],
        ),
        (
            Code::WaitsDoNotGrow,
            vec![
                ask(1, 0, "a", "1.00", Some(500)),
                ask(2, SECOND, "a", "1.00", Some(500)),
                ask(3, 2 * SECOND, "a", "1.00", Some(201)),
            ],
        ),
        (
            Code::IgnoredThrottle,
            vec![ask(1, 0, "a", "1.00", Some(429)), ask(2, SECOND / 10, "b", "2.00", Some(201))],
        ),
        (
            Code::IgnoredThrottle,
            vec![ask(1, 0, "a", "1.00", Some(429)), ask(2, SECOND / 10, "a", "1.00", Some(201))],
        ),
        (Code::PollingTooFast, (1..=6).map(|n| read(n, n * SECOND / 2, "R")).collect()),
        (
            Code::SignatureVersion1,
            vec![Exchange {
                signature_version: Some("1".to_owned()),
                ..fps(ask(1, 0, "a", "1.00", Some(200)))
            }],
        ),
        (Code::AmountLikeFloat, vec![ask(1, 0, "a", "10.100000001", Some(400))]),
    ];
    for (code, exchanges) in cases {
        assert_eq!(found(&exchanges), [(code, 1)]);
    }
}

#[test]
fn memory_is_bounded_and_counts_go_on() {
    let audit = Audit::default();
    for number in 0..3_000 {
        audit.see(&ask(
            number,
            number * SECOND,
            &format!("k{number}"),
            &format!("1e{number}"),
            Some(400),
        ));
    }
    for number in 0..20 {
        audit.see(&ask(number, number * SECOND, &format!("k{number}"), "1,0", Some(400)));
    }
    let report = audit.report(&[], 0);
    assert_eq!(report.counts[&Code::AmountLikeFloat], 3_020);
    assert_eq!(report.findings.len(), FINDINGS_MAX);
    assert!(report.findings.iter().all(|finding| finding.requests.len() <= EVIDENCE_MAX));
    audit.reset();
    assert_eq!(audit.report(&[], 0).exchanges, 0);
}

#[test]
fn the_text_says_what_where_and_what_to_do() {
    let audit = Audit::default();
    audit.see(&ask(1, 0, "a", "1.00", None));
    audit.see(&ask(2, SECOND, "b", "1.00", Some(201)));
    let text = audit.report(&[], 0).to_string();
    for part in
        ["2 requests, 1 remarks", "high   new-key-after-lost-answer (1x: #1 #2)", "refunded twice"]
    {
        assert!(text.contains(part), "{text}");
    }
    let nothing = Audit::default().report(&[], 0).to_string();
    assert_eq!(nothing, "audit: 0 requests, nothing to remark");
}

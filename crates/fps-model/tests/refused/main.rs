//! Every hostile message is refused, for the reason that it deserves, by readers that take the good message
//! they are all made from. How long each takes is printed by the benchmark.

mod inputs;

use fps_model::{Expected, Limit, Problem};
use inputs::{Reader, inputs};

/// The reason for each, by its name, where the readers differ with the reader.
fn reasons(problem: &Problem) -> &'static str {
    match problem {
        Problem::Missing => "missing",
        Problem::Duplicate => "duplicate",
        Problem::Unknown => "unknown",
        Problem::TooLong(Limit::Unlimited | Limit::Characters(_) | Limit::Bytes(_)) => "too long",
        Problem::Invalid(Expected::Text) => "no text",
        Problem::Invalid(Expected::Elements) => "no elements",
        Problem::Invalid(Expected::Amount | Expected::PositiveAmount) => "no amount",
        Problem::Invalid(_) => "invalid",
        Problem::TooPrecise => "too precise",
        Problem::TooLarge => "too large",
        Problem::TooDeep => "too deep",
        Problem::Malformed(_) => "malformed",
        Problem::WrongRoot => "wrong root",
        Problem::TrailingBytes => "trailing",
        Problem::Refusal => "refusal",
        Problem::Doctype => "doctype",
        _ => "another",
    }
}

#[test]
fn every_hostile_message_is_refused_for_its_reason() {
    let table = include_str!("reasons.txt");
    let expected: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let mut found = Vec::new();
    for hostile in inputs() {
        let said = match hostile.reader.read(&hostile.bytes) {
            Ok(()) => "ACCEPTED",
            Err(error) => reasons(error.problem()),
        };
        found.push(format!("{:?}: {}: {said}", hostile.reader, hostile.name));
    }
    assert!(found.len() >= 70, "{}", found.len());
    assert_eq!(found, expected, "\n{}", found.join("\n"));
}

#[test]
fn the_same_readers_take_good_messages() {
    let answer = "<RefundResponse><RefundResult><TransactionId>T</TransactionId>\
        <TransactionStatus>Success</TransactionStatus></RefundResult></RefundResponse>";
    let envelope = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>\
        <Refund xmlns='http://fps.amazonaws.com/doc/2008-09-17/'><TransactionId>t</TransactionId>\
        <CallerReference>c</CallerReference></Refund></s:Body></s:Envelope>";
    let json = r#"{"refundId":"r","chargeId":"c",
        "refundAmount":{"amount":"1.00","currencyCode":"USD"},
        "creationTimestamp":"20190714T155300Z","statusDetails":{"state":"Refunded"}}"#;
    let request = r#"{"chargeId":"c","refundAmount":{"amount":"1.00","currencyCode":"USD"}}"#;
    for (reader, text) in [
        (Reader::Answer, answer),
        (Reader::Soap, envelope),
        (Reader::Json, json),
        (Reader::JsonRequest, request),
    ] {
        assert_eq!(reader.read(text.as_bytes()), Ok(()), "{reader:?}");
    }
}

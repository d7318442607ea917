//! Messages that must be refused, each with its own problem and its place, and what must be borne.

use fps_model::amazon_pay::{ApiVersion, CreateRefund, GetRefund, RefundState};
use fps_model::flexible_payments::{
    Dialect, GetTransaction, GetTransactionStatus, Refund, TransactionStatus,
};
use fps_model::{
    CallerReference, Expected, IdempotencyKey, JsonRequest, Limit, Operation, Params, Problem,
    Sensitive, Serve,
};

fn refund_answer(result: &str) -> String {
    format!(
        "<RefundResponse><RefundResult>{result}</RefundResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></RefundResponse>"
    )
}

const GOOD: &str = "<TransactionId>T</TransactionId><TransactionStatus>Success</TransactionStatus>";

#[test]
fn bad_xml_is_refused_with_its_place() {
    use Problem as P;
    let good = refund_answer(GOOD);
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    let many = "<a/>".repeat(20_000);
    let rows: Vec<(String, &str, Problem)> = vec![
        (String::new(), "", P::Malformed(Expected::Xml)),
        ("not xml".to_owned(), "", P::Invalid(Expected::Elements)),
        ("<RefundResponse>".to_owned(), "RefundResponse", P::Malformed(Expected::Xml)),
        ("<PayResponse/>".to_owned(), "PayResponse", P::WrongRoot),
        ("<RefundResponse/>".to_owned(), "RefundResponse/RefundResult", P::Missing),
        (
            refund_answer("<TransactionId>T</TransactionId>"),
            "RefundResponse/RefundResult/TransactionStatus",
            P::Missing,
        ),
        (
            refund_answer(&format!("{GOOD}<TransactionId>U</TransactionId>")),
            "RefundResponse/RefundResult/TransactionId",
            P::Duplicate,
        ),
        (
            refund_answer("<TransactionId>T<b/></TransactionId>"),
            "RefundResponse/RefundResult/TransactionId",
            P::Invalid(Expected::Text),
        ),
        (
            refund_answer(&format!("{GOOD}text")),
            "RefundResponse/RefundResult",
            P::Invalid(Expected::Elements),
        ),
        (
            refund_answer("<TransactionId>&nbsp;</TransactionId>"),
            "RefundResponse/RefundResult/TransactionId",
            P::Malformed(Expected::Xml),
        ),
        (format!("{good}<more/>"), "", P::TrailingBytes),
        (format!("{good}more"), "", P::TrailingBytes),
        (format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{good}"), "", P::Doctype),
        (
            good.replace("</RefundResult>", "</Refund>"),
            "RefundResponse/RefundResult",
            P::Malformed(Expected::Xml),
        ),
        (refund_answer(&format!("{GOOD}{many}")), "RefundResponse/RefundResult/a", P::TooLarge),
        (" ".repeat(2_000_000), "", P::TooLarge),
    ];
    for (text, path, problem) in rows {
        let error = Refund::decode(text.as_bytes(), Dialect::default()).unwrap_err();
        let shown = text.chars().take(80).collect::<String>();
        assert_eq!((error.path(), error.problem()), (path, &problem), "{shown}");
    }
    let error =
        Refund::decode(refund_answer(&format!("{GOOD}{deep}")).as_bytes(), Dialect::default())
            .unwrap_err();
    assert_eq!(error.problem(), &P::TooDeep);
    let error = Refund::decode(b"\xff\xfe", Dialect::default()).unwrap_err();
    assert_eq!(error.problem(), &P::Malformed(Expected::Xml));
}

#[test]
fn a_hundred_thousand_nested_elements_do_not_overflow_the_stack() {
    let text = refund_answer(&format!("{GOOD}{}", "<a>".repeat(100_000)));
    assert_eq!(
        Refund::decode(text.as_bytes(), Dialect::default()).unwrap_err().problem(),
        &Problem::TooDeep
    );
}

#[test]
fn what_a_client_must_bear_is_borne() {
    let text = "\u{feff}<?xml version='1.0'?><!-- c --><x:RefundResponse xmlns:x='urn:any'>\
         <New><Deeper>1</Deeper></New><x:RefundResult><Extra/>\
         <x:TransactionId> T&amp;&#65; </x:TransactionId>\
         <TransactionStatus><![CDATA[Reversed]]></TransactionStatus></x:RefundResult>\
         </x:RefundResponse>  <!-- end -->\n";
    let answer = Refund::decode(text.as_bytes(), Dialect::default()).unwrap();
    assert_eq!(answer.result.transaction_id.as_str(), "T&A");
    // A status that this version does not know is kept, and equal to itself only.
    assert_eq!(answer.result.transaction_status.as_str(), "Reversed");
    assert_eq!(answer.result.transaction_status, TransactionStatus::from("Reversed"));
    assert_ne!(answer.result.transaction_status, TransactionStatus::Success);
    assert_eq!(answer.request_id, None);
}

#[test]
fn an_amount_in_an_answer_is_exact_or_an_error() {
    let answer = |value: &str| {
        format!(
            "<GetTransactionResponse><GetTransactionResult><Transaction>\
             <TransactionId>T</TransactionId><DateReceived>2009-10-05T22:50:08Z</DateReceived>\
             <TransactionAmount><CurrencyCode>USD</CurrencyCode><Value>{value}</Value>\
             </TransactionAmount><FPSOperation>Pay</FPSOperation><PaymentMethod>CC</PaymentMethod>\
             <TransactionStatus>Success</TransactionStatus></Transaction></GetTransactionResult>\
             </GetTransactionResponse>"
        )
    };
    assert!(GetTransaction::decode(answer("1.100000").as_bytes(), Dialect::default()).is_ok());
    for (value, problem) in [
        ("1.101000", Problem::TooPrecise),
        ("1e3", Problem::Invalid(Expected::Amount)),
        ("string", Problem::Invalid(Expected::Amount)),
    ] {
        let error =
            GetTransaction::decode(answer(value).as_bytes(), Dialect::default()).unwrap_err();
        assert_eq!(error.problem(), &problem);
        assert!(error.path().ends_with("Transaction/TransactionAmount"), "{}", error.path());
    }
}

#[test]
fn a_server_reads_parameters_strictly() {
    let read =
        |form: &str| Refund::read(&Params::parse(form.as_bytes()).unwrap(), Dialect::default());
    let good = "Action=Refund&Version=2008-09-17&CallerReference=c&TransactionId=t";
    assert!(read(good).is_ok());
    let long = format!("{good}&CallerDescription={}", "x".repeat(161));
    for (form, path, problem) in [
        ("Action=Refund&CallerReference=c", "TransactionId", Problem::Missing),
        ("Action=Refund&CallerReference=c&TransactionId=", "TransactionId", Problem::Missing),
        (&format!("{good}&TransactionId=u"), "TransactionId", Problem::Duplicate),
        (&format!("{good}&Amount=1"), "Amount", Problem::Unknown),
        (&format!("{good}&RefundAmount.Value=1"), "RefundAmount.CurrencyCode", Problem::Missing),
        (&format!("{good}&RefundAmount.CurrencyCode=USD"), "RefundAmount.Value", Problem::Missing),
        (
            &format!("{good}&RefundAmount.CurrencyCode=USD&RefundAmount.Value=1%2C000"),
            "RefundAmount",
            Problem::Invalid(Expected::PositiveAmount),
        ),
        (&long, "CallerDescription", Problem::TooLong(Limit::Characters(160))),
    ] {
        let error = read(form).unwrap_err();
        assert_eq!((error.path(), error.problem()), (path, &problem), "{form}");
    }
}

#[test]
fn a_server_reads_json_strictly_and_a_client_does_not() {
    let read = |body: &str| {
        let request = JsonRequest::new("POST", "/refunds").with_key("k").with_body(body);
        CreateRefund::read(&request, ApiVersion::V2)
    };
    let price = r#""refundAmount":{"amount":"14.00","currencyCode":"USD"}"#;
    assert!(read(&format!(r#"{{"chargeId":"c",{price},"softDescriptor":null}}"#)).is_ok());
    for (body, path, problem) in [
        (String::new(), "", Problem::Malformed(Expected::Json)),
        ("[]".to_owned(), "", Problem::Malformed(Expected::Object)),
        ("{} {}".to_owned(), "", Problem::Malformed(Expected::Json)),
        (format!("{{{price}}}"), "chargeId", Problem::Missing),
        (r#"{"chargeId":"c"}"#.to_owned(), "refundAmount", Problem::Missing),
        (format!(r#"{{"chargeId":7,{price}}}"#), "chargeId", Problem::Invalid(Expected::Text)),
        (format!(r#"{{"chargeId":"c","chargeId":"d",{price}}}"#), "chargeId", Problem::Duplicate),
        (format!(r#"{{"chargeId":"c",{price},"note":1}}"#), "note", Problem::Unknown),
        (
            r#"{"chargeId":"c","refundAmount":{"amount":"14.00"}}"#.to_owned(),
            "refundAmount.currencyCode",
            Problem::Missing,
        ),
        (
            r#"{"chargeId":"c","refundAmount":{"amount":"1","currencyCode":"USD","x":1}}"#
                .to_owned(),
            "refundAmount.x",
            Problem::Unknown,
        ),
        (
            r#"{"chargeId":"c","refundAmount":{"amount":"1,0","currencyCode":"USD"}}"#.to_owned(),
            "refundAmount",
            Problem::Invalid(Expected::PositiveAmount),
        ),
        (
            format!(r#"{{"chargeId":"c",{price},"softDescriptor":"seventeen letters"}}"#),
            "softDescriptor",
            Problem::TooLong(Limit::Bytes(16)),
        ),
    ] {
        let error = read(&body).unwrap_err();
        assert_eq!((error.path(), error.problem()), (path, &problem), "{body}");
    }
    let no_key = JsonRequest::new("POST", "/refunds").with_body("{}");
    assert_eq!(
        CreateRefund::read(&no_key, ApiVersion::V2).unwrap_err().problem(),
        &Problem::Missing
    );

    let refund = GetRefund::decode(
        br#"{"refundId":"r","chargeId":"c","refundAmount":{"amount":12.99,"currencyCode":"EUR","new":[]},
            "creationTimestamp":"20190714T155300Z","statusDetails":{"state":"Reversed","x":null},
            "disbursementDetails":{"a":{"b":1}}}"#, ApiVersion::V2)
    .unwrap()
    .result;
    assert_eq!(refund.refund_amount.minor(), 1299);
    assert_eq!(refund.status_details.state, RefundState::from("Reversed"));
}

#[test]
fn a_request_beyond_the_limits_is_not_encoded() {
    let reference = CallerReference::new("c").unwrap();
    let error = Refund::new(reference.clone(), "t")
        .caller_description("x".repeat(161))
        .encode(Dialect::default())
        .unwrap_err();
    assert_eq!(error.to_string(), "CallerDescription: is longer than 160 characters");
    assert!(Refund::new(reference, "t".repeat(36)).encode(Dialect::default()).is_err());
    assert!(GetTransactionStatus::new("t".repeat(35)).encode(Dialect::default()).is_ok());
}

#[test]
fn keys_are_what_the_services_accept() {
    assert!(CallerReference::new("x".repeat(128)).is_ok());
    assert!(CallerReference::new("x".repeat(129)).is_err());
    assert!(CallerReference::new("").is_err());
    assert!(CallerReference::new("line\nend").is_err());
    assert!(IdempotencyKey::new("0123456789abcdefABCDEF-_01234567").is_ok());
    // A UUID with its dashes is four characters too long.
    let error = IdempotencyKey::new("1a146b9a-b37b-4f5f-bda6-012a5b9e45c3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "an idempotency key is 1 to 32 characters, letters, digits, dashes and underscores"
    );
    assert!(IdempotencyKey::new("with blank").is_err());
    assert!(!format!("{:?}", Sensitive::new("canary")).contains("canary"));
}

//! JSON and paths: what is doubled, deep, large or another shape, and what may stand in a path.

#![expect(clippy::unwrap_used, reason = "a message that cannot be read is a failed test")]

use fps_model::amazon_pay::{
    AmazonPayApi, ApiVersion, CreateRefund, GetCharge, GetRefund, ReasonCode,
};
use fps_model::{
    DecodeError, EncodeError, Expected, IdempotencyKey, JsonRequest, Limit, Operation, Problem,
    Serve, Service,
};
use refund_rules::{Currency, Money};

const PRICE: &str = r#""refundAmount":{"amount":"14.00","currencyCode":"USD"}"#;

fn read(body: &str) -> Result<CreateRefund, DecodeError> {
    let request = JsonRequest::new("POST", "/refunds").with_key("k").with_body(body);
    CreateRefund::read(&request, ApiVersion::V2)
}

/// A refund in an answer, with a price and more fields as given.
fn answer(price: &str, more: &str) -> String {
    format!(
        r#"{{"refundId":"r","chargeId":"c",{price},"creationTimestamp":"20190714T155300Z",
        "statusDetails":{{"state":"Refunded"}}{more}}}"#
    )
}

fn problem<T: std::fmt::Debug>(read: Result<T, DecodeError>) -> (String, Problem) {
    let error = read.unwrap_err();
    (error.path().to_owned(), error.problem().clone())
}

#[test]
fn a_client_takes_a_field_once_and_in_its_shape() {
    let decode = |text: &str| GetRefund::decode(text.as_bytes(), ApiVersion::V2);
    let good = answer(PRICE, "");
    let amount = decode(&good).unwrap().result.refund_amount;
    assert_eq!(amount, Money::from_minor(1400, Currency::USD));
    let wrong = Problem::Invalid(Expected::JsonType);
    for (text, path) in [
        (answer(&format!("{PRICE},{PRICE}"), ""), ""),
        (answer(PRICE, r#","refundId":"s""#), ""),
        (answer(PRICE, r#","refund\u0049d":"s""#), ""),
        (good.replace(r#""USD""#, r#""USD","amount":"1""#), "refundAmount"),
        (good.replace(r#""USD""#, r#""USD","currencyCode":"EUR""#), "refundAmount"),
        (good.replace(r#""Refunded""#, r#""Refunded","state":"Declined""#), "statusDetails"),
        (answer(r#""refundAmount":["14.00","USD"]"#, ""), "refundAmount"),
        (answer(r#""refundAmount":"14.00""#, ""), "refundAmount"),
        (answer(r#""refundAmount":14.00"#, ""), "refundAmount"),
        (answer(r#""refundAmount":null"#, ""), "refundAmount"),
        (good.replace(r#""14.00""#, r#"{"amount":"14.00"}"#), "refundAmount"),
        (good.replace(r#""14.00""#, r#"["14.00"]"#), "refundAmount"),
        (good.replace(r#""14.00""#, "14.001"), "refundAmount"),
        (good.replace(r#""14.00""#, "1.4e1"), "refundAmount"),
        (good.replace(r#""r""#, "7"), "refundId"),
        (good.replace("20190714T155300Z", "yesterday"), "creationTimestamp"),
    ] {
        assert_eq!(problem(decode(&text)), (path.to_owned(), wrong.clone()), "{text}");
    }
    for (text, expected) in [
        (String::new(), Problem::Malformed(Expected::Json)),
        ("{".to_owned(), Problem::Malformed(Expected::Json)),
        ("null".to_owned(), Problem::Invalid(Expected::JsonType)),
        (format!("{good}{good}"), Problem::TrailingBytes),
        (format!("{good},"), Problem::TrailingBytes),
        // The fields in their order and without their names.
        (
            r#" ["r","c",{"amount":"14.00","currencyCode":"USD"},null,"20190714T155300Z",
            {"state":"Refunded"},null]"#
                .to_owned(),
            Problem::Malformed(Expected::Object),
        ),
    ] {
        assert_eq!(problem(decode(&text)), (String::new(), expected), "{text}");
    }
    assert!(decode(&format!(" \r\n{good}\t\n")).is_ok());
}

#[test]
fn the_bounds_hold_in_both_directions() {
    use Problem as P;
    let client = |text: &str| {
        GetRefund::decode(text.as_bytes(), ApiVersion::V2).err().map(|e| e.problem().clone())
    };
    let server = |text: &str| read(text).err().map(|e| e.problem().clone());
    let refund = |more: &str| format!(r#"{{"chargeId":"c",{PRICE}{more}}}"#);
    // The object around it is one of the 32 levels.
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested =
            |levels: usize| format!(r#","new":{}1{}"#, open.repeat(levels), close.repeat(levels));
        assert_eq!(client(&answer(PRICE, &nested(31))), None);
        assert_eq!(client(&answer(PRICE, &nested(32))), Some(P::TooDeep));
        assert_eq!(server(&refund(&nested(31))), Some(P::Unknown));
        assert_eq!(server(&refund(&nested(32))), Some(P::TooDeep));
    }
    // A hundred thousand levels neither overflow the stack nor are looked at.
    assert_eq!(client(&"[".repeat(100_000)), Some(P::TooDeep));
    assert_eq!(server(&r#"{"a":"#.repeat(100_000)), Some(P::TooDeep));
    // Brackets in a text are no levels, whatever is escaped around them.
    let text = format!(r#","new":"\"{}\\","newer":"{}""#, "[".repeat(40), "{".repeat(40));
    assert_eq!(client(&answer(PRICE, &text)), None);
    let siblings = format!(r#","new":[{}1]"#, "[],".repeat(40));
    assert_eq!(client(&answer(PRICE, &siblings)), None);
    // One mebibyte.
    let padded = |text: String, bytes: usize| {
        let blanks = " ".repeat(bytes - text.len());
        text + &blanks
    };
    assert_eq!(client(&padded(answer(PRICE, ""), 1024 * 1024)), None);
    assert_eq!(client(&padded(answer(PRICE, ""), 1024 * 1024 + 1)), Some(P::TooLarge));
    assert_eq!(server(&padded(refund(""), 1024 * 1024)), None);
    assert_eq!(server(&padded(refund(""), 1024 * 1024 + 1)), Some(P::TooLarge));
    // The two good ones are two of the 256 fields.
    let fields = |count: usize| {
        let more: String = (0..count).map(|index| format!(r#","f{index}":null"#)).collect();
        refund(&more)
    };
    assert_eq!(server(&fields(254)), Some(P::Unknown));
    assert_eq!(server(&fields(255)), Some(P::TooLarge));
}

#[test]
fn a_server_takes_a_field_once_whatever_it_is_spelled_like() {
    let price = |inside: &str| format!(r#"{{"chargeId":"c","refundAmount":{{{inside}}}}}"#);
    for (body, path, expected) in [
        (format!(r#"{{"chargeId":"c",{PRICE},{PRICE}}}"#), "refundAmount", Problem::Duplicate),
        (
            format!(r#"{{"chargeId":"c","charge\u0049d":"d",{PRICE}}}"#),
            "chargeId",
            Problem::Duplicate,
        ),
        (format!(r#"{{"chargeId":"c","chargeId":null,{PRICE}}}"#), "chargeId", Problem::Duplicate),
        (
            price(r#""amount":"14.00","amount":"1.00","currencyCode":"USD""#),
            "refundAmount",
            Problem::Invalid(Expected::Object),
        ),
        (price(r#""currencyCode":"USD""#), "refundAmount.amount", Problem::Missing),
        (
            price(r#""amount":"14.00","currencyCode":7"#),
            "refundAmount",
            Problem::Invalid(Expected::PositiveAmount),
        ),
        (
            price(r#""amount":"14.001","currencyCode":"USD""#),
            "refundAmount",
            Problem::Invalid(Expected::PositiveAmount),
        ),
        (
            price(r#""amount":"-14.00","currencyCode":"USD""#),
            "refundAmount",
            Problem::Invalid(Expected::PositiveAmount),
        ),
        (
            price(r#""amount":"14.00","currencyCode":"usd""#),
            "refundAmount",
            Problem::Invalid(Expected::Currency),
        ),
        (
            r#"{"chargeId":"c","refundAmount":["14.00","USD"]}"#.to_owned(),
            "refundAmount",
            Problem::Invalid(Expected::Object),
        ),
        (r#"{"chargeId":"c","refundAmount":null}"#.to_owned(), "refundAmount", Problem::Missing),
    ] {
        assert_eq!(problem(read(&body)), (path.to_owned(), expected), "{body}");
    }
}

#[test]
fn a_text_of_a_request_is_there_and_can_be_shown() {
    let body = |id: &str, more: &str| format!(r#"{{"chargeId":{id},{PRICE}{more}}}"#);
    for (id, expected) in [
        (r#""""#, Problem::Missing),
        ("null", Problem::Missing),
        ("[]", Problem::Invalid(Expected::Text)),
        ("true", Problem::Invalid(Expected::Text)),
        (r#""a\u0000b""#, Problem::Invalid(Expected::Text)),
        (r#""\u001b[2J""#, Problem::Invalid(Expected::Text)),
        (r#""a\u0085""#, Problem::Invalid(Expected::Text)),
        (r#""\ud800""#, Problem::Invalid(Expected::Text)),
    ] {
        assert_eq!(problem(read(&body(id, ""))), ("chargeId".to_owned(), expected), "{id}");
    }
    // An empty text that need not be there is none.
    let refund = read(&body(r#""c""#, r#","softDescriptor":"""#)).unwrap();
    assert_eq!(refund.soft_descriptor, None);
    // Sixteen bytes, not sixteen characters.
    let descriptor = |text: &str| read(&body(r#""c""#, &format!(r#","softDescriptor":"{text}""#)));
    assert!(descriptor(&"\u{e9}".repeat(8)).is_ok());
    let too_long = Problem::TooLong(Limit::Bytes(16));
    assert_eq!(problem(descriptor(&"\u{e9}".repeat(9))).1, too_long);
}

#[test]
fn a_key_comes_with_the_request_and_is_one() {
    let read = |request: JsonRequest| {
        CreateRefund::read(
            &request.with_body(format!(r#"{{"chargeId":"c",{PRICE}}}"#)),
            ApiVersion::V2,
        )
    };
    let request = || JsonRequest::new("POST", "/refunds");
    assert_eq!(read(request().with_key("k")).unwrap().key(), Some("k"));
    assert_eq!(problem(read(request())), ("idempotencyKey".to_owned(), Problem::Missing));
    for (key, expected) in [
        (String::new(), Problem::Missing),
        ("a b".to_owned(), Problem::Invalid(Expected::Key)),
        ("a,b".to_owned(), Problem::Invalid(Expected::Key)),
        ("\u{e9}".to_owned(), Problem::Invalid(Expected::Key)),
        ("k".repeat(33), Problem::Invalid(Expected::Key)),
    ] {
        let found = problem(read(request().with_key(key)));
        assert_eq!(found, ("idempotencyKey".to_owned(), expected));
    }
}

/// What would make another path of an identifier, or is none.
const NO_IDENTIFIERS: [&str; 16] = [
    ".",
    "..",
    "/",
    "a/b",
    "../charges/S01",
    "a%2Fb",
    "%2e%2e",
    "%",
    "a?b",
    "a#b",
    "a;b",
    "a b",
    "a\\b",
    "a\nb",
    "\u{e9}",
    "{refundId}",
];

#[test]
fn an_identifier_that_would_change_the_path_is_neither_sent_nor_taken() {
    fn refused(encoded: Result<JsonRequest, EncodeError>, field: &str) {
        let error = encoded.unwrap_err();
        assert_eq!((error.field(), error.problem()), (field, &Problem::Invalid(Expected::Key)));
    }
    for id in NO_IDENTIFIERS {
        refused(GetRefund::new(id).encode(ApiVersion::V2), "refundId");
        refused(GetCharge::new(id).encode(ApiVersion::V2), "chargeId");
        let invalid = Problem::Invalid(Expected::Key);
        let request = JsonRequest::new("GET", format!("/refunds/{id}"));
        let found = problem(GetRefund::read(&request, ApiVersion::V2));
        assert_eq!(found, ("refundId".to_owned(), invalid.clone()), "{id}");
        let request = JsonRequest::new("GET", format!("/charges/{id}"));
        let found = problem(GetCharge::read(&request, ApiVersion::V2));
        assert_eq!(found, ("chargeId".to_owned(), invalid), "{id}");
    }
    for path in ["", "/", "/refunds", "/refunds/", "/charges/S01", "refunds/S01", "/v2/refunds/S01"]
    {
        let found = problem(GetRefund::read(&JsonRequest::new("GET", path), ApiVersion::V2));
        assert_eq!(found, ("refundId".to_owned(), Problem::Missing), "{path}");
    }
}

#[test]
fn a_request_is_not_encoded_beyond_what_a_service_takes() {
    let encode = |charge: &str, minor: i64, descriptor: Option<&str>| {
        let key = IdempotencyKey::new("k").unwrap();
        let mut refund = CreateRefund::new(key, charge, Money::from_minor(minor, Currency::USD));
        refund.soft_descriptor = descriptor.map(Into::into);
        let encoded = refund.encode(ApiVersion::V2);
        encoded.map(|_| ()).map_err(|error| (error.field().to_owned(), error.problem().clone()))
    };
    assert_eq!(encode("c", 1, Some("sixteen letters.")), Ok(()));
    let positive = Problem::Invalid(Expected::PositiveAmount);
    for (found, field, expected) in [
        (encode("", 1, None), "chargeId", Problem::Missing),
        (encode("a\u{7}", 1, None), "chargeId", Problem::Invalid(Expected::Text)),
        (encode("c", 0, None), "refundAmount", positive.clone()),
        (encode("c", -1, None), "refundAmount", positive),
        (encode("c", 1, Some("")), "softDescriptor", Problem::Missing),
        (
            encode("c", 1, Some("seventeen letters")),
            "softDescriptor",
            Problem::TooLong(Limit::Bytes(16)),
        ),
    ] {
        assert_eq!(found, Err((field.to_owned(), expected)));
    }
}

#[test]
fn a_refusal_is_an_object_with_a_reason() {
    let read = |text: &str| AmazonPayApi::read_refusal(text.as_bytes());
    let good = r#"{"reasonCode":"InvalidChargeStatus","message":null,"new":[1]}"#;
    assert_eq!(read(good).unwrap().code, ReasonCode::InvalidChargeStatus);
    for text in [
        "{}",
        "[]",
        r#"["InvalidChargeStatus","m"]"#,
        r#"{"reasonCode":null}"#,
        r#"{"message":"m"}"#,
        r#"{"reasonCode":"a","reasonCode":"b"}"#,
        r#"{"reasonCode":"a"}{}"#,
        r#"{"reasonCode":"a","message":7}"#,
        "<html>busy</html>",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

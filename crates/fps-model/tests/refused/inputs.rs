//! Messages that somebody hostile would send, by name, and who reads them; shared by the test and the
//! benchmark, and knows no expectation.

use fps_model::amazon_pay::{ApiVersion, CreateRefund, GetRefund};
use fps_model::flexible_payments::{Dialect, GetTransaction, Refund};
use fps_model::{DecodeError, JsonRequest, Operation, Serve, soap};

/// Who reads a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader {
    /// A client of FPS that asked for a refund.
    Answer,
    /// A client of FPS that asked for a transaction.
    Details,
    /// A server of FPS over SOAP.
    Soap,
    /// A client of Amazon Pay.
    Json,
    /// A server of Amazon Pay.
    JsonRequest,
}

impl Reader {
    /// Reads the message, and says why not.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<(), DecodeError> {
        match self {
            Self::Answer => Refund::decode(bytes, Dialect::default()).map(drop),
            Self::Details => GetTransaction::decode(bytes, Dialect::default()).map(drop),
            Self::Soap => soap::read_request(bytes)
                .and_then(|(_, params)| Refund::read(&params, Dialect::default()))
                .map(drop),
            Self::Json => GetRefund::decode(bytes, ApiVersion::V2).map(drop),
            Self::JsonRequest => {
                // Bytes that are no text do not get as far as a request.
                let Ok(body) = std::str::from_utf8(bytes) else {
                    return GetRefund::decode(bytes, ApiVersion::V2).map(drop);
                };
                let request = JsonRequest::new("POST", "/refunds").with_key("k").with_body(body);
                CreateRefund::read(&request, ApiVersion::V2).map(drop)
            }
        }
    }
}

/// A message and who reads it.
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    pub(crate) reader: Reader,
    pub(crate) bytes: Vec<u8>,
}

const FIELDS: &str =
    "<TransactionId>T</TransactionId><TransactionStatus>Success</TransactionStatus>";

/// An answer to a refund with `result` in it.
fn answer(result: &str) -> String {
    format!(
        "<RefundResponse><RefundResult>{result}</RefundResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></RefundResponse>"
    )
}

/// A transaction with `amount` in it.
fn details(amount: &str) -> String {
    format!(
        "<GetTransactionResponse><GetTransactionResult><Transaction><TransactionId>T\
         </TransactionId><DateReceived>2009-10-05T22:50:08Z</DateReceived><TransactionAmount>\
         <CurrencyCode>USD</CurrencyCode>{amount}</TransactionAmount>\
         <FPSOperation>Pay</FPSOperation><PaymentMethod>CC</PaymentMethod>\
         <TransactionStatus>Success</TransactionStatus></Transaction></GetTransactionResult>\
         </GetTransactionResponse>"
    )
}

fn envelope(body: &str) -> String {
    format!("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">{body}</s:Envelope>")
}

const REQUEST: &str = "<Refund xmlns=\"http://fps.amazonaws.com/doc/2008-09-17/\">\
    <TransactionId>t</TransactionId><CallerReference>c</CallerReference></Refund>";

fn refund_json(amount: &str, more: &str) -> String {
    format!(
        r#"{{"refundId":"r","chargeId":"c","refundAmount":{{"amount":{amount},"currencyCode":"USD"}},
        "creationTimestamp":"20190714T155300Z","statusDetails":{{"state":"Refunded"}}{more}}}"#
    )
}

fn request_json(amount: &str, more: &str) -> String {
    format!(r#"{{"chargeId":"c","refundAmount":{{"amount":{amount},"currencyCode":"USD"}}{more}}}"#)
}

/// XML that a client must refuse.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let good = answer(FIELDS);
    let entities = |body: &str| format!("<?xml version=\"1.0\"?><!DOCTYPE r [{body}]>{good}");
    let laughs: String = (1..10)
        .map(|step| format!("<!ENTITY a{step} \"{}\">", format!("&a{};", step - 1).repeat(10)))
        .collect();
    let attributes: String = (0..50_000).map(|number| format!(" a{number}='1'")).collect();
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(good.encode_utf16().flat_map(u16::to_le_bytes));
    let nested = |count: usize| format!("{}{}", "<a>".repeat(count), "</a>".repeat(count));
    let texts = [
        ("a billion laughs", entities(&format!("<!ENTITY a0 \"ha\">{laughs}"))),
        ("an external entity", entities("<!ENTITY x SYSTEM \"file:///etc/passwd\">")),
        ("a parameter entity", entities("<!ENTITY % x SYSTEM \"http://127.0.0.1/x.dtd\"> %x;")),
        ("a document type in lower case", format!("<!doctype r>{good}")),
        ("a document type inside", answer(&format!("{FIELDS}<!DOCTYPE r>"))),
        ("an entity nobody defined", answer("<TransactionId>&laugh;</TransactionId>")),
        ("a reference to NUL", answer("<TransactionId>&#0;</TransactionId>")),
        ("a reference to a surrogate", answer("<TransactionId>&#xD800;</TransactionId>")),
        ("a reference beyond Unicode", answer("<TransactionId>&#x110000;</TransactionId>")),
        (
            "a reference of a million digits",
            answer(&format!("<TransactionId>&#{};</TransactionId>", "1".repeat(900_000))),
        ),
        ("a hundred thousand open elements", answer(&"<a>".repeat(100_000))),
        ("a hundred thousand nested elements", answer(&format!("{FIELDS}{}", nested(50_000)))),
        ("fifty thousand neighbours", answer(&format!("{FIELDS}{}", "<a/>".repeat(50_000)))),
        ("fifty thousand attributes, and no end", format!("<RefundResponse{attributes}>")),
        ("two megabytes of blanks", " ".repeat(2 << 20)),
        ("one text too long", answer(&format!("<a>{}</a>", "x".repeat(1 << 20)))),
        ("a comment without end", format!("<RefundResponse><!--{}", "-".repeat(900_000))),
        ("a comment with two dashes", answer(&format!("{FIELDS}<!-- a -- b -->"))),
        ("CDATA without end", answer(&format!("<![CDATA[{}", "]".repeat(900_000)))),
        ("ends crossed", "<RefundResponse><RefundResult></RefundResponse></RefundResult>".into()),
        ("two documents", format!("{good}{good}")),
        ("text behind the document", format!("{good}x")),
        ("a declaration inside", answer(&format!("{FIELDS}<?xml version=\"1.0\"?>"))),
        ("another action's answer", good.replace("Refund", "Pay")),
        (
            "a status twice",
            answer(&format!("{FIELDS}<TransactionStatus>Pending</TransactionStatus>")),
        ),
        (
            "a result twice",
            good.replace(
                "<ResponseMetadata>",
                &format!("<RefundResult>{FIELDS}</RefundResult><ResponseMetadata>"),
            ),
        ),
        ("elements in a text", answer("<TransactionId>T<b>U</b></TransactionId>")),
        (
            "an answer that is a refusal",
            good.replace("<ResponseMetadata>", "<Errors/><ResponseMetadata>"),
        ),
        ("a control character", answer("<TransactionId>\u{1b}[2J</TransactionId>")),
        ("nothing", String::new()),
        ("a page for people", "<!DOCTYPE html><html><body>busy</body></html>".into()),
    ];
    let mut all: Vec<_> = texts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    all.push(("UTF-16", utf16));
    all.push(("bytes that are no text", b"<RefundResponse>\xff</RefundResponse>".to_vec()));
    all.push(("an overlong slash", b"<RefundResponse>\xc0\xaf</RefundResponse>".to_vec()));
    all
}

/// Amounts that are no amounts.
fn amounts() -> Vec<(&'static str, Vec<u8>)> {
    let value = |text: &str| details(&format!("<Value>{text}</Value>")).into_bytes();
    vec![
        ("an amount of a million digits", value(&"9".repeat(1_000_000))),
        ("an amount of many decimals", value(&format!("1.{}1", "0".repeat(900_000)))),
        ("an exponent", value("1e3")),
        ("a grouped amount", value("1,000.00")),
        ("digits of another script", value("\u{661}\u{662}")),
        ("a fraction of a cent", value("1.001")),
        ("two amounts", details("<Value>1</Value><Amount>2</Amount>").into_bytes()),
        ("not a number", value("NaN")),
    ]
}

/// Envelopes that a server must refuse.
fn envelopes() -> Vec<(&'static str, Vec<u8>)> {
    let body = |content: &str| envelope(&format!("<s:Body>{content}</s:Body>"));
    let many = "<TransactionId>t</TransactionId>".repeat(5_000);
    let deep = format!("{}x{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    [
        ("two requests", body(&format!("{REQUEST}{REQUEST}"))),
        ("two bodies", envelope(&format!("<s:Body>{REQUEST}</s:Body><s:Body>{REQUEST}</s:Body>"))),
        ("no body", envelope("<s:Header/>")),
        ("an envelope in an envelope", body(&body(REQUEST))),
        ("a request of no revision", body(&REQUEST.replace("2008-09-17", "2008-09-18"))),
        (
            "a field five thousand times",
            body(&REQUEST.replace("<CallerReference>", &format!("{many}<CallerReference>"))),
        ),
        (
            "a deep field",
            body(&REQUEST.replace("<CallerReference>", &format!("{deep}<CallerReference>"))),
        ),
        (
            "an unknown field",
            body(&REQUEST.replace("<CallerReference>", "<More>1</More><CallerReference>")),
        ),
    ]
    .map(|(name, text)| (name, text.into_bytes()))
    .into()
}

/// JSON that a client must refuse.
fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let good = refund_json("\"1.00\"", "");
    let number = "9".repeat(900_000);
    let mut all: Vec<(&'static str, Vec<u8>)> = [
        ("a hundred thousand arrays", "[".repeat(100_000)),
        ("a hundred thousand objects", "{\"a\":".repeat(100_000)),
        (
            "a deep unknown field",
            refund_json(
                "\"1.00\"",
                &format!(",\"x\":{}{}", "[".repeat(50_000), "]".repeat(50_000)),
            ),
        ),
        ("two megabytes of blanks", " ".repeat(2 << 20)),
        ("a string without end", format!("{{\"refundId\":\"{}", "\\\\".repeat(400_000))),
        ("two documents", format!("{good}{good}")),
        ("a list of the values", r#"["r","c",{"amount":"1.00","currencyCode":"USD"}]"#.into()),
        ("a field twice", refund_json("\"1.00\"", ",\"refundId\":\"s\"")),
        ("an amount of a million digits", refund_json(&number, "")),
        ("an exponent", refund_json("1e2", "")),
        ("a number beyond floats", refund_json("1e400", "")),
        ("not a number", refund_json("NaN", "")),
        ("an amount that is a list", refund_json("[1]", "")),
        ("half a surrogate", good.replace("\"r\"", "\"\\ud800\"")),
        ("a raw line end in a string", good.replace("\"r\"", "\"\n\"")),
        ("a comma too many", good.replace("}}", "},}")),
        ("a comment", format!("/* */{good}")),
        ("single quotes", good.replace('"', "'")),
        ("nothing", String::new()),
        ("null", "null".into()),
    ]
    .map(|(name, text)| (name, text.into_bytes()))
    .into();
    all.push(("bytes that are no text", b"{\"refundId\":\"\xff\"}".to_vec()));
    all
}

/// JSON that a server must refuse.
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let fields: String = (0..50_000).map(|number| format!(",\"a{number}\":1")).collect();
    let same = ",\"chargeId\":\"c\"".repeat(50_000);
    [
        ("fifty thousand fields", request_json("\"1.00\"", &fields)),
        ("one field fifty thousand times", request_json("\"1.00\"", &same)),
        ("one field by two spellings", request_json("\"1.00\"", ",\"charg\\u0065Id\":\"d\"")),
        ("a negative amount", request_json("-1", "")),
        ("an amount with too many decimals", request_json("\"1.000\"", "")),
        ("a hundred thousand arrays", format!("{{\"chargeId\":{}", "[".repeat(100_000))),
    ]
    .map(|(name, text)| (name, text.into_bytes()))
    .into()
}

/// All of them.
pub(crate) fn inputs() -> Vec<Hostile> {
    let groups = [
        (Reader::Answer, answers()),
        (Reader::Details, amounts()),
        (Reader::Soap, envelopes()),
        (Reader::Json, documents()),
        (Reader::JsonRequest, requests()),
    ];
    let mut all = Vec::new();
    for (reader, messages) in groups {
        all.extend(messages.into_iter().map(|(name, bytes)| Hostile { name, reader, bytes }));
    }
    all
}

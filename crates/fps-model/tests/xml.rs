//! XML answers: what stands twice, elsewhere or too deep, and what text is made of.

#![expect(clippy::unwrap_used, reason = "an answer that cannot be read is a failed test")]

use fps_model::flexible_payments::{
    CancelToken, Dialect, ErrorCode, FlexiblePaymentsApi, GetTransaction, Refund, RefundResult,
    TransactionStatus,
};
use fps_model::{Answer, DecodeError, Expected, Operation, Problem, Serve, Service, ServiceError};
use refund_rules::{Currency, Money};

const GOOD: &str = "<TransactionId>T</TransactionId><TransactionStatus>Success</TransactionStatus>";
const USD_1: &str = "<CurrencyCode>USD</CurrencyCode><Value>1.00</Value>";

fn refund(result: &str) -> String {
    format!("<RefundResponse><RefundResult>{result}</RefundResult></RefundResponse>")
}

fn soap(inside: &str) -> String {
    format!("<s:Envelope xmlns:s='urn:any'>{inside}</s:Envelope>")
}

/// A transaction whose amounts are written as given.
fn transaction(amounts: &str) -> String {
    format!(
        "<GetTransactionResponse><GetTransactionResult><Transaction>\
         <TransactionId>T</TransactionId><DateReceived>2009-10-05T22:50:08Z</DateReceived>{amounts}\
         <FPSOperation>Pay</FPSOperation><PaymentMethod>CC</PaymentMethod>\
         <TransactionStatus>Success</TransactionStatus>\
         </Transaction></GetTransactionResult></GetTransactionResponse>"
    )
}

fn problem<T: std::fmt::Debug>(read: Result<T, DecodeError>) -> (String, Problem) {
    let error = read.unwrap_err();
    (error.path().to_owned(), error.problem().clone())
}

#[test]
fn an_amount_is_one_currency_and_one_value() {
    use Problem as P;
    let read =
        |amounts: &str| GetTransaction::decode(transaction(amounts).as_bytes(), Dialect::default());
    let amount = |inside: &str| format!("<TransactionAmount>{inside}</TransactionAmount>");
    let minor = |amounts: &str| {
        read(amounts).unwrap().result.transaction.unwrap().transaction_amount.minor()
    };
    assert_eq!(minor(&amount(USD_1)), 100);
    assert_eq!(
        minor(&amount("<Amount>1</Amount><New>2</New><CurrencyCode>USD</CurrencyCode>")),
        100
    );

    for (amounts, path, expected) in [
        (amount(USD_1).repeat(2), "", P::Duplicate),
        (format!("{}<TransactionAmount/>", amount(USD_1)), "", P::Duplicate),
        (amount(&format!("{USD_1}<Value>1.00</Value>")), "/Value", P::Duplicate),
        (amount(&format!("{USD_1}<Amount>2.00</Amount>")), "/Amount", P::Duplicate),
        (amount(&format!("<Value/>{USD_1}")), "/Value", P::Duplicate),
        (amount(&format!("{USD_1}<Value/>")), "/Value", P::Duplicate),
        (
            amount(&format!("{USD_1}<CurrencyCode>JPY</CurrencyCode>")),
            "/CurrencyCode",
            P::Duplicate,
        ),
        (amount(&amount(USD_1)), "/CurrencyCode", P::Missing),
        (amount(""), "/CurrencyCode", P::Missing),
        (amount("<CurrencyCode>USD</CurrencyCode>"), "/Value", P::Missing),
        (amount("USD 1.00"), "", P::Invalid(Expected::Elements)),
        (amount(&format!("{USD_1}1")), "", P::Invalid(Expected::Elements)),
        (amount(&format!("<![CDATA[1]]>{USD_1}")), "", P::Invalid(Expected::Elements)),
        (amount(&format!("&#49;{USD_1}")), "", P::Invalid(Expected::Elements)),
        (amount(&USD_1.replace("1.00", "1<i>0</i>.00")), "/Value", P::Invalid(Expected::Text)),
        (amount(&USD_1.replace("1.00", "1 0.00")), "", P::Invalid(Expected::Amount)),
        (amount(&USD_1.replace("1.00", "1,00")), "", P::Invalid(Expected::Amount)),
        (amount(&USD_1.replace("USD", "usd")), "", P::Invalid(Expected::Currency)),
        (amount(&USD_1.replace("1.00", "99999999999999999999")), "", P::Invalid(Expected::Amount)),
    ] {
        let at = "GetTransactionResponse/GetTransactionResult/Transaction/TransactionAmount";
        assert_eq!(problem(read(&amounts)), (format!("{at}{path}"), expected), "{amounts}");
    }
    let fees = format!("{}<FPSFees>{USD_1}</FPSFees>", amount(USD_1));
    assert!(read(&fees).is_ok());
    assert_eq!(problem(read(&format!("{fees}<FPSFees>{USD_1}</FPSFees>"))).1, P::Duplicate);
}

#[test]
fn a_number_is_read_whole_whatever_cuts_it() {
    // A reader that stops at a comment would read one dollar of ten.
    for value in [
        "10.00",
        "1<!-- c -->0.00",
        "1<?p?>0.00",
        "<![CDATA[10.00]]>",
        "1<![CDATA[0.]]>00",
        "&#49;0&#x2E;00",
        " \n10.00\t",
    ] {
        let amounts = "<TransactionAmount><CurrencyCode>USD</CurrencyCode><Value>";
        let text = transaction(&format!("{amounts}{value}</Value></TransactionAmount>"));
        let read = GetTransaction::decode(text.as_bytes(), Dialect::default())
            .unwrap()
            .result
            .transaction
            .unwrap();
        assert_eq!(read.transaction_amount, Money::from_minor(1000, Currency::USD), "{value}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    let result = format!("<RefundResult>{GOOD}</RefundResult>");
    let metadata = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>";
    for (inside, path) in [
        (format!("{result}{result}"), "RefundResult"),
        (format!("{result}<RefundResult/>"), "RefundResult"),
        (format!("{result}{metadata}{metadata}"), "ResponseMetadata"),
        (
            format!("<RefundResult><TransactionId/>{GOOD}</RefundResult>"),
            "RefundResult/TransactionId",
        ),
        (
            format!("<RefundResult>{GOOD}<TransactionStatus/></RefundResult>"),
            "RefundResult/TransactionStatus",
        ),
        (
            format!(
                "<RefundResult>{GOOD}<x:TransactionId xmlns:x='u'>T</x:TransactionId></RefundResult>"
            ),
            "RefundResult/TransactionId",
        ),
        (
            result.clone() + &metadata.replace("</R", "</RequestId><RequestId>s</R"),
            "ResponseMetadata/RequestId",
        ),
    ] {
        let text = format!("<RefundResponse>{inside}</RefundResponse>");
        let expected = (format!("RefundResponse/{path}"), Problem::Duplicate);
        assert_eq!(
            problem(Refund::decode(text.as_bytes(), Dialect::default())),
            expected,
            "{text}"
        );
    }
    // Something of the same name further inside is another thing.
    let inside = refund(&format!("{GOOD}<New><TransactionId>U</TransactionId></New>"));
    assert_eq!(
        Refund::decode(inside.as_bytes(), Dialect::default())
            .unwrap()
            .result
            .transaction_id
            .as_str(),
        "T"
    );
}

#[test]
fn text_and_markup_stand_where_they_belong() {
    use Problem as P;
    let good = refund(GOOD);
    let elements = P::Invalid(Expected::Elements);
    let xml = P::Malformed(Expected::Xml);
    for (text, expected) in [
        (format!("text{good}"), elements.clone()),
        (format!("<![CDATA[ ]]>{good}"), elements.clone()),
        (good.replace("<RefundResult>", "text<RefundResult>"), elements.clone()),
        (good.replace("<RefundResult>", "&amp;<RefundResult>"), elements.clone()),
        (good.replace("<RefundResult>", "\u{a0}<RefundResult>"), elements.clone()),
        (format!("{good}<![CDATA[ ]]>"), P::TrailingBytes),
        (format!("{good}&#32;"), P::TrailingBytes),
        (format!("{good}{good}"), P::TrailingBytes),
        (format!("{good}\0"), P::TrailingBytes),
        (format!("{good}</RefundResponse>"), xml.clone()),
        (good.replace("<RefundResult>", "<?xml version='1.0'?><RefundResult>"), xml.clone()),
        (format!("{good}<?xml version='1.0'?>"), xml.clone()),
        (good.replace("<RefundResult>", "<!-- a -- b --><RefundResult>"), xml.clone()),
        (good.replace(">T<", "><?xml version='1.0'?>T<"), xml),
    ] {
        assert_eq!(
            problem(Refund::decode(text.as_bytes(), Dialect::default())).1,
            expected,
            "{text}"
        );
    }
    for text in [
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{good}"),
        format!("<!-- a --><?p?> {good} <?p?><!-- b -->\r\n"),
        good.replace("<RefundResult>", " <!-- a --> <?p?>\n<RefundResult>"),
    ] {
        assert!(Refund::decode(text.as_bytes(), Dialect::default()).is_ok(), "{text}");
    }
}

#[test]
fn there_are_no_entities_but_the_five_and_no_document_type_anywhere() {
    let good = refund(GOOD);
    let doctype = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>";
    for text in [
        format!("{doctype}{good}"),
        format!("<?xml version='1.0'?>{doctype}{good}"),
        good.replace("<RefundResult>", &format!("{doctype}<RefundResult>")),
        good.replace(GOOD, &format!("{GOOD}<New>{doctype}</New>")),
        good.replace(">T<", &format!(">{doctype}<")),
        format!("{good}{doctype}"),
    ] {
        assert_eq!(
            problem(Refund::decode(text.as_bytes(), Dialect::default())).1,
            Problem::Doctype,
            "{text}"
        );
    }
    let id = |text: &str| {
        Refund::decode(good.replace(">T<", &format!(">{text}<")).as_bytes(), Dialect::default())
            .map(|answer| answer.result.transaction_id.as_str().to_owned())
    };
    assert_eq!(id("&amp;&lt;&gt;&quot;&apos;&#x41;&#66;").unwrap(), "&<>\"'AB");
    assert_eq!(id("&amp;lt;").unwrap(), "&lt;", "once and not twice");
    assert_eq!(id("<![CDATA[&lt;<b/>]]>").unwrap(), "&lt;<b/>");
    for bad in ["&b;", "&AMP;", "&;", "& ", "&#0;", "&#xD800;", "&#x110000;", "&#-1;", "&#;"] {
        let (_, found) = problem(id(bad));
        assert_eq!(found, Problem::Malformed(Expected::Xml), "{bad}");
    }
    for bad in ["&#x1b;[2J", "\u{1}", "<![CDATA[\u{7f}]]>", "\u{85}"] {
        let (_, found) = problem(id(bad));
        assert_eq!(found, Problem::Invalid(Expected::Text), "{bad:?}");
    }
}

#[test]
fn the_bounds_are_where_they_are_said_to_be() {
    use Problem as P;
    let problem_of = |text: &str| {
        Refund::decode(text.as_bytes(), Dialect::default()).err().map(|e| e.problem().clone())
    };
    // The root and the result are two of the 32 levels.
    let nested = |levels: usize| {
        let (open, close) = ("<a>".repeat(levels), "</a>".repeat(levels));
        refund(&format!("{GOOD}{open}{close}"))
    };
    assert_eq!(problem_of(&nested(30)), None);
    assert_eq!(problem_of(&nested(31)), Some(P::TooDeep));
    // The root, the result and the two good ones are four of the 10 000 elements.
    let many = |count: usize| refund(&format!("{GOOD}{}", "<a/>".repeat(count)));
    assert_eq!(problem_of(&many(9_996)), None);
    assert_eq!(problem_of(&many(9_997)), Some(P::TooLarge));
    let many_inside = |count: usize| refund(&format!("{GOOD}<b>{}</b>", "<a/>".repeat(count)));
    assert_eq!(problem_of(&many_inside(9_995)), None);
    assert_eq!(problem_of(&many_inside(9_996)), Some(P::TooLarge));
    // One mebibyte.
    let long = |bytes: usize| {
        let good = refund(GOOD);
        let blanks = " ".repeat(bytes - good.len());
        good + &blanks
    };
    assert_eq!(problem_of(&long(1024 * 1024)), None);
    assert_eq!(problem_of(&long(1024 * 1024 + 1)), Some(P::TooLarge));
}

#[test]
fn an_envelope_has_one_body_with_one_answer() {
    use Problem as P;
    let good = refund(GOOD);
    let other = good.replace(">T<", ">U<");
    let body = |inside: &str| format!("<s:Body>{inside}</s:Body>");
    let id = |text: &str| {
        let answer = Refund::decode(text.as_bytes(), Dialect::default());
        answer.map(|answer| answer.result.transaction_id.as_str().to_owned())
    };
    // What stands in the header is no answer, not even in something called a body.
    let header = format!("<s:Header>{}</s:Header>", body(&other));
    assert_eq!(id(&soap(&format!("{header}{}", body(&good)))).unwrap(), "T");
    for (text, expected) in [
        (soap(""), P::Missing),
        (soap(&header), P::Missing),
        (soap(&body("")), P::Missing),
        (soap(&body(" <!-- c --> ")), P::Missing),
        (soap(&body(&good).repeat(2)), P::Duplicate),
        (soap(&format!("{}{}", body(&good), body(""))), P::Duplicate),
        (soap(&body(&good.repeat(2))), P::Invalid(Expected::Elements)),
        (soap(&body(&format!("{good}<New/>"))), P::Invalid(Expected::Elements)),
        (soap(&body(&format!("{good}text"))), P::Invalid(Expected::Elements)),
        (soap(&body(&soap(&body(&good)))), P::WrongRoot),
        (soap(&body("<s:Fault><faultcode>c</faultcode></s:Fault>")), P::WrongRoot),
        (soap(&good), P::Missing),
        (format!("{}{other}", soap(&body(&good))), P::TrailingBytes),
        (body(&good), P::WrongRoot),
    ] {
        assert_eq!(problem(id(&text)).1, expected, "{text}");
    }
}

#[test]
fn an_answer_of_another_action_or_a_refusal_is_no_answer() {
    use Problem as P;
    let good = refund(GOOD);
    for (text, expected) in [
        (good.replace("RefundRes", "PayRes"), P::WrongRoot),
        (good.replace("RefundResponse", "RefundResponses"), P::WrongRoot),
        (good.replace("RefundResponse", "Response"), P::WrongRoot),
        (good.replace("RefundResponse", "refundResponse"), P::WrongRoot),
        (good.replace("RefundResult", "PayResult"), P::Missing),
        (good.replace("<RefundResult>", "<Errors/><RefundResult>"), P::Refusal),
        (good.replace("<RefundResult>", "<Status>Failure</Status><RefundResult>"), P::Refusal),
    ] {
        assert_eq!(
            problem(Refund::decode(text.as_bytes(), Dialect::default())).1,
            expected,
            "{text}"
        );
    }
    let old = good.replace("<RefundResult>", "<Status>Success</Status><RefundResult>");
    assert!(Refund::decode(old.as_bytes(), Dialect::default()).is_ok());
    // An action without a result still has to say something.
    let cancelled = |inside: &str| {
        CancelToken::decode(
            format!("<CancelTokenResponse>{inside}</CancelTokenResponse>").as_bytes(),
            Dialect::default(),
        )
    };
    assert!(cancelled("<ResponseMetadata/>").is_ok());
    assert!(cancelled("<CancelTokenResult><New/></CancelTokenResult>").is_ok());
    assert_eq!(problem(cancelled("")).1, P::Missing);
}

#[test]
fn a_refusal_is_read_once_or_not_at_all() {
    let read = |text: &str| FlexiblePaymentsApi::read_refusal(text.as_bytes());
    let error = "<Error><Code>AuthFailure</Code><Message>m</Message></Error>";
    let second = error.replace("AuthFailure", "InternalError");
    let first = read(&format!("<Response><Errors>{error}{second}</Errors></Response>")).unwrap();
    assert_eq!(first.code, ErrorCode::AuthFailure, "of several, the first");
    for text in [
        String::new(),
        error.to_owned(),
        "<Response/>".to_owned(),
        "<Response><Errors/></Response>".to_owned(),
        "<Response><Errors><Error><Message>m</Message></Error></Errors></Response>".to_owned(),
        format!("<Response><Errors>{error}</Errors><Errors>{error}</Errors></Response>"),
        format!("<Response><Errors>{error}</Errors></Response><Response/>"),
        format!("<Response>{error}<RequestID>r</RequestID><RequestId>s</RequestId></Response>"),
        format!("<Response>{}</Response>", error.replace("</C", "</Code><Code>x</C")),
    ] {
        assert_eq!(read(&text), None, "{text}");
    }
}

#[test]
fn line_ends_survive_and_leave_the_document_on_one_line() {
    let text = "one\ntwo\r\nthree\rfour\tfive";
    let result = RefundResult::new(text, TransactionStatus::Success);
    let answer = Answer::new(result, Some("r".to_owned()));
    let answered = Refund::write_answer(&answer, Dialect::default());
    assert_eq!(Refund::decode(&answered, Dialect::default()).unwrap(), answer);
    let error = ServiceError::new(ErrorCode::InvalidParams, text);
    let refused = error.to_xml();
    assert_eq!(FlexiblePaymentsApi::read_refusal(&refused), Some(error));
    for written in [answered, refused] {
        let ends = written.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        assert_eq!(ends, 1, "the one behind the declaration");
    }
}

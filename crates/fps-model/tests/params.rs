//! Parameters: bounds, doubled and half amounts, and names that must not reach a terminal.

#![expect(clippy::unwrap_used, reason = "a form that cannot be read is a failed test")]

use fps_model::flexible_payments::{
    Dialect, NotifiedOperation, NotifiedStatus, Pay, Refund, TransactionNotification,
};
use fps_model::{
    CallerReference, DecodeError, Expected, Limit, Operation, Params, Problem, Serve, Timestamp,
};
use refund_rules::{Currency, Money};

const REFUND: &str = "Action=Refund&Version=2008-09-17&CallerReference=c&TransactionId=t";
const NOTIFICATION: &str = "transactionId=t&transactionDate=1254808324&transactionStatus=SUCCESS\
    &notificationType=TransactionStatus&operation=REFUND&transactionAmount=USD%201.00";

fn params(form: &str) -> Params {
    Params::parse(form.as_bytes()).unwrap()
}

fn refund(form: &str) -> Result<Refund, DecodeError> {
    Refund::read(&params(form), Dialect::default())
}

fn notified(form: &str) -> Result<TransactionNotification, DecodeError> {
    TransactionNotification::from_params(&params(form))
}

fn problem<T: std::fmt::Debug>(read: Result<T, DecodeError>) -> (String, Problem) {
    let error = read.unwrap_err();
    (error.path().to_owned(), error.problem().clone())
}

#[test]
fn a_form_is_read_up_to_its_bounds() {
    let pairs = |count: usize| vec!["a=1"; count].join("&");
    assert_eq!(params(&pairs(256)).iter().count(), 256);
    assert_eq!(problem(Params::parse(pairs(257).as_bytes())).1, Problem::TooLarge);
    let long = |bytes: usize| format!("a={}", "b".repeat(bytes - 2));
    assert_eq!(params(&long(64 * 1024)).iter().count(), 1);
    assert_eq!(problem(Params::parse(long(64 * 1024 + 1).as_bytes())).1, Problem::TooLarge);
    for bad in ["%ff=1", "a=%C3", "a=%ED%A0%80", "a=%C0%AF"] {
        let form = Problem::Malformed(Expected::Form);
        assert_eq!(problem(Params::parse(bad.as_bytes())).1, form, "{bad}");
    }
}

#[test]
fn every_parameter_stands_once_also_those_of_every_request() {
    let signed = "AWSAccessKeyId=k&Signature=s&SignatureMethod=HmacSHA256&SignatureVersion=2\
        &Timestamp=2009-10-06T05%3A51%3A49.578Z";
    let good = format!("{REFUND}&{signed}&RefundAmount.CurrencyCode=USD&RefundAmount.Value=1");
    assert!(refund(&good).is_ok());
    let names: Vec<String> = params(&good).iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names.len(), 11);
    for name in names {
        for value in ["", "1"] {
            let found = problem(refund(&format!("{name}={value}&{good}")));
            assert_eq!(found, (name.clone(), Problem::Duplicate), "{value:?}");
        }
        // Another case is another name.
        let lower = name.to_ascii_lowercase();
        let found = problem(refund(&format!("{good}&{lower}=1")));
        assert_eq!(found, (lower, Problem::Unknown));
    }
}

#[test]
fn half_an_amount_is_not_the_whole_payment() {
    let positive = Problem::Invalid(Expected::PositiveAmount);
    for (currency, value, path, expected) in [
        (None, Some("1"), ".CurrencyCode", Problem::Missing),
        (Some("USD"), None, ".Value", Problem::Missing),
        (Some(""), Some("1"), ".CurrencyCode", Problem::Missing),
        (Some("USD"), Some(""), ".Value", Problem::Missing),
        (Some(""), Some(""), ".CurrencyCode", Problem::Missing),
        (Some("usd"), Some("1"), "", Problem::Invalid(Expected::Currency)),
        (Some("USD"), Some("-1"), "", positive.clone()),
        (Some("USD"), Some("%2B1"), "", positive.clone()),
        (Some("USD"), Some("1.001"), "", positive.clone()),
        (Some("USD"), Some("1.000"), "", positive.clone()),
        (Some("JPY"), Some("1.0"), "", positive.clone()),
        (Some("USD"), Some("%201"), "", positive.clone()),
        (Some("USD"), Some("1e2"), "", positive.clone()),
        (Some("USD"), Some("0x1"), "", positive.clone()),
        (Some("USD"), Some("%D9%A1"), "", positive),
    ] {
        let mut form = REFUND.to_owned();
        for (part, text) in [("CurrencyCode", currency), ("Value", value)] {
            if let Some(text) = text {
                form = format!("{form}&RefundAmount.{part}={text}");
            }
        }
        assert_eq!(problem(refund(&form)), (format!("RefundAmount{path}"), expected), "{form}");
    }
    assert_eq!(refund(REFUND).unwrap().refund_amount, None, "the whole payment");
    // Where an amount is required, none is an error too.
    let pay = params("Action=Pay&CallerReference=c&SenderTokenId=t");
    let found = problem(Pay::read(&pay, Dialect::default()));
    assert_eq!(found, ("TransactionAmount".to_owned(), Problem::Missing));
}

#[test]
fn texts_are_there_short_enough_and_can_be_shown() {
    let with = |name: &str, value: &str| {
        let kept: Params = params(REFUND)
            .iter()
            .filter(|(given, _)| *given != name)
            .chain([(name, value)])
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Refund::read(&kept, Dialect::default())
    };
    for (name, most) in
        [("CallerReference", 128), ("TransactionId", 35), ("CallerDescription", 160)]
    {
        assert!(with(name, &"\u{e9}".repeat(most)).is_ok(), "characters and not bytes: {name}");
        let (path, found) = problem(with(name, &"x".repeat(most + 1)));
        assert_eq!((path.as_str(), found), (name, Problem::TooLong(Limit::Characters(most))));
        for bad in ["a\0", "\u{1b}[2J", "\u{85}"] {
            let (path, found) = problem(with(name, bad));
            assert_eq!((path.as_str(), found), (name, Problem::Invalid(Expected::Text)), "{bad:?}");
        }
    }
    for name in ["CallerReference", "TransactionId"] {
        assert_eq!(problem(with(name, "")), (name.to_owned(), Problem::Missing));
    }
    assert_eq!(with("CallerDescription", "").unwrap().caller_description, None);
    // A description may have lines, a key may not.
    assert!(with("CallerDescription", "a\r\n\tb").is_ok());
    assert_eq!(problem(with("CallerReference", "a\nb")).1, Problem::Invalid(Expected::Key));
}

#[test]
fn a_name_that_somebody_sent_is_printed_plainly_and_in_part() {
    let path = |name: &str| problem(refund(&format!("{REFUND}&{name}=1"))).0;
    assert_eq!(path("%1B%5B2J%0A"), "?[2J?");
    assert_eq!(path("caf%C3%A9%E2%80%AE"), "caf??");
    assert_eq!(path(&"x".repeat(200)), "x".repeat(200));
    assert_eq!(path(&"x".repeat(201)), "x".repeat(200));
    let error = refund(&format!("{REFUND}&%0A=1")).unwrap_err();
    assert_eq!(error.to_string(), "?: is not a field of this message");
    let error = Params::parse(b"%ff").unwrap_err();
    assert_eq!(error.to_string(), "the message cannot be read: it is not percent-encoded UTF-8");
}

#[test]
fn a_notification_says_one_thing_of_one_kind() {
    assert!(notified(NOTIFICATION).is_ok());
    // What the service adds later is borne, and so is the signature.
    assert!(notified(&format!("{NOTIFICATION}&new=1&signature=s")).is_ok());
    for (from, to, path, expected) in [
        ("=TransactionStatus", "=TokenCancellation", "notificationType", {
            Problem::Invalid(Expected::Fixed("TransactionStatus"))
        }),
        ("=TransactionStatus", "=", "notificationType", Problem::Missing),
        ("=t&", "=t&transactionId=u&", "transactionId", Problem::Duplicate),
        ("=t&", "=&", "transactionId", Problem::Missing),
        ("USD%201.00", "", "transactionAmount", Problem::Missing),
        ("USD%201.00", "1.00", "transactionAmount", Problem::Invalid(Expected::Amount)),
        ("USD%201.00", "USD%20%201.00", "transactionAmount", Problem::Invalid(Expected::Amount)),
        ("USD%201.00", "USD%201.00%20", "transactionAmount", Problem::Invalid(Expected::Amount)),
        ("USD%201.00", "USD%201.001", "transactionAmount", Problem::TooPrecise),
        ("USD%201.00", "1.00%20USD", "transactionAmount", Problem::Invalid(Expected::Currency)),
        ("1254808324", "", "transactionDate", Problem::Missing),
        ("1254808324", "1254808324.5", "transactionDate", Problem::Invalid(Expected::Time)),
        ("1254808324", "9223372036854775807", "transactionDate", Problem::Invalid(Expected::Time)),
        ("1254808324", "2009-10-06", "transactionDate", Problem::Invalid(Expected::Time)),
        ("=SUCCESS", "=", "transactionStatus", Problem::Missing),
        ("=REFUND", "=", "operation", Problem::Missing),
    ] {
        let form = NOTIFICATION.replacen(from, to, 1);
        assert_ne!(form, NOTIFICATION);
        assert_eq!(problem(notified(&form)), (path.to_owned(), expected), "{form}");
    }
}

#[test]
fn no_amount_of_nothing_is_sent() {
    let reference = || CallerReference::new("c").unwrap();
    let positive = Problem::Invalid(Expected::PositiveAmount);
    for minor in [0, -1, i64::MIN] {
        let money = Money::from_minor(minor, Currency::USD);
        let time = Timestamp::from_unix_millis(0).unwrap();
        let (status, operation) = (NotifiedStatus::Success, NotifiedOperation::Refund);
        for (sent, field) in [
            (Refund::new(reference(), "t").refund_amount(money).encode(Dialect::default()), {
                "RefundAmount"
            }),
            (Pay::new(reference(), "t", money).encode(Dialect::default()), "TransactionAmount"),
            (
                TransactionNotification::new("t", time, status, operation, money).to_params(),
                "transactionAmount",
            ),
        ] {
            let error = sent.unwrap_err();
            assert_eq!((error.field(), error.problem()), (field, &positive), "{minor}");
        }
    }
}

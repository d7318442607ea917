//! The documents' own samples: requests encode to what is printed, answers and notifications decode.

#![expect(clippy::unwrap_used, clippy::panic, reason = "an unreadable sample is a failed test")]

use std::fs;
use std::path::Path;

use fps_model::amazon_pay::{
    AmazonPayApi, ApiVersion, ChargeState, CreateRefund, GetCharge, GetRefund, ReasonCode,
    RefundState, ReleaseEnvironment,
};
use fps_model::flexible_payments::{
    CancelToken, Dialect, ErrorCode, FlexiblePaymentsApi, FpsOperation, GetTransaction,
    GetTransactionStatus, NotifiedOperation, NotifiedStatus, Pay, PaymentMethod, Refund,
    TransactionNotification, TransactionStatus,
};
use fps_model::{
    CallerReference, IdempotencyKey, JsonRequest, Operation, Params, Serve, Service, Timestamp,
};
use refund_rules::{Currency, Money};

fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

/// The request of seed 001, as it is printed there.
const SEED_001_QUERY: &str = "Action=Refund\
    &AWSAccessKeyId=AKIAIIFXJCFIHITREP4Q\
    &CallerDescription=MyWish\
    &CallerReference=CallerReference03\
    &RefundAmount.CurrencyCode=USD\
    &RefundAmount.Value=1\
    &Signature=V6pU3PvDPkPhR9Eu7yZXnFZHuEFafLE5sBPgqqCELEU%3D\
    &SignatureMethod=HmacSHA256\
    &SignatureVersion=2\
    &Timestamp=2009-10-06T05%3A51%3A49.578Z\
    &TransactionId=14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD\
    &Version=2008-09-17";

/// What the signature adds to a request.
const ADDED_BY_SIGNING: [&str; 5] =
    ["AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp"];

fn seed_001_refund() -> Refund {
    let reference = CallerReference::new("CallerReference03").unwrap();
    Refund::new(reference, "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD")
        .caller_description("MyWish")
        .refund_amount(usd("1.00"))
}

#[test]
fn the_refund_of_seed_001_encodes_to_exactly_what_is_printed() {
    let printed = Params::parse(SEED_001_QUERY.as_bytes()).unwrap();
    let mut expected: Vec<_> =
        printed.iter().filter(|(name, _)| !ADDED_BY_SIGNING.contains(name)).collect();
    let encoded = seed_001_refund().encode(Dialect::default()).unwrap();
    let mut encoded: Vec<_> = encoded.iter().collect();
    expected.sort_unstable();
    encoded.sort_unstable();
    assert_eq!(encoded, expected);
}

#[test]
fn the_request_printed_in_seed_001_is_read_as_that_refund() {
    let printed = Params::parse(SEED_001_QUERY.as_bytes()).unwrap();
    assert_eq!(Refund::read(&printed, Dialect::default()).unwrap(), seed_001_refund());
}

#[test]
fn the_answers_of_seed_001_decode_over_query_and_over_soap() {
    let answer = Refund::decode(&sample("refund-response.xml"), Dialect::default()).unwrap();
    assert_eq!(answer.result.transaction_id.as_str(), "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF");
    assert_eq!(answer.result.transaction_status, TransactionStatus::Pending);
    let request_id = answer.request_id.as_deref();
    assert_eq!(request_id, Some("1a146b9a-b37b-4f5f-bda6-012a5b9e45c3:0"));

    let answer = Refund::decode(&sample("refund-response.soap.xml"), Dialect::default()).unwrap();
    assert_eq!(answer.result.transaction_id.as_str(), "13N91G4R7478C8ZLHEF93JLIGROQH2VQJSM");
    assert_eq!(answer.result.transaction_status, TransactionStatus::Success);
    let request_id = answer.request_id.as_deref();
    assert_eq!(request_id, Some("6d63adbb-611e-40ee-9262-a29c30e8ecaa:0"));
}

#[test]
fn the_notifications_of_seed_001_decode() {
    for (file, status, code) in [
        ("ipn-refund-pending.form", NotifiedStatus::Pending, "PendingNetworkResponse"),
        ("ipn-refund-success.form", NotifiedStatus::Success, "Success"),
    ] {
        let params = Params::parse(&sample(file)).unwrap();
        let notified = TransactionNotification::from_params(&params).unwrap();
        assert_eq!(notified.transaction_id.as_str(), "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF");
        let parent = notified.parent_transaction_id.clone().unwrap();
        assert_eq!(parent.as_str(), "14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD");
        assert_eq!(notified.operation, NotifiedOperation::Refund);
        assert_eq!(notified.transaction_status, status);
        assert_eq!(notified.status_code.as_deref(), Some(code));
        assert_eq!(notified.transaction_amount, usd("1.00"));
        assert_eq!(notified.payment_method, Some(PaymentMethod::CreditCard));
        assert_eq!(notified.transaction_date.unix_millis(), 1_254_808_324_000);
        assert_eq!(notified.buyer_email.clone().unwrap().expose(), "new_premium@amazon.com");
        assert!(!format!("{notified:?}").contains("new_premium"), "buyers are not printed");
        // Written again, it says the same.
        let written = notified.to_params().unwrap();
        assert_eq!(TransactionNotification::from_params(&written).unwrap(), notified);
    }
}

#[test]
fn the_other_documented_answers_decode() {
    let answer =
        GetTransaction::decode(&sample("get-transaction-response.xml"), Dialect::default())
            .unwrap();
    let transaction = answer.result.transaction.unwrap();
    assert_eq!(transaction.transaction_amount, usd("1.00"));
    assert_eq!(transaction.fps_fees, Some(usd("0.10")));
    assert_eq!(transaction.fps_operation, FpsOperation::Pay);
    assert_eq!(transaction.payment_method, PaymentMethod::CreditCard);
    assert_eq!(transaction.status_history.len(), 2);
    assert_eq!(Some(transaction.date_received), Timestamp::parse("2009-10-06T05:50:08.010Z"));
    assert!(!format!("{transaction:?}").contains("553ILMLCG6Z8"), "tokens are not printed");

    let answer = GetTransactionStatus::decode(
        &sample("get-transaction-status-response.xml"),
        Dialect::default(),
    )
    .unwrap();
    assert_eq!(answer.result.transaction_status, TransactionStatus::Success);
    assert_eq!(answer.result.status_code.as_deref(), Some("Success"));
    let answer = Pay::decode(&sample("pay-response.xml"), Dialect::default()).unwrap();
    assert_eq!(answer.result.transaction_status, TransactionStatus::Pending);
    let answer =
        CancelToken::decode(&sample("cancel-token-response.xml"), Dialect::default()).unwrap();
    assert!(answer.request_id.unwrap().ends_with(":0"));
}

#[test]
fn error_documents_of_every_shape_are_read() {
    let error = FlexiblePaymentsApi::read_refusal(&sample("error-response.xml")).unwrap();
    assert_eq!(error.code, ErrorCode::InvalidParams);
    assert!(error.message.starts_with("transactionId has to be a valid transaction ID."));
    assert_eq!(error.request_id.as_deref(), Some("50ca0b2f-9435-4852-a889-89d144c07ff6"));
    // The shape of the WSDL, and one with the request id first.
    for text in [
        "<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>AuthFailure</Code><Message>m\
         </Message><Detail><Any/></Detail></Error><RequestId>r</RequestId></ErrorResponse>",
        "<Response><RequestId>r</RequestId><Errors><Error><Code>AuthFailure</Code>\
         <Message>m</Message></Error></Errors></Response>",
    ] {
        let error = FlexiblePaymentsApi::read_refusal(text.as_bytes()).unwrap();
        assert_eq!((error.code.as_str(), error.request_id.as_deref()), ("AuthFailure", Some("r")));
        assert!(error.code.is_retriable());
    }
    assert_eq!(FlexiblePaymentsApi::read_refusal(b"<html>busy</html>"), None);
    // What is written can be read, and stands on one line, as Amazon's own clients need it.
    let written = error.to_xml();
    assert_eq!(FlexiblePaymentsApi::read_refusal(&written), Some(error));
    assert_eq!(written.iter().filter(|&&byte| byte == b'\n').count(), 1);

    let error = AmazonPayApi::read_refusal(&sample("error-invalid-parameter-doc.json")).unwrap();
    assert_eq!(error.code, ReasonCode::InvalidParameterValue);
    assert_eq!(AmazonPayApi::read_refusal(b""), None);
    assert_eq!(AmazonPayApi::read_refusal(&error.to_json()), Some(error));
}

#[test]
fn the_refund_of_seed_004_encodes_to_what_is_printed() {
    let key = IdempotencyKey::new("AVLo5tI10BHgEk2jEXAMPLEKEY").unwrap();
    let refund = CreateRefund::new(key, "S01-5105180-3221187-C056351", usd("14.00"))
        .soft_descriptor("Descriptor");
    let request = refund.encode(ApiVersion::V2).unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/refunds"));
    assert_eq!(request.key.as_deref(), Some("AVLo5tI10BHgEk2jEXAMPLEKEY"));
    let printed: serde_json::Value =
        serde_json::from_slice(&sample("create-refund-request.json")).unwrap();
    let encoded: serde_json::Value =
        serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
    assert_eq!(encoded, printed);
    assert_eq!(CreateRefund::read(&request, ApiVersion::V2).unwrap(), refund);
}

#[test]
fn the_answers_of_seed_004_decode() {
    let refund = CreateRefund::decode(&sample("create-refund-response.json"), ApiVersion::V2)
        .unwrap()
        .result;
    assert_eq!(refund.refund_id.as_str(), "S01-5105180-3221187-R022311");
    assert_eq!(refund.charge_id.as_str(), "S01-5105180-3221187-C056351");
    assert_eq!(refund.refund_amount, usd("14.00"));
    assert_eq!(refund.status_details.state, RefundState::RefundInitiated);
    assert_eq!(refund.status_details.reason_code, None);
    assert_eq!(refund.release_environment, Some(ReleaseEnvironment::Sandbox));
    assert_eq!(refund.creation_timestamp.to_basic(), "20190714T155300Z");
    let refund =
        GetRefund::decode(&sample("get-refund-response.json"), ApiVersion::V2).unwrap().result;
    assert_eq!(refund.status_details.state, RefundState::Refunded);
}

#[test]
fn charges_decode_from_the_documentation_and_from_the_field() {
    let charge =
        GetCharge::decode(&sample("charge-captured-doc-usd.json"), ApiVersion::V2).unwrap().result;
    assert_eq!(charge.capture_amount, Some(usd("14.00")));
    assert_eq!(charge.refunded_amount, Some(usd("0.00")));
    let charge = GetCharge::decode(&sample("charge-captured-sandbox-jp-2023.json"), ApiVersion::V2)
        .unwrap()
        .result;
    assert_eq!(charge.capture_amount, Some(Money::from_minor(500, Currency::JPY)));
    assert_eq!(charge.status_details.state, ChargeState::Captured);
}

#[test]
fn an_identifier_fills_its_path_and_nothing_more() {
    let request = GetRefund::new("S01-5105180-3221187-R022311").encode(ApiVersion::V2).unwrap();
    assert_eq!(request.path, "/refunds/S01-5105180-3221187-R022311");
    let read = GetRefund::read(&request, ApiVersion::V2).unwrap();
    assert_eq!(read.refund_id.as_str(), "S01-5105180-3221187-R022311");
    for text in ["", "../charges/S01", "S01/capture", "S01?x=1", "S01 2"] {
        let error = GetRefund::new(text).encode(ApiVersion::V2).unwrap_err();
        assert_eq!(error.field(), "refundId", "{text}");
    }
    assert!(GetRefund::read(&JsonRequest::new("GET", "/refunds/"), ApiVersion::V2).is_err());
}

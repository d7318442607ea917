//! What a hostile reader of this crate found once, so that it stays found: each case with what it would
//! have cost.

use fps_model::amazon_pay::{ApiVersion, CreateRefund, GetCharge};
use fps_model::flexible_payments::{
    CancelToken, Dialect, ErrorCode, ErrorDocument, FlexiblePaymentsApi, Pay, Refund,
    SimplePayButton, SingleUsePipeline, TransactionStatus,
};
use fps_model::soap::{self, Addressing};
use fps_model::{
    CallerReference, Expected, JsonRequest, Operation, Params, Problem, Serve, Service,
    ServiceError,
};

#[test]
fn an_error_beside_a_result_is_no_answer() {
    let text = b"<CancelTokenResponse><Error><Code>InvalidTokenId</Code></Error>\
        <ResponseMetadata/></CancelTokenResponse>";
    let error = CancelToken::decode(text, Dialect::default()).unwrap_err();
    assert_eq!(error.problem(), &Problem::Refusal);
    assert_eq!(
        FlexiblePaymentsApi::read_refusal(text).map(|error| error.code),
        Some(ErrorCode::InvalidTokenId)
    );
}

#[test]
fn what_says_success_is_no_refusal_whatever_else_it_says() {
    let text = b"<PayResponse><TransactionResponse><TransactionId>T</TransactionId>\
        <Status>Success</Status></TransactionResponse><Status>Success</Status>\
        <Errors><Errors><ErrorCode>Warning</ErrorCode></Errors></Errors></PayResponse>";
    // Neither an answer nor a refusal: so a client calls the outcome unknown.
    assert!(Pay::decode(text, Dialect::V2007_01_08).is_err());
    assert!(FlexiblePaymentsApi::read_refusal(text).is_none());
}

#[test]
fn a_field_of_another_revision_is_no_field() {
    let answer = |fields: &str| {
        format!(
            "<PayResponse><PayResult><TransactionId>T</TransactionId>{fields}</PayResult></PayResponse>"
        )
    };
    let both = answer("<TransactionStatus>Success</TransactionStatus><Status>Failure</Status>");
    let read = Pay::decode(both.as_bytes(), Dialect::default()).unwrap();
    assert_eq!(read.result.transaction_status, TransactionStatus::Success);
    let foreign = answer("<Status>Success</Status>");
    let error = Pay::decode(foreign.as_bytes(), Dialect::default()).unwrap_err();
    assert_eq!(error.problem(), &Problem::Missing);
}

fn envelope(fields: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>\
         <Refund xmlns='http://fps.amazonaws.com/doc/2008-09-17/'>\
         <TransactionId>t</TransactionId><CallerReference>c</CallerReference>{fields}\
         </Refund></s:Body></s:Envelope>"
    )
}

#[test]
fn a_soap_body_names_neither_the_signer_nor_parts_by_dots() {
    assert!(soap::read_request(envelope("").as_bytes()).is_ok());
    for fields in [
        "<AWSAccessKeyId>EVIL</AWSAccessKeyId>",
        "<Signature>x</Signature>",
        "<RefundAmount.Value>5</RefundAmount.Value>\
         <RefundAmount.CurrencyCode>USD</RefundAmount.CurrencyCode>",
    ] {
        let error = soap::read_request(envelope(fields).as_bytes()).unwrap_err();
        assert_eq!(error.problem(), &Problem::Unknown, "{fields}");
    }
    // Many parts under a long name: the name would be repeated for each.
    let long = "a".repeat(100_000);
    let fields = format!("<{long}>{}</{long}>", "<b>1</b>".repeat(200));
    let error = soap::read_request(envelope(&fields).as_bytes()).unwrap_err();
    assert_eq!(error.problem(), &Problem::TooLarge);
}

#[test]
fn parameters_that_an_element_cannot_hold_are_not_left_out() {
    let written = |pairs: &[(&str, &str)]| {
        let mut params = Params::new();
        for (name, value) in [("Action", "Refund"), ("Version", "2008-09-17")].iter().chain(pairs) {
            params.push(*name, *value);
        }
        soap::write_request(&params, &Addressing::request("m", "Refund"))
    };
    assert!(written(&[("C.D", "1"), ("C.E", "2")]).is_ok());
    for pairs in [[("C", "1"), ("C.D", "2")], [("C", "1"), ("C", "2")]] {
        assert_eq!(written(&pairs).unwrap_err().problem(), &Problem::Duplicate);
    }
    // Layout takes the blanks at the ends: the key would arrive as another.
    let reference = CallerReference::new(" ref 1 ").unwrap();
    let params = Refund::new(reference, "t").encode(Dialect::default()).unwrap();
    assert!(soap::write_request(&params, &Addressing::request("m", "Refund")).is_err());
}

#[test]
fn nothing_and_less_than_nothing_is_no_amount_of_a_request() {
    let form = |value: &str| {
        format!(
            "Action=Refund&TransactionId=t&CallerReference=c&RefundAmount.CurrencyCode=USD\
             &RefundAmount.Value={value}"
        )
    };
    let read = |value: &str| {
        let params = Params::parse(form(value).as_bytes()).unwrap();
        Refund::read(&params, Dialect::default())
    };
    assert!(read("0.01").is_ok());
    for value in ["0", "0.00", "-1"] {
        let error = read(value).unwrap_err();
        assert_eq!(error.problem(), &Problem::Invalid(Expected::PositiveAmount), "{value}");
    }
    let body = r#"{"chargeId":"c","refundAmount":{"amount":"0.00","currencyCode":"USD"}}"#;
    let request = JsonRequest::new("POST", "/refunds").with_key("k").with_body(body);
    assert!(CreateRefund::read(&request, ApiVersion::V2).is_err());
    let redirect = "pipelineName=SingleUse&version=2009-01-09&callerKey=k&returnURL=u\
        &callerReference=r&transactionAmount=-5";
    let redirect = Params::parse(redirect.as_bytes()).unwrap();
    assert!(SingleUsePipeline::from_params(&redirect).is_err());
    let button = Params::parse(b"accessKey=k&amount=USD+-5&description=d").unwrap();
    assert!(SimplePayButton::from_params(&button).is_err());
}

#[test]
fn a_control_character_does_not_take_a_refusal_with_it() {
    let error: ServiceError<ErrorCode> =
        ServiceError::new(ErrorCode::InvalidParams, "bad \u{1} char");
    for shape in [
        ErrorDocument::Query,
        ErrorDocument::ErrorResponse(Dialect::default()),
        ErrorDocument::Answer2007("Refund"),
        ErrorDocument::SoapFault,
    ] {
        let read = FlexiblePaymentsApi::read_refusal(&error.to_document(shape)).unwrap();
        assert_eq!(read.message, "bad \u{fffd} char");
    }
}

#[test]
fn a_request_of_another_operation_is_not_taken() {
    let body = r#"{"chargeId":"c","refundAmount":{"amount":"1.00","currencyCode":"USD"}}"#;
    let read = |request: JsonRequest| CreateRefund::read(&request, ApiVersion::V2);
    assert!(read(JsonRequest::new("POST", "/refunds").with_key("k").with_body(body)).is_ok());
    assert!(read(JsonRequest::new("GET", "/refunds").with_key("k").with_body(body)).is_err());
    assert!(read(JsonRequest::new("POST", "/charges").with_key("k").with_body(body)).is_err());
    let lookup = JsonRequest::new("GET", "/charges/S01").with_body(r#"{"x":1}"#);
    assert!(GetCharge::read(&lookup, ApiVersion::V2).is_err());
}

#[test]
fn a_fault_goes_into_one_envelope() {
    let error: ServiceError<ErrorCode> = ServiceError::new(ErrorCode::IncompatibleTokens, "no");
    let headers = Addressing::request("MESSAGE123", "Refund").answer("Refund", "r:0");
    let document = soap::wrap_answer(&error.to_document(ErrorDocument::SoapFault), &headers);
    let document = document.unwrap();
    let text = String::from_utf8(document.clone()).unwrap();
    assert_eq!(text.matches("Envelope").count(), 2, "{text}");
    assert_eq!(soap::addressing(&document).unwrap().relates_to.as_deref(), Some("MESSAGE123"));
    assert_eq!(FlexiblePaymentsApi::read_refusal(&document), Some(error));
}

//! Every parser of the crate as a function of bytes, with what must hold of whatever it accepts; shared by
//! the fuzz targets and the ordinary tests.

use fps_model::amazon_pay::{
    AmazonPayApi, ApiVersion, CompleteCheckoutSession, CreateRefund, GetCheckoutSession, GetRefund,
    Notification, SnsEnvelope, UpdateCheckoutSession,
};
use fps_model::flexible_payments::{
    Dialect, FlexiblePaymentsApi, GetAccountActivity, GetTransaction, Refund, SimplePayButton,
    TransactionNotification,
};
use fps_model::gatekeeper::PaymentInstruction;
use fps_model::{JsonRequest, Operation, Params, Serve, Service, Timestamp, soap};

/// A parser with its name.
pub(crate) type Parser = (&'static str, fn(&[u8]));

/// Every parser.
pub(crate) const PARSERS: [Parser; 10] = [
    ("answer_xml", answer_xml),
    ("refusal", refusal),
    ("soap_request", soap_request),
    ("params", params),
    ("notification", notification),
    ("answer_json", answer_json),
    ("request_json", request_json),
    ("document", document),
    ("gatekeeper", gatekeeper),
    ("timestamp", timestamp),
];

/// Answers of FPS: what is accepted can be written, and is read as the same.
pub(crate) fn answer_xml(bytes: &[u8]) {
    fn one<O: Serve>(bytes: &[u8], dialect: <O::Service as Service>::Version)
    where
        <O::Service as Service>::Version: Copy,
    {
        if let Ok(answer) = O::decode(bytes, dialect) {
            let again = O::write_answer(&answer, dialect);
            assert_eq!(O::decode(&again, dialect).as_ref(), Ok(&answer));
        }
    }
    for dialect in [Dialect::V2007_01_08, Dialect::V2008_09_17] {
        one::<Refund>(bytes, dialect);
        one::<GetTransaction>(bytes, dialect);
        one::<GetAccountActivity>(bytes, dialect);
    }
}

/// Refusals of both services.
pub(crate) fn refusal(bytes: &[u8]) {
    if let Some(error) = FlexiblePaymentsApi::read_refusal(bytes) {
        assert_eq!(FlexiblePaymentsApi::read_refusal(&error.to_xml()), Some(error));
    }
    if let Some(error) = AmazonPayApi::read_refusal(bytes) {
        assert_eq!(AmazonPayApi::read_refusal(&error.to_json()), Some(error));
    }
}

/// Requests over SOAP.
pub(crate) fn soap_request(bytes: &[u8]) {
    if let Ok((headers, params)) = soap::read_request(bytes) {
        let dialect = Dialect::from_version(params.get("Version").unwrap_or_default());
        if let Ok(refund) = Refund::read(&params, dialect.unwrap_or_default()) {
            let again = refund.encode(dialect.unwrap_or_default());
            let again = again.map(|params| soap::write_request(&params, &headers));
            assert!(again.is_ok_and(|written| written.is_ok()));
        }
    }
    let _ = soap::addressing(bytes);
}

/// Forms and queries.
pub(crate) fn params(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    assert_eq!(Params::parse(params.to_form().as_bytes()).as_ref(), Ok(&params));
    for dialect in Dialect::ALL {
        if let Ok(refund) = Refund::read(&params, dialect) {
            let again = refund.encode(dialect).map(|params| Refund::read(&params, dialect));
            assert_eq!(again, Ok(Ok(refund)));
        }
    }
}

/// Notifications and buttons.
pub(crate) fn notification(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    let _ = SimplePayButton::from_params(&params);
    if let Ok(message) = TransactionNotification::from_params(&params)
        && let Ok(written) = message.to_params()
    {
        assert_eq!(TransactionNotification::from_params(&written), Ok(message));
    }
}

/// Answers of Amazon Pay.
pub(crate) fn answer_json(bytes: &[u8]) {
    if let Ok(answer) = GetRefund::decode(bytes, ApiVersion::V2) {
        let again = GetRefund::write_answer(&answer, ApiVersion::V2);
        assert_eq!(GetRefund::decode(&again, ApiVersion::V2), Ok(answer));
    }
    let _ = GetCheckoutSession::decode(bytes, ApiVersion::V2);
}

/// Requests of Amazon Pay.
pub(crate) fn request_json(bytes: &[u8]) {
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    let request = JsonRequest::new("POST", "/refunds").with_key("k").with_body(body);
    if let Ok(refund) = CreateRefund::read(&request, ApiVersion::V2)
        && let Ok(written) = refund.encode(ApiVersion::V2)
    {
        assert_eq!(CreateRefund::read(&written, ApiVersion::V2), Ok(refund));
    }
    let request = JsonRequest::new("PATCH", "/checkoutSessions/s").with_body(body);
    let _ = UpdateCheckoutSession::read(&request, ApiVersion::V2);
    let request = JsonRequest::new("POST", "/checkoutSessions/s/complete").with_body(body);
    let _ = CompleteCheckoutSession::read(&request, ApiVersion::V2);
}

/// The SNS envelope and what is in it.
pub(crate) fn document(bytes: &[u8]) {
    if let Ok(envelope) = SnsEnvelope::from_json(bytes) {
        assert_eq!(SnsEnvelope::from_json(&envelope.to_json()), Ok(envelope));
    }
    let _ = Notification::from_json(bytes);
}

/// Payment instructions.
pub(crate) fn gatekeeper(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(instruction) = PaymentInstruction::parse(text) {
        let printed = instruction.to_string();
        let again = PaymentInstruction::parse(&printed).map(|again| again.to_string());
        assert_eq!(again, Ok(printed));
    }
}

/// Points in time.
pub(crate) fn timestamp(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(time) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&time.to_extended()), Some(time));
    }
}

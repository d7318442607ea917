//! Reading requests and answers for an [`Exchange`]: no signature is checked, and nothing here refuses.

use fps_model::amazon_pay::{
    CancelCharge, CaptureCharge, CloseChargePermission, CompleteCheckoutSession, CreateCharge,
    CreateCheckoutSession, CreateRefund, GetCharge, GetChargePermission, GetCheckoutSession,
    GetRefund, Route, UpdateChargePermission, UpdateCheckoutSession,
};
use fps_model::{JsonRequest, Params, soap};
use fps_sign::soap::Claim;
use http::HeaderMap;
use http::request::Parts;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Exchange, Log, Moment, Wire};
use crate::books::Service;
use crate::{amazon_pay, flexible_payments};

/// The most bytes of a text that are kept; what is longer is no id and no key.
const TEXT_BYTES_MAX: usize = 256;

/// What is asked, if a service is asked at all.
pub(crate) fn read(parts: &Parts, body: &[u8], asked: Moment, log: &Log) -> Option<Exchange> {
    let path = parts.uri.path();
    let (service, wire) = if path == "/" {
        let soap = parts.method == "POST" && has_type(&parts.headers, "xml");
        (Service::FlexiblePayments, if soap { Wire::Soap } else { Wire::Query })
    } else {
        amazon_pay::split_path(path)?;
        (Service::AmazonPay, Wire::Json)
    };
    let mut exchange = Exchange {
        number: 0,
        service,
        wire,
        asked,
        operation: None,
        version: None,
        key_id: None,
        signature_version: None,
        idempotency_key: None,
        payment: None,
        object: None,
        amount: None,
        fingerprint: String::new(),
        answered: None,
        status: None,
        error: None,
        created: None,
        fault: None,
        whole: false,
    };
    match wire {
        Wire::Json => read_json(&mut exchange, parts, body),
        Wire::Soap => {
            if let Ok((_, params)) = soap::read_request(body) {
                read_params(&mut exchange, &params);
            }
            // An envelope names no key: who asks is who has this certificate.
            let claim = Claim::read(body).ok();
            exchange.key_id = claim.map(|claim| fingerprint(&["certificate"], claim.certificate()));
        }
        Wire::Query => {
            let query = parts.uri.query().unwrap_or_default().as_bytes();
            let form = if parts.method == "GET" { query } else { body };
            // A page of the service that only shares its address, such as its description.
            if let Ok(params) = Params::parse(form) {
                params.get("Action")?;
                read_params(&mut exchange, &params);
            }
        }
    }
    if exchange.fingerprint.is_empty() {
        exchange.fingerprint = fingerprint(&[path, "\0unread"], body);
    }
    exchange.number = log.number();
    Some(exchange)
}

fn has_type(headers: &HeaderMap, part: &str) -> bool {
    let value = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains(part))
}

fn read_params(exchange: &mut Exchange, params: &Params) {
    let text = |name: &str| params.get(name).map(short);
    exchange.operation = text("Action");
    exchange.version = text("Version");
    exchange.key_id = text("AWSAccessKeyId");
    exchange.signature_version = text("SignatureVersion");
    exchange.idempotency_key = text("CallerReference");
    let transaction = text("TransactionId").or_else(|| text("ReserveTransactionId"));
    if reads(exchange.operation.as_deref()) {
        exchange.object = transaction;
    } else {
        exchange.payment = transaction;
    }
    exchange.amount =
        params.iter().find(|(name, _)| is_amount(name)).map(|(_, value)| short(value));
    exchange.fingerprint = fingerprint(&[], flexible_payments::same_request(params).as_bytes());
}

/// The value of an amount, as it is called in any revision.
fn is_amount(name: &str) -> bool {
    let stem = name.strip_suffix(".Value").or_else(|| name.strip_suffix(".Amount"));
    stem.is_some_and(|stem| stem.ends_with("Amount"))
}

/// Does an operation only read?
pub(crate) fn reads(operation: Option<&str>) -> bool {
    operation.is_some_and(|name| name.starts_with("Get") || name == "VerifySignature")
}

fn read_json(exchange: &mut Exchange, parts: &Parts, body: &[u8]) {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some((algorithm, rest)) = header("authorization").and_then(|text| text.split_once(' ')) {
        exchange.signature_version = Some(short(algorithm));
        let id = rest.split(',').find_map(|part| part.trim().strip_prefix("PublicKeyId="));
        exchange.key_id = id.map(short);
    }
    exchange.idempotency_key = header("x-amz-pay-idempotency-key").map(short);
    exchange.version = Some("v2".to_owned());
    let Some((_, path)) = amazon_pay::split_path(parts.uri.path()) else { return };
    let method = parts.method.as_str();
    let operation = operation(method, path);
    exchange.operation = operation.map(str::to_owned);
    let in_path = path.split('/').nth(2).map(short);
    let is_charge = path.starts_with("/charges/");
    if reads(operation) {
        exchange.object.clone_from(&in_path);
    }
    let fields: Fields<'_> = serde_json::from_slice(body).unwrap_or_default();
    let charge = fields.get("chargeId").and_then(|value| plain(value));
    exchange.payment = if is_charge { in_path } else { charge };
    exchange.amount = fields
        .iter()
        .find(|(name, _)| name.ends_with("Amount"))
        .and_then(|(_, price)| serde_json::from_str::<Fields<'_>>(price.get()).ok())
        .and_then(|price| price.get("amount").and_then(|amount| plain(amount)));
    let mut request = JsonRequest::new(method, path);
    request.body = std::str::from_utf8(body).ok().map(str::to_owned);
    exchange.fingerprint =
        fingerprint(&[method, path], amazon_pay::same_request(&request).as_bytes());
}

type Fields<'a> = std::collections::BTreeMap<String, &'a RawValue>;

/// A text without its quotes, a number as it is written.
fn plain(value: &RawValue) -> Option<String> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(text).ok().map(|text| short(&text)),
        b'{' | b'[' | b'n' => None,
        _ => Some(short(text)),
    }
}

/// The operation at a path, whether the sandbox serves it or not.
fn operation(method: &str, path: &str) -> Option<&'static str> {
    const fn entry<O: Route>() -> (&'static str, &'static str, &'static str) {
        (O::METHOD, O::PATH, O::ACTION)
    }
    let known = const {
        [
            entry::<CancelCharge>(),
            entry::<CaptureCharge>(),
            entry::<CloseChargePermission>(),
            entry::<CompleteCheckoutSession>(),
            entry::<CreateCharge>(),
            entry::<CreateCheckoutSession>(),
            entry::<CreateRefund>(),
            entry::<GetCharge>(),
            entry::<GetChargePermission>(),
            entry::<GetCheckoutSession>(),
            entry::<GetRefund>(),
            entry::<UpdateChargePermission>(),
            entry::<UpdateCheckoutSession>(),
        ]
    };
    known
        .into_iter()
        .find(|(its_method, template, _)| {
            *its_method == method && amazon_pay::matches(template, path)
        })
        .map(|(_, _, action)| action)
}

impl Exchange {
    /// Takes from an answer what it says; whether it leaves is another matter.
    pub(crate) fn replied(&mut self, status: u16, body: &[u8]) {
        // An answer that is no text says nothing.
        let text = std::str::from_utf8(body).unwrap_or_default();
        self.status = Some(status);
        self.error = match self.service {
            Service::AmazonPay => json_text(text, "reasonCode"),
            Service::FlexiblePayments => element(text, "Code")
                .or_else(|| element(text, "ErrorCode"))
                .or_else(|| element(text, "faultcode")),
        };
        if self.error.is_none() && status < 300 && !reads(self.operation.as_deref()) {
            self.created = self.made(text);
        }
    }

    fn made(&self, text: &str) -> Option<String> {
        match (self.service, self.operation.as_deref()?) {
            (Service::AmazonPay, "CreateRefund") => json_text(text, "refundId"),
            (Service::AmazonPay, "CreateCharge") => json_text(text, "chargeId"),
            (Service::AmazonPay, "CreateCheckoutSession") => json_text(text, "checkoutSessionId"),
            (Service::AmazonPay, _) => None,
            (Service::FlexiblePayments, _) => {
                element(text, "TransactionId").or_else(|| element(text, "TokenId"))
            }
        }
    }
}

/// The text of the first element of a name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once('<')?;
    Some(short(text))
}

/// A field of the outermost object.
fn json_text(json: &str, name: &str) -> Option<String> {
    let fields: Fields<'_> = serde_json::from_str(json).ok()?;
    fields.get(name).and_then(|value| plain(value))
}

/// The beginning of a text.
fn short(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}

fn fingerprint(before: &[&str], what: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in before {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(what);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment { at_millis: 0, since_open_micros: 0 };

    fn seen(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Option<Exchange> {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        read(&parts, body.as_bytes(), MOMENT, &Log::new())
    }

    #[test]
    fn a_query_is_read_whichever_way_it_comes() {
        let form = "Action=Refund&AWSAccessKeyId=AK&CallerReference=r%201&TransactionId=T\
                    &RefundAmount.Value=1.10&Version=2010-08-28&SignatureVersion=2&Signature=x";
        let get = seen("GET", &format!("/?&{form}"), &[], "").unwrap();
        let post = seen("POST", "/", &[], &form.replace("Signature=x", "Signature=y")).unwrap();
        let soap = format!(
            r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
               <Refund xmlns="{}"><CallerReference>r 1</CallerReference>
               <TransactionId>T</TransactionId><RefundAmount><Value>1.10</Value></RefundAmount>
               </Refund></s:Body></s:Envelope>"#,
            fps_model::flexible_payments::Dialect::V2010_08_28.namespace()
        );
        let soap = seen("POST", "/", &[("content-type", "text/xml")], &soap).unwrap();
        assert_eq!((get.wire, post.wire, soap.wire), (Wire::Query, Wire::Query, Wire::Soap));
        for exchange in [&get, &post, &soap] {
            assert_eq!(exchange.operation.as_deref(), Some("Refund"));
            assert_eq!(exchange.version.as_deref(), Some("2010-08-28"));
            assert_eq!(exchange.idempotency_key.as_deref(), Some("r 1"));
            assert_eq!(exchange.payment.as_deref(), Some("T"));
            assert_eq!(exchange.amount.as_deref(), Some("1.10"));
            assert_eq!(exchange.fingerprint, get.fingerprint);
        }
        assert_eq!(get.key_id.as_deref(), Some("AK"));
        assert_eq!(get.signature_version.as_deref(), Some("2"));
        let other = seen("POST", "/", &[], &form.replace("1.10", "1.1")).unwrap();
        assert_ne!(other.fingerprint, get.fingerprint);
        let early = form.replace("RefundAmount.Value", "RefundAmount.Amount");
        assert_eq!(seen("POST", "/", &[], &early).unwrap().amount.as_deref(), Some("1.10"));
        let status = seen("GET", "/?Action=GetTransactionStatus&TransactionId=T", &[], "").unwrap();
        assert_eq!((status.object.as_deref(), status.payment), (Some("T"), None));
    }

    #[test]
    fn json_is_read_by_its_path_and_its_body() {
        let headers = [
            ("authorization", "AMZN-PAY-RSASSA-PSS-V2 PublicKeyId=SANDBOX-K, SignedHeaders=a, S=b"),
            ("x-amz-pay-idempotency-key", "k"),
        ];
        let body =
            r#"{"chargeId":"C","refundAmount":{"amount":10.100000001,"currencyCode":"USD"}}"#;
        let refund = seen("POST", "/sandbox/v2/refunds/", &headers, body).unwrap();
        assert_eq!(refund.operation.as_deref(), Some("CreateRefund"));
        assert_eq!(refund.key_id.as_deref(), Some("SANDBOX-K"));
        assert_eq!(refund.signature_version.as_deref(), Some("AMZN-PAY-RSASSA-PSS-V2"));
        assert_eq!(refund.payment.as_deref(), Some("C"));
        assert_eq!(refund.amount.as_deref(), Some("10.100000001"));
        let spaced = body.replace(',', " , ");
        let same = seen("POST", "/v2/refunds", &headers, &spaced).unwrap();
        assert_eq!(same.fingerprint, refund.fingerprint);
        for (method, path, operation, payment, object) in [
            ("GET", "/v2/refunds/R", Some("GetRefund"), None, Some("R")),
            ("GET", "/v2/charges/C/", Some("GetCharge"), Some("C"), Some("C")),
            ("POST", "/v2/charges/C/capture", Some("CaptureCharge"), Some("C"), None),
            ("DELETE", "/live/v2/charges/C/cancel", Some("CancelCharge"), Some("C"), None),
            ("GET", "/v2/nothing", None, None, None),
        ] {
            let seen = seen(method, path, &[], "").unwrap();
            assert_eq!(seen.operation.as_deref(), operation, "{path}");
            assert_eq!(seen.payment.as_deref(), payment, "{path}");
            assert_eq!(seen.object.as_deref(), object, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_seen_all_the_same() {
        let long = "x".repeat(TEXT_BYTES_MAX - 1) + "é";
        let seen_long = seen("GET", &format!("/?Action=A&CallerReference={long}"), &[], "");
        assert_eq!(seen_long.unwrap().idempotency_key.unwrap(), "x".repeat(TEXT_BYTES_MAX - 1));
        let broken = [
            seen("POST", "/", &[("content-type", "text/xml")], "<a>"),
            seen("POST", "/v2/refunds", &[], "{"),
            seen("POST", "/", &[], "Action=%"),
        ];
        for exchange in broken {
            assert_eq!(exchange.unwrap().fingerprint.len(), 64);
        }
        for path in ["/certs/x.pem", "/?wsdl", "/_sandbox/health", "/v1/refunds"] {
            assert!(seen("GET", path, &[], "").is_none(), "{path}");
        }
    }

    #[test]
    fn an_answer_tells_what_was_made_or_why_not() {
        let mut refund = seen("POST", "/v2/refunds", &[], "{}").unwrap();
        refund.replied(201, br#"{"refundId":"R","chargeId":"C"}"#);
        assert_eq!((refund.status, refund.created.as_deref()), (Some(201), Some("R")));
        refund.replied(400, br#"{"reasonCode":"CurrencyMismatch","message":""}"#);
        assert_eq!(refund.error.as_deref(), Some("CurrencyMismatch"));
        let mut pay = seen("GET", "/?Action=Pay", &[], "").unwrap();
        pay.replied(200, b"<PayResponse><TransactionId>T</TransactionId></PayResponse>");
        assert_eq!((pay.created.as_deref(), pay.error.as_deref()), (Some("T"), None));
        pay.replied(403, b"<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors>");
        assert_eq!(pay.error.as_deref(), Some("AuthFailure"));
    }
}

//! Flexible Payments Service over SOAP: what a signed envelope can do, and what one that was tampered
//! with cannot.

use bytes::Bytes;
use fps_model::flexible_payments::{
    CancelToken, Dialect, FlexiblePaymentsApi, GetTransactionStatus, Refund,
};
use fps_model::soap::{self, Addressing};
use fps_model::{Operation, Service};
use fps_sandbox::{Merchant, MerchantSpec};
use fps_sign::soap::{Message, sign};
use fps_sign::{Certificate, PrivateKey};
use refund_rules::Method;

use crate::fps_tokens::install;
use crate::world::{Seen, World, code, encoded, in_minutes, refund, transaction_id, usd};

const WSA: &str = "http://www.w3.org/2005/08/addressing";

/// The element of an operation inside the Body.
fn element<O: Operation<Service = FlexiblePaymentsApi>>(operation: &O, dialect: Dialect) -> String {
    let params = operation.encode(dialect).unwrap();
    let envelope = soap::write_request(&params, &Addressing::default()).unwrap();
    let envelope = String::from_utf8(envelope).unwrap();
    let start = envelope.find("<soapenv:Body>").unwrap() + "<soapenv:Body>".len();
    envelope[start..envelope.rfind("</soapenv:Body>").unwrap()].to_owned()
}

fn keys(merchant: &Merchant) -> (Certificate, PrivateKey) {
    let certificate = Certificate::from_pem(merchant.certificate_pem.as_bytes()).unwrap();
    (certificate, PrivateKey::from_pem(merchant.private_key_pem.expose()).unwrap())
}

/// A signed envelope with addressing headers.
fn envelope(merchant: &Merchant, body: &str, action: &str) -> String {
    let headers = [
        format!("<wsa:MessageID xmlns:wsa=\"{WSA}\">MESSAGE123</wsa:MessageID>"),
        format!("<wsa:Action xmlns:wsa=\"{WSA}\">urn:{action}</wsa:Action>"),
    ];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let (created, expires) = (in_minutes(0).to_extended(), in_minutes(5).to_extended());
    let (certificate, key) = keys(merchant);
    let message = Message::new(body, &created).expires(&expires).headers(&headers);
    sign(&message, &certificate, &key).unwrap()
}

async fn send(world: &World, envelope: String, action: Option<&str>) -> Seen {
    let mut request = http::Request::post(format!("{}/", world.sandbox.url()))
        .header("content-type", "text/xml; charset=utf-8");
    if let Some(action) = action {
        request = request.header("soapaction", action);
    }
    world.send(request.body(Bytes::from(envelope)).unwrap()).await
}

async fn perform<O: Operation<Service = FlexiblePaymentsApi>>(
    world: &World,
    operation: &O,
    dialect: Dialect,
) -> Seen {
    let body = element(operation, dialect);
    let envelope = envelope(&world.merchant, &body, O::ACTION);
    send(world, envelope, Some(&format!("\"{}\"", O::ACTION))).await
}

fn fault(seen: &Seen) -> (u16, String) {
    let error = FlexiblePaymentsApi::read_refusal(seen.1.as_bytes()).unwrap();
    assert!(seen.1.contains("<faultcode>aws:Client."), "{}", seen.1);
    (seen.0, error.code.as_str().to_owned())
}

#[tokio::test]
async fn a_signed_envelope_refunds_and_is_answered_as_seed_001_prints() {
    let world = World::start().await;
    let payment = world.paid("3").await;
    let request = refund("soap", &payment).refund_amount(usd("1.00"));
    let seen = perform(&world, &request, Dialect::V2008_09_17).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
    let answer = Refund::decode(seen.1.as_bytes(), Dialect::V2008_09_17).unwrap();
    let headers = soap::addressing(seen.1.as_bytes()).unwrap();
    assert_eq!(headers.relates_to.as_deref(), Some("MESSAGE123"));
    assert_eq!(headers.action.as_deref(), Some("urn:Refund:Response"));
    assert_eq!(headers.to.as_deref(), Some("http://www.w3.org/2005/08/addressing/anonymous"));
    let id = answer.request_id.unwrap();
    assert_eq!(headers.message_id, Some(format!("urn:uuid:{}", id.strip_suffix(":0").unwrap())));
    // The key is the same over Query, and so is the answer.
    let same = world.fps(&request).await;
    assert_eq!(same.0, 200, "{}", same.1);
    assert_eq!(transaction_id(&same), transaction_id(&seen));
    let other = refund("soap", &payment).refund_amount(usd("2.00"));
    assert_eq!(code(&world.fps(&other).await), (400, "DuplicateRequest"));
    let seen = perform(&world, &other, Dialect::V2008_09_17).await;
    assert_eq!(fault(&seen), (500, "DuplicateRequest".to_owned()));
    assert_eq!(world.totals().await[0].refunded, usd("1.00"));
}

#[tokio::test]
async fn two_merchants_with_one_reference_are_two_to_the_audit() {
    let world = World::start().await;
    let other = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    for (merchant, payment) in [(&world.merchant, "A"), (&other, "B")] {
        let body = element(&refund("same", payment), Dialect::V2008_09_17);
        send(&world, envelope(merchant, &body, "Refund"), None).await;
    }
    let audit = world.sandbox.audit().await.unwrap();
    assert!(audit.findings.is_empty(), "{audit}");
    // One merchant that does so is remarked on.
    let body = element(&refund("same", "C"), Dialect::V2008_09_17);
    send(&world, envelope(&world.merchant, &body, "Refund"), None).await;
    assert_eq!(world.sandbox.audit().await.unwrap().findings.len(), 1);
}

#[tokio::test]
async fn soap_speaks_every_revision() {
    let world = World::start().await;
    let caller = world.ask(&install("MyRole == 'Caller';")).await.token_id;
    for dialect in Dialect::ALL {
        let payment = world.paid("3").await;
        let mut request = refund(dialect.version(), &payment);
        if dialect == Dialect::V2007_01_08 {
            request = request.caller_token_id(caller.clone());
        }
        let seen = perform(&world, &request, dialect).await;
        assert_eq!(seen.0, 200, "{}", seen.1);
        assert!(seen.1.contains(dialect.namespace()), "{}", seen.1);
        // A refusal of the first revision has the same status.
        assert!(!seen.1.contains("<Status>Failure</Status>"), "{dialect:?}: {}", seen.1);
    }
    let asked = GetTransactionStatus::new("T");
    let seen = perform(&world, &asked, Dialect::V2010_08_28).await;
    assert_eq!(fault(&seen), (500, "InvalidParams".to_owned()));
    let token = world.sandbox.install_token(&world.merchant, Method::Card).await.unwrap();
    let seen = perform(&world, &CancelToken::new(token), Dialect::V2008_09_17).await;
    assert_eq!(seen.0, 200, "{}", seen.1);
}

#[tokio::test]
async fn only_a_signature_of_a_registered_certificate_counts() {
    let world = World::start().await;
    let payment = world.paid("3").await;
    let body = element(&refund("r", &payment), Dialect::V2008_09_17);
    let good = envelope(&world.merchant, &body, "Refund");
    let unsigned = soap::write_request(&encoded(&refund("r", &payment)), &Addressing::default());
    let unsigned = String::from_utf8(unsigned.unwrap()).unwrap();
    let other = World::start().await;
    // Who is another merchant sees nothing of this one's payments.
    let stranger = world.sandbox.create_merchant(MerchantSpec::new("Other")).await.unwrap();
    let late = |created, expires| {
        let (created, expires) = (in_minutes(created), expires);
        let created = created.to_extended();
        let expires: Option<String> = expires;
        let (certificate, key) = keys(&world.merchant);
        let mut message = Message::new(&body, &created);
        if let Some(expires) = &expires {
            message = message.expires(expires);
        }
        sign(&message, &certificate, &key).unwrap()
    };
    let cases = [
        ("unsigned", unsigned, "AuthFailure"),
        ("no XML", "<Envelope>".to_owned(), "AuthFailure"),
        ("changed", good.replace(&payment, &"16".repeat(17)), "SignatureDoesNotMatch"),
        ("unknown", envelope(&other.merchant, &body, "Refund"), "InvalidClientTokenId"),
        ("a stranger's", envelope(&stranger, &body, "Refund"), "InvalidTransactionId"),
        ("old", late(-16, None), "RequestExpired"),
        ("expired", late(-2, Some(in_minutes(-1).to_extended())), "RequestExpired"),
        ("of the future", late(16, Some(in_minutes(20).to_extended())), "RequestExpired"),
        ("of another action", envelope(&world.merchant, &body, "Pay"), "InvalidParams"),
    ];
    for (name, envelope, expected) in cases {
        let seen = send(&world, envelope, None).await;
        assert_eq!(fault(&seen), (500, expected.to_owned()), "{name}");
    }
    let seen = send(&world, good.clone(), Some("\"Pay\"")).await;
    assert_eq!(fault(&seen), (500, "InvalidParams".to_owned()));
    assert_eq!(world.totals().await[0].refunded, usd("0.00"));
    assert_eq!(send(&world, good, Some("Refund")).await.0, 200);
}

/// The ways to slip in a body that is not the signed one: none may change what is refunded.
#[tokio::test]
async fn a_wrapped_signature_proves_nothing() {
    let world = World::start().await;
    let (cheap, dear) = (world.paid("1").await, world.paid("100").await);
    let signed = envelope(
        &world.merchant,
        &element(&refund("cheap", &cheap), Dialect::V2008_09_17),
        "Refund",
    );
    let start = signed.find("<soap:Body").unwrap();
    let end = signed.rfind("</soap:Envelope").unwrap();
    let (head, body, tail) = (&signed[..start], &signed[start..end], &signed[end..]);
    let evil = body.replace(&cheap, &dear);
    let unnamed = evil.replacen("Id=\"body\"", "Id=\"evil\"", 1);
    let close = head.rfind("</").unwrap();
    let (header, header_end) = head.split_at(close);
    let cases = [
        ("a second body before", format!("{head}{unnamed}{body}{tail}")),
        ("a second body behind", format!("{head}{body}{unnamed}{tail}")),
        ("the same id twice", format!("{head}{evil}{body}{tail}")),
        (
            "the signed one in the header",
            format!("{header}<Wrap>{body}</Wrap>{header_end}{unnamed}{tail}"),
        ),
        ("the signed one behind the envelope", format!("{head}{unnamed}{tail}{body}")),
        ("inside the evil one", {
            let inside = unnamed.rfind("</").unwrap();
            format!("{head}{}{body}{}{tail}", &unnamed[..inside], &unnamed[inside..])
        }),
        (
            "a comment in the amount",
            format!(
                "{head}{}{tail}",
                body.replace(&cheap, &format!("{}<!-- -->{}", &cheap[..9], &cheap[9..]))
            ),
        ),
    ];
    for (name, envelope) in cases {
        let (status, code) = fault(&send(&world, envelope, None).await);
        assert_eq!(status, 500, "{name}");
        assert!(
            ["AuthFailure", "InvalidSignature", "SignatureDoesNotMatch"].contains(&code.as_str()),
            "{name}: {code}"
        );
    }
    assert_eq!(world.totals().await[0].refunded, usd("0.00"));
    assert_eq!(send(&world, signed, None).await.0, 200, "the signed one itself is good");
    assert_eq!(world.totals().await[0].refunded, usd("1.00"));
}

#[tokio::test]
async fn the_wsdl_names_this_sandbox() {
    let world = World::start().await;
    for path in ["/?wsdl", "/?WSDL", "/doc/2008-09-17/AmazonFPS.wsdl"] {
        let uri = format!("{}{path}", world.sandbox.url());
        let (status, body) = world.send(http::Request::get(uri).body(Bytes::new()).unwrap()).await;
        assert_eq!(status, 200, "{path}");
        let address = format!("<soap:address location=\"{}/\"/>", world.sandbox.url());
        assert!(body.contains(&address), "{path}");
        assert!(!body.contains("location=\"https://fps.amazonaws.com\""), "{path}");
    }
}

//! Asks for a refund until it is answered, always with the same key, wherever the sandbox is by then.

use std::time::Duration;

use bytes::Bytes;
use fps_http::{HyperTransport, Settings, Transport, Trust};
use fps_model::flexible_payments::{Dialect, FlexiblePaymentsApi, Pay, Refund};
use fps_model::{CallerReference, Operation, Timestamp};
use fps_sign::query::{Credentials, SignatureMethod};
use fps_sign::{PrivateKey, Secret, Target, amazon_pay, query};
use refund_rules::{Currency, Money};
use tokio::sync::watch;

use crate::server::{Place, World};

/// A refund that somebody wants, once.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) payment: String,
    pub(crate) cents: i64,
    key: String,
    is_charge: bool,
}

impl Wish {
    pub(crate) fn charge(serial: usize, charge: &str) -> Self {
        Self { payment: charge.to_owned(), cents: 100, key: format!("c{serial}"), is_charge: true }
    }

    pub(crate) fn payment(serial: usize, payment: &str) -> Self {
        let cents = i64::try_from(serial % 3 + 1).unwrap();
        Self { payment: payment.to_owned(), cents, key: format!("p{serial}"), is_charge: false }
    }

    fn amount(&self) -> Money {
        Money::from_minor(self.cents, Currency::USD)
    }
}

/// A wish that was answered, and with which refund.
pub(crate) struct Acknowledged {
    pub(crate) wish: Wish,
    pub(crate) id: String,
}

/// The id of the refund.
pub(crate) async fn insist(
    wish: &Wish,
    world: &World,
    place: &mut watch::Receiver<Place>,
) -> String {
    loop {
        let now = place.borrow_and_update().clone();
        let request = if wish.is_charge {
            charge_refund(wish, world, &now)
        } else {
            let key = CallerReference::new(&wish.key).unwrap();
            query(&Refund::new(key, &*wish.payment).refund_amount(wish.amount()), world, &now)
        };
        if let Some((status, body)) = send(&now, request).await {
            assert!(status == 200 || status == 201, "{status} {body}");
            return if wish.is_charge {
                between(&body, r#""refundId":""#, "\"")
            } else {
                between(&body, "<TransactionId>", "</TransactionId>")
            };
        }
        // It was killed: its successor tells where it is.
        if now.generation == place.borrow().generation {
            place.changed().await.unwrap();
        }
    }
}

/// Charges a token, and gives the transaction.
pub(crate) async fn pay(token: &str, world: &World, place: &Place) -> String {
    let amount = Money::parse("9000.00", Currency::USD).unwrap();
    let pay = Pay::new(CallerReference::new(&token[..32]).unwrap(), token, amount);
    let (status, body) = send(place, query(&pay, world, place)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    between(&body, "<TransactionId>", "</TransactionId>")
}

/// Nothing when no whole answer came.
async fn send(place: &Place, request: http::Request<Bytes>) -> Option<(u16, String)> {
    let trust = Trust::Only(place.ca_pem.clone());
    let transport = HyperTransport::new(&Settings::default().with_trust(trust)).unwrap();
    let answer = transport.call(request, Duration::from_secs(30), 1 << 20).await.ok()?;
    Some((answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap()))
}

fn query(
    operation: &impl Operation<Service = FlexiblePaymentsApi>,
    world: &World,
    place: &Place,
) -> http::Request<Bytes> {
    let host = format!("localhost:{}", place.port);
    let mut params = operation.encode(Dialect::default()).unwrap();
    let credentials = Credentials::new(&*world.access_key_id, Secret::new(&*world.secret_key));
    let target = Target::new("POST", &host, "/");
    let method = SignatureMethod::HmacSha256;
    for (name, value) in
        query::sign(&target, params.clone().iter(), &credentials, method, &now().to_extended())
    {
        params.push(name, value);
    }
    http::Request::post(format!("https://{host}/")).body(params.to_form().into()).unwrap()
}

fn charge_refund(wish: &Wish, world: &World, place: &Place) -> http::Request<Bytes> {
    let host = format!("localhost:{}", place.port);
    let body = format!(
        r#"{{"chargeId":"{}","refundAmount":{{"amount":"{}","currencyCode":"USD"}}}}"#,
        wish.payment, "1.00"
    );
    let date = now().to_basic();
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-amz-pay-date", &*date),
        ("x-amz-pay-host", &*host),
        ("x-amz-pay-idempotency-key", &*wish.key),
        ("x-amz-pay-region", "na"),
    ];
    let request = amazon_pay::Request {
        method: "POST",
        path: "/v2/refunds",
        query: &[],
        headers: &headers,
        body: body.as_bytes(),
    };
    let key = PrivateKey::from_pem(&world.private_key_pem).unwrap();
    let algorithm = amazon_pay::Algorithm::V2;
    let authorization =
        amazon_pay::authorization(&request, algorithm, &world.public_key_id, &key).unwrap();
    let mut builder = http::Request::post(format!("https://{host}/v2/refunds"))
        .header("authorization", authorization);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(body.into()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a request made by hand needs a date")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

fn between(text: &str, before: &str, after: &str) -> String {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("no {before} in {text}")).0.to_owned()
}

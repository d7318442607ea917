//! An address for notifications, served by axum: proves what arrives, says what it believed, and
//! answers. Nothing about refunds is decided here.
//!
//! ```text
//! cargo run -p fps --example notifications_axum
//! ```
//!
//! It posts to itself: a notification of FPS, the same changed on the way, and a message of SNS, twice;
//! all signed by keys that are made at the start. Then it ends. Only `Shop` and `receive` belong into a
//! shop, the rest imitates Amazon.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use fps::amazon_pay::{RefundId, SnsEnvelope, SnsMessageType, SnsSignatureVersion};
use fps::{
    Arrived, CertificateFetcher, CertificateOrigin, Event, Notifications, PrivateKey, Settings,
    Topic, Trust,
};
use fps_http::{BoxFuture, HyperTransport, Transport, TransportError};
use fps_model::Timestamp;
use fps_model::flexible_payments::{NotifiedOperation, NotifiedStatus, TransactionNotification};
use fps_sign::sns::SignatureVersion;
use fps_sign::{Target, outbound, sns};
use refund_rules::{Currency, Money};
use tokio::net::TcpListener;

/// What the shop's handler shares.
struct Shop {
    notifications: Notifications,
}

/// The whole handler. It needs the raw body: what a form extractor makes of it is not what was signed.
async fn receive(
    State(shop): State<Arc<Shop>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let arrived = Arrived::new(method.as_str(), &headers, &body);
    let received = match shop.notifications.receive(&arrived).await {
        Ok(received) => received,
        Err(error) => {
            println!("not believed: {error}");
            // 503 where it may be true, so that it is sent again.
            return StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        }
    };
    let again = if received.is_repeated() { " (again)" } else { "" };
    println!("believed {}{again}, by {:?}", received.id(), received.proof());
    match received.event() {
        Event::Transaction(notified) => {
            println!(
                "  transaction {} {:?}",
                notified.transaction_id.as_str(),
                received.event().observation()
            );
        }
        Event::Changed(changed) => match changed.refund_id() {
            Some(refund) => println!("  refund {} changed: ask how it stands", refund.as_str()),
            None => {
                println!("  {} {} changed", changed.object_type(), changed.object_id().as_str())
            }
        },
        Event::SubscriptionConfirmation(it) => {
            println!(
                "  {} asks to be subscribed to: visit its address if you wish",
                it.topic_arn()
            );
        }
        other => println!("  {other:?}"),
    }
    // After what it causes has been stored, and not before: otherwise a failure would lose it.
    shop.notifications.acknowledge(&received);
    StatusCode::OK
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let amazon = Amazon::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/ipn", listener.local_addr()?);

    // A shop uses `CertificateFetcher::new(&Settings::default())` and the origins of the real services.
    let fetcher = || CertificateFetcher::with_transport(amazon.certificates());
    let origin = CertificateOrigin::new("https://fps.example/")?;
    let topic =
        Topic::new(CertificateOrigin::sns_region("us-east-1")?, TOPIC).with_merchant(MERCHANT);
    let notifications =
        Notifications::new(&*url, origin, fetcher()).with_topics([topic], fetcher());
    let shop = Arc::new(Shop { notifications });
    let router = Router::new().route("/ipn", any(receive)).with_state(shop);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    // Without TLS, on this machine: nobody need be trusted.
    let trust = Trust::Only(amazon.sns.1.clone());
    let network = HyperTransport::new(&Settings::default().with_trust(trust))?;
    let form = amazon.payments_say(&url)?;
    let forged = form.replace("REFUND", "PAY");
    let message = amazon.pay_says()?;
    for (kind, body, expected) in [
        ("Form", form.as_bytes(), 200),
        ("Form", forged.as_bytes(), 403),
        ("Notification", &*message, 200),
        ("Notification", &*message, 200),
    ] {
        let status = post(&network, &url, kind, body).await?;
        if status != expected {
            return Err(format!("the shop answered {status} and not {expected}").into());
        }
    }
    server.abort();
    Ok(())
}

const TOPIC: &str = "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE";
const MERCHANT: &str = "A1O8CIV1A24A6X";
const FPS_CERTIFICATE: &str = "https://fps.example/certs/PKICert.pem";
const SNS_CERTIFICATE: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem";

/// Both services, each with a key of its own.
struct Amazon {
    payments: (PrivateKey, String),
    sns: (PrivateKey, String),
}

impl Amazon {
    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self { payments: new_key()?, sns: new_key()? })
    }

    fn certificates(&self) -> Certificates {
        Certificates(vec![
            (FPS_CERTIFICATE, self.payments.1.clone()),
            (SNS_CERTIFICATE, self.sns.1.clone()),
        ])
    }

    /// A refund has succeeded.
    fn payments_say(&self, url: &str) -> Result<String, Box<dyn Error>> {
        let mut params = TransactionNotification::new(
            "14GK6F2QU755ODS27SGHEURLKPG72Z54KMF",
            Timestamp::parse("2009-10-06T05:52:04Z").ok_or("no date")?,
            NotifiedStatus::Success,
            NotifiedOperation::Refund,
            Money::parse("1.00", Currency::USD)?,
        )
        .to_params()?;
        let target = Target::from_url("POST", url).ok_or("no address")?;
        let added = outbound::sign(&target, params.iter(), FPS_CERTIFICATE, &self.payments.0)?;
        for (name, value) in added {
            params.push(name, value);
        }
        Ok(params.to_form())
    }

    /// A refund has changed.
    fn pay_says(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let refund = RefundId::new("S01-5105180-3221187-R022311");
        let message = format!(
            r#"{{"NotificationType":"STATE_CHANGE","ObjectType":"REFUND","ObjectId":"{}","MerchantID":"{MERCHANT}"}}"#,
            refund.as_str()
        );
        let (id, sent_at) = ("165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "2026-01-15T10:21:30.123Z");
        let fields = [
            ("Type", "Notification"),
            ("MessageId", id),
            ("TopicArn", TOPIC),
            ("Message", &*message),
            ("Timestamp", sent_at),
        ];
        let mut envelope =
            SnsEnvelope::new(SnsMessageType::Notification, id, TOPIC, &*message, sent_at);
        for (name, value) in sns::sign(fields, SignatureVersion::V2, SNS_CERTIFICATE, &self.sns.0)?
        {
            envelope = match name {
                "SignatureVersion" => {
                    envelope.signature_version(SnsSignatureVersion::from(&*value))
                }
                "SigningCertURL" => envelope.signing_cert_url(value),
                _ => envelope.signature(value),
            };
        }
        Ok(envelope.to_json())
    }
}

/// A new key, and the certificate that it signs itself.
fn new_key() -> Result<(PrivateKey, String), Box<dyn Error>> {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
    let certificate = rcgen::CertificateParams::default().self_signed(&key)?;
    Ok((PrivateKey::from_pem(&key.serialize_pem())?, certificate.pem()))
}

/// The network, as far as certificates go.
struct Certificates(Vec<(&'static str, String)>);

impl Transport for Certificates {
    fn call(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
        _body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let address = request.uri().to_string();
        let found = self.0.iter().find(|(url, _)| *url == address);
        let mut answer = http::Response::new(Bytes::new());
        match found {
            Some((_, pem)) => *answer.body_mut() = Bytes::from(pem.clone()),
            None => *answer.status_mut() = StatusCode::NOT_FOUND,
        }
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// Posts as the service would that has this kind of message.
async fn post(
    network: &HyperTransport,
    url: &str,
    kind: &str,
    body: &[u8],
) -> Result<u16, Box<dyn Error>> {
    let request = http::Request::post(url);
    let request = match kind {
        "Form" => request.header("content-type", "application/x-www-form-urlencoded"),
        kind => request
            .header("content-type", "text/plain; charset=UTF-8")
            .header("x-amz-sns-message-type", kind),
    };
    let request = request.body(Bytes::copy_from_slice(body))?;
    let answer = network.call(request, Duration::from_secs(5), 1024).await?;
    Ok(answer.status().as_u16())
}

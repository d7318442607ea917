//! Notifications from the request that arrived to what is believed: what both services' tests need.

#![expect(clippy::unwrap_used, reason = "a case that cannot be built is a failed test")]

mod hostile;
mod payments;
mod repeated;
mod service;
mod topics;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fps::amazon_pay::{SnsEnvelope, SnsMessageType, SnsSignatureVersion};
use fps::{
    Arrived, CertificateFetcher, CertificateOrigin, NotificationError, Notifications, PrivateKey,
    Received, Topic,
};
use fps_http::{BoxFuture, Transport, TransportError};
use fps_model::Params;
use fps_sign::sns::SignatureVersion;
use fps_sign::{PublicKey, Target, outbound, sns};

/// Where the merchant of Amazon's own samples had its address.
const ADDRESS: &str = "http://vamsik.desktop.amazon.com:8080/ipn.jsp";
/// What those samples name.
const FPS_CERTIFICATE: &str = "https://fps.sandbox.amazonaws.com/certs/090909/PKICert.pem";
const SNS_CERTIFICATE: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-synthetic.pem";
const TOPIC: &str = "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE";
const MERCHANT: &str = "A1O8CIV1A24A6X";

const TEST_CERTIFICATE: &str =
    include_str!("../../../fps-sign/tests/keys/rsa-2048.certificate.pem");

fn test_key() -> PrivateKey {
    let pem = include_str!("../../../fps-sign/tests/keys/rsa-2048.pkcs8.pem");
    PrivateKey::from_pem(pem).unwrap()
}

/// Amazon's own key of 2009 in a certificate. The original is lost; nobody checks who issued this one,
/// so it is the one of these tests with the other key in its place, which has the same length.
fn amazons_certificate() -> String {
    let pem =
        include_str!("../../../fps-sign/tests/vectors/outbound/fps-outbound-090909-public.pem");
    let theirs = pem::parse(pem).unwrap().into_contents();
    let ours = pem::parse(test_key().public_key().to_pem()).unwrap().into_contents();
    let mut certificate = pem::parse(TEST_CERTIFICATE).unwrap().into_contents();
    assert_eq!(theirs.len(), ours.len());
    let at = certificate.windows(ours.len()).position(|window| window == ours).unwrap();
    certificate[at..at + ours.len()].copy_from_slice(&theirs);
    let certificate = pem::encode(&pem::Pem::new("CERTIFICATE", certificate));
    let read = fps_sign::Certificate::from_pem(certificate.as_bytes()).unwrap();
    assert_eq!(read.public_key().to_pem(), PublicKey::from_pem(pem).unwrap().to_pem());
    certificate
}

/// Serves one answer at every address there is, and keeps what was asked for.
#[derive(Clone)]
struct Host {
    status: u16,
    body: Arc<str>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn serving(body: &str) -> Self {
        Self::answering(200, body)
    }

    fn answering(status: u16, body: &str) -> Self {
        Self { status, body: body.into(), asked: Arc::default() }
    }

    fn fetcher(&self) -> CertificateFetcher {
        CertificateFetcher::with_transport(self.clone())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Transport for Host {
    fn call(
        &self,
        request: http::Request<Bytes>,
        _timeout: Duration,
        _body_bytes_max: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        self.asked.lock().unwrap().push(request.uri().to_string());
        let answer = http::Response::builder()
            .status(self.status)
            .header("location", "https://evil.example/PKICert.pem")
            .body(Bytes::from(self.body.to_string()));
        Box::pin(async { Ok(answer.unwrap()) })
    }
}

fn sandbox() -> CertificateOrigin {
    CertificateOrigin::retired_sandbox()
}

fn us_east_1() -> CertificateOrigin {
    CertificateOrigin::sns_region("us-east-1").unwrap()
}

/// Of both services, with certificates of the tests' own key.
fn of_both(host: &Host) -> Notifications {
    Notifications::new(ADDRESS, sandbox(), host.fetcher())
        .with_topics([Topic::new(us_east_1(), TOPIC).with_merchant(MERCHANT)], host.fetcher())
}

const FORM: [(&str, &str); 1] =
    [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];

async fn receive_form(
    notifications: &Notifications,
    body: &str,
) -> Result<Received, NotificationError> {
    notifications.receive(&Arrived::new("POST", FORM, body.as_bytes())).await
}

/// A form of FPS signed by the tests' key for the address of the tests.
fn signed_form(params: &Params, certificate_url: &str) -> String {
    let target = Target::from_url("POST", ADDRESS).unwrap();
    let added = outbound::sign(&target, params.iter(), certificate_url, &test_key()).unwrap();
    let mut signed = params.clone();
    for (name, value) in added {
        signed.push(name, value);
    }
    signed.to_form()
}

/// The parameters of a form without those of its signature.
fn unsigned(form: &str) -> Params {
    let params = Params::parse(form.trim().as_bytes()).unwrap();
    let is_signature = |name: &str| name.starts_with("signature") || name == "certificateUrl";
    let kept = params.iter().filter(|(name, _)| !is_signature(name));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn refund_changed(id: &str) -> SnsEnvelope {
    let inner = format!(
        r#"{{"NotificationVersion":"V2","NotificationType":"STATE_CHANGE",
            "ChargePermissionId":"S01-5105180-3221187","NotificationId":"n",
            "ObjectType":"REFUND","ObjectId":"S01-5105180-3221187-R022311",
            "MerchantID":"{MERCHANT}"}}"#
    );
    envelope(SnsMessageType::Notification, id, TOPIC, &inner)
}

fn envelope(kind: SnsMessageType, id: &str, topic: &str, message: &str) -> SnsEnvelope {
    SnsEnvelope::new(kind, id, topic, message, "2026-01-15T10:21:30.123Z")
}

/// An envelope signed by the tests' key.
fn signed_envelope(
    envelope: &SnsEnvelope,
    version: SignatureVersion,
    certificate_url: &str,
) -> SnsEnvelope {
    let given = [
        ("Type", Some(envelope.message_type.as_str())),
        ("MessageId", Some(envelope.message_id.as_str())),
        ("TopicArn", Some(envelope.topic_arn.as_str())),
        ("Message", Some(envelope.message.expose())),
        ("Timestamp", Some(envelope.timestamp.as_str())),
        ("Subject", envelope.subject.as_deref()),
        ("Token", envelope.token.as_ref().map(|token| token.expose())),
        ("SubscribeURL", envelope.subscribe_url.as_ref().map(|url| url.expose())),
    ];
    let fields = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let added = sns::sign(fields, version, certificate_url, &test_key()).unwrap();
    let value = |name| added.iter().find(|(given, _)| *given == name).unwrap().1.as_str();
    envelope
        .clone()
        .signature_version(SnsSignatureVersion::from(value("SignatureVersion")))
        .signing_cert_url(value("SigningCertURL"))
        .signature(value("Signature"))
}

/// The headers that SNS sends with it.
fn sns_headers(envelope: &SnsEnvelope) -> Vec<(String, String)> {
    [
        ("content-type", "text/plain; charset=UTF-8"),
        ("x-amz-sns-message-type", envelope.message_type.as_str()),
        ("x-amz-sns-message-id", envelope.message_id.as_str()),
        ("x-amz-sns-topic-arn", envelope.topic_arn.as_str()),
        ("user-agent", "Amazon Simple Notification Service Agent"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

async fn receive_sns(
    notifications: &Notifications,
    envelope: &SnsEnvelope,
) -> Result<Received, NotificationError> {
    let body = envelope.to_json();
    notifications.receive(&Arrived::new("POST", sns_headers(envelope), &body)).await
}

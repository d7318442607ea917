//! Notifications of Amazon Pay through SNS: a signed envelope, and in it that something changed, never
//! what.
//!
//! Source: Amazon Pay, instant payment notifications; AWS SNS developer guide, "HTTP/HTTPS notification
//! JSON format" and "HTTP/HTTPS headers".

use bytes::Bytes;
use fps_model::amazon_pay::{
    Notification, NotificationType, NotificationVersion, ObjectType, SnsEnvelope, SnsMessageType,
};
use fps_sign::sns;
use http_body_util::Full;
use rusqlite::Connection;

use super::delivery::Due;
use super::{New, write};
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::sandbox::Shared;
use crate::{ids, merchants};

/// Where the certificate is served; the form of the name is that of SNS.
pub(crate) const CERTIFICATE_PATH: &str = "/certs/sns/SimpleNotificationService-fps-sandbox.pem";

/// Tells the merchant that the state of an object changed, if it wants to be told.
pub(super) fn state_changed(
    connection: &Connection,
    merchant: i64,
    object: (ObjectType, &str),
    permission: &str,
    now: Millis,
) -> Result<(), Error> {
    let seller = merchants::seller(connection, merchant)?;
    let Some(url) = &seller.sns_url else { return Ok(()) };
    let (object_type, object_id) = object;
    let message = Notification::new(NotificationType::StateChange, object_type, object_id)
        .notification_version(NotificationVersion::V2)
        .notification_id(ids::request_id())
        .merchant_id(seller.seller_id.as_str())
        .charge_permission_id(permission);
    let body =
        serde_json::to_string(&message).map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    let new = New {
        topic: Some(merchants::topic_arn(&seller.seller_id, seller.region)),
        message_id: Some(ids::request_id()),
        ..New::form(merchant, url, object_id, body)
    };
    write(connection, &new, now)
}

/// The signed envelope as it is posted. All but the signature is the same on every try.
pub(super) fn request(
    due: &Due,
    topic: &str,
    shared: &Shared,
) -> Option<http::Request<Full<Bytes>>> {
    let message_id = due.message_id.as_deref()?;
    let timestamp = clock::timestamp(due.created_at).to_extended();
    let fields = [
        ("Type", "Notification"),
        ("MessageId", message_id),
        ("TopicArn", topic),
        ("Message", due.body.as_str()),
        ("Timestamp", timestamp.as_str()),
    ];
    let version =
        if shared.sns.version_2 { sns::SignatureVersion::V2 } else { sns::SignatureVersion::V1 };
    let url = format!("{}{CERTIFICATE_PATH}", shared.url);
    let added = sns::sign(fields, version, &url, &shared.notification_key).ok()?;
    let mut envelope = SnsEnvelope::new(
        SnsMessageType::Notification,
        message_id,
        topic,
        due.body.as_str(),
        timestamp.as_str(),
    )
    .signature_version(version.as_str().into())
    .signing_cert_url(url.as_str())
    .unsubscribe_url(format!("{}/?Action=Unsubscribe", shared.url));
    let signature = added.into_iter().find(|(name, _)| *name == "Signature");
    envelope.signature = signature.map(|(_, value)| value.into());
    http::Request::post(&due.url)
        .header("content-type", "text/plain; charset=UTF-8")
        .header("user-agent", "Amazon Simple Notification Service Agent")
        .header("x-amz-sns-message-type", "Notification")
        .header("x-amz-sns-message-id", message_id)
        .header("x-amz-sns-topic-arn", topic)
        .header("x-amz-sns-subscription-arn", format!("{topic}:{}", subscription(topic)))
        .body(Full::new(Bytes::from(serde_json::to_vec(&envelope).ok()?)))
        .ok()
}

/// A subscription of each topic that keeps its name: the first bytes of a hash of it, as a UUID.
fn subscription(topic: &str) -> uuid::Uuid {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(topic.as_bytes());
    let bytes = hash.first_chunk::<16>().copied().unwrap_or_default();
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// How the sandbox plays SNS.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sns {
    /// Whether it signs with SHA-256. A topic does not unless it was set to.
    pub(crate) version_2: bool,
    /// Whether it tries as long as an older page of Amazon Pay says.
    pub(crate) legacy_retries: bool,
}

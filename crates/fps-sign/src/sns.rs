//! What Amazon Pay sends through SNS, signature versions 1 (RSA-SHA1) and 2 (RSA-SHA256); no JSON is
//! parsed here, and what the message says about a payment is not understood.
//!
//! ```
//! use fps_sign::sns::{self, Claim, SignatureVersion};
//! use fps_sign::{Certificate, CertificateOrigin, PrivateKey};
//!
//! # let key = PrivateKey::from_pem(include_str!("../tests/keys/rsa-2048.pkcs8.pem"))?;
//! # let fetched = include_bytes!("../tests/keys/rsa-2048.certificate.pem");
//! // Which region and which topic are believed comes from the configuration, never from the message.
//! let origin = CertificateOrigin::sns_region("us-east-1")?;
//! let topic_arn = "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE";
//!
//! // An emulator signs.
//! let fields = [
//!     ("Type", "Notification"),
//!     ("MessageId", "165545c9-2a5c-472c-8df2-7ff2be2b3b1b"),
//!     ("TopicArn", topic_arn),
//!     ("Message", r#"{"ObjectType":"REFUND"}"#),
//!     ("Timestamp", "2026-01-15T10:21:30.123Z"),
//! ];
//! let url = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem";
//! let signature = sns::sign(fields, SignatureVersion::V2, url, &key)?;
//! let fields = fields.map(|(name, value)| (name, value.to_owned()));
//! let received: Vec<(String, String)> =
//!     fields.into_iter().chain(signature).map(|(name, value)| (name.to_owned(), value)).collect();
//!
//! // The shop reads the claim, fetches the certificate from the address if it is admitted, and gets
//! // the proof.
//! let claim = Claim::read(received)?;
//! let address = claim.certificate_url(&origin)?;
//! assert_eq!(address.as_str(), url);
//! let proved = claim.verify(Certificate::from_pem(fetched)?.public_key())?;
//! if proved.get().topic_arn() != topic_arn {
//!     return Err("signed by SNS, for somebody else".into());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the proof does not say
//!
//! - **Whose message it is.** SNS signs for everybody who has a topic, with the same key. Compare
//!   [`Message::topic_arn`] with the one in your configuration, also before a subscription is
//!   confirmed.
//! - **That it is new.** Retries carry the same [`Message::message_id`]: remember those you handled.
//!   [`Message::timestamp`] is signed; whether it is recent is for the caller to judge.
//! - **Anything that is not in [`Message`].** `SignatureVersion`, `SigningCertURL` and
//!   `UnsubscribeURL` are not signed.
//!
//! # Why no two messages have the same text
//!
//! The signed text separates names and values by line ends, and does not escape them. It is still
//! read in one way only, from its end: the last line names the type and with it the fields. All
//! values but that of `Message` are single lines (others are refused), so each field stands at a fixed
//! line counted from the end; the one optional field, `Subject`, is there if the line two above
//! `Timestamp` says `Subject` and not `MessageId`. All that remains is `Message`, which may say what
//! it likes. Were another value allowed to hold a line end, a `MessageId` could be read as a
//! `MessageId` and a `Subject`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{CertificateOrigin, CertificateUrl};
use crate::error::{Error, OriginError, SignError};
use crate::key::{PrivateKey, PublicKey};
use crate::rsa::Scheme;
use crate::target::single;
use crate::verified::Verified;

/// The least bits of a key for SHA-256. One backend would verify by a shorter one and one would not.
const SHA256_BITS_MIN: usize = 2048;

/// Every field that SNS writes. None of them may stand twice, signed or not.
const FIELDS: [&str; 12] = [
    "Message",
    "MessageId",
    "Signature",
    "SignatureVersion",
    "SigningCertURL",
    "Subject",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
    "UnsubscribeURL",
];

/// Which hash; the value of `SignatureVersion`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// `1`, SHA-1: what a topic signs with unless it was set otherwise.
    V1,
    /// `2`, SHA-256, preferred.
    #[default]
    V2,
}

impl SignatureVersion {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
        }
    }

    const fn scheme(self) -> Scheme {
        match self {
            Self::V1 => Scheme::Pkcs1Sha1,
            Self::V2 => Scheme::Pkcs1Sha256,
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        [Self::V1, Self::V2]
            .into_iter()
            .find(|version| version.as_str() == text)
            .ok_or(Error::Unsupported { part: "SignatureVersion", accepted: "1 or 2" })
    }
}

/// What a message is for; the value of `Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageType {
    /// Something happened.
    Notification,
    /// Somebody wants this address subscribed to a topic.
    SubscriptionConfirmation,
    /// This address was unsubscribed from a topic.
    UnsubscribeConfirmation,
}

impl MessageType {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        [Self::Notification, Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(Error::Unsupported {
                part: "Type",
                accepted: "Notification, SubscriptionConfirmation or UnsubscribeConfirmation",
            })
    }
}

/// The signed fields of a message, and no others. By itself it proves nothing; [`Verified`] does.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    message_type: MessageType,
    message: String,
    message_id: String,
    subject: Option<String>,
    subscribe_url: Option<String>,
    timestamp: String,
    token: Option<String>,
    topic_arn: String,
}

/// Without the text, which may name buyers, and the token, which whoever has it may use.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("message_type", &self.message_type)
            .field("message_id", &self.message_id)
            .field("topic_arn", &self.topic_arn)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// Reads the signed fields among `fields`, which are the names and decoded texts at the top level
    /// of the JSON object. Fields that a message of its type does not sign are left behind.
    ///
    /// # Errors
    /// [`Error`] when a field is missing or doubled, the type is none of the three, or a value other
    /// than that of `Message` has more than one line.
    pub fn read(fields: &[(String, String)]) -> Result<Self, Error> {
        let message_type = MessageType::parse(single(fields, "Type")?)?;
        let (subject, subscribe_url, token) = match message_type {
            MessageType::Notification => (optional_line(fields, "Subject")?, None, None),
            MessageType::SubscriptionConfirmation | MessageType::UnsubscribeConfirmation => {
                (None, Some(line(fields, "SubscribeURL")?), Some(line(fields, "Token")?))
            }
        };
        Ok(Self {
            message_type,
            message: single(fields, "Message")?.to_owned(),
            message_id: line(fields, "MessageId")?,
            subject,
            subscribe_url,
            timestamp: line(fields, "Timestamp")?,
            token,
            topic_arn: line(fields, "TopicArn")?,
        })
    }

    /// What it is for.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The text; in a notification of Amazon Pay, a JSON object.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same on every retry.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The subject, if a notification has one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Of the two confirmations: the address that subscribes again. Call it only for your own topic.
    #[must_use]
    pub fn subscribe_url(&self) -> Option<&str> {
        self.subscribe_url.as_deref()
    }

    /// When SNS says that it was published.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// Of the two confirmations: what `ConfirmSubscription` takes.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The topic. Anybody may have one: compare it with yours.
    #[must_use]
    pub fn topic_arn(&self) -> &str {
        &self.topic_arn
    }
}

/// The text that both versions sign: name and value of each field, a line each, in the order of the
/// names.
#[must_use]
pub fn string_to_sign(message: &Message) -> String {
    let fields = [
        ("Message", Some(message.message())),
        ("MessageId", Some(message.message_id())),
        ("Subject", message.subject()),
        ("SubscribeURL", message.subscribe_url()),
        ("Timestamp", Some(message.timestamp())),
        ("Token", message.token()),
        ("TopicArn", Some(message.topic_arn())),
        ("Type", Some(message.message_type().as_str())),
    ];
    let mut text = String::with_capacity(message.message.len() + 512);
    for (name, value) in fields {
        let Some(value) = value else { continue };
        for part in [name, value] {
            text.push_str(part);
            text.push('\n');
        }
    }
    text
}

/// The fields that sign a message: `SignatureVersion`, `SigningCertURL` and, last, `Signature`.
///
/// `fields` are those of the message without these. Only what [`Message`] holds is signed. SHA-1
/// signatures are made by the portable RSA backend only.
///
/// # Errors
/// [`SignError`] from the key, or because the fields are no message that could be verified.
pub fn sign<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    version: SignatureVersion,
    signing_cert_url: &str,
    key: &PrivateKey,
) -> Result<Vec<(&'static str, String)>, SignError> {
    let fields: Vec<_> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let message = Message::read(&fields).map_err(SignError::new)?;
    let signature = key.sign(version.scheme(), string_to_sign(&message).as_bytes())?;
    Ok(vec![
        ("SignatureVersion", version.as_str().to_owned()),
        ("SigningCertURL", signing_cert_url.to_owned()),
        ("Signature", STANDARD.encode(signature)),
    ])
}

/// A message that says who signed it; nothing is proved yet.
#[derive(Clone)]
pub struct Claim {
    message: Message,
    version: SignatureVersion,
    certificate_url: String,
    signature: Vec<u8>,
}

/// Without the signature, which is nobody's business.
impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("message", &self.message)
            .field("certificate_url", &self.certificate_url)
            .finish_non_exhaustive()
    }
}

impl Claim {
    /// Reads what a message claims. `fields` are the names and decoded texts at the top level of the
    /// JSON object, doubled ones included: a parser that drops one of two decides what is believed.
    ///
    /// # Errors
    /// [`Error`] when a field is missing, doubled or unreadable, or of an unknown type or version.
    pub fn read(fields: impl AsRef<[(String, String)]>) -> Result<Self, Error> {
        let fields = fields.as_ref();
        for name in FIELDS {
            if fields.iter().filter(|(given, _)| given == name).nth(1).is_some() {
                return Err(Error::Duplicate(name.to_owned()));
            }
        }
        let version = SignatureVersion::parse(single(fields, "SignatureVersion")?)?;
        let certificate_url = single(fields, "SigningCertURL")?.to_owned();
        let signature = STANDARD
            .decode(single(fields, "Signature")?)
            .map_err(|_| Error::Malformed("Signature"))?;
        Ok(Self { message: Message::read(fields)?, version, certificate_url, signature })
    }

    /// Which version it says it is signed by. The version is not signed; the other one does not
    /// verify. A caller that set its topic to version 2 can refuse version 1 here.
    #[must_use]
    pub const fn signature_version(&self) -> SignatureVersion {
        self.version
    }

    /// Where the certificate is said to be, if the configured origin admits it and it is a `.pem`
    /// file. Nothing is fetched.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn certificate_url(
        &self,
        origin: &CertificateOrigin,
    ) -> Result<CertificateUrl, OriginError> {
        origin.admit_pem(&self.certificate_url)
    }

    /// The text that the signature should be over, for the message that refuses it.
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        string_to_sign(&self.message)
    }

    /// Proves the claim by the key of the certificate. Version 2 takes keys of 2048 bits and more,
    /// version 1 also shorter ones.
    ///
    /// # Errors
    /// [`Error::Mismatch`], or [`Error::Unsupported`] for a key too short for the version.
    pub fn verify(self, key: &PublicKey) -> Result<Verified<Message>, Error> {
        if self.version == SignatureVersion::V2 && key.bits() < SHA256_BITS_MIN {
            return Err(Error::Unsupported {
                part: "the key of SignatureVersion 2",
                accepted: "RSA of at least 2048 bits",
            });
        }
        let text = string_to_sign(&self.message);
        if key.verify(self.version.scheme(), text.as_bytes(), &self.signature) {
            Ok(Verified::new(self.message))
        } else {
            Err(Error::Mismatch)
        }
    }
}

/// A value of one line. The separator of the signed text is a line end, and a value that holds one
/// could pass for two fields.
fn line(fields: &[(String, String)], name: &'static str) -> Result<String, Error> {
    let value = single(fields, name)?;
    if value.contains(['\n', '\r']) {
        return Err(Error::Malformed(name));
    }
    Ok(value.to_owned())
}

fn optional_line(fields: &[(String, String)], name: &'static str) -> Result<Option<String>, Error> {
    match line(fields, name) {
        Err(Error::Missing(_)) => Ok(None),
        read => read.map(Some),
    }
}

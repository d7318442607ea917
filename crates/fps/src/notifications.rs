//! From a request that arrived at a merchant's address to a proof of who sent it, and what it says; no
//! web framework is known here, and nothing is done about what is said.

mod acknowledged;
mod arrived;
mod error;
mod received;
#[cfg(feature = "runner")]
mod recorded;

use fps_http::CertificateFetcher;
use fps_model::amazon_pay::{MerchantId, SnsEnvelope, TopicArn};
use fps_model::flexible_payments::{VerificationStatus, VerifySignature};
use fps_model::{DecodeError, Params};
use fps_sign::outbound::{self, Question};
use fps_sign::sns::{self, SignatureVersion};
use fps_sign::{CertificateOrigin, Target};

use self::acknowledged::{Acknowledged, IDS_MAX};
pub use self::arrived::Arrived;
use self::arrived::{SNS_ID, SNS_TOPIC, SNS_TYPE};
pub use self::error::NotificationError;
use self::received::Told;
pub use self::received::{Changed, Confirmation, Event, Proof, Received};
#[cfg(feature = "runner")]
pub use self::recorded::Noted;
use crate::flexible_payments_client::FlexiblePayments;

/// The most bytes of a notification of FPS.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// The most bytes of an SNS message. SNS itself takes no more; those of Amazon Pay have one or two
/// thousand.
const SNS_BYTES_MAX: usize = 256 * 1024;

/// Receives and proves the notifications of either service, or of both at one address.
///
/// Everything that decides whom to believe comes from the configuration: the merchant's own address,
/// where certificates come from, the topic, the merchant. What a message says about itself proves
/// nothing. Of what is not proved, nothing is handed on.
///
/// ```no_run
/// use fps::amazon_pay::RefundId;
/// use fps::{Arrived, CertificateFetcher, CertificateOrigin, Notifications, Settings, Topic};
///
/// # fn follow(refund: &RefundId) {}
/// # async fn handle(method: &str, headers: Vec<(String, String)>, body: Vec<u8>)
/// # -> Result<u16, Box<dyn std::error::Error>> {
/// let topic = Topic::new(
///     CertificateOrigin::sns_region("us-east-1")?,
///     "arn:aws:sns:us-east-1:291180941288:A1O8CIV1A24A6XA2EXAMPLE",
/// )
/// .with_merchant("A1O8CIV1A24A6X");
/// let fetcher = CertificateFetcher::new(&Settings::default())?;
/// let notifications = Notifications::of_topics([topic], fetcher);
///
/// // In the handler of the framework:
/// let received = match notifications.receive(&Arrived::new(method, headers, &body)).await {
///     Ok(received) => received,
///     Err(error) => return Ok(error.status()),
/// };
/// if !received.is_repeated() {
///     if let Some(refund) = received.event().changed_refund() {
///         follow(&refund); // It says that the refund changed, and not how.
///     }
///     // Only now: had it failed above, it would come again as new.
///     notifications.acknowledge(&received);
/// }
/// Ok(200)
/// # }
/// ```
///
/// # What a proof does not say
///
/// That it is news. A notification that was proved once is proved for ever, so whoever has seen one can
/// post it again: [`Received::is_repeated`] tells, as far as this process remembers. For states that is
/// harmless, because [`RefundState`](refund_rules::RefundState) never goes back; for anything that must
/// happen once, keep [`Received::id`] with it.
///
/// That the certificate is in force. Its dates are not checked, so that notifications of the retired
/// service can still be audited; where it comes from is.
///
/// Notifications of signature version 1, an HMAC that is easily forged, are refused. To read records of
/// them see [`fps_sign::outbound::ForgeableClaim`].
#[derive(Debug)]
pub struct Notifications {
    payments: Option<Payments>,
    topics: Vec<Topic>,
    topics_fetcher: Option<CertificateFetcher>,
    acknowledged: Acknowledged,
}

/// How notifications of Flexible Payments Service are proved.
#[derive(Debug)]
struct Payments {
    /// The merchant's address, as the service was given it.
    url: String,
    by: By,
}

#[derive(Debug)]
enum By {
    Certificate { origin: CertificateOrigin, fetcher: CertificateFetcher },
    Service(Box<FlexiblePayments>),
}

/// A topic of SNS through which Amazon Pay tells one merchant of changes.
///
/// SNS signs for everybody who has a topic, with the same key: without the exact name of the topic, and
/// the region that its certificates come from, its signature says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    origin: CertificateOrigin,
    arn: TopicArn,
    merchant: Option<MerchantId>,
    is_version_1_refused: bool,
}

impl Topic {
    /// By where its certificates come from, [`CertificateOrigin::sns_region`], and its name, which Amazon
    /// shows in Seller Central and sends in every message.
    #[must_use]
    pub fn new(origin: CertificateOrigin, arn: impl Into<TopicArn>) -> Self {
        Self { origin, arn: arn.into(), merchant: None, is_version_1_refused: false }
    }

    /// Only of this merchant; a message that names none is refused too.
    #[must_use]
    pub fn with_merchant(mut self, merchant: impl Into<MerchantId>) -> Self {
        self.merchant = Some(merchant.into());
        self
    }

    /// Only with signatures of version 2, RSA-SHA256, if the topic was set to that.
    #[must_use]
    pub fn without_version_1(mut self) -> Self {
        self.is_version_1_refused = true;
        self
    }

    fn admits(&self, event: &Event) -> bool {
        match (&self.merchant, event) {
            (Some(merchant), Event::Changed(changed)) => {
                changed.notification().merchant_id.as_ref() == Some(merchant)
            }
            _ => true,
        }
    }
}

impl Notifications {
    /// For what Flexible Payments Service posts to `url`, the address that it was given, proved by
    /// certificates from `origin`.
    #[must_use]
    pub fn new(
        url: impl Into<String>,
        origin: CertificateOrigin,
        fetcher: CertificateFetcher,
    ) -> Self {
        Self::by(url, By::Certificate { origin, fetcher })
    }

    /// For what Flexible Payments Service posts to `url`, the address that it was given, proved by asking
    /// `service` about each: its action `VerifySignature` at the endpoint of that client. No certificate
    /// is fetched.
    ///
    /// Anybody who posts something that looks like a notification causes a call. An endpoint on this
    /// machine may be without TLS; its word is then worth as much as the machine.
    #[must_use]
    pub fn attested(url: impl Into<String>, service: FlexiblePayments) -> Self {
        Self::by(url, By::Service(Box::new(service)))
    }

    /// For what Amazon Pay publishes to these topics.
    #[must_use]
    pub fn of_topics(topics: impl IntoIterator<Item = Topic>, fetcher: CertificateFetcher) -> Self {
        Self::nobodys().with_topics(topics, fetcher)
    }

    /// The same, and what Amazon Pay publishes to these topics; they take the place of topics named
    /// before.
    #[must_use]
    pub fn with_topics(
        mut self,
        topics: impl IntoIterator<Item = Topic>,
        fetcher: CertificateFetcher,
    ) -> Self {
        self.topics = topics.into_iter().collect();
        self.topics_fetcher = Some(fetcher);
        self
    }

    /// The same with another number of acknowledged notifications that are remembered; 10 000 are
    /// otherwise.
    #[must_use]
    pub fn with_memory(mut self, ids_max: usize) -> Self {
        self.acknowledged = Acknowledged::new(ids_max);
        self
    }

    fn by(url: impl Into<String>, by: By) -> Self {
        Self { payments: Some(Payments { url: url.into(), by }), ..Self::nobodys() }
    }

    fn nobodys() -> Self {
        Self {
            payments: None,
            topics: Vec::new(),
            topics_fetcher: None,
            acknowledged: Acknowledged::new(IDS_MAX),
        }
    }

    /// Proves what arrived and reads it.
    ///
    /// With the header `x-amz-sns-message-type` it is a message of SNS, without it a form of FPS. Answer
    /// 200 once it is dealt with, [`NotificationError::status`] if it is not believed.
    ///
    /// # Errors
    /// [`NotificationError`]; nothing of an unproved message is handed on.
    pub async fn receive(&self, arrived: &Arrived<'_>) -> Result<Received, NotificationError> {
        if arrived.method() != "POST" {
            return Err(NotificationError::Method);
        }
        let received = match (arrived.has_sns_type(), &self.payments, &self.topics_fetcher) {
            (true, _, Some(fetcher)) => self.receive_from_sns(arrived, fetcher).await?,
            (false, Some(payments), _) => payments.receive(arrived).await?,
            _ => return Err(NotificationError::NotExpected),
        };
        let is_repeated = self.acknowledged.has(received.id());
        Ok(received.repeated(is_repeated))
    }

    /// Remembers that it was dealt with: when it is sent again, it will be
    /// [repeated](Received::is_repeated). Call it after whatever it caused has been stored, and not
    /// before.
    pub fn acknowledge(&self, received: &Received) {
        self.acknowledged.add(received.id());
    }

    async fn receive_from_sns(
        &self,
        arrived: &Arrived<'_>,
        fetcher: &CertificateFetcher,
    ) -> Result<Received, NotificationError> {
        let body = arrived.body(SNS_BYTES_MAX)?;
        let envelope = SnsEnvelope::from_json(body).map_err(NotificationError::Unreadable)?;
        // Only which certificate is asked for comes of this; the topic is looked at again when signed.
        let topic = self.topics.iter().find(|topic| topic.arn == envelope.topic_arn);
        let topic = topic.ok_or(NotificationError::ForeignTopic)?;
        let claim = sns::Claim::read(fields_of(envelope)).map_err(NotificationError::Unproved)?;
        if topic.is_version_1_refused && claim.signature_version() == SignatureVersion::V1 {
            let part = "SignatureVersion";
            let error = fps_sign::Error::Unsupported { part, accepted: "2" };
            return Err(NotificationError::Unproved(error));
        }
        let address = claim.certificate_url(&topic.origin).map_err(NotificationError::Foreign)?;
        let certificate = fetcher.fetch(&address).await.map_err(NotificationError::Certificate)?;
        let proved = claim.verify(certificate.public_key()).map_err(NotificationError::Unproved)?;
        let message = proved.get();
        if message.topic_arn() != topic.arn.as_str() {
            return Err(NotificationError::ForeignTopic);
        }
        arrived.agrees(SNS_TYPE, message.message_type().as_str())?;
        arrived.agrees(SNS_ID, message.message_id())?;
        arrived.agrees(SNS_TOPIC, message.topic_arn())?;
        let told = proved.try_map(Told::by_sns).map_err(NotificationError::Unreadable)?;
        if !topic.admits(told.get().event()) {
            return Err(NotificationError::ForeignMerchant);
        }
        Ok(Received::signed(told))
    }
}

impl Payments {
    async fn receive(&self, arrived: &Arrived<'_>) -> Result<Received, NotificationError> {
        arrived.is_form()?;
        let body = arrived.body(FORM_BYTES_MAX)?;
        let target = Target::from_url("POST", &self.url).ok_or(NotificationError::BadAddress)?;
        match &self.by {
            By::Certificate { origin, fetcher } => {
                let params = Params::parse(body).map_err(NotificationError::Unreadable)?;
                let claim =
                    outbound::Claim::read(target, params).map_err(NotificationError::Unproved)?;
                let address = claim.certificate_url(origin).map_err(NotificationError::Foreign)?;
                let certificate =
                    fetcher.fetch(&address).await.map_err(NotificationError::Certificate)?;
                let proved =
                    claim.verify(certificate.public_key()).map_err(NotificationError::Unproved)?;
                let told = proved.try_map(Told::by_payments);
                told.map(Received::signed).map_err(NotificationError::Unreadable)
            }
            By::Service(service) => self.ask(service, body).await,
        }
    }

    async fn ask(
        &self,
        service: &FlexiblePayments,
        body: &[u8],
    ) -> Result<Received, NotificationError> {
        let unreadable = |_| NotificationError::Unproved(fps_sign::Error::Malformed("the form"));
        let form = std::str::from_utf8(body).map_err(unreadable)?;
        let question = Question::read(&self.url, form).map_err(NotificationError::Unproved)?;
        let request = VerifySignature::new(question.url_end_point(), question.http_parameters());
        let answer = service.client().send(&request).await;
        match answer.map_err(NotificationError::Unavailable)?.result.verification_status {
            VerificationStatus::Success => {
                let told = question.vouched_for_by_the_service().try_map(told_by_pairs);
                told.map(Received::vouched).map_err(NotificationError::Unreadable)
            }
            // A word that is not known is not the one that is needed.
            _ => Err(NotificationError::Denied),
        }
    }
}

#[expect(clippy::ptr_arg, reason = "it must have the type of what was vouched for")]
fn told_by_pairs(pairs: &Vec<(String, String)>) -> Result<Told, DecodeError> {
    Told::by_payments(&pairs.iter().cloned().collect())
}

/// The fields of an envelope as they are signed. A field that stands twice was refused by its reader.
fn fields_of(envelope: SnsEnvelope) -> Vec<(String, String)> {
    let exposed = |text: Option<fps_model::Sensitive>| text.map(|text| text.expose().to_owned());
    let version = envelope.signature_version.map(|version| version.as_str().to_owned());
    let fields = [
        ("Type", Some(envelope.message_type.as_str().to_owned())),
        ("MessageId", Some(envelope.message_id.as_str().to_owned())),
        ("Token", exposed(envelope.token)),
        ("TopicArn", Some(envelope.topic_arn.as_str().to_owned())),
        ("Subject", envelope.subject),
        ("Message", exposed(Some(envelope.message))),
        ("SubscribeURL", exposed(envelope.subscribe_url)),
        ("Timestamp", Some(envelope.timestamp)),
        ("SignatureVersion", version),
        ("Signature", exposed(envelope.signature)),
        ("SigningCertURL", envelope.signing_cert_url),
    ];
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    present.collect()
}

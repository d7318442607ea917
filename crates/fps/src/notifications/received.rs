//! What a proved notification says, in types; nothing is proved here, and what is not proved cannot get
//! in.

use std::fmt;

use fps_model::amazon_pay::{
    ChargeId, ChargePermissionId, Notification, ObjectId, ObjectType, RefundId,
};
use fps_model::flexible_payments::{
    EarlyNotifiedStatus, EarlyTransactionNotification, NotifiedOperation, SimplePayNotification,
    SimplePayOperation, SimplePayStatus, TokenCancellationNotification, TransactionNotification,
};
use fps_model::{DecodeError, Params};
use fps_sign::Verified;
use fps_sign::outbound::Vouched;
use fps_sign::sns::{Message, MessageType};
use refund_rules::Observation;

use crate::flexible_payments_client::observation_of_notified;
use crate::key::digest;

/// Stands before what a notification says in its id, which must be the same for ever.
const DOMAIN: &[u8] = b"fps notification 1";

/// A notification that was proved. There is no other way to one than
/// [`Notifications::receive`](super::Notifications::receive), so whatever takes a `Received` cannot be
/// handed something that merely arrived.
#[derive(Clone, Debug)]
pub struct Received {
    id: String,
    is_repeated: bool,
    proof: Proof,
    event: Event,
}

/// How it is known who sent a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// By its signature, with the key of a certificate from the configured origin.
    Certificate,
    /// By the word of the service, which was asked at the configured endpoint, over TLS unless that is
    /// on this machine.
    Service,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// FPS: how a transaction stands.
    Transaction(TransactionNotification),
    /// FPS, in the form of before October 2009: how a transaction stands.
    EarlyTransaction(EarlyTransactionNotification),
    /// FPS, Simple Pay: how a transaction or subscription stands.
    SimplePay(Box<SimplePayNotification>),
    /// FPS: a token was cancelled.
    TokenCancelled(TokenCancellationNotification),
    /// Amazon Pay: an object changed. How it stands now, only the service can tell.
    Changed(Changed),
    /// SNS: this address was asked to be subscribed to the configured topic. Nothing was answered yet.
    SubscriptionConfirmation(Confirmation),
    /// SNS: this address was unsubscribed from the configured topic.
    UnsubscribeConfirmation(Confirmation),
}

/// An object of Amazon Pay has changed. There is no state in the notification, and none here: it may be
/// late, doubled or overtaken, so read the object.
///
/// Seller Central's test is about a charge permission that does not exist, `P01-0000000-0000000-000000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed(Notification);

/// What SNS says about the subscription of this address. Whoever has its token and addresses may use
/// them, so they are not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    topic_arn: String,
    token: String,
    subscribe_url: String,
}

impl Received {
    /// What names the notification: the same whenever it is sent again, in every process and every
    /// version. Keep it with what you did about it, so that a repetition after a restart is known too.
    ///
    /// Of SNS it is the `MessageId`. FPS gives none: there it is made of everything that the
    /// notification says but its signature (names and values in the order of the names, as
    /// [`Key::derive`](crate::Key::derive) makes a key), so that two that differ in anything have two.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Was it acknowledged before, in this process and not so long ago that it was forgotten? One
    /// whose handling failed was not: it comes again as if it were new.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// How it is known who sent it.
    #[must_use]
    pub const fn proof(&self) -> Proof {
        self.proof
    }

    /// What it says.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// What it says, without the proof.
    #[must_use]
    pub fn into_event(self) -> Event {
        self.event
    }

    pub(super) fn signed(told: Verified<Told>) -> Self {
        Self::with(told.into_inner(), Proof::Certificate)
    }

    pub(super) fn vouched(told: Vouched<Told>) -> Self {
        Self::with(told.into_inner(), Proof::Service)
    }

    fn with(told: Told, proof: Proof) -> Self {
        let Told { id, event } = told;
        Self { id, is_repeated: false, proof, event }
    }

    pub(super) fn repeated(mut self, is_repeated: bool) -> Self {
        self.is_repeated = is_repeated;
        self
    }
}

impl Event {
    /// How a refund stands, if it says so. Observations come late, twice and in any order: hand them
    /// to [`RefundState::observe`](refund_rules::RefundState::observe).
    ///
    /// Amazon Pay never says so: see [`Changed::refund_id`].
    #[must_use]
    pub fn observation(&self) -> Option<Observation> {
        match self {
            Self::Transaction(it) => (it.operation == NotifiedOperation::Refund)
                .then(|| observation_of_notified(&it.transaction_status)),
            Self::EarlyTransaction(it) => (it.operation == NotifiedOperation::Refund)
                .then(|| observation_of_early(&it.status)),
            Self::SimplePay(it) => observation_of_simple_pay(it),
            Self::TokenCancelled(_)
            | Self::Changed(_)
            | Self::SubscriptionConfirmation(_)
            | Self::UnsubscribeConfirmation(_) => None,
        }
    }

    /// The refund of Amazon Pay that changed, to be followed.
    #[must_use]
    pub fn changed_refund(&self) -> Option<RefundId> {
        match self {
            Self::Changed(changed) => changed.refund_id(),
            _ => None,
        }
    }
}

fn observation_of_early(status: &EarlyNotifiedStatus) -> Observation {
    match status {
        EarlyNotifiedStatus::Success => Observation::Refunded,
        EarlyNotifiedStatus::Failure => Observation::Declined,
        _ => Observation::Pending,
    }
}

fn observation_of_simple_pay(notified: &SimplePayNotification) -> Option<Observation> {
    match notified.status {
        SimplePayStatus::RefundSuccess => Some(Observation::Refunded),
        SimplePayStatus::RefundFailure => Some(Observation::Declined),
        // No other status is the end of a refund.
        _ => {
            (notified.operation == Some(SimplePayOperation::Refund)).then_some(Observation::Pending)
        }
    }
}

impl Changed {
    /// What kind of object it is.
    #[must_use]
    pub const fn object_type(&self) -> &ObjectType {
        &self.0.object_type
    }

    /// The object, of that kind.
    #[must_use]
    pub const fn object_id(&self) -> &ObjectId {
        &self.0.object_id
    }

    /// The refund, if it is one: read it, or follow it to its end.
    #[must_use]
    pub fn refund_id(&self) -> Option<RefundId> {
        self.id_of(&ObjectType::Refund).map(RefundId::new)
    }

    /// The charge, if it is one.
    #[must_use]
    pub fn charge_id(&self) -> Option<ChargeId> {
        self.id_of(&ObjectType::Charge).map(ChargeId::new)
    }

    /// The charge permission: the object itself, or the one it belongs to.
    #[must_use]
    pub fn charge_permission_id(&self) -> Option<ChargePermissionId> {
        match self.id_of(&ObjectType::ChargePermission) {
            Some(id) => Some(ChargePermissionId::new(id)),
            None => self.0.charge_permission_id.clone(),
        }
    }

    /// The notification as the service wrote it.
    #[must_use]
    pub const fn notification(&self) -> &Notification {
        &self.0
    }

    fn id_of(&self, kind: &ObjectType) -> Option<&str> {
        (self.0.object_type == *kind).then(|| self.0.object_id.as_str())
    }
}

/// Without what could be used by whoever reads it.
impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").field("topic_arn", &self.topic_arn).finish_non_exhaustive()
    }
}

impl Confirmation {
    /// The topic, which is one of those configured.
    #[must_use]
    pub fn topic_arn(&self) -> &str {
        &self.topic_arn
    }

    /// What `ConfirmSubscription` takes.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The address to visit by GET to subscribe, or to subscribe again. Nothing here ever visits it.
    #[must_use]
    pub fn subscribe_url(&self) -> &str {
        &self.subscribe_url
    }
}

/// What a notification tells and by which name, both made of what is proved and nothing else.
pub(super) struct Told {
    id: String,
    event: Event,
}

impl Told {
    pub(super) const fn event(&self) -> &Event {
        &self.event
    }

    pub(super) fn by_payments(params: &Params) -> Result<Self, DecodeError> {
        Ok(Self { id: id_of(params), event: event_of(params)? })
    }

    pub(super) fn by_sns(message: &Message) -> Result<Self, DecodeError> {
        let event = match message.message_type() {
            MessageType::SubscriptionConfirmation => {
                Event::SubscriptionConfirmation(confirmation(message))
            }
            MessageType::UnsubscribeConfirmation => {
                Event::UnsubscribeConfirmation(confirmation(message))
            }
            // A notification: no other type can be verified.
            _ => {
                let text = message.message().as_bytes();
                Event::Changed(Changed(Notification::from_json(text)?))
            }
        };
        Ok(Self { id: message.message_id().to_owned(), event })
    }
}

/// Both are there in every confirmation that could be verified.
fn confirmation(message: &Message) -> Confirmation {
    Confirmation {
        topic_arn: message.topic_arn().to_owned(),
        token: message.token().unwrap_or_default().to_owned(),
        subscribe_url: message.subscribe_url().unwrap_or_default().to_owned(),
    }
}

/// Which of its forms a notification of FPS has is told by the fields that only one of them has.
fn event_of(params: &Params) -> Result<Event, DecodeError> {
    let status = params.get("status").map(EarlyNotifiedStatus::from);
    let is_early = status.is_some_and(|it| EarlyNotifiedStatus::listed().contains(&it));
    match params.get("notificationType") {
        Some("TokenCancellation") => {
            TokenCancellationNotification::from_params(params).map(Event::TokenCancelled)
        }
        None if params.get("transactionStatus").is_none() && is_early => {
            EarlyTransactionNotification::from_params(params).map(Event::EarlyTransaction)
        }
        None if params.get("transactionStatus").is_none() => {
            SimplePayNotification::from_params(params).map(Box::new).map(Event::SimplePay)
        }
        // Also what is of no known type, which this one refuses.
        _ => TransactionNotification::from_params(params).map(Event::Transaction),
    }
}

/// Everything but the signature and what goes with it.
fn id_of(params: &Params) -> String {
    const OF_THE_SIGNATURE: [&str; 4] =
        ["signature", "signatureVersion", "signatureMethod", "certificateUrl"];
    let mut said: Vec<_> =
        params.iter().filter(|(name, _)| !OF_THE_SIGNATURE.contains(name)).collect();
    said.sort_unstable();
    let parts = said.into_iter().flat_map(|(name, value)| [name, value]);
    format!("fps-{:032x}", digest(DOMAIN, parts))
}

//! A payment as the ledger keeps it: what was imported, and what is held of it; decides nothing.

use std::fmt;

use refund_rules::{Asker, Executor, Money, MoneyError, Payment, PaymentError, Policy};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::time::Millis;

/// A payment to be imported: what its provider calls it, what was captured and went back before, and
/// the policy that its refunds are under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    pub(crate) facts: PaymentFacts,
}

/// What was said of a payment when it was imported. It never changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PaymentFacts {
    /// Which service has it, such as `amazon-pay`; opaque to the ledger.
    pub provider: String,
    /// What the provider calls it.
    pub id: String,
    /// What its caller calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_reference: Option<String>,
    /// The payment token or charge permission that it was charged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Millis>,
    /// The payment as it was then, with what had been refunded elsewhere.
    pub payment: Payment,
    /// The limits that its refunds are under.
    pub policy: Policy,
    /// Who asks for them.
    pub asker: Asker,
}

/// Says nothing of tokens.
impl fmt::Debug for PaymentFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentFacts")
            .field("provider", &self.provider)
            .field("id", &self.id)
            .field("payment", &self.payment)
            .finish_non_exhaustive()
    }
}

impl NewPayment {
    /// A payment and the policy that its refunds are under, which is stored with it.
    ///
    /// What went back before may be more than a strict policy allows: then nothing is left.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for an empty or overlong name, or amounts beyond any that can be paid.
    pub fn new(
        provider: impl Into<String>,
        id: impl Into<String>,
        payment: Payment,
        policy: &Policy,
    ) -> Result<Self, Error> {
        Self::for_asker(provider, id, payment, policy, Asker::CALLER)
    }

    /// The same, whose refunds somebody asks for who needs the recipient's grant, such as a marketplace.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], as above.
    pub fn for_asker(
        provider: impl Into<String>,
        id: impl Into<String>,
        payment: Payment,
        policy: &Policy,
        asker: Asker,
    ) -> Result<Self, Error> {
        let facts = PaymentFacts {
            provider: name("provider", provider.into())?,
            id: name("payment id", id.into())?,
            caller_reference: None,
            token: None,
            completed_at: None,
            payment,
            policy: policy.clone(),
            asker,
        };
        // Beyond any amount that can be paid there is nothing to be guarded.
        facts.cap().map_err(|error| Error::with(ErrorKind::Invalid("amount"), error))?;
        Ok(Self { facts })
    }

    /// With what its caller calls it, by which it is found again.
    #[must_use]
    pub fn caller_reference(mut self, reference: impl Into<String>) -> Self {
        self.facts.caller_reference = Some(storable(reference.into()));
        self
    }

    /// With the payment token or charge permission that it was charged to.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.facts.token = Some(storable(token.into()));
        self
    }

    /// With when it was completed.
    #[must_use]
    pub const fn completed_at(mut self, at: Millis) -> Self {
        self.facts.completed_at = Some(at);
        self
    }

    /// All of it.
    #[must_use]
    pub const fn facts(&self) -> &PaymentFacts {
        &self.facts
    }
}

impl PaymentFacts {
    /// The most that all refunds of it may total: more than a strict policy allows, if that went back
    /// before. Then nothing is left.
    pub(crate) fn cap(&self) -> Result<i64, MoneyError> {
        let captured = self.payment.captured();
        let cap = match self.policy.cap(captured) {
            // The policy is for another currency, and so forbids every refund of it.
            Err(MoneyError::CurrencyMismatch { .. }) => captured,
            cap => cap?,
        };
        Ok(cap.minor().max(self.payment.held().minor()))
    }

    /// The largest number of its refunds, under the same condition.
    pub(crate) fn refunds_max(&self) -> Option<u32> {
        self.policy.refunds_max().map(|most| most.value().max(self.payment.refunds()))
    }

    /// The payment as it is when this is held of it.
    pub(crate) fn with(&self, sums: &Sums) -> Result<Payment, PaymentError> {
        let told = &self.payment;
        let money = |minor| Money::from_minor(minor, told.captured().currency());
        let mut payment = Payment::completed(told.captured(), told.method())?
            .with_kind(told.kind())
            .with_state(told.state())
            .with_fee(told.fee())?
            .with_fee_payer(told.fee_payer())?;
        if told.executor() == Executor::Marketplace {
            payment = payment.with_marketplace_fee(told.marketplace_fee())?;
        }
        if told.marketplace_fee_held().is_some() {
            payment = payment.with_marketplace_fee_held(money(sums.marketplace_held))?;
        }
        payment
            .with_refunded(money(sums.refunded))?
            .with_pending(money(sums.pending))?
            .with_unknown(money(sums.unknown))?
            .with_fee_returned(money(sums.fee_returned))?
            .with_refunds(u32::try_from(sums.refunds).map_err(|_| PaymentError::Count)?)
    }

    /// Which fields of another import of the same payment are not these.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let (mine, theirs) = (&self.payment, &other.payment);
        let fields = [
            ("caller reference", self.caller_reference != other.caller_reference),
            ("token", self.token != other.token),
            ("completed at", self.completed_at != other.completed_at),
            ("captured", mine.captured() != theirs.captured()),
            ("fee", (mine.fee(), mine.fee_payer()) != (theirs.fee(), theirs.fee_payer())),
            ("fee returned", mine.fee_returned() != theirs.fee_returned()),
            (
                "marketplace fee",
                (mine.executor(), mine.marketplace_fee(), mine.marketplace_fee_held())
                    != (theirs.executor(), theirs.marketplace_fee(), theirs.marketplace_fee_held()),
            ),
            ("refunded", mine.refunded() != theirs.refunded()),
            ("pending", mine.pending() != theirs.pending()),
            ("unknown", mine.unknown() != theirs.unknown()),
            ("refunds", mine.refunds() != theirs.refunds()),
            ("method", mine.method() != theirs.method()),
            ("kind", mine.kind() != theirs.kind()),
            ("state", mine.state() != theirs.state()),
            ("policy", self.policy != other.policy),
            ("asker", self.asker != other.asker),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

/// The longest name of anything. The providers' own are shorter: 35 and 128 characters.
/// Source: FPS API reference, Refund: TransactionId, CallerReference.
const NAME_MAX: usize = 255;

pub(crate) fn name(part: &'static str, text: String) -> Result<String, Error> {
    let is_fit = !text.is_empty() && text.len() <= NAME_MAX && !text.contains('\0');
    if is_fit { Ok(text) } else { Err(Error::new(ErrorKind::Invalid(part))) }
}

/// The same without the one character that PostgreSQL does not take in a text.
pub(crate) fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

/// What is held of a payment now, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) refunded: i64,
    pub(crate) pending: i64,
    pub(crate) unknown: i64,
    pub(crate) refunds: i64,
    pub(crate) fee_returned: i64,
    pub(crate) marketplace_held: i64,
}

impl Sums {
    /// As they are when nothing is known but what was imported.
    pub(crate) fn imported(payment: &Payment) -> Result<Self, Error> {
        let fee_returned = payment
            .fee_returned()
            .map_err(|error| Error::with(ErrorKind::Invalid("fee"), error))?;
        Ok(Self {
            refunded: payment.refunded().minor(),
            pending: payment.pending().minor(),
            unknown: payment.unknown().minor(),
            refunds: payment.refunds().into(),
            fee_returned: fee_returned.minor(),
            marketplace_held: payment.marketplace_fee_held().map_or(0, Money::minor),
        })
    }

    pub(crate) const fn held(&self) -> i64 {
        self.refunded.saturating_add(self.pending).saturating_add(self.unknown)
    }
}

/// A payment as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PaymentRecord {
    /// What was imported.
    #[serde(flatten)]
    pub facts: PaymentFacts,
    /// When it was imported.
    pub imported_at: Millis,
    /// Refunded for good, here or elsewhere.
    pub refunded: Money,
    /// Prepared, accepted or under way.
    pub pending: Money,
    /// Sent, and not known what became of it.
    pub unknown: Money,
    /// What of the captured amount is left to refund.
    pub remaining: Money,
    /// What of the cap is left.
    pub remaining_with_overage: Money,
    /// How many refunds hold a part of it.
    pub refunds: u32,
    /// What came back of the fee for these.
    pub fee_returned: Money,
}

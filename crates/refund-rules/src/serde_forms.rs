//! The forms in which serde reads and writes what cannot be derived; adds no behaviour.
//!
//! A currency is its code and an amount a text such as `14.00 USD`, so that no reader can make a
//! float of it. A payment is read through its own constructors: an impossible one is an error. What
//! only [`crate::decide`] can make (decisions, plans, refusals) is written and never read. A policy is
//! read as it was written, in one currency, whatever the services' numbers are by then: keep it where
//! nobody else writes.

use core::fmt;

use serde::de::{Error, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::authority::Role;
use crate::currency::Currency;
use crate::legs::Legs;
use crate::money::Money;
use crate::payment::{Executor, Method, Payment, PaymentError, PaymentKind, PaymentState};

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CurrencyText)
    }
}

struct CurrencyText;

impl Visitor<'_> for CurrencyText {
    type Value = Currency;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ISO 4217 code")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Currency, E> {
        Currency::from_code(text).map_err(E::custom)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(MoneyText)
    }
}

struct MoneyText;

impl Visitor<'_> for MoneyText {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount and its currency, such as `14.00 USD`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Money, E> {
        let Some((amount, code)) = text.split_once(' ') else {
            return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self));
        };
        let currency = Currency::from_code(code).map_err(E::custom)?;
        Money::parse_signed(amount, currency).map_err(E::custom)
    }
}

/// Amounts that are left out are zero, or not known where that is something else; a marketplace fee,
/// be it of nothing, says that a marketplace executed the payment.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentForm {
    captured: Money,
    method: Method,
    kind: PaymentKind,
    state: PaymentState,
    fee: Option<Money>,
    #[serde(default = "recipient")]
    fee_payer: Role,
    fee_returned: Option<Money>,
    marketplace_fee: Option<Money>,
    marketplace_fee_held: Option<Money>,
    refunded: Option<Money>,
    pending: Option<Money>,
    unknown: Option<Money>,
    refunds: Option<u32>,
}

const fn recipient() -> Role {
    Role::Recipient
}

impl From<&Payment> for PaymentForm {
    fn from(payment: &Payment) -> Self {
        let marketplace = payment.executor() == Executor::Marketplace;
        Self {
            captured: payment.captured(),
            method: payment.method(),
            kind: payment.kind(),
            state: payment.state(),
            fee: Some(payment.fee()),
            fee_payer: payment.fee_payer(),
            fee_returned: payment.fee_returned_as_told(),
            marketplace_fee: marketplace.then_some(payment.marketplace_fee()),
            marketplace_fee_held: payment.marketplace_fee_held(),
            refunded: Some(payment.refunded()),
            pending: Some(payment.pending()),
            unknown: Some(payment.unknown()),
            refunds: payment.refunds_as_told(),
        }
    }
}

impl TryFrom<PaymentForm> for Payment {
    type Error = PaymentError;

    fn try_from(form: PaymentForm) -> Result<Self, PaymentError> {
        let zero = Money::zero(form.captured.currency());
        let or_zero = |amount: Option<Money>| amount.unwrap_or(zero);
        let mut payment = Self::completed(form.captured, form.method)?
            .with_kind(form.kind)
            .with_state(form.state)
            .with_fee(or_zero(form.fee))?
            .with_fee_payer(form.fee_payer)?
            .with_refunded(or_zero(form.refunded))?
            .with_pending(or_zero(form.pending))?
            .with_unknown(or_zero(form.unknown))?;
        if let Some(fee) = form.marketplace_fee {
            payment = payment.with_marketplace_fee(fee)?;
        }
        if let Some(held) = form.marketplace_fee_held {
            payment = payment.with_marketplace_fee_held(held)?;
        }
        if let Some(returned) = form.fee_returned {
            payment = payment.with_fee_returned(returned)?;
        }
        match form.refunds {
            Some(refunds) => payment.with_refunds(refunds),
            None => Ok(payment),
        }
    }
}

impl Serialize for Payment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PaymentForm::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PaymentForm::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl Serialize for Legs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut legs = serializer.serialize_seq(Some(self.iter().count()))?;
        for leg in self.iter() {
            legs.serialize_element(leg)?;
        }
        legs.end()
    }
}

//! One row: what is to be refunded, and what is known of its payment. Whether it may be refunded is not
//! decided here.

use std::fmt;

use refund_ledger::Millis;
use refund_rules::{Currency, Method, Money, Scope};
use serde::de::value::{Error as PlainError, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer as _};

use crate::details::Details;
use crate::input::columns::{COLUMNS, Column};
use crate::key::{digest, hex};

/// The longest name of anything, as in the ledger.
const NAME_MAX: usize = 255;

/// A row of a file that can be read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// What the provider calls the payment.
    pub payment: String,
    /// How much; nothing for the rest, whatever that is.
    pub amount: Option<Money>,
    /// The currency of all amounts of the row.
    pub currency: Currency,
    /// What the merchant calls this refund. No two rows have the same.
    pub reference: Option<String>,
    /// What the provider is told beside the amount.
    pub details: Details,
    /// Which part of a marketplace payment.
    pub scope: Scope,
    /// What was captured, if the row says it: then the payment is imported.
    pub captured: Option<Money>,
    /// What the provider took for the payment.
    pub fee: Option<Money>,
    /// What was refunded of it before.
    pub refunded: Option<Money>,
    /// By how many refunds.
    pub refunds: Option<u32>,
    /// How it was paid.
    pub method: Option<Method>,
    /// What its caller calls the payment.
    pub caller_reference: Option<String>,
    /// When the payment was completed.
    pub completed_at: Option<Millis>,
}

/// Says nothing of the details.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("payment", &self.payment)
            .field("amount", &self.amount)
            .field("currency", &self.currency)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Row {
    /// The hash of what is asked for: the same for the same refund, whatever is said of its payment.
    #[must_use]
    pub fn content(&self) -> String {
        hex(&self.content_digest())
    }

    fn content_digest(&self) -> [u8; 32] {
        let amount = self.amount.map_or_else(|| "rest".to_owned(), |amount| amount.to_string());
        let scope = self.scope.name();
        // What is not said cannot be an empty text: an empty cell says nothing.
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let reference = text(&self.reference);
        let (note, descriptor) = (text(&self.details.note), text(&self.details.soft_descriptor));
        let parts = [
            &*self.payment,
            &*amount,
            self.currency.code(),
            scope,
            &*reference,
            &*note,
            &*descriptor,
        ];
        digest(b"refund-runner content 1", parts)
    }

    /// By what it is known in its file: its reference, or else all that it asks for. Two rows of one
    /// identity are a mistake.
    pub(crate) fn identity(&self) -> [u8; 32] {
        match &self.reference {
            Some(reference) => digest(b"refund-runner reference 1", [&**reference]),
            None => self.content_digest(),
        }
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) column: Option<String>,
    pub(crate) rule: &'static str,
    pub(crate) sentence: String,
}

impl Fault {
    pub(crate) fn new(rule: &'static str, sentence: impl Into<String>) -> Self {
        Self { column: None, rule, sentence: sentence.into() }
    }

    pub(crate) fn of(column: Column, rule: &'static str, sentence: impl Into<String>) -> Self {
        Self { column: Some(column.name().to_owned()), ..Self::new(rule, sentence) }
    }
}

/// The texts of a row by column; what is empty is not there.
#[derive(Default)]
pub(crate) struct Cells([Option<String>; COLUMNS]);

impl Cells {
    /// Is false if something was said of this column before.
    pub(crate) fn put(&mut self, column: Column, text: Option<String>) -> bool {
        let text = text.filter(|text| !text.is_empty());
        let slot = self.0.get_mut(column.place());
        slot.is_some_and(|slot| {
            let is_free = slot.is_none();
            *slot = text;
            is_free
        })
    }

    fn take(&mut self, column: Column) -> Option<String> {
        self.0.get_mut(column.place()).and_then(Option::take)
    }

    fn must(&mut self, column: Column) -> Result<String, Fault> {
        let sentence = || format!("`{}` is missing", column.name());
        self.take(column).ok_or_else(|| Fault::of(column, "missing", sentence()))
    }

    fn name(&mut self, column: Column) -> Result<Option<String>, Fault> {
        let Some(text) = self.take(column) else { return Ok(None) };
        let fault =
            |rule, what: &str| Fault::of(column, rule, format!("`{}` {what}", column.name()));
        if text.len() > NAME_MAX {
            return Err(fault("too-long", "is longer than 255 bytes"));
        }
        if text.trim().len() != text.len() {
            return Err(fault("blank", "begins or ends with a blank"));
        }
        if text.chars().any(char::is_control) {
            return Err(fault("control-character", "has a control character"));
        }
        Ok(Some(text))
    }

    fn money(&mut self, column: Column, currency: Currency) -> Result<Option<Money>, Fault> {
        self.take(column).map(|text| money(column, &text, currency)).transpose()
    }

    /// One of the words that serde knows it by.
    fn word<T: for<'de> Deserialize<'de>>(&mut self, column: Column) -> Result<Option<T>, Fault> {
        let Some(text) = self.take(column) else { return Ok(None) };
        let words: StrDeserializer<'_, PlainError> = text.as_str().into_deserializer();
        let read = T::deserialize(words);
        read.map(Some).map_err(|error| Fault::of(column, column.name(), error.to_string()))
    }

    /// The row, or the first thing that is wrong with it.
    pub(crate) fn into_row(mut self) -> Result<Row, Fault> {
        let payment = self.name(Column::Payment)?;
        let missing = || Fault::of(Column::Payment, "missing", "`payment` is missing");
        let payment = payment.ok_or_else(missing)?;
        let code = self.must(Column::Currency)?;
        let currency = Currency::from_code(&code).map_err(|_| {
            let sentence = "a currency is three capital letters of ISO 4217, such as USD";
            Fault::of(Column::Currency, "currency", sentence)
        })?;
        let amount = match &*self.must(Column::Amount)? {
            "rest" => None,
            text => Some(money(Column::Amount, text, currency)?),
        };
        let row = Row {
            payment,
            amount,
            currency,
            reference: self.name(Column::Reference)?,
            details: Details {
                note: self.take(Column::Note),
                soft_descriptor: self.take(Column::SoftDescriptor),
            },
            scope: self.word(Column::Scope)?.unwrap_or_default(),
            captured: self.money(Column::Captured, currency)?,
            fee: self.money(Column::Fee, currency)?,
            refunded: self.money(Column::Refunded, currency)?,
            refunds: self.take(Column::Refunds).map(|text| count(&text)).transpose()?,
            method: self.word(Column::Method)?,
            caller_reference: self.name(Column::CallerReference)?,
            completed_at: self.take(Column::CompletedAt).map(|text| moment(&text)).transpose()?,
        };
        needs_captured(&row)?;
        Ok(row)
    }
}

/// The parts of a payment say nothing without the whole.
fn needs_captured(row: &Row) -> Result<(), Fault> {
    let parts = [
        (Column::Fee, row.fee.is_some()),
        (Column::Refunded, row.refunded.is_some()),
        (Column::Refunds, row.refunds.is_some()),
        (Column::Method, row.method.is_some()),
    ];
    match parts.into_iter().find(|(_, is_said)| *is_said && row.captured.is_none()) {
        None => Ok(()),
        Some((column, _)) => {
            let sentence = format!("`{}` says nothing without `captured`", column.name());
            Err(Fault::of(column, "needs-captured", sentence))
        }
    }
}

fn money(column: Column, text: &str, currency: Currency) -> Result<Money, Fault> {
    Money::parse(text, currency)
        .map_err(|error| Fault::of(column, "amount", format!("`{}`: {error}", column.name())))
}

fn count(text: &str) -> Result<u32, Fault> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| {
        Fault::of(Column::Refunds, "count", "`refunds` is a number of refunds, such as 2")
    })
}

/// A moment, or a day for its beginning in UTC.
fn moment(text: &str) -> Result<Millis, Fault> {
    let day = || {
        let day = text.parse::<jiff::civil::Date>().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    // A day is asked for first: a moment without its offset is none.
    let is_day = text.len() == "2026-01-01".len();
    let moment = if is_day { day() } else { text.parse::<jiff::Timestamp>().ok() };
    moment.map(|moment| Millis(moment.as_millisecond())).ok_or_else(|| {
        let sentence = "`completed_at` is a moment such as 2026-01-31T12:00:00Z, or a day";
        Fault::of(Column::CompletedAt, "time", sentence)
    })
}

//! Values of every type, made from a number: random ones, and those with all of their fields.

use fps_model::amazon_pay::{AmazonPayApi, ApiVersion, Route};
use fps_model::flexible_payments::{Action, Dialect, FlexiblePaymentsApi};
use fps_model::{
    CallerReference, Decimal, DecodeError, EncodeError, IdempotencyKey, JsonRequest, Operation,
    Params, Serve, Service, Timestamp,
};
use refund_rules::{Currency, Money};
use std::fmt::Debug;

/// Characters that some form of writing has to do something about.
const AWKWARD: [char; 20] = [
    '&',
    '<',
    '>',
    '"',
    '\'',
    '%',
    '+',
    '=',
    ';',
    '\\',
    '/',
    '.',
    '{',
    ' ',
    'a',
    'Z',
    '7',
    '\u{e9}',
    '\u{2615}',
    '\u{1f600}',
];

/// A type that has values.
pub(crate) trait Any: Sized {
    fn any(source: &mut Source) -> Self;
}

/// Where values come from: the same seed gives the same values.
pub(crate) struct Source {
    state: u64,
    dialect: Dialect,
    full: bool,
    asking: bool,
}

impl Source {
    /// Values of a revision with some of their fields.
    pub(crate) fn random(seed: u64, dialect: Dialect) -> Self {
        Self { state: seed | 1, dialect, full: false, asking: false }
    }

    /// Values of a revision with every field that it knows.
    pub(crate) fn all_fields(seed: u64, dialect: Dialect) -> Self {
        Self { full: true, ..Self::random(seed, dialect) }
    }

    /// Marsaglia's xorshift64*.
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).unwrap_or(1);
        usize::try_from((self.next() >> 11) % most).unwrap_or(0)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// A request and not an answer: it has nothing that stands in answers only.
    pub(crate) fn ask<T: Any>(&mut self) -> T {
        self.asking = true;
        let value = T::any(self);
        self.asking = false;
        value
    }

    pub(crate) fn answers(&self) -> bool {
        !self.asking
    }

    /// Shall an optional field be set?
    pub(crate) fn wants(&mut self) -> bool {
        self.full || self.coin()
    }

    pub(crate) fn wants_in(&mut self, dialects: &[Dialect]) -> bool {
        dialects.contains(&self.dialect) && self.wants()
    }

    pub(crate) fn must_in(&self, dialects: &[Dialect]) -> bool {
        dialects.contains(&self.dialect)
    }

    /// Shall a list have one entry more? About two on average.
    pub(crate) fn wants_more(&mut self) -> bool {
        self.below(3) > 0
    }

    pub(crate) fn wants_more_in(&mut self, dialects: &[Dialect]) -> bool {
        dialects.contains(&self.dialect) && self.wants_more()
    }

    /// A value with all of its fields, where an empty one could not be told from none.
    pub(crate) fn full<T: Any>(&mut self) -> T {
        let before = std::mem::replace(&mut self.full, true);
        let value = T::any(self);
        self.full = before;
        value
    }

    /// Text without control characters and without blanks at its ends, as a person would type it.
    pub(crate) fn text(&mut self, most: usize) -> String {
        let length = 1 + self.below(most.min(60));
        let text: String = (0..length).map(|_| self.character()).collect();
        match text.trim() {
            "" => "x".to_owned(),
            trimmed => trimmed.to_owned(),
        }
    }

    fn character(&mut self) -> char {
        if self.coin() {
            let index = self.below(AWKWARD.len());
            return AWKWARD[index];
        }
        let code = u32::try_from(self.below(0x11_0000)).unwrap_or(0);
        let character = char::from_u32(code).unwrap_or('y');
        if character.is_control() { 'z' } else { character }
    }

    /// Letters, digits, dashes and underscores.
    pub(crate) fn plain(&mut self, most: usize) -> String {
        const PLAIN: &[u8] = b"ABCxyz0189-_";
        let length = 1 + self.below(most.min(40));
        (0..length).map(|_| char::from(PLAIN[self.below(PLAIN.len())])).collect()
    }

    pub(crate) fn pick<T: Enumeration>(&mut self) -> T {
        let listed = T::listed();
        let index = self.below(listed.len() + 1);
        // Amazon may add a value at any time.
        listed.get(index).cloned().unwrap_or_else(|| T::from("NewerThanThis"))
    }

    fn minor(&mut self) -> i64 {
        let shift = 2 + self.below(62);
        1 + i64::try_from(self.next() >> shift).unwrap_or(0)
    }

    pub(crate) fn amount(&mut self) -> Money {
        let currencies = [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD];
        let index = self.below(4);
        Money::from_minor(self.minor(), currencies[index])
    }

    pub(crate) fn signed_amount(&mut self) -> Money {
        let amount = self.amount();
        let sign = [1, 0, -1][self.below(3)];
        Money::from_minor(amount.minor() * sign, amount.currency())
    }

    pub(crate) fn price(&mut self) -> Money {
        self.amount()
    }

    pub(crate) fn dollars(&mut self) -> Money {
        Money::from_minor(self.minor(), Currency::USD)
    }

    /// A point in time with its milliseconds, until the year 2096.
    pub(crate) fn time(&mut self) -> Timestamp {
        let millis = i64::try_from(self.below(4_000_000_000_000)).unwrap_or(0);
        Timestamp::from_unix_millis(millis).unwrap()
    }

    /// A point in time without a fraction of a second.
    pub(crate) fn second(&mut self) -> Timestamp {
        Timestamp::from_unix_millis(self.time().unix_millis() / 1000 * 1000).unwrap()
    }

    pub(crate) fn integer(&mut self) -> i64 {
        self.next().cast_signed()
    }

    pub(crate) fn decimal(&mut self) -> Decimal {
        let text = format!("{}.{}", self.below(1000), self.below(100));
        Decimal::parse(&text).unwrap()
    }

    pub(crate) fn caller_reference(&mut self) -> CallerReference {
        CallerReference::new(self.text(128)).unwrap()
    }

    pub(crate) fn idempotency_key(&mut self) -> IdempotencyKey {
        IdempotencyKey::new(self.plain(32)).unwrap()
    }
}

/// An enumeration of the wire.
pub(crate) trait Enumeration:
    Clone + Debug + PartialEq + for<'t> From<&'t str> + 'static
{
    fn listed() -> &'static [Self];
    fn text(&self) -> &str;
}

/// A message that is parameters alone.
pub(crate) trait ParamsMessage: Any + Debug + PartialEq {
    const NAME: &'static str;
    fn write(&self) -> Result<Params, EncodeError>;
    fn read(params: &Params) -> Result<Self, DecodeError>;
}

/// A message that is JSON alone.
pub(crate) trait Document: Any + Debug + PartialEq {
    const NAME: &'static str;
    fn write(&self) -> Vec<u8>;
    fn read(body: &[u8]) -> Result<Self, DecodeError>;
}

/// Does something with every action, and so on.
pub(crate) trait VisitActions {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = FlexiblePaymentsApi> + Action + Serve + Any + PartialEq,
        O::Response: Any;
}

pub(crate) trait VisitRoutes {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = AmazonPayApi> + Route + Serve + Any + PartialEq,
        AmazonPayApi: Service<Request = JsonRequest, Version = ApiVersion>,
        O::Response: Any;
}

pub(crate) trait VisitParams {
    fn visit<M: ParamsMessage>(&mut self);
}

pub(crate) trait VisitDocuments {
    fn visit<M: Document>(&mut self);
}

pub(crate) trait VisitEnums {
    fn visit<E: Enumeration>(&mut self);
}

/// Lets a visitor see an enumeration.
#[macro_export]
macro_rules! enumeration {
    ($name:ident) => {
        impl $crate::any::Enumeration for $name {
            fn listed() -> &'static [Self] {
                $name::listed()
            }
            fn text(&self) -> &str {
                self.as_str()
            }
        }
    };
}

/// Lets a visitor see a message of parameters.
#[macro_export]
macro_rules! params_message {
    ($name:ident) => {
        impl $crate::any::ParamsMessage for $name {
            const NAME: &'static str = stringify!($name);
            fn write(&self) -> Result<fps_model::Params, fps_model::EncodeError> {
                self.to_params()
            }
            fn read(params: &fps_model::Params) -> Result<Self, fps_model::DecodeError> {
                Self::from_params(params)
            }
        }
    };
}

/// Lets a visitor see a message of JSON.
#[macro_export]
macro_rules! document {
    ($name:ident) => {
        impl $crate::any::Document for $name {
            const NAME: &'static str = stringify!($name);
            fn write(&self) -> Vec<u8> {
                self.to_json()
            }
            fn read(body: &[u8]) -> Result<Self, fps_model::DecodeError> {
                Self::from_json(body)
            }
        }
    };
}

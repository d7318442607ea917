//! Query and form parameters: ordered, bounded, dotted names for the parts of an amount; no single
//! operation is known here.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use refund_rules::Money;

use crate::error::{DecodeError, EncodeError, Expected, Limit, Problem};
use crate::flexible_payments::Dialect;
use crate::money;
use crate::scalar::Scalar;
use crate::timestamp::Timestamp;

/// The most bytes of a query or form that are read.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// The most parameters that are read.
const PARAMS_MAX: usize = 256;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Parameters of a Query request, a form or a return URL, decoded and in their order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads `name=value` pairs joined by `&`. `+` and `%20` are both blanks; empty pairs are left
    /// out, because Amazon's own samples begin with `&`.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are not UTF-8, for more than 64 KiB or 256 parameters.
    pub fn parse(form: &[u8]) -> Result<Self, DecodeError> {
        let whole = |problem| DecodeError::new("", problem);
        if form.len() > FORM_BYTES_MAX {
            return Err(whole(Problem::TooLarge));
        }
        let text =
            std::str::from_utf8(form).map_err(|_| whole(Problem::Malformed(Expected::Form)))?;
        let mut params = Self::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if params.0.len() == PARAMS_MAX {
                return Err(whole(Problem::TooLarge));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode =
                |text| decode(text).ok_or_else(|| whole(Problem::Malformed(Expected::Form)));
            params.0.push((decode(name)?, decode(value)?));
        }
        Ok(params)
    }

    /// The pairs, percent-encoded and joined by `&`, for a query or a form; a blank is `%20`.
    #[must_use]
    pub fn to_form(&self) -> String {
        let mut form = String::with_capacity(64 * self.0.len());
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                form.push('&');
            }
            form.extend(utf8_percent_encode(name, RESERVED));
            form.push('=');
            form.extend(utf8_percent_encode(value, RESERVED));
        }
        form
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// Adds a parameter at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Takes them apart.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields { params: &self.0, used: vec![false; self.0.len()] }
    }
}

impl AsRef<[(String, String)]> for Params {
    fn as_ref(&self) -> &[(String, String)] {
        &self.0
    }
}

impl FromIterator<(String, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Names only: a value may be a signature, a token or a buyer's address.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    String::from_utf8(bytes).ok()
}

/// Writes the fields of a message as parameters.
#[derive(Debug, Default)]
pub(crate) struct Writer(Params);

impl Writer {
    /// With what every request begins with.
    pub(crate) fn action(action: &str, dialect: Dialect) -> Self {
        let mut params = Params::new();
        params.push("Action", action);
        params.push("Version", dialect.version());
        Self(params)
    }

    pub(crate) fn text(
        &mut self,
        name: &'static str,
        value: &impl Scalar,
        limit: Limit,
    ) -> Result<(), EncodeError> {
        let text = value.to_text();
        check_text(&text, limit).map_err(|problem| EncodeError::new(name, problem))?;
        self.0.push(name, text);
        Ok(())
    }

    /// The one value that a field can have.
    pub(crate) fn fixed(&mut self, name: &'static str, value: &'static str) {
        self.0.push(name, value);
    }

    pub(crate) fn optional_text(
        &mut self,
        name: &'static str,
        value: Option<&impl Scalar>,
        limit: Limit,
    ) -> Result<(), EncodeError> {
        value.map_or(Ok(()), |value| self.text(name, value, limit))
    }

    /// `Name.CurrencyCode` and `Name.Value`.
    pub(crate) fn amount(&mut self, name: &'static str, money: Money) -> Result<(), EncodeError> {
        money::check_positive(money).map_err(|problem| EncodeError::new(name, problem))?;
        self.0.push(format!("{name}.CurrencyCode"), money.currency().code());
        self.0.push(format!("{name}.Value"), money::shortest(money));
        Ok(())
    }

    /// `USD 1.00`.
    pub(crate) fn amount_text(
        &mut self,
        name: &'static str,
        money: Money,
    ) -> Result<(), EncodeError> {
        money::check_positive(money).map_err(|problem| EncodeError::new(name, problem))?;
        self.0.push(name, money::with_code(money));
        Ok(())
    }

    pub(crate) fn epoch(&mut self, name: &'static str, time: Timestamp) -> Result<(), EncodeError> {
        self.0.push(name, time.to_epoch_seconds());
        Ok(())
    }

    pub(crate) fn finish(self) -> Params {
        self.0
    }
}

/// Parameters that belong to every signed request and to no action.
const COMMON: [&str; 7] = [
    "Action",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// Takes the fields of a message out of its parameters, and notices what is left.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    params: &'a [(String, String)],
    used: Vec<bool>,
}

impl<'a> Fields<'a> {
    /// The one value of a parameter, which may be empty.
    fn take(&mut self, name: &str) -> Result<Option<&'a str>, DecodeError> {
        let mut found = None;
        for (index, (given, value)) in self.params.iter().enumerate() {
            if given == name {
                self.used[index] = true;
                if found.replace(value.as_str()).is_some() {
                    return Err(DecodeError::new(name, Problem::Duplicate));
                }
            }
        }
        Ok(found)
    }

    pub(crate) fn optional<T: Scalar>(
        &mut self,
        name: &'static str,
        limit: Limit,
    ) -> Result<Option<T>, DecodeError> {
        self.read(name, |text| {
            check_text(text, limit)?;
            T::from_text(text).map_err(Problem::Invalid)
        })
    }

    pub(crate) fn required<T: Scalar>(
        &mut self,
        name: &'static str,
        limit: Limit,
    ) -> Result<T, DecodeError> {
        present(name, self.optional(name, limit)?)
    }

    /// An amount in two parameters, both or neither. An empty one is not left out: what remains of a
    /// payment must not be refunded because an amount was lost on its way.
    pub(crate) fn optional_amount(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Money>, DecodeError> {
        let (code, value) = (format!("{name}.CurrencyCode"), format!("{name}.Value"));
        match (self.take(&code)?, self.take(&value)?) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(DecodeError::new(code, Problem::Missing)),
            (Some(_), None) => Err(DecodeError::new(value, Problem::Missing)),
            (Some(""), Some(_)) => Err(DecodeError::new(code, Problem::Missing)),
            (Some(_), Some("")) => Err(DecodeError::new(value, Problem::Missing)),
            (Some(currency), Some(amount)) => money::read_strictly(currency, amount)
                .map(Some)
                .map_err(|problem| DecodeError::new(name, problem)),
        }
    }

    pub(crate) fn amount(&mut self, name: &'static str) -> Result<Money, DecodeError> {
        present(name, self.optional_amount(name)?)
    }

    /// An amount in one parameter: `USD 1.00`.
    pub(crate) fn optional_amount_text(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Money>, DecodeError> {
        self.read(name, money::from_code_and_amount)
    }

    pub(crate) fn amount_text(&mut self, name: &'static str) -> Result<Money, DecodeError> {
        present(name, self.optional_amount_text(name)?)
    }

    /// Seconds since 1970.
    pub(crate) fn epoch(&mut self, name: &'static str) -> Result<Timestamp, DecodeError> {
        let time =
            self.read(name, |text| Timestamp::from_epoch_seconds(text).map_err(Problem::Invalid))?;
        present(name, time)
    }

    /// The one value that a field can have.
    pub(crate) fn fixed(
        &mut self,
        name: &'static str,
        value: &'static str,
    ) -> Result<(), DecodeError> {
        let wrong = Problem::Invalid(Expected::Fixed(value));
        let right = self.read(name, |text| if text == value { Ok(()) } else { Err(wrong) })?;
        present(name, right)
    }

    /// Reads a value; an empty one is the same as none.
    fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<Option<T>, DecodeError> {
        let value = self.take(name)?.filter(|text| !text.is_empty()).map(read).transpose();
        value.map_err(|problem| DecodeError::new(name, problem))
    }

    /// For a server: whatever has not been taken is an error, and so is a second of those that
    /// belong to every request: two readers could each follow another `Action`.
    pub(crate) fn finish(mut self) -> Result<(), DecodeError> {
        for name in COMMON {
            self.take(name)?;
        }
        let left = self.params.iter().zip(self.used).find(|(_, used)| !used);
        match left {
            Some(((name, _), _)) => Err(DecodeError::new(name.as_str(), Problem::Unknown)),
            None => Ok(()),
        }
    }
}

/// A text within its limit that XML and a terminal can carry.
pub(crate) fn check_text(text: &str, limit: Limit) -> Result<(), Problem> {
    let carried = |character: char| !character.is_control() || "\t\n\r".contains(character);
    match (text.is_empty(), text.chars().all(carried)) {
        (true, _) => Err(Problem::Missing),
        (false, false) => Err(Problem::Invalid(Expected::Text)),
        (false, true) => limit.check(text),
    }
}

fn present<T>(name: &str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or_else(|| DecodeError::new(name, Problem::Missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_forms_are_written() {
        let params = Params::parse(b"&a=1+2%203&b&c=%E2%98%95&&d=x=y").unwrap();
        let pairs: Vec<_> = params.iter().collect();
        assert_eq!(pairs, [("a", "1 2 3"), ("b", ""), ("c", "\u{2615}"), ("d", "x=y")]);
        assert_eq!(params.to_form(), "a=1%202%203&b=&c=%E2%98%95&d=x%3Dy");
        assert_eq!(Params::parse(params.to_form().as_bytes()), Ok(params));
    }

    #[test]
    fn bad_bytes_and_floods_are_refused() {
        for form in [&b"a=%ff"[..], b"\xff=1"] {
            let problem = Params::parse(form).unwrap_err().problem().clone();
            assert_eq!(problem, Problem::Malformed(Expected::Form));
        }
        for form in ["a=1&".repeat(PARAMS_MAX + 1), "a".repeat(FORM_BYTES_MAX + 1)] {
            let problem = Params::parse(form.as_bytes()).unwrap_err().problem().clone();
            assert_eq!(problem, Problem::TooLarge);
        }
    }

    #[test]
    fn values_are_not_printed() {
        let params = Params::parse(b"buyerEmail=canary%40example.com").unwrap();
        assert_eq!(format!("{params:?}"), r#"Params["buyerEmail"]"#);
    }
}

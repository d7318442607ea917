//! Parameters to the fields of a message, in the spelling of one revision; notices what is left.

use refund_rules::Money;

use super::{Params, check_text};
use crate::dialect::Dialect;
use crate::error::{DecodeError, Expected, Problem};
use crate::field::Field;
use crate::money;
use crate::scalar::Scalar;
use crate::timestamp::Timestamp;

/// Parameters that belong to every signed request and to no action.
pub(crate) const COMMON: [&str; 7] = [
    "Action",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// Takes the fields of a message out of its parameters.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    params: &'a [(String, String)],
    used: Vec<bool>,
    dialect: Dialect,
    /// What stands before the names of a part, with its dot.
    prefix: String,
}

impl<'a> Fields<'a> {
    /// Of a message that has no revision.
    pub(crate) fn of_message(params: &'a Params) -> Self {
        Self {
            params: &params.0,
            used: vec![false; params.0.len()],
            dialect: Dialect::default(),
            prefix: String::new(),
        }
    }

    /// Of a request, which must not say that it is another action or revision.
    pub(crate) fn of_action(
        params: &'a Params,
        action: &'static str,
        known_to: &[Dialect],
        dialect: Dialect,
    ) -> Result<Self, DecodeError> {
        if !known_to.contains(&dialect) {
            return Err(DecodeError::new("Action", Problem::NotIn(dialect)));
        }
        let mut fields = Self { dialect, ..Self::of_message(params) };
        for (name, expected) in [("Action", action), ("Version", dialect.version())] {
            if fields.take(name)?.is_some_and(|given| given != expected) {
                return Err(DecodeError::new(name, Problem::Invalid(Expected::Fixed(expected))));
            }
        }
        Ok(fields)
    }

    /// One text; an empty one is the same as none.
    pub(crate) fn text<T: Scalar>(&mut self, field: &Field) -> Result<Option<T>, DecodeError> {
        self.read(field, |text| {
            check_text(text, field.limit())?;
            T::from_text(text).map_err(Problem::Invalid)
        })
    }

    /// `Name.1`, `Name.2` and so on, in the order of their numbers, or one `Name`.
    pub(crate) fn texts<T: Scalar>(&mut self, field: &Field) -> Result<Vec<T>, DecodeError> {
        let mut found = Vec::new();
        for name in self.names(field) {
            for (index, (given, text)) in self.params.iter().enumerate() {
                let Some(rest) = given.strip_prefix(&*name) else { continue };
                let number = match rest.strip_prefix('.') {
                    None if rest.is_empty() => Some(0),
                    Some(digits) if !digits.starts_with(['+', '0']) => digits.parse::<u16>().ok(),
                    _ => None,
                };
                let Some(number) = number else { continue };
                self.used[index] = true;
                let fail = |problem| DecodeError::new(given.as_str(), problem);
                check_text(text, field.limit()).map_err(fail)?;
                let value = T::from_text(text).map_err(|it| fail(Problem::Invalid(it)))?;
                if found.iter().any(|(other, _)| *other == number) {
                    return Err(fail(Problem::Duplicate));
                }
                found.push((number, value));
            }
        }
        found.sort_by_key(|(number, _)| *number);
        self.demanded(field, Some(()).filter(|()| !found.is_empty()))?;
        Ok(found.into_iter().map(|(_, value)| value).collect())
    }

    /// An amount in two parameters, both or neither. An empty one is not left out: what remains of a
    /// payment must not be refunded because an amount was lost on its way.
    pub(crate) fn amount(&mut self, field: &Field) -> Result<Option<Money>, DecodeError> {
        let mut found = None;
        for name in self.names(field) {
            let code = format!("{name}.CurrencyCode");
            // A sample of Amazon's own has the one name where its schema has the other.
            let values = [format!("{name}.Value"), format!("{name}.Amount")];
            let usual = &values[usize::from(self.dialect.amount_value() == "Amount")];
            let missing = |name: &str| DecodeError::new(name, Problem::Missing);
            let currency = self.take(&code)?;
            let mut amount = None;
            for value in &values {
                if let Some(text) = self.take(value)?
                    && amount.replace(text).is_some()
                {
                    return Err(DecodeError::new(value.as_str(), Problem::Duplicate));
                }
            }
            let money = match (currency, amount) {
                (None, None) => continue,
                (None | Some(""), Some(_)) => return Err(missing(&code)),
                (Some(_), None | Some("")) => return Err(missing(usual)),
                (Some(currency), Some(amount)) => money::read_strictly(currency, amount)
                    .map_err(|problem| DecodeError::new(name.as_str(), problem))?,
            };
            if found.replace(money).is_some() {
                return Err(DecodeError::new(name, Problem::Duplicate));
            }
        }
        self.demanded(field, found)
    }

    /// An amount in one parameter: `USD 1.00`.
    pub(crate) fn amount_text(&mut self, field: &Field) -> Result<Option<Money>, DecodeError> {
        self.read(field, money::from_code_and_amount)
    }

    /// An amount of US dollars: `1.00`.
    pub(crate) fn dollars(&mut self, field: &Field) -> Result<Option<Money>, DecodeError> {
        self.read(field, money::from_dollars)
    }

    /// Seconds since 1970.
    pub(crate) fn epoch(&mut self, field: &Field) -> Result<Option<Timestamp>, DecodeError> {
        self.read(field, |text| Timestamp::from_epoch_seconds(text).map_err(Problem::Invalid))
    }

    /// The one value that a field can have.
    pub(crate) fn fixed(&mut self, field: &Field, value: &'static str) -> Result<(), DecodeError> {
        let wrong = Problem::Invalid(Expected::Fixed(value));
        self.required(field, |fields, field| {
            fields.read(field, |text| if text == value { Ok(()) } else { Err(wrong) })
        })
    }

    /// A part with fields of its own: `Name.Field`.
    pub(crate) fn object<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let prefixes: Vec<_> = self.names(field).iter().map(|name| format!("{name}.")).collect();
        let given =
            |prefix: &&String| self.params.iter().any(|(name, _)| name.starts_with(*prefix));
        let value = match prefixes.iter().find(given) {
            Some(prefix) => {
                let outer = std::mem::replace(&mut self.prefix, prefix.clone());
                let value = read(self)?;
                self.prefix = outer;
                Some(value)
            }
            None => None,
        };
        self.demanded(field, value)
    }

    /// The value of a field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(&mut Self, &Field) -> Result<Option<T>, DecodeError>,
    ) -> Result<T, DecodeError> {
        let value = read(self, field)?;
        value.ok_or_else(|| DecodeError::new(self.name(field), Problem::Missing))
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

    fn read<T>(
        &mut self,
        field: &Field,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<Option<T>, DecodeError> {
        let mut found = None;
        for name in self.names(field) {
            if let Some(text) = self.take(&name)?
                && found.replace((name.clone(), text)).is_some()
            {
                return Err(DecodeError::new(name, Problem::Duplicate));
            }
        }
        let found = found.filter(|(_, text)| !text.is_empty());
        let value = found
            .map(|(name, text)| read(text).map_err(|problem| DecodeError::new(name, problem)))
            .transpose()?;
        self.demanded(field, value)
    }

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

    /// The names by which a field may be given in this revision: none if it does not know the field.
    fn names(&self, field: &Field) -> Vec<String> {
        let Some(name) = field.name_in(self.dialect) else { return Vec::new() };
        let others = field.other_names().iter().filter(|other| **other != name);
        let names = std::iter::once(&name).chain(others);
        names.map(|name| format!("{}{name}", self.prefix)).collect()
    }

    fn name(&self, field: &Field) -> String {
        format!("{}{}", self.prefix, field.name_in(self.dialect).unwrap_or(field.name()))
    }

    fn demanded<T>(&self, field: &Field, value: Option<T>) -> Result<Option<T>, DecodeError> {
        match value {
            None if field.is_required_in(self.dialect) => {
                Err(DecodeError::new(self.name(field), Problem::Missing))
            }
            value => Ok(value),
        }
    }
}

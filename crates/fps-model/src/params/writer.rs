//! Fields of a message to parameters, in the spelling of one revision.

use refund_rules::Money;

use super::{Params, check_text};
use crate::dialect::Dialect;
use crate::error::{EncodeError, Problem};
use crate::field::Field;
use crate::money;
use crate::scalar::Scalar;
use crate::timestamp::Timestamp;

/// Writes the fields of a message as parameters.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    params: Params,
    dialect: Dialect,
    /// What stands before the names of a part, with its dot.
    prefix: String,
}

impl Writer {
    /// With what every request begins with.
    pub(crate) fn action(
        action: &str,
        known_to: &[Dialect],
        dialect: Dialect,
    ) -> Result<Self, EncodeError> {
        if !known_to.contains(&dialect) {
            return Err(EncodeError::new("Action", Problem::NotIn(dialect)));
        }
        let mut params = Params::new();
        params.push("Action", action);
        params.push("Version", dialect.version());
        Ok(Self { params, dialect, prefix: String::new() })
    }

    /// One text.
    pub(crate) fn text(
        &mut self,
        field: &Field,
        value: Option<&impl Scalar>,
    ) -> Result<(), EncodeError> {
        self.field(field, value, |out, name, value| {
            let text = value.to_text();
            check_text(&text, field.limit())?;
            out.params.push(name, text);
            Ok(())
        })
    }

    /// `Name.1`, `Name.2` and so on.
    pub(crate) fn texts(
        &mut self,
        field: &Field,
        values: &[impl Scalar],
    ) -> Result<(), EncodeError> {
        let values = Some(values).filter(|values| !values.is_empty());
        self.field(field, values, |out, name, values| {
            for (index, value) in values.iter().enumerate() {
                let text = value.to_text();
                check_text(&text, field.limit())?;
                out.params.push(format!("{name}.{}", index + 1), text);
            }
            Ok(())
        })
    }

    /// `Name.CurrencyCode` and `Name.Value`.
    pub(crate) fn amount(
        &mut self,
        field: &Field,
        value: Option<Money>,
    ) -> Result<(), EncodeError> {
        self.field(field, value, |out, name, money| {
            money::check_positive(money)?;
            out.params.push(format!("{name}.CurrencyCode"), money.currency().code());
            let value = out.dialect.amount_value();
            out.params.push(format!("{name}.{value}"), money::shortest(money));
            Ok(())
        })
    }

    /// `USD 1.00`.
    pub(crate) fn amount_text(
        &mut self,
        field: &Field,
        value: Option<Money>,
    ) -> Result<(), EncodeError> {
        self.field(field, value, |out, name, money| {
            money::check_positive(money)?;
            out.params.push(name, money::with_code(money));
            Ok(())
        })
    }

    /// `1.00`, of US dollars.
    pub(crate) fn dollars(
        &mut self,
        field: &Field,
        value: Option<Money>,
    ) -> Result<(), EncodeError> {
        self.field(field, value, |out, name, money| {
            out.params.push(name, money::dollars(money)?);
            Ok(())
        })
    }

    /// Seconds since 1970.
    pub(crate) fn epoch(
        &mut self,
        field: &Field,
        value: Option<Timestamp>,
    ) -> Result<(), EncodeError> {
        self.field(field, value, |out, name, time| {
            out.params.push(name, time.to_epoch_seconds());
            Ok(())
        })
    }

    /// The one value that a field can have.
    pub(crate) fn fixed(&mut self, field: &Field, value: &str) {
        self.params.push(field.name(), value);
    }

    /// A part with fields of its own: `Name.Field`.
    pub(crate) fn object<T>(
        &mut self,
        field: &Field,
        value: Option<&T>,
        write: impl FnOnce(&T, &mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let Some((name, value)) = self.named(field, value)? else { return Ok(()) };
        let outer = std::mem::replace(&mut self.prefix, format!("{name}."));
        let before = self.params.0.len();
        write(value, self)?;
        self.prefix = outer;
        // A part without parameters would not be read as one.
        match self.params.0.len() == before {
            true => Err(EncodeError::new(name, Problem::Missing)),
            false => Ok(()),
        }
    }

    pub(crate) fn finish(self) -> Params {
        self.params
    }

    fn field<T>(
        &mut self,
        field: &Field,
        value: Option<T>,
        write: impl FnOnce(&mut Self, &str, T) -> Result<(), Problem>,
    ) -> Result<(), EncodeError> {
        let Some((name, value)) = self.named(field, value)? else { return Ok(()) };
        write(self, &name, value).map_err(|problem| EncodeError::new(name, problem))
    }

    /// A value with its name in this revision, which may demand it or not know it.
    fn named<T>(
        &self,
        field: &Field,
        value: Option<T>,
    ) -> Result<Option<(String, T)>, EncodeError> {
        let full = |name| format!("{}{name}", self.prefix);
        match (field.name_in(self.dialect), value) {
            (Some(name), Some(value)) => Ok(Some((full(name), value))),
            (None, Some(_)) => {
                Err(EncodeError::new(full(field.name()), Problem::NotIn(self.dialect)))
            }
            (Some(name), None) if field.is_required_in(self.dialect) => {
                Err(EncodeError::new(full(name), Problem::Missing))
            }
            (_, None) => Ok(None),
        }
    }
}

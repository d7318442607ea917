//! Fields of a request to its JSON body; what is not there is left out, never null.

use refund_rules::Money;
use serde::Serialize;

use crate::error::{EncodeError, Problem};
use crate::field::Field;
use crate::money::{self, Price};
use crate::params::check_text;
use crate::scalar::Scalar;

/// Writes the fields of a request body in their order.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    /// What stands before the names of a part in errors, with its dot.
    path: String,
    /// Has the object that is being written a field already?
    begun: bool,
}

impl Writer {
    /// One text.
    pub(crate) fn text<T: Scalar + Serialize>(
        &mut self,
        field: &Field,
        value: Option<&T>,
    ) -> Result<(), EncodeError> {
        let Some(value) = value else { return Ok(()) };
        check_text(&value.to_text(), field.limit()).map_err(|it| self.fail(field, it))?;
        self.value(field, value);
        Ok(())
    }

    /// An array of texts.
    pub(crate) fn texts<T: Scalar + Serialize>(
        &mut self,
        field: &Field,
        values: &[T],
    ) -> Result<(), EncodeError> {
        for value in values {
            check_text(&value.to_text(), field.limit()).map_err(|it| self.fail(field, it))?;
        }
        if !values.is_empty() {
            self.value(field, &values);
        }
        Ok(())
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self, field: &Field, value: Option<bool>) -> Result<(), EncodeError> {
        if let Some(value) = value {
            self.value(field, &value);
        }
        Ok(())
    }

    /// `{"amount": "14.00", "currencyCode": "USD"}`.
    pub(crate) fn price(&mut self, field: &Field, value: Option<Money>) -> Result<(), EncodeError> {
        let Some(money) = value else { return Ok(()) };
        money::check_positive(money).map_err(|problem| self.fail(field, problem))?;
        self.value(field, &Price(money));
        Ok(())
    }

    /// A part with fields of its own.
    pub(crate) fn object<T>(
        &mut self,
        field: &Field,
        value: Option<&T>,
        write: impl FnOnce(&T, &mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let Some(value) = value else { return Ok(()) };
        self.name(field);
        let mut inner = Self { path: format!("{}{}.", self.path, field.name()), ..Self::default() };
        write(value, &mut inner)?;
        self.text.push_str(&inner.finish());
        Ok(())
    }

    pub(crate) fn finish(mut self) -> String {
        if !self.begun {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }

    fn value(&mut self, field: &Field, value: &impl Serialize) {
        self.name(field);
        // The types of this crate can always be written.
        self.text.push_str(&serde_json::to_string(value).unwrap_or_default());
    }

    fn name(&mut self, field: &Field) {
        self.text.push(if self.begun { ',' } else { '{' });
        self.begun = true;
        self.text.push('"');
        self.text.push_str(field.name());
        self.text.push_str("\":");
    }

    fn fail(&self, field: &Field, problem: Problem) -> EncodeError {
        EncodeError::new(format!("{}{}", self.path, field.name()), problem)
    }
}

//! A token as the owner of a sandbox describes it: what the co-branded pages would have asked a buyer or
//! a recipient.

use std::time::Duration;

use fps_model::Decimal;
use fps_model::flexible_payments::{AmountType, FpsOperation, TokenId, TokenType, UsageLimitType};
use refund_rules::{Method, Money, Role};
use rusqlite::Connection;

use super::{AmountTerm, NewToken, UsageTerm, insert};
use crate::app::App;
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::ids;
use crate::merchants::Merchant;
use crate::periods::{NoPeriod, Period};

/// A token to be installed for a merchant.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    new: NewToken,
    life: Option<Duration>,
    starts_after: Option<Duration>,
}

impl TokenSpec {
    /// Of a buyer who pays so, as often as the merchant likes.
    #[must_use]
    pub fn sender(method: Method) -> Self {
        Self { new: NewToken::new("", 0, method), life: None, starts_after: None }
    }

    /// Of a recipient who is paid through a marketplace, with the most that the marketplace may take of
    /// each payment: a fixed amount, and a part in percent.
    #[must_use]
    pub fn recipient(
        recipient: &Merchant,
        max_fixed_fee: Money,
        max_variable_fee: Decimal,
    ) -> Self {
        let mut spec = Self::sender(Method::Balance);
        spec.new.role = Role::Recipient;
        spec.new.owner = Some(recipient.id);
        spec.new.terms.max_fixed_fee = Some(max_fixed_fee.minor());
        spec.new.terms.max_variable_fee = Some(max_variable_fee);
        spec.new.terms.recipient_pays_fee = Some(true);
        spec
    }

    /// With which a recipient lets a marketplace refund what it was paid.
    #[must_use]
    pub fn refund(recipient: &Merchant) -> Self {
        let mut spec = Self::sender(Method::Balance);
        spec.new.owner = Some(recipient.id);
        spec.new.terms.operation = Some(FpsOperation::Refund);
        spec
    }

    /// As a token of this type: `SingleUse`, `MultiUse`, `Recurring`, `Unrestricted`.
    #[must_use]
    pub fn of_type(mut self, kind: TokenType) -> Self {
        self.new.kind = kind;
        self
    }

    /// For payments of exactly, at least or at most this amount.
    #[must_use]
    pub fn amount(mut self, is: AmountType, amount: Money) -> Self {
        self.new.terms.amount = Some(AmountTerm { is, minor: amount.minor() });
        self
    }

    /// For at most this amount in all.
    #[must_use]
    pub fn total(mut self, most: Money) -> Self {
        self.new.terms.total = Some(most.minor());
        self
    }

    /// For at most so many payments in each period, such as `1 Month`.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for a text that is no period.
    pub fn count_each(self, most: u32, period: &str) -> Result<Self, Error> {
        self.usage(UsageLimitType::Count, i64::from(most), period)
    }

    /// For at most this amount in each period.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for a text that is no period.
    pub fn amount_each(self, most: Money, period: &str) -> Result<Self, Error> {
        self.usage(UsageLimitType::Amount, most.minor(), period)
    }

    fn usage(mut self, of: UsageLimitType, most: i64, period: &str) -> Result<Self, Error> {
        let Some(period) = Period::parse(period) else {
            return Err(Error::with(ErrorKind::Invalid, NoPeriod));
        };
        self.new.terms.usage.push(UsageTerm { of, most, period: Some(period) });
        Ok(self)
    }

    /// For these recipients only, by their tokens.
    #[must_use]
    pub fn recipients(mut self, tokens: &[TokenId]) -> Self {
        self.new.terms.recipients = tokens.iter().map(|token| token.as_str().to_owned()).collect();
        self
    }

    /// Of a recipient who does not pay the fee of the service: the caller must.
    #[must_use]
    pub fn caller_pays_fee(mut self) -> Self {
        self.new.terms.recipient_pays_fee = Some(false);
        self
    }

    /// Bound to a prepaid or postpaid instrument.
    #[must_use]
    pub fn instrument(mut self, instrument: &str) -> Self {
        self.new.instrument = Some(instrument.to_owned());
        self
    }

    /// To be found under this reference.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.new.caller_reference = Some(reference.into());
        self
    }

    /// For so long.
    #[must_use]
    pub const fn life(mut self, life: Duration) -> Self {
        self.life = Some(life);
        self
    }

    /// From then on.
    #[must_use]
    pub const fn starts_after(mut self, wait: Duration) -> Self {
        self.starts_after = Some(wait);
        self
    }
}

impl App {
    /// Gives a merchant a token with terms, as the co-branded pages would have.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_token(
        &self,
        merchant: &Merchant,
        spec: TokenSpec,
    ) -> Result<TokenId, Error> {
        let now = self.shared.clock.now();
        let mut new = spec.new;
        new.merchant = merchant.id;
        new.expires_at = spec.life.map(|life| now.saturating_add(clock::millis(life)));
        new.terms.valid_from =
            spec.starts_after.map(|wait| now.saturating_add(clock::millis(wait)));
        let work = move |connection: &Connection| {
            new.id = ids::token_id()?;
            insert(connection, &new, now)?;
            Ok(TokenId::new(new.id))
        };
        self.shared.store.run(work).await
    }
}

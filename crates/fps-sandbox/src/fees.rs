//! What the services take of a payment: a part of it, and a fixed amount. The real tables are not known.

use refund_rules::{Money, Rounding};

use crate::error::{Error, ErrorKind};

/// The fee of one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fees {
    pub(crate) percent: u8,
    pub(crate) fixed: Money,
}

impl Fees {
    /// What is taken of an amount, and never more than all of it. The fixed amount is for payments in its
    /// own currency.
    pub(crate) fn of(self, amount: Money) -> Result<Money, Error> {
        let part = amount.percent(self.percent, Rounding::HalfEven).map_err(invalid)?;
        let fixed = self.fixed.currency() == amount.currency();
        let fee = if fixed { part.checked_add(self.fixed).map_err(invalid)? } else { part };
        Ok(if fee.try_cmp(amount).map_err(invalid)?.is_gt() { amount } else { fee })
    }
}

fn invalid(error: refund_rules::MoneyError) -> Error {
    Error::with(ErrorKind::Invalid, error)
}

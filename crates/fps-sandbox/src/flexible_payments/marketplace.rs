//! Who is paid, and what a marketplace takes of it: within what the recipient agreed to.

use fps_model::Decimal;
use fps_model::flexible_payments::{ChargeFeeTo, ErrorCode};
use refund_rules::{Money, Role};

use super::charge::Charge;
use super::parties::{self, incompatible, usage_error};
use super::{Context, stop};
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::tokens::{StoredToken, percent_of, within};

/// The recipient of a payment, and the marketplace's part of it.
pub(super) struct Share {
    pub(super) recipient: i64,
    pub(super) fee_payer: Role,
    /// What the marketplace takes; nothing of a payment that has none.
    pub(super) fee: Option<Money>,
    /// As it was agreed: cents, and percent.
    pub(super) fixed: Option<i64>,
    pub(super) variable: Option<Decimal>,
}

/// Who is paid, and what the caller takes of it.
pub(super) fn share(context: &Context<'_>, charge: &Charge<'_>) -> Result<Share, Stop> {
    let token = match charge.recipient_token {
        Some(token) => Some(parties::token(context, token, Role::Recipient)?),
        None => None,
    };
    let recipient = token.as_ref().and_then(|token| token.owner).unwrap_or(context.merchant);
    let fee_payer = fee_payer(charge, token.as_ref())?;
    let own = Share { recipient, fee_payer, fee: None, fixed: None, variable: None };
    let Some(token) = token.filter(|_| recipient != context.merchant) else {
        if charge.fixed_fee.is_some() || charge.variable_fee.is_some() {
            let message = "Only a marketplace takes a fee: name the token of another recipient.";
            return Err(stop(ErrorCode::NotMarketplaceApp, message));
        }
        return Ok(own);
    };
    let (fixed, variable) = (charge.fixed_fee, charge.variable_fee);
    let terms = &token.terms;
    let most = terms.max_fixed_fee.unwrap_or_default();
    if fixed.is_some_and(|fixed| fixed.minor() > most) {
        return Err(usage_error(&token));
    }
    let most = terms.max_variable_fee.as_ref();
    let agreed = |fee: &Decimal| most.is_some_and(|most| within(fee, most));
    if variable.is_some_and(|fee| !agreed(fee)) {
        return Err(usage_error(&token));
    }
    let fixed = fixed.map(Money::minor);
    let fee = fee(charge.amount, fixed, variable)?;
    Ok(Share { fee: Some(fee), fixed, variable: variable.cloned(), ..own })
}

/// What a marketplace takes of an amount, and never more than all of it.
pub(super) fn fee(
    amount: Money,
    fixed: Option<i64>,
    variable: Option<&Decimal>,
) -> Result<Money, Stop> {
    let zero = Money::zero(amount.currency());
    let part = variable.map_or(Some(zero), |percent| percent_of(amount, percent));
    let fixed = Money::from_minor(fixed.unwrap_or_default(), amount.currency());
    let Some(part) = part.filter(|_| !fixed.is_negative()) else {
        let message =
            "marketplaceFixedFee and marketplaceVariableFee have to be amount and percentage";
        return Err(stop(ErrorCode::InvalidParams, message));
    };
    let invalid = |error| Error::with(ErrorKind::Invalid, error);
    let fee = part.checked_add(fixed).map_err(invalid)?;
    Ok(if fee.try_cmp(amount).map_err(invalid)?.is_gt() { amount } else { fee })
}

/// Makes sure that a recipient is left with no less than nothing. Which code the service had for this is
/// not known.
pub(super) fn leave_something(
    amount: Money,
    share: Money,
    fee: Money,
    fee_payer: Role,
) -> Result<(), Stop> {
    let invalid = |error| Error::with(ErrorKind::Invalid, error);
    let left = amount.checked_sub(share).map_err(invalid)?;
    let from_recipient = fee_payer != Role::Caller;
    let left = if from_recipient { left.checked_sub(fee).map_err(invalid)? } else { left };
    if left.is_negative() {
        let message = "The fees of service and marketplace are more than the amount.";
        return Err(stop(ErrorCode::AmountOutOfRange, message));
    }
    Ok(())
}

/// Who pays the fee of the service: the recipient, unless it does not or the caller wants to. Source: FPS
/// 2008-09-17 API reference, ChargeFeeTo; co-branded service guide, recipientPaysFee.
fn fee_payer(charge: &Charge<'_>, recipient: Option<&StoredToken>) -> Result<Role, Stop> {
    let recipient_pays = recipient.and_then(|token| token.terms.recipient_pays_fee);
    match (charge.charge_fee_to, recipient_pays) {
        (Some(ChargeFeeTo::Recipient), Some(false)) => {
            Err(incompatible("The recipient does not pay the fee."))
        }
        (Some(ChargeFeeTo::Caller), _) | (None, Some(false)) => Ok(Role::Caller),
        _ => Ok(Role::Recipient),
    }
}

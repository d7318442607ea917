//! What accounts and instruments hold: GetAccountBalance, GetPrepaidBalance, GetTotalPrepaidLiability,
//! GetDebtBalance, GetOutstandingDebtBalance, GetAllPrepaidInstruments, GetAllCreditInstruments.

use fps_model::flexible_payments::{
    AccountBalance, AvailableBalances, DebtBalance, ErrorCode, GetAccountBalance,
    GetAccountBalanceResult, GetAllCreditInstruments, GetAllCreditInstrumentsResult,
    GetAllPrepaidInstruments, GetAllPrepaidInstrumentsResult, GetDebtBalance, GetDebtBalanceResult,
    GetOutstandingDebtBalance, GetOutstandingDebtBalanceResult, GetPrepaidBalance,
    GetPrepaidBalanceResult, GetTotalPrepaidLiability, GetTotalPrepaidLiabilityResult,
    InstrumentStatus, OutstandingDebtBalance, OutstandingPrepaidLiability, PrepaidBalance,
};
use refund_rules::{Currency, Money};

use super::{Context, credit, stop};
use crate::books::{self, Account, Place, Service};
use crate::error::Error;
use crate::idempotency::Stop;
use crate::instruments::{self, Kind};

/// What comes in is what is being charged; what goes out are the refunds on their way, which the balance
/// is already without.
pub(super) fn account(
    context: &Context<'_>,
    _: &GetAccountBalance,
) -> Result<GetAccountBalanceResult, Stop> {
    let total = held(context, Account::Merchant)?;
    let pending_out = held(context, Account::Refunding)?;
    let pending_in = context
        .connection
        .prepare_cached(
            "SELECT coalesce(sum(iif(captured > 0, captured, amount)), 0) FROM payment
             WHERE ((merchant = ?1 AND recipient = ?1) OR (recipient = ?1 AND recipient <> merchant))
             AND service = 'flexible-payments' AND state IN ('pending', 'capturing')
             AND method NOT IN ('prepaid', 'postpaid')",
        )?
        .query_row([context.merchant], |row| row.get(0))?;
    let pending_in = Money::from_minor(pending_in, Currency::USD);
    let available = AvailableBalances::new(total, total);
    let balance = AccountBalance::new(total, pending_in, pending_out, available);
    Ok(GetAccountBalanceResult::new(balance))
}

fn held(context: &Context<'_>, account: Account) -> Result<Money, Error> {
    let place = Place::new(context.merchant, account);
    books::balance(context.connection, Service::FlexiblePayments, place, Currency::USD)
}

pub(super) fn prepaid(
    context: &Context<'_>,
    request: &GetPrepaidBalance,
) -> Result<GetPrepaidBalanceResult, Stop> {
    let id = request.prepaid_instrument_id.as_str();
    let instrument = credit::own(context, "PrepaidInstrumentId", id, Kind::Prepaid)?;
    let balance = PrepaidBalance::new(instruments::balance(context.connection, &instrument)?)
        .pending_in_balance(instruments::pending(context.connection, &instrument)?);
    Ok(GetPrepaidBalanceResult::new(balance))
}

pub(super) fn prepaid_liability(
    context: &Context<'_>,
    _: &GetTotalPrepaidLiability,
) -> Result<GetTotalPrepaidLiabilityResult, Stop> {
    let (held, pending) = instruments::totals(context.connection, context.merchant, Kind::Prepaid)?;
    let liability = OutstandingPrepaidLiability::new(held).pending_in_balance(pending);
    Ok(GetTotalPrepaidLiabilityResult::new(liability))
}

pub(super) fn debt(
    context: &Context<'_>,
    request: &GetDebtBalance,
) -> Result<GetDebtBalanceResult, Stop> {
    let id = request.credit_instrument_id.as_str();
    let instrument = credit::own(context, "CreditInstrumentId", id, Kind::Postpaid)?;
    let balance = DebtBalance::new(instruments::balance(context.connection, &instrument)?)
        .pending_out_balance(instruments::pending(context.connection, &instrument)?);
    Ok(GetDebtBalanceResult::new(balance))
}

pub(super) fn outstanding_debt(
    context: &Context<'_>,
    _: &GetOutstandingDebtBalance,
) -> Result<GetOutstandingDebtBalanceResult, Stop> {
    let (owed, pending) =
        instruments::totals(context.connection, context.merchant, Kind::Postpaid)?;
    let debt = OutstandingDebtBalance::new(owed).pending_out_balance(pending);
    Ok(GetOutstandingDebtBalanceResult::new(debt))
}

pub(super) fn prepaid_instruments(
    context: &Context<'_>,
    request: &GetAllPrepaidInstruments,
) -> Result<GetAllPrepaidInstrumentsResult, Stop> {
    let mut result = GetAllPrepaidInstrumentsResult::new();
    for id in instruments(context, Kind::Prepaid, request.instrument_status.as_ref())? {
        result = result.prepaid_instrument_ids(id);
    }
    Ok(result)
}

pub(super) fn credit_instruments(
    context: &Context<'_>,
    request: &GetAllCreditInstruments,
) -> Result<GetAllCreditInstrumentsResult, Stop> {
    let mut result = GetAllCreditInstrumentsResult::new();
    for id in instruments(context, Kind::Postpaid, request.instrument_status.as_ref())? {
        result = result.credit_instrument_ids(id);
    }
    Ok(result)
}

/// All of them, unless a status is asked for: the schema names no default.
fn instruments(
    context: &Context<'_>,
    kind: Kind,
    status: Option<&InstrumentStatus>,
) -> Result<Vec<String>, Stop> {
    let active = match status {
        None | Some(InstrumentStatus::All) => None,
        Some(InstrumentStatus::Active) => Some(true),
        Some(InstrumentStatus::Cancelled) => Some(false),
        Some(_) => return Err(stop(ErrorCode::InvalidParams, "instrumentStatus is none there is")),
    };
    Ok(instruments::of_merchant(context.connection, context.merchant, kind, active)?)
}

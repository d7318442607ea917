//! Settle: charges what was reserved, or a part of it, once, under the id of the reservation.

use fps_model::flexible_payments::{ErrorCode, Settle, SettleResult};
use refund_rules::Money;
use rusqlite::params;

use super::details::Details;
use super::status::payment_status;
use super::{Context, in_dollars, marketplace, no_such_transaction, notify_url, parties, stop};
use crate::idempotency::Stop;
use crate::payments::{self, Capture, End, Operation, State, StoredPayment};

pub(super) fn perform(context: &Context<'_>, request: &Settle) -> Result<SettleResult, Stop> {
    parties::caller(context, None)?;
    let notify_url = notify_url(request.override_ipn_url.as_ref())?;
    let id = request.reserve_transaction_id.as_str();
    let found = context.owner().payment(context.connection, id)?;
    let Some(stored) = found.filter(|stored| stored.operation == Operation::Reserve) else {
        return Err(no_such_transaction(id));
    };
    if stored.state != State::Reserved {
        let message = "The transaction is not reserved: only what is can be settled, and once.";
        return Err(stop(ErrorCode::InvalidTransactionState, message));
    }
    let amount = request.transaction_amount.unwrap_or(stored.amount);
    check_amount(amount, stored.amount)?;
    let fee = context.fees.of(amount)?;
    fit_marketplace_fee(context, &stored, amount, fee)?;
    let capture = Capture {
        amount,
        fee,
        soft_descriptor: None,
        notify_url: notify_url.as_deref(),
        end: End::Completed,
        due_at: Some(context.now.saturating_add(context.processing)),
    };
    let stored = payments::settle(context.connection, &stored, &capture, context.now)?;
    let status = payment_status(&stored, context.dialect);
    Ok(SettleResult::new(stored.id, status))
}

fn check_amount(amount: Money, reserved: Money) -> Result<(), Stop> {
    in_dollars("transactionAmount", amount)?;
    if amount.minor() < 1 {
        return Err(stop(ErrorCode::AmountOutOfRange, "transactionAmount is out of range"));
    }
    if amount.minor() > reserved.minor() {
        // The sentence is that of a recorded answer.
        let message = format!(
            "Settle Amount \"${}\" is greater than the Reserve Amount \"${}\"",
            six_decimals(amount),
            six_decimals(reserved)
        );
        return Err(stop(ErrorCode::SettleAmountGreaterThanReserveAmount, message));
    }
    Ok(())
}

fn six_decimals(amount: Money) -> String {
    format!("{}.{:02}0000", amount.minor() / 100, amount.minor() % 100)
}

/// Of less, a marketplace takes less: its fee is what was agreed of what is charged.
fn fit_marketplace_fee(
    context: &Context<'_>,
    stored: &StoredPayment,
    amount: Money,
    fee: Money,
) -> Result<(), Stop> {
    if stored.merchant == stored.recipient {
        return Ok(());
    }
    let details = Details::read(&stored.details)?;
    let share = marketplace::fee(amount, details.fixed_fee, details.variable_fee.as_ref())?;
    marketplace::leave_something(amount, share, fee, stored.payment.fee_payer())?;
    context
        .connection
        .prepare_cached("UPDATE payment SET marketplace_fee = ? WHERE id = ?")?
        .execute(params![share.minor(), stored.id])?;
    Ok(())
}

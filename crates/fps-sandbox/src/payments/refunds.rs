//! Refunds: taken when the rules allow them, brought to their end, or declined with all going back.

use refund_rules::{Money, Plan, RefundState, Scope, Timing};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoredPayment, bad_row, load, money_of, transfers};
use crate::books::{self, Account, Place, Reason, Transfer};
use crate::clock::Millis;
use crate::control;
use crate::error::{Error, ErrorKind};
use crate::notifications;

/// A refund.
#[derive(Clone, Debug)]
pub(crate) struct StoredRefund {
    pub(crate) id: String,
    pub(crate) payment: String,
    pub(crate) state: RefundState,
    pub(crate) scope: Scope,
    pub(crate) amount: Money,
    pub(crate) fee_returned: Money,
    /// What a marketplace gives back of its own fee.
    pub(crate) marketplace_returned: Money,
    pub(crate) reason: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// What else its service's messages say of it, as JSON.
    pub(crate) details: String,
    /// Why it will be declined.
    pub(crate) decline: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// What a client says about the refund it asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRefund {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// What else its service's messages say of it, as JSON.
    pub(crate) details: Option<String>,
    /// Why it will be declined, if that was asked for with it.
    pub(crate) decline: Option<String>,
}

const SCOPES: [(Scope, &str); 3] = [
    (Scope::Payment, "payment"),
    (Scope::MarketplaceFee, "marketplace-fee"),
    (Scope::PaymentAndMarketplaceFee, "payment-and-marketplace-fee"),
];

fn scope_name(scope: Scope) -> &'static str {
    SCOPES.into_iter().find(|(known, _)| *known == scope).map_or("payment", |(_, name)| name)
}

fn scope_of(name: &str) -> Option<Scope> {
    SCOPES.into_iter().find(|(_, known)| *known == name).map(|(scope, _)| scope)
}

/// Takes a refund that the rules allow: the merchant gives the amount, less the fee that comes back.
pub(crate) fn begin_refund(
    connection: &Connection,
    stored: &StoredPayment,
    plan: &Plan,
    new: &NewRefund,
    now: Millis,
    processing: Millis,
) -> Result<StoredRefund, Error> {
    let decline = match &new.decline {
        Some(reason) => Some(reason.clone()),
        None => control::take_decline(connection)?,
    };
    let due_at = match plan.timing() {
        Timing::Later => Some(now.saturating_add(processing)),
        Timing::AtOnce => None,
    };
    connection
        .prepare_cached(
            "INSERT INTO refund (id, payment, state, scope, amount, fee_returned, marketplace_returned,
                 reference, description, soft_descriptor, notify_url, details, decline, created_at,
                 updated_at, due_at)
             VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            new.id,
            stored.id,
            scope_name(new.scope),
            plan.amount().minor(),
            plan.fee_returned().minor(),
            plan.marketplace_fee_returned().minor(),
            new.reference,
            new.description,
            new.soft_descriptor,
            new.notify_url,
            new.details.as_deref().unwrap_or("{}"),
            decline,
            now,
            now,
            due_at,
        ])?;
    let (refund, stored) = find(connection, &new.id)?;
    let transfers = transfers::of_refund(&stored, &refund);
    books::post(connection, stored.subject(&new.id), Reason::RefundBegun, &transfers, now)?;
    if due_at.is_none() {
        return Ok(finish_refund(connection, &new.id, now)?.0);
    }
    notifications::refund_changed(connection, &refund, &stored, now)?;
    Ok(refund)
}

/// Who cannot give what a refund takes, if somebody cannot: the fee that comes back counts.
pub(crate) fn payer_out_of_money(
    connection: &Connection,
    stored: &StoredPayment,
    plan: &Plan,
    scope: Scope,
) -> Result<Option<i64>, Error> {
    let planned = StoredRefund {
        id: String::new(),
        payment: stored.id.clone(),
        state: RefundState::Pending,
        scope,
        amount: plan.amount(),
        fee_returned: plan.fee_returned(),
        marketplace_returned: plan.marketplace_fee_returned(),
        reason: None,
        reference: None,
        description: None,
        soft_descriptor: None,
        notify_url: None,
        details: String::new(),
        decline: None,
        created_at: 0,
        updated_at: 0,
    };
    let transfers = transfers::of_refund(stored, &planned);
    for merchant in [stored.recipient, stored.merchant] {
        let place = Place::new(merchant, Account::Merchant);
        let change = change_of(place, &transfers, plan.amount())?;
        let holds = books::balance(connection, stored.service, place, plan.amount().currency())?;
        let after = holds.checked_add(change).map_err(bad_row)?;
        if change.is_negative() && after.is_negative() {
            return Ok(Some(merchant));
        }
    }
    Ok(None)
}

fn change_of(place: Place<'_>, transfers: &[Transfer<'_>], like: Money) -> Result<Money, Error> {
    let mut sum = Money::zero(like.currency());
    for transfer in transfers {
        if transfer.to == place {
            sum = sum.checked_add(transfer.amount).map_err(bad_row)?;
        }
        if transfer.from == place {
            sum = sum.checked_sub(transfer.amount).map_err(bad_row)?;
        }
    }
    Ok(sum)
}

/// Brings about the end of a pending refund: the buyer gets the money, or the merchant gets it back.
pub(crate) fn finish_refund(
    connection: &Connection,
    id: &str,
    now: Millis,
) -> Result<(StoredRefund, StoredPayment), Error> {
    let (refund, stored) = find(connection, id)?;
    let decline = refund.decline.clone().or_else(|| stored.decline.clone());
    let (state, reason) = match decline {
        Some(_) => ("declined", Reason::RefundDeclined),
        None => ("refunded", Reason::RefundDone),
    };
    connection
        .prepare_cached(
            "UPDATE refund SET state = ?, reason = ?, updated_at = ?, due_at = NULL
             WHERE id = ? AND state = 'pending'",
        )?
        .execute(params![state, decline, now, id])?;
    let transfers = match reason {
        Reason::RefundDeclined => {
            transfers::of_refund(&stored, &refund).into_iter().map(Transfer::reversed).collect()
        }
        _ => transfers::of_refund_done(&stored, &refund),
    };
    books::post(connection, stored.subject(id), reason, &transfers, now)?;
    if reason == Reason::RefundDeclined {
        close_fee(connection, &stored.id, now)?;
    }
    let (refund, stored) = find(connection, id)?;
    notifications::refund_changed(connection, &refund, &stored, now)?;
    Ok((refund, stored))
}

/// A refund beyond the captured amount returns less of the fee than its share, because there is no
/// more. If an earlier one is declined then, and the others are still the whole payment, the latest of
/// them returns what is missing: no later refund might come to do so.
fn close_fee(connection: &Connection, payment: &str, now: Millis) -> Result<(), Error> {
    let stored = load(connection, payment)?.ok_or(Error::new(ErrorKind::Invalid))?;
    let payment = &stored.payment;
    if payment.held().try_cmp(payment.captured()).map_err(bad_row)?.is_lt() {
        return Ok(());
    }
    let missing = payment.fee_due().map_err(bad_row)?;
    if missing.is_zero() {
        return Ok(());
    }
    let latest: String = connection
        .prepare_cached(
            "UPDATE refund SET fee_returned = fee_returned + ?2 WHERE id = (
                 SELECT id FROM refund
                 WHERE payment = ?1 AND state <> 'declined' AND scope <> 'marketplace-fee'
                 ORDER BY created_at DESC, rowid DESC LIMIT 1)
             RETURNING id",
        )?
        .query_row(params![stored.id, missing.minor()], |row| row.get(0))?;
    let transfer = transfers::of_fee(&stored, missing);
    books::post(connection, stored.subject(&latest), Reason::FeeClosed, &[transfer], now)
}

/// Arranges for the refunds of a payment to be declined when their time has come, or not any more.
pub(crate) fn set_decline(
    connection: &Connection,
    payment: &str,
    reason: Option<&str>,
) -> Result<(), Error> {
    let changed = connection
        .execute("UPDATE payment SET decline = ? WHERE id = ?", params![reason, payment])?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::with(ErrorKind::Invalid, "there is no such payment"))
    }
}

/// Arranges for one refund that is under way to be declined, or not any more.
pub(crate) fn set_refund_decline(
    connection: &Connection,
    refund: &str,
    reason: Option<&str>,
) -> Result<(), Error> {
    let changed = connection.execute(
        "UPDATE refund SET decline = ? WHERE id = ? AND state = 'pending'",
        params![reason, refund],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::with(ErrorKind::Invalid, "there is no such refund under way"))
    }
}

fn find(connection: &Connection, id: &str) -> Result<(StoredRefund, StoredPayment), Error> {
    load_refund(connection, id)?
        .ok_or_else(|| Error::with(ErrorKind::Invalid, "there is no such refund"))
}

/// Finds a refund and its payment.
pub(crate) fn load_refund(
    connection: &Connection,
    id: &str,
) -> Result<Option<(StoredRefund, StoredPayment)>, Error> {
    let payment: Option<String> = connection
        .prepare_cached("SELECT payment FROM refund WHERE id = ?")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(payment) = payment else { return Ok(None) };
    let stored = load(connection, &payment)?.ok_or_else(|| bad_row("a refund of nothing"))?;
    let refund = connection
        .prepare_cached(
            "SELECT id, payment, state, scope, amount, fee_returned, marketplace_returned, reason,
                    reference, description, soft_descriptor, notify_url, details, decline,
                    created_at, updated_at
             FROM refund WHERE id = ?",
        )?
        .query_row([id], |row| Ok(read(row, &stored)))??;
    Ok(Some((refund, stored)))
}

fn read(row: &Row<'_>, stored: &StoredPayment) -> Result<StoredRefund, Error> {
    let currency = stored.amount.currency();
    let state: String = row.get("state")?;
    let scope: String = row.get("scope")?;
    Ok(StoredRefund {
        id: row.get("id")?,
        payment: row.get("payment")?,
        state: match state.as_str() {
            "refunded" => RefundState::Refunded,
            "declined" => RefundState::Declined,
            _ => RefundState::Pending,
        },
        scope: scope_of(&scope).ok_or_else(|| bad_row("an unknown scope"))?,
        amount: money_of(row, "amount", currency)?,
        fee_returned: money_of(row, "fee_returned", currency)?,
        marketplace_returned: money_of(row, "marketplace_returned", currency)?,
        reason: row.get("reason")?,
        reference: row.get("reference")?,
        description: row.get("description")?,
        soft_descriptor: row.get("soft_descriptor")?,
        notify_url: row.get("notify_url")?,
        details: row.get("details")?,
        decline: row.get("decline")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// The refunds of a payment, oldest first.
pub(crate) fn refund_ids(connection: &Connection, payment: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM refund WHERE payment = ? ORDER BY created_at, rowid")?;
    Ok(statement.query_map([payment], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

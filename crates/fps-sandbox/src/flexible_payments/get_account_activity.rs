//! GetAccountActivity: the transactions of the caller's account in a span of time, a batch at a time.

use fps_model::flexible_payments::{
    Dialect, ErrorCode, GetAccountActivity, GetAccountActivityResult, SortOrder, Transaction,
    TransactionStatus, TransactionalRole,
};
use refund_rules::{Currency, Money};
use rusqlite::params;

use super::get_transaction::people;
use super::view::View;
use super::{Context, stop};
use crate::books::{self, Account, Place, Service};
use crate::clock::{self, Millis};
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::notifications::BUYER_NAME;
use crate::payments::{self, StoredPayment};

/// Source: FPS 2008-09-17 API reference, MaxBatchSize; the range is that of 2007-01-08.
const BATCH_DEFAULT: i64 = 20;
const BATCH_MAX: i64 = 200;

pub(super) fn perform(
    context: &Context<'_>,
    request: &GetAccountActivity,
) -> Result<GetAccountActivityResult, Stop> {
    let span = Span::of(context, request)?;
    let (mut rows, next) = rows(context, request, &span)?;
    tell_balances(context, &mut rows)?;
    let mut result = GetAccountActivityResult::new();
    result.batch_size = i64::try_from(rows.len()).ok();
    result.start_time_for_next_transaction = next.map(clock::timestamp);
    for row in rows {
        result = result.transaction(row.told);
    }
    Ok(result)
}

/// From when to when, in which order, and how many at once.
struct Span {
    from: Millis,
    until: Millis,
    ascending: bool,
    most: usize,
}

impl Span {
    fn of(context: &Context<'_>, request: &GetAccountActivity) -> Result<Self, Stop> {
        let from = request.start_date.unix_millis();
        let until = request.end_date.map_or(context.now, |date| date.unix_millis());
        // Clients have the machine's time, which may be behind.
        if from > context.now || until < from {
            let message = "The start is in the future, or the end is before it.";
            return Err(stop(ErrorCode::InvalidDateRange, message));
        }
        let most = request.max_batch_size.unwrap_or(BATCH_DEFAULT);
        let least = if context.dialect == Dialect::V2007_01_08 { BATCH_DEFAULT } else { 1 };
        if !(least..=BATCH_MAX).contains(&most) {
            let message = format!("maxBatchSize has to be from {least} to {BATCH_MAX}");
            return Err(stop(ErrorCode::InvalidParams, message));
        }
        Ok(Self {
            from,
            until,
            ascending: request.sort_order_by_date == Some(SortOrder::Ascending),
            most: usize::try_from(most).unwrap_or_default(),
        })
    }
}

/// A transaction as it is told, and what is needed to find its balance.
struct Row {
    told: Transaction,
    /// When that was.
    at: Millis,
    /// The account may have changed by it.
    moved: bool,
}

/// The transactions that fit, and when the first comes that does not. A batch ends between two
/// milliseconds, so that the next can begin with one; only one that is too full for a batch is told
/// whole.
fn rows(
    context: &Context<'_>,
    request: &GetAccountActivity,
    span: &Span,
) -> Result<(Vec<Row>, Option<Millis>), Stop> {
    let order = if span.ascending { "ASC" } else { "DESC" };
    let query = format!(
        "SELECT id, created_at, 0 AS refund FROM payment
         WHERE merchant = ?1 AND service = 'flexible-payments' AND created_at BETWEEN ?2 AND ?3
         UNION ALL SELECT id, created_at, 0 FROM payment
         WHERE recipient = ?1 AND recipient <> merchant AND service = 'flexible-payments'
             AND created_at BETWEEN ?2 AND ?3
         UNION ALL SELECT refund.id, refund.created_at, 1
         FROM refund JOIN payment ON payment.id = refund.payment
         WHERE ?1 IN (payment.merchant, payment.recipient) AND service = 'flexible-payments'
             AND refund.created_at BETWEEN ?2 AND ?3
         ORDER BY 2 {order}, 3 {order}, 1 {order}"
    );
    let mut statement = context.connection.prepare_cached(&query)?;
    let mut found = statement.query(params![context.merchant, span.from, span.until])?;
    let mut rows: Vec<(Millis, Row)> = Vec::new();
    while let Some(row) = found.next()? {
        let (id, created_at): (String, Millis) = (row.get(0)?, row.get(1)?);
        let mut more = tell(context, request, &id, row.get(2)?)?;
        if !span.ascending {
            more.reverse();
        }
        if let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last())
            && rows.len().saturating_add(more.len()) > span.most
            && !more.is_empty()
        {
            if *last != created_at {
                return Ok((told(rows), Some(created_at)));
            }
            if *first != created_at {
                rows.retain(|(at, _)| *at != created_at);
                return Ok((told(rows), Some(created_at)));
            }
        }
        rows.extend(more.into_iter().map(|row| (created_at, row)));
    }
    Ok((told(rows), None))
}

fn told(rows: Vec<(Millis, Row)>) -> Vec<Row> {
    rows.into_iter().map(|(_, row)| row).collect()
}

/// A transaction as it is told, if it is one that was asked for: how it stands, and in 2007-01-08 that it
/// began, too. Source: GetAccountActivity as client libraries recorded it, where each has two rows.
fn tell(
    context: &Context<'_>,
    request: &GetAccountActivity,
    id: &str,
    is_refund: bool,
) -> Result<Vec<Row>, Stop> {
    let gone = || Error::with(ErrorKind::Database, "a transaction that is not there");
    let dialect = context.dialect;
    let (view, stored, at) = if is_refund {
        let found = payments::load_refund(context.connection, id)?;
        let (refund, stored) = found.ok_or_else(gone)?;
        (View::of_refund(&refund, &stored, dialect)?, stored, refund.updated_at)
    } else {
        let stored = payments::load(context.connection, id)?.ok_or_else(gone)?;
        let at = stored.updated_at;
        (View::of_payment(&stored, dialect)?, stored, at)
    };
    if !is_wanted(context, request, &view, &stored) {
        return Ok(Vec::new());
    }
    let people = people(context, &stored)?;
    let mut told = Transaction::new(
        view.id.as_str(),
        clock::timestamp(view.received),
        view.amount,
        view.operation.clone(),
        view.status.clone(),
        view.method.clone(),
    )
    .fps_fees(view.fee)
    .sender_name(BUYER_NAME)
    .caller_name(people.caller.name.as_str())
    .recipient_name(people.recipient.name.as_str());
    // Source: FPS 2007-01-08 schema, ErrorCode: only of a failure.
    let failed =
        matches!(view.status, TransactionStatus::Failure | TransactionStatus::TemporaryDecline);
    if dialect != Dialect::V2007_01_08 || failed {
        told = told.status_code(view.code.as_str()).status_message(view.message);
    }
    let date = view.details.transaction_date.unwrap_or(view.received);
    told.caller_transaction_date = Some(clock::timestamp(date));
    told.date_completed = view.completed.map(clock::timestamp);
    told.original_transaction_id = view.parent.clone().map(Into::into);
    told.meta_data.clone_from(&view.details.meta_data);
    if view.parent.is_none() {
        told.caller_token_id = view.details.caller_token.clone().map(Into::into);
        told.sender_token_id = stored.token.clone().map(Into::into);
        told.recipient_token_id = stored.recipient_token.clone().map(Into::into);
    }
    for part in view.parts(&stored, &people) {
        told = told.transaction_part(part);
    }
    let mut rows = vec![Row { told, at, moved: true }];
    if dialect == Dialect::V2007_01_08 && view.status != TransactionStatus::Initiated {
        let mut began = rows[0].told.clone();
        began.transaction_status = TransactionStatus::Initiated;
        (began.date_completed, began.status_code, began.status_message) = (None, None, None);
        rows.insert(0, Row { told: began, at: view.received, moved: false });
    }
    let wanted = request.transaction_status.as_ref();
    rows.retain(|row| wanted.is_none_or(|status| *status == row.told.transaction_status));
    Ok(rows)
}

fn is_wanted(
    context: &Context<'_>,
    request: &GetAccountActivity,
    view: &View,
    stored: &StoredPayment,
) -> bool {
    let owns = stored.recipient == context.merchant;
    let calls = stored.merchant == context.merchant;
    let role = |role: &TransactionalRole| match role {
        TransactionalRole::Caller => calls,
        role => owns && *role == view.owner_role(),
    };
    request.fps_operation.as_ref().is_none_or(|operation| *operation == view.operation)
        && request.payment_method.as_ref().is_none_or(|method| *method == view.method)
        && (request.role.is_empty() || request.role.iter().any(role))
}

/// What the account held after each. The movements are read back from now to the oldest that is told.
fn tell_balances(context: &Context<'_>, rows: &mut [Row]) -> Result<(), Error> {
    let place = Place::new(context.merchant, Account::Merchant);
    let service = Service::FlexiblePayments;
    let mut held = books::balance(context.connection, service, place, Currency::USD)?;
    let mut waiting: Vec<&mut Row> = rows.iter_mut().collect();
    let mut statement = context.connection.prepare_cached(
        "SELECT subject, at, amount FROM movement JOIN entry ON movement = movement.id
         WHERE entry.merchant = ? AND account = 'merchant' AND service = 'flexible-payments'
         ORDER BY movement.id DESC",
    )?;
    let mut movements = statement.query([context.merchant])?;
    while let Some(movement) = movements.next()? {
        let (subject, at): (String, Millis) = (movement.get(0)?, movement.get(1)?);
        // What did not move the account is told with what was there at its time.
        waiting.retain_mut(|row| {
            let own = row.moved && row.told.transaction_id.as_str() == subject;
            if own || row.at > at {
                row.told.balance = Some(held);
            }
            row.told.balance.is_none()
        });
        if waiting.is_empty() {
            return Ok(());
        }
        let amount = Money::from_minor(movement.get(2)?, Currency::USD);
        held = held.checked_sub(amount).map_err(|error| Error::with(ErrorKind::Invalid, error))?;
    }
    for row in waiting {
        row.told.balance = Some(held);
    }
    Ok(())
}

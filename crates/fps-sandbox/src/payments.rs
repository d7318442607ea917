//! Payments as they are stored, and as the rules see them; both services share them. How they move on
//! is in `life`, what they move is in `transfers`, and what goes back of them is in `refunds`.

mod life;
mod names;
mod refunds;
mod transfers;

use refund_rules::{Currency, Method, Money, Payment, Role};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::books::{Service, Subject};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

pub(crate) use life::{Capture, End, cancel, insert, reach, settle, steps};
pub(crate) use names::{Operation, State, method_name, method_of};
pub(crate) use refunds::{
    NewRefund, StoredRefund, begin_refund, finish_refund, load_refund, payer_out_of_money,
    refund_ids, set_decline, set_refund_decline,
};

/// A payment and what was refunded of it.
#[derive(Clone, Debug)]
pub(crate) struct StoredPayment {
    pub(crate) id: String,
    /// Who executed it.
    pub(crate) merchant: i64,
    /// Whose money it is.
    pub(crate) recipient: i64,
    pub(crate) service: Service,
    pub(crate) operation: Operation,
    pub(crate) state: State,
    /// Why it failed or was cancelled.
    pub(crate) reason: Option<String>,
    /// What was asked for.
    pub(crate) amount: Money,
    /// What was charged or is being charged; nothing before.
    pub(crate) captured: Money,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) sender_description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) recipient_token: Option<String>,
    pub(crate) instrument: Option<String>,
    /// The charge permission or subscription that it belongs to.
    pub(crate) parent: Option<String>,
    /// Where its notifications go, if not where the merchant's do.
    pub(crate) notify_url: Option<String>,
    /// What else its service's messages say of it, as JSON.
    pub(crate) details: String,
    /// Why its refunds will be declined.
    pub(crate) decline: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    pub(crate) completed_at: Option<Millis>,
    /// When it moves on by itself.
    pub(crate) due_at: Option<Millis>,
    /// As the rules see it.
    pub(crate) payment: Payment,
}

impl StoredPayment {
    pub(crate) fn subject<'a>(&'a self, id: &'a str) -> Subject<'a> {
        Subject { merchant: self.merchant, service: self.service, id }
    }

    /// Who pays the fee of the service, and gets it back.
    pub(crate) fn fee_payer(&self) -> i64 {
        match self.payment.fee_payer() {
            Role::Caller => self.merchant,
            Role::Recipient | Role::Sender => self.recipient,
        }
    }
}

/// A payment to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewPayment {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) recipient: i64,
    pub(crate) service: Service,
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) amount: Money,
    /// What the service takes of it when it is charged.
    pub(crate) fee: Money,
    pub(crate) fee_payer: Role,
    /// What a marketplace takes of it; nothing of a payment that has none.
    pub(crate) marketplace_fee: Option<Money>,
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) sender_description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) recipient_token: Option<String>,
    pub(crate) instrument: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) notify_url: Option<String>,
    pub(crate) details: Option<String>,
    /// What becomes of it.
    pub(crate) end: End,
    /// When; at once without.
    pub(crate) due_at: Option<Millis>,
}

impl NewPayment {
    /// Of a merchant's own, without a fee, completed at once unless changed.
    pub(crate) fn new(
        id: impl Into<String>,
        owner: Owner,
        operation: Operation,
        method: Method,
        amount: Money,
    ) -> Self {
        Self {
            id: id.into(),
            merchant: owner.merchant,
            recipient: owner.merchant,
            service: owner.service,
            operation,
            method,
            amount,
            fee: Money::zero(amount.currency()),
            fee_payer: Role::Recipient,
            marketplace_fee: None,
            reference: None,
            description: None,
            sender_description: None,
            soft_descriptor: None,
            token: None,
            recipient_token: None,
            instrument: None,
            parent: None,
            notify_url: None,
            details: None,
            end: End::Completed,
            due_at: None,
        }
    }
}

/// Whose payments and refunds may be seen: a merchant's own, on the service it asks through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) merchant: i64,
    pub(crate) service: Service,
}

impl Owner {
    fn owns(self, stored: &StoredPayment) -> bool {
        stored.merchant == self.merchant && stored.service == self.service
    }

    /// Finds a payment of the owner's.
    pub(crate) fn payment(
        self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<StoredPayment>, Error> {
        Ok(load(connection, id)?.filter(|stored| self.owns(stored)))
    }

    /// Finds a refund of the owner's, and its payment.
    pub(crate) fn refund(
        self,
        connection: &Connection,
        id: &str,
    ) -> Result<Option<(StoredRefund, StoredPayment)>, Error> {
        Ok(load_refund(connection, id)?.filter(|(_, stored)| self.owns(stored)))
    }
}

/// Finds a payment.
pub(crate) fn load(connection: &Connection, id: &str) -> Result<Option<StoredPayment>, Error> {
    let row = connection
        .prepare_cached(
            "WITH held AS (
                 SELECT sum(amount) FILTER (WHERE state = 'refunded' AND of_payment) AS refunded,
                        sum(amount) FILTER (WHERE state = 'pending' AND of_payment) AS pending,
                        count(*) FILTER (WHERE of_payment) AS refunds,
                        sum(fee_returned) AS fee_returned,
                        sum(marketplace_returned) AS marketplace_returned
                 FROM (SELECT *, scope <> 'marketplace-fee' AS of_payment FROM refund
                       WHERE payment = ?1 AND state <> 'declined'))
             SELECT id, merchant, recipient, service, operation, state, reason, amount, captured,
                    fee, fee_payer, marketplace_fee, reference, description, sender_description,
                    soft_descriptor, token, recipient_token, instrument, parent, notify_url, details,
                    decline, created_at, updated_at, completed_at, due_at, method, currency,
                    coalesce(refunded, 0) AS refunded, coalesce(pending, 0) AS pending, refunds,
                    coalesce(fee_returned, 0) AS fee_returned,
                    coalesce(marketplace_returned, 0) AS marketplace_returned
             FROM payment, held WHERE id = ?1",
        )?
        .query_row([id], |row| Ok(read(row)))
        .optional()?;
    row.transpose()
}

fn read(row: &Row<'_>) -> Result<StoredPayment, Error> {
    let text = |name: &str| -> Result<String, Error> { Ok(row.get(name)?) };
    let currency = Currency::from_code(&text("currency")?).map_err(bad_row)?;
    let state = State::from_name(&text("state")?)?;
    let operation = Operation::from_name(&text("operation")?)?;
    let method = method_of(&text("method")?).ok_or_else(|| bad_row("an unknown method"))?;
    let money = |name: &str| money_of(row, name, currency);
    let (amount, captured) = (money("amount")?, money("captured")?);
    let (fee, fee_returned) = (money("fee")?, money("fee_returned")?);
    let (refunded, pending) = (money("refunded")?, money("pending")?);
    let fee_payer = if text("fee_payer")? == "caller" { Role::Caller } else { Role::Recipient };
    // The rules see what was asked for until something was charged; they refuse by the state first.
    let charged = if captured.is_zero() { amount } else { captured };
    let payment = Payment::completed(charged, method)
        .and_then(|payment| payment.with_fee(fee))
        .and_then(|payment| payment.with_fee_payer(fee_payer))
        .and_then(|payment| payment.with_refunded(refunded))
        .and_then(|payment| payment.with_pending(pending))
        .map_err(bad_row)?
        .with_refunds(row.get("refunds")?)
        .and_then(|payment| payment.with_fee_returned(fee_returned))
        .map_err(bad_row)?
        .with_kind(operation.kind())
        .with_state(state.as_rules_see_it());
    let payment = match row.get::<_, Option<i64>>("marketplace_fee")? {
        None => payment,
        Some(fee) => {
            let held = money("marketplace_returned")?;
            payment
                .with_marketplace_fee(Money::from_minor(fee, currency))
                .and_then(|payment| payment.with_marketplace_fee_held(held))
                .map_err(bad_row)?
        }
    };
    Ok(StoredPayment {
        id: row.get("id")?,
        merchant: row.get("merchant")?,
        recipient: row.get("recipient")?,
        service: Service::from_name(&text("service")?)?,
        operation,
        state,
        reason: row.get("reason")?,
        amount,
        captured,
        reference: row.get("reference")?,
        description: row.get("description")?,
        sender_description: row.get("sender_description")?,
        soft_descriptor: row.get("soft_descriptor")?,
        token: row.get("token")?,
        recipient_token: row.get("recipient_token")?,
        instrument: row.get("instrument")?,
        parent: row.get("parent")?,
        notify_url: row.get("notify_url")?,
        details: row.get("details")?,
        decline: row.get("decline")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        completed_at: row.get("completed_at")?,
        due_at: row.get("due_at")?,
        payment,
    })
}

fn money_of(row: &Row<'_>, name: &str, currency: Currency) -> Result<Money, Error> {
    Ok(Money::from_minor(row.get(name)?, currency))
}

fn bad_row(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::with(ErrorKind::Database, error)
}

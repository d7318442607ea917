//! Subscriptions: buyers who pay again and again, by the clock of the sandbox. A Simple Pay button would
//! have begun them; here their owner does.

use fps_model::flexible_payments::SubscriptionId;
use refund_rules::{Currency, Method, Money};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::app::App;
use crate::books::Service;
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::fees::Fees;
use crate::ids;
use crate::merchants::Merchant;
use crate::payments::{self, NewPayment, Operation, Owner, method_name, method_of};
use crate::periods::{NoPeriod, Period};

/// How far a subscription has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    Cancelled,
    Completed,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct StoredSubscription {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) state: State,
    pub(crate) method: Method,
    pub(crate) amount: Money,
    pub(crate) description: Option<String>,
    pub(crate) promotional_amount: Option<Money>,
    pub(crate) promotional_count: u32,
    pub(crate) frequency: Period,
    pub(crate) period: Option<Period>,
    pub(crate) started_at: Millis,
    pub(crate) ends_at: Option<Millis>,
    /// How many payments were begun.
    pub(crate) payments: u32,
    pub(crate) due_at: Option<Millis>,
}

impl StoredSubscription {
    /// What the next payment costs.
    pub(crate) fn next_amount(&self) -> Money {
        match self.promotional_amount {
            Some(amount) if self.payments < self.promotional_count => amount,
            _ => self.amount,
        }
    }
}

/// What payments of subscriptions cost, and how long they are under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charging {
    pub(crate) fees: Fees,
    pub(crate) processing: Millis,
}

/// Begins the payment that is due, and says when the next will be.
pub(crate) fn pay(
    connection: &Connection,
    id: &str,
    charging: Charging,
    due_at: Millis,
) -> Result<(), Error> {
    let subscription = load(connection, id)?
        .ok_or_else(|| Error::with(ErrorKind::Database, "a subscription that is not there"))?;
    let amount = subscription.next_amount();
    let later = matches!(subscription.method, Method::Card | Method::Bank);
    let owner = Owner { merchant: subscription.merchant, service: Service::FlexiblePayments };
    let payment = ids::transaction_id()?;
    let new = NewPayment {
        fee: charging.fees.of(amount)?,
        description: subscription.description.clone(),
        parent: Some(subscription.id.clone()),
        due_at: later.then(|| due_at.saturating_add(charging.processing)),
        ..NewPayment::new(payment, owner, Operation::Pay, subscription.method, amount)
    };
    payments::insert(connection, &new, due_at)?;
    let payments = subscription.payments.saturating_add(1);
    let next = subscription.frequency.after(subscription.started_at, payments);
    let goes_on = subscription.ends_at.is_none_or(|ends_at| next < ends_at);
    let state = if goes_on { "active" } else { "completed" };
    connection
        .prepare_cached("UPDATE subscription SET payments = ?, due_at = ?, state = ? WHERE id = ?")?
        .execute(params![payments, goes_on.then_some(next), state, subscription.id])?;
    Ok(())
}

/// Ends a subscription, unless it has ended before.
pub(crate) fn cancel(connection: &Connection, id: &str) -> Result<bool, Error> {
    let changed = connection
        .prepare_cached(
            "UPDATE subscription SET state = 'cancelled', due_at = NULL
             WHERE id = ? AND state = 'active'",
        )?
        .execute([id])?;
    Ok(changed == 1)
}

/// Finds a subscription.
pub(crate) fn load(connection: &Connection, id: &str) -> Result<Option<StoredSubscription>, Error> {
    connection
        .prepare_cached("SELECT * FROM subscription WHERE id = ?")?
        .query_row([id], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

fn read(row: &Row<'_>) -> Result<StoredSubscription, Error> {
    let text = |name: &str| -> Result<String, Error> { Ok(row.get(name)?) };
    let bad = |what: &'static str| Error::with(ErrorKind::Database, what);
    let currency = Currency::from_code(&text("currency")?)
        .map_err(|error| Error::with(ErrorKind::Database, error))?;
    let period = |text: String| Period::parse(&text).ok_or_else(|| bad("an unknown period"));
    let promotional: Option<i64> = row.get("promotional_amount")?;
    Ok(StoredSubscription {
        id: row.get("id")?,
        merchant: row.get("merchant")?,
        state: match text("state")?.as_str() {
            "active" => State::Active,
            "cancelled" => State::Cancelled,
            _ => State::Completed,
        },
        method: method_of(&text("method")?).ok_or_else(|| bad("an unknown method"))?,
        amount: Money::from_minor(row.get("amount")?, currency),
        description: row.get("description")?,
        promotional_amount: promotional.map(|minor| Money::from_minor(minor, currency)),
        promotional_count: row.get("promotional_count")?,
        frequency: period(text("frequency")?)?,
        period: row.get::<_, Option<String>>("period")?.map(period).transpose()?,
        started_at: row.get("started_at")?,
        ends_at: row.get("ends_at")?,
        payments: row.get("payments")?,
        due_at: row.get("due_at")?,
    })
}

/// The payments of a subscription, oldest first.
pub(crate) fn payment_ids(connection: &Connection, id: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM payment WHERE parent = ? ORDER BY created_at, rowid")?;
    Ok(statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// A subscription to be begun.
#[derive(Clone, Debug)]
pub struct SubscriptionSpec {
    method: Method,
    amount: Money,
    frequency: Period,
    period: Option<Period>,
    description: Option<String>,
    promotion: Option<(Money, u32)>,
}

impl SubscriptionSpec {
    /// Paid so, this much, and as often as `1 month` says.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for a text that is no period, an amount that nobody
    /// can pay, or credit, which needs an instrument.
    pub fn new(method: Method, amount: Money, frequency: &str) -> Result<Self, Error> {
        if amount.minor() < 1 || amount.currency() != Currency::USD {
            return Err(Error::with(ErrorKind::Invalid, "a subscription is paid in dollars"));
        }
        if matches!(method, Method::Prepaid | Method::Postpaid) {
            return Err(Error::with(ErrorKind::Invalid, "a subscription is paid in money"));
        }
        let frequency = period(frequency)?;
        Ok(Self { method, amount, frequency, period: None, description: None, promotion: None })
    }

    /// For so long, such as `1 year`.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for a text that is no period.
    pub fn lasting(mut self, text: &str) -> Result<Self, Error> {
        self.period = Some(period(text)?);
        Ok(self)
    }

    /// For this.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The first payments cost this instead.
    #[must_use]
    pub const fn promotion(mut self, amount: Money, payments: u32) -> Self {
        self.promotion = Some((amount, payments));
        self
    }
}

fn period(text: &str) -> Result<Period, Error> {
    Period::parse(text).ok_or_else(|| Error::with(ErrorKind::Invalid, NoPeriod))
}

impl App {
    /// Begins a subscription, whose first payment is made at once and whose others follow by the clock of
    /// the sandbox.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_subscription(
        &self,
        merchant: &Merchant,
        spec: SubscriptionSpec,
    ) -> Result<SubscriptionId, Error> {
        let (shared, merchant) = (&self.shared, merchant.id);
        let charging = Charging { fees: shared.fees, processing: shared.processing };
        let now = shared.clock.now();
        let work = move |connection: &Connection| {
            let id = ids::request_id();
            insert(connection, &id, merchant, &spec, now)?;
            pay(connection, &id, charging, now)?;
            Ok(SubscriptionId::new(id))
        };
        let subscription = shared.store.run(work).await?;
        shared.wake();
        Ok(subscription)
    }
}

fn insert(
    connection: &Connection,
    id: &str,
    merchant: i64,
    spec: &SubscriptionSpec,
    now: Millis,
) -> Result<(), Error> {
    let (promotional_amount, promotional_count) = match spec.promotion {
        Some((amount, count)) => (Some(amount.minor()), count),
        None => (None, 0),
    };
    connection
        .prepare_cached(
            "INSERT INTO subscription (id, merchant, state, method, currency, amount, description,
                 promotional_amount, promotional_count, frequency, period, started_at, ends_at, due_at)
             VALUES (?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            id,
            merchant,
            method_name(spec.method),
            spec.amount.currency().code(),
            spec.amount.minor(),
            spec.description,
            promotional_amount,
            promotional_count,
            String::from(spec.frequency),
            spec.period.map(String::from),
            now,
            spec.period.map(|period| period.after(now, 1)),
            now,
        ])?;
    Ok(())
}

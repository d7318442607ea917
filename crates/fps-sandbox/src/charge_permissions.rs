//! Charge permissions: a buyer's leave to be charged, its limit and what is left of it, and its end.

use fps_model::amazon_pay::{
    ChargePermissionId, ChargePermissionType, FrequencyUnit, MerchantMetadata,
    PaymentMethodOnFileMetadata, PlatformId, RecurringMetadata,
};
use refund_rules::{Currency, Money};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::merchants::{self, Merchant};
use crate::{ids, notifications};

const DAY: Millis = 24 * 60 * 60 * 1_000;
/// Source: Amazon Pay API v2, charge permission: 180 days, or 13 months; that these are 395 days is the
/// sandbox's choice.
const ONE_TIME: Millis = 180 * DAY;
const THIRTEEN_MONTHS: Millis = 395 * DAY;

const CHARGEABLE: &str = "Chargeable";
const CLOSED: &str = "Closed";

/// What was said about a permission, to be told again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PermissionDetails {
    pub(crate) merchant_metadata: Option<MerchantMetadata>,
    pub(crate) recurring_metadata: Option<RecurringMetadata>,
    pub(crate) payment_method_on_file_metadata: Option<PaymentMethodOnFileMetadata>,
    pub(crate) platform_id: Option<PlatformId>,
}

/// A charge permission as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredPermission {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) kind: ChargePermissionType,
    /// As the service spells it.
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) reason_description: Option<String>,
    pub(crate) currency: Currency,
    pub(crate) limit: Option<Money>,
    pub(crate) details: PermissionDetails,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    /// When it is closed by itself.
    pub(crate) due_at: Option<Millis>,
}

impl StoredPermission {
    pub(crate) fn is_chargeable(&self) -> bool {
        self.state == CHARGEABLE
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == CLOSED
    }

    /// What is left of its limit: over all its charges, or of a recurring one over those of the last
    /// period. What was declined or cancelled takes nothing of it.
    pub(crate) fn balance(
        &self,
        connection: &Connection,
        now: Millis,
    ) -> Result<Option<Money>, Error> {
        let Some(limit) = self.limit else { return Ok(None) };
        let since = self.period().map_or(0, |period| now.saturating_sub(period));
        let spent: i64 = connection
            .prepare_cached(
                "SELECT coalesce(sum(iif(captured > 0, captured, amount)), 0) FROM payment
                 WHERE parent = ? AND created_at > ?
                     AND state IN ('pending', 'reserved', 'capturing', 'completed')",
            )?
            .query_row(params![self.id, since], |row| row.get(0))?;
        let left = limit.minor().saturating_sub(spent).max(0);
        Ok(Some(Money::from_minor(left, self.currency)))
    }

    /// The length of a period of a recurring one, if it has one. That a month has 30 days and a year 365
    /// is the sandbox's choice.
    fn period(&self) -> Option<Millis> {
        let metadata = self.details.recurring_metadata.as_ref();
        let frequency = metadata.and_then(|metadata| metadata.frequency.as_ref())?;
        let days = match frequency.unit.as_ref()? {
            FrequencyUnit::Day => 1,
            FrequencyUnit::Week => 7,
            FrequencyUnit::Month => 30,
            FrequencyUnit::Year => 365,
            _ => return None,
        };
        let count: Millis = frequency.value.as_deref().unwrap_or("1").parse().ok()?;
        Some(days * DAY * count.max(1))
    }

    /// How many charges were made under it, whatever became of them.
    pub(crate) fn charges(&self, connection: &Connection) -> Result<i64, Error> {
        let count = connection
            .prepare_cached("SELECT count(*) FROM payment WHERE parent = ?")?
            .query_row([&self.id], |row| row.get(0))?;
        Ok(count)
    }
}

/// A charge permission to be made, as a checkout would have.
#[derive(Clone, Debug)]
pub struct ChargePermissionSpec {
    kind: ChargePermissionType,
    currency: Currency,
    limit: Option<Money>,
    /// Whether a one-time one lasts 13 months.
    extended: bool,
    details: PermissionDetails,
}

impl ChargePermissionSpec {
    /// For one order of this value.
    #[must_use]
    pub fn one_time(limit: Money) -> Self {
        let new = Self::without_limit(ChargePermissionType::OneTime, limit.currency());
        Self { limit: Some(limit), ..new }
    }

    /// For a subscription.
    #[must_use]
    pub fn recurring(currency: Currency, metadata: RecurringMetadata) -> Self {
        let mut new = Self::without_limit(ChargePermissionType::Recurring, currency);
        new.details.recurring_metadata = Some(metadata);
        new
    }

    /// For later purchases with a stored payment method.
    #[must_use]
    pub fn payment_method_on_file(currency: Currency) -> Self {
        Self::without_limit(ChargePermissionType::PaymentMethodOnFile, currency)
    }

    /// The same with a limit: of a recurring one, for each period.
    #[must_use]
    pub const fn limit(mut self, limit: Money) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(crate) fn without_limit(kind: ChargePermissionType, currency: Currency) -> Self {
        let details = PermissionDetails::default();
        Self { kind, currency, limit: None, extended: false, details }
    }

    pub(crate) const fn extended(mut self, extended: bool) -> Self {
        self.extended = extended;
        self
    }

    pub(crate) fn details(mut self, details: PermissionDetails) -> Self {
        self.details = details;
        self
    }

    fn check(&self) -> Result<(), Error> {
        let limit = self.limit.unwrap_or_else(|| Money::from_minor(1, self.currency));
        if limit.currency() != self.currency || limit.minor() < 1 {
            return Err(Error::invalid("a limit is an amount in the currency of the permission"));
        }
        Ok(())
    }

    /// When one that begins now ends, if it does. Of a stored payment method no end is documented.
    fn ends(&self, now: Millis) -> Option<Millis> {
        match self.kind {
            ChargePermissionType::OneTime if !self.extended => Some(now.saturating_add(ONE_TIME)),
            ChargePermissionType::OneTime | ChargePermissionType::Recurring => {
                Some(now.saturating_add(THIRTEEN_MONTHS))
            }
            _ => None,
        }
    }
}

impl App {
    /// Gives a merchant a charge permission, as a checkout would have.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] for a limit that cannot be, or a currency that the
    /// merchant's region does not have.
    pub async fn create_charge_permission(
        &self,
        merchant: &Merchant,
        spec: ChargePermissionSpec,
    ) -> Result<ChargePermissionId, Error> {
        let (merchant, now) = (merchant.id, self.shared.clock.now());
        let work = move |connection: &Connection| {
            if !merchants::seller(connection, merchant)?.region.takes(spec.currency) {
                return Err(Error::invalid("the merchant's region does not have this currency"));
            }
            insert(connection, merchant, &spec, now)
        };
        let id = self.shared.store.run(work).await?;
        self.shared.wake();
        Ok(ChargePermissionId::new(id))
    }

    /// Lets a permission be not chargeable for a while, for a reason such as `PaymentMethodInvalid`, or
    /// chargeable again without one.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`] when there is no such permission, or it is closed.
    pub async fn set_chargeable(
        &self,
        permission: &ChargePermissionId,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let (id, reason) = (permission.as_str().to_owned(), reason.map(str::to_owned));
        let now = self.shared.clock.now();
        let work = move |connection: &Connection| {
            let stored = load(connection, &id)?.filter(|stored| !stored.is_closed());
            let stored =
                stored.ok_or_else(|| Error::invalid("there is no such permission that is open"))?;
            let state = if reason.is_some() { "NonChargeable" } else { CHARGEABLE };
            set_state(connection, &stored, state, reason.as_deref(), None, now)
        };
        self.shared.store.run(work).await?;
        self.shared.wake();
        Ok(())
    }
}

/// Stores a permission and tells the merchant.
pub(crate) fn insert(
    connection: &Connection,
    merchant: i64,
    spec: &ChargePermissionSpec,
    now: Millis,
) -> Result<String, Error> {
    spec.check()?;
    let region = merchants::seller(connection, merchant)?.region;
    // Source: Amazon Pay API v2, charge permission: a recurring one begins with C or B. That the other
    // kind has the B is the sandbox's choice.
    let letter = match spec.kind {
        ChargePermissionType::OneTime => 'S',
        ChargePermissionType::Recurring => 'C',
        _ => 'B',
    };
    let id = ids::charge_permission_id(letter, region.digits())?;
    let details = serde_json::to_string(&spec.details).map_err(Error::invalid)?;
    connection
        .prepare_cached(
            "INSERT INTO charge_permission (id, merchant, type, state, currency, amount_limit, details,
                 created_at, updated_at, due_at)
             VALUES (?, ?, ?, 'Chargeable', ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            id,
            merchant,
            spec.kind.as_str(),
            spec.currency.code(),
            spec.limit.map(Money::minor),
            details,
            now,
            now,
            spec.ends(now),
        ])?;
    notifications::permission_changed(connection, merchant, &id, now)?;
    Ok(id)
}

/// Finds a permission.
pub(crate) fn load(connection: &Connection, id: &str) -> Result<Option<StoredPermission>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT id, merchant, type, state, reason, reason_description, currency, amount_limit,
                    details, created_at, updated_at, due_at
             FROM charge_permission WHERE id = ?",
        )?
        .query_row([id], |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

fn read(row: &Row<'_>) -> Result<StoredPermission, Error> {
    let bad = |error| Error::with(ErrorKind::Database, error);
    let text = |name: &str| -> Result<String, Error> { Ok(row.get(name)?) };
    let currency = Currency::from_code(&text("currency")?)
        .map_err(|error| Error::with(ErrorKind::Database, error))?;
    let limit: Option<i64> = row.get("amount_limit")?;
    Ok(StoredPermission {
        id: text("id")?,
        merchant: row.get("merchant")?,
        kind: text("type")?.as_str().into(),
        state: text("state")?,
        reason: row.get("reason")?,
        reason_description: row.get("reason_description")?,
        currency,
        limit: limit.map(|minor| Money::from_minor(minor, currency)),
        details: serde_json::from_str(&text("details")?).map_err(bad)?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        due_at: row.get("due_at")?,
    })
}

/// Keeps what the merchant notes.
pub(crate) fn set_details(
    connection: &Connection,
    permission: &StoredPermission,
    details: &PermissionDetails,
    now: Millis,
) -> Result<(), Error> {
    let details = serde_json::to_string(details).map_err(Error::invalid)?;
    connection
        .prepare_cached("UPDATE charge_permission SET details = ?, updated_at = ? WHERE id = ?")?
        .execute(params![details, now, permission.id])?;
    Ok(())
}

/// A recurring one lives on when it is used.
pub(crate) fn used(
    connection: &Connection,
    permission: &StoredPermission,
    now: Millis,
) -> Result<(), Error> {
    if permission.kind == ChargePermissionType::Recurring {
        let due_at = now.saturating_add(THIRTEEN_MONTHS);
        connection
            .prepare_cached("UPDATE charge_permission SET due_at = ? WHERE id = ?")?
            .execute(params![due_at, permission.id])?;
    }
    Ok(())
}

/// Ends a permission, and tells the merchant.
pub(crate) fn close(
    connection: &Connection,
    permission: &StoredPermission,
    reason: &str,
    description: Option<&str>,
    now: Millis,
) -> Result<(), Error> {
    set_state(connection, permission, CLOSED, Some(reason), description, now)
}

/// Ends a permission whose time is over.
pub(crate) fn expire(connection: &Connection, id: &str, now: Millis) -> Result<(), Error> {
    let stored = load(connection, id)?.ok_or_else(|| Error::invalid("no such permission"))?;
    // Which of the two reasons it is when, no document says.
    let used = stored.charges(connection)? > 0;
    close(connection, &stored, if used { "Expired" } else { "ExpiredUnused" }, None, now)
}

fn set_state(
    connection: &Connection,
    permission: &StoredPermission,
    state: &str,
    reason: Option<&str>,
    description: Option<&str>,
    now: Millis,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE charge_permission SET state = ?1, reason = ?2, reason_description = ?3,
                 updated_at = ?4, due_at = iif(?1 = 'Closed', NULL, due_at)
             WHERE id = ?5",
        )?
        .execute(params![state, reason, description, now, permission.id])?;
    notifications::permission_changed(connection, permission.merchant, &permission.id, now)
}

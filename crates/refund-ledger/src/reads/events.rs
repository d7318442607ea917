//! Everything that ever happened, payment by payment.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::reads::Read;
use crate::session::{Row, Session, Sql, Value, sql};
use crate::time::Millis;

/// The most events in one page.
const PAGE_MAX: u32 = 10_000;

/// Something that happened, as it is sealed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EventRecord {
    /// The payment's number; with `sequence` it is the place of the event.
    pub payment: i64,
    /// Its place among the events of the payment.
    pub sequence: i64,
    /// Which intent of the payment it is about, counted from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<i64>,
    /// When.
    pub at: Millis,
    /// What.
    pub what: Box<RawValue>,
    /// The hash of all this and of the seal before.
    pub seal: String,
}

/// A page of them.
pub(crate) struct Events {
    pub(crate) after: (i64, i64),
    pub(crate) most: u32,
}

const EVENTS: Sql = sql!(
    "SELECT payment, seq, intent, at, data, seal FROM event \
     WHERE (payment, seq) > ($1, $2) ORDER BY payment, seq LIMIT $3"
);

impl Read for Events {
    type Output = Vec<EventRecord>;

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let most = Value::Int(self.most.min(PAGE_MAX).into());
        let values = vec![self.after.0.into(), self.after.1.into(), most];
        let rows = session.one(EVENTS.of(S::DIALECT), values).await?;
        rows.into_iter().map(|mut row| read(&mut row)).collect()
    }
}

fn read(row: &mut Row) -> Result<EventRecord, Error> {
    let (payment, sequence) = (row.int()?, row.int()?);
    let (intent, at, data) = (row.maybe_int()?, Millis(row.int()?), row.text()?);
    let what = RawValue::from_string(data).map_err(|error| {
        Error::damaged(format!("payment {payment}, event {sequence}"), error.to_string())
    })?;
    let seal = row.seal()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(EventRecord { payment, sequence, intent, at, what, seal })
}

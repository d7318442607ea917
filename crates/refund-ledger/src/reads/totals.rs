//! Counts and sums.

use refund_rules::{Currency, Money, RefundState};
use serde::Serialize;

use crate::error::Error;
use crate::reads::Read;
use crate::rows::state;
use crate::session::{Session, Sql, sql};

/// How many intents of a batch are in one state, and how much they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// The batch; nothing for refunds that are of none.
    pub batch: Option<String>,
    /// The state.
    pub state: RefundState,
    /// Do they wait for a human?
    pub is_parked: bool,
    /// How many.
    pub count: u64,
    /// What they are together.
    pub amount: Money,
    /// What of the provider's fee comes back for them.
    pub fee: Money,
}

/// Of all batches, or of one.
pub(crate) struct Totals {
    pub(crate) batch: Option<String>,
}

// PostgreSQL sums integers into another type, and counts no booleans.
macro_rules! totals {
    ($where:literal) => {
        concat!(
            "SELECT i.batch, p.currency, i.state, \
             CASE WHEN i.parked IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS waits, \
             count(*), CAST(sum(i.amount) AS BIGINT), CAST(sum(i.fee) AS BIGINT) \
             FROM intent i JOIN payment p ON p.id = i.payment ",
            $where,
            " GROUP BY i.batch, p.currency, i.state, waits \
             ORDER BY i.batch, p.currency, i.state, waits"
        )
    };
}
const ALL: Sql = sql!(totals!(""));
const OF_BATCH: Sql = sql!(totals!("WHERE i.batch = $1"));

impl Read for Totals {
    type Output = Vec<Total>;

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let rows = match &self.batch {
            None => session.one(ALL.of(S::DIALECT), Vec::new()).await?,
            Some(batch) => session.one(OF_BATCH.of(S::DIALECT), vec![batch.into()]).await?,
        };
        let total = |mut row: crate::session::Row| {
            let batch = row.maybe_text()?;
            let currency = Currency::from_code(&row.text()?)
                .map_err(|error| Error::damaged("a payment", error.to_string()))?;
            Ok(Total {
                batch,
                state: state(&mut row)?,
                is_parked: row.int()? != 0,
                count: u64::try_from(row.int()?).unwrap_or_default(),
                amount: Money::from_minor(row.int()?, currency),
                fee: Money::from_minor(row.int()?, currency),
            })
        };
        rows.into_iter().map(total).collect()
    }
}

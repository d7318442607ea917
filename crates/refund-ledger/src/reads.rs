//! What is only read: it never waits for who writes, and sees one moment from its first row to its last.

pub(crate) mod events;
pub(crate) mod intents;
pub(crate) mod totals;
pub(crate) mod verify;

use std::future::Future;

use crate::batch::BatchRecord;
use crate::error::Error;
use crate::ops::batch::{batch_columns, read as read_batch};
use crate::payment::PaymentRecord;
use crate::rows::{PaymentRow, payment_columns};
use crate::session::{Session, Sql, sql};
use crate::time::Millis;

pub use events::EventRecord;
pub(crate) use events::Events;
pub use intents::Filter;
pub(crate) use intents::Intents;
pub use totals::Total;
pub(crate) use totals::Totals;
pub use verify::Verified;

/// A question, the same for all stores.
pub(crate) trait Read: Send + 'static {
    /// Its answer.
    type Output: Send + 'static;

    /// Answers within one transaction.
    fn run<S: Session>(
        self,
        session: &mut S,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// Somewhere questions can be asked.
pub(crate) trait Answers: Sync {
    /// Answers one.
    fn ask<R: Read>(&self, read: R) -> impl Future<Output = Result<R::Output, Error>> + Send;
}

/// Answers on this connection, which is of no more use if that fails.
pub(crate) async fn run<S: Session, R: Read>(session: &mut S, read: R) -> Result<R::Output, Error> {
    session.begin_read().await?;
    let output = read.run(session).await?;
    session.commit().await?;
    Ok(output)
}

/// One payment by its name.
pub(crate) struct PaymentOf {
    pub(crate) provider: String,
    pub(crate) id: String,
}

const PAYMENT: Sql = sql!(concat!(
    "SELECT ",
    payment_columns!(),
    " FROM payment p WHERE p.provider = $1 AND p.name = $2"
));

impl Read for PaymentOf {
    type Output = Option<PaymentRecord>;

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let values = vec![(&self.provider).into(), (&self.id).into()];
        let rows = session.one(PAYMENT.of(S::DIALECT), values).await?;
        let row = rows.into_iter().next().map(|mut row| PaymentRow::read(&mut row)).transpose()?;
        row.map(|row| row.record()).transpose()
    }
}

/// All batches, or one.
pub(crate) struct Batches {
    pub(crate) name: Option<String>,
}

const BATCHES: Sql = sql!(concat!("SELECT ", batch_columns!(), " FROM batch ORDER BY name"));
const BATCH: Sql = sql!(concat!("SELECT ", batch_columns!(), " FROM batch WHERE name = $1"));

impl Read for Batches {
    type Output = Vec<BatchRecord>;

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let rows = match &self.name {
            None => session.one(BATCHES.of(S::DIALECT), Vec::new()).await?,
            Some(name) => session.one(BATCH.of(S::DIALECT), vec![name.into()]).await?,
        };
        rows.into_iter().map(|mut row| read_batch(&mut row)).collect()
    }
}

/// When somebody must look at a batch next.
pub(crate) struct NextDue {
    pub(crate) batch: String,
}

const NEXT_DUE: Sql = sql!(
    "SELECT min(due_at) FROM ( \
     SELECT min(due_at) AS due_at FROM intent \
     WHERE batch = $1 AND due_at IS NOT NULL AND attempts = 0 \
     UNION ALL \
     SELECT min(due_at) AS due_at FROM intent \
     WHERE batch = $1 AND due_at IS NOT NULL AND attempts > 0) AS due"
);

impl Read for NextDue {
    type Output = Option<Millis>;

    async fn run<S: Session>(self, session: &mut S) -> Result<Self::Output, Error> {
        let rows = session.one(NEXT_DUE.of(S::DIALECT), vec![(&self.batch).into()]).await?;
        let due = rows.into_iter().next().map(|mut row| row.maybe_int()).transpose()?;
        Ok(due.flatten().map(Millis))
    }
}

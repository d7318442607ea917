//! The handle that everybody has; what happens behind it is not decided here.

use std::fmt;
#[cfg(feature = "sqlite")]
use std::path::Path;

use crate::batch::{BatchRecord, NewBatch};
use crate::claim::{Attempt, Claim, Claimed, Wanted};
use crate::error::{Error, ErrorKind};
use crate::intent::{Imported, IntentId, IntentRecord, NewIntent, Prepared};
use crate::ops::{Answer, BatchOp, Keep, Op};
use crate::outcome::{Recorded, Report};
use crate::pace::Pace;
use crate::payment::{NewPayment, PaymentRecord};
use crate::reads::{
    Answers, Batches, EventRecord, Events, Filter, Intents, NextDue, PaymentOf, Read, Total,
    Totals, Verified,
};
use crate::time::Millis;
use crate::writer::Writer;

/// A durable record of payments, of the refunds that are wanted of them, and of what became of these.
///
/// Cheap to clone; all clones are one ledger. Every method that writes answers once what it did is
/// durable, and can be called again when its answer was lost: nothing it does twice happens twice.
#[derive(Clone)]
pub struct Ledger {
    writer: Option<Writer>,
    readers: Readers,
}

#[derive(Clone)]
enum Readers {
    #[cfg(feature = "sqlite")]
    Sqlite(crate::sqlite::Readers),
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::Readers),
}

impl Answers for Readers {
    async fn ask<R: Read>(&self, read: R) -> Result<R::Output, Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(readers) => readers.run(read).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(readers) => readers.run(read).await,
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            _ => Err(Error::new(ErrorKind::Closed)),
        }
    }
}

/// Says nothing of where it is: an address can hold a password.
impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("is_writable", &self.writer.is_some())
            .finish_non_exhaustive()
    }
}

/// An answer of another kind than the request's is one that nobody waits for any more.
macro_rules! expect {
    ($answer:expr, $kind:ident) => {
        match $answer {
            Answer::$kind(inner) => inner,
            _ => return Err(Error::new(ErrorKind::Closed)),
        }
    };
}

/// Intents page by page, in the order of their numbers; each page is as the ledger is when it is asked for.
#[derive(Clone, Debug)]
pub struct Pages<'a> {
    ledger: &'a Ledger,
    filter: Filter,
    after: IntentId,
}

impl Pages<'_> {
    /// The next page, which is never empty; nothing once all were given.
    ///
    /// # Errors
    /// The store's. The page can be asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<IntentRecord>>, Error> {
        let page = self.ledger.intents(self.filter.clone().after(self.after)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.id;
        Ok(Some(page))
    }
}

impl Ledger {
    /// Opens a file, or makes it. One process at a time has it for writing, and a process that is
    /// killed lets go of it. Leases that are found in it are void.
    ///
    /// # Errors
    /// [`ErrorKind::Open`], [`ErrorKind::InUse`], [`ErrorKind::Foreign`], [`ErrorKind::Newer`].
    #[cfg(feature = "sqlite")]
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (writer, readers) = crate::sqlite::open(path.as_ref()).await?;
        Ok(Self { writer: Some(writer), readers: Readers::Sqlite(readers) })
    }

    /// Opens a file that is there for reading only, whoever writes it.
    ///
    /// # Errors
    /// [`ErrorKind::Open`], [`ErrorKind::Foreign`], [`ErrorKind::Newer`].
    #[cfg(feature = "sqlite")]
    pub async fn open_to_read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let readers = crate::sqlite::open_to_read(path.as_ref()).await?;
        Ok(Self { writer: None, readers: Readers::Sqlite(readers) })
    }

    /// Connects to a server that many workers share, and makes the tables unless they are there:
    /// `postgres://user@host/database`, with `schema=` if it is not to be `refund_ledger`. What else the
    /// address may say is that of every PostgreSQL; without TLS.
    ///
    /// # Errors
    /// [`ErrorKind::Open`], [`ErrorKind::Unavailable`], [`ErrorKind::Foreign`], [`ErrorKind::Newer`].
    #[cfg(feature = "postgres")]
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let (writer, readers) = crate::postgres::connect(url).await?;
        Ok(Self { writer: Some(writer), readers: Readers::Postgres(readers) })
    }

    /// Connects for reading only.
    ///
    /// # Errors
    /// [`ErrorKind::Open`], [`ErrorKind::Unavailable`], [`ErrorKind::Foreign`], [`ErrorKind::Newer`].
    #[cfg(feature = "postgres")]
    pub async fn connect_to_read(url: &str) -> Result<Self, Error> {
        let readers = crate::postgres::connect_to_read(url).await?;
        Ok(Self { writer: None, readers: Readers::Postgres(readers) })
    }

    /// Finishes what was asked for, and lets go of the file or of the server.
    pub async fn close(&self) {
        // In this order: who only reads a file cannot tidy it up.
        match &self.readers {
            #[cfg(feature = "sqlite")]
            Readers::Sqlite(readers) => readers.close(),
            #[cfg(feature = "postgres")]
            Readers::Postgres(readers) => readers.close(),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            _ => {}
        }
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }

    async fn run(&self, op: Op) -> Result<Answer, Error> {
        match &self.writer {
            Some(writer) => writer.run(op).await,
            None => Err(Error::new(ErrorKind::ReadOnly)),
        }
    }

    /// Imports payments; the answers are in the order of the payments. What is there already is
    /// compared and stays as it is.
    ///
    /// # Errors
    /// The store's.
    pub async fn import(
        &self,
        payments: Vec<NewPayment>,
        at: Millis,
    ) -> Result<Vec<Imported>, Error> {
        Ok(expect!(self.run(Op::Import(payments, at)).await?, Imported))
    }

    /// Opens a batch, or gives the one that has this name already, whatever it was opened with.
    ///
    /// # Errors
    /// The store's.
    pub async fn open_batch(&self, batch: NewBatch, at: Millis) -> Result<BatchRecord, Error> {
        expect!(self.run(Op::Batch(BatchOp::Open(batch, at))).await?, Batch)
    }

    /// Says from what an open batch is read from now on. Take back first what was read before.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchBatch`], [`ErrorKind::BatchSealed`].
    pub async fn resource_batch(
        &self,
        batch: impl Into<String>,
        source: impl Into<String>,
    ) -> Result<BatchRecord, Error> {
        let op = BatchOp::Resource { name: batch.into(), source: source.into() };
        expect!(self.run(Op::Batch(op)).await?, Batch)
    }

    /// Takes at most so many rows of an open batch back; gives how many those were. None of them was
    /// ever sent. What they held is free, and so are their keys; that they were there stays on record.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchBatch`], [`ErrorKind::BatchSealed`].
    pub async fn withdraw(
        &self,
        batch: impl Into<String>,
        most: u32,
        at: Millis,
    ) -> Result<u64, Error> {
        let op = BatchOp::Withdraw { name: batch.into(), most, at };
        expect!(self.run(Op::Batch(op)).await?, Withdrawn)
    }

    /// Takes back at most so many rows of a batch, sealed or not, that nobody ever began to send; gives
    /// how many those were. What they held is free, and so are their keys; that they were there stays on
    /// record.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchBatch`].
    pub async fn cancel(
        &self,
        batch: impl Into<String>,
        most: u32,
        at: Millis,
    ) -> Result<u64, Error> {
        let op = BatchOp::Cancel { name: batch.into(), most, at };
        expect!(self.run(Op::Batch(op)).await?, Withdrawn)
    }

    /// Seals a batch that was read from this source and has so many rows; so many more were left out.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it has another number of rows, or somebody reads it from another
    /// source by now, [`ErrorKind::NoSuchBatch`], and [`ErrorKind::BatchSealed`] when it is sealed with
    /// other numbers.
    pub async fn seal_batch(
        &self,
        batch: impl Into<String>,
        source: impl Into<String>,
        (rows, skipped): (u64, u64),
        at: Millis,
    ) -> Result<BatchRecord, Error> {
        let (name, source) = (batch.into(), source.into());
        let op = BatchOp::Seal { name, source, rows, skipped, at };
        expect!(self.run(Op::Batch(op)).await?, Batch)
    }

    /// Prepares intents: each is held against its payment's limits, with all that is prepared, pending
    /// or unknown, and durable under its key afterwards. The answers are in the order of the intents;
    /// one that is refused leaves nothing behind.
    ///
    /// # Errors
    /// The store's.
    pub async fn prepare(
        &self,
        intents: Vec<NewIntent>,
        at: Millis,
    ) -> Result<Vec<Prepared>, Error> {
        Ok(expect!(self.run(Op::Prepare(intents, at)).await?, Prepared))
    }

    /// Claims intents that are due, oldest first: to send what is prepared, to resolve what is unknown,
    /// to follow what was accepted. What the last worker was about to send and never spoke of again is
    /// unknown from now on.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchBatch`], and [`ErrorKind::BatchOpen`] for one that is not sealed.
    pub async fn claim(&self, wanted: Wanted, now: Millis) -> Result<Vec<Claimed>, Error> {
        expect!(self.run(Op::Claim(wanted, now)).await?, Claimed)
    }

    /// Says that a request leaves now. It may leave once this has answered, and not before: then it is
    /// on record, whatever happens next. `margin` is how many milliseconds before its end a key counts
    /// as dead.
    ///
    /// # Errors
    /// [`ErrorKind::LeaseLost`], [`ErrorKind::KeyExpired`], [`ErrorKind::Taken`], [`ErrorKind::Ended`],
    /// [`ErrorKind::Parked`]: then nothing may leave.
    pub async fn sending(&self, claim: &Claim, now: Millis, margin: i64) -> Result<Attempt, Error> {
        expect!(self.run(Op::Sending(claim.clone(), now, margin)).await?, Sending)
    }

    /// Records what was learned, for each report by itself.
    ///
    /// # Errors
    /// The store's; a report's own is [`ErrorKind::NoSuchIntent`].
    pub async fn record(
        &self,
        reports: Vec<Report>,
    ) -> Result<Vec<Result<Recorded, Error>>, Error> {
        Ok(expect!(self.run(Op::Record(reports)).await?, Recorded))
    }

    /// Records what was learned of one intent.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchIntent`].
    pub async fn record_one(&self, report: Report) -> Result<Recorded, Error> {
        let recorded = self.record(vec![report]).await?.pop();
        recorded.unwrap_or_else(|| Err(Error::new(ErrorKind::Closed)))
    }

    /// Keeps a claim until then.
    ///
    /// # Errors
    /// [`ErrorKind::LeaseLost`].
    pub async fn renew(&self, claim: &Claim, until: Millis) -> Result<(), Error> {
        expect!(self.run(Op::Lease(claim.clone(), until, Keep::Yes)).await?, Done)
    }

    /// Gives a claim up; somebody may claim the intent from then on.
    ///
    /// # Errors
    /// [`ErrorKind::LeaseLost`].
    pub async fn release(&self, claim: &Claim, due_at: Millis) -> Result<(), Error> {
        expect!(self.run(Op::Lease(claim.clone(), due_at, Keep::No)).await?, Done)
    }

    /// Lets an intent wait for a human.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchIntent`], [`ErrorKind::Ended`].
    pub async fn park(
        &self,
        intent: IntentId,
        reason: impl Into<String>,
        at: Millis,
    ) -> Result<(), Error> {
        expect!(self.run(Op::Park(intent, Some(reason.into()), at)).await?, Done)
    }

    /// The human has looked: it is due again.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchIntent`], [`ErrorKind::Ended`].
    pub async fn unpark(&self, intent: IntentId, at: Millis) -> Result<(), Error> {
        expect!(self.run(Op::Park(intent, None, at)).await?, Done)
    }

    /// Makes an intent due, because there is news of it; not if somebody has it, nor if it has ended or
    /// waits for a human.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchIntent`].
    pub async fn look_again(&self, intent: IntentId, at: Millis) -> Result<(), Error> {
        expect!(self.run(Op::Due(intent, at)).await?, Done)
    }

    /// Takes the next turns under a limit that all workers of this ledger share: when each of them is.
    ///
    /// # Errors
    /// The store's.
    pub async fn turns(&self, pace: &Pace, turns: u32, now: Millis) -> Result<Vec<Millis>, Error> {
        Ok(expect!(self.run(Op::Pace(pace.clone(), turns, now)).await?, Turns))
    }

    /// A payment, if it was imported.
    ///
    /// # Errors
    /// The store's.
    pub async fn payment(
        &self,
        provider: impl Into<String>,
        id: impl Into<String>,
    ) -> Result<Option<PaymentRecord>, Error> {
        self.readers.ask(PaymentOf { provider: provider.into(), id: id.into() }).await
    }

    /// A page of the intents that match, in the order of their numbers.
    ///
    /// # Errors
    /// The store's.
    pub async fn intents(&self, filter: Filter) -> Result<Vec<IntentRecord>, Error> {
        self.readers.ask(Intents(filter)).await
    }

    /// All intents that match, page by page.
    #[must_use]
    pub fn pages(&self, filter: Filter) -> Pages<'_> {
        Pages { ledger: self, filter, after: IntentId(0) }
    }

    /// The batches, in the order of their names.
    ///
    /// # Errors
    /// The store's.
    pub async fn batches(&self) -> Result<Vec<BatchRecord>, Error> {
        self.readers.ask(Batches { name: None }).await
    }

    /// A batch, if it was opened.
    ///
    /// # Errors
    /// The store's.
    pub async fn batch(&self, name: impl Into<String>) -> Result<Option<BatchRecord>, Error> {
        Ok(self.readers.ask(Batches { name: Some(name.into()) }).await?.pop())
    }

    /// Counts and sums of intents by batch, currency and state; of one batch, if it is named.
    ///
    /// # Errors
    /// The store's.
    pub async fn totals(&self, batch: Option<String>) -> Result<Vec<Total>, Error> {
        self.readers.ask(Totals { batch }).await
    }

    /// When the next intent of a batch is due: in the past, if it can be claimed now. Nothing is due
    /// once all have ended or wait for a human.
    ///
    /// # Errors
    /// The store's.
    pub async fn next_due(&self, batch: impl Into<String>) -> Result<Option<Millis>, Error> {
        self.readers.ask(NextDue { batch: batch.into() }).await
    }

    /// A page of everything that ever happened, payment by payment, after the given place; the last
    /// record of a page names the place of the next.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(
        &self,
        after: Option<(i64, i64)>,
        most: u32,
    ) -> Result<Vec<EventRecord>, Error> {
        self.readers.ask(Events { after: after.unwrap_or((0, 0)), most }).await
    }

    /// Derives everything again from what happened, and compares.
    ///
    /// # Errors
    /// [`ErrorKind::Damaged`] with the first place that is not what was written.
    pub async fn verify(&self) -> Result<Verified, Error> {
        crate::reads::verify::all(&self.readers).await
    }
}

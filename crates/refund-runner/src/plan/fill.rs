//! The second reading: chunk by chunk, payments are imported and rows prepared.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use refund_ledger::{Filter, Imported, KeyLife, Ledger, Millis, NewIntent, NewPayment, Prepared};
use refund_rules::{Limit, RefundState, Refusal};

use crate::input::row::Fault;
use crate::input::{BadRow, Numbered, Place, Row};
use crate::key::row_key;
use crate::plan::doubles::Doubles;
use crate::plan::{KEPT, Plan, PlanError, PlanEvent, Planner, RowDifference, Step, payments};

/// How many rows are prepared at once.
const CHUNK: usize = 500;

/// A plan on its way.
pub(crate) struct Fill<'p, 'a, 'o> {
    pub(crate) planner: &'p Planner<'a>,
    /// Where rows are prepared, or compared.
    pub(crate) ledger: &'p Ledger,
    pub(crate) now: Millis,
    pub(crate) doubles: Doubles,
    pub(crate) plan: Plan,
    pub(crate) observer: &'o mut (dyn FnMut(PlanEvent<'_>) + Send),
    /// The batch whose rows hold something in the ledger that is only read, though they are rehearsed.
    pub(crate) without: Option<&'p str>,
    /// Is the batch sealed, and if so, was it from this file?
    pub(crate) sealed_from_this: Option<bool>,
    pub(crate) hides_rows: bool,
}

/// What becomes of a row.
enum Verdict {
    Prepared,
    Exists,
    Bad(Fault, Option<Limit>),
    Differs(RowDifference),
}

/// Rows with their verdicts, as far as there are any.
type Chunk = Vec<(Numbered, Option<Verdict>)>;

impl Fill<'_, '_, '_> {
    /// Goes through the file; gives its hash.
    pub(crate) async fn all<R: Read + Seek + Send>(
        &mut self,
        file: &mut R,
    ) -> Result<String, PlanError> {
        let mut rows = super::rows(file)?;
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            let next = rows.advance()?;
            let is_end = next.is_none();
            chunk.extend(next.map(|numbered| (numbered, None)));
            if chunk.len() >= CHUNK || (is_end && !chunk.is_empty()) {
                self.chunk(&mut chunk).await?;
                for (numbered, verdict) in chunk.drain(..) {
                    self.tell(numbered, verdict);
                }
                let (rows, bytes) = (rows.count(), rows.bytes());
                (self.observer)(PlanEvent::Progress { step: Step::Preparing, rows, bytes });
            }
            if is_end {
                self.plan.rows = rows.count();
                return Ok(rows.finish()?);
            }
        }
    }

    async fn chunk(&mut self, chunk: &mut Chunk) -> Result<(), PlanError> {
        for (numbered, verdict) in &mut *chunk {
            *verdict = self.by_itself(numbered);
        }
        if self.sealed_from_this.is_none() {
            self.import_known(chunk).await?;
            self.import_said(chunk).await?;
        }
        let unknown = self.prepare(chunk).await?;
        if !unknown.is_empty() {
            self.import_looked_up(chunk, unknown).await?;
            self.prepare(chunk).await?;
        }
        Ok(())
    }

    /// What is wrong with a row whatever the ledger says.
    fn by_itself(&mut self, numbered: &Numbered) -> Option<Verdict> {
        let row = numbered.content.as_ref().ok()?;
        let bad = |fault| Some(Verdict::Bad(fault, None));
        if let Some(line) = self.doubles.repeated_by(numbered.at.line, row.identity()) {
            return bad(match row.reference {
                None => Fault::new(
                    "repeats",
                    format!("the row repeats line {line}: give each a `reference` of its own"),
                ),
                Some(_) => Fault {
                    column: Some("reference".to_owned()),
                    ..Fault::new("repeats", format!("line {line} has the same `reference`"))
                },
            });
        }
        let objection = self.planner.check.as_ref().and_then(|check| check(row))?;
        let column = Some(objection.column.to_owned());
        bad(Fault { column, rule: objection.rule, sentence: objection.sentence })
    }

    /// In a rehearsal, brings in what the other ledger knows.
    async fn import_known(&self, chunk: &Chunk) -> Result<(), PlanError> {
        if self.planner.scratch.is_none() {
            return Ok(());
        }
        let rows = chunk.iter().filter_map(|(numbered, _)| numbered.content.as_ref().ok());
        let ids: BTreeSet<&str> = rows.map(|row| &*row.payment).collect();
        let provider = &*self.planner.provider;
        let mut known = Vec::new();
        for id in ids {
            if self.ledger.payment(provider, id).await?.is_none() {
                let policy = &self.planner.policy;
                let name = (provider, id);
                known.extend(
                    payments::known(self.planner.ledger, name, self.without, policy).await?,
                );
            }
        }
        self.ledger.import(known, self.now).await?;
        Ok(())
    }

    /// Imports what rows say of their payments, and compares it with what is known.
    async fn import_said(&mut self, chunk: &mut Chunk) -> Result<(), PlanError> {
        let mut places = Vec::new();
        let mut said = Vec::new();
        for (place, (numbered, verdict)) in chunk.iter_mut().enumerate() {
            let Some(row) = undecided(numbered, verdict.as_ref()) else { continue };
            let policy = (self.planner.policy)(row.currency);
            match payments::of_row(&self.planner.provider, row, &policy) {
                Ok(None) => {}
                Ok(Some(payment)) => {
                    places.push(place);
                    said.push(payment);
                }
                Err(fault) => *verdict = Some(Verdict::Bad(fault, None)),
            }
        }
        let answers = self.import(said).await?;
        for (place, answer) in places.into_iter().zip(answers) {
            if let Some((numbered, verdict)) = chunk.get_mut(place)
                && let (Ok(row), Imported::Differs { fields }) = (&numbered.content, answer)
            {
                *verdict = contradiction(row, &fields);
            }
        }
        Ok(())
    }

    /// Imports what the provider says of payments that nobody knows, and says why the rest is bad.
    async fn import_looked_up(
        &mut self,
        chunk: &mut Chunk,
        unknown: BTreeSet<String>,
    ) -> Result<(), PlanError> {
        let mut why = BTreeMap::new();
        if let Some((gateway, clock)) = self.planner.look_up {
            for (id, answer) in payments::look_up(gateway, clock, unknown).await? {
                let fault = match answer {
                    Ok(Some(payment)) => self.import_one(chunk, &id, payment).await?,
                    Ok(None) => Some("the provider has no such payment".to_owned()),
                    Err(code) => Some(format!("the provider says nothing of this payment: {code}")),
                };
                why.extend(fault.map(|sentence| (id, sentence)));
            }
        } else {
            let sentence = "nothing is known of this payment: say what was `captured`, \
                            or let payments be looked up";
            why.extend(unknown.into_iter().map(|id| (id, sentence.to_owned())));
        }
        for (numbered, verdict) in chunk {
            let Some(row) = undecided(numbered, verdict.as_ref()) else { continue };
            if let Some(sentence) = why.get(&row.payment) {
                let fault = Fault {
                    column: Some("payment".to_owned()),
                    ..Fault::new("no-such-payment", &**sentence)
                };
                *verdict = Some(Verdict::Bad(fault, None));
            }
        }
        Ok(())
    }

    /// Imports a payment that was looked up; or says why it cannot be.
    async fn import_one(
        &mut self,
        chunk: &Chunk,
        id: &str,
        payment: refund_rules::Payment,
    ) -> Result<Option<String>, PlanError> {
        let rows = chunk.iter().filter_map(|(numbered, _)| numbered.content.as_ref().ok());
        let Some(row) = rows.into_iter().find(|row| row.payment == id) else { return Ok(None) };
        let policy = (self.planner.policy)(payment.captured().currency());
        match payments::named(&self.planner.provider, row, payment, &policy) {
            Ok(new) => {
                self.import(vec![new]).await?;
                self.plan.looked_up = self.plan.looked_up.saturating_add(1);
                Ok(None)
            }
            Err(fault) => Ok(Some(fault.sentence)),
        }
    }

    async fn import(&mut self, said: Vec<NewPayment>) -> Result<Vec<Imported>, PlanError> {
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.ledger.import(said, self.now).await?;
        let new = answers.iter().filter(|answer| **answer == Imported::New).count();
        let new = u64::try_from(new).unwrap_or(u64::MAX);
        self.plan.imported = self.plan.imported.saturating_add(new);
        Ok(answers)
    }

    /// Prepares the rows without a verdict; gives the payments that nobody knows.
    async fn prepare(&self, chunk: &mut Chunk) -> Result<BTreeSet<String>, PlanError> {
        let mut places = Vec::new();
        let mut wishes = Vec::new();
        for (place, (numbered, verdict)) in chunk.iter_mut().enumerate() {
            let Some(row) = undecided(numbered, verdict.as_ref()) else { continue };
            if let Some(batch) = self.repeated(row).await? {
                *verdict = Some(repeats(&batch));
                continue;
            }
            match self.wish(numbered.at, row) {
                Ok(wish) => {
                    places.push(place);
                    wishes.push(wish);
                }
                Err(error) => {
                    let fault = Fault::new("names", error.to_string());
                    *verdict = Some(Verdict::Bad(fault, None));
                }
            }
        }
        let mut unknown = BTreeSet::new();
        if wishes.is_empty() {
            return Ok(unknown);
        }
        let answers = self.ledger.prepare(wishes, self.now).await?;
        for (place, answer) in places.into_iter().zip(answers) {
            let Some((numbered, verdict)) = chunk.get_mut(place) else { continue };
            match (self.verdict(numbered.at, answer)?, &numbered.content) {
                (Some(found), _) => *verdict = Some(found),
                (None, Ok(row)) => {
                    unknown.insert(row.payment.clone());
                }
                (None, Err(_)) => {}
            }
        }
        Ok(unknown)
    }

    /// In a rehearsal, the scratch ledger does not know the other batches; gives the one for this account
    /// that has the reference of this row.
    async fn repeated(&self, row: &Row) -> Result<Option<String>, PlanError> {
        let Planner { ledger, provider, target, batch, scratch, .. } = self.planner;
        let (Some(_), Some(reference)) = (scratch, &row.reference) else { return Ok(None) };
        let filter = Filter::new().provider(provider).reference(reference);
        for intent in ledger.intents(filter).await? {
            let Some(other) = intent.facts.batch.filter(|other| other != batch) else { continue };
            let is_ours = ledger.batch(&*other).await?.is_some_and(|it| it.target == *target);
            if is_ours && intent.life.state != RefundState::Declined {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    fn wish(&self, at: Place, row: &Row) -> Result<NewIntent, refund_ledger::Error> {
        let Planner { provider, batch, key_window, .. } = self.planner;
        let content = row.content();
        let key = row_key(batch, at.row, &content);
        let wish = match row.amount {
            Some(amount) => NewIntent::amount(provider, &*row.payment, key, amount)?,
            None => NewIntent::rest(provider, &*row.payment, key)?,
        };
        let life = key_window.map_or(KeyLife::Forever, KeyLife::FromFirstTry);
        let mut wish = wish.scope(row.scope).key_life(life).row_of(&**batch, at.row, content)?;
        if let Some(reference) = &row.reference {
            wish = wish.reference(reference);
        }
        if let Some(details) = row.details.to_text() {
            wish = wish.details(details);
        }
        Ok(wish)
    }

    /// What an answer means; nothing if nobody knows the payment.
    fn verdict(&self, at: Place, answer: Prepared) -> Result<Option<Verdict>, PlanError> {
        let Place { line, row, .. } = at;
        Ok(Some(match answer {
            Prepared::New { .. } => Verdict::Prepared,
            Prepared::Exists { .. } => Verdict::Exists,
            Prepared::Differs { id, mut fields } => {
                // These two follow from the others.
                let follows = |field: &&str| matches!(*field, "key" | "content");
                if !fields.iter().all(follows) {
                    fields.retain(|field| !follows(field));
                }
                Verdict::Differs(RowDifference { line, row, intent: Some(id), fields })
            }
            Prepared::Refused(refused) => refusal(&refused),
            Prepared::Repeats { batch, .. } => repeats(&batch),
            Prepared::NoSuchPayment => return Ok(None),
            Prepared::BatchSealed => match self.sealed_from_this {
                None => return Err(PlanError::SealedMeanwhile),
                Some(true) => {
                    let sentence = "the row was left out when the batch was sealed";
                    Verdict::Bad(Fault::new("left-out", sentence), None)
                }
                Some(false) => {
                    Verdict::Differs(RowDifference { line, row, intent: None, fields: vec!["row"] })
                }
            },
            // The batch was opened, and no other answer is known.
            _ => return Err(PlanError::SealedMeanwhile),
        }))
    }

    /// Counts a row, and says what is wrong with it.
    fn tell(&mut self, numbered: Numbered, verdict: Option<Verdict>) {
        let add_one = |count: &mut u64| *count = count.saturating_add(1);
        let bad = match (numbered.content, verdict) {
            (Err(bad), _) => {
                self.hides_rows |= bad.may_hide_rows();
                bad
            }
            (Ok(_), Some(Verdict::Prepared)) => return add_one(&mut self.plan.prepared),
            (Ok(_), Some(Verdict::Exists)) => return add_one(&mut self.plan.existing),
            (Ok(_), Some(Verdict::Differs(difference))) => {
                add_one(&mut self.plan.differing);
                (self.observer)(PlanEvent::Differs(&difference));
                if self.plan.differences.len() < KEPT {
                    self.plan.differences.push(difference);
                }
                return;
            }
            (Ok(_), Some(Verdict::Bad(fault, limit))) => {
                BadRow { limit, ..BadRow::new(numbered.at, fault) }
            }
            (Ok(_), None) => {
                let fault = Fault::new("no-such-payment", "nothing is known of this payment");
                BadRow::new(numbered.at, fault)
            }
        };
        add_one(&mut self.plan.bad);
        (self.observer)(PlanEvent::Bad(&bad));
        if self.plan.bad_rows.len() < KEPT {
            self.plan.bad_rows.push(bad);
        }
    }
}

fn undecided<'n>(numbered: &'n Numbered, verdict: Option<&Verdict>) -> Option<&'n Row> {
    numbered.content.as_ref().ok().filter(|_| verdict.is_none())
}

/// Only what was captured and what it cost must be what is known: the rest has a history.
fn contradiction(row: &Row, fields: &[&str]) -> Option<Verdict> {
    let is_fee = row.fee.is_some() && fields.contains(&"fee");
    let column = match fields.contains(&"captured") {
        true => "captured",
        false if is_fee => "fee",
        false => return None,
    };
    let sentence = format!("`{column}` is not what the ledger knows of this payment");
    let fault = Fault { column: Some(column.to_owned()), ..Fault::new("differs", sentence) };
    Some(Verdict::Bad(fault, None))
}

fn refusal(refusal: &Refusal) -> Verdict {
    Verdict::Bad(Fault::new(refusal.rule().name(), refusal.to_string()), refusal.limit())
}

/// Another batch has the refund already.
fn repeats(batch: &str) -> Verdict {
    let sentence = format!("the batch `{batch}` has a refund of this reference");
    let fault = Fault { column: Some("reference".to_owned()), ..Fault::new("repeats", sentence) };
    Verdict::Bad(fault, None)
}

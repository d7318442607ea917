//! Refunds of a ledger as rows, printed page by page.

use fps::refund_ledger::{IntentRecord, Millis};
use fps::{Money, RefundState, Timestamp};
use serde::Serialize;

use crate::exit::{Failure, OrFail};
use crate::output::{Format, Report, print, print_text, table, visible};

/// A refund as it is listed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    number: i64,
    batch: Option<String>,
    row: Option<u64>,
    payment: String,
    reference: Option<String>,
    amount: Money,
    fee_returned: Money,
    state: RefundState,
    refund: Option<String>,
    reason: Option<String>,
    attempts: u32,
    key: String,
    key_expires_at: Option<String>,
    prepared_at: Option<String>,
    sent_at: Option<String>,
    changed_at: Option<String>,
    waits_for_human: Option<String>,
    alarm: Option<String>,
}

fn time(at: Millis) -> Option<String> {
    Timestamp::from_unix_millis(at.0).map(Timestamp::to_extended)
}

impl Listed {
    fn new(intent: &IntentRecord) -> Self {
        let IntentRecord { facts, life, .. } = intent;
        Self {
            number: intent.id.0,
            batch: facts.batch.clone(),
            row: facts.row,
            payment: intent.payment.clone(),
            reference: facts.reference.clone(),
            amount: facts.amount,
            fee_returned: facts.fee,
            state: life.state,
            refund: life.refund.clone(),
            reason: life.reason.clone(),
            attempts: life.attempts,
            key: facts.key.clone(),
            key_expires_at: life.key_expires_at.and_then(time),
            prepared_at: time(facts.prepared_at),
            sent_at: life.sent_at.and_then(time),
            changed_at: time(life.changed_at),
            waits_for_human: life.parked.clone(),
            alarm: life.alarm.clone(),
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Page(Vec<Listed>);

impl Report for Page {
    fn text(&self) -> String {
        let text = |text: &Option<String>| visible(text.as_deref().unwrap_or_default());
        let rows = self.0.iter().map(|it| {
            let why = it.alarm.as_ref().or(it.waits_for_human.as_ref()).or(it.reason.as_ref());
            vec![
                it.number.to_string(),
                it.row.map_or_else(String::new, |row| row.to_string()),
                visible(&it.payment),
                text(&it.reference),
                format!("{} {}", it.amount, it.amount.currency()),
                it.state.name().to_owned(),
                text(&it.refund),
                it.attempts.to_string(),
                text(&why.cloned()),
            ]
        });
        table(
            &["number", "row", "payment", "reference", "amount", "state", "refund", "tries", "why"],
            rows,
        )
    }
}

/// A list that is printed as it comes. JSON is one list, whatever the pages.
pub(crate) struct List {
    format: Format,
    pages: u64,
}

impl List {
    pub(crate) const fn new(format: Format) -> Self {
        Self { format, pages: 0 }
    }

    /// Prints a page, which is not empty.
    pub(crate) fn page(&mut self, intents: &[IntentRecord]) -> Result<(), Failure> {
        let page = Page(intents.iter().map(Listed::new).collect());
        let is_first = self.pages == 0;
        self.pages += 1;
        match self.format {
            Format::Ndjson => print(Format::Ndjson, &page),
            Format::Json => {
                let mut text = String::new();
                for (place, row) in page.0.iter().enumerate() {
                    text.push_str(if is_first && place == 0 { "[\n" } else { ",\n" });
                    text.push_str(
                        &serde_json::to_string(row).or_fail("a refund cannot be printed")?,
                    );
                }
                print_text(&text)
            }
            format => crate::output::print_page(format, &page, is_first),
        }
    }

    /// Ends the list.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        match (self.format, self.pages) {
            (Format::Json, 0) => print_text("[]\n"),
            (Format::Json, _) => print_text("\n]\n"),
            (Format::Table, 0) => print(Format::Table, &Page(Vec::new())),
            _ => Ok(()),
        }
    }
}

//! The settlement report of Amazon Pay, line by line.
//!
//! Source: "Settlement Report Details", developer.amazon.com/docs/amazon-pay-reports/
//! settlement-reports.html: first some lines with `SettlementStartDate` and `SettlementEndDate`, then the
//! names of the columns, then the transactions. A refund's `AmazonTransactionId` is what the provider
//! calls it, and its `SellerReferenceId` what the merchant does. The page does not say how amounts are
//! written; in reports that others have taken apart, what is paid out is negative and thousands are
//! separated.

use std::collections::HashSet;
use std::io::Read;

use refund_ledger::{BatchRecord, Filter, IntentId, IntentRecord, Millis};
use refund_rules::{Currency, Money, Observation, RefundState};

use crate::input::bytes::Bytes;
use crate::input::records::Records;
use crate::reconcile::compare::{There, money, refund};
use crate::reconcile::there::{amount, moment};
use crate::reconcile::{Account, Difference, DifferenceKind, PAGE, ReconcileError};

/// How many records may stand before the names of the columns.
const PREAMBLE_MAX: usize = 50;

/// How many lines are compared before progress is told.
const LINES_AT_ONCE: u64 = 500;

/// Where the columns are.
struct Columns {
    transaction: usize,
    kind: usize,
    currency: usize,
    amount: usize,
    reference: Option<usize>,
    fee: Option<usize>,
}

/// A refund of the report.
struct Line {
    line: u64,
    refund: String,
    reference: Option<String>,
    amount: Money,
    fee: Option<Money>,
}

/// From when to when, as far as the report says.
type Period = (Option<Millis>, Option<Millis>);

pub(super) async fn all<R: Read + Send>(
    account: &mut Account<'_, '_, '_>,
    report: R,
    batch: &BatchRecord,
) -> Result<(), ReconcileError> {
    let mut records = Records::new(Bytes::new(report)?)?;
    let (columns, period) = preamble(&mut records)?;
    let mut seen = HashSet::new();
    let mut listed = 0_u64;
    while let Some((line, fate)) = records.advance()? {
        if fate.is_err() {
            account.uncompared(&format!("line {line} cannot be read"));
            continue;
        }
        if !cell(&records, columns.kind).eq_ignore_ascii_case("refund") {
            continue;
        }
        listed = listed.saturating_add(1);
        match read(&records, &columns, line) {
            Err(why) => account.uncompared(&format!("line {line}: {why}")),
            Ok(line) => one(account, &mut seen, &batch.provider, line).await?,
        }
        if listed.is_multiple_of(LINES_AT_ONCE) {
            account.progress();
        }
    }
    account.result.listed = Some(listed);
    missing(account, &seen, period, &batch.name).await?;
    account.progress();
    Ok(())
}

/// The text of a cell; empty if it is none.
fn cell<R: Read>(records: &Records<R>, place: usize) -> &str {
    str::from_utf8(records.cell(place)).unwrap_or_default().trim()
}

fn preamble<R: Read>(records: &mut Records<R>) -> Result<(Columns, Period), ReconcileError> {
    let lacks = |column| ReconcileError::NotASettlement { column };
    let mut period = (None, None);
    let mut names: Vec<String> = Vec::new();
    for _ in 0..PREAMBLE_MAX {
        let Some((_, fate)) = records.advance()? else { break };
        if fate.is_err() {
            continue;
        }
        let cells: Vec<String> =
            (0..records.cells()).map(|place| cell(records, place).to_owned()).collect();
        let place = |name: &str| cells.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        if let Some(kind) = place("TransactionType") {
            let must = |name| place(name).ok_or_else(|| lacks(name));
            let columns = Columns {
                transaction: must("AmazonTransactionId")?,
                kind,
                currency: must("CurrencyCode")?,
                amount: must("TransactionAmount")?,
                reference: place("SellerReferenceId"),
                fee: place("TotalTransactionFee"),
            };
            return Ok((columns, period));
        }
        // A value stands beside its name, or below it.
        let value = |name: &str| {
            let beside = place(name).and_then(|place| cells.get(place.saturating_add(1)));
            let above = names.iter().position(|cell| cell.eq_ignore_ascii_case(name));
            let below = above.and_then(|place| cells.get(place));
            [beside, below].into_iter().flatten().find_map(|text| moment(text))
        };
        period.0 = period.0.or_else(|| value("SettlementStartDate"));
        period.1 = period.1.or_else(|| value("SettlementEndDate"));
        names = cells;
    }
    Err(lacks("TransactionType"))
}

fn read<R: Read>(records: &Records<R>, columns: &Columns, line: u64) -> Result<Line, &'static str> {
    let currency = Currency::from_code(cell(records, columns.currency));
    let currency = currency.map_err(|_| "its currency is none")?;
    let amount = |place| amount(cell(records, place), currency);
    let refund = cell(records, columns.transaction).to_owned();
    if refund.is_empty() {
        return Err("it has no `AmazonTransactionId`");
    }
    let reference = columns.reference.map(|place| cell(records, place).to_owned());
    Ok(Line {
        line,
        refund,
        reference: reference.filter(|text| !text.is_empty()),
        amount: amount(columns.amount).ok_or("its `TransactionAmount` is no amount")?,
        fee: columns.fee.and_then(amount),
    })
}

async fn one(
    account: &mut Account<'_, '_, '_>,
    seen: &mut HashSet<IntentId>,
    provider: &str,
    line: Line,
) -> Result<(), ReconcileError> {
    let at = Some(line.line);
    let Some(intent) = known(account, provider, &line).await? else {
        let difference = Difference::missing_here(Some(line.refund), None, line.reference);
        account.differs(Difference { line: at, ..difference.values(None, money(line.amount)) });
        return Ok(());
    };
    if !seen.insert(intent.id) {
        let difference = Difference::of_intent(DifferenceKind::Duplicate, &intent);
        let difference = difference.values(money(intent.facts.amount), money(line.amount));
        account.differs(Difference { line: at, ..difference });
        return Ok(());
    }
    account.count_compared();
    // A fee that nobody imported is not known to be nothing.
    let fee = line.fee.filter(|fee| !intent.facts.fee.is_zero() && *fee != intent.facts.fee);
    if let Some(fee) = fee.filter(|fee| fee.currency() == intent.facts.amount.currency()) {
        let difference = Difference::of_intent(DifferenceKind::Fee, &intent);
        let difference = difference.values(money(intent.facts.fee), money(fee));
        account.differs(Difference { line: at, ..difference });
    }
    let there = There {
        // One that has a name and was found by its key keeps its name.
        refund: intent.life.refund.is_none().then_some(line.refund),
        amount: Some(line.amount),
        state: Observation::Refunded,
        reason: None,
    };
    let verdict = refund(&intent, there);
    for difference in verdict.differences {
        account.differs(Difference { line: at, ..difference });
    }
    let news = verdict.news.map(|outcome| (intent.id, outcome));
    account.learned(news.into_iter().collect()).await
}

/// The intent that a line is of: by the provider's name for it, by its key, or by the merchant's name.
async fn known(
    account: &Account<'_, '_, '_>,
    provider: &str,
    line: &Line,
) -> Result<Option<IntentRecord>, ReconcileError> {
    let filter = || Filter::new().provider(provider).most(2);
    let mut filters = vec![filter().refund(&*line.refund)];
    if let Some(reference) = &line.reference {
        filters.push(filter().key(&**reference));
        filters.push(filter().reference(&**reference));
    }
    for filter in filters {
        let mut found = account.ledger().intents(filter).await?;
        // A name that two have identifies neither.
        if let (Some(intent), true) = (found.pop(), found.is_empty()) {
            return Ok(Some(intent));
        }
    }
    Ok(None)
}

/// What was refunded within the period and is not in the report.
async fn missing(
    account: &mut Account<'_, '_, '_>,
    seen: &HashSet<IntentId>,
    (begin, end): Period,
    batch: &str,
) -> Result<(), ReconcileError> {
    let filter = Filter::new().batch(batch).states([RefundState::Refunded]).most(PAGE);
    let mut pages = account.ledger().pages(filter);
    while let Some(page) = pages.next().await? {
        for intent in &page {
            let at = intent.life.changed_at;
            let is_within =
                begin.is_none_or(|begin| begin <= at) && end.is_none_or(|end| at <= end);
            if is_within && !seen.contains(&intent.id) {
                let difference = Difference::of_intent(DifferenceKind::MissingThere, intent);
                let here = intent.life.state.name().to_owned();
                account.differs(difference.values(here, None));
            }
        }
    }
    Ok(())
}

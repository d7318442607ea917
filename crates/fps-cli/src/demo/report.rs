//! What happened in a demonstration, and whether both sides tell the same; makes nothing happen.

use fps::{Currency, Money, MoneyError};
use fps_sandbox::{Service, Totals};
use serde::Serialize;

use super::batch::Batch;
use crate::exit::{Exit, Failure, OrFail};
use crate::output::{Report, table};

/// One thing that was asked and what came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Step {
    pub(super) service: &'static str,
    pub(super) payment: String,
    /// What was asked; nothing stands for the rest.
    pub(super) asked: Option<String>,
    /// What was asked, or what the rest is.
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) decision: Decided,
    /// The rule that forbids it, and the most that it allows.
    pub(super) rule: Option<&'static str>,
    pub(super) limit: Option<String>,
    pub(super) fee_returned: Option<String>,
    pub(super) outcome: Outcome,
    /// What the service said of it, in its own words, one after the other.
    pub(super) states: Vec<String>,
    /// Were these told by notifications, each of them verified?
    pub(super) proved: bool,
    /// How the service refused.
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) refund: Option<String>,
    pub(super) request_id: Option<String>,
}

/// What the rules say of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Decided {
    Allow,
    Refuse,
    /// Sent around them.
    NotAsked,
}

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Refunded,
    /// A key that was used before brought the refund of then.
    SameRefund,
    NotSent,
    /// By the service.
    Refused,
}

impl Step {
    pub(super) fn new(
        service: Service,
        payment: &str,
        asked: Option<Money>,
        amount: Money,
        decision: Decided,
        outcome: Outcome,
    ) -> Self {
        Self {
            service: service.name(),
            payment: payment.to_owned(),
            asked: asked.map(|asked| asked.to_string()),
            amount: amount.to_string(),
            currency: amount.currency().to_string(),
            decision,
            rule: None,
            limit: None,
            fee_returned: None,
            outcome,
            states: Vec::new(),
            proved: false,
            status: None,
            code: None,
            refund: None,
            request_id: None,
        }
    }

    fn row(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let rest = if self.asked.is_none() { "rest: " } else { "" };
        let decision = match self.decision {
            Decided::Allow => "allowed".to_owned(),
            Decided::NotAsked => "not asked".to_owned(),
            Decided::Refuse => {
                format!("refused: {}, {}", self.rule.unwrap_or("-"), or_none(&self.limit))
            }
        };
        let mut state = match self.outcome {
            Outcome::Refunded => self.states.join(", "),
            Outcome::SameRefund => "the same refund".to_owned(),
            Outcome::NotSent => "not sent".to_owned(),
            Outcome::Refused => {
                format!("{} {}", self.status.unwrap_or_default(), or_none(&self.code))
            }
        };
        if self.proved {
            state.push_str(" (proved)");
        }
        vec![
            self.service.to_owned(),
            self.payment.clone(),
            format!("{rest}{} {}", self.amount, self.currency),
            decision,
            or_none(&self.fee_returned),
            state,
            or_none(&self.request_id),
        ]
    }
}

/// The half of a demonstration that one service took part in: what the client learned.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) service: Service,
    pub(super) steps: Vec<Step>,
    begun: Money,
    refunded: Money,
    fees_returned: Money,
}

impl Lane {
    pub(super) fn new(service: Service) -> Self {
        let zero = Money::zero(Currency::USD);
        Self { service, steps: Vec::new(), begun: zero, refunded: zero, fees_returned: zero }
    }

    /// Counts a refund that the service has taken.
    pub(super) fn begin(&mut self, amount: Money) -> Result<(), Failure> {
        self.begun = counted(self.begun.checked_add(amount))?;
        Ok(())
    }

    /// Counts what the service says has been refunded.
    pub(super) fn end(&mut self, refunded: Money, fee_returned: Money) -> Result<(), Failure> {
        self.refunded = counted(self.refunded.checked_add(refunded))?;
        self.fees_returned = counted(self.fees_returned.checked_add(fee_returned))?;
        Ok(())
    }

    fn under_way(&self) -> Result<Money, Failure> {
        counted(self.begun.checked_sub(self.refunded))
    }
}

fn counted(sum: Result<Money, MoneyError>) -> Result<Money, Failure> {
    sum.or_fail("the totals of the client cannot be counted")
}

/// One total, as either side has it.
#[derive(Clone, Debug, Serialize)]
struct Compared {
    service: &'static str,
    total: &'static str,
    currency: String,
    client: String,
    books: String,
    agree: bool,
}

/// The whole result.
#[derive(Debug, Serialize)]
pub(super) struct Demonstration {
    steps: Vec<Step>,
    batch: Batch,
    totals: Vec<Compared>,
    agree: bool,
}

impl Demonstration {
    pub(super) fn new(lanes: Vec<Lane>, batch: Batch, books: &[Totals]) -> Result<Self, Failure> {
        let mut totals = Vec::new();
        for lane in &lanes {
            let book = books.iter().find(|book| book.service == lane.service);
            let zero = Money::zero(Currency::USD);
            let mut compare = |total, client: Money, book: Option<Money>| {
                let book = book.unwrap_or(zero);
                totals.push(Compared {
                    service: lane.service.name(),
                    total,
                    currency: client.currency().to_string(),
                    client: client.to_string(),
                    books: book.to_string(),
                    agree: client == book,
                });
            };
            compare("refunded", lane.refunded, book.map(|book| book.refunded));
            compare("fees-returned", lane.fees_returned, book.map(|book| book.fees_returned));
            compare("under-way", lane.under_way()?, book.map(|book| book.refunding));
        }
        let agree = totals.iter().all(|total| total.agree);
        let steps = lanes.into_iter().flat_map(|lane| lane.steps).collect();
        Ok(Self { steps, batch, totals, agree })
    }

    /// A failure when the two sides differ, if only by a cent.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.agree {
            return Ok(());
        }
        Err(Failure::new(Exit::Damaged, "the client and the books of the sandbox differ"))
    }
}

impl Report for Demonstration {
    fn rows(&self) -> impl Serialize {
        &self.steps
    }

    fn text(&self) -> String {
        let header =
            ["service", "payment", "asked", "decision", "fee returned", "state", "request id"];
        let steps = table(&header, self.steps.iter().map(Step::row));
        let totals = self.totals.iter().map(|total| {
            let verdict = if total.agree { "agree" } else { "DIFFER" };
            vec![
                total.service.to_owned(),
                total.total.to_owned(),
                format!("{} {}", total.client, total.currency),
                format!("{} {}", total.books, total.currency),
                verdict.to_owned(),
            ]
        });
        let totals = table(&["service", "total", "client", "books", ""], totals);
        let header = ["refunds of the batch", "total", "requests", "runs"];
        let batch = table(&header, [self.batch.row()]);
        format!("{steps}\n\n{batch}\n\n{totals}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(minor: i64) -> Money {
        Money::from_minor(minor, Currency::USD)
    }

    #[test]
    fn a_cent_of_difference_is_a_failure() {
        // Books without an entry stand for nothing refunded. Columns: begun, refunded, fee returned.
        for (begun, refunded, fee, agree) in
            [(0, 0, 0, true), (1, 0, 0, false), (1, 1, 0, false), (0, 0, 1, false)]
        {
            let mut lane = Lane::new(Service::AmazonPay);
            lane.begin(usd(begun)).unwrap();
            lane.end(usd(refunded), usd(fee)).unwrap();
            let demonstration = Demonstration::new(vec![lane], Batch::default(), &[]).unwrap();
            assert_eq!(demonstration.text().contains("DIFFER"), !agree);
            match demonstration.verdict() {
                Ok(()) => assert!(agree),
                Err(failure) => {
                    assert!(!agree);
                    assert_eq!(failure.exit(), Exit::Damaged);
                }
            }
        }
    }
}

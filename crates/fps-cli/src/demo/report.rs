//! What happened in a demonstration, and whether both sides tell the same.

use fps::{Currency, Money, Plan, Wish};
use fps_sandbox::{Service, Totals};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::output::{Report, table};

/// One thing that was asked and what came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Step {
    pub(super) service: &'static str,
    pub(super) payment: String,
    /// `50.00 USD`, or `rest: 50.00 USD`.
    pub(super) asked: String,
    pub(super) decision: String,
    pub(super) fee_returned: Option<String>,
    pub(super) state: String,
    pub(super) refund: Option<String>,
    pub(super) request_id: Option<String>,
}

/// A wish as a table shows it: the amount, and whether it was named.
pub(super) fn asked(wish: &Wish, plan: &Plan) -> String {
    match wish.asked() {
        Some(amount) => format!("{amount:?}"),
        None => format!("rest: {:?}", plan.amount()),
    }
}

/// The half of a demonstration that one service took part in: what the client learned.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) service: Service,
    pub(super) steps: Vec<Step>,
    pub(super) refunded: Money,
    pub(super) fees_returned: Money,
}

impl Lane {
    pub(super) fn new(service: Service) -> Self {
        let zero = Money::zero(Currency::USD);
        Self { service, steps: Vec::new(), refunded: zero, fees_returned: zero }
    }

    /// Counts a refund that the service has said is done.
    pub(super) fn count(&mut self, refunded: Money, fee_returned: Money) -> Result<(), Failure> {
        let overflow = |error| Failure::new(Exit::Internal, "the totals overflow").because(error);
        self.refunded = self.refunded.checked_add(refunded).map_err(overflow)?;
        self.fees_returned = self.fees_returned.checked_add(fee_returned).map_err(overflow)?;
        Ok(())
    }
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
    totals: Vec<Compared>,
    agree: bool,
}

impl Demonstration {
    pub(super) fn new(lanes: Vec<Lane>, books: &[Totals]) -> Self {
        let mut totals = Vec::new();
        for lane in &lanes {
            let book = books.iter().find(|book| book.service == lane.service);
            let zero = Money::zero(Currency::USD);
            let mut compare = |total, client: Money, book: Money| {
                totals.push(Compared {
                    service: lane.service.name(),
                    total,
                    currency: client.currency().to_string(),
                    client: client.to_string(),
                    books: book.to_string(),
                    agree: client == book,
                });
            };
            compare("refunded", lane.refunded, book.map_or(zero, |book| book.refunded));
            let fees = book.map_or(zero, |book| book.fees_returned);
            compare("fees returned", lane.fees_returned, fees);
            compare("still under way", zero, book.map_or(zero, |book| book.refunding));
        }
        let agree = totals.iter().all(|total| total.agree);
        Self { steps: lanes.into_iter().flat_map(|lane| lane.steps).collect(), totals, agree }
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
    fn text(&self) -> String {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let steps = self.steps.iter().map(|step| {
            vec![
                step.service.to_owned(),
                step.payment.clone(),
                step.asked.clone(),
                step.decision.clone(),
                or_none(&step.fee_returned),
                step.state.clone(),
                or_none(&step.request_id),
            ]
        });
        let header =
            ["service", "payment", "asked", "decision", "fee returned", "state", "request id"];
        let steps = table(&header, steps);
        let totals = self.totals.iter().map(|total| {
            let verdict = if total.agree { "agree" } else { "DIFFER" };
            vec![
                total.service.to_owned(),
                format!("{} ({})", total.total, total.currency),
                total.client.clone(),
                total.books.clone(),
                verdict.to_owned(),
            ]
        });
        let totals = table(&["service", "total", "client", "books", ""], totals);
        format!("{steps}\n\n{totals}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(refunded: i64, fees: i64) -> Lane {
        let mut lane = Lane::new(Service::AmazonPay);
        let usd = |minor| Money::from_minor(minor, Currency::USD);
        lane.count(usd(refunded), usd(fees)).unwrap();
        lane
    }

    #[test]
    fn a_cent_of_difference_is_a_failure() {
        // Books without an entry stand for nothing refunded.
        assert!(Demonstration::new(vec![lane(0, 0)], &[]).verdict().is_ok());
        for (refunded, fees) in [(1, 0), (0, 1)] {
            let demonstration = Demonstration::new(vec![lane(refunded, fees)], &[]);
            let failure = demonstration.verdict().unwrap_err();
            assert_eq!(
                failure.to_string(),
                "error: the client and the books of the sandbox differ"
            );
            assert!(demonstration.text().contains("DIFFER"));
        }
    }
}

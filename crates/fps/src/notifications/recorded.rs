//! From a proved notification to the ledger of refunds; nothing is proved here, and nobody is asked.

use fps_model::flexible_payments::TransactionId;
use refund_ledger::{
    Error, ErrorKind, Filter, IntentId, IntentRecord, Ledger, Millis, Outcome, Report,
};
use refund_rules::{Money, Observation, RefundState};

use super::{Event, Received};
use crate::{AmazonPayGateway, FlexiblePaymentsGateway};

/// What a ledger learned of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Noted {
    /// Nothing: it tells of no refund that the ledger has.
    Nothing,
    /// How a refund is. It comes to the state that it has now, which the notification may be behind.
    State(IntentId, RefundState),
    /// That a refund has changed, and not how: it is due, so that the next to run asks at once.
    Due(IntentId),
    /// Something that contradicts what is on record. Unless the refund has ended, it waits for a human.
    Alarm(IntentId, String),
}

/// A refund as FPS tells of it.
struct Told<'a> {
    refund: &'a TransactionId,
    key: Option<&'a str>,
    amount: Money,
    state: Observation,
}

impl Received {
    /// Records what is said of a refund: of FPS its state, by the name of the refund or, where the answer
    /// to the request was lost, by its key; of Amazon Pay that somebody should ask. What comes late, twice
    /// or in another order does no harm. Notifications of Simple Pay name no refund, and change nothing.
    ///
    /// Acknowledge the notification once this has succeeded.
    ///
    /// # Errors
    /// The ledger's: the notification should come again.
    pub async fn record_in(&self, ledger: &Ledger, now: Millis) -> Result<Noted, Error> {
        if let Some(refund) = self.event().changed_refund() {
            let filter = Filter::new().provider(AmazonPayGateway::PROVIDER).refund(refund.as_str());
            let Some(intent) = first(ledger, filter).await? else { return Ok(Noted::Nothing) };
            ledger.look_again(intent.id, now).await?;
            return Ok(Noted::Due(intent.id));
        }
        let Some(told) = told(self.event()) else { return Ok(Noted::Nothing) };
        let Some(intent) = find(ledger, &told).await? else { return Ok(Noted::Nothing) };
        let alarm = if told.amount == intent.facts.amount {
            let refund = Some(told.refund.as_str().to_owned());
            let outcome = Outcome::Observed { state: told.state, refund, reason: None };
            let recorded = ledger.record_one(Report::of_refund(intent.id, outcome, now)).await?;
            match recorded.alarm {
                None => return Ok(Noted::State(intent.id, recorded.state)),
                Some(alarm) => alarm,
            }
        } else {
            let (refund, amount) = (told.refund.as_str(), told.amount);
            format!("a notification says that refund {refund} is of {amount} {}", amount.currency())
        };
        match ledger.park(intent.id, &*alarm, now).await {
            // What ended stays; whoever called hears of it.
            Err(error) if !matches!(error.kind(), ErrorKind::Ended(_)) => Err(error),
            _ => Ok(Noted::Alarm(intent.id, alarm)),
        }
    }
}

fn told(event: &Event) -> Option<Told<'_>> {
    let state = event.observation()?;
    let (refund, key, amount) = match event {
        Event::Transaction(it) => (&it.transaction_id, &it.caller_reference, it.transaction_amount),
        Event::EarlyTransaction(it) => {
            (&it.transaction_id, &it.caller_reference, it.transaction_amount)
        }
        _ => return None,
    };
    Some(Told { refund, key: key.as_deref(), amount, state })
}

async fn find(ledger: &Ledger, told: &Told<'_>) -> Result<Option<IntentRecord>, Error> {
    let of_fps = || Filter::new().provider(FlexiblePaymentsGateway::PROVIDER);
    if let Some(intent) = first(ledger, of_fps().refund(told.refund.as_str())).await? {
        return Ok(Some(intent));
    }
    match told.key {
        Some(key) => first(ledger, of_fps().key(key)).await,
        None => Ok(None),
    }
}

async fn first(ledger: &Ledger, filter: Filter) -> Result<Option<IntentRecord>, Error> {
    Ok(ledger.intents(filter.most(1)).await?.pop())
}

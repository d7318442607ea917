//! The mistake that the storm is there to find: a new key for every try.

use std::sync::Arc;

use fps::Payment;
use fps::refund_ledger::{IntentRecord, Millis};
use fps::refund_runner::{
    BoxFuture, Call, Found, Gateway, Limit, Listed, Looked, Status, Submitted,
};

pub(crate) struct KeyPerTry(pub(crate) Arc<dyn Gateway>);

impl Gateway for KeyPerTry {
    fn provider(&self) -> &str {
        self.0.provider()
    }

    fn target(&self) -> &str {
        self.0.target()
    }

    fn key_window(&self) -> Option<i64> {
        self.0.key_window()
    }

    fn limit(&self, call: Call) -> Option<Limit> {
        self.0.limit(call)
    }

    fn submit<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Submitted> {
        let mut intent = intent.clone();
        let tries = format!("{:04x}", intent.life.attempts);
        intent.facts.key.truncate(28);
        intent.facts.key.push_str(&tries);
        let gateway = Arc::clone(&self.0);
        Box::pin(async move { gateway.submit(&intent).await })
    }

    fn status<'a>(&'a self, refund: &'a str) -> BoxFuture<'a, Looked<Status>> {
        self.0.status(refund)
    }

    fn search<'a>(&'a self, intent: &'a IntentRecord) -> BoxFuture<'a, Looked<Found>> {
        self.0.search(intent)
    }

    fn payment<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Looked<Option<Payment>>> {
        self.0.payment(id)
    }

    fn activity<'a>(
        &'a self,
        since: Millis,
        until: Millis,
    ) -> BoxFuture<'a, Looked<Option<Vec<Listed>>>> {
        self.0.activity(since, until)
    }
}

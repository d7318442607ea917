//! Idempotency keys: one for one wish, the same on every try, and not longer than it is remembered.

use super::memory::Memory;
use super::{Code, Evidence, Found, asker, ended, is_unknown, operation, reads};
use crate::books::Service;
use crate::clock::Millis;
use crate::exchange::Exchange;

/// For how long FPS remembers a caller reference. Source: the FPS 2010-08-28 API reference, Refund,
/// CallerReference.
const WINDOW: Millis = 7 * 24 * 60 * 60 * 1_000;

#[derive(Default)]
pub(super) struct Keys {
    /// By asker, where the key counts, and the key.
    uses: Memory<(String, String, String), Use>,
    /// By asker, operation, payment and amount: tries that may have been executed.
    open: Memory<(String, String, String, String), Open>,
}

/// What a key was used for first.
struct Use {
    fingerprint: String,
    at: Millis,
    first: Evidence,
}

/// A try that nobody was told the end of.
struct Open {
    key: Option<String>,
    evidence: Evidence,
    /// When the client could know that it was lost: who asks before that does not try again.
    ended: u64,
    /// What it made, all the same.
    created: Option<String>,
}

impl Keys {
    pub(super) fn see(&mut self, exchange: &Exchange, found: &mut Found) {
        if reads(exchange) {
            return self.looked_up(exchange);
        }
        if let Some(key) = &exchange.idempotency_key {
            self.see_use(exchange, key, found);
        }
        self.see_try(exchange, found);
    }

    fn see_use(&mut self, exchange: &Exchange, key: &str, found: &mut Found) {
        // Amazon Pay remembers keys by operation; FPS has one store for all.
        let scope = match exchange.service {
            Service::AmazonPay => operation(exchange),
            Service::FlexiblePayments => "",
        };
        let place = (asker(exchange), scope.to_owned(), key.to_owned());
        let now = exchange.asked.at_millis;
        let fps = exchange.service == Service::FlexiblePayments;
        let subject = format!("{} {scope} {key}", place.0);
        if let Some(known) = self.uses.get(&place) {
            let shown = vec![known.first.clone(), Evidence::of(exchange)];
            if fps && now.saturating_sub(known.at) >= WINDOW {
                let sentence = format!(
                    "The key {key} was sent again {} days after its first use, when FPS has forgotten it: \
                     the money moves a second time.",
                    now.saturating_sub(known.at) / (WINDOW / 7)
                );
                found.add(Code::KeyPastWindow, subject, sentence, shown);
            } else {
                if known.fingerprint != exchange.fingerprint {
                    let sentence = format!(
                        "The key {key} came with another request than before: the service refuses it, \
                         and the second wish is not carried out."
                    );
                    found.add(Code::SameKeyOtherBody, subject, sentence, shown);
                }
                return;
            }
        }
        let first = Evidence::of(exchange);
        self.uses.keep(place, Use { fingerprint: exchange.fingerprint.clone(), at: now, first });
    }

    fn see_try(&mut self, exchange: &Exchange, found: &mut Found) {
        let Some(payment) = &exchange.payment else { return };
        let amount = exchange.amount.clone().unwrap_or_default();
        let place = (asker(exchange), operation(exchange).to_owned(), payment.clone(), amount);
        if let Some(open) = self.open.get(&place)
            && open.key != exchange.idempotency_key
            && open.ended <= exchange.asked.since_open_micros
        {
            let sentence = format!(
                "{} for {payment} was tried again under a new key although the answer to the first try \
                 was lost: if that was executed, the buyer is refunded twice.",
                operation(exchange)
            );
            let shown = vec![open.evidence.clone(), Evidence::of(exchange)];
            let subject = format!("{place:?}");
            found.add(Code::NewKeyAfterLostAnswer, subject, sentence, shown);
        }
        let open = Open {
            key: exchange.idempotency_key.clone(),
            evidence: Evidence::of(exchange),
            ended: ended(exchange),
            created: exchange.created.clone(),
        };
        if is_unknown(exchange) {
            self.open.keep(place, open);
        } else if self.open.get(&place).is_some_and(|known| known.key == open.key) {
            self.open.forget(&place);
        }
    }

    /// Whoever looks a payment up knows what became of what was open about it.
    fn looked_up(&mut self, exchange: &Exchange) {
        if is_unknown(exchange) {
            return;
        }
        let read = [&exchange.object, &exchange.payment];
        let read = |id: &str| read.iter().any(|object| object.as_deref() == Some(id));
        self.open.forget_all(|open| {
            let about = open.evidence.payment.as_deref().is_some_and(read);
            about || open.created.as_deref().is_some_and(read)
        });
    }
}

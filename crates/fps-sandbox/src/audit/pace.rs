//! Pace: waits after failures, obedience to throttling, and patience while something is under way.

use super::memory::Memory;
use super::{Code, Evidence, Found, asker, ended, is_throttled, is_unknown, operation, reads};
use crate::exchange::Exchange;

/// The least wait before a repeat, in microseconds.
const BACKOFF: u64 = 500_000;
/// How soon after being told to slow down the next request is one that did not listen.
const AT_ONCE: u64 = 250_000;
/// The least time between two readings of one object.
const POLL: u64 = 1_000_000;
/// So many hasty readings in a row are no accident.
const POLLS: u32 = 5;

#[derive(Default)]
pub(super) struct Pace {
    /// By asker and fingerprint: requests that failed.
    failed: Memory<(String, String), Failed>,
    /// By asker and operation: when it was told to slow down.
    throttled: Memory<(String, String), Throttled>,
    /// By asker, operation and object.
    polls: Memory<(String, String, String), Polls>,
}

struct Failed {
    ended: u64,
    /// The wait before this try, if it was a repeat.
    waited: Option<u64>,
    evidence: Evidence,
}

struct Throttled {
    ended: u64,
    evidence: Evidence,
}

struct Polls {
    last: u64,
    in_a_row: u32,
}

impl Pace {
    pub(super) fn see(&mut self, exchange: &Exchange, found: &mut Found) {
        let listened = self.see_throttle(exchange, found);
        self.see_repeat(exchange, listened, found);
        if reads(exchange) {
            self.see_poll(exchange, found);
        }
    }

    /// Says whether the client was slower after it had been told so.
    fn see_throttle(&mut self, exchange: &Exchange, found: &mut Found) -> bool {
        let place = (asker(exchange), operation(exchange).to_owned());
        let asked = exchange.asked.since_open_micros;
        let mut listened = true;
        if let Some(told) = self.throttled.get(&place)
            // What was under way already could not know.
            && asked >= told.ended
            && asked - told.ended < AT_ONCE
        {
            listened = false;
            let sentence = format!(
                "{} went on {} ms after the service had said that it was too much: it refuses more and \
                 more, and other callers of the account with it.",
                place.1,
                (asked - told.ended) / 1_000
            );
            let shown = vec![told.evidence.clone(), Evidence::of(exchange)];
            found.add(Code::IgnoredThrottle, format!("{place:?}"), sentence, shown);
        }
        if is_throttled(exchange) {
            let evidence = Evidence::of(exchange);
            self.throttled.keep(place, Throttled { ended: ended(exchange), evidence });
        }
        listened
    }

    fn see_repeat(&mut self, exchange: &Exchange, listened: bool, found: &mut Found) {
        let place = (asker(exchange), exchange.fingerprint.clone());
        let asked = exchange.asked.since_open_micros;
        let before = self.failed.get(&place).filter(|before| asked >= before.ended);
        let waited = before.map(|before| asked - before.ended);
        if let (Some(before), Some(waited)) = (before, waited) {
            let shown = || vec![before.evidence.clone(), Evidence::of(exchange)];
            let subject = format!("{place:?}");
            // After a lost answer the client may have waited for it, unseen.
            if waited < BACKOFF && before.evidence.status.is_some() && listened {
                let sentence = format!(
                    "{} was repeated {} ms after it had failed: a service in trouble gets no rest, and \
                     all clients at once keep it down.",
                    operation(exchange),
                    waited / 1_000
                );
                found.add(Code::RetryWithoutBackoff, subject, sentence, shown());
            } else if before.waited.is_some_and(|first| waited <= first.saturating_add(first / 10))
            {
                let sentence = format!(
                    "The third try of {} came no later than the second: an outage of minutes is met with \
                     as many requests as one of seconds.",
                    operation(exchange)
                );
                found.add(Code::WaitsDoNotGrow, subject, sentence, shown());
            }
        }
        if is_unknown(exchange) || is_throttled(exchange) {
            let (ended, evidence) = (ended(exchange), Evidence::of(exchange));
            self.failed.keep(place, Failed { ended, waited, evidence });
        } else {
            self.failed.forget(&place);
        }
    }

    fn see_poll(&mut self, exchange: &Exchange, found: &mut Found) {
        let Some(object) = exchange.object.clone() else { return };
        let place = (asker(exchange), operation(exchange).to_owned(), object);
        let asked = exchange.asked.since_open_micros;
        let hasty =
            self.polls.get(&place).is_some_and(|polls| asked.saturating_sub(polls.last) < POLL);
        let before = self.polls.get(&place).map_or(0, |polls| polls.in_a_row);
        let in_a_row = if hasty { before.saturating_add(1) } else { 0 };
        if in_a_row >= POLLS {
            let sentence = format!(
                "{} asked for {} more than once a second: refunds take minutes to days, and the limits \
                 of the account are used up by waiting.",
                place.1, place.2
            );
            let shown = vec![Evidence::of(exchange)];
            found.add(Code::PollingTooFast, format!("{place:?}"), sentence, shown);
        }
        self.polls.keep(place, Polls { last: asked, in_a_row });
    }
}

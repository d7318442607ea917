//! Faults on demand: which requests they meet, told as data. How a fault is brought about is known to
//! the door. For one seed and one order of requests, the same requests are met each time.

mod rule;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use serde::Serialize;

pub use self::rule::{Fault, FaultPlan, FaultRule};
use crate::app::App;
use crate::error::Error;
use crate::exchange::Exchange;

/// A rule, and what it has met so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FaultState {
    /// Its name among the rules of this sandbox.
    pub id: u64,
    /// What it says.
    pub rule: FaultRule,
    /// How many requests were such that it could meet them.
    pub matched: u64,
    /// How many it met.
    pub applied: u64,
}

/// The rules of a sandbox. They are kept in memory alone.
pub(crate) struct Faults {
    rules: Mutex<Rules>,
}

struct Rules {
    seed: u64,
    next_id: u64,
    active: Vec<Active>,
}

struct Active {
    state: FaultState,
    chance: ChaCha20Rng,
}

/// What a request meets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
}

impl Met {
    /// What the log calls it.
    pub(crate) fn name(&self) -> Option<&'static str> {
        let delayed = (!self.delay.is_zero()).then_some("delay");
        self.fault.as_ref().map(Fault::name).or(delayed)
    }
}

impl Faults {
    pub(crate) const fn new() -> Self {
        Self { rules: Mutex::new(Rules { seed: 0, next_id: 1, active: Vec::new() }) }
    }

    /// What a request meets: every delay that is for it, and the first other fault.
    pub(crate) fn meet(&self, exchange: &Exchange) -> Met {
        let mut met = Met::default();
        for active in &mut self.lock().active {
            if met.fault.is_some() {
                break;
            }
            if !active.meets(exchange) {
                continue;
            }
            match &active.state.rule.fault {
                Fault::Delay { millis } => met.delay += Duration::from_millis((*millis).into()),
                fault => met.fault = Some(fault.clone()),
            }
        }
        met
    }

    /// Replaces all rules.
    pub(crate) fn set(&self, plan: FaultPlan) -> Result<(), Error> {
        plan.rules.iter().try_for_each(FaultRule::check)?;
        let mut rules = self.lock();
        rules.seed = plan.seed;
        rules.active.clear();
        plan.rules.into_iter().for_each(|rule| {
            rules.add(rule);
        });
        Ok(())
    }

    /// Adds a rule behind the others.
    pub(crate) fn add(&self, rule: FaultRule) -> Result<FaultState, Error> {
        rule.check()?;
        Ok(self.lock().add(rule))
    }

    /// Takes a rule away; was there one of this name?
    pub(crate) fn remove(&self, id: u64) -> bool {
        let active = &mut self.lock().active;
        let before = active.len();
        active.retain(|active| active.state.id != id);
        active.len() < before
    }

    /// The rules in their order, and what they have met.
    pub(crate) fn states(&self) -> Vec<FaultState> {
        self.lock().active.iter().map(|active| active.state.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    /// Each rule has a chance of its own, so that one more rule changes nothing for the others.
    fn add(&mut self, rule: FaultRule) -> FaultState {
        let id = self.next_id;
        self.next_id += 1;
        let mut chance = ChaCha20Rng::seed_from_u64(self.seed);
        chance.set_stream(u64::try_from(self.active.len()).unwrap_or(u64::MAX));
        let state = FaultState { id, rule, matched: 0, applied: 0 };
        self.active.push(Active { state: state.clone(), chance });
        state
    }
}

impl Active {
    fn meets(&mut self, exchange: &Exchange) -> bool {
        let Self { state, chance } = self;
        if !state.rule.fits(exchange) {
            return false;
        }
        state.matched += 1;
        // Drawn whether it is needed or not: what else a rule says must not change what comes next.
        // The slight preference for small numbers does no harm.
        let drawn = chance.next_u32() % 1_000;
        let rule = &state.rule;
        let met = rule.nth.is_none_or(|nth| nth == state.matched)
            && rule.times.is_none_or(|times| state.applied < times)
            && rule.per_mille.is_none_or(|part| drawn < part.into());
        state.applied += u64::from(met);
        met
    }
}

/// Faults on demand.
impl App {
    /// Replaces all rules, and their seed.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a rule that no
    /// request can meet; the rules stay as they are.
    pub fn set_faults(&self, plan: FaultPlan) -> Result<(), Error> {
        self.shared.faults.set(plan)
    }

    /// Adds a rule behind the others, and says its name.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a rule that no
    /// request can meet.
    pub fn add_fault(&self, rule: FaultRule) -> Result<u64, Error> {
        Ok(self.shared.faults.add(rule)?.id)
    }

    /// Takes a rule away; was there one of this name?
    pub fn remove_fault(&self, id: u64) -> bool {
        self.shared.faults.remove(id)
    }

    /// The rules in their order, and what they have met.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultState> {
        self.shared.faults.states()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::exchange::{Log, Moment, read};

    fn seen(uri: &str) -> Exchange {
        let (parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        read(&parts, b"", Moment { at_millis: 0, since_open_micros: 0 }, &Log::new()).unwrap()
    }

    fn met(faults: &Faults, uri: &str) -> Option<&'static str> {
        faults.meet(&seen(uri)).name()
    }

    fn faults(seed: u64, rules: Vec<FaultRule>) -> Faults {
        let faults = Faults::new();
        faults.set(FaultPlan { seed, rules }).unwrap();
        faults
    }

    #[test]
    fn a_rule_meets_what_it_names_and_nothing_else() {
        let uri = "/?Action=Refund&CallerReference=k&TransactionId=T";
        let rule = || FaultRule::new(Fault::DropBefore);
        for (rule, expected) in [
            (rule(), true),
            (rule().service(crate::Service::FlexiblePayments).operation("Refund"), true),
            (rule().key("k").payment("T"), true),
            (rule().service(crate::Service::AmazonPay), false),
            (rule().operation("Pay"), false),
            (rule().key("k2"), false),
            (rule().payment("T2"), false),
            (rule().object("T"), false),
        ] {
            let faults = faults(0, vec![rule.clone()]);
            assert_eq!(met(&faults, uri).is_some(), expected, "{rule:?}");
        }
        let faults = faults(0, vec![rule().object("T")]);
        assert!(met(&faults, "/?Action=GetTransactionStatus&TransactionId=T").is_some());
        assert!(met(&faults, "/v2/refunds/T").is_some());
        assert_eq!(met(&faults, "/v2/refunds/T2"), None);
    }

    #[test]
    fn the_nth_request_and_so_many_of_them() {
        let uri = "/?Action=Pay";
        let nth = faults(0, vec![FaultRule::new(Fault::DropBefore).nth(3)]);
        let seen: Vec<_> = (0..5).map(|_| met(&nth, uri).is_some()).collect();
        assert_eq!(seen, [false, false, true, false, false]);
        let times = faults(0, vec![FaultRule::new(Fault::DropBefore).times(2)]);
        let seen: Vec<_> = (0..4).map(|_| met(&times, uri).is_some()).collect();
        assert_eq!(seen, [true, true, false, false]);
    }

    #[test]
    fn chance_is_the_same_each_time_and_about_what_was_asked_for() {
        let run = |seed| {
            let faults = faults(seed, vec![FaultRule::new(Fault::DropBefore).per_mille(250)]);
            (0..4_000).map(|_| met(&faults, "/?Action=Pay").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).into_iter().filter(|met| *met).count();
        assert!((900..1_100).contains(&hits), "{hits} of 4000");
    }

    #[test]
    fn delays_add_up_and_the_first_other_fault_wins() {
        let faults = faults(
            0,
            vec![
                FaultRule::new(Fault::Delay { millis: 20 }),
                FaultRule::new(Fault::Delay { millis: 30 }),
                FaultRule::new(Fault::CommitThenDrop),
                FaultRule::new(Fault::Duplicate),
            ],
        );
        let met = faults.meet(&seen("/?Action=Pay"));
        assert_eq!(met.delay, Duration::from_millis(50));
        assert_eq!(met.name(), Some("commit-then-drop"));
    }
}

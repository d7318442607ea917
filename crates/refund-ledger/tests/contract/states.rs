//! What an outcome changes: the states of `refund-rules`, and what was said of which try.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use refund_ledger::{
    Attempt, Claim, ErrorKind, Filter, IntentId, Ledger, NewPayment, Outcome, Prepared, Report,
    Wanted,
};
use refund_rules::{Observation, Policy, RefundState};

use super::{NOW, accepted, claim_all, claim_one, completed, money, payment, prepare_one, wish};

/// What can happen to an intent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Send,
    NotSent,
    Lost,
    Refused,
    RefusedForNow,
    Accepted(&'static str, Option<Observation>),
    Observed(Observation),
}

const STEPS: [Step; 11] = [
    Step::Send,
    Step::NotSent,
    Step::Lost,
    Step::Refused,
    Step::RefusedForNow,
    Step::Accepted("R1", None),
    Step::Accepted("R1", Some(Observation::Refunded)),
    Step::Accepted("R2", None),
    Step::Observed(Observation::Pending),
    Step::Observed(Observation::Refunded),
    Step::Observed(Observation::Declined),
];

/// The same in a few lines.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    state: RefundState,
    attempts: u32,
    refund: Option<&'static str>,
    has_alarm: bool,
}

impl Model {
    fn observe(&mut self, observation: Observation) {
        match self.state.observe(observation) {
            Ok(state) => self.state = state,
            Err(_) => self.has_alarm = true,
        }
    }

    fn can_be_sent(&self) -> bool {
        use RefundState as S;
        matches!(self.state, S::Prepared | S::Sent | S::Unknown)
    }

    fn happen(&mut self, step: Step) {
        match step {
            Step::Send if self.can_be_sent() => {
                if self.state == RefundState::Sent {
                    self.observe(Observation::AnswerLost);
                }
                self.observe(Observation::Sent);
                self.attempts += 1;
            }
            Step::Send => {}
            Step::NotSent => self.observe(Observation::NotSent),
            Step::Lost => self.observe(Observation::AnswerLost),
            Step::Refused if self.state == RefundState::Sent => self.observe(Observation::Declined),
            Step::RefusedForNow if self.state == RefundState::Sent => {
                self.observe(Observation::NotSent);
            }
            Step::Refused | Step::RefusedForNow => {}
            Step::Accepted(refund, _) if self.refund.is_some_and(|known| known != refund) => {
                self.has_alarm = true;
            }
            Step::Accepted(refund, state) => {
                // What had ended as never made has a name now.
                let is_of_none = self.state == RefundState::Declined && self.refund.is_none();
                if is_of_none && state != Some(Observation::Declined) {
                    self.has_alarm = true;
                }
                self.refund = Some(refund);
                self.observe(Observation::Accepted);
                if let Some(state) = state {
                    self.observe(state);
                }
            }
            Step::Observed(observation) => self.observe(observation),
        }
    }
}

fn outcome(step: Step) -> Outcome {
    let refused = |is_retriable| Outcome::Refused { code: "No".to_owned(), is_retriable };
    match step {
        Step::Send => unreachable!("it is no outcome"),
        Step::NotSent => Outcome::NotSent,
        Step::Lost => Outcome::Unknown,
        Step::Refused => refused(false),
        Step::RefusedForNow => refused(true),
        Step::Accepted(refund, state) => Outcome::accepted(refund, state),
        Step::Observed(state) => Outcome::observed(state),
    }
}

const LENGTH: u32 = 4;
const LEASE: i64 = 1_000_000;

/// One intent and what became of it.
struct Case {
    id: IntentId,
    steps: Vec<Step>,
    model: Model,
    attempt: Option<Attempt>,
}

async fn cases(ledger: &Ledger) -> Vec<Case> {
    let count = STEPS.len().pow(LENGTH);
    let large = completed(money(1_000_000));
    let large = NewPayment::new("pay", "P", large, &Policy::flexible_payments()).unwrap();
    ledger.import(vec![large], NOW).await.unwrap();
    let wishes = (0..count).map(|number| wish("P", &format!("K{number}"), 1));
    let prepared = ledger.prepare(wishes.collect(), NOW).await.unwrap();
    let case = |(number, prepared)| {
        let Prepared::New { id, .. } = prepared else { panic!("{prepared:?}") };
        let step = |place| STEPS[number / STEPS.len().pow(place) % STEPS.len()];
        let mut steps = vec![Step::Send];
        steps.extend((0..LENGTH).map(step));
        let state = RefundState::Prepared;
        let model = Model { state, attempts: 0, refund: None, has_alarm: false };
        Case { id, steps, model, attempt: None }
    };
    prepared.into_iter().enumerate().map(case).collect()
}

/// Sends those whose turn it is.
async fn send(ledger: &Ledger, cases: &mut [Case], claims: &BTreeMap<IntentId, Claim>) {
    let sent = cases.iter().map(async |case| match claims.get(&case.id) {
        None => None,
        Some(claim) => Some(ledger.sending(claim, NOW, 0).await),
    });
    let sent = join_all(sent).await;
    for (case, sent) in cases.iter_mut().zip(sent) {
        match sent {
            Some(Ok(attempt)) => case.attempt = Some(attempt),
            Some(Err(error)) if case.model.state.is_final() => {
                assert_eq!(*error.kind(), ErrorKind::Ended(case.model.state));
            }
            Some(Err(error)) => assert_eq!(*error.kind(), ErrorKind::Taken(case.model.state)),
            None => assert!(case.model.state.is_final(), "{:?} was not claimed", case.steps),
        }
    }
}

/// After a first try, everything that can happen in four steps.
pub async fn every_sequence_of_outcomes_ends_as_the_rules_say(ledger: &Ledger, other: &Ledger) {
    let mut cases = cases(ledger).await;
    let mut claims = BTreeMap::new();
    for turn in 0..=usize::try_from(LENGTH).unwrap() {
        let due = claim_all(other, &Wanted::new("worker", 10_000, LEASE), NOW).await;
        claims.extend(due.into_iter().map(|due| (due.claim.intent, due.claim)));
        let is_send = |case: &Case| case.steps[turn] == Step::Send;
        cases.sort_by_key(is_send);
        let first = cases.partition_point(|case| !is_send(case));
        let (tell, sent) = cases.split_at_mut(first);
        send(ledger, sent, &claims).await;
        sent.iter_mut().for_each(|case| case.model.happen(Step::Send));
        let report = |case: &Case| {
            let outcome = outcome(case.steps[turn]);
            match case.attempt.filter(|_| !matches!(case.steps[turn], Step::Observed(_))) {
                Some(attempt) => Report::of_try(&attempt, outcome, NOW),
                None => Report::of_refund(case.id, outcome, NOW),
            }
        };
        let recorded = ledger.record(tell.iter().map(report).collect()).await.unwrap();
        for (case, recorded) in tell.iter_mut().zip(recorded) {
            let (before, recorded) = (case.model.clone(), recorded.unwrap());
            case.model.has_alarm = false;
            case.model.happen(case.steps[turn]);
            let found = (recorded.before, recorded.state, recorded.alarm.is_some());
            let expected = (before.state, case.model.state, case.model.has_alarm);
            assert_eq!(found, expected, "{:?}, step {turn}", case.steps);
            case.model.has_alarm |= before.has_alarm;
        }
    }
    let mut stored = BTreeMap::new();
    while stored.len() < cases.len() {
        let after = stored.last_key_value().map_or(IntentId(0), |(id, _)| *id);
        let page = other.intents(Filter::new().after(after)).await.unwrap();
        stored.extend(page.into_iter().map(|intent| (intent.id, intent)));
    }
    for case in &cases {
        let life = &stored[&case.id].life;
        let is = (life.state, life.attempts, life.refund.as_deref(), life.alarm.is_some());
        let model = &case.model;
        let expected = (model.state, model.attempts, model.refund, model.has_alarm);
        assert_eq!(is, expected, "{:?}", case.steps);
    }
    sums(ledger, &cases).await;
}

/// What is held is what the states say.
async fn sums(ledger: &Ledger, cases: &[Case]) {
    use RefundState as S;
    let count =
        |states: &[S]| cases.iter().filter(|case| states.contains(&case.model.state)).count();
    let count = |states: &[S]| i64::try_from(count(states)).unwrap();
    let record = ledger.payment("pay", "P").await.unwrap().unwrap();
    let sums = [record.refunded, record.pending, record.unknown].map(refund_rules::Money::minor);
    let pending = count(&[S::Prepared, S::Accepted, S::Pending]);
    assert_eq!(sums, [count(&[S::Refunded]), pending, count(&[S::Sent, S::Unknown])]);
    assert_eq!(i64::from(record.refunds), sums.iter().sum::<i64>());
}

/// An intent that was sent once.
async fn sent(ledger: &Ledger) -> (IntentId, Attempt) {
    ledger.import(vec![payment("P1")], NOW).await.unwrap();
    let Prepared::New { id, .. } = prepare_one(ledger, wish("P1", "K1", 9_000)).await else {
        panic!()
    };
    let claim = claim_one(ledger, "w", 1_000, NOW).await.unwrap();
    (id, ledger.sending(&claim, NOW, 0).await.unwrap())
}

pub async fn two_names_of_a_refund_and_two_ends_raise_an_alarm(ledger: &Ledger, other: &Ledger) {
    let (id, attempt) = sent(ledger).await;
    let tell = async |outcome| other.record_one(Report::of_refund(id, outcome, NOW)).await.unwrap();
    ledger.record_one(Report::of_try(&attempt, accepted("R1"), NOW)).await.unwrap();
    let events = ledger.verify().await.unwrap().events;
    assert_eq!(tell(accepted("R1")).await.alarm, None);
    assert_eq!(ledger.verify().await.unwrap().events, events, "the same again is no event");
    let recorded = tell(Outcome::accepted("R2", Some(Observation::Refunded))).await;
    assert_eq!(recorded.state, RefundState::Accepted);
    assert!(recorded.alarm.unwrap().contains("R2"));
    assert_eq!(tell(Outcome::observed(Observation::Refunded)).await.state, RefundState::Refunded);
    let recorded = tell(Outcome::declined("Fraud")).await;
    assert_eq!((recorded.state, recorded.alarm.is_some()), (RefundState::Refunded, true));
    // A late one is no news.
    let recorded = tell(Outcome::observed(Observation::Pending)).await;
    assert_eq!((recorded.state, recorded.alarm), (RefundState::Refunded, None));
    let [intent] = &*ledger.intents(Filter::new().alarming()).await.unwrap() else { panic!() };
    assert_eq!((intent.id, intent.life.reason.as_ref()), (id, None));
    let nobody = Report::of_refund(IntentId(99), Outcome::Unknown, NOW);
    let mixed = vec![nobody, Report::of_refund(id, Outcome::observed(Observation::Refunded), NOW)];
    let recorded = ledger.record(mixed).await.unwrap();
    assert_eq!(*recorded[0].as_ref().unwrap_err().kind(), ErrorKind::NoSuchIntent);
    assert!(recorded[1].is_ok());
}

pub async fn what_is_declined_is_free_again(ledger: &Ledger, other: &Ledger) {
    let (id, attempt) = sent(ledger).await;
    let full = prepare_one(ledger, wish("P1", "K2", 2_000)).await;
    assert!(matches!(full, Prepared::Refused(_)), "{full:?}");
    ledger.record_one(Report::of_try(&attempt, Outcome::Unknown, NOW)).await.unwrap();
    // The second try is refused: of the first, whose answer was lost, that says nothing.
    let claim = claim_one(ledger, "w", 1_000, NOW).await.unwrap();
    let second = ledger.sending(&claim, NOW, 0).await.unwrap();
    let refused = Outcome::Refused { code: "Bad".to_owned(), is_retriable: false };
    let recorded = ledger.record_one(Report::of_try(&second, refused.clone(), NOW)).await.unwrap();
    assert_eq!(recorded.state, RefundState::Unknown);
    let full = prepare_one(ledger, wish("P1", "K2", 2_000)).await;
    assert!(matches!(full, Prepared::Refused(_)), "what is unknown counts: {full:?}");
    // The provider itself says that it was declined.
    ledger.record_one(Report::of_refund(id, Outcome::declined("Bad"), NOW)).await.unwrap();
    assert!(matches!(prepare_one(other, wish("P1", "K2", 10_000)).await, Prepared::New { .. }));
    let replay = prepare_one(other, wish("P1", "K1", 9_000)).await;
    let state = RefundState::Declined;
    assert_eq!(replay, Prepared::Exists { id, amount: money(9_000), state });
    // One that never had a doubt is declined by a refusal.
    let claim = claim_one(ledger, "w", 1_000, NOW).await.unwrap();
    let attempt = ledger.sending(&claim, NOW, 0).await.unwrap();
    let recorded = ledger.record_one(Report::of_try(&attempt, refused, NOW)).await.unwrap();
    assert_eq!(recorded.state, RefundState::Declined);
    assert_eq!(claim_one(ledger, "w", 1_000, NOW).await, None);
}

pub async fn what_only_the_sender_knows_is_not_believed_of_a_provider(
    ledger: &Ledger,
    other: &Ledger,
) {
    let (id, _) = sent(ledger).await;
    for observation in [Observation::NotSent, Observation::AnswerLost, Observation::Sent] {
        let report = Report::of_refund(id, Outcome::observed(observation), NOW);
        assert_eq!(other.record_one(report).await.unwrap().state, RefundState::Sent);
    }
    let accepted = Outcome::accepted("R", Some(Observation::NotSent));
    let recorded = other.record_one(Report::of_refund(id, accepted, NOW)).await.unwrap();
    assert_eq!(recorded.state, RefundState::Accepted);
}

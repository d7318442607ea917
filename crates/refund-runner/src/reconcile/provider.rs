//! What the provider says, refund by refund, payment by payment, and in a list.

use std::collections::HashMap;

use futures_util::{StreamExt as _, stream};
use refund_ledger::{BatchRecord, Filter, IntentId, IntentRecord};
use refund_rules::{Money, RefundState};

use crate::ask::{AT_ONCE, patiently};
use crate::clock::Clock;
use crate::gateway::{Found, Gateway, Listed, Looked, Status};
use crate::reconcile::compare::{There, Verdict, money, refund};
use crate::reconcile::{Account, Compared, Difference, DifferenceKind, PAGE, ReconcileError};

pub(super) async fn all(
    account: &mut Account<'_, '_, '_>,
    gateway: &dyn Gateway,
    clock: &dyn Clock,
    batch: &BatchRecord,
) -> Result<(), ReconcileError> {
    let mut pages = account.ledger().pages(Filter::new().batch(&*batch.name).most(PAGE));
    while let Some(page) = pages.next().await? {
        refunds(account, gateway, clock, &page).await?;
        payments(account, gateway, clock, &page).await?;
        account.progress();
    }
    list(account, gateway, clock, batch).await
}

/// What is said of one refund.
enum Said {
    /// Nothing can be: it was never sent, or declined before it had a name.
    Unsent,
    Compared(Verdict),
    Unanswered(String),
    Unauthorized(String),
}

async fn refunds(
    account: &mut Account<'_, '_, '_>,
    gateway: &dyn Gateway,
    clock: &dyn Clock,
    page: &[IntentRecord],
) -> Result<(), ReconcileError> {
    // What happens to a page is in its order, whoever is answered first.
    let asked = stream::iter(page).map(|intent| ask(gateway, clock, intent));
    let said: Vec<Said> = asked.buffered(AT_ONCE).collect().await;
    let mut news = Vec::new();
    for (intent, said) in page.iter().zip(said) {
        match said {
            Said::Unsent => {
                account.result.unsent = account.result.unsent.saturating_add(1);
            }
            Said::Compared(verdict) => {
                account.count_compared();
                for difference in verdict.differences {
                    account.differs(difference);
                }
                news.extend(verdict.news.map(|outcome| (intent.id, outcome)));
            }
            Said::Unanswered(why) => account.uncompared(&why),
            Said::Unauthorized(code) => {
                account.learned(news).await?;
                return Err(ReconcileError::Unauthorized { code });
            }
        }
    }
    account.learned(news).await
}

async fn ask(gateway: &dyn Gateway, clock: &dyn Clock, intent: &IntentRecord) -> Said {
    match (&intent.life.refund, intent.life.state) {
        (Some(name), _) => {
            let answer = patiently(clock, || gateway.status(name)).await;
            said(answer, |answer| match answer {
                Ok(status) => refund(intent, there(name, status)),
                Err(code) => {
                    let difference = Difference::of_intent(DifferenceKind::MissingThere, intent);
                    let here = intent.life.state.name().to_owned();
                    one(difference.values(here, code))
                }
            })
        }
        (None, RefundState::Prepared | RefundState::Declined) => Said::Unsent,
        (None, state) => {
            let answer = patiently(clock, || gateway.search(intent)).await;
            let unknown = |why: String| {
                let difference = Difference::of_intent(DifferenceKind::UnknownOutcome, intent);
                one(difference.values(state.name().to_owned(), why))
            };
            said(answer, |answer| match answer {
                Ok(Found::Refund { refund: name, status }) => refund(intent, there(&name, status)),
                Ok(Found::Nothing) => unknown("it is not there".to_owned()),
                Ok(Found::Unclear { why }) | Err(why) => unknown(why),
            })
        }
    }
}

fn said<T>(answer: Looked<T>, judge: impl FnOnce(Result<T, String>) -> Verdict) -> Said {
    match answer {
        Looked::Told(told) => Said::Compared(judge(Ok(told))),
        Looked::Refused { code } => Said::Compared(judge(Err(code))),
        Looked::Later { why } => Said::Unanswered(why),
        Looked::Unauthorized { code } => Said::Unauthorized(code),
    }
}

fn one(difference: Difference) -> Verdict {
    Verdict { differences: vec![difference], news: None }
}

fn there(name: &str, status: Status) -> There {
    let Status { state, reason, amount } = status;
    There { refund: Some(name.to_owned()), amount, state, reason }
}

/// Compares each payment once: with the first intent of the batch that is of it.
async fn payments(
    account: &mut Account<'_, '_, '_>,
    gateway: &dyn Gateway,
    clock: &dyn Clock,
    page: &[IntentRecord],
) -> Result<(), ReconcileError> {
    for intent in page {
        let of_payment = Filter::new().provider(&*intent.provider).payment(&*intent.payment);
        let of_it = account.ledger().intents(of_payment).await?;
        let first = of_it.iter().find(|other| other.facts.batch == intent.facts.batch);
        if first.is_some_and(|first| first.id != intent.id) {
            continue;
        }
        match patiently(clock, || gateway.payment(&intent.payment)).await {
            Looked::Told(Some(payment)) => {
                let record = account.ledger().payment(&*intent.provider, &*intent.payment).await?;
                let Some(record) = record else { continue };
                account.result.payments = account.result.payments.saturating_add(1);
                let before = &record.facts.payment;
                for difference in of_payment_differences(intent, &of_it, before, &payment) {
                    account.differs(difference);
                }
            }
            Looked::Told(None) => {
                let difference = Difference::of_intent(DifferenceKind::MissingThere, intent);
                account.differs(Difference { of: Compared::Captured, ..difference });
            }
            Looked::Refused { code } => account.uncompared(&code),
            Looked::Later { why } => account.uncompared(&why),
            Looked::Unauthorized { code } => return Err(ReconcileError::Unauthorized { code }),
        }
    }
    Ok(())
}

/// What is refunded for good must be there, and no more than what may have been.
fn of_payment_differences(
    intent: &IntentRecord,
    of_it: &[IntentRecord],
    before: &refund_rules::Payment,
    there: &refund_rules::Payment,
) -> Vec<Difference> {
    let differs = |kind, of| Difference { of, ..Difference::of_intent(kind, intent) };
    let (captured, captured_there) = (before.captured(), there.captured());
    if captured != captured_there {
        let kind = match captured.currency() == captured_there.currency() {
            true => DifferenceKind::Amount,
            false => DifferenceKind::Currency,
        };
        let difference = differs(kind, Compared::Captured);
        return vec![difference.values(money(captured), money(captured_there))];
    }
    let (mut least, mut most) = (before.refunded().minor(), before.held().minor());
    for other in of_it {
        let amount = other.facts.amount.minor();
        match other.life.state {
            RefundState::Prepared | RefundState::Declined => {}
            RefundState::Refunded => {
                least = least.saturating_add(amount);
                most = most.saturating_add(amount);
            }
            RefundState::Sent
            | RefundState::Unknown
            | RefundState::Accepted
            | RefundState::Pending => most = most.saturating_add(amount),
        }
    }
    let refunded = there.held();
    if (least..=most).contains(&refunded.minor()) {
        return Vec::new();
    }
    let total = |minor| money(Money::from_minor(minor, captured.currency()));
    let here = match least == most {
        true => total(least),
        false => format!("{} to {}", total(least), total(most)),
    };
    let difference = differs(DifferenceKind::Amount, Compared::Refunded);
    vec![Difference { refund: None, ..difference.values(here, money(refunded)) }]
}

/// Compares what the provider lists: refunds that are not known here, and two of one.
async fn list(
    account: &mut Account<'_, '_, '_>,
    gateway: &dyn Gateway,
    clock: &dyn Clock,
    batch: &BatchRecord,
) -> Result<(), ReconcileError> {
    let until = account.reconciler.now;
    let listed = match patiently(clock, || gateway.activity(batch.opened_at, until)).await {
        Looked::Told(None) => return Ok(()),
        Looked::Told(Some(listed)) => listed,
        Looked::Refused { code: why } | Looked::Later { why } => {
            account.uncompared(&why);
            return Ok(());
        }
        Looked::Unauthorized { code } => return Err(ReconcileError::Unauthorized { code }),
    };
    account.result.listed = u64::try_from(listed.len()).ok();
    let mut seen: HashMap<IntentId, String> = HashMap::new();
    let mut news = Vec::new();
    for listed in listed {
        let Some(intent) = known(account, gateway.provider(), &listed).await? else {
            let Listed { refund, payment, key, amount, .. } = listed;
            let difference = Difference::missing_here(Some(refund), payment, key);
            account.differs(difference.values(None, money(amount)));
            continue;
        };
        let first = seen.get(&intent.id).or(intent.life.refund.as_ref());
        if let Some(first) = first.filter(|first| **first != listed.refund) {
            let difference = Difference::of_intent(DifferenceKind::Duplicate, &intent);
            let difference = difference.values(first.clone(), listed.refund);
            account.differs(difference);
            continue;
        }
        // What has a name in this batch was asked for by that name.
        let was_compared =
            intent.life.refund.is_some() && intent.facts.batch.as_ref() == Some(&batch.name);
        let is_first = seen.insert(intent.id, listed.refund.clone()).is_none();
        if was_compared || !is_first {
            continue;
        }
        let Listed { refund: name, amount, state, .. } = listed;
        let there = There { refund: Some(name), amount: Some(amount), state, reason: None };
        let verdict = refund(&intent, there);
        for difference in verdict.differences {
            account.differs(difference);
        }
        news.extend(verdict.news.map(|outcome| (intent.id, outcome)));
    }
    account.learned(news).await
}

/// The intent that a listed refund is of: by its key, or by what the provider calls it.
async fn known(
    account: &Account<'_, '_, '_>,
    provider: &str,
    listed: &Listed,
) -> Result<Option<IntentRecord>, ReconcileError> {
    let filter = || Filter::new().provider(provider).most(1);
    if let Some(key) = &listed.key
        && let Some(intent) = account.ledger().intents(filter().key(&**key)).await?.pop()
    {
        return Ok(Some(intent));
    }
    Ok(account.ledger().intents(filter().refund(&*listed.refund)).await?.pop())
}

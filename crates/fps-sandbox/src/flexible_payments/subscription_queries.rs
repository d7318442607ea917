//! GetSubscriptionDetails and GetTransactionsForSubscription.

use fps_model::flexible_payments::{
    Duration, ErrorCode, GetSubscriptionDetails, GetSubscriptionDetailsResult,
    GetTransactionsForSubscription, GetTransactionsForSubscriptionResult, SubscriptionDetails,
    SubscriptionId, SubscriptionStatus, SubscriptionTransaction, TimeUnit,
};

use super::view::View;
use super::{Context, stop};
use crate::clock;
use crate::idempotency::Stop;
use crate::merchants;
use crate::notifications::{BUYER_EMAIL, BUYER_NAME};
use crate::payments;
use crate::periods::Period;
use crate::subscriptions::{self, State, StoredSubscription};

/// A subscription of the caller's.
pub(super) fn own(context: &Context<'_>, id: &SubscriptionId) -> Result<StoredSubscription, Stop> {
    let found = subscriptions::load(context.connection, id.as_str())?;
    found.filter(|subscription| subscription.merchant == context.merchant).ok_or_else(|| {
        let id = id.as_str();
        let message =
            format!("subscriptionId has to be a valid subscription ID. Specified value: {id}");
        stop(ErrorCode::InvalidParams, message)
    })
}

pub(super) fn details(
    context: &Context<'_>,
    request: &GetSubscriptionDetails,
) -> Result<GetSubscriptionDetailsResult, Stop> {
    let subscription = own(context, &request.subscription_id)?;
    let merchant = merchants::profile(context.connection, subscription.merchant)?;
    let status = match subscription.state {
        State::Active => SubscriptionStatus::Active,
        State::Cancelled => SubscriptionStatus::Cancelled,
        State::Completed => SubscriptionStatus::Completed,
    };
    let mut details = SubscriptionDetails::new(
        subscription.id.as_str(),
        subscription.amount,
        clock::timestamp(subscription.started_at),
        duration(subscription.frequency),
        status,
    )
    .number_of_transactions_processed(i64::from(subscription.payments))
    .number_of_promotional_transactions(i64::from(subscription.promotional_count))
    .recipient_name(merchant.name)
    .recipient_email(merchant.email)
    .sender_name(BUYER_NAME)
    .sender_email(BUYER_EMAIL);
    details.description = subscription.description.clone().map(Into::into);
    details.promotional_amount = subscription.promotional_amount;
    details.subscription_period = subscription.period.map(duration);
    details.end_date = subscription.ends_at.map(clock::timestamp);
    if let Some(due_at) = subscription.due_at {
        details.next_transaction_date = Some(clock::timestamp(due_at));
        details.next_transaction_amount = Some(subscription.next_amount());
    }
    Ok(GetSubscriptionDetailsResult::new().subscription_details(details))
}

fn duration(period: Period) -> Duration {
    Duration::new(i64::from(period.value()), TimeUnit::from(period.unit_name()))
}

pub(super) fn transactions(
    context: &Context<'_>,
    request: &GetTransactionsForSubscription,
) -> Result<GetTransactionsForSubscriptionResult, Stop> {
    let subscription = own(context, &request.subscription_id)?;
    let mut result = GetTransactionsForSubscriptionResult::new();
    let ids = subscriptions::payment_ids(context.connection, &subscription.id)?;
    for (number, id) in (1..).zip(ids) {
        let Some(stored) = payments::load(context.connection, &id)? else { continue };
        let view = View::of_payment(&stored, context.dialect)?;
        let at = clock::timestamp(view.received);
        let mut told = SubscriptionTransaction::new(id, at, number, view.amount, view.status);
        told.description = view.description.map(Into::into);
        result = result.subscription_transaction(told);
    }
    Ok(result)
}

//! What Pay, Reserve, FundPrepaid and SettleDebt have in common: a sender is charged.

use fps_model::flexible_payments::{
    ChargeFeeTo, DescriptorPolicy, Dialect, ErrorCode, FpsOperation, SoftDescriptorType,
    TemporaryDeclinePolicy, TemporaryDeclinePolicyType, TokenId, TokenUsageLimit,
};
use fps_model::{CallerReference, Decimal, Sensitive};
use refund_rules::{Method, Money, Role};

use super::details::Details;
use super::status::TEMPORARY_DECLINE;
use super::{Context, credit, get_token_usage, in_dollars, marketplace, notify_url, parties, stop};
use crate::books::{self, Account, Place, Service};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::idempotency::Stop;
use crate::ids;
use crate::payments::{self, End, NewPayment, Operation, StoredPayment};
use crate::tokens::StoredToken;

/// A request to charge a sender, whichever it was.
pub(super) struct Charge<'a> {
    pub(super) operation: Operation,
    pub(super) caller_token: Option<&'a TokenId>,
    pub(super) sender_token: &'a TokenId,
    pub(super) recipient_token: Option<&'a TokenId>,
    /// The amount, and what the request calls it.
    pub(super) amount: Money,
    pub(super) parameter: &'static str,
    pub(super) charge_fee_to: Option<&'a ChargeFeeTo>,
    pub(super) fixed_fee: Option<Money>,
    pub(super) variable_fee: Option<&'a Decimal>,
    pub(super) reference: &'a CallerReference,
    pub(super) caller_description: Option<&'a Sensitive>,
    pub(super) sender_description: Option<&'a Sensitive>,
    pub(super) descriptor: Option<&'a DescriptorPolicy>,
    pub(super) timeout: Option<i64>,
    pub(super) decline: Option<&'a TemporaryDeclinePolicy>,
    pub(super) notify_url: Option<&'a String>,
    /// The instrument that is funded or settled.
    pub(super) instrument: Option<&'a str>,
    pub(super) details: Details,
}

/// The fields that the four requests spell alike; an operation adds its own.
macro_rules! charge {
    ($request:ident, $operation:ident, $parameter:literal, $amount:ident, { $($own:tt)* }) => {
        $crate::flexible_payments::charge::Charge {
            operation: $crate::payments::Operation::$operation,
            caller_token: $request.caller_token_id.as_ref(),
            sender_token: &$request.sender_token_id,
            amount: $request.$amount,
            parameter: $parameter,
            charge_fee_to: $request.charge_fee_to.as_ref(),
            reference: &$request.caller_reference,
            caller_description: $request.caller_description.as_ref(),
            sender_description: $request.sender_description.as_ref(),
            descriptor: $request.descriptor_policy.as_ref(),
            timeout: $request.transaction_timeout_in_mins,
            decline: $request.temporary_decline_policy.as_ref(),
            notify_url: $request.override_ipn_url.as_ref(),
            details: $crate::flexible_payments::details::Details {
                caller_token: $request.caller_token_id.as_ref().map(|id| id.as_str().to_owned()),
                transaction_date: $request.transaction_date.map(|date| date.unix_millis()),
                sender_reference: $request.sender_reference.clone(),
                recipient_reference: $request.recipient_reference.clone(),
                recipient_description: $request.recipient_description.clone(),
                meta_data: $request.meta_data.clone(),
                ..Default::default()
            },
            $($own)*
        }
    };
}
pub(super) use charge;

/// A payment that was begun, and what is left of the limits of its token, which only revision
/// 2007-01-08 tells.
pub(super) struct Begun {
    pub(super) stored: StoredPayment,
    pub(super) usage: Vec<TokenUsageLimit>,
}

/// Charges a sender, if all who take part may and their tokens allow it.
pub(super) fn begin(context: &Context<'_>, charge: Charge<'_>) -> Result<Begun, Stop> {
    parties::caller(context, charge.caller_token)?;
    let notify_url = notify_url(charge.notify_url)?;
    let token = parties::sender(context, charge.sender_token, &wire_operation(charge.operation))?;
    check_amount(context, &charge, token.method)?;
    let share = marketplace::share(context, &charge)?;
    let recipient = share.recipient;
    if token.owner == Some(recipient) {
        let message = "Sender and recipient are the same account.";
        return Err(stop(ErrorCode::SameSenderAndRecipient, message));
    }
    check_method(charge.operation, token.method)?;
    parties::keep_to_terms(context, &token, charge.amount, charge.recipient_token)?;
    let instrument = instrument(context, &charge, &token, recipient)?;
    let is_credit = matches!(token.method, Method::Prepaid | Method::Postpaid);
    let zero = Money::zero(charge.amount.currency());
    // Source: the ledger of the account activity sample, where a prepaid payment costs no fee.
    let fee = if is_credit { zero } else { context.fees.of(charge.amount)? };
    let new = NewPayment {
        recipient,
        fee,
        fee_payer: share.fee_payer,
        marketplace_fee: share.fee,
        reference: Some(charge.reference.as_str().to_owned()),
        description: charge.caller_description.map(|text| text.expose().to_owned()),
        sender_description: charge.sender_description.map(|text| text.expose().to_owned()),
        soft_descriptor: soft_descriptor(&charge),
        token: Some(token.id.clone()),
        recipient_token: charge.recipient_token.map(|token| token.as_str().to_owned()),
        instrument,
        notify_url,
        ..new_payment(context, &charge, token.method)?
    };
    if let Some(share) = new.marketplace_fee {
        marketplace::leave_something(new.amount, share, fee, new.fee_payer)?;
        caller_can_pay(context, &new)?;
    }
    let details =
        Details { fixed_fee: share.fixed, variable_fee: share.variable, ..charge.details };
    let new = NewPayment { details: Some(details.to_json()?), ..new };
    let stored = payments::insert(context.connection, &new, context.now)?;
    let usage = match context.dialect {
        Dialect::V2007_01_08 => get_token_usage::limits(context, &token)?,
        _ => Vec::new(),
    };
    Ok(Begun { stored, usage })
}

/// The payment, and what becomes of it when.
fn new_payment(
    context: &Context<'_>,
    charge: &Charge<'_>,
    method: Method,
) -> Result<NewPayment, Stop> {
    let later = matches!(method, Method::Card | Method::Bank);
    let mut due_at = later.then(|| context.now.saturating_add(context.processing));
    let mut end =
        if charge.operation == Operation::Reserve { End::Reserved } else { End::Completed };
    if is_declined(charge.amount) {
        end = End::Failed(decline_reason(context, charge).to_owned());
    }
    if let (Some(minutes), Some(due)) = (charge.timeout, due_at) {
        let expires = expiry(context.now, minutes)?;
        if expires < due {
            (due_at, end) = (Some(expires), End::Cancelled("Expired".to_owned()));
        }
    }
    let id = ids::transaction_id()?;
    let new = NewPayment::new(id, context.owner(), charge.operation, method, charge.amount);
    Ok(NewPayment { end, due_at, ..new })
}

/// Of which amounts the sandbox declines the payment: the first decimal is a 6. Source: the sandbox page
/// of the FPS 2007-01-08 developer guide (100.60, 0.61); that they fail for good in the later
/// revisions, which hide temporary declines, is the sandbox's choice.
const fn is_declined(amount: Money) -> bool {
    amount.minor() / 10 % 10 == 6
}

fn decline_reason(context: &Context<'_>, charge: &Charge<'_>) -> &'static str {
    let policy = charge.decline.map(|policy| &policy.temporary_decline_policy_type);
    let fails = policy == Some(&TemporaryDeclinePolicyType::Failure);
    match context.dialect {
        Dialect::V2007_01_08 if !fails => TEMPORARY_DECLINE,
        _ => "TransactionDenied",
    }
}

fn expiry(now: Millis, minutes: i64) -> Result<Millis, Stop> {
    if minutes < 1 {
        let message = "transactionTimeoutInMins has to be above zero";
        return Err(stop(ErrorCode::InvalidParams, message));
    }
    Ok(now.saturating_add(minutes.saturating_mul(60_000)))
}

/// The beginning of what the sender is told, where that was asked for. Source: FPS 2008-09-17 API
/// reference, DescriptorPolicy: the first 15 characters.
fn soft_descriptor(charge: &Charge<'_>) -> Option<String> {
    let policy = charge.descriptor?.soft_descriptor_type.as_ref()?;
    let text = charge.sender_description?;
    (*policy == SoftDescriptorType::Dynamic).then(|| text.expose().chars().take(15).collect())
}

/// The most of one payment in revision 2007-01-08. Source: its error AmountOutOfRange, USD 0.01 to
/// 10,000.
const MAX_IN_2007: i64 = 1_000_000;

fn check_amount(context: &Context<'_>, charge: &Charge<'_>, method: Method) -> Result<(), Stop> {
    let (amount, parameter) = (charge.amount, charge.parameter);
    in_dollars(parameter, amount)?;
    let in_2007 = context.dialect == Dialect::V2007_01_08;
    // Source: the later text of AmountOutOfRange: from a card or bank account, more than 0.01.
    let least = match method {
        Method::Card | Method::Bank if !in_2007 => 2,
        _ => 1,
    };
    if amount.minor() < least || (in_2007 && amount.minor() > MAX_IN_2007) {
        let message = format!("{parameter} is out of range");
        return Err(stop(ErrorCode::AmountOutOfRange, message));
    }
    Ok(())
}

fn check_method(operation: Operation, method: Method) -> Result<(), Stop> {
    let is_credit = matches!(method, Method::Prepaid | Method::Postpaid);
    match operation {
        Operation::Reserve if method != Method::Card => {
            let message = "Only a credit card can be reserved against.";
            Err(stop(ErrorCode::PaymentInstrumentNotCC, message))
        }
        Operation::FundPrepaid | Operation::SettleDebt if is_credit => {
            let message = "Credit cannot pay for credit.";
            Err(stop(ErrorCode::InvalidPaymentInstrument, message))
        }
        _ => Ok(()),
    }
}

/// The instrument that the payment is about: funded, settled, or paid from.
fn instrument(
    context: &Context<'_>,
    charge: &Charge<'_>,
    token: &StoredToken,
    recipient: i64,
) -> Result<Option<String>, Stop> {
    if let Some(instrument) = charge.instrument {
        return Ok(Some(instrument.to_owned()));
    }
    match token.method {
        Method::Card | Method::Bank | Method::Balance => Ok(None),
        Method::Prepaid | Method::Postpaid => {
            credit::spend(context, token, charge.amount, recipient).map(Some)
        }
    }
}

/// A marketplace that pays the fee of the service needs money for it.
fn caller_can_pay(context: &Context<'_>, new: &NewPayment) -> Result<(), Stop> {
    let Some(share) = new.marketplace_fee.filter(|_| new.fee_payer == Role::Caller) else {
        return Ok(());
    };
    let place = Place::new(new.merchant, Account::Merchant);
    let service = Service::FlexiblePayments;
    let holds = books::balance(context.connection, service, place, new.fee.currency())?;
    let after = holds.checked_add(share).and_then(|sum| sum.checked_sub(new.fee));
    if after.map_err(|error| Error::with(ErrorKind::Invalid, error))?.is_negative() {
        let message = "The balance of the caller is too low for the fee.";
        return Err(stop(ErrorCode::InsufficientBalance, message));
    }
    Ok(())
}

/// An operation that charges a sender, as tokens name it.
fn wire_operation(operation: Operation) -> FpsOperation {
    match operation {
        Operation::Charge | Operation::Pay => FpsOperation::Pay,
        Operation::Reserve => FpsOperation::Reserve,
        Operation::FundPrepaid => FpsOperation::FundPrepaid,
        Operation::SettleDebt => FpsOperation::SettleDebt,
        Operation::WriteOffDebt => FpsOperation::WriteOffDebt,
    }
}
